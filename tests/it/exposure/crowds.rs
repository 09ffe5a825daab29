//! Too much at once: what is refused, what ends, and that it goes on as before.
use super::{LIST, Live, SOON, request, roomy};
use crate::support::{Backend, TestDb, both, limits};
use proxbox_graphql::service::Actor;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// As many as the database has connections, and some.
const TURNS: usize = 12;

const TAG: &str = "/api/extras/tags/1/";

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
    live.until(&format!("bodies_bytes {}\n", body.len() - 1)).await;
    let refused = live.ask(&text).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
    live.assert_serves().await;
    first.say(rest).await;
    assert!(first.end().await.starts_with("HTTP/1.1 200"));
    assert!(live.ask(&text).await.starts_with("HTTP/1.1 200"), "the memory is free again");
    live.until("requests_shed_total{reason=\"memory\"} 1\n").await;
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
    db.options.statement_timeout = Duration::from_secs(6);
    let mut few = limits();
    few.load.requests = TURNS;
    (few.timeout, few.rest.timeout) = (Duration::from_secs(5), Duration::from_secs(5));
    let live = Live::start(db.seeded().await, few, roomy()).await;
    // Somebody keeps the row, or the whole file.
    let holder = live.app.begin(Actor::program("test")).await.unwrap();
    if backend == Backend::Postgres {
        let lock = Statement::from_string(DbBackend::Postgres, "SELECT id FROM tag WHERE id = 1 FOR UPDATE");
        holder.connection().query_one_raw(lock).await.unwrap().unwrap();
    }
    let write = request("PATCH", TAG, "connection: close\r\n", r#"{"name": "other"}"#);
    let mut crowd = Vec::new();
    for _ in 0..TURNS * 2 {
        crowd.push(live.say(&write).await);
    }
    let (mut late, mut shed) = (0, 0);
    for client in crowd {
        let answer = client.end().await;
        let is_late = answer.starts_with("HTTP/1.1 504") && answer.contains("took too long");
        let is_shed = answer.starts_with("HTTP/1.1 503") && answer.contains("\r\nretry-after: 1\r\n");
        assert!(is_late || is_shed, "{answer}");
        (late, shed) = (late + usize::from(is_late), shed + usize::from(is_shed));
    }
    assert_eq!((late, shed), (TURNS, TURNS));
    let begun = Instant::now();
    // But for the holder's.
    while backend == Backend::Postgres && at_work(&live).await > 1 {
        assert!(begun.elapsed() < SOON, "statements go on for nobody");
        sleep(Duration::from_millis(50)).await;
    }
    live.assert_serves().await;
    drop(holder);
    // All connections are there again.
    for _ in 0..TURNS {
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
