//! Answers that mean harm, or that are something else.
use super::{client, client_within, code, rules};
use crate::support::pve::{Pve, Reply};
use proxbox_graphql::client::proxmox::{Class, Rules};
use serde_json::json;
use std::time::Duration;

fn ok(content_type: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
    Reply::Raw([head.as_bytes(), body].concat())
}

fn json_text(body: impl AsRef<[u8]>) -> Reply {
    ok("application/json;charset=UTF-8", body.as_ref())
}

#[tokio::test]
async fn a_body_without_an_end_is_left() {
    let pve = Pve::start("pve8-cluster").await;
    pve.reply("/version", Reply::Endless);
    let client = client_within(&pve, Rules { body: 1 << 20, ..rules() });
    let failure = client.version().await.unwrap_err();
    assert_eq!(failure.class, Class::Protocol);
    assert!(failure.message.contains("1048576"), "{failure}");
    assert!(pve.sent() < 16 << 20, "{} bytes were taken", pve.sent());
    assert_eq!(pve.hits("/version"), 1);
}

#[tokio::test]
async fn a_length_that_is_too_large_is_not_read() {
    let pve = Pve::start("pve8-cluster").await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{";
    pve.reply("/version", Reply::Raw(head.to_vec()));
    assert_eq!(code(&client(&pve).version().await), "protocol");
    assert_eq!(pve.hits("/version"), 1);
    let head = b"HTTP/1.1 500 oh\r\nContent-Type: text/html\r\nContent-Length: 99999999999\r\n\r\n<p>";
    pve.reply("/version", Reply::Raw(head.to_vec()));
    assert_eq!(code(&client(&pve).version().await), "degraded", "the status says enough");
}

#[tokio::test]
async fn small_bytes_of_large_values_are_refused() {
    let pve = Pve::start("pve8-cluster").await;
    let body = format!("{{\"data\":[{}]}}", vec!["{}"; 2_000_000].join(","));
    assert!(body.len() < 16 << 20);
    pve.reply("/nodes", json_text(body));
    let failure = client(&pve).nodes().await.unwrap_err();
    assert!(failure.class == Class::Protocol && failure.message.contains("values"), "{failure}");
}

#[tokio::test]
async fn nesting_is_bounded() {
    let pve = Pve::start("pve8-cluster").await;
    for deep in [200, 100_000] {
        let body = format!("{{\"data\":{}{}}}", "[".repeat(deep), "]".repeat(deep));
        pve.reply("/nodes", json_text(body));
        assert_eq!(code(&client(&pve).nodes().await), "protocol", "{deep}");
    }
}

#[tokio::test]
async fn pages_are_no_proxmox() {
    let pve = Pve::start("pve8-cluster").await;
    let page = format!("<html>\0\u{1b}[31m<title>Please log in</title>{}</html>", "x".repeat(5000));
    pve.reply("/version", ok("text/html; charset=utf-8", page.as_bytes()));
    let failure = client(&pve).version().await.unwrap_err();
    assert_eq!(failure.class, Class::NotProxmox);
    assert!(failure.message.contains("text/html") && failure.message.contains("Please log in"), "{failure}");
    assert!(failure.message.chars().count() <= 400 && !failure.message.contains(char::is_control), "{failure}");
    for body in ["{\"version\":\"8.4\"}", "[]", "1", "null", "\"data\"", "{\"datum\":{}}"] {
        pve.reply("/version", json_text(body));
        let failure = client(&pve).version().await.unwrap_err();
        assert_eq!(failure.class, Class::NotProxmox, "{body}: {failure}");
    }
    for body in
        ["", "{\"data\":", "{\"data\":{\"version\":\"8\"}}x", "\u{feff}{}", "{\"data\":{\"version\":\"\u{1}\"}}"]
    {
        pve.reply("/version", json_text(body));
        assert_eq!(code(&client(&pve).version().await), "protocol", "{body}");
    }
    pve.reply("/version", json_text(b"{\"data\":{\"version\":\"\xff\"}}"));
    assert_eq!(code(&client(&pve).version().await), "protocol", "not UTF-8");
}

#[tokio::test]
async fn other_products_tell_no_version() {
    let pve = Pve::start("pve8-cluster").await;
    for data in [json!(null), json!({}), json!([]), json!({"release": "1"}), json!({"version": {"a": 1}}), json!("8.4")]
    {
        pve.reply("/version", Reply::Data(data.clone()));
        assert_eq!(code(&client(&pve).version().await), "not_proxmox", "{data}");
    }
}

#[tokio::test]
async fn null_is_no_empty_list() {
    let pve = Pve::start("pve8-cluster").await;
    for data in [json!(null), json!({}), json!("x"), json!(1)] {
        for path in ["/nodes", "/storage", "/cluster/status"] {
            pve.reply(path, Reply::Data(data.clone()));
        }
        let client = client(&pve);
        assert_eq!(code(&client.nodes().await), "protocol", "{data}");
        assert_eq!(code(&client.storages().await), "protocol", "{data}");
        assert_eq!(code(&client.status().await), "protocol", "{data}");
    }
    pve.reply("/access/permissions", Reply::Data(json!([])));
    pve.reply("/cluster/config/join", Reply::Data(json!(null)));
    assert_eq!(code(&client(&pve).permissions().await), "protocol");
    assert_eq!(code(&client(&pve).join().await), "protocol");
}

#[tokio::test]
async fn bad_items_do_not_spoil_a_list() {
    let pve = Pve::start("pve8-cluster").await;
    let items = json!([
        {"node": "pve1", "status": "online", "cpu": "0.5", "maxcpu": "8", "mem": 1e300, "maxmem": [], "level": null},
        {"status": "online"},
        {"node": 5},
        {"node": ""},
        {"node": "a\0b"},
        {"node": "pve2", "level": "\0"},
        "text", null, [], 7,
        {"node": "pve3", "status": {}, "uptime": -1, "unknown": {"deep": true}},
    ]);
    pve.reply("/nodes", Reply::Data(items));
    let nodes = client(&pve).nodes().await.unwrap();
    let names = nodes.items.iter().map(|node| node.node.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["pve1", "pve3"]);
    assert_eq!((nodes.items[0].cpu, nodes.items[0].maxcpu), (Some(0.5), Some(8)));
    assert_eq!((nodes.items[0].mem, nodes.items[0].maxmem, nodes.items[1].status.as_str()), (None, None, "unknown"));
    assert_eq!(nodes.skipped.len(), 9, "{:?}", nodes.skipped);
    assert_eq!(nodes.skipped[0], "item 2: it has no name");
    assert_eq!(nodes.skipped[3], "item 5 (ab): it has null characters");
    assert!(nodes.skipped.iter().all(|why| !why.contains('\0')));

    let items =
        json!([{"storage": "local", "type": "dir", "x\0": 1}, {"storage": "nfs", "port": "2049", "shared": "yes"}]);
    pve.reply("/storage", Reply::Data(items));
    let storages = client(&pve).storages().await.unwrap();
    assert_eq!((storages.items.len(), storages.skipped.len()), (1, 1));
    let nfs = &storages.items[0];
    assert_eq!((nfs.kind.as_deref(), nfs.int("port"), nfs.flag("shared")), (None, Some(2049), Some(true)));
}

#[tokio::test]
async fn compressed_answers_are_not_asked_for_and_not_read() {
    let pve = Pve::start("pve8-cluster").await;
    // The start of a gzip stream: nothing unpacks it.
    let body = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xed\xc1\x01\x0d";
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    pve.reply("/version", Reply::Raw([head.as_bytes(), body].concat()));
    assert_eq!(code(&client(&pve).version().await), "protocol");
    assert!(!pve.asked()[0].headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn what_is_no_http_ends_quickly() {
    let pve = Pve::start("pve8-cluster").await;
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(4 << 20));
    for bytes in [b"220 mail ESMTP\r\n".to_vec(), b"SSH-2.0-x\r\n".to_vec(), vec![0; 1000], many.into(), long.into()] {
        pve.reply("/version", Reply::Raw(bytes.clone()));
        let client = client_within(&pve, Rules { local: Duration::from_secs(5), ..rules() });
        let failure = client.version().await.unwrap_err();
        let start = String::from_utf8_lossy(&bytes[..10]).into_owned();
        assert!(["not_proxmox", "connect"].contains(&failure.class.code()), "{start}: {failure}");
    }
}
