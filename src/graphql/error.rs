//! The library's errors in GraphQL's words: a code of a closed list, and nothing of what is inside.
use crate::error::Error;
use async_graphql::{ErrorExtensionValues, ErrorExtensions};
use std::sync::Arc;

/// What a resolver answers. Its error is not [`Error`], which async-graphql would put into words by itself.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error as a client may see it.
#[derive(Clone, Debug)]
pub struct Failure(async_graphql::Error);

impl Failure {
    /// Input that is wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new("BAD_USER_INPUT", message)
    }

    fn new(code: &'static str, message: impl Into<String>) -> Self {
        let set = |_: &async_graphql::Error, values: &mut ErrorExtensionValues| values.set("code", code);
        Self(async_graphql::Error::new(message).extend_with(set))
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match error {
            Error::Input(_) => Self::input(error.to_string()),
            Error::Cursor(message) => Self::new("INVALID_CURSOR", *message),
            Error::PageTooLarge { .. } => Self::new("PAGE_TOO_LARGE", error.to_string()),
            Error::Forbidden(message) => Self::new("FORBIDDEN", message),
            Error::NotFound(message) => Self::new("NOT_FOUND", message),
            Error::Conflict(message) | Error::Stale(message) => Self::new("CONFLICT", message),
            Error::Contention => Self::new("CONFLICT", error.to_string()),
            Error::Expired(message) => Self::new("RESUME_EXPIRED", *message),
            Error::Timeout => Self::new("TIMEOUT", error.to_string()),
            Error::Database(_) | Error::Key(_) | Error::Internal(_) => {
                // The span of the request carries its id, which the answer's header names too.
                tracing::error!("{error}");
                Self::new("INTERNAL_SERVER_ERROR", "the server failed; its log tells more under the request's id")
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<Arc<Error>> for Failure {
    fn from(error: Arc<Error>) -> Self {
        Self::from(&*error)
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// `ignore_case` as clients write it.
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}
