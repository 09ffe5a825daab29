use super::{client, code};
use crate::support::pve::{Pve, Reply};
use futures_util::future::join_all;
use serde_json::json;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_connections_at_most() {
    let pve = Pve::start("pve8-cluster").await;
    pve.latency(Duration::from_millis(1));
    let client = client(&pve);
    for _ in 0..5 {
        let versions = join_all((0..20).map(|_| client.version())).await;
        assert!(versions.iter().all(Result::is_ok), "{versions:?}");
    }
    assert_eq!(pve.total_hits(), 100);
    assert_eq!((pve.most_connections(), pve.connections()), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_answers_take_no_more_connections() {
    let pve = Pve::start("pve8-cluster").await;
    // So large that an answer does not come in one piece: its connection is back a little after its end.
    pve.reply("/version", Reply::Data(json!({"version": "8.4.14", "notes": "x".repeat(200_000)})));
    let client = Arc::new(client(&pve));
    for _ in 0..30 {
        client.version().await.unwrap();
    }
    assert_eq!(pve.connections(), 1);
    let asking = (0..100).map(|_| {
        tokio::spawn({
            let client = client.clone();
            async move { client.version().await }
        })
    });
    assert!(join_all(asking).await.into_iter().all(|answer| answer.unwrap().is_ok()));
    assert_eq!((pve.total_hits(), pve.most_connections()), (130, 2));
}

#[tokio::test]
async fn connections_are_left_before_the_server_closes_them() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    for _ in 0..250 {
        client.version().await.unwrap();
    }
    assert_eq!((pve.total_hits(), pve.connections()), (250, 3));
    assert!(client.calls().iter().all(|call| call.attempts == 1), "none was repeated");
    // Before the server's 5 s are over.
    tokio::time::sleep(Duration::from_millis(3500)).await;
    client.version().await.unwrap();
    assert_eq!(pve.connections(), 4);
    assert!(client.calls().iter().all(|call| call.attempts == 1));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_does_no_harm() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    client.version().await.unwrap();
    // An error closes it, a call that is given up leaves it.
    pve.fail("/nodes", 403, "Permission check failed (/, Sys.Audit)");
    client.nodes().await.unwrap_err();
    assert_eq!(code(&client.version().await), "ok");
    let version = client.version();
    assert!(tokio::time::timeout(Duration::ZERO, version).await.is_err());
    assert_eq!(code(&client.version().await), "ok");
    assert!(pve.most_connections() <= 3, "a connection that is closing may be seen beside two new ones");
}

#[tokio::test]
async fn a_connection_that_is_closed_early_is_replaced_without_another_attempt() {
    let pve = Pve::start("pve8-cluster").await;
    pve.idle(Duration::from_millis(300));
    let client = client(&pve);
    for connections in 1..=2 {
        client.version().await.unwrap();
        assert_eq!(pve.connections(), connections);
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(pve.total_hits(), 2);
    assert!(client.calls().iter().all(|call| call.attempts == 1), "{:?}", client.calls());
}

/// Set in the process that the test below starts: the environment of this one is everybody's.
const PROXIED: &str = "PROXBOX_TEST_PROXIED";

#[test]
fn the_environments_proxy_is_not_used() {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "client::connections::with_a_proxy_in_the_environment", "--nocapture"]).env(PROXIED, "1");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        again.env(name, "http://127.0.0.1:1");
    }
    again.env_remove("NO_PROXY").env_remove("no_proxy");
    let ran = again.output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
async fn with_a_proxy_in_the_environment() {
    if std::env::var_os(PROXIED).is_some() {
        assert!(std::env::var("HTTPS_PROXY").is_ok());
    }
    let pve = Pve::start("pve8-cluster").await;
    client(&pve).version().await.unwrap();
    assert_eq!(pve.hits("/version"), 1);
}
