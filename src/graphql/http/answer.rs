//! What a request gets: statuses, media types, and refusals before execution.
use async_graphql::{ServerError, Value};
use async_graphql_parser::Pos;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::super::limits::{Cost, Refusal};
use super::super::report::coded;
use super::negotiate::{MediaType, media_type};

/// How far a request came.
#[derive(Clone, Copy)]
pub(super) enum Stage {
    /// It is no GraphQL request, or came to its end for reasons that are HTTP's.
    Http(StatusCode),
    /// It is one, but was refused before execution.
    Refused,
    /// Its execution began.
    Executed,
}

/// The one place that decides about statuses: the specification is still moving.
fn status(stage: Stage, media: MediaType) -> StatusCode {
    match (stage, media) {
        (Stage::Http(status), _) => status,
        (Stage::Refused, MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (Stage::Refused, MediaType::Json) | (Stage::Executed, _) => StatusCode::OK,
    }
}

/// Why there is no execution to tell about.
pub(super) struct Refused {
    stage: Stage,
    errors: Vec<ServerError>,
    allow: Option<&'static str>,
}

impl Refused {
    pub(super) fn http(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { stage: Stage::Http(status), errors: vec![coded(code, message, None)], allow: None }
    }

    /// Not a GraphQL request.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::http(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    }

    pub(super) fn method(allow: &'static str, message: &str) -> Self {
        let refused = Self::http(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        Self { allow: Some(allow), ..refused }
    }

    pub(super) fn request(errors: Vec<ServerError>) -> Self {
        Self { stage: Stage::Refused, errors: gathered(errors), allow: None }
    }

    pub(super) fn operation(message: impl Into<String>) -> Self {
        Self::request(vec![coded("OPERATION_RESOLUTION_FAILURE", message, None)])
    }

    pub(super) fn into_response(self, headers: &HeaderMap, cost: Option<Cost>) -> Response {
        let body = Answer { data: None, errors: &self.errors, extensions: cost.map(|cost| Extensions { cost }) };
        let mut response = reply(media_or_json(headers), self.stage, &body);
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let pos = match refusal {
            Refusal::UnterminatedString { line, column } => Some(Pos { line, column }),
            _ => None,
        };
        Self::request(vec![coded(refusal.code(), refusal.to_string(), pos)])
    }
}

/// Errors of the same words are one with several places, and no more is told than helps: a short text that is wrong in
/// many places must not make a long answer.
fn gathered(errors: Vec<ServerError>) -> Vec<ServerError> {
    const MOST: usize = 20;
    const LONGEST: usize = 500;
    let mut told: Vec<ServerError> = Vec::new();
    for mut error in errors {
        if let Some((end, _)) = error.message.char_indices().nth(LONGEST) {
            error.message.truncate(end);
            error.message.push('…');
        }
        let is_same = |one: &ServerError| one.message == error.message && one.extensions == error.extensions;
        match told.iter().position(is_same) {
            Some(at) => told[at].locations.extend(error.locations),
            None if told.len() < MOST => told.push(error),
            None => {}
        }
    }
    told.iter_mut().for_each(|one| one.locations.truncate(MOST));
    told
}

/// The body of an answer.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    /// Absent, rather than null, if nothing was executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extensions: Option<Extensions>,
}

/// What is told besides, on request.
#[derive(Serialize)]
pub(super) struct Extensions {
    pub(super) cost: Cost,
}

/// The media type of the answer. A client who takes neither gets JSON: it is told so in it.
pub(super) fn media_or_json(headers: &HeaderMap) -> MediaType {
    media_type(headers).unwrap_or(MediaType::Json)
}

pub(super) fn reply(media: MediaType, stage: Stage, body: &Answer<'_>) -> Response {
    let told_cost = body.extensions.is_some();
    let (status, body) = match serde_json::to_vec(body) {
        Ok(body) => (status(stage, media), body),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            let body =
                r#"{"errors":[{"message":"Internal server error.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, body.as_bytes().to_vec())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media.content_type());
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    if told_cost {
        headers.insert("preference-applied", HeaderValue::from_static("cost"));
    }
    response
}
