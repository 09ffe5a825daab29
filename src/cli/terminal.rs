//! Questions to whoever sits at the terminal.
use crate::error::{Error, Result};

/// Asks for a yes or no; none if there is nobody to ask. The terminal itself is opened: stdin may hold a secret, and
/// stdout is for the answer of the command. Where stderr goes elsewhere, nobody would see why it waits.
#[cfg(unix)]
pub(super) fn agrees(question: &str) -> Result<Option<bool>> {
    use std::io::{BufRead, BufReader, IsTerminal, Write};
    if !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let Ok(mut terminal) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        return Ok(None);
    };
    let told = |error: std::io::Error| Error::Conflict(format!("cannot ask on the terminal: {error}"));
    write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush()).map_err(told)?;
    let mut line = String::new();
    BufReader::new(terminal).read_line(&mut line).map_err(told)?;
    Ok(Some(["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str())))
}

/// Nobody can be asked here.
#[cfg(not(unix))]
pub(super) fn agrees(_: &str) -> Result<Option<bool>> {
    Ok(None)
}
