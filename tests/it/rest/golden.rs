//! The plugin's behaviour as it was recorded, case by case, on the rows it was recorded on.
use super::Call;
use super::openapi::{document, tells_of};
use crate::support::{Answer, Pristine, Server, TestDb, both};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::path::Path;

/// At least so many cases there are, so that none gets lost; of them so many write.
const CASES: usize = 1_712;
const WRITING: usize = 548;

/// A case: a request and what came of it, and what was asked then.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub id: String,
    pub request: Recorded,
    response: Value,
    /// Only cases that are about writing have these.
    followups: Option<Vec<Part>>,
    /// Keys whose values are of the moment.
    #[serde(default)]
    volatile: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Part {
    request: Recorded,
    response: Value,
}

/// A request; of its body the text matters, down to the digits of numbers.
#[derive(Debug, Deserialize)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    headers: Map<String, Value>,
    body: Option<Box<RawValue>>,
    /// A body that is no JSON.
    body_raw: Option<String>,
}

/// The tokens of the cases by the names that stand for them.
pub fn tokens() -> Map<String, Value> {
    serde_json::from_str(include_str!("../../data/tokens.json")).unwrap()
}

/// All cases, in the order of their files.
pub fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden");
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        cases.extend(text.lines().map(read));
    }
    cases
}

impl Case {
    /// Whether it needs rows of its own. Who is refused before anything is looked at does not.
    pub fn writes(&self) -> bool {
        self.followups.as_ref().is_some_and(|followups| self.response["status"] != 403 || !followups.is_empty())
    }

    /// Asks what it asks, one request after the other; tells what is wrong.
    pub async fn run(&self, server: &Server, tokens: &Map<String, Value>, document: &Value) -> Option<String> {
        let followups = self.followups.iter().flatten().map(|part| (&part.request, &part.response));
        for (request, response) in std::iter::once((&self.request, &self.response)).chain(followups) {
            let answer = request.call(tokens).send(server).await;
            let told = |why: &str| Some(format!("{}: {} {}: {why}", self.id, request.method, request.path));
            if let Some(why) = difference(&answer, response, &self.volatile) {
                return told(&why);
            }
            if !tells_of(document, &request.method, &request.path, answer.status.as_u16()) {
                return told(&format!("{} is not documented", answer.status));
            }
        }
        None
    }
}

impl Recorded {
    /// The request from the machine that the tokens of the recording were restricted to.
    pub fn call(&self, tokens: &Map<String, Value>) -> Call {
        let mut call = Call::raw(&self.method, &self.path).from("127.0.0.1");
        for (name, value) in &self.headers {
            let value = value.as_str().unwrap();
            call = call.with(name, tokens.get(value).and_then(Value::as_str).unwrap_or(value));
        }
        match (&self.body_raw, &self.body) {
            (Some(raw), _) => call.bytes(raw.as_str()),
            (None, Some(body)) => call.bytes(body.get()),
            (None, None) => call,
        }
    }
}

/// What is wrong with an answer; nothing when it is the recorded one.
fn difference(answer: &Answer, wanted: &Value, volatile: &[String]) -> Option<String> {
    let body = match answer.bytes.as_slice() {
        [] => Value::Null,
        bytes => serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into()),
    };
    if wanted["status"] != answer.status.as_u16() {
        return Some(format!("status {}, wanted {}: {body}", answer.status.as_u16(), wanted["status"]));
    }
    for (name, value) in wanted["headers"].as_object().unwrap() {
        let given = answer.headers.get(name).map(|given| given.to_str().unwrap());
        if given != value.as_str() {
            return Some(format!("{name} {given:?}, wanted {value}"));
        }
    }
    let expected = wanted.get("body").cloned().unwrap_or_default();
    let fits = match wanted["compare"].as_str().unwrap() {
        "body" => same(&stripped(&body, volatile), &stripped(&expected, volatile)),
        "keys" => same_shape(&body, &expected),
        "status" => true,
        other => return Some(format!("cannot compare by {other}")),
    };
    (!fits).then(|| format!("body {body}, wanted {expected}"))
}

/// The value without what differs from one run to the next.
fn stripped(value: &Value, volatile: &[String]) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, _)| !volatile.contains(*key));
            Value::Object(kept.map(|(key, value)| (key.clone(), stripped(value, volatile))).collect())
        }
        Value::Array(list) => list.iter().map(|value| stripped(value, volatile)).collect(),
        other => other.clone(),
    }
}

/// Equality of JSON, whatever the order of keys; numbers may differ in the last digits.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (near, far) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let whole = a.as_i64().zip(b.as_i64());
            whole.map_or((near - far).abs() <= 1e-9 * near.abs().max(far.abs()), |(a, b)| a == b)
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

/// Whether an error tells of the same places.
fn same_shape(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.keys().all(|key| b.contains_key(key)),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len(),
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// Tells of all that failed at once.
pub fn report(failed: &[String], ran: usize, expected: usize) {
    assert!(ran >= expected, "{ran} cases ran");
    let mut text = String::new();
    failed.iter().for_each(|why| writeln!(text, "{}", why.chars().take(900).collect::<String>()).unwrap());
    assert!(failed.is_empty(), "{} of {ran} cases failed:\n{text}", failed.len());
}

async fn reading(db: TestDb) {
    let (server, tokens, cases) = (db.server().await, tokens(), cases());
    let document = document(&server).await;
    let asked = cases.iter().filter(|case| !case.writes()).map(|case| case.run(&server, &tokens, &document));
    let told = stream::iter(asked).buffered(8).collect::<Vec<_>>().await;
    report(&told.iter().flatten().cloned().collect::<Vec<_>>(), told.len(), CASES - WRITING);
}

async fn writing(db: TestDb) {
    let (server, tokens) = (db.server().await, tokens());
    let document = document(&server).await;
    let pristine = Pristine::keep(&server.app.db).await;
    let (mut ran, mut failed) = (0, Vec::new());
    for case in cases().iter().filter(|case| case.writes()) {
        ran += 1;
        failed.extend(case.run(&server, &tokens, &document).await);
        pristine.restore().await;
    }
    report(&failed, ran, WRITING);
}

/// The comparison itself must find what differs.
#[test]
fn differences_are_found() {
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::json;
    let answer = |body: Value| Answer {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([("location".parse().unwrap(), "/x/".parse().unwrap())]),
        bytes: body.to_string().into_bytes(),
    };
    let wanted = |compare: &str, headers: Value, body: Value| json!({"status": 200, "compare": compare, "headers": headers, "body": body});
    let found = |body: Value, wanted: Value| difference(&answer(body), &wanted, &["created".to_owned()]).is_some();
    for (given, compare, expected, differs) in [
        (json!({"a": 1, "b": [1.0]}), "body", json!({"b": [1], "a": 1.0}), false),
        (json!({"a": 0.1}), "body", json!({"a": 0.100_000_000_000_01}), false),
        (json!({"a": 0.1}), "body", json!({"a": 0.100_001}), true),
        (json!({"a": 9_007_199_254_740_993_i64}), "body", json!({"a": 9_007_199_254_740_992_i64}), true),
        (json!({"a": 1, "created": 1}), "body", json!({"a": 1}), false),
        (json!({"a": [{"created": 1, "b": 2}]}), "body", json!({"a": [{"created": 2, "b": 3}]}), true),
        (json!({"a": 1}), "body", json!({"a": 1, "b": null}), true),
        (json!({"a": null}), "body", json!({"a": false}), true),
        (json!({"a": "1"}), "body", json!({"a": 1}), true),
        (json!([1, 2]), "body", json!([2, 1]), true),
        (json!({"a": ["x"]}), "keys", json!({"a": ["y"]}), false),
        (json!({"a": 1}), "keys", json!({"b": 1}), true),
        (json!([{}]), "keys", json!([{}, {}]), true),
        (json!({"a": 1}), "status", json!(null), false),
    ] {
        let expected = wanted(compare, json!({}), expected);
        assert_eq!(found(given.clone(), expected.clone()), differs, "{given} {expected}");
    }
    assert!(!found(json!(1), wanted("status", json!({"Location": "/x/"}), json!(null))));
    assert!(found(json!(1), wanted("status", json!({"Location": "/y/"}), json!(null))));
    assert!(found(json!(1), wanted("status", json!({"ETag": "/y/"}), json!(null))));
    let mut other = wanted("status", json!({}), json!(null));
    other["status"] = json!(201);
    assert!(found(json!(1), other));
}

both!(reading, writing);
