//! Many slow clients of every kind at once, with an ordinary one among them.
use super::{Client, LIST, Live, SOON, request};
use crate::support::{TestDb, both, limits};
use proxbox_graphql::server::ConnectionLimits;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep};

/// Clients of each kind.
const EACH: usize = 60;

/// A client whose system keeps little for it, so that what it does not take stays with the server.
async fn narrow(live: &Live) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    Client(socket.connect(live.address).await.unwrap())
}

async fn slow_attacks_are_in_nobodys_way(db: TestDb) {
    let short = Duration::from_secs(2);
    let mut requests = limits();
    // Far fewer turns than attackers.
    requests.load.requests = 4;
    (requests.load.body_idle, requests.load.body_total) = (short, short * 2);
    let connections = ConnectionLimits { most: 1_000, most_each: 1_000, head: short, rest: short, write_idle: short };
    let live = Live::start(db.seeded().await, requests, connections).await;
    let body = request("POST", "/graphql", "content-length: 5000\r\n", "");
    let many = request("GET", "/api/schema/", "", "").repeat(100);
    let mut attackers = Vec::new();
    for _ in 0..EACH {
        attackers.push(live.connect().await);
        attackers.push(live.say("GET / HTTP/1.1\r\nx: ").await);
        attackers.push(live.say(&body).await);
        let mut reader = narrow(&live).await;
        // It may be refused before it has said all.
        drop(tokio::io::AsyncWriteExt::write_all(&mut reader.0, many.as_bytes()).await);
        attackers.push(reader);
    }
    let begun = Instant::now();
    loop {
        // With few turns and many who come for one, somebody may have to come again.
        let answer = live.ask(&request("GET", LIST, "connection: close\r\n", "")).await;
        assert!(answer.starts_with("HTTP/1.1 200") || answer.contains("retry-after"), "{answer}");
        let figures = live.app.metrics.encode().unwrap();
        if figures.contains("connections 0\n") {
            break;
        }
        assert!(begun.elapsed() < SOON * 2, "some are held: {figures}");
        sleep(Duration::from_millis(100)).await;
    }
    live.assert_serves().await;
    drop(attackers);
    live.end().await;
}

both! {
    slow_attacks_are_in_nobodys_way,
}
