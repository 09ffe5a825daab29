//! From an answer to its JSON, or to the class of what went wrong.
use crate::client::body::{self, excerpt, is_json};
use crate::client::failure::{Class, Failure};
use crate::client::wire::{Answer, Broken};
use serde_json::Value;

/// The longest pause that a server may ask for, in seconds; when it wants more, it is left alone.
const LONGEST_PAUSE: u32 = 5;
/// What words about a token have in them: NetBox answers 403 to a bad one, as to a missing permission.
const TOKEN_WORDS: [&str; 5] = ["token", "source ip", "credentials", "authentication", "user inactive"];

/// What was asked.
pub(super) struct Place<'a> {
    /// Below the base.
    pub route: &'a str,
    /// It was asked over HTTP without TLS.
    pub plain: bool,
}

/// The JSON of an answer that worked; none if there is no such route.
pub(super) fn value(answer: &Answer, place: &Place<'_>) -> Result<Option<Value>, Broken> {
    match answer.status {
        200 => body::value(answer, Class::NotNetBox).map(Some).map_err(Broken::for_good),
        404 => Ok(None),
        _ => Err(refused(answer, place)),
    }
}

/// What an answer that is none means, and whether another attempt may do better.
fn refused(answer: &Answer, place: &Place<'_>) -> Broken {
    let words = words(answer);
    let told = |class, message: String| Failure::new(class, message).with_status(answer.status);
    let said = || format!("{} {words}", answer.status);
    match answer.status {
        401 => Broken::for_good(told(Class::Auth, format!("the token is refused: {words}"))),
        403 => Broken::for_good(forbidden(answer, &words, place.route)),
        300..=399 => Broken::for_good(body::redirected(answer, place.plain, Class::NotNetBox)),
        429 | 500.. => busy(told(Class::Degraded, said()), answer.retry_after),
        _ => Broken::for_good(told(Class::Protocol, said())),
    }
}

/// The token is bad, or good and lacks a permission, or somebody else on the way refuses.
fn forbidden(answer: &Answer, words: &str, route: &str) -> Failure {
    let lower = words.to_lowercase();
    let (class, message) = if detail(answer).is_none() {
        (Class::NotNetBox, format!("403 by something that is not NetBox: {}", excerpt(answer)))
    } else if TOKEN_WORDS.iter().any(|word| lower.contains(word)) {
        (Class::Auth, format!("the token is refused: {words}"))
    } else {
        let path = format!("/{route}");
        let message = format!("the token may not see {path}: {words}");
        (Class::Permission { path, privilege: String::new() }, message)
    };
    Failure::new(class, message).with_status(403)
}

/// It may do better after a pause, unless it wants a long one.
fn busy(failure: Failure, pause: Option<u32>) -> Broken {
    match pause {
        Some(pause) if pause > LONGEST_PAUSE => Broken::for_good(failure),
        Some(pause) => Broken { pause, ..Broken::for_now(failure) },
        None => Broken::for_now(failure),
    }
}

/// What NetBox says of an error.
fn detail(answer: &Answer) -> Option<String> {
    let body = is_json(answer).then(|| serde_json::from_slice::<Value>(&answer.body).ok()).flatten()?;
    let text = ["detail", "error"].iter().find_map(|key| body.get(key).and_then(Value::as_str));
    match text.map(str::trim) {
        Some(text) if !text.is_empty() => Some(text.to_owned()),
        // Of wrong parameters it says which.
        _ => body.as_object().filter(|body| !body.is_empty()).map(|_| body.to_string()),
    }
}

/// The words of an error: NetBox' own, or those of the status.
fn words(answer: &Answer) -> String {
    let status = || if answer.reason.is_empty() { "no reason given".into() } else { answer.reason.clone() };
    detail(answer).unwrap_or_else(status)
}
