//! The operations and what they leave behind: rows, change log, revisions, files.
mod cascades;
mod dump;
mod load;
mod retention;
mod revision;
mod secrets;
mod tokens;

use crate::support::{Backend, TestDb};
use proxbox_graphql::app::App;
use proxbox_graphql::db::{Db, DbOptions};
use proxbox_graphql::entity::change;
use proxbox_graphql::error::Result;
use proxbox_graphql::service::{self, Actor};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QueryResult, Statement};
use serde_json::{Value, json};

/// A little of everything: two endpoints, a group of three clusters and two strangers, rows from the future.
pub fn topology() -> Value {
    let future = "2099-01-01T00:00:00.000000Z";
    json!({
        "tags": [
            {"id": 1, "name": "a", "slug": "a", "color": "4caf50"},
            {"id": 2, "name": "b", "slug": "b", "color": "4caf50"},
        ],
        "netbox_clusters": [{"id": 1, "name": "n1", "display": "n1"}, {"id": 2, "name": "n2", "display": "n2"}],
        "netbox_devices": [{"id": 7, "name": "d7", "display": "d7"}, {"id": 8, "name": null, "display": "d8"}],
        "proxmox_endpoints": [
            {"id": 1, "name": "e1", "domain": "e1.example.com", "mode": "cluster", "tags": [1], "password": "canary-pw"},
            {"id": 2, "name": "e2", "ip_address": "192.0.2.2", "mode": "undefined", "tags": [2, 1]},
        ],
        "proxmox_clusters": [
            {"id": 1, "endpoint": 1, "netbox_cluster": 1, "name": "c1", "cluster_id": "G", "mode": "cluster", "tags": [2]},
            {"id": 2, "endpoint": 1, "name": "c2", "cluster_id": "G", "mode": "cluster"},
            {"id": 3, "endpoint": 2, "netbox_cluster": 1, "name": "c3", "cluster_id": "G", "mode": "cluster", "last_updated": future},
            {"id": 4, "endpoint": 2, "name": "c4", "cluster_id": "", "mode": "standalone"},
            {"id": 5, "endpoint": 2, "name": "c5", "cluster_id": "", "mode": "standalone"},
        ],
        "proxmox_nodes": [
            {"id": 1, "endpoint": 1, "proxmox_cluster": 1, "netbox_device": 7, "name": "p1", "tags": [1, 2]},
            {"id": 2, "endpoint": 2, "proxmox_cluster": 1, "name": "p2", "tags": [2], "last_updated": future},
            {"id": 3, "endpoint": 2, "proxmox_cluster": 3, "netbox_device": 7, "name": "p3", "last_updated": future},
        ],
        "proxmox_storages": [
            {"id": 1, "cluster": 1, "source": 1, "name": "s1", "last_updated": future},
            {"id": 2, "cluster": 1, "source": 2, "name": "s2", "tags": [1]},
            {"id": 3, "cluster": 2, "source": 4, "name": "s3"},
            {"id": 4, "cluster": 2, "source": null, "name": "s4", "tags": [1, 2]},
        ],
        "tokens": [{"name": "all", "value": "9".repeat(40), "permissions": [{"models": ["*"], "actions": ["view"]}]}],
        "next_id": 50,
    })
}

/// An endpoint as an operator gives it.
pub fn new_endpoint(name: &str) -> service::endpoint::Patch {
    service::endpoint::Patch {
        name: Some(Some(name.into())),
        domain: Some(Some(format!("{name}.example.com"))),
        ..Default::default()
    }
}

/// Loads a text; an error leaves nothing.
pub async fn try_load(app: &App, text: &str) -> Result<Option<i64>> {
    let file = service::load::parse(text.as_bytes())?;
    let mut tx = app.begin(Actor::program("load")).await?;
    service::load::load(&mut tx, &app.sealer, &app.pepper, file, &|_, _| ()).await?;
    tx.commit().await
}

/// The change log behind a revision, in order.
pub async fn changes_after(app: &App, revision: i64) -> Vec<change::Model> {
    let log = change::Entity::find().order_by_asc(change::Column::Revision).order_by_asc(change::Column::Ordinal);
    let log = log.all(&app.db.read).await.unwrap();
    log.into_iter().filter(|change| change.revision > revision).collect()
}

pub async fn dumped(app: &App, with_secrets: bool) -> String {
    let file = service::dump::dump(&app.db, with_secrets).await.unwrap();
    String::from_utf8(service::dump::to_text(&file).unwrap()).unwrap()
}

pub async fn ask(db: &Db, sql: &str) -> Vec<QueryResult> {
    db.read.query_all_raw(Statement::from_string(db.backend(), sql)).await.unwrap()
}

pub async fn number(db: &Db, sql: &str) -> i64 {
    ask(db, sql).await[0].try_get_by_index(0).unwrap()
}

pub async fn text(db: &Db, sql: &str) -> String {
    ask(db, sql).await[0].try_get_by_index(0).unwrap()
}

pub async fn execute(db: &Db, sql: &str) {
    db.write.execute_unprepared(sql).await.unwrap();
}

/// Another database on SQLite, in the folder of this one.
pub fn sqlite_beside(db: &TestDb, name: &str) -> TestDb {
    let url = format!("sqlite://{}?mode=rwc", db.folder.path().join(name).display());
    let options = DbOptions { url, ..db.options.clone() };
    TestDb { backend: Backend::Sqlite, options, folder: crate::support::folder() }
}

/// Everything that the database stores, as a thief of its disk would see it.
pub async fn stolen(db: &TestDb, app: &App) -> String {
    if db.backend == Backend::Sqlite {
        let files =
            std::fs::read_dir(db.folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        return files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    }
    let mut all = String::new();
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    for table in ask(&app.db, tables).await {
        let table: String = table.try_get_by_index(0).unwrap();
        for row in ask(&app.db, &format!("SELECT t::text FROM {table} AS t")).await {
            all += &row.try_get_by_index::<String>(0).unwrap();
        }
    }
    all
}
