//! `netbox check`.
mod check;

use crate::error::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// Look after the NetBox beside this server.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask NetBox whether it is there, and what the token may see; the exit code is 1 if anything is not as it should be
    Check(check::Check),
}

impl Command {
    /// Its exit code, unless it failed.
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Check(check) => check.run().await,
        }
    }
}
