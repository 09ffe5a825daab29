//! The errors that were found.

use std::borrow::Cow;

use async_graphql::ServerError;
use async_graphql_parser::Pos;

use super::super::report::coded;

/// So many errors are told: who makes more makes one mistake many times.
const MOST: usize = 20;
/// So many characters of a name are shown.
const NAME: usize = 60;

/// Whose fault it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The document's.
    Document,
    /// The values' that came with it.
    Variables,
}

/// The errors of one request.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<ServerError>);

impl Wrong {
    /// Whether no more errors are told.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    /// Adds an error. Its message is made only if it is going to be told.
    pub(super) fn add(&mut self, fault: Fault, pos: Pos, message: impl FnOnce() -> String) {
        if !self.is_full() {
            let code = match fault {
                Fault::Document => "GRAPHQL_VALIDATION_FAILED",
                Fault::Variables => "BAD_USER_INPUT",
            };
            self.0.push(coded(code, message(), Some(pos)));
        }
    }

    /// The errors, if there are any.
    pub(super) fn into_result(self) -> Result<(), Vec<ServerError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// A name that the client chose, cut for the message.
pub(super) fn short(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME) {
        None => name.into(),
        Some((end, _)) => format!("{}…", &name[..end]).into(),
    }
}
