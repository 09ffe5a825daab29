//! Revisions: gap-free, in commit order, whoever writes.
use super::{changes_after, number};
use crate::support::{TestDb, both};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Kind, token as token_row};
use proxbox_graphql::service::token::{self, NewToken, random_value};
use proxbox_graphql::service::{Actor, Tx};
use sea_orm::EntityTrait;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn named(name: &str) -> NewToken {
    NewToken {
        name: name.into(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions: Vec::new(),
    }
}

async fn make(tx: &mut Tx, app: &App, name: &str) -> i32 {
    token::create(tx, &app.pepper, named(name), &random_value(false)).await.unwrap().id
}

async fn begin(app: &App) -> Tx {
    app.begin(Actor::program("writer")).await.unwrap()
}

/// Writes many times at once through these programs, some without a commit, while readers look on.
async fn storm(apps: &[App], writers: usize) {
    let done = Arc::new(AtomicBool::new(false));
    let readers = apps.iter().cycle().take(3).map(|app| {
        let (app, done) = (app.clone(), done.clone());
        tokio::spawn(async move {
            let (mut newest, mut looks) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                let sql = "SELECT COALESCE(MAX(revision), 0), COUNT(DISTINCT revision), \
                    (SELECT COUNT(*) FROM api_token), COUNT(*), (SELECT value FROM revision) FROM change";
                let row = super::ask(&app.db, sql).await.pop().unwrap();
                let cell = |i| row.try_get_by_index::<i64>(i).unwrap();
                assert_eq!(cell(0), cell(1), "a revision is visible before an earlier one");
                assert_eq!(cell(2), cell(3), "a row is visible without its change");
                assert_eq!(cell(0), cell(4));
                assert!(cell(0) >= newest);
                (newest, looks) = (cell(0), looks + 1);
            }
            looks
        })
    });
    let readers = readers.collect::<Vec<_>>();
    let watchers = apps.iter().map(|app| {
        let mut events = app.events.subscribe();
        tokio::spawn(async move {
            let mut newest = 0;
            while events.changed().await.is_ok() {
                let revision = *events.borrow_and_update();
                assert!(revision > newest, "{revision} after {newest}");
                newest = revision;
            }
        })
    });
    let watchers = watchers.collect::<Vec<_>>();
    let tasks = (0..writers).map(|i| {
        let app = apps[i % apps.len()].clone();
        tokio::spawn(async move {
            let mut tx = begin(&app).await;
            let count = 1 + i % 3;
            for j in 0..count {
                make(&mut tx, &app, &format!("t-{i}-{j}")).await;
            }
            if i % 4 == 3 {
                drop(tx);
                return None;
            }
            let revision = tx.commit().await.unwrap().unwrap();
            let visible = format!("SELECT COUNT(DISTINCT revision) FROM change WHERE revision <= {revision}");
            assert_eq!(number(&app.db, &visible).await, revision);
            assert!(*app.events.subscribe().borrow() >= revision);
            Some((revision, count))
        })
    });
    let tasks = tasks.collect::<Vec<_>>();
    let mut committed = BTreeMap::new();
    for task in tasks {
        committed.extend(task.await.unwrap());
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    let expected = writers as i64 - writers as i64 / 4;
    assert_eq!(committed.keys().copied().collect::<Vec<_>>(), (1..=expected).collect::<Vec<_>>());
    let mut logged: BTreeMap<i64, Vec<i32>> = BTreeMap::new();
    for change in changes_after(&apps[0], 0).await {
        logged.entry(change.revision).or_default().push(change.ordinal);
    }
    let ordinals = committed.iter().map(|(revision, count)| (*revision, (0..*count as i32).collect::<Vec<_>>()));
    assert_eq!(logged, ordinals.collect());
    let newest = apps.iter().map(|app| *app.events.subscribe().borrow()).max();
    assert_eq!(newest, Some(expected));
    watchers.iter().for_each(|watcher| watcher.abort());
    for watcher in watchers {
        assert!(watcher.await.is_err_and(|error| error.is_cancelled()), "announced out of order");
    }
}

async fn sixty_four_writers_get_gap_free_revisions_in_commit_order(db: TestDb) {
    storm(&[db.open().await], 64).await;
}

async fn two_servers_on_one_database_agree(db: TestDb) {
    storm(&[db.open().await, db.open().await], 32).await;
}

async fn nothing_changed_is_no_revision(db: TestDb) {
    let app = db.open().await;
    let events = app.events.subscribe();
    assert_eq!(begin(&app).await.commit().await.unwrap(), None);
    let mut tx = begin(&app).await;
    let same = json!({"name": "x", "last_updated": "2026-01-01T00:00:00.000000Z"});
    let later = json!({"name": "x", "last_updated": "2027-01-01T00:00:00.000000Z"});
    tx.updated(Kind::Node, 1, same, later);
    assert_eq!(tx.commit().await.unwrap(), None);
    assert_eq!(number(&app.db, "SELECT value FROM revision").await, 0);
    assert!(!events.has_changed().unwrap());
}

async fn a_dropped_transaction_leaves_nothing(db: TestDb) {
    let app = db.open().await;
    let events = app.events.subscribe();
    let mut tx = begin(&app).await;
    make(&mut tx, &app, "dropped").await;
    drop(tx);
    assert!(token::list(&app.db).await.unwrap().is_empty());
    assert!(!events.has_changed().unwrap());
    let mut tx = begin(&app).await;
    make(&mut tx, &app, "kept").await;
    assert_eq!(tx.commit().await.unwrap(), Some(1));
    assert_eq!(*events.borrow(), 1);
}

async fn what_is_not_committed_is_not_visible(db: TestDb) {
    let app = db.open().await;
    let mut tx = begin(&app).await;
    make(&mut tx, &app, "later").await;
    // Readers do not wait for the writer either.
    assert!(token::list(&app.db).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(token::list(&app.db).await.unwrap().len(), 1);
}

async fn the_use_of_a_token_advances_nothing(db: TestDb) {
    let app = db.open().await;
    let mut tx = begin(&app).await;
    let id = make(&mut tx, &app, "t").await;
    tx.commit().await.unwrap();
    let events = app.events.subscribe();
    let used = async || token_row::Entity::find_by_id(id).one(&app.db.read).await.unwrap().unwrap().last_used;
    assert_eq!(used().await, None);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let tx = begin(&app).await;
        token::touch(&tx, id).await.unwrap();
        assert_eq!(tx.commit().await.unwrap(), None);
        seen.push(used().await);
    }
    assert!(seen[0].is_some() && seen[0] == seen[1], "at most once a minute: {seen:?}");
    assert_eq!(number(&app.db, "SELECT value FROM revision").await, 1);
    assert_eq!(number(&app.db, "SELECT COUNT(*) FROM change").await, 1);
    assert!(!events.has_changed().unwrap());
}

async fn a_restart_goes_on_where_it_ended(db: TestDb) {
    let app = db.open().await;
    let mut tx = begin(&app).await;
    make(&mut tx, &app, "first").await;
    tx.commit().await.unwrap();
    app.close().await.unwrap();
    let app = db.open().await;
    assert_eq!(*app.events.subscribe().borrow(), 1);
    let mut tx = begin(&app).await;
    make(&mut tx, &app, "second").await;
    assert_eq!(tx.commit().await.unwrap(), Some(2));
}

both!(
    sixty_four_writers_get_gap_free_revisions_in_commit_order,
    two_servers_on_one_database_agree,
    nothing_changed_is_no_revision,
    a_dropped_transaction_leaves_nothing,
    what_is_not_committed_is_not_visible,
    the_use_of_a_token_advances_nothing,
    a_restart_goes_on_where_it_ended,
);
