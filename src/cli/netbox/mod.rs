//! `netbox check|sync|compare`.
mod check;
mod compare;
mod sync;

use super::open;
use crate::config::Global;
use crate::error::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// Look after the NetBox beside this server.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask NetBox whether it is there, and what the token may see; the exit code is 1 if anything is not as it should be
    Check(check::Check),
    /// Read the clusters and devices of NetBox into the mirror, as the server does by itself; the exit code is 1 if NetBox
    /// could not be read, 3 if something waits for your word
    Sync(sync::Sync),
    /// Tell in what this server differs from the plugin netbox-proxbox
    Compare(compare::Compare),
}

impl Command {
    /// Its exit code, unless it failed.
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        match self {
            Self::Check(check) => check.run().await,
            Self::Sync(sync) => {
                let app = open(global, sync.settings()?).await?;
                let code = sync.run(&app).await?;
                app.close().await?;
                Ok(code)
            }
            Self::Compare(compare) => {
                let app = open(global, compare.settings()?).await?;
                let code = compare.run(&app).await?;
                app.close().await?;
                Ok(code)
            }
        }
    }
}
