//! `endpoint check` and `endpoint trust`.
use super::certificate::Answer;
use super::report;
use crate::app::App;
use crate::cli::checks::{self, Line};
use crate::cli::print;
use crate::config::SyncReach;
use crate::error::{Error, Result};
use crate::service::Actor;
use crate::service::endpoint;
use crate::sync::check::{self, Fingerprint};
use clap::Args;
use std::process::ExitCode;

/// Ask an endpoint what `endpoint add` asks.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// Its name or id
    name: String,
    #[command(flatten)]
    pub(super) reach: SyncReach,
}

impl Check {
    /// The exit code is 1 if anything is not as it should be.
    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        let row = endpoint::get(&app.db, &self.name).await?;
        let shown = check::shown(app, &row).await;
        let mut lines = report::reached(&row, &shown);
        let answer = match lines.iter().all(Line::is_good) {
            true => Some(check::ask(app, &row, endpoint::secrets(&row, &app.sealer)?).await),
            false => None,
        };
        lines.extend(report::answered(&report::who(&row), answer.as_ref()));
        checks::show(&lines)?;
        if let Some(Ok(answer)) = &answer {
            report::advise(&row, answer)?;
        }
        Ok(if lines.iter().all(Line::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Pin the certificate that an endpoint shows now, and keep its secrets.
#[derive(Debug, Args)]
pub(in crate::cli) struct Trust {
    /// Its name or id
    name: String,
    /// The SHA-256 fingerprint that it must show; no question is asked
    #[arg(long, conflicts_with = "yes")]
    fingerprint: Option<Fingerprint>,
    /// Accept whatever certificate is shown now
    #[arg(long)]
    yes: bool,
    /// Keep the pins that are there, for a while in which both are in use
    #[arg(long)]
    add: bool,
    #[command(flatten)]
    pub(super) reach: SyncReach,
}

impl Trust {
    pub(super) async fn run(self, app: &App) -> Result<()> {
        let row = endpoint::get(&app.db, &self.name).await?;
        let place = format!("{}:{}", row.host().unwrap_or_default(), row.port);
        let told = |failure: check::Failure| Error::Conflict(format!("{place}: {failure}; nothing is stored"));
        let Some(shown) = check::shown(app, &row).await.map_err(told)? else {
            return Err(Error::Conflict(format!("{place} is asked without TLS: there is nothing to trust")));
        };
        let pinned = match check::trust(&row) {
            check::Trust::Pins(pins) => pins,
            _ => Vec::new(),
        };
        let listed = pinned.iter().map(Fingerprint::to_string).collect::<Vec<_>>();
        let old = if listed.is_empty() { "-".to_owned() } else { listed.join(", ") };
        print(&format!("pinned  {old}\nshown   {}\n", shown.fingerprint))?;
        if pinned.contains(&shown.fingerprint) && (self.add || pinned.len() == 1) {
            return print("it is trusted already\n");
        }
        let given = self.fingerprint.into_iter().collect::<Vec<_>>();
        Answer { pins: &given, yes: self.yes, place: &place }.must_accept(&shown)?;
        let mut pins = if self.add { listed } else { Vec::new() };
        pins.push(shown.fingerprint.to_string());
        let mut tx = app.begin(Actor::operator()).await?;
        let row = endpoint::trust(&mut tx, row.id, &pins.join(",")).await?;
        tx.commit().await?;
        print(&format!("the endpoint {} trusts {}; its secrets are kept\n", row.name, shown.fingerprint))
    }
}
