//! Bodies of requests on their way in: read whole, within their limits. Why one is cut off is told here; the doors word
//! the answer in their own form.
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use std::error::Error as StdError;
use std::time::Duration;
use thiserror::Error;

/// Why a body is not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Cut {
    #[error("Nothing came of the body for {} s.", .0.as_secs_f32())]
    Idle(Duration),
    #[error("The body did not arrive within {} s.", .0.as_secs_f32())]
    Late(Duration),
    #[error("The body is longer than {0} bytes.")]
    TooLong(usize),
    #[error("The server has too much to do; try again soon.")]
    Overloaded,
    /// The client went away, or what it sent is not in the encoding that it names.
    #[error("The body could not be read to its end.")]
    Broken,
}

impl Cut {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Idle(_) | Self::Late(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    /// The reason among the causes of an error, which has passed through whatever decoded the body.
    fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(cut) = error.downcast_ref::<Self>() {
                return *cut;
            }
            let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
        }
        Self::Broken
    }
}

/// The bytes of a body, of which at most `limit` are held. One that says that it is longer is not read at all.
///
/// # Errors
/// If the body is cut off, for whatever reason.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Cut> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| said > limit as u64) {
        return Err(Cut::TooLong(limit));
    }
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Cut::of(&error))?;
        if chunk.len() > limit - bytes.len() {
            return Err(Cut::TooLong(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
