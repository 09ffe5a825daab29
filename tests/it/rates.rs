//! How often one may ask: refused at either door, before the database is asked, and nobody else with it.
use crate::cli::{Program, graphql, seed_file};
use crate::support::{ADMIN, Answer, SEED, Server, TestDb, both, fill};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use proxbox_graphql::app::Settings;
use proxbox_graphql::rate::RateLimits;
use std::num::NonZeroU32;

const REST: &str = "/api/plugins/proxbox/nodes/?limit=1";
const GRAPHQL: &str = "/graphql?query=%7B__typename%7D";
const READER: &str = "1111111111111111111111111111111111111111";
const WRONG: &str = "9999999999999999999999999999999999999999";
/// Two clients, and a third in the network of the second.
const HERE: &str = "192.0.2.7";
const THERE: &str = "2001:db8:1:2::1";
const NEAR_THERE: &str = "2001:db8:1:2:ffff::9";

fn limits(token: u32, failed_auth: u32) -> RateLimits {
    RateLimits { token: NonZeroU32::new(token), failed_auth: NonZeroU32::new(failed_auth) }
}

async fn server(db: &TestDb, settings: Settings) -> Server {
    let app = db.open_with(settings).await;
    fill(&app, SEED).await;
    Server::new(app)
}

async fn limited(db: &TestDb, token: u32, failed_auth: u32) -> Server {
    server(db, Settings { rates: limits(token, failed_auth), ..Settings::default() }).await
}

async fn send(server: &Server, client: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    server.send_from(client.parse().unwrap(), request.body(Body::empty()).unwrap()).await
}

async fn ask(server: &Server, client: &str, path: &str, token: &str) -> Answer {
    send(server, client, path, &[("authorization", &format!("Token {token}"))]).await
}

/// The seconds that a throttled client is told to wait, in the words of the door.
#[track_caller]
fn wait_of(answer: &Answer, path: &str) -> u64 {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", String::from_utf8_lossy(&answer.bytes));
    let seconds = answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    if path == REST {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let detail = format!("Request was throttled. Expected available in {seconds} {unit}.");
        assert_eq!(answer.json(), serde_json::json!({"detail": detail}));
    } else {
        assert_eq!(answer.code(), "RATE_LIMITED");
        assert!(answer.json().get("data").is_none());
        assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains(&format!("{seconds} s")));
    }
    seconds
}

async fn wrong_tokens_are_refused_before_the_database_is_asked(db: TestDb) {
    let server = limited(&db, 0, 2).await;
    // Whoever sends nothing tries nothing.
    for _ in 0..5 {
        assert_eq!(send(&server, HERE, REST, &[]).await.status, 403);
    }
    assert_eq!(ask(&server, HERE, REST, ADMIN).await.status, 200);
    assert_eq!(ask(&server, HERE, REST, WRONG).await.status, 403);
    assert_eq!(ask(&server, HERE, GRAPHQL, "no-token-at-all").await.status, 401);
    for path in [REST, GRAPHQL] {
        for token in [WRONG, "no-token-at-all", "a b", READER] {
            let statements = server
                .statements_of(async || {
                    let wait = wait_of(&ask(&server, HERE, path, token).await, path);
                    assert!((1..=30).contains(&wait), "{wait}");
                })
                .await;
            assert_eq!(statements, 0, "{path} {token}: a right guess learns no more than a wrong one");
        }
        assert_eq!(ask(&server, HERE, path, ADMIN).await.status, 200, "who was let in before stays in");
        assert_eq!(ask(&server, THERE, path, READER).await.status, 200, "others do not wait");
    }
    for path in ["/healthz", "/readyz", "/graphiql/", "/api/schema/"] {
        assert_eq!(send(&server, HERE, path, &[]).await.status, 200, "{path}");
    }
    assert_eq!(send(&server, HERE, REST, &[]).await.status, 403);
}

async fn a_token_that_ends_is_no_longer_known(db: TestDb) {
    let server = limited(&db, 0, 1).await;
    assert_eq!(ask(&server, HERE, REST, ADMIN).await.status, 200);
    crate::service::execute(&server.app.db, "UPDATE api_token SET enabled = FALSE WHERE name = 'admin'").await;
    assert_eq!(ask(&server, HERE, REST, ADMIN).await.status, 403);
    wait_of(&ask(&server, HERE, REST, ADMIN).await, REST);
}

async fn clients_of_ipv6_count_by_their_network(db: TestDb) {
    let server = limited(&db, 0, 1).await;
    assert_eq!(ask(&server, THERE, REST, WRONG).await.status, 403);
    wait_of(&ask(&server, NEAR_THERE, REST, WRONG).await, REST);
    assert_eq!(ask(&server, "2001:db8:1:3::1", REST, WRONG).await.status, 403);
    assert_eq!(ask(&server, HERE, REST, WRONG).await.status, 403);
    wait_of(&ask(&server, "::ffff:192.0.2.7", REST, WRONG).await, REST);
}

async fn behind_a_trusted_proxy_its_clients_count(db: TestDb) {
    let proxy = "10.0.0.1";
    let trusted_proxies = vec![format!("{proxy}/32").parse().unwrap()];
    let server = server(&db, Settings { rates: limits(0, 1), trusted_proxies, ..Settings::default() }).await;
    let wrong = format!("Token {WRONG}");
    let from = async |peer: &str, client: &str| {
        send(&server, peer, REST, &[("authorization", &wrong), ("x-forwarded-for", client)]).await.status.as_u16()
    };
    assert_eq!([from(proxy, HERE).await, from(proxy, HERE).await, from(proxy, THERE).await], [403, 429, 403]);
    // Nobody else changes whom an attempt is charged to.
    assert_eq!([from("192.0.2.9", "192.0.2.10").await, from("192.0.2.9", "192.0.2.11").await], [403, 429]);
}

async fn each_token_has_its_rate(db: TestDb) {
    let server = limited(&db, 2, 0).await;
    assert_eq!(ask(&server, HERE, REST, ADMIN).await.status, 200);
    assert_eq!(ask(&server, THERE, GRAPHQL, ADMIN).await.status, 200, "both doors and all addresses count together");
    for (client, path) in [(HERE, REST), (HERE, GRAPHQL), (THERE, REST)] {
        let wait = wait_of(&ask(&server, client, path, ADMIN).await, path);
        assert!((1..=30).contains(&wait), "{wait}");
    }
    assert_eq!(ask(&server, HERE, REST, READER).await.status, 200, "other tokens do not wait");
    // Attempts with wrong tokens are not this limit's.
    for _ in 0..5 {
        assert_eq!(ask(&server, HERE, REST, WRONG).await.status, 403);
    }
}

async fn without_limits_nobody_waits(db: TestDb) {
    let server = db.server().await;
    for _ in 0..40 {
        assert_eq!(ask(&server, HERE, REST, WRONG).await.status, 403);
        assert_eq!(ask(&server, HERE, GRAPHQL, ADMIN).await.status, 200);
    }
}

async fn the_log_tells_it_once(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    program.set("PROXBOX_RATE_FAILED_AUTH", "1").set("PROXBOX_RATE_TOKEN", "1");
    let mut server = program.serve(&[]);
    let ask = |token: &str| server.request(&graphql(token, "{ __typename }", "connection: close\r\n"));
    assert!(ask(ADMIN).starts_with("HTTP/1.1 200"));
    assert!(ask(WRONG).starts_with("HTTP/1.1 401"));
    for token in [WRONG, ADMIN, WRONG, ADMIN, WRONG, ADMIN] {
        let answer = ask(token);
        assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("\r\nretry-after: "), "{answer}");
    }
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let log = server.log();
    let told = |what: &str| log.matches(what).count();
    assert_eq!(told("client 127.0.0.1 asks more often than PROXBOX_RATE_FAILED_AUTH allows"), 1, "{log}");
    assert_eq!(told("asks more often than PROXBOX_RATE_TOKEN allows"), 1, "{log}");
    assert!(!log.contains(WRONG) && !log.contains(ADMIN), "{log}");
}

both! {
    wrong_tokens_are_refused_before_the_database_is_asked,
    a_token_that_ends_is_no_longer_known,
    clients_of_ipv6_count_by_their_network,
    behind_a_trusted_proxy_its_clients_count,
    each_token_has_its_rate,
    without_limits_nobody_waits,
    the_log_tells_it_once,
}
