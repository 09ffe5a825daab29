//! `endpoint add|check|trust|list|show|set|set-secret|remove`.
mod add;
mod certificate;
mod check;
mod report;

use super::{print, secret_from_stdin, table};
use crate::app::{App, Settings, SyncSettings};
use crate::entity::{endpoint as row, sync_state};
use crate::error::Result;
use crate::service::batch::{Mode, Operation};
use crate::service::change::timestamp;
use crate::service::endpoint::{self, Patch};
use crate::service::{Actor, Given, sync_run};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use secrecy::SecretString;
use std::collections::HashMap;
use std::process::ExitCode;

/// Manage Proxmox endpoints.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an endpoint: asks the server whether it is there, whether to accept its certificate, and what the
    /// credentials may
    Add(Box<add::Add>),
    /// Ask an endpoint what `endpoint add` asks; the exit code is 1 if anything is not as it should be
    Check(check::Check),
    /// Pin the certificate that an endpoint shows now, and keep its secrets
    Trust(check::Trust),
    /// List the endpoints
    List,
    /// Show one endpoint, without its secrets
    Show {
        /// Its name or id
        name: String,
    },
    /// Change how an endpoint is synced
    Set(Set),
    /// Store another secret for an endpoint
    SetSecret {
        /// Its name or id
        name: String,
        #[command(flatten)]
        secret: RequiredSecret,
    },
    /// Remove an endpoint with its clusters and nodes
    Remove {
        /// Its name or id
        name: String,
    },
}

/// Change how an endpoint is synced.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Its name or id
    name: String,
    #[command(flatten)]
    change: SyncChange,
}

/// What is to be changed, of which there must be something.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct SyncChange {
    /// Seconds between two runs of the schedule, 0 = never; `default` = as the server is set
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    interval: Option<Interval>,
    /// Let it be synced
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Contact it no more, and keep its rows
    #[arg(long)]
    disable: bool,
}

/// Seconds; none = as the server is set.
#[derive(Clone, Copy, Debug)]
struct Interval(Option<i64>);

fn interval(text: &str) -> std::result::Result<Interval, String> {
    match text {
        "default" => Ok(Interval(None)),
        text => {
            text.parse().map(|seconds| Interval(Some(seconds))).map_err(|_| "neither a number nor `default`".into())
        }
    }
}

/// Where the secret comes from; never from the command line, which others can see.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct OptionalSecret {
    /// Read the secret of the API token from stdin
    #[arg(long)]
    token_stdin: bool,
    /// Read the password from stdin
    #[arg(long)]
    password_stdin: bool,
}

/// As [`OptionalSecret`], but one of them must be there.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct RequiredSecret {
    /// Read the secret of the API token from stdin
    #[arg(long)]
    token_stdin: bool,
    /// Read the password from stdin
    #[arg(long)]
    password_stdin: bool,
}

/// The secrets of a patch, as far as stdin holds one.
fn secrets(token: bool, password: bool) -> Result<Patch> {
    let from_stdin = |wanted: bool| -> Result<Given<SecretString>> {
        if wanted { Ok(Some(Some(secret_from_stdin()?))) } else { Ok(None) }
    };
    Ok(Patch { token_value: from_stdin(token)?, password: from_stdin(password)?, ..Patch::default() })
}

impl Command {
    /// What the program must be set to for it.
    pub(super) fn settings(&self) -> Settings {
        let sync = match self {
            Self::Add(add) => add.reach.settings(),
            Self::Check(check) => check.reach.settings(),
            Self::Trust(trust) => trust.reach.settings(),
            _ => SyncSettings::default(),
        };
        Settings { sync, ..Settings::default() }
    }

    /// Runs the command.
    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        let id = async |name: &str| endpoint::get(&app.db, name).await.map(|row| row.id);
        match self {
            Self::Add(add) => add.run(app).await?,
            Self::Check(check) => return check.run(app).await,
            Self::Trust(trust) => trust.run(app).await?,
            Self::List => list(app).await?,
            Self::Show { name } => show(app, &endpoint::get(&app.db, &name).await?).await?,
            Self::Set(set) => set.run(app).await?,
            Self::SetSecret { name, secret } => {
                let id = id(&name).await?;
                let patch = secrets(secret.token_stdin, secret.password_stdin)?;
                write(app, Operation::Update { id, if_last_updated: None, patch }).await?;
            }
            Self::Remove { name } => {
                let id = id(&name).await?;
                write(app, Operation::Delete { id, if_last_updated: None }).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Set {
    async fn run(self, app: &App) -> Result<()> {
        let id = endpoint::get(&app.db, &self.name).await?.id;
        let SyncChange { interval, enable, disable } = self.change;
        let enabled = (enable || disable).then_some(Some(enable));
        let patch = Patch { enabled, sync_interval: interval.map(|given| given.0), ..Patch::default() };
        write(app, Operation::Update { id, if_last_updated: None, patch }).await.map(drop)
    }
}

/// Writes as every door does; returns the endpoint's id.
async fn write(app: &App, operation: Operation<Patch>) -> Result<i32> {
    let mut outcome = app.write::<row::Model>(Actor::operator(), &[operation], Mode::AllOrNothing).await?;
    outcome.results.remove(0).map(|done| done.id)
}

fn host(row: &row::Model) -> String {
    format!("{}:{}", row.host().unwrap_or("-"), row.port)
}

fn kept(row: &row::Model) -> &'static str {
    match (row.token_value.is_some(), row.password.is_some()) {
        (true, true) => "token, password",
        (true, false) => "token",
        (false, true) => "password",
        (false, false) => "none",
    }
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or("-".to_owned(), timestamp)
}

/// How the last run ended; `suspended` when the schedule waits for other credentials.
fn state(row: &row::Model, state: &sync_state::Model) -> String {
    match (row.enabled, state.suspended, state.last_state) {
        (false, ..) => "disabled".into(),
        (_, true, _) => "suspended".into(),
        (.., None) => "never synced".into(),
        (.., Some(last)) => last.value().into(),
    }
}

async fn list(app: &App) -> Result<()> {
    let states = sync_run::states(&app.db).await?.into_iter().map(|state| (state.endpoint_id, state));
    let states = states.collect::<HashMap<_, _>>();
    let rows = endpoint::list(&app.db).await?.into_iter().map(|row| {
        let synced = states.get(&row.id).cloned().unwrap_or_else(|| sync_run::blank(row.id));
        let (address, secret) = (host(&row), kept(&row).to_owned());
        let (state, last) = (state(&row, &synced), time(synced.last_at));
        let version = row.version.unwrap_or_else(|| "-".into());
        vec![row.id.to_string(), row.name, address, row.mode.value().into(), version, secret, state, last]
    });
    table(&["ID", "NAME", "HOST", "MODE", "VERSION", "SECRET", "STATE", "LAST SYNC"], rows.collect())
}

async fn show(app: &App, row: &row::Model) -> Result<()> {
    let synced = sync_run::state(&app.db, row.id).await?;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let class = synced.last_class.as_ref().zip(synced.last_error.as_ref());
    let lines = [
        ("id", row.id.to_string()),
        ("name", row.name.clone()),
        ("domain", text(&row.domain)),
        ("ip address", text(&row.ip_address)),
        ("port", row.port.to_string()),
        ("mode", row.mode.value().into()),
        ("version", text(&row.version)),
        ("username", row.username.clone()),
        ("token name", row.token_name.clone()),
        ("secret", kept(row).into()),
        ("verify certificate", yes(row.verify_ssl)),
        ("fingerprint", text(&row.tls_fingerprint)),
        ("tls ca", yes(row.tls_ca.is_some())),
        ("enabled", yes(row.enabled)),
        ("sync interval", row.sync_interval.map_or("as the server is set".into(), |seconds| format!("{seconds} s"))),
        ("sync state", state(row, &synced)),
        ("last sync", time(synced.last_at)),
        ("last success", time(synced.last_success_at)),
        ("last error", class.map_or("-".into(), |(class, message)| format!("{class}: {message}"))),
        ("next sync", time(synced.next_at)),
        ("created", timestamp(row.created)),
        ("last updated", timestamp(row.last_updated)),
    ];
    print(&lines.iter().map(|(name, value)| format!("{name:<20}{value}\n")).collect::<String>())
}
