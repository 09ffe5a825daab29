use super::{client, client_within, code, password, rules, target};
use crate::support::pve::{Pve, Reply};
use proxbox_graphql::client::proxmox::{Class, Client, Rules, Target};
use std::time::{Duration, Instant};

#[tokio::test]
async fn each_status_is_tried_as_often_as_it_makes_sense() {
    let pve = Pve::start("pve8-cluster").await;
    for (status, reason, attempts) in [
        (400, "Parameter verification failed.", 1),
        (401, "Authentication failed!", 1),
        (403, "Permission check failed (/, Sys.Audit)", 1),
        (404, "Not Found", 1),
        (418, "teapot", 1),
        (429, "Too Many Requests", 1),
        (500, "got timeout", 3),
        (501, "Method 'GET /version' not implemented", 1),
        (502, "Bad Gateway", 3),
        (503, "Service Unavailable", 3),
        (504, "Gateway Time-out", 3),
        (595, "No route to host", 1),
        (596, "Broken pipe", 2),
        (597, "body error", 2),
        (599, "Too many redirections", 2),
    ] {
        pve.reset_hits();
        pve.fail("/version", status, reason);
        let client = client(&pve);
        let failure = client.version().await.unwrap_err();
        assert_eq!(pve.hits("/version"), attempts, "{status}");
        assert_eq!(failure.status, Some(status));
        let call = &client.calls()[0];
        assert_eq!((call.attempts as usize, call.status), (attempts, Some(status)));
    }
}

#[tokio::test]
async fn what_was_bad_luck_goes_well_in_the_end() {
    let pve = Pve::start("pve8-cluster").await;
    pve.drop_next(2);
    let client = client(&pve);
    assert_eq!(code(&client.version().await), "ok");
    assert_eq!(pve.hits("/version"), 3);
    pve.drop_next(3);
    let failure = client.version().await.unwrap_err();
    assert_eq!(failure.class, Class::Connect, "{failure}");
    assert_eq!(client.calls().iter().map(|call| call.attempts).collect::<Vec<_>>(), [3, 3]);
    let broken =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"data\":{".to_vec();
    pve.reply("/version", Reply::Raw(broken));
    pve.reset_hits();
    assert_eq!(code(&client.version().await), "connect");
    assert_eq!(pve.hits("/version"), 3, "a body that breaks off");
}

#[tokio::test]
async fn a_login_is_sent_once() {
    let pve = Pve::start("pve8-cluster").await;
    for (status, class) in [(500, "degraded"), (596, "degraded"), (401, "auth")] {
        pve.reset_hits();
        pve.fail("/access/ticket", status, "got timeout");
        let client = Client::new(Target { credentials: password(), ..target(&pve) }, &rules()).unwrap();
        assert_eq!((code(&client.version().await), pve.total_hits()), (class, 1), "{status}");
    }
}

#[tokio::test]
async fn silence_ends_in_time_and_is_not_repeated() {
    let pve = Pve::start("pve8-cluster").await;
    let rules = Rules { local: Duration::from_millis(600), proxied: Duration::from_secs(10), ..rules() };
    for reply in [Reply::Hang, Reply::HangInBody, Reply::Drip(Duration::from_millis(20))] {
        pve.reset_hits();
        pve.reply("/storage", reply.clone());
        let began = Instant::now();
        let client = client_within(&pve, rules.clone());
        assert_eq!(code(&client.storages().await), "timeout", "{reply:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{reply:?}: {:?}", began.elapsed());
        assert_eq!(pve.hits("/storage"), 1, "{reply:?}");
        assert_eq!(client.calls()[0].status, None);
        assert_eq!(code(&client.version().await), "ok", "others go on");
    }
    pve.latency(Duration::from_millis(900));
    let client = client_within(&pve, rules);
    assert_eq!(code(&client.version().await), "timeout");
    assert_eq!(code(&client.certificates("pve1").await), "ok", "a call that goes through to a node may take longer");
}

#[tokio::test]
async fn budgets_end_attempts() {
    let pve = Pve::start("pve8-cluster").await;
    pve.fail("/version", 500, "got timeout");
    // A random part of this must be longer than the budget.
    let slow = Rules { retry_base: Duration::from_secs(10_000_000_000), ..rules() };
    let client = client_within(&pve, slow);
    assert_eq!(code(&client.version().await), "degraded");
    assert_eq!(pve.hits("/version"), 1, "no time for the pause");
    let run = Rules { run_budget: Duration::from_secs(2), ..rules() };
    let client = client_within(&pve, run);
    pve.heal();
    assert_eq!(code(&client.version().await), "ok");
    pve.reply("/nodes", Reply::Hang);
    assert_eq!(code(&client.nodes().await), "timeout");
    pve.reset_hits();
    let failure = client.version().await.unwrap_err();
    assert!(failure.class == Class::Timeout && failure.message.contains("2s"), "{failure}");
    // The call before may still reach the server.
    assert_eq!((pve.hits("/version"), client.calls()[2].attempts), (0, 0));
}

#[tokio::test]
async fn a_host_that_takes_no_connections_is_given_up() {
    // A listener whose backlog nobody takes: TCP connects, TLS does not answer.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let pve = Pve::start("pve8-cluster").await;
    let port = listener.local_addr().unwrap().port();
    let rules = Rules { connect: Duration::from_millis(200), ..rules() };
    let client = Client::new(Target { port, ..target(&pve) }, &rules).unwrap();
    let began = Instant::now();
    let failure = client.version().await.unwrap_err();
    assert_eq!(failure.class, Class::Timeout, "{failure}");
    assert!(began.elapsed() < Duration::from_secs(2));
    let probed = proxbox_graphql::client::proxmox::probe("127.0.0.1", port, &rules).await;
    assert_eq!(code(&probed), "timeout");
}
