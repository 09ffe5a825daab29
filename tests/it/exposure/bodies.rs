//! Bodies: slow ones, long ones, packed ones.
use super::{Live, request, roomy};
use crate::support::{ADMIN, TestDb, both, limits};
use flate2::Compression;
use flate2::write::GzEncoder;
use proxbox_graphql::server::RequestLimits;
use std::io::Write;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};

const TAGS: &str = "/api/extras/tags/";
const QUERY: &str = r#"{"query": "{ proxmoxNodes { totalCount } }"}"#;

/// Limits that a test can wait for.
fn impatient(idle: u64, total: u64) -> RequestLimits {
    let mut limits = limits();
    limits.load.body_idle = Duration::from_secs(idle);
    limits.load.body_total = Duration::from_secs(total);
    limits
}

async fn bodies_must_come_in_time(db: TestDb) {
    let live = Live::start(db.seeded().await, impatient(1, 3), roomy()).await;
    let begun = Instant::now();
    for (path, told) in [("/graphql", "\"TIMEOUT\""), (TAGS, "\"detail\":\"Nothing came of the body for 1 s.\"")] {
        let silent = live.say(&request("POST", path, "content-length: 50\r\n", "")).await;
        let half = live.say(&request("POST", path, "content-length: 50\r\n\r\n{\"query\"", "")).await;
        live.assert_serves().await;
        let answer = half.end().await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains(told), "{answer}");
        let answer = silent.end().await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // Whoever sends a byte now and then is cut off all the same.
    let mut dripping = live.say(&request("POST", TAGS, "content-length: 5000\r\n\r\n{", "")).await;
    assert!(dripping.drip(Duration::from_millis(200)).await >= Duration::from_secs(2));
    let figures = live.app.metrics.encode().unwrap();
    for reason in ["idle", "total"] {
        assert!(figures.contains(&format!("bodies_cut_total{{reason=\"{reason}\"}}")), "{figures}");
    }
    live.end().await;
}

async fn slow_bodies_are_read_for_longer_than_requests_may_take(db: TestDb) {
    let mut limits = limits();
    limits.timeout = Duration::from_secs(2);
    limits.rest.timeout = limits.timeout;
    let live = Live::start(db.seeded().await, limits, roomy()).await;
    let tag = r#"{"name": "slow", "slug": "slow"}"#;
    for (path, body, status) in [("/graphql", QUERY, 200), (TAGS, tag, 201)] {
        let text = request("POST", path, "connection: close\r\n", body);
        let (begun, rest) = text.split_at(text.len() - 20);
        let mut client = live.say(begun).await;
        for part in rest.as_bytes().chunks(5) {
            sleep(Duration::from_millis(800)).await;
            client.0.write_all(part).await.unwrap();
        }
        let answer = client.end().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    live.end().await;
}

async fn bodies_have_a_size(db: TestDb) {
    let live = Live::start(db.seeded().await, limits(), roomy()).await;
    let padded = |length: usize| format!("{{\"name\": \"{}\"}}", "x".repeat(length));
    let chunked = |length: usize| {
        let body = padded(length);
        let body = format!("{:x}\r\n{body}", body.len());
        request("PATCH", &format!("{TAGS}1/"), "transfer-encoding: chunked\r\nconnection: close\r\n", "") + &body
    };
    // One that says it, and one that does not.
    let said = request("POST", "/graphql", "connection: close\r\ncontent-length: 2000000\r\n", "");
    for (text, told) in [(said, "The body is longer than 1048576 bytes."), (chunked(1 << 20), "1048576 bytes")] {
        let answer = live.ask(&text).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains(told), "{answer}");
    }
    // Where many objects may be named there is more room.
    let many = format!("[{}]", vec![padded(1000); 2000].join(","));
    let answer = live.ask(&request("PATCH", TAGS, "connection: close\r\n", &many)).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("id"), "{answer}");
    let answer = live.ask(&request("PATCH", TAGS, "connection: close\r\ncontent-length: 9000000\r\n", "")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    live.assert_serves().await;
    live.end().await;
}

/// The bytes in gzip.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The answer to a request with these bytes as its body.
async fn post(live: &Live, path: &str, encoding: &str, body: &[u8]) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: proxbox.example.com\r\nauthorization: Token {ADMIN}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut client = live.say(&head).await;
    drop(client.0.write_all(body).await);
    client.end().await
}

async fn packed_bodies_count_when_they_are_unpacked(db: TestDb) {
    let live = Live::start(db.seeded().await, limits(), roomy()).await;
    let tag = br#"{"name": "packed", "slug": "packed"}"#;
    for (path, body, status) in [("/graphql", QUERY.as_bytes(), 200), (TAGS, tag, 201)] {
        let answer = post(&live, path, "gzip", &packed(body)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        // A bomb: a few kilobytes that come to many megabytes.
        let bomb = packed(&vec![b' '; 50 << 20]);
        assert!(bomb.len() < 100 << 10, "{}", bomb.len());
        let answer = post(&live, path, "gzip", &bomb).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        // Broken ones, and encodings that nobody knows here.
        let broken = [packed(body).split_last().unwrap().1.to_vec(), b"no gzip".to_vec()];
        for broken in broken {
            let answer = post(&live, path, "gzip", &broken).await;
            assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("read to its end"), "{answer}");
        }
        let answer = post(&live, path, "br", b"whatever").await;
        assert!(answer.starts_with("HTTP/1.1 415") && answer.contains("gzip"), "{answer}");
    }
    live.end().await;
}

both! {
    bodies_must_come_in_time,
    slow_bodies_are_read_for_longer_than_requests_may_take,
    bodies_have_a_size,
    packed_bodies_count_when_they_are_unpacked,
}
