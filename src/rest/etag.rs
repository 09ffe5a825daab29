//! Entity tags: of an object `W/"<last_updated>.<hash of the body>"`, of a list `W/"<revision>.<hash of the question>"`.
//!
//! `If-Match` compares the first half, so that another selection of fields does not make a change look stale;
//! `If-None-Match` compares the whole.
use super::error::{Refusal, Result};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

/// A tag of these halves.
pub fn tag(version: &str, hashed: &[u8]) -> String {
    format!("W/\"{version}.{}\"", hash(hashed))
}

/// The first 16 hexadecimal digits of a digest.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The tag as a header's value.
pub fn header_value(tag: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(tag).ok()
}

/// Whether the client has this already.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    tags(headers, header::IF_NONE_MATCH).any(|given| given == "*" || opaque(given) == opaque(tag))
}

/// Whether the client asks for a version, and if so whether it is this one; `*` is any.
pub fn must_match(headers: &HeaderMap, version: &str) -> Result<bool> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(false);
    }
    let mut given = tags(headers, header::IF_MATCH).peekable();
    if given.peek() == Some(&"*") {
        return Ok(false);
    }
    // Behind the last point lies the hash; a version may hold points itself.
    let first =
        |tag: &str| opaque(tag).rsplit_once('.').map_or_else(|| opaque(tag).to_owned(), |(first, _)| first.to_owned());
    if given.any(|tag| first(tag) == version) {
        return Ok(true);
    }
    let message = "The object was changed since (If-Match does not match its ETag).";
    Err(Refusal::detail(StatusCode::PRECONDITION_FAILED, message))
}

fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}

/// What stands between the quotes.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_compared_as_each_header_wants() {
        let version = "2026-04-02T01:00:00.001000Z";
        let current = tag(version, b"body");
        let with = |name: HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header"));
            headers
        };
        let other = tag(version, b"another body");
        for (given, known, matches) in [
            (current.as_str(), true, Some(true)),
            (current.trim_start_matches("W/"), true, Some(true)),
            (other.as_str(), false, Some(true)),
            ("*", true, Some(false)),
            ("W/\"2026-04-02T01:00:00Z.0\"", false, None),
            (&format!("\"x\", {current}"), true, Some(true)),
            ("nonsense", false, None),
        ] {
            assert_eq!(is_known(&with(header::IF_NONE_MATCH, given), &current), known, "{given}");
            assert_eq!(must_match(&with(header::IF_MATCH, given), version).ok(), matches, "{given}");
        }
        assert_eq!(must_match(&HeaderMap::new(), version).ok(), Some(false));
    }
}
