//! A NetBox that is not well, or none at all.
use super::{asked, at, client, code, rules, within};
use crate::support::netbox::{CLUSTERS, answer, page, real};
use proxbox_graphql::client::netbox::{Class, NetBox, Rules, Which};
use serde_json::json;
use std::time::{Duration, Instant};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn good() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(page(json!(1), None, vec![json!({"id": 1, "name": "c1"})]))
}

async fn first(client: &NetBox) -> &'static str {
    code(&client.clusters(Which::All).next().await)
}

#[tokio::test]
async fn what_may_have_been_bad_luck_is_tried_three_times() {
    for status in [429, 500, 502, 503, 504, 599] {
        let server = MockServer::start().await;
        let client = client(&server);
        let bad = Mock::given(path(CLUSTERS)).respond_with(ResponseTemplate::new(status)).with_priority(1);
        bad.up_to_n_times(2).mount(&server).await;
        answer(&server, CLUSTERS, good()).await;
        assert_eq!(first(&client).await, "ok", "{status}");
        assert_eq!(asked(&server).await.len(), 3, "{status}");
        server.reset().await;
        answer(&server, CLUSTERS, ResponseTemplate::new(status).set_body_json(json!({"error": "out of order"}))).await;
        let failure = client.clusters(Which::All).next().await.unwrap_err();
        assert_eq!((&failure.class, failure.status), (&Class::Degraded, Some(status)));
        assert!(failure.message.contains("out of order"), "{failure}");
        assert_eq!(asked(&server).await.len(), 3, "{status}");
    }
}

#[tokio::test]
async fn what_netbox_wants_to_wait_for_is_waited_for_if_it_is_short() {
    let server = MockServer::start().await;
    let client = client(&server);
    let busy = |after: &str| ResponseTemplate::new(429).insert_header("retry-after", after);
    let once = Mock::given(path(CLUSTERS)).respond_with(busy("1")).with_priority(1).up_to_n_times(1);
    once.mount(&server).await;
    answer(&server, CLUSTERS, good()).await;
    let begun = Instant::now();
    assert_eq!(first(&client).await, "ok");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // Longer than a call should take: told at once. A date is no number of seconds, and does not count.
    for (after, calls) in [("3600", 1), ("Wed, 25 Nov 2026 20:00:00 GMT", 3)] {
        server.reset().await;
        answer(&server, CLUSTERS, busy(after)).await;
        assert_eq!(first(&client).await, "degraded");
        assert_eq!(asked(&server).await.len(), calls, "{after}");
    }
}

#[tokio::test]
async fn what_is_no_netbox_is_told_as_such() {
    let server = MockServer::start().await;
    let client = client(&server);
    let html = ResponseTemplate::new(200).set_body_raw("<html>Welcome to nginx</html>", "text/html");
    let json = |body| ResponseTemplate::new(200).set_body_json(body);
    for (response, expected) in [
        (html, "not_netbox"),
        (json(json!({"data": []})), "not_netbox"),
        (json(json!({"count": 1, "results": {}})), "not_netbox"),
        (json(json!([])), "not_netbox"),
        (json(json!("x")), "not_netbox"),
        (ResponseTemplate::new(200).set_body_raw("plain", ""), "not_netbox"),
        (ResponseTemplate::new(200).set_body_raw("{\"count\": ", "application/json"), "protocol"),
        (ResponseTemplate::new(404), "not_netbox"),
        (ResponseTemplate::new(204), "protocol"),
        (ResponseTemplate::new(400).set_body_json(json!({"id": ["Select a valid choice."]})), "protocol"),
    ] {
        server.reset().await;
        answer(&server, CLUSTERS, response.clone()).await;
        assert_eq!(first(&client).await, expected, "{response:?}");
        assert_eq!(asked(&server).await.len(), 1);
    }
    // The status' own route.
    answer(&server, "/api/status/", json(json!({"status": "ok"}))).await;
    assert_eq!(code(&client.version().await), "not_netbox");
    server.reset().await;
    assert_eq!((client.version().await, code(&client.user().await)), (Ok(None), "not_netbox"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (server, elsewhere) = (MockServer::start().await, real().await);
    let client = client(&server);
    for (status, to, expected) in [
        (301, format!("{}/api/status/", elsewhere.uri()), "not_netbox"),
        (302, "/login/?next=/api/status/".into(), "not_netbox"),
        (307, format!("{}/api/status/", server.uri()), "not_netbox"),
        (308, "https://netbox.example.com/api/status/".into(), "protocol"),
    ] {
        server.reset().await;
        answer(&server, "/api/status/", ResponseTemplate::new(status).insert_header("location", to.as_str())).await;
        let failure = client.version().await.unwrap_err();
        assert_eq!(failure.class.code(), expected, "{to}");
        assert!(failure.message.contains(if expected == "protocol" { "use https" } else { &to }), "{failure}");
        assert_eq!(asked(&server).await.len(), 1);
    }
    assert!(asked(&elsewhere).await.is_empty(), "the token goes to nobody else");
}

#[tokio::test]
async fn time_and_size_have_an_end() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(good().set_delay(Duration::from_secs(20))).mount(&server).await;
    let hasty = within(&server.uri(), "t0ken", Rules { local: Duration::from_millis(200), ..rules() });
    let begun = Instant::now();
    assert_eq!(first(&hasty).await, "timeout");
    assert!(begun.elapsed() < Duration::from_secs(10));
    server.reset().await;
    let long = json!({"id": 1, "name": "x".repeat(5_000)});
    let long = ResponseTemplate::new(200).set_body_json(page(json!(1), None, vec![long]));
    answer(&server, CLUSTERS, long).await;
    let small = within(&server.uri(), "t0ken", Rules { body: 4_000, ..rules() });
    assert_eq!(first(&small).await, "protocol");
    assert_eq!(first(&client(&server)).await, "ok");
    // Little text that would become much: no list of a thousand rows is like that.
    server.reset().await;
    let wide = format!("{{\"results\": [{}]}}", ["[]"; 600_000].join(","));
    answer(&server, CLUSTERS, ResponseTemplate::new(200).set_body_raw(wide, "application/json")).await;
    assert_eq!(first(&client(&server)).await, "protocol");
}

#[tokio::test]
async fn nobody_there() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = at(&format!("http://{free}"), "t0ken").version().await.unwrap_err();
    assert_eq!((failure.class.code(), failure.path.as_deref()), ("connect", Some("/api/status/")));
    assert!(failure.message.contains(&free.to_string()), "{failure}");
    assert_eq!(code(&at("http://nowhere.invalid", "t0ken").version().await), "dns");
    // TLS where there is none.
    let server = MockServer::start().await;
    let secure = server.uri().replace("http://", "https://");
    assert_eq!(code(&at(&secure, "t0ken").version().await), "connect");
}
