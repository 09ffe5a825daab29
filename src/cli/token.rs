//! `token create|list|revoke`.
use super::{print, secret_from_stdin, table};
use crate::app::App;
use crate::error::{Error, Result};
use crate::principal::Permission;
use crate::service::token::{self, NewToken};
use crate::service::{Actor, change::timestamp};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::Value;

/// Manage API tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token and print its value, which cannot be seen again
    Create(Create),
    /// List the tokens, without their values
    List,
    /// Remove a token for good
    Revoke {
        /// Its name
        name: String,
    },
}

/// Make a token.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// A name of its own
    name: String,
    /// It may read only, whatever its permissions say
    #[arg(long)]
    read_only: bool,
    /// The old format: 40 characters, instead of nbt_…
    #[arg(long)]
    v1: bool,
    /// Take the value from stdin, to bring a token along
    #[arg(long, conflicts_with = "v1")]
    value_stdin: bool,
    /// When it ends, e.g. 2027-01-01T00:00:00Z
    #[arg(long, value_name = "RFC3339")]
    expires: Option<DateTime<Utc>>,
    /// From where it may be used; may be repeated; anywhere without it
    #[arg(long = "allowed-ip", value_name = "CIDR")]
    allowed_ips: Vec<String>,
    /// What it may do: {"models": ["proxmoxnode"], "actions": ["view"], "constraints": null}; may be repeated;
    /// everything without it
    #[arg(long = "permission", value_name = "JSON")]
    permissions: Vec<String>,
}

impl Command {
    /// Runs the command.
    pub(super) async fn run(self, app: &App) -> Result<()> {
        match self {
            Self::Create(create) => create.run(app).await,
            Self::List => list(app).await,
            Self::Revoke { name } => {
                let mut tx = app.begin(Actor::operator()).await?;
                token::revoke(&mut tx, &name).await?;
                tx.commit().await?;
                Ok(())
            }
        }
    }
}

impl Create {
    async fn run(self, app: &App) -> Result<()> {
        let value = if self.value_stdin { secret_from_stdin()? } else { token::random_value(self.v1) };
        let new = NewToken {
            name: self.name.trim().to_owned(),
            write_enabled: !self.read_only,
            enabled: true,
            expires: self.expires,
            allowed_ips: self.allowed_ips,
            permissions: permissions(&self.permissions)?,
        };
        let mut tx = app.begin(Actor::operator()).await?;
        token::create(&mut tx, &app.pepper, new, &value).await?;
        tx.commit().await?;
        print(&format!("{}\n", value.expose_secret()))
    }
}

fn permissions(given: &[String]) -> Result<Vec<Value>> {
    if given.is_empty() {
        return Ok(vec![Permission::everything_json()]);
    }
    let parse = |text: &String| {
        serde_json::from_str(text).map_err(|error| Error::input(format!("not JSON: {error}")).within("--permission"))
    };
    given.iter().map(parse).collect()
}

async fn list(app: &App) -> Result<()> {
    let time = |time: Option<DateTime<Utc>>| time.map_or("-".to_owned(), timestamp);
    let rows = token::list(&app.db).await?.into_iter().map(|row| {
        let format = match (&row.digest, &row.key) {
            (None, _) => "unusable: no value".to_owned(),
            (Some(_), Some(key)) => format!("nbt_{key}.…"),
            (Some(_), None) => "v1".to_owned(),
        };
        let rights = match (row.enabled, row.write_enabled) {
            (false, _) => "disabled",
            (true, false) => "read",
            (true, true) => "read, write",
        };
        let networks = row.allowed_ips.0.as_array().into_iter().flatten().filter_map(Value::as_str);
        let networks = networks.collect::<Vec<_>>().join(", ");
        let networks = if networks.is_empty() { "any".to_owned() } else { networks };
        vec![row.name, format, rights.into(), networks, time(row.expires), time(Some(row.created)), time(row.last_used)]
    });
    table(&["NAME", "FORMAT", "RIGHTS", "FROM", "EXPIRES", "CREATED", "LAST USED"], rows.collect())
}
