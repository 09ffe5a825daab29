//! The commands: one small file a group. What a command answers goes to stdout, everything else to stderr.
mod checks;
mod data;
mod endpoint;
mod import;
mod links;
mod netbox;
mod secret;
mod serve;
mod signal;
mod sync;
mod terminal;
mod token;

use crate::app::{App, Schema, Settings};
use crate::config::{Global, Serve};
use crate::db::Db;
use crate::error::Result;
use crate::{graphql, telemetry};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The topology of Proxmox VE installations as a GraphQL and REST API beside NetBox
#[derive(Debug, Parser)]
#[command(name = "proxbox-graphql", version, about)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<Serve>),
    /// Fill an empty database from a file
    Load {
        /// The file; - for stdin
        file: PathBuf,
    },
    /// Write the rows to a file that `load` reads back
    Dump {
        /// The file; stdout without it, or -
        file: Option<PathBuf>,
        /// Include digests and sealed secrets, of use only under the same key
        #[arg(long)]
        with_secrets: bool,
    },
    /// Print the GraphQL schema
    Schema,
    /// Bring the tables of the database up to date
    Migrate,
    /// Manage API tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Look after the key under which secrets are stored
    #[command(subcommand)]
    Secret(secret::Command),
    /// Manage Proxmox endpoints
    #[command(subcommand)]
    Endpoint(endpoint::Command),
    /// Read the topology from Proxmox
    Sync(sync::Sync),
    /// Move over from another program
    #[command(subcommand)]
    Import(import::Command),
    /// Look after the NetBox beside this server
    #[command(subcommand)]
    Netbox(netbox::Command),
    /// Link Proxmox's clusters and nodes to NetBox's clusters and devices
    #[command(subcommand)]
    Links(links::Command),
}

/// What a statement of a command may take; nobody waits at the other end of a request.
const STATEMENT: Duration = Duration::from_secs(60);

impl Cli {
    /// Runs the command; its exit code, unless it failed.
    pub async fn run(self) -> Result<ExitCode> {
        telemetry::start(&self.global.log, self.global.log_format)?;
        let global = &self.global;
        match self.command {
            Command::Serve(options) => serve::run(global, &options).await?,
            Command::Schema => print(&graphql::sdl(&graphql::schema()))?,
            Command::Migrate => {
                let db = Db::connect(&global.database(STATEMENT)).await?;
                db.migrate().await?;
                db.close().await?;
            }
            Command::Load { file } => {
                let app = open(global, Settings::default()).await?;
                data::load(&app, &file).await?;
                app.close().await?;
            }
            Command::Dump { file, with_secrets } => {
                let app = open(global, Settings::default()).await?;
                data::dump(&app, file.as_deref(), with_secrets).await?;
                app.close().await?;
            }
            Command::Token(command) => {
                let app = open(global, Settings::default()).await?;
                command.run(&app).await?;
                app.close().await?;
            }
            Command::Secret(command) => {
                let app = open(global, Settings::default()).await?;
                let code = command.run(&app).await?;
                app.close().await?;
                return Ok(code);
            }
            Command::Endpoint(command) => {
                let app = open(global, command.settings()).await?;
                let code = command.run(&app).await?;
                app.close().await?;
                return Ok(code);
            }
            Command::Import(command) => {
                let app = open(global, command.settings()?).await?;
                let code = command.run(&app).await?;
                app.close().await?;
                return Ok(code);
            }
            Command::Netbox(command) => return command.run(global).await,
            Command::Sync(command) => {
                let app = open(global, command.settings()).await?;
                let code = command.run(&app).await?;
                app.close().await?;
                return Ok(code);
            }
            Command::Links(command) => {
                let app = open(global, Settings::default()).await?;
                command.run(&app).await?;
                app.close().await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn open(global: &Global, settings: Settings) -> Result<App> {
    App::open(&global.database(STATEMENT), &global.key()?, Schema::Migrate, settings).await
}

/// Writes an answer to stdout; a reader who has seen enough is no error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(crate::error::Error::Conflict(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// A secret from stdin: one line, without its end.
fn secret_from_stdin() -> Result<secrecy::SecretString> {
    let mut line = String::new();
    let told = |error: std::io::Error| crate::error::Error::Conflict(format!("cannot read stdin: {error}"));
    std::io::stdin().read_line(&mut line).map_err(told)?;
    Ok(secrecy::SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A table for people.
fn table(headers: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    let mut table = comfy_table::Table::new();
    // What others named must not command the terminal.
    let rows = rows.into_iter().map(|cells| cells.into_iter().map(|cell| cell.replace(char::is_control, " ")));
    table.load_preset(comfy_table::presets::NOTHING).set_header(headers).add_rows(rows);
    print(&format!("{}\n", table.trim_fmt()))
}
