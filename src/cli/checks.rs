//! What checks of a server found, as a table.
use super::table;
use crate::client::proxmox::Failure;
use crate::error::Result;

/// A line of the table.
pub(super) struct Line {
    what: &'static str,
    /// None: not known, since something before it failed.
    good: Option<bool>,
    detail: String,
}

impl Line {
    pub fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, good: Some(true), detail: detail.into() }
    }

    pub fn bad(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, good: Some(false), detail: detail.into() }
    }

    pub fn unknown(what: &'static str) -> Self {
        Self { what, good: None, detail: "not asked".into() }
    }

    pub fn told(what: &'static str, failure: &Failure) -> Self {
        Self::bad(what, format!("{}: {failure}", failure.class.code()))
    }

    pub fn is_good(&self) -> bool {
        self.good == Some(true)
    }
}

/// Prints the table.
pub(super) fn show(lines: &[Line]) -> Result<()> {
    let result = |good| match good {
        Some(true) => "ok",
        Some(false) => "FAILED",
        None => "-",
    };
    let rows = lines.iter().map(|line| vec![line.what.into(), result(line.good).into(), line.detail.clone()]);
    table(&["CHECK", "RESULT", "DETAIL"], rows.collect())
}
