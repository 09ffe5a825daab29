//! `netbox sync`: reads NetBox once, and says what that did.
use crate::app::{App, Settings};
use crate::cli::{print, signal, table};
use crate::config::NetBoxReach;
use crate::error::Result;
use crate::mirror::{self, Order, Report, Wanted};
use crate::service::Actor;
use clap::Args;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Read the clusters and devices of NetBox into the mirror, as the server does by itself.
#[derive(Debug, Args)]
pub(in crate::cli) struct Sync {
    /// Read everything, not just what changed
    #[arg(long)]
    full: bool,
    /// Let more than 30 % of the clusters or devices count as deleted: nodes and Proxmox clusters lose their links, and the
    /// storages of the clusters go
    #[arg(long)]
    delete_many: bool,
    #[command(flatten)]
    reach: NetBoxReach,
}

/// The exit code when something waits for the operator.
const ASKS: u8 = 3;

impl Sync {
    /// What the program must know for it.
    pub(super) fn settings(&self) -> Result<Settings> {
        Ok(Settings { netbox: self.reach.target()?, ..Settings::default() })
    }

    /// The exit code is 1 if NetBox could not be read, 3 if something waits for the operator.
    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        let wanted = if self.full || self.delete_many { Wanted::Full } else { Wanted::Due };
        let order = Order { actor: Actor::operator(), wanted, delete_many: self.delete_many };
        let stop = CancellationToken::new();
        signal::cancel(stop.clone(), "stopping; what was read so far stays")?;
        let begun = mirror::begin(app).await?;
        let finished = tokio::select! {
            finished = mirror::finish(app, begun, &order) => Some(finished),
            () = stop.cancelled() => None,
        };
        let Some(finished) = finished else {
            mirror::abandon(app).await?;
            return Ok(ExitCode::FAILURE);
        };
        show(&finished?)
    }
}

fn show(report: &Report) -> Result<ExitCode> {
    let rows = report.kinds().into_iter().map(|(name, kind)| {
        let count = |count: usize| count.to_string();
        let kept = [kind.seen, kind.created, kind.changed, kind.missing, kind.deleted, kind.held].map(count);
        [vec![name.to_owned()], kept.to_vec(), vec![count(kind.odd.len())]].concat()
    });
    table(&["", "READ", "NEW", "CHANGED", "MISSING", "DELETED", "HELD BACK", "NOT KEPT"], rows.collect())?;
    for (name, kind) in report.kinds() {
        for odd in &kind.odd {
            print(&format!("not kept, of the {name}: {odd}\n"))?;
        }
        if !kind.unknown.is_empty() {
            let ids = kind.unknown.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
            print(&format!("made by hand, and not in NetBox, of the {name}: {ids}\n"))?;
        }
    }
    for ask in report.asks() {
        print(&format!("\n{ask}\n"))?;
    }
    if let Some(error) = &report.error {
        print(&format!("\nNetBox could not be read, and the mirror stays as it is: {error}\n"))?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::from(ASKS) })
}
