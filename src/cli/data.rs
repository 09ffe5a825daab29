//! `load` and `dump`.
use super::print;
use crate::app::App;
use crate::error::{Error, Result};
use crate::service::{Actor, dump, load};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

/// Fills an empty database from a file.
pub(super) async fn load(app: &App, path: &Path) -> Result<()> {
    let told = |error: std::io::Error| Error::Conflict(format!("cannot read {}: {error}", path.display()));
    let mut text = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut text).map_err(told)?;
    } else {
        text = fs::read(path).map_err(told)?;
    }
    let rows = store(app, &text, "load").await?;
    tracing::info!("loaded {rows} rows");
    Ok(())
}

/// Stores the text of a file; returns how many rows that were.
pub(super) async fn store(app: &App, text: &[u8], actor: &str) -> Result<u64> {
    let file = load::parse(text)?;
    // Drawn on a terminal only.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} rows") {
        bar.set_style(style);
    }
    let progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let mut tx = app.begin(Actor::program(actor)).await?;
    load::load(&mut tx, &app.sealer, &app.pepper, file, &progress).await?;
    tx.commit().await?;
    app.db.optimize().await?;
    bar.finish_and_clear();
    Ok(bar.length().unwrap_or(0))
}

/// Writes the rows to a file that `load` reads back.
pub(super) async fn dump(app: &App, path: Option<&Path>, with_secrets: bool) -> Result<()> {
    let text = dump::to_text(&dump::dump(&app.db, with_secrets).await?)?;
    match path.filter(|path| *path != Path::new("-")) {
        None => print(&String::from_utf8_lossy(&text)),
        Some(path) => {
            write(path, &text).map_err(|error| Error::Conflict(format!("cannot write {}: {error}", path.display())))
        }
    }
}

/// All or nothing, and for the owner's eyes only: even without secrets it tells a lot.
fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".proxbox-").tempfile_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
