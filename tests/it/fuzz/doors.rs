//! What stands in requests: the query strings of REST's lists, GraphQL texts, and the header with the token.
use super::{Verdict, attack};
use crate::property::same;
use crate::support::{ADMIN, Answer, Server, TestDb, both};
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, header};
use proptest::prelude::TestCaseError;
use serde_json::Value;
use std::fmt::Write;

both!(query_strings, tokens);

/// REST's lists; the first byte of an input says which.
const LISTS: [&str; 8] = [
    "plugins/proxbox/storage",
    "plugins/proxbox/nodes",
    "plugins/proxbox/clusters",
    "plugins/proxbox/endpoints/proxmox",
    "plugins/proxbox/sync-runs",
    "dcim/devices",
    "virtualization/clusters",
    "extras/tags",
];

async fn get(server: &Server, uri: &str, authorization: HeaderValue) -> Answer {
    let request = Request::builder().method(Method::GET).uri(uri).header(header::HOST, "x");
    server.send(request.header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap()).await
}

/// A query string that a server of HTTP lets through.
fn query(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'#' | b'"' | b'<' | b'>' | b'`' => write!(text, "%{byte:02X}").unwrap(),
            b'!'..=b'~' => text.push(char::from(*byte)),
            _ => write!(text, "%{byte:02X}").unwrap(),
        }
    }
    text
}

async fn query_strings(db: TestDb) {
    let server = db.server().await;
    let admin = HeaderValue::from_str(&format!("Token {ADMIN}")).unwrap();
    attack("query-string", 300, async |bytes| {
        let (list, bytes) = bytes.split_first().map_or((0, &[][..]), |(first, rest)| (usize::from(*first), rest));
        let uri = format!("/api/{}/?{}", LISTS[list % LISTS.len()], query(bytes));
        // Longer ones do not pass the limit on headers of a real connection.
        if uri.len() > 60_000 {
            return Ok(());
        }
        let answer = get(&server, &uri, admin.clone()).await;
        let told = format!("{uri}: {} {}", answer.status, String::from_utf8_lossy(&answer.bytes));
        let body = serde_json::from_slice::<Value>(&answer.bytes);
        match (answer.status.as_u16(), body) {
            (200, Ok(body)) => same(&told, body["results"].is_array(), true),
            (400 | 404 | 413 | 414, Ok(body)) => same(&told, body.is_object() || body.is_array(), true),
            _ => Err(TestCaseError::fail(told)),
        }
    });
}

/// Who gets in has sent a token that there is, after a word that is known.
async fn tokens(db: TestDb) {
    let server = db.server().await;
    let seed: Value = serde_json::from_str(crate::support::SEED).unwrap();
    let known = seed["tokens"].as_array().unwrap().iter().filter_map(|token| token["value"].as_str());
    let known = known.collect::<Vec<_>>();
    attack("token", 300, async |bytes| {
        let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
        let words = value.to_str().unwrap_or_default().split_ascii_whitespace().collect::<Vec<_>>();
        let good = matches!(words[..], [word, token] if known.contains(&token)
            && ["token", "bearer"].contains(&word.to_ascii_lowercase().as_str()));
        let answer = get(&server, "/api/status/", value.clone()).await;
        let told = format!("{value:?}: {} {}", answer.status, String::from_utf8_lossy(&answer.bytes));
        match answer.status.as_u16() {
            200 => same(&told, good, true),
            403 => told_nothing(&answer, &words),
            _ => Err(TestCaseError::fail(told)),
        }
    });
}

/// A refusal does not repeat what was sent.
fn told_nothing(answer: &Answer, words: &[&str]) -> Verdict {
    let text = String::from_utf8_lossy(&answer.bytes);
    let told = words.iter().skip(1).find(|word| word.len() > 20 && text.contains(**word));
    same(&text, told, None)
}
