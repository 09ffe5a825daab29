//! Many rows at once. Small in a usual run; large with `PROXBOX_TEST_LONG=1`, which prints its figures.
use super::lists::{cluster, endpoint, storage, tag};
use super::{ALL, compare, there};
use crate::support::{TestDb, both};
use proxbox_graphql::entity::Kind;
use proxbox_graphql::plugin;
use serde_json::json;
use std::time::{Duration, Instant};

async fn many_storages_are_written_at_once(db: TestDb) {
    let count = if std::env::var_os("PROXBOX_TEST_LONG").is_some() { 50_000 } else { 3_000 };
    let mut db = db;
    db.options.statement_timeout = Duration::from_secs(60);
    let here = db.open().await;
    let mut rows = vec![(Kind::Endpoint, endpoint(1, "one")), (Kind::Cluster, cluster(1, 1, "c1", Some(5)))];
    rows.extend((1..=count).map(|id| {
        let mut row = storage(id, 5 + id % 7, &format!("s{id}"));
        row["tags"] = json!([tag(id % 3 + 1, ["a", "b", "c"][(id % 3) as usize])]);
        (Kind::Storage, row)
    }));
    let read = there(&rows);
    let begun = Instant::now();
    let done = plugin::run(&here, &read, false, false).await.unwrap();
    let first = begun.elapsed();
    assert_eq!((done.of(Kind::Storage).new, done.is_whole()), (count as usize, true));
    let begun = Instant::now();
    assert_eq!(plugin::run(&here, &read, false, false).await.unwrap().revision, None);
    let second = begun.elapsed();
    let begun = Instant::now();
    assert!(compare(&here, &read, ALL).await.is_alike());
    println!(
        "{:?}: {count} storages: made in {first:.1?}, again in {second:.1?}, compared in {:.1?}",
        db.backend,
        begun.elapsed()
    );
}

both!(many_storages_are_written_at_once);
