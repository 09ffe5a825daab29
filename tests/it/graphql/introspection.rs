//! Who may read the schema: by introspection, as text, and by the names in errors.
use super::errors::{GRAPHQL, INTROSPECTION, JSON, MISFITS};
use crate::support::{ADMIN, Answer, Server, TestDb, both};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use proxbox_graphql::app::{App, Introspection, Settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../../schema.graphql");

/// A server where everybody may read.
fn open(mut app: App, introspection: Introspection) -> Server {
    app.settings = Settings { anonymous_read: true, introspection, ..Settings::default() }.into();
    Server::new(app)
}

async fn ask(server: &Server, token: Option<&str>, accept: &str, body: &Value) -> Answer {
    let request = Request::builder().method("POST").uri("/graphql");
    let mut request = request.header(header::CONTENT_TYPE, JSON).header(header::ACCEPT, accept);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

const QUESTIONS: [&str; 7] = [
    INTROSPECTION,
    "{ __schema { queryType { name } } }",
    "{ a: __type(name: \"Query\") { name } }",
    "{ __typename ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
    "query A($s: Boolean!) { __schema @include(if: $s) { queryType { name } } }",
    "mutation { __schema { queryType { name } } }",
    // Nothing of it gets as far as the limits or the schema.
    "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
];

async fn the_schema_is_for_whom_the_operator_says(db: TestDb) {
    let app = db.seeded().await;
    for (introspection, token, may) in [
        (Introspection::Token, None, false),
        (Introspection::Token, Some(ADMIN), true),
        (Introspection::On, None, true),
        (Introspection::On, Some(ADMIN), true),
        (Introspection::Off, None, false),
        (Introspection::Off, Some(ADMIN), false),
    ] {
        let server = open(app.clone(), introspection);
        let told = format!("{introspection:?} {token:?}");
        for question in QUESTIONS {
            let body = json!({"query": question, "variables": {"s": true}});
            for (accept, status) in [(JSON, 200), (GRAPHQL, 400)] {
                let answer = ask(&server, token, accept, &body).await;
                let got = answer.json();
                if may {
                    assert_ne!(got["errors"][0]["extensions"]["code"], "INTROSPECTION_DISABLED", "{told} {question}");
                } else {
                    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, "INTROSPECTION_DISABLED"));
                    assert_eq!(got["errors"].as_array().unwrap().len(), 1, "{told} {got}");
                    assert!(got.get("data").is_none(), "{told} {got}");
                }
            }
        }
        if may {
            let types = ask(&server, token, JSON, &json!({"query": INTROSPECTION})).await.data();
            assert!(types["__schema"]["types"].as_array().unwrap().len() > 50);
        }
        // The name of a type that one has found is no secret.
        let query = json!({"query": "{ __typename tags(first: 1) { __typename nodes { __typename name } } }"});
        assert_eq!(ask(&server, token, JSON, &query).await.data()["tags"]["__typename"], "TagConnection", "{told}");
        // The text of the schema follows the same rule; where a token would help, it is asked for.
        let mut request = Request::builder().uri("/graphql/schema.graphql");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        match (may, introspection) {
            (true, _) => assert_eq!((answer.status, answer.bytes.as_slice()), (StatusCode::OK, SCHEMA.as_bytes())),
            (false, Introspection::Token) => {
                assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
                assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
            }
            (false, _) => {
                assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "INTROSPECTION_DISABLED"));
            }
        }
    }
}

/// The names in a text.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).collect()
}

/// Names of the schema that are no words of English.
fn secrets() -> BTreeSet<&'static str> {
    // Every second part is a description.
    let code = SCHEMA.split("\"\"\"").step_by(2).flat_map(names);
    code.filter(|name| name.chars().skip(1).any(|c| c.is_ascii_uppercase() || c == '_')).collect()
}

async fn errors_name_nothing_of_the_schema_to_those_who_may_not_read_it(db: TestDb) {
    let server = open(db.seeded().await, Introspection::Token);
    let secrets = secrets();
    assert!(secrets.contains("ProxmoxNodeFilter") && secrets.contains("proxmoxClusters") && secrets.len() > 300);
    let wrong = [
        "{ proxmoxNod { id } }",
        "{ proxmoxNodes(frist: 1) { totalCount } }",
        "{ proxmoxNodes { totalCuont } }",
        "{ proxmoxNodes(orderBy: [{field: NAEM}]) { totalCount } }",
        "{ proxmoxNodes(orderBy: [{}]) { totalCount } }",
        "{ proxmoxNodes(filter: {naem: {eq: 1}}) { totalCount } }",
        "{ proxmoxNodes { nodes { endpoint } } }",
        "{ proxmoxNodes { groups } }",
        "query($f: ProxmoxNodeFilte) { proxmoxNodes(filter: $f) { totalCount } }",
        "query($f: Int) { proxmoxNodes(filter: $f) { totalCount } }",
        "{ proxmoxNodes { nodes { ... on Query { __typename } } } }",
        "{ proxmoxNodes { nodes { id @includ(if: true) @include(i: true) @include(if: 1) } } }",
        // What is only noticed while executing.
        "{ proxmoxCluster { id } }",
        "{ proxmoxNodes(first: 1, last: 1) { totalCount } }",
        "{ proxmoxNodes(filter: {name: null}) { totalCount } }",
        "{ netboxDevice(id: \"x\") { id } }",
        "{ node(id: \"x\") { id } }",
        "mutation { createProxmoxCluster(input: {}) { __typename } }",
        "mutation { createProxmoxCluser(input: {}) { __typename } }",
    ];
    let variables = [
        ("query($f: ProxmoxNodeFilter) { proxmoxNodes(filter: $f) { totalCount } }", json!({"f": {"naem": 1}})),
        (
            "query($f: ProxmoxNodeFilter) { proxmoxNodes(filter: $f) { totalCount } }",
            json!({"f": {"created": {"gt": 1}}}),
        ),
        (
            "query($f: [ProxmoxClusterOrder!]) { proxmoxClusters(orderBy: $f) { totalCount } }",
            json!({"f": [{"field": "X"}]}),
        ),
        ("query($f: Int!) { proxmoxNodes(first: $f) { totalCount } }", json!({})),
    ];
    let documents = wrong.into_iter().chain(MISFITS).map(|text| (text, json!({})));
    for (text, variables) in documents.chain(variables) {
        let body = json!({"query": text, "variables": variables});
        let answer = ask(&server, None, JSON, &body).await;
        let (anonymous, known) = (answer.json(), ask(&server, Some(ADMIN), JSON, &body).await.json());
        let told = anonymous["errors"].to_string();
        let leaked = names(&told).intersection(&secrets).copied().collect::<BTreeSet<_>>();
        let leaked = leaked.difference(&names(text)).copied().filter(|name| !CODES.contains(name)).collect::<Vec<_>>();
        assert!(leaked.is_empty(), "{text}: {leaked:?} in {told}");
        assert!(!told.contains("Did you mean"), "{told}");
        // The same mistake at the same place, but for what is told of it.
        assert_eq!(anonymous["errors"][0]["extensions"], known["errors"][0]["extensions"], "{text}");
        assert_eq!(anonymous["errors"][0]["locations"][0], known["errors"][0]["locations"][0], "{text}");
        assert_ne!(anonymous["errors"][0]["message"], known["errors"][0]["message"], "{text}");
    }
    let known = ask(&server, Some(ADMIN), JSON, &json!({"query": wrong[0]})).await.json();
    assert!(known["errors"][0]["message"].as_str().unwrap().contains("Did you mean"), "{known}");
}

/// Codes of errors, and their fields.
const CODES: [&str; 2] = ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"];

both!(the_schema_is_for_whom_the_operator_says, errors_name_nothing_of_the_schema_to_those_who_may_not_read_it,);
