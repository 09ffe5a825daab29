//! The program: parses its arguments and calls the library.
use clap::Parser;
use proxbox_graphql::cli::Cli;
use std::process::ExitCode;

/// Stack of a worker thread in bytes. Resolvers of a deep query lie on it one upon the other, 150 kB a level in a debug
/// build; memory that is never touched costs nothing.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let command = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build();
    let ended = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(command.run()).map_err(|error| error.to_string()));
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
