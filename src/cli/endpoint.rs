//! `endpoint add|list|show|set-secret|remove`.
use super::{print, secret_from_stdin, table};
use crate::app::App;
use crate::entity::{Kind, Resource, endpoint as row};
use crate::error::Result;
use crate::service::batch::{Mode, Operation};
use crate::service::change::timestamp;
use crate::service::endpoint::{self, Patch};
use crate::service::{Actor, Given};
use clap::{Args, Subcommand};
use secrecy::SecretString;

/// Manage Proxmox endpoints.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an endpoint
    Add(Box<Add>),
    /// List the endpoints
    List,
    /// Show one endpoint, without its secrets
    Show {
        /// Its name or id
        name: String,
    },
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

/// Add an endpoint.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// What to call it
    name: String,
    /// IP address or domain name of the Proxmox API
    host: String,
    /// TCP port of the Proxmox API
    #[arg(long, default_value_t = 8006)]
    port: i64,
    /// The user in Proxmox, with its realm
    #[arg(long, default_value = "root@pam")]
    username: String,
    /// Name of the user's API token
    #[arg(long, default_value = "")]
    token_name: String,
    /// SHA-256 fingerprint of the certificate to accept
    #[arg(long)]
    fingerprint: Option<String>,
    /// Do not verify the certificate
    #[arg(long)]
    no_verify: bool,
    #[command(flatten)]
    secret: OptionalSecret,
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
    /// Runs the command.
    pub(super) async fn run(self, app: &App) -> Result<()> {
        match self {
            Self::Add(add) => add.run(app).await,
            Self::List => list(app).await,
            Self::Show { name } => show(&endpoint::get(&app.db, &name).await?),
            Self::SetSecret { name, secret } => {
                let id = endpoint::get(&app.db, &name).await?.id;
                let patch = secrets(secret.token_stdin, secret.password_stdin)?;
                write(app, Operation::Update { id, if_last_updated: None, patch }).await.map(drop)
            }
            Self::Remove { name } => {
                let id = endpoint::get(&app.db, &name).await?.id;
                write(app, Operation::Delete { id, if_last_updated: None }).await.map(drop)
            }
        }
    }
}

/// Writes as every door does; returns the endpoint's id.
async fn write(app: &App, operation: Operation<Patch>) -> Result<i32> {
    let mut outcome = app.write::<row::Model>(Actor::operator(), &[operation], Mode::AllOrNothing).await?;
    outcome.results.remove(0).map(|done| done.id)
}

impl Add {
    async fn run(self, app: &App) -> Result<()> {
        let (ip_address, domain) = endpoint::split_host(&self.host)?;
        let new = Patch {
            name: Some(Some(self.name)),
            ip_address: ip_address.map(Some),
            domain: domain.map(Some),
            port: Some(Some(self.port)),
            username: Some(Some(self.username)),
            token_name: Some(Some(self.token_name)),
            verify_ssl: Some(Some(!self.no_verify)),
            tls_fingerprint: self.fingerprint.map(Some),
            ..secrets(self.secret.token_stdin, self.secret.password_stdin)?
        };
        let id = write(app, Operation::Create(new)).await?;
        let row = endpoint::by_id(&app.db, id).await?;
        print(&format!("added endpoint {} as {}:{}\n", row.display(), Kind::Endpoint.type_name(), row.id))
    }
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

async fn list(app: &App) -> Result<()> {
    let rows = endpoint::list(&app.db).await?.into_iter().map(|row| {
        let (address, secret) = (host(&row), kept(&row).to_owned());
        let state = if row.enabled { "enabled" } else { "disabled" };
        let version = row.version.unwrap_or_else(|| "-".into());
        vec![row.id.to_string(), row.name, address, row.mode.value().into(), version, secret, state.into()]
    });
    table(&["ID", "NAME", "HOST", "MODE", "VERSION", "SECRET", "STATE"], rows.collect())
}

fn show(row: &row::Model) -> Result<()> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
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
        ("verify certificate", if row.verify_ssl { "yes" } else { "no" }.into()),
        ("fingerprint", text(&row.tls_fingerprint)),
        ("enabled", if row.enabled { "yes" } else { "no" }.into()),
        ("created", timestamp(row.created)),
        ("last updated", timestamp(row.last_updated)),
    ];
    print(&lines.iter().map(|(name, value)| format!("{name:<20}{value}\n")).collect::<String>())
}
