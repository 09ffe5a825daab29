//! What an answer holds, and how it is shown when it is not what was asked for.
use super::failure::{Class, Failure, line};
use super::wire::Answer;
use serde_json::Value;

/// The most characters of somebody else's page in a message.
const EXCERPT: usize = 200;
/// The most values in an answer: `{}` takes many times its text in memory.
const MOST_VALUES: usize = 1_000_000;

/// The JSON of an answer. One that is something else has the class `stranger`.
pub(super) fn value(answer: &Answer, stranger: Class) -> Result<Value, Failure> {
    let told = |class, message: &str| Failure::new(class, message).with_status(answer.status);
    if !is_json(answer) {
        return Err(told(stranger, &format!("the answer is no JSON, but {}", excerpt(answer))));
    }
    let values = answer.body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if values > MOST_VALUES {
        return Err(told(Class::Protocol, &format!("the answer has more than {MOST_VALUES} values")));
    }
    serde_json::from_slice::<Value>(&answer.body).map_err(|error| match answer.content_type.as_str() {
        "" => told(stranger, &format!("the answer is no JSON, but {}", excerpt(answer))),
        _ => told(Class::Protocol, &format!("the answer is no JSON ({error}): {}", excerpt(answer))),
    })
}

/// An answer without a content type may be JSON; Proxmox and NetBox always give one.
pub(super) fn is_json(answer: &Answer) -> bool {
    let media = answer.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media.is_empty() || media == "application/json"
}

/// The start of what came instead.
pub(super) fn excerpt(answer: &Answer) -> String {
    let start = &answer.body[..answer.body.len().min(4 * EXCERPT)];
    let media = if answer.content_type.is_empty() { "something" } else { &answer.content_type };
    format!("{}: {}", line(media, 60), line(&String::from_utf8_lossy(start), EXCERPT))
}

/// Redirects are not followed: they would carry the credentials elsewhere. `plain`: asked over HTTP without TLS.
pub(super) fn redirected(answer: &Answer, plain: bool, stranger: Class) -> Failure {
    let to = answer.location.as_deref().unwrap_or("nowhere");
    let failure = match plain && to.starts_with("https:") {
        true => Failure::new(Class::Protocol, "the server wants https: use https, not http"),
        false => Failure::new(stranger, format!("{} to {}, which is not followed", answer.status, line(to, EXCERPT))),
    };
    failure.with_status(answer.status)
}

/// Whether there is NUL anywhere, in keys too.
pub(super) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(object) => object.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_is_found_anywhere() {
        assert!(has_nul(&json!({"a": [{"b\0": 1}]})) && has_nul(&json!(["x\0"])) && !has_nul(&json!({"a": "b"})));
    }
}
