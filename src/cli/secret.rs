//! `secret rotate|status`.
use super::{print, table};
use crate::app::{App, Tries};
use crate::error::{Error, Result};
use crate::service::secret::{self, Held};
use crate::service::{Actor, Tx};
use clap::Subcommand;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// Look after the key under which secrets are stored.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Seal everything under the key of PROXBOX_SECRET_KEY(_FILE) that lies under the one of
    /// PROXBOX_SECRET_KEY_OLD(_FILE), while servers that know both serve; if it was stopped, run it again
    Rotate,
    /// Tell how many secrets lie under which key; the exit code is 1 if any does not open
    Status,
}

impl Command {
    /// Runs the command.
    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        match self {
            Self::Rotate => rotate(app).await,
            Self::Status => status(app).await,
        }
    }
}

async fn rotate(app: &App) -> Result<ExitCode> {
    // Small transactions, so that nobody waits long for the writer; the pepper first, since it says what the database's
    // key is.
    const PAUSE: Duration = Duration::from_millis(20);
    let mut resealed = usize::from(alone(app, secret::rotate_pepper).await?);
    let mut behind = 0;
    loop {
        let step = alone(app, async |tx| secret::rotate_endpoints(tx, behind).await).await?;
        resealed += step.resealed;
        let Some(last) = step.last else { break };
        behind = last;
        tokio::time::sleep(PAUSE).await;
    }
    let held = secret::held(&app.db, &app.sealer).await?;
    let key = app.sealer.key_id();
    let (done, left) = held.iter().partition::<Vec<_>, _>(|held| held.key.as_deref() == Some(key));
    let already = done.len().saturating_sub(resealed);
    print(&format!("sealed {resealed} under the key {key}; {already} were already\n"))?;
    let broken = done.iter().filter(|held| held.problem.is_some());
    let wrong = left.iter().chain(broken).map(|held| wrong(held)).collect::<String>();
    if wrong.is_empty() {
        print("nothing lies under another key: PROXBOX_SECRET_KEY_OLD(_FILE) may go\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&wrong)?;
    Ok(ExitCode::FAILURE)
}

/// Why a value is not as it should be.
fn wrong(held: &Held) -> String {
    match &held.problem {
        Some(problem) => format!("{}: {problem}\n", held.place),
        None => format!("{}: came under another key meanwhile; run this again\n", held.place),
    }
}

/// Does this in a transaction of its own, and begins anew when others' writes got in the way.
async fn alone<T>(app: &App, work: impl AsyncFn(&Tx) -> Result<T>) -> Result<T> {
    let mut tries = Tries::default();
    loop {
        let tx = app.begin(Actor::program("secret rotate")).await?;
        let done = async {
            let done = work(&tx).await?;
            tx.commit().await.map(|_| done)
        };
        match done.await {
            Err(Error::Contention) if tries.again().await => {}
            done => return done,
        }
    }
}

async fn status(app: &App) -> Result<ExitCode> {
    let held = secret::held(&app.db, &app.sealer).await?;
    let mut keys: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for one in &held {
        let [all, broken] = keys.entry(one.key.as_deref().unwrap_or("none")).or_default();
        *all += 1;
        *broken += usize::from(one.problem.is_some());
    }
    let rows = keys.into_iter().map(|(key, [all, broken])| {
        let given = match key {
            key if key == app.sealer.key_id() => "current",
            key if Some(key) == app.sealer.former_id() => "old",
            _ => "not given",
        };
        vec![key.to_owned(), given.to_owned(), all.to_string(), broken.to_string()]
    });
    table(&["KEY", "GIVEN AS", "SECRETS", "DO NOT OPEN"], rows.collect())?;
    let wrong = held.iter().filter(|held| held.problem.is_some()).map(wrong).collect::<String>();
    print(&wrong)?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
