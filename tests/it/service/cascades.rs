//! What a deletion takes along, and what the change log says about it.
use super::{ask, changes_after, dumped, execute, new_endpoint, number, topology};
use crate::support::{TestDb, both, fill, runs};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{
    Action, Kind, RunState, change, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag,
};
use proxbox_graphql::error::{Error, Result};
use proxbox_graphql::service::{Actor, Tx, create, delete, sync_run};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LISTS: [(&str, Kind); 7] = [
    ("tags", Kind::Tag),
    ("netbox_clusters", Kind::NetBoxCluster),
    ("netbox_devices", Kind::NetBoxDevice),
    ("proxmox_endpoints", Kind::Endpoint),
    ("proxmox_clusters", Kind::Cluster),
    ("proxmox_nodes", Kind::Node),
    ("proxmox_storages", Kind::Storage),
];

type Rows = BTreeMap<(String, i64), Value>;

/// All rows by table and id, with slugs as tags, as the change log has them.
async fn rows(app: &App, slugs: &BTreeMap<i64, String>) -> Rows {
    let dump: Value = serde_json::from_str(&dumped(app, false).await).unwrap();
    let mut rows = Rows::new();
    for (list, kind) in LISTS {
        for row in dump[list].as_array().unwrap() {
            let mut row = row.clone();
            if let Some(tags) = row.get_mut("tags") {
                let mut names =
                    tags.as_array().unwrap().iter().map(|id| &slugs[&id.as_i64().unwrap()]).collect::<Vec<_>>();
                names.sort();
                *tags = json!(names);
            }
            rows.insert((kind.table().to_owned(), row["id"].as_i64().unwrap()), row);
        }
    }
    rows
}

/// A document of the log says what the row says.
fn agrees(document: Option<&Value>, row: &Value) {
    let document = document.unwrap();
    for (key, value) in row.as_object().unwrap() {
        assert_eq!(&document[key], value, "{key} of {document}");
    }
    let text = document.to_string();
    assert!(!text.contains("canary") && !text.contains("v1."), "{text}");
}

/// Runs an operation and holds the change log against the rows before and after; returns what is left and the log.
async fn watched(app: &App, operation: impl AsyncFnOnce(&mut Tx) -> Result<()>) -> (Rows, Vec<change::Model>) {
    let slugs = BTreeMap::from([(1, "a".to_owned()), (2, "b".to_owned())]);
    let before = rows(app, &slugs).await;
    let newest = *app.events.subscribe().borrow();
    let mut tx = app.begin(Actor { request_id: Some("r-1".into()), ..Actor::program("token:t") }).await.unwrap();
    operation(&mut tx).await.unwrap();
    assert_eq!(tx.commit().await.unwrap(), Some(newest + 1));
    let after = rows(app, &slugs).await;
    let log = changes_after(app, newest).await;
    let mut told = log
        .iter()
        .map(|change| ((change.object_type.clone().unwrap(), i64::from(change.object_id.unwrap())), change))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(told.len(), log.len(), "one change an object");
    for (ordinal, change) in log.iter().enumerate() {
        assert_eq!(change.ordinal, ordinal as i32);
        assert_eq!((change.actor.as_str(), change.request_id.as_deref()), ("token:t", Some("r-1")));
    }
    for (key, old) in &before {
        match after.get(key) {
            Some(new) if new == old => assert!(!told.contains_key(key), "{key:?} did not change"),
            Some(new) => {
                let change = told.remove(key).unwrap_or_else(|| panic!("{key:?} changed silently"));
                assert_eq!(change.action, Action::Updated);
                agrees(change.before.as_ref().map(|json| &json.0), old);
                agrees(change.after.as_ref().map(|json| &json.0), new);
                let differing = new.as_object().unwrap().iter().filter(|(name, value)| old[*name] != **value);
                let differing = differing.map(|(name, _)| name.as_str()).filter(|name| *name != "last_updated");
                assert_eq!(change.changed.0, json!(differing.collect::<Vec<_>>()));
                assert!(new["last_updated"].as_str() > old["last_updated"].as_str(), "{key:?}: {old} {new}");
            }
            None => {
                let change = told.remove(key).unwrap_or_else(|| panic!("{key:?} went silently"));
                assert_eq!((change.action, change.after.clone()), (Action::Deleted, None));
                assert_eq!(change.changed.0, json!([]));
                agrees(change.before.as_ref().map(|json| &json.0), old);
            }
        }
    }
    assert!(told.is_empty(), "{told:?}");
    let orphans = "SELECT COUNT(*) FROM tag_assignment AS t WHERE \
        (object_type = 'proxmox_endpoint' AND object_id NOT IN (SELECT id FROM proxmox_endpoint)) OR \
        (object_type = 'proxmox_cluster' AND object_id NOT IN (SELECT id FROM proxmox_cluster)) OR \
        (object_type = 'proxmox_node' AND object_id NOT IN (SELECT id FROM proxmox_node)) OR \
        (object_type = 'proxmox_storage' AND object_id NOT IN (SELECT id FROM proxmox_storage))";
    assert_eq!(number(&app.db, orphans).await, 0);
    (after, log)
}

async fn small(db: &TestDb) -> App {
    let app = db.open().await;
    fill(&app, &topology().to_string()).await;
    app
}

fn at<'a>(rows: &'a Rows, table: &str, id: i64) -> &'a Value {
    &rows[&(table.to_owned(), id)]
}

fn ids(rows: &Rows, table: &str) -> Vec<i64> {
    rows.keys().filter(|(name, _)| name == table).map(|(_, id)| *id).collect()
}

async fn an_endpoint_takes_its_clusters_and_nodes(db: TestDb) {
    let app = small(&db).await;
    let (rows, log) = watched(&app, async |tx| delete::<endpoint::Model>(tx, 1, None).await).await;
    assert_eq!(ids(&rows, "proxmox_endpoint"), [2]);
    assert_eq!(ids(&rows, "proxmox_cluster"), [3, 4, 5]);
    assert_eq!(ids(&rows, "proxmox_node"), [2, 3]);
    assert_eq!(ids(&rows, "proxmox_storage"), [1, 2, 3, 4]);
    // A node of another endpoint stays; the heir of both clusters is the one of the group that stays.
    assert_eq!(at(&rows, "proxmox_node", 2)["proxmox_cluster"], json!(null));
    assert_eq!(at(&rows, "proxmox_storage", 1)["source"], 3);
    assert_eq!(at(&rows, "proxmox_storage", 2)["source"], 3);
    // Children before their parents.
    let last = log.last().unwrap();
    assert_eq!((last.object_type.as_deref(), last.object_id), (Some("proxmox_endpoint"), Some(1)));
    assert_eq!(last.before.as_ref().unwrap().0["has_password"], true);
}

async fn the_last_of_a_group_leaves_no_source(db: TestDb) {
    let app = small(&db).await;
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    delete::<cluster::Model>(&mut tx, 3, None).await.unwrap();
    tx.commit().await.unwrap();
    let (rows, _) = watched(&app, async |tx| delete::<endpoint::Model>(tx, 1, None).await).await;
    assert_eq!(at(&rows, "proxmox_storage", 1)["source"], json!(null));
    assert_eq!(at(&rows, "proxmox_storage", 2)["source"], json!(null));
}

async fn a_cluster_leaves_its_nodes_and_bequeaths_its_storages(db: TestDb) {
    let app = small(&db).await;
    let (rows, _) = watched(&app, async |tx| delete::<cluster::Model>(tx, 1, None).await).await;
    assert_eq!(ids(&rows, "proxmox_node"), [1, 2, 3]);
    assert_eq!(at(&rows, "proxmox_node", 1)["proxmox_cluster"], json!(null));
    assert_eq!(at(&rows, "proxmox_node", 2)["proxmox_cluster"], json!(null));
    assert_eq!(at(&rows, "proxmox_node", 2)["last_updated"], "2099-01-01T00:00:00.000001Z");
    assert_eq!(at(&rows, "proxmox_storage", 1)["source"], 2);
    assert_eq!(at(&rows, "proxmox_storage", 1)["last_updated"], "2099-01-01T00:00:00.000001Z");
}

async fn unknown_groups_have_no_heirs(db: TestDb) {
    let app = small(&db).await;
    let (rows, _) = watched(&app, async |tx| delete::<cluster::Model>(tx, 4, None).await).await;
    assert_eq!(at(&rows, "proxmox_storage", 3)["source"], json!(null));
}

async fn a_netbox_cluster_takes_its_storages(db: TestDb) {
    let app = small(&db).await;
    let (rows, _) = watched(&app, async |tx| delete::<netbox_cluster::Model>(tx, 1, None).await).await;
    assert_eq!(ids(&rows, "netbox_cluster"), [2]);
    assert_eq!(ids(&rows, "proxmox_storage"), [3, 4]);
    assert_eq!(ids(&rows, "proxmox_cluster"), [1, 2, 3, 4, 5]);
    assert_eq!(at(&rows, "proxmox_cluster", 1)["netbox_cluster"], json!(null));
    assert_eq!(at(&rows, "proxmox_cluster", 3)["netbox_cluster"], json!(null));
}

async fn a_netbox_device_leaves_its_nodes(db: TestDb) {
    let app = small(&db).await;
    let (rows, _) = watched(&app, async |tx| delete::<netbox_device::Model>(tx, 7, None).await).await;
    assert_eq!(ids(&rows, "netbox_device"), [8]);
    assert_eq!(at(&rows, "proxmox_node", 1)["netbox_device"], json!(null));
    assert_eq!(at(&rows, "proxmox_node", 3)["netbox_device"], json!(null));
}

async fn a_tag_leaves_its_objects(db: TestDb) {
    let app = small(&db).await;
    let (rows, log) = watched(&app, async |tx| delete::<tag::Model>(tx, 2, None).await).await;
    assert_eq!(ids(&rows, "tag"), [1]);
    assert_eq!(at(&rows, "proxmox_endpoint", 2)["tags"], json!(["a"]));
    assert_eq!(at(&rows, "proxmox_cluster", 1)["tags"], json!([]));
    assert_eq!(at(&rows, "proxmox_node", 2)["tags"], json!([]));
    assert_eq!(at(&rows, "proxmox_storage", 4)["tags"], json!(["a"]));
    assert_eq!(log.len(), 6, "five objects and the tag");
}

async fn nodes_and_storages_go_with_their_tags(db: TestDb) {
    let app = small(&db).await;
    let (rows, _) = watched(&app, async |tx| {
        delete::<node::Model>(tx, 1, None).await?;
        delete::<storage::Model>(tx, 4, None).await
    })
    .await;
    assert_eq!((ids(&rows, "proxmox_node"), ids(&rows, "proxmox_storage")), (vec![2, 3], vec![1, 2, 3]));
}

async fn ids_are_never_given_twice(db: TestDb) {
    let app = small(&db).await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let mut tx = app.begin(Actor::operator()).await.unwrap();
        let row = create::<endpoint::Model>(&mut tx, &new_endpoint("again")).await.unwrap();
        delete::<endpoint::Model>(&mut tx, row.id, None).await.unwrap();
        made.push(row.id);
        tx.commit().await.unwrap();
    }
    assert_eq!(made, [50, 51]);
}

async fn what_is_not_there_cannot_go(db: TestDb) {
    let app = small(&db).await;
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    let gone = [
        delete::<cluster::Model>(&mut tx, 99, None).await,
        delete::<node::Model>(&mut tx, 99, None).await,
        delete::<storage::Model>(&mut tx, 99, None).await,
        delete::<tag::Model>(&mut tx, 99, None).await,
        delete::<netbox_cluster::Model>(&mut tx, 99, None).await,
        delete::<netbox_device::Model>(&mut tx, 99, None).await,
        delete::<endpoint::Model>(&mut tx, 99, None).await,
    ];
    assert!(gone.iter().all(|result| matches!(result, Err(Error::NotFound(_)))), "{gone:?}");
    assert_eq!(tx.commit().await.unwrap(), None);
}

async fn a_forgotten_cascade_fails(db: TestDb) {
    use sea_orm::ConnectionTrait;
    let app = small(&db).await;
    for (table, id) in [
        ("proxmox_endpoint", 1),
        ("proxmox_endpoint", 2),
        ("proxmox_cluster", 1),
        ("proxmox_cluster", 4),
        ("netbox_cluster", 2),
        ("netbox_device", 7),
        ("tag", 1),
    ] {
        let deleted = app.db.write.execute_unprepared(&format!("DELETE FROM {table} WHERE id = {id}")).await;
        assert!(deleted.is_err(), "{table} {id}");
        let moved = app.db.write.execute_unprepared(&format!("UPDATE {table} SET id = 1000 WHERE id = {id}")).await;
        assert!(moved.is_err(), "{table} {id}");
    }
    execute(&app.db, "DELETE FROM netbox_device WHERE id = 8").await;
    assert_eq!(ask(&app.db, "SELECT id FROM proxmox_node").await.len(), 3);
}

async fn an_endpoint_takes_how_its_sync_stood_and_leaves_its_runs(db: TestDb) {
    let app = db.open().await;
    fill(&app, &topology().to_string()).await;
    for endpoint in [1, 2] {
        let run = runs::put(&app, runs::blank(endpoint, "e", RunState::Succeeded)).await;
        runs::many_steps(&app, run, 2).await;
    }
    runs::put_state(&app, sync_run::blank(2)).await;
    let tx = app.begin(Actor::operator()).await.unwrap();
    let lease = sync_run::claim(&tx, 1, "a process").await.unwrap().expect("nobody has it");
    tx.commit().await.unwrap();
    watched(&app, async |tx| delete::<endpoint::Model>(tx, 1, None).await).await;
    assert_eq!(number(&app.db, "SELECT sum(endpoint_id) FROM sync_state").await, 2);
    assert_eq!(ask(&app.db, "SELECT id FROM sync_run").await.len(), 2);
    assert_eq!(ask(&app.db, "SELECT run_id FROM sync_change").await.len(), 4);
    // Who was at it loses the right.
    let tx = app.begin(Actor::operator()).await.unwrap();
    assert!(matches!(sync_run::renew(&tx, &lease).await, Err(Error::Conflict(_))));
}

both!(
    an_endpoint_takes_its_clusters_and_nodes,
    an_endpoint_takes_how_its_sync_stood_and_leaves_its_runs,
    the_last_of_a_group_leaves_no_source,
    a_cluster_leaves_its_nodes_and_bequeaths_its_storages,
    unknown_groups_have_no_heirs,
    a_netbox_cluster_takes_its_storages,
    a_netbox_device_leaves_its_nodes,
    a_tag_leaves_its_objects,
    nodes_and_storages_go_with_their_tags,
    ids_are_never_given_twice,
    what_is_not_there_cannot_go,
    a_forgotten_cascade_fails,
);
