//! Measures how fast a server answers, from outside: `generate` makes the data, `run` asks. See README.md beside this.
mod client;
mod generate;
mod postgres;
mod process;
mod queries;
mod random;
mod rest;
mod run;
mod shape;
mod storage;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use shape::Shape;
use std::path::PathBuf;

/// Measures how fast a server answers.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a file that `proxbox-graphql load` reads: the same bytes for the same scale
    Generate {
        /// So many times 50 endpoints, 200 clusters, 5 000 nodes and 50 000 storages
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        scale: u32,
        /// Where to write; stdout when not said
        file: Option<PathBuf>,
    },
    /// Loads that file into a fresh database, starts the server on it, and asks
    Run(Options),
}

#[derive(Args)]
struct Options {
    /// The binary to measure, built with --release
    #[arg(long)]
    server: PathBuf,
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    database: Databases,
    /// So many times 50 endpoints, 200 clusters, 5 000 nodes and 50 000 storages
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    scale: u32,
    /// How long each query is asked
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Connections that ask at the same time, each one question after the other
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Only these queries, e.g. Q1,Q5b
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Generate { scale, file } => generate::to(file.as_deref(), &Shape { scale }),
        // One thread: what the runner takes away from the server is little, and always the same.
        Command::Run(options) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run::run(&options))
        }
    }
}
