//! What an operation costs, told on request.
use crate::support::{ADMIN, Answer, Server, TestDb, both};
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

async fn ask(server: &Server, prefer: &[&str], query: &str) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/graphql");
    request = request.header(header::CONTENT_TYPE, "application/json");
    request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    for value in prefer {
        request = request.header("prefer", *value);
    }
    server.send(request.body(Body::from(json!({"query": query}).to_string())).unwrap()).await
}

async fn cost(server: &Server, query: &str) -> Value {
    let answer = ask(server, &["cost"], query).await;
    let cost = answer.json()["extensions"]["cost"].take();
    assert_eq!(answer.headers.get("preference-applied").is_some(), cost.is_object(), "{query}");
    cost
}

async fn who_asks_is_told_the_cost(db: TestDb) {
    let server = db.server().await;
    let query = "{ proxmoxNodes(first: 3) { totalCount nodes { name endpoint { name } } } again: __typename }";
    let share = |requested: u64, limit: u64| json!({"requested": requested, "limit": limit});
    assert_eq!(
        cost(&server, query).await,
        json!({
            "requested": 1 + 10 + 3 * 2, "limit": 10_000, "introspection": share(0, 10_000), "depth": share(4, 12),
            "aliases": share(1, 30), "rootFields": share(2, 20), "selections": share(7, 5_000),
            "repeats": share(1, 20), "directives": share(0, 10),
        })
    );
    let introspection = cost(&server, "{ __schema { types { name } } }").await;
    assert_eq!((&introspection["requested"], &introspection["introspection"]["requested"]), (&json!(0), &json!(6)));
    // Lists without a page count at their longest where their elements lead to connections.
    for (query, requested) in [
        ("{ linkSuggestions(first: 2) { nodes { candidates { target { id } } } } }", 1 + 2 * (1 + 10 * 2)),
        ("mutation { syncAll(input: {dryRun: true}) { syncRuns { id } } }", 1 + 1_000),
    ] {
        assert_eq!(cost(&server, query).await["requested"], requested, "{query}");
    }
    // Among other preferences, in any form.
    for prefer in [&["COST"][..], &["handling=strict, cost"], &["handling=strict", "cost"]] {
        assert!(ask(&server, prefer, query).await.json()["extensions"]["cost"].is_object(), "{prefer:?}");
    }
    for prefer in [&[][..], &["costs"], &["cost=1"], &["handling=strict"]] {
        let answer = ask(&server, prefer, query).await;
        assert_eq!(answer.json().get("extensions"), None, "{prefer:?}");
        assert!(!answer.headers.contains_key("preference-applied"), "{prefer:?}");
    }
    let uri = "/graphql?query=%7B__typename%7D";
    let request = Request::builder().uri(uri).header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    let answer = server.send(request.header("prefer", "cost").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["extensions"]["cost"]["rootFields"], share(1, 20));
}

async fn refused_requests_have_a_cost_as_soon_as_it_is_known(db: TestDb) {
    let server = db.server().await;
    for (query, code, requested) in [
        (
            "{ proxmoxNodes(first: 1000) { nodes { proxmoxCluster { proxmoxNodes { nodes { id } } } } } }",
            "QUERY_TOO_COMPLEX",
            53_001,
        ),
        ("{ proxmoxNodes(first: 2) { nodes { nope } } }", "GRAPHQL_VALIDATION_FAILED", 3),
        (
            "query($n: Int!) { proxmoxNodes(first: 2) { nodes { id } } a: proxmoxNodes(first: $n) { nodes { id } } }",
            "BAD_USER_INPUT",
            54,
        ),
        ("{ proxmoxNodes(first: -1) { nodes { id } } }", "BAD_USER_INPUT", 1),
    ] {
        let answer = ask(&server, &["cost"], query).await;
        assert_eq!(
            (answer.code().as_str(), &answer.json()["extensions"]["cost"]["requested"]),
            (code, &json!(requested)),
            "{query}"
        );
    }
    // Nobody has counted these.
    for query in ["{", "query A { __typename } query B { __typename }", "subscription { x }"] {
        assert!(cost(&server, query).await.is_null(), "{query}");
    }
}

both!(who_asks_is_told_the_cost, refused_requests_have_a_cost_as_soon_as_it_is_known);
