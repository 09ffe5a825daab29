//! Too much at once: what is refused, what ends, and that it goes on as before.
use super::{LIST, Live, SOON, request, roomy};
use crate::support::{Backend, TestDb, both, limits};
use proxbox_graphql::service::Actor;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const TAG: &str = "/api/extras/tags/1/";

/// Waits until the figures say so.
async fn until(live: &Live, figure: &str) {
    let begun = Instant::now();
    while !live.app.metrics.encode().unwrap().contains(figure) {
        assert!(begun.elapsed() < SOON, "no {figure}: {}", live.app.metrics.encode().unwrap());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn who_waits_for_its_client_is_in_nobodys_way(db: TestDb) {
    let mut one = limits();
    one.load.requests = 1;
    let live = Live::start(db.seeded().await, one, roomy()).await;
    let text = request("PATCH", TAG, "expect: 100-continue\r\nconnection: close\r\n", "{}");
    let (begun, rest) = text.split_at(text.len() - 1);
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut client = live.say(begun).await;
        client.is_expected().await;
        slow.push(client);
        // It is its turn until the server sees that nothing more comes.
        let begun = Instant::now();
        while !live.ask(&request("GET", LIST, "connection: close\r\n", "")).await.starts_with("HTTP/1.1 200") {
            assert!(begun.elapsed() < SOON);
        }
    }
    for mut client in slow {
        client.say(rest).await;
        let answer = client.end().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    live.end().await;
}

async fn bodies_share_the_memory(db: TestDb) {
    let mut tight = limits();
    tight.load.memory = 100_000;
    let live = Live::start(db.seeded().await, tight, roomy()).await;
    let body = format!("{{\"x\": \"{}\"}}", "x".repeat(60_000));
    let text = request("PATCH", TAG, "connection: close\r\n", &body);
    let (begun, rest) = text.split_at(text.len() - 1);
    let mut first = live.say(begun).await;
    let begun = Instant::now();
    let refused = loop {
        let answer = live.ask(&text).await;
        if !answer.starts_with("HTTP/1.1 200") {
            break answer;
        }
        assert!(begun.elapsed() < SOON, "there is room for both");
    };
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
    live.assert_serves().await;
    first.say(rest).await;
    assert!(first.end().await.starts_with("HTTP/1.1 200"));
    assert!(live.ask(&text).await.starts_with("HTTP/1.1 200"), "the memory is free again");
    until(&live, "requests_shed_total{reason=\"memory\"} 1\n").await;
    live.end().await;
}

/// Statements that PostgreSQL is busy with, but for this one.
async fn at_work(live: &Live) -> i64 {
    let text = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND datname = \
                current_database() AND backend_type = 'client backend'";
    let row = live.app.db.read.query_one_raw(Statement::from_string(DbBackend::Postgres, text)).await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn work_that_takes_too_long_ends_and_gives_back_what_it_took(mut db: TestDb) {
    let backend = db.backend;
    db.options.statement_timeout = Duration::from_secs(3);
    let mut few = limits();
    few.load.requests = 12;
    (few.timeout, few.rest.timeout) = (Duration::from_secs(2), Duration::from_secs(2));
    let live = Live::start(db.seeded().await, few, roomy()).await;
    // Somebody keeps the row, or the whole file.
    let holder = live.app.begin(Actor::program("test")).await.unwrap();
    if backend == Backend::Postgres {
        let lock = Statement::from_string(DbBackend::Postgres, "SELECT id FROM tag WHERE id = 1 FOR UPDATE");
        holder.connection().query_one_raw(lock).await.unwrap().unwrap();
    }
    let write = request("PATCH", TAG, "connection: close\r\n", r#"{"name": "other"}"#);
    let mut stuck = Vec::new();
    for _ in 0..12 {
        stuck.push(live.say(&write).await);
    }
    sleep(Duration::from_millis(500)).await;
    let shed = live.ask(&request("GET", LIST, "connection: close\r\n", "")).await;
    assert!(shed.starts_with("HTTP/1.1 503") && shed.contains("\r\nretry-after: 1\r\n"), "{shed}");
    for client in stuck {
        let answer = client.end().await;
        assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("took too long"), "{answer}");
    }
    let begun = Instant::now();
    // But for the holder's.
    while backend == Backend::Postgres && at_work(&live).await > 1 {
        assert!(begun.elapsed() < SOON, "statements go on for nobody");
        sleep(Duration::from_millis(50)).await;
    }
    live.assert_serves().await;
    drop(holder);
    // All connections are there again.
    for _ in 0..12 {
        let answer = live.ask(&write).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    live.end().await;
}

both! {
    who_waits_for_its_client_is_in_nobodys_way,
    bodies_share_the_memory,
    work_that_takes_too_long_ends_and_gives_back_what_it_took,
}
