//! `import netbox`: moving over from the NetBox plugin netbox-proxbox.
pub(super) mod document;
pub(super) mod words;

use super::print;
use crate::app::{App, Settings};
use crate::client::netbox::NetBox;
use crate::config::NetBoxReach;
use crate::error::{Error, Result};
use crate::mirror::{self, Order, Wanted};
use crate::plugin::{self, Report};
use crate::service::Actor;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Which code says what, for scripts.
const EXIT_CODES: &str = "\
Exit codes:
  0  everything has its place here
  1  NetBox could not be read, or ids are taken: nothing was changed
  2  the command line is wrong
  3  some rows did not fit and were left out, the others have their place";

/// Move over from another program.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring over what the NetBox plugin netbox-proxbox keeps, all of it or nothing
    Netbox(Import),
}

/// Bring over what the plugin keeps.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Import {
    /// Tell what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Give new rows another id where an object here has theirs already
    #[arg(long)]
    new_ids: bool,
    /// Print one JSON document that holds everything
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: NetBoxReach,
}

impl Command {
    /// What the program must be set to for it.
    pub(super) fn settings(&self) -> Result<Settings> {
        let Self::Netbox(import) = self;
        settings(&import.reach)
    }

    /// Runs the command.
    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        let Self::Netbox(import) = self;
        import.run(app).await
    }
}

impl Import {
    async fn run(self, app: &App) -> Result<ExitCode> {
        let there = plugin::read(netbox(app)?).await?;
        let report = plugin::run(app, &there, self.new_ids, self.dry_run).await?;
        if self.json {
            print(&document::text(&report, self.dry_run))?;
        } else {
            words::tell(&report, self.dry_run)?;
        }
        if report.revision.is_some() {
            app.db.optimize().await?;
        }
        if !self.dry_run && report.collisions.is_empty() {
            fill_mirror(app).await?;
        }
        Ok(ExitCode::from(code(&report)))
    }
}

/// Reads NetBox's clusters and devices, of which the rows told no more than the names. What the token may not see stays as
/// the rows told it.
async fn fill_mirror(app: &App) -> Result<()> {
    let order = Order { actor: Actor::operator(), wanted: Wanted::Full, delete_many: false };
    match mirror::begin(app).await {
        Err(Error::Conflict(why)) => tracing::warn!("{why}"),
        begun => drop(mirror::finish(app, begun?, &order).await?),
    }
    Ok(())
}

fn code(report: &Report) -> u8 {
    match () {
        () if !report.collisions.is_empty() => 1,
        () if !report.left_out.is_empty() => 3,
        () => 0,
    }
}

/// The settings of a command that asks NetBox.
pub(super) fn settings(reach: &NetBoxReach) -> Result<Settings> {
    let netbox = reach.target()?;
    Ok(Settings { netbox, ..Settings::default() })
}

/// The NetBox to ask.
pub(super) fn netbox(app: &App) -> Result<&NetBox> {
    let missing = "no NetBox is set: give --netbox-url (PROXBOX_NETBOX_URL), and its token in PROXBOX_NETBOX_TOKEN or in \
                   a file by --netbox-token-file";
    let netbox = app.netbox.as_deref().ok_or_else(|| Error::Conflict(missing.into()))?;
    if netbox.is_plain() {
        tracing::warn!("{} is asked without TLS: the token goes in the clear", netbox.url());
    }
    Ok(netbox)
}
