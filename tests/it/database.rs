//! The databases themselves: time limits, migrations, wrong URLs.
use crate::support::{Backend, TestDb, both};
use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::db::{Db, DbOptions};
use proxbox_graphql::entity::{Kind, endpoint};
use proxbox_graphql::error::Error;
use proxbox_graphql::filter::{View, with_ids};
use proxbox_graphql::service::{self, read};
use sea_orm::{ConnectionTrait, Statement};
use std::time::Duration;

/// A statement that outlives its limit is stopped in the database, and the connection is good for the next one.
async fn a_slow_statement_is_stopped(db: TestDb) {
    db.open().await;
    let options = DbOptions { statement_timeout: Duration::from_millis(200), connections: 1, ..db.options.clone() };
    let limited = Db::connect(&options).await.unwrap();
    let slow = match db.backend {
        Backend::Postgres => "SELECT pg_sleep(60)::text",
        Backend::Sqlite => "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n",
    };
    for _ in 0..2 {
        let error = limited.read.query_one_raw(Statement::from_string(limited.backend(), slow)).await.unwrap_err();
        assert!(matches!(Error::from(error), Error::Timeout));
        limited.ping().await.unwrap();
    }
}

/// Reading goes on while a transaction writes, and sees nothing of it before its commit.
async fn readers_do_not_wait_for_a_writer(db: TestDb) {
    let app = db.seeded().await;
    let tx = app.begin(proxbox_graphql::service::Actor::operator()).await.unwrap();
    tx.connection().execute_unprepared("UPDATE tag SET name = 'other' WHERE id = 1").await.unwrap();
    let count = Statement::from_string(app.db.backend(), "SELECT COUNT(*) FROM tag WHERE name = 'other'");
    let row = app.db.read.query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0);
}

/// A connection prepares a text once, for the types of its first parameters: a row that is looked up by a filter and by
/// its id must not be asked for in the same words.
async fn a_row_is_looked_up_in_every_way_on_one_connection(db: TestDb) {
    db.seeded().await;
    for by_filter_first in [true, false] {
        let one = Db::connect(&DbOptions { connections: 1, ..db.options.clone() }).await.unwrap();
        for by_filter in [by_filter_first, !by_filter_first, by_filter_first] {
            let name = if by_filter {
                let filter = with_ids(Kind::Endpoint, &[1]);
                read::find::<endpoint::Entity>(&one, &View::everything(), &filter).await.unwrap().unwrap().name.clone()
            } else {
                service::endpoint::by_id(&one, 1).await.unwrap().name
            };
            assert_eq!(name, "prod-proxmox");
        }
    }
}

/// Several servers that start at once on an empty database all come up.
async fn servers_may_start_together(db: TestDb) {
    if db.backend == Backend::Postgres {
        // The test's database has its tables already; here they are to be made.
        let admin = Db::connect(&db.options).await.unwrap();
        admin.write.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    }
    let starting = (0..4).map(|_| {
        let (options, key) = (db.options.clone(), db.key());
        tokio::spawn(async move { App::open(&options, &key, Schema::Migrate, Settings::default()).await.map(drop) })
    });
    for started in starting.collect::<Vec<_>>() {
        started.await.unwrap().unwrap();
    }
}

/// With `--no-migrate` an old schema is refused, by the names of what it lacks.
async fn an_old_schema_is_refused(db: TestDb) {
    if db.backend == Backend::Postgres {
        let admin = Db::connect(&db.options).await.unwrap();
        admin.write.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    }
    let error = App::open(&db.options, &db.key(), Schema::Check, Settings::default()).await.unwrap_err();
    assert!(error.to_string().contains("m0001_topology"), "{error}");
}

both!(
    a_slow_statement_is_stopped,
    readers_do_not_wait_for_a_writer,
    a_row_is_looked_up_in_every_way_on_one_connection,
    servers_may_start_together,
    an_old_schema_is_refused,
);

#[tokio::test]
async fn wrong_urls_are_refused_without_repeating_them() {
    for url in ["mysql://user:canary@host/db", "sqlite::memory:", "sqlite://x?mode=memory", "postgres://u:canary@[/x"] {
        let options = DbOptions { url: url.into(), connections: 1, statement_timeout: Duration::from_secs(1) };
        let error = Db::connect(&options).await.unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}
