#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use async_graphql::{
    Context, Enum, Error, InputValueError, InputValueResult, Object, Result, Scalar, ScalarType, SimpleObject,
    Subscription,
};
use axum::http::header::ACCEPT;
use futures_util::stream;
use serde_json::json;

use async_graphql::Value;
use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use futures_util::StreamExt;
use serde_json::Value as Json;

use super::super::report::{Report, coded};
use super::negotiate::MediaType;
use super::*;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
const CLIENT: Client<'_> = Client { request_id: "r-1", may_introspect: true };

type Api = Transport<Schema<QueryRoot, MutationRoot, SubscriptionRoot>>;

struct QueryRoot;
struct MutationRoot;
struct SubscriptionRoot;
struct Counter(AtomicI32);
struct Greeting(&'static str);
struct Row(i32);

/// Even numbers only; other values fail while executing, as of any scalar without `is_valid`.
struct Even(i64);

#[Scalar]
impl ScalarType for Even {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(n) if n.as_i64().is_some_and(|n| n % 2 == 0) => Ok(Self(n.as_i64().unwrap_or_default())),
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        self.0.into()
    }
}

#[derive(Clone, Copy, Enum, Eq, PartialEq)]
enum Color {
    Red,
}

#[derive(SimpleObject)]
struct Wrapper {
    rows: Vec<Row>,
}

fn not_found() -> Error {
    let coded = coded("NOT_FOUND", "gone", None);
    Error { message: coded.message, source: None, extensions: coded.extensions }
}

#[Object]
impl Row {
    async fn id(&self) -> i32 {
        self.0
    }
    /// Fails for 1.
    async fn maybe(&self) -> Result<Option<i32>> {
        if self.0 == 1 { Err(not_found()) } else { Ok(Some(self.0)) }
    }
    /// Fails for 1.
    async fn sure(&self) -> Result<i32> {
        if self.0 == 1 { Err(not_found()) } else { Ok(self.0) }
    }
    async fn rows(&self) -> Option<Vec<Row>> {
        Some(vec![Row(0), Row(1)])
    }
}

#[Object]
impl QueryRoot {
    async fn hello(&self, ctx: &Context<'_>) -> &'static str {
        ctx.data_opt::<Greeting>().map_or("world", |greeting| greeting.0)
    }
    async fn echo(&self, n: i32, s: Option<String>) -> String {
        format!("{n} {s:?}")
    }
    async fn even(&self, n: Even) -> Option<Even> {
        Some(n)
    }
    async fn color(&self, color: Option<Color>) -> bool {
        color.is_some()
    }
    async fn sleep(&self) -> bool {
        tokio::time::sleep(Duration::from_secs(60)).await;
        true
    }
    async fn rows(&self) -> Vec<Row> {
        vec![Row(0), Row(1)]
    }
    async fn gaps(&self) -> Vec<Option<Row>> {
        vec![Some(Row(0)), Some(Row(1))]
    }
    async fn wrapped(&self) -> Option<Wrapper> {
        Some(Wrapper { rows: vec![Row(1)] })
    }
    async fn sure(&self) -> Result<i32> {
        Err(not_found())
    }
    async fn leaky(&self) -> Result<Option<i32>> {
        Err(Error::new("SELECT * FROM secret"))
    }
    async fn inner(&self) -> Option<Result<i32>> {
        Some(Err("Unknown operation named SELECT".into()))
    }
}

#[Object]
impl MutationRoot {
    async fn bump(&self, ctx: &Context<'_>) -> Result<i32> {
        self.add(ctx, 1).await
    }
    async fn add(&self, ctx: &Context<'_>, by: i32) -> Result<i32> {
        Ok(ctx.data::<Arc<Counter>>()?.0.fetch_add(by, Ordering::SeqCst) + by)
    }
}

#[Subscription]
impl SubscriptionRoot {
    async fn tick(&self) -> impl stream::Stream<Item = i32> {
        stream::iter([1])
    }
}

fn transport(limits: Limits, timeout: Duration, body_limit: usize) -> (Api, Arc<Counter>) {
    let counter = Arc::new(Counter(AtomicI32::new(0)));
    let schema = Schema::build(QueryRoot, MutationRoot, SubscriptionRoot)
        .limit_directives(3)
        .data(counter.clone())
        .extension(Report)
        .finish();
    (Transport::new(schema, limits, timeout, body_limit).unwrap(), counter)
}

fn api() -> Api {
    transport(Limits::default(), Duration::from_secs(10), 100_000).0
}

/// An answer, read.
#[derive(Debug)]
struct Read {
    status: u16,
    headers: HeaderMap,
    body: Json,
}

impl Read {
    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
    fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or_default()
    }
    fn data(&self) -> &Json {
        assert!(self.body.get("errors").is_none(), "{self:?}");
        &self.body["data"]
    }
}

async fn read_answer(response: Response) -> Read {
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers[VARY], "Accept");
    assert!(parts.headers[CONTENT_TYPE].to_str().unwrap().ends_with("; charset=utf-8"));
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    Read { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn send(api: &Api, request: axum::http::request::Builder, body: impl Into<Body>) -> Read {
    let request = request.body(body.into()).unwrap();
    read_answer(answer(api, request, CLIENT, |request| request).await).await
}

fn to(method: Method, uri: &str) -> axum::http::request::Builder {
    axum::http::Request::builder().method(method).uri(uri)
}

async fn post(api: &Api, accept: &str, body: &Json) -> Read {
    let request = to(Method::POST, "/graphql").header(CONTENT_TYPE, JSON).header(ACCEPT, accept);
    let read = send(api, request, body.to_string()).await;
    assert!(read.headers[CONTENT_TYPE].to_str().unwrap().starts_with(accept), "{read:?}");
    read
}

async fn run(api: &Api, query: &str) -> Json {
    let read = post(api, GRAPHQL, &json!({ "query": query })).await;
    assert_eq!(read.status, 200, "{read:?}");
    read.body
}

async fn get(api: &Api, uri: &str) -> Read {
    send(api, to(Method::GET, uri).header(ACCEPT, GRAPHQL), "").await
}

/// Sends it with both media types: 400 and 200, never data.
async fn refused(api: &Api, body: Json) -> Read {
    let json = post(api, JSON, &body).await;
    let graphql = post(api, GRAPHQL, &body).await;
    assert_eq!((json.status, graphql.status), (200, 400), "{body} {json:?}");
    assert_eq!(json.body, graphql.body);
    assert!(json.body.get("data").is_none(), "{json:?}");
    graphql
}

#[tokio::test]
async fn executes() {
    let api = api();
    for accept in [JSON, GRAPHQL] {
        let read = post(&api, accept, &json!({ "query": "{ hello a: echo(n: 1) }" })).await;
        assert_eq!(read.status, 200);
        assert_eq!(read.body, json!({ "data": { "hello": "world", "a": "1 None" } }));
    }
    let body = json!({
        "query": "query A { hello } query B($n: Int!, $s: String) { echo(n: $n, s: $s) }",
        "operationName": "B", "variables": { "n": 7, "extra": 1 }, "extensions": { "any": "thing" },
    });
    assert_eq!(post(&api, JSON, &body).await.data(), &json!({ "echo": "7 None" }));
    for name in ["operationName", "variables", "extensions"] {
        let body = json!({ "query": "{ hello }", name: null });
        assert_eq!(post(&api, GRAPHQL, &body).await.data(), &json!({ "hello": "world" }));
    }
    assert_eq!(run(&api, "mutation { a: bump b: bump }").await, json!({ "data": { "a": 1, "b": 2 } }));
    let read = post(&api, JSON, &json!({ "query": "{ hello }", "operationName": "" })).await;
    assert_eq!(read.data(), &json!({ "hello": "world" }));
}

#[tokio::test]
async fn prepares() {
    let request = to(Method::POST, "/").header(CONTENT_TYPE, JSON).body(r#"{"query":"{hello}"}"#.into()).unwrap();
    let response = answer(&api(), request, CLIENT, |request| request.data(Greeting("you"))).await;
    assert_eq!(read_answer(response).await.data(), &json!({ "hello": "you" }));
}

#[tokio::test]
async fn get_requests() {
    let api = api();
    let read = get(&api, "/graphql?query=%7B+hello%20%7D&other=1&other=2").await;
    assert_eq!((read.status, read.data()), (200, &json!({ "hello": "world" })));
    let uri = "/?query=query%20A{hello}query%20B($s:String){echo(n:1,s:$s)}&operationName=B&variables=%7B%22s%22%3A%22a%2Bb%20%C3%A9%22%7D&extensions={}";
    let uri = uri.replace('{', "%7B").replace('}', "%7D");
    assert_eq!(get(&api, &uri).await.data(), &json!({ "echo": "1 Some(\"a+b é\")" }));
    let read = get(&api, "/?query=%7Bhello%7D&operationName=&variables=&extensions=null").await;
    assert_eq!(read.data(), &json!({ "hello": "world" }));
    for query in ["mutation+%7Bbump%7D", "subscription+%7Btick%7D"] {
        let read = get(&api, &format!("/?query={query}")).await;
        assert_eq!(
            (read.status, read.code(), &read.headers[ALLOW]),
            (405, "METHOD_NOT_ALLOWED", &"POST".parse().unwrap())
        );
        assert!(read.body.get("data").is_none());
    }
    let read = get(&api, "/?query=query+A+%7Bhello%7D+mutation+B+%7Bbump%7D&operationName=A").await;
    assert_eq!(read.status, 200);
    for uri in [
        "/",
        "/?query",
        "/?operationName=A",
        "/?query=%7Bhello%7D&query=%7Bhello%7D",
        "/?query=%7Bhello%7D&variables=null&variables=null",
        "/?query=%7Bhello%7D&variables=nonsense",
        "/?query=%7Bhello%7D&variables=%5B%5D",
        "/?query=%7Bhello%7D&extensions=1",
    ] {
        let read = get(&api, uri).await;
        assert_eq!((read.status, read.body.get("data")), (400, None), "{uri} {read:?}");
    }
}

#[tokio::test]
async fn methods_and_media_types() {
    let api = api();
    for method in [Method::PUT, Method::HEAD, Method::OPTIONS, Method::DELETE, Method::PATCH] {
        let read = send(&api, to(method, "/?query=%7Bhello%7D"), "").await;
        assert_eq!((read.status, read.code()), (405, "METHOD_NOT_ALLOWED"));
        assert_eq!(read.headers[ALLOW], "GET, POST");
    }
    for accept in ["text/event-stream", "text/html", "application/json;q=0"] {
        let read = send(&api, to(Method::GET, "/?query=%7Bhello%7D").header(ACCEPT, accept), "").await;
        assert_eq!((read.status, read.code()), (406, "NOT_ACCEPTABLE"));
        assert_eq!(read.headers[CONTENT_TYPE], "application/json; charset=utf-8");
    }
    let body = r#"{"query":"{hello}"}"#;
    assert_eq!(send(&api, to(Method::POST, "/"), body).await.code(), "UNSUPPORTED_MEDIA_TYPE");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let read = send(&api, to(Method::POST, "/").header(CONTENT_TYPE, content_type), body).await;
        assert_eq!((read.status, read.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{content_type}");
    }
    let read = send(&api, to(Method::POST, "/").header(CONTENT_TYPE, "application/json; charset=UTF-8"), body).await;
    assert_eq!((read.status, read.data()), (200, &json!({ "hello": "world" })));
    let gzip = to(Method::POST, "/").header(CONTENT_TYPE, JSON).header(CONTENT_ENCODING, "gzip");
    assert_eq!(send(&api, gzip, body).await.status, 415);
}

#[tokio::test]
async fn malformed() {
    let api = api();
    let wrong = [json!("text"), json!(0), json!(false), json!(["array"])];
    let mut bodies = vec![
        String::new(),
        "{ \"not a JSON".into(),
        "null".into(),
        "1".into(),
        "[]".into(),
        r#"[{"query":"{hello}"}]"#.into(),
        "{}".into(),
        r#"{"query":null}"#.into(),
        r#"{"qeury":"{hello}"}"#.into(),
        r#"{"query":"{hello}"} x"#.into(),
        format!(r#"{{"query":"{{hello}}","variables":{{"a":{}{}}}}}"#, "[".repeat(200), "]".repeat(200)),
    ];
    for value in &wrong {
        for name in ["query", "operationName", "variables", "extensions"] {
            if !(value.is_string() && matches!(name, "query" | "operationName")) {
                let mut body = json!({ "query": "{ hello }" });
                body[name] = value.clone();
                bodies.push(body.to_string());
            }
        }
    }
    for accept in [JSON, GRAPHQL] {
        for body in &bodies {
            let request = to(Method::POST, "/").header(CONTENT_TYPE, JSON).header(ACCEPT, accept);
            let read = send(&api, request, body.clone()).await;
            assert_eq!((read.status, read.code()), (400, "BAD_USER_INPUT"), "{body}");
            assert!(read.body.get("data").is_none() && !read.message().is_empty());
            assert!(read.headers[CONTENT_TYPE].to_str().unwrap().starts_with(accept));
        }
    }
    let request = to(Method::POST, "/").header(CONTENT_TYPE, JSON);
    assert_eq!(send(&api, request, vec![b'"', 0xff, b'"']).await.status, 400);
}

#[tokio::test]
async fn body_limit() {
    let (api, _) = transport(Limits::default(), Duration::from_millis(50), 30);
    let request = || to(Method::POST, "/").header(CONTENT_TYPE, JSON);
    let exact = format!("{:30}", r#"{"query":"{hello}"}"#);
    assert_eq!(send(&api, request(), exact.clone()).await.status, 200);
    let read = send(&api, request(), exact.clone() + " ").await;
    assert_eq!((read.status, read.code()), (413, "BAD_USER_INPUT"));
    // Neither is read to its end, which would take for ever.
    let endless = || {
        let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>("          "));
        Body::from_stream(chunks.chain(stream::pending()))
    };
    assert_eq!(send(&api, request(), endless()).await.status, 413);
    let silent = || Body::from_stream(stream::pending::<std::result::Result<Bytes, std::io::Error>>());
    assert_eq!(send(&api, request().header(CONTENT_LENGTH, 31), silent()).await.status, 413);
    // Whoever watches the body says why it ends.
    for (cut, status, code) in [
        (Cut::Idle(Duration::from_secs(10)), 408, "TIMEOUT"),
        (Cut::Late(Duration::from_secs(30)), 408, "TIMEOUT"),
        (Cut::Overloaded, 503, "OVERLOADED"),
    ] {
        let body = Body::from_stream(stream::iter([Err::<Bytes, _>(cut)]));
        let read = send(&api, request(), body).await;
        assert_eq!((read.status, read.code()), (status, code));
    }
    let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]));
    assert_eq!(send(&api, request(), broken).await.status, 400);
}

#[tokio::test]
async fn refused_before_execution() {
    let api = api();
    for (query, code, line) in [
        ("{", "GRAPHQL_PARSE_FAILED", Some(1)),
        ("", "GRAPHQL_PARSE_FAILED", Some(1)),
        ("{ echo(n: 1, s: \"\"\"open) }", "GRAPHQL_PARSE_FAILED", Some(1)),
        ("query A { hello }\nquery A { hello }", "GRAPHQL_VALIDATION_FAILED", Some(2)),
        ("{ hello }\n{ hello }", "GRAPHQL_VALIDATION_FAILED", None),
        ("fragment F on QueryRoot { hello }", "OPERATION_RESOLUTION_FAILURE", None),
        ("{\n nope }", "GRAPHQL_VALIDATION_FAILED", Some(2)),
        ("{ __schema { nope } }", "GRAPHQL_VALIDATION_FAILED", Some(1)),
        ("{ echo }", "GRAPHQL_VALIDATION_FAILED", Some(1)),
        ("{ rows }", "GRAPHQL_VALIDATION_FAILED", Some(1)),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE", None),
        ("subscription { tick }", "OPERATION_RESOLUTION_FAILURE", None),
        (
            "{ hello @skip(if: false) @include(if: true) @skip(if: false) @include(if: true) }",
            "QUERY_TOO_COMPLEX",
            Some(1),
        ),
    ] {
        let read = refused(&api, json!({ "query": query })).await;
        assert_eq!(read.code(), code, "{query} {read:?}");
        if let Some(line) = line {
            assert_eq!(read.body["errors"][0]["locations"][0]["line"], line, "{query} {read:?}");
        }
    }
    for (query, name) in [("{ hello }", "A"), ("query A { hello } query B { hello }", "C")] {
        let read = refused(&api, json!({ "query": query, "operationName": name })).await;
        assert_eq!(read.code(), "OPERATION_RESOLUTION_FAILURE");
    }
    let read = refused(&api, json!({ "query": "{ hello( }" })).await;
    assert!(read.message().starts_with("Syntax error: expected ") && !read.message().contains('\n'), "{read:?}");
}

#[tokio::test]
async fn limits() {
    let api = api();
    let levels = |field: &str, n: usize| format!("{} id {}", format!("{{ {field} ").repeat(n), "}".repeat(n));
    let inline = format!("{{ {} hello {} }}", "... on QueryRoot { ".repeat(40), "}".repeat(40));
    let aliases: String = (0..31).map(|n| format!(" a{n}: id")).collect();
    for (query, code) in [
        (levels("rows", 13), "QUERY_TOO_DEEP"),
        (levels("rows", 101), "QUERY_TOO_DEEP"),
        // By the parser's limit and by the library's.
        (format!("{{ {} hello {} }}", "... { ".repeat(70), "}".repeat(70)), "QUERY_TOO_DEEP"),
        (inline, "QUERY_TOO_DEEP"),
        (format!("{{ rows {{ {aliases} }} }}"), "TOO_MANY_ALIASES"),
        (format!("{{ {} }}", "hello ".repeat(21)), "QUERY_TOO_COMPLEX"),
        (format!("# {}\n{{ hello }}", "x".repeat(70_000)), "QUERY_TOO_COMPLEX"),
    ] {
        let read = refused(&api, json!({ "query": query })).await;
        assert_eq!(read.code(), code, "{read:?}");
    }
}

#[tokio::test]
async fn variables() {
    let api = api();
    let query = "query ($n: Int!) { echo(n: $n) }";
    for variables in [json!({}), json!({ "n": null }), json!({ "n": "1" }), json!({ "n": 1.5 }), json!(null)] {
        let read = refused(&api, json!({ "query": query, "variables": variables })).await;
        assert_eq!((read.code(), read.body["errors"][0].get("path")), ("BAD_USER_INPUT", None));
        assert_eq!(read.body["errors"][0]["locations"], json!([{ "line": 1, "column": 8 }]));
    }
    let unused = json!({ "query": "query ($id: ID!) { __typename }", "variables": { "id": null } });
    assert_eq!(refused(&api, unused).await.code(), "BAD_USER_INPUT");
    let color = "query ($color: Color) { color(color: $color) }";
    assert_eq!(run(&api, color).await, json!({ "data": { "color": false } }));
    let read = refused(&api, json!({ "query": color, "variables": { "color": "GREEN" } })).await;
    assert_eq!(read.code(), "BAD_USER_INPUT");
    assert_eq!(run(&api, "{ color(color: RED) }").await, json!({ "data": { "color": true } }));
    for literal in ["GREEN", "\"RED\"", "[RED]"] {
        let read = refused(&api, json!({ "query": format!("{{ color(color: {literal}) }}") })).await;
        assert_eq!(read.code(), "GRAPHQL_VALIDATION_FAILED", "{literal}");
    }
    // The library's own check ends in a panic.
    let unknown = json!({ "query": "query A { hello } query B($n: [Nope] = [1]) { hello }", "operationName": "A" });
    assert_eq!(refused(&api, unknown).await.code(), "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn persisted_queries() {
    let api = api();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": "00" } });
    let read = refused(&api, json!({ "extensions": extensions })).await;
    assert_eq!((read.code(), read.message()), ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"));
    let read = post(&api, JSON, &json!({ "query": "{ hello }", "extensions": extensions })).await;
    assert_eq!(read.data(), &json!({ "hello": "world" }));
}

#[tokio::test]
async fn times_out() {
    let (api, _) = transport(Limits::default(), Duration::from_millis(50), 1000);
    let began = Instant::now();
    for accept in [JSON, GRAPHQL] {
        let read = post(&api, accept, &json!({ "query": "{ sleep }" })).await;
        assert_eq!((read.status, read.code(), read.body.get("data")), (504, "TIMEOUT", None));
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nulls_and_paths() {
    let api = api();
    let not_found = |path: Json, column: usize| json!({ "message": "gone", "extensions": { "code": "NOT_FOUND" }, "path": path, "locations": [{ "line": 1, "column": column }] });
    for (query, data, path, column) in [
        (
            "{ rows { id maybe } hello }",
            json!({ "rows": [{ "id": 0, "maybe": 0 }, { "id": 1, "maybe": null }], "hello": "world" }),
            json!(["rows", 1, "maybe"]),
            13,
        ),
        ("{ all: rows { x: maybe } }", json!({ "all": [{ "x": 0 }, { "x": null }] }), json!(["all", 1, "x"]), 15),
        ("{ rows { id sure } hello }", json!(null), json!(["rows", 1, "sure"]), 13),
        ("{ g: gaps { sure } }", json!({ "g": [{ "sure": 0 }, null] }), json!(["g", 1, "sure"]), 13),
        (
            "{ wrapped { rows { id sure } } hello }",
            json!({ "wrapped": null, "hello": "world" }),
            json!(["wrapped", "rows", 0, "sure"]),
            23,
        ),
        (
            "{ gaps { rows { sure } } }",
            json!({ "gaps": [{ "rows": null }, { "rows": null }] }),
            json!(["gaps", 0, "rows", 1, "sure"]),
            17,
        ),
        ("{ hello sure }", json!(null), json!(["sure"]), 9),
        // Resolved twice, told once.
        (
            "{ rows { maybe } ...F } fragment F on QueryRoot { rows { id maybe } }",
            json!({ "rows": [{ "maybe": 0, "id": 0 }, { "maybe": null, "id": 1 }] }),
            json!(["rows", 1, "maybe"]),
            10,
        ),
    ] {
        for accept in [JSON, GRAPHQL] {
            let read = post(&api, accept, &json!({ "query": query })).await;
            assert_eq!((read.status, &read.body["data"]), (200, &data), "{query} {read:?}");
            assert!(read.body.get("data").is_some());
            assert_eq!(read.body["errors"][0], not_found(path.clone(), column), "{query}");
        }
    }
    let body = run(&api, "{ rows { maybe } ...F } fragment F on QueryRoot { rows { id maybe } }").await;
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(1));
    let body = run(&api, "{ gaps { rows { sure } } }").await;
    let paths: Vec<_> = body["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, [&json!(["gaps", 0, "rows", 1, "sure"]), &json!(["gaps", 1, "rows", 1, "sure"])]);
}

#[tokio::test]
async fn codes_of_execution_errors() {
    let api = api();
    for (query, data, column) in [
        ("{ hello even(n: 3) }", json!({ "hello": "world", "even": null }), 17),
        ("query ($n: Even = 5) { even(n: $n) }", json!({ "even": null }), 32),
    ] {
        let body = run(&api, query).await;
        assert_eq!(body["data"], data);
        assert_eq!(body["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT" }), "{body}");
        assert_eq!(body["errors"][0]["locations"], json!([{ "line": 1, "column": column }]));
        assert_eq!(body["errors"][0]["path"], json!(["even"]));
    }
    for (query, field) in [("{ leaky }", "leaky"), ("{ inner }", "inner")] {
        let body = run(&api, query).await;
        let error = json!({
            "message": "Internal server error.", "path": [field], "locations": [{ "line": 1, "column": 3 }],
            "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": "r-1" },
        });
        assert_eq!(body, json!({ "data": { field: null }, "errors": [error] }));
    }
}

#[tokio::test]
async fn mutations_execute_each_name_once() {
    let (api, counter) = transport(Limits::default(), Duration::from_secs(10), 1000);
    for query in [
        "mutation { bump bump }",
        "mutation { bump ... { bump } }",
        "mutation { ...F bump } fragment F on MutationRoot { bump }",
        "mutation { ...F ...F } fragment F on MutationRoot { bump }",
        "mutation { ...F } fragment F on MutationRoot { bump ...F }",
    ] {
        assert_eq!(refused(&api, json!({ "query": query })).await.code(), "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
    for query in ["mutation { bump a: add(by: \"1\") }", "mutation { bump a: add(by: 2147483648) }"] {
        assert_eq!(refused(&api, json!({ "query": query })).await.code(), "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
    let body =
        json!({ "query": "mutation ($by: Int!) { bump a: add(by: $by) }", "variables": { "by": 2_147_483_648_i64 } });
    assert_eq!(refused(&api, body).await.code(), "BAD_USER_INPUT");
    assert_eq!(counter.0.load(Ordering::SeqCst), 0, "nothing is executed beside a wrong value");
    let query = "mutation { __typename ...F b: bump } fragment F on MutationRoot { __typename bump }";
    assert_eq!(run(&api, query).await["data"]["b"], 2);
}

#[tokio::test]
async fn outside_of_execution() {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(GRAPHQL));
    let read = read_answer(refuse(&headers, StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "Who?")).await;
    assert_eq!((read.status, &read.headers[CONTENT_TYPE]), (401, &MediaType::GraphqlResponse.content_type()));
    assert_eq!(read.body, json!({ "errors": [{ "message": "Who?", "extensions": { "code": "UNAUTHENTICATED" } }] }));
    headers.insert(ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"));
    assert!(wants_page(&Method::GET, &headers) && !wants_page(&Method::POST, &headers));
}
