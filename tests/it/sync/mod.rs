//! Syncing from a Proxmox VE over real TLS: what it sees, what it believes, and what becomes of the rows.
mod faults;
mod groups;
mod lease;
mod links;
mod property;
mod rows;
mod scale;
mod sequences;
mod situations;

use crate::support::TestDb;
use crate::support::pve::{Pve, TOKEN_SECRET};
use proxbox_graphql::app::{App, Settings, SyncSettings};
use proxbox_graphql::client::proxmox::Rules;
use proxbox_graphql::entity::{cluster, endpoint, netbox_cluster, node, revision, storage, sync_change, sync_run};
use proxbox_graphql::service::batch::{Mode, Operation};
use proxbox_graphql::service::endpoint::Patch;
use proxbox_graphql::service::{Actor, Writable, sync_run as runs};
use proxbox_graphql::sync;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::Value;
use std::time::Duration;

/// Settings under which this machine may be asked, and faults do not take long.
pub fn settings() -> Settings {
    let client = Rules { allow_loopback: true, retry_base: Duration::from_millis(2), ..Rules::default() };
    Settings { sync: SyncSettings { client, ..SyncSettings::default() }, ..Settings::default() }
}

/// A program with one endpoint.
pub struct Scene {
    pub app: App,
    pub pve: Pve,
    pub endpoint: i32,
}

impl Scene {
    pub async fn new(db: &TestDb, variant: &str) -> Self {
        let app = db.open_with(settings()).await;
        let pve = Pve::start(variant).await;
        let endpoint = add(&app, "one", &pve).await;
        Self { app, pve, endpoint }
    }

    /// A run to its end.
    pub async fn sync(&self) -> sync_run::Model {
        sync_one(&self.app, self.endpoint).await
    }

    /// What a run would do.
    pub async fn dry_run(&self) -> (sync_run::Model, Vec<sync_change::Model>) {
        let run = sync::finish(&self.app, &Actor::operator(), &[self.endpoint], true, false).await.unwrap().remove(0);
        let changes = runs::changes(&self.app.db, run.id).await.unwrap();
        (run, changes)
    }

    pub async fn endpoint_row(&self) -> endpoint::Model {
        endpoint::Entity::find_by_id(self.endpoint).one(&self.app.db.read).await.unwrap().unwrap()
    }
}

/// An endpoint whose certificate is pinned.
pub async fn add(app: &App, name: &str, pve: &Pve) -> i32 {
    let patch = Patch {
        name: Some(Some(name.into())),
        ip_address: Some(Some("127.0.0.1".into())),
        port: Some(Some(pve.port().into())),
        username: Some(Some("sync@pve".into())),
        token_name: Some(Some("full".into())),
        token_value: Some(Some(TOKEN_SECRET.into())),
        tls_fingerprint: Some(Some(pve.fingerprint())),
        ..Patch::default()
    };
    write_endpoint(app, Operation::Create(patch)).await
}

pub async fn write_endpoint(app: &App, operation: Operation<Patch>) -> i32 {
    write::<endpoint::Model>(app, operation).await
}

/// Writes one row as every door does; its id.
pub async fn write<M: Writable>(app: &App, operation: Operation<M::Patch>) -> i32 {
    let outcome = app.write::<M>(Actor::operator(), &[operation], Mode::AllOrNothing).await.unwrap();
    outcome.results.into_iter().next().unwrap().unwrap().id
}

pub async fn patch_endpoint(app: &App, id: i32, patch: Patch) {
    write_endpoint(app, Operation::Update { id, if_last_updated: None, patch }).await;
}

pub async fn sync_one(app: &App, endpoint: i32) -> sync_run::Model {
    sync::finish(app, &Actor::operator(), &[endpoint], false, false).await.unwrap().remove(0)
}

pub async fn clusters(app: &App) -> Vec<cluster::Model> {
    cluster::Entity::find().order_by_asc(cluster::Column::Id).all(&app.db.read).await.unwrap()
}

pub async fn nodes(app: &App) -> Vec<node::Model> {
    node::Entity::find().order_by_asc(node::Column::Name).all(&app.db.read).await.unwrap()
}

pub async fn node(app: &App, name: &str) -> node::Model {
    nodes(app).await.into_iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no node {name}"))
}

pub async fn storages(app: &App) -> Vec<storage::Model> {
    storage::Entity::find().order_by_asc(storage::Column::Name).all(&app.db.read).await.unwrap()
}

pub async fn storage(app: &App, name: &str) -> storage::Model {
    storages(app).await.into_iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no storage {name}"))
}

pub async fn references(app: &App) -> Vec<netbox_cluster::Model> {
    netbox_cluster::Entity::find().order_by_asc(netbox_cluster::Column::Id).all(&app.db.read).await.unwrap()
}

/// Everything that sync writes, to see that nothing was written.
pub async fn everything(app: &App) -> String {
    let revision = revision::Entity::find_by_id(1).one(&app.db.read).await.unwrap().unwrap().value;
    format!(
        "{revision} {:?} {:?} {:?} {:?}",
        clusters(app).await,
        nodes(app).await,
        storages(app).await,
        references(app).await
    )
}

pub fn verdict<'a>(run: &'a sync_run::Model, kind: &str) -> &'a str {
    run.verdicts.0[kind]["verdict"].as_str().unwrap_or_default()
}

pub fn classes(run: &sync_run::Model) -> Vec<&str> {
    run.errors.0.as_array().unwrap().iter().map(|error| error["class"].as_str().unwrap()).collect()
}

pub fn count(run: &sync_run::Model, name: &str) -> i64 {
    run.counts.0.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether some notice holds these words.
pub fn notes(run: &sync_run::Model, words: &str) -> bool {
    run.notices.0.as_array().unwrap().iter().any(|notice| notice.as_str().unwrap().contains(words))
}
