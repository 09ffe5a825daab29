//! Signals that end a command in an orderly way.
use crate::error::Result;
use tokio_util::sync::CancellationToken;

/// Cancels the token at SIGINT or SIGTERM. Both are caught from now on, not from when the task first runs: a signal that
/// came between the two would kill the program where it stands.
#[cfg(unix)]
pub(super) fn cancel(stop: CancellationToken, words: &'static str) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let told = |error: std::io::Error| crate::error::Error::Internal(format!("signals cannot be caught: {error}"));
    let mut interrupted = signal(SignalKind::interrupt()).map_err(told)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(told)?;
    tokio::spawn(async move {
        tokio::select! { _ = interrupted.recv() => {}, _ = terminated.recv() => {} }
        end(&stop, words);
    });
    Ok(())
}

/// Cancels the token at Ctrl-C.
#[cfg(not(unix))]
pub(super) fn cancel(stop: CancellationToken, words: &'static str) -> Result<()> {
    tokio::spawn(async move {
        drop(tokio::signal::ctrl_c().await);
        end(&stop, words);
    });
    Ok(())
}

fn end(stop: &CancellationToken, words: &str) {
    tracing::info!("{words}");
    stop.cancel();
}
