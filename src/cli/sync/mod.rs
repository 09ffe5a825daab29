//! `sync`: runs to their end, with what they change.
mod document;
mod progress;
mod words;

use super::{print, signal};
use crate::app::{App, Settings};
use crate::config::SyncRules;
use crate::entity::{RunState, endpoint as row, sync_change, sync_run};
use crate::error::Result;
use crate::service::{Actor, endpoint, sync_run as runs};
use crate::sync;
use clap::Args;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Which code says what, for scripts.
const EXIT_CODES: &str = "\
Exit codes:
  0    all endpoints were seen as a whole, or stood by since another one of their cluster was
  1    some could not be seen at all, or the command could not begin
  2    the command line is wrong
  3    none failed, and some were seen in part only
  130  a signal stopped it";

/// Read the topology from Proxmox.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Sync {
    /// Names or ids; all that are enabled, if none is given
    endpoints: Vec<String>,
    /// Tell what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document that holds everything
    #[arg(long)]
    json: bool,
    /// Delete what is due to be deleted even if it is a large part of an endpoint
    #[arg(long)]
    delete_many: bool,
    #[command(flatten)]
    rules: SyncRules,
}

/// A run that is over, with what it changes.
struct Ended {
    run: sync_run::Model,
    changes: Vec<sync_change::Model>,
}

/// What a shell gets when a signal ends a program.
const STOPPED: u8 = 130;

impl Sync {
    /// What the program must be set to for it. The schedule is the server's: nothing is due after this.
    pub(super) fn settings(&self) -> Settings {
        Settings { sync: self.rules.settings(None), ..Settings::default() }
    }

    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        let stop = CancellationToken::new();
        signal::cancel(stop.clone(), "stopping; what is not finished changes nothing")?;
        let rows = self.rows(app).await?;
        if rows.is_empty() && !self.json {
            print("no endpoint is enabled; add one by: proxbox-graphql endpoint add NAME HOST\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let mut begun = sync::begin(app, &Actor::operator(), &ids, self.dry_run, self.delete_many).await?;
        let queued = begun.runs.clone();
        let ended = tokio::select! {
            ended = begun.end(app) => Some(ended?),
            () = stop.cancelled() => None,
            // Until the others are over.
            error = progress::show(app, &queued) => return Err(error),
        };
        let stopped = ended.is_none();
        let ended = match ended {
            Some(ended) => ended,
            None => begun.stop(app).await?,
        };
        self.tell(app, ended, &ids)
            .await
            .map(|code| if stopped { ExitCode::from(STOPPED) } else { ExitCode::from(code) })
    }

    async fn rows(&self, app: &App) -> Result<Vec<row::Model>> {
        if self.endpoints.is_empty() {
            return Ok(endpoint::list(&app.db).await?.into_iter().filter(|row| row.enabled).collect());
        }
        let mut rows: Vec<row::Model> = Vec::new();
        for name in &self.endpoints {
            let row = endpoint::get(&app.db, name).await?;
            if rows.iter().all(|known| known.id != row.id) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Says what came of it, in the order of the endpoints; the exit code.
    async fn tell(&self, app: &App, mut ended: Vec<sync_run::Model>, order: &[i32]) -> Result<u8> {
        ended.sort_by_key(|run| order.iter().position(|id| *id == run.endpoint_id).unwrap_or(order.len()));
        let mut all = Vec::new();
        for run in ended {
            let changes = runs::changes(&app.db, run.id).await?;
            all.push(Ended { run, changes });
        }
        let code = code(&all);
        if self.json {
            print(&document::text(&all, self.dry_run))?;
        } else {
            words::tell(&all)?;
        }
        Ok(code)
    }
}

fn code(all: &[Ended]) -> u8 {
    let any = |states: &[RunState]| all.iter().any(|ended| states.contains(&ended.run.state));
    match () {
        // One that is not over could not even be begun.
        () if any(&[RunState::Failed, RunState::Interrupted]) || all.iter().any(|ended| !ended.run.state.is_over()) => {
            1
        }
        () if any(&[RunState::Partial]) => 3,
        () => 0,
    }
}
