//! Connections: slow heads, silence, how many there may be.
use super::{LIST, Live, SOON, request, roomy};
use crate::support::{Answer, TestDb, both, limits};
use proxbox_graphql::server::ConnectionLimits;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

async fn heads_must_come_in_time(db: TestDb) {
    let head = Duration::from_secs(1);
    let live = Live::start(db.seeded().await, limits(), ConnectionLimits { head, rest: SOON * 10, ..roomy() }).await;
    let begun = Instant::now();
    let silent = live.connect().await;
    let half = live.say("GET / HTTP/1.1\r\nhost: proxb").await;
    let mut dripping = live.say("GET /").await;
    live.assert_serves().await;
    assert_eq!(silent.end().await, "");
    assert_eq!(half.end().await, "");
    dripping.drip(Duration::from_millis(100)).await;
    assert!(begun.elapsed() >= head, "too early for anybody: {:?}", begun.elapsed());
    // So must those of later requests, also behind a body.
    let query = r#"{"query": "{ __typename }"}"#;
    for first in [request("GET", LIST, "", ""), request("POST", "/graphql", "", query)] {
        let mut client = live.say(&first).await;
        assert!(client.answer().await.starts_with("HTTP/1.1 200"));
        sleep(head * 2).await;
        client.say(&first).await;
        assert!(client.answer().await.starts_with("HTTP/1.1 200"), "it may rest for longer than a head may take");
        client.say("GET /api").await;
        // Long before it has rested too long.
        client.drip(Duration::from_millis(100)).await;
    }
    live.end().await;
}

async fn connections_rest_for_a_while(db: TestDb) {
    let rest = Duration::from_secs(1);
    let live = Live::start(db.seeded().await, limits(), ConnectionLimits { rest, ..roomy() }).await;
    let mut client = live.say(&request("GET", LIST, "", "")).await;
    assert!(client.answer().await.starts_with("HTTP/1.1 200"));
    assert_eq!(client.end().await, "");
    live.end().await;
}

async fn too_many_connections_are_refused(db: TestDb) {
    let connections = ConnectionLimits { most: 5, most_each: 3, ..roomy() };
    let live = Live::start(db.seeded().await, limits(), connections).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut client = live.say(&request("GET", LIST, "", "")).await;
        client.answer().await;
        held.push(client);
    }
    let refused = live.connect().await.end().await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("Retry-After: 1\r\n"), "{refused}");
    let figures = live.app.metrics.encode().unwrap();
    assert!(figures.contains("connections 3\n"), "{figures}");
    assert!(figures.contains("connections_refused_total{reason=\"address\"} 1\n"), "{figures}");
    // Whoever goes makes room.
    held.pop();
    let begun = Instant::now();
    while !live.ask(&request("GET", LIST, "connection: close\r\n", "")).await.starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < SOON, "no room");
    }
    live.end().await;
}

async fn proxies_speak_for_many(db: TestDb) {
    let mut app = db.seeded().await;
    let mut settings = (*app.settings).clone();
    settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    app.settings = Arc::new(settings);
    let live = Live::start(app, limits(), ConnectionLimits { most: 5, most_each: 1, ..roomy() }).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut client = live.say(&request("GET", LIST, "", "")).await;
        assert!(client.answer().await.starts_with("HTTP/1.1 200"));
        held.push(client);
    }
    let refused = live.connect().await.end().await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    live.until("connections_refused_total{reason=\"overall\"} 1\n").await;
    live.end().await;
}

async fn heads_have_a_size(db: TestDb) {
    let live = Live::start(db.seeded().await, limits(), roomy()).await;
    let long = format!("x: {}\r\nconnection: close\r\n", "y".repeat(100 << 10));
    let answer = live.ask(&request("GET", LIST, &long, "")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = "x: y\r\n".repeat(200);
    let answer = live.ask(&request("GET", LIST, &many, "")).await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 400"), "{answer}");
    live.assert_serves().await;
    live.end().await;
}

async fn health_is_told_whatever_goes_on(db: TestDb) {
    let mut none = limits();
    none.load.requests = 0;
    let server = crate::support::Server::within(db.seeded().await, none);
    let get = async |path: &str| -> Answer {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        server.send(request).await
    };
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(path).await.status, 200, "{path}");
    }
    for path in [LIST, "/graphql", "/graphiql/", "/nowhere"] {
        let shed = get(path).await;
        assert_eq!((shed.status.as_u16(), shed.headers["retry-after"].to_str().unwrap()), (503, "1"), "{path}");
        assert!(shed.headers.contains_key("x-request-id"), "{path}");
    }
    assert_eq!(get("/graphql").await.code(), "OVERLOADED");
    assert!(get(LIST).await.json()["detail"].is_string());
}

both! {
    heads_must_come_in_time,
    connections_rest_for_a_while,
    too_many_connections_are_refused,
    proxies_speak_for_many,
    heads_have_a_size,
    health_is_told_whatever_goes_on,
}
