//! What NetBox does not show any more: missing first, gone when two complete sweeps say so, and never many at once.
use super::{Scene, read};
use crate::support::netbox::{CLUSTERS, DEVICES};
use crate::support::{TestDb, both};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Mode as Deployed, cluster, endpoint, node, storage};
use proxbox_graphql::mirror::Wanted;
use proxbox_graphql::service::batch::{Mode, Operation};
use proxbox_graphql::service::storage as storages;
use proxbox_graphql::service::{Actor, Writable, cluster as clusters, endpoint as endpoints, node as nodes};
use sea_orm::EntityTrait;
use serde_json::json;

async fn write<M: Writable>(app: &App, patch: M::Patch) -> i32 {
    let outcome = app.write::<M>(Actor::operator(), &[Operation::Create(patch)], Mode::AllOrNothing).await.unwrap();
    outcome.results[0].as_ref().unwrap().id
}

/// A Proxmox cluster linked to NetBox cluster 4, a node linked to device 16, and a storage at that cluster.
async fn linked(app: &App) -> (i32, i32, i32) {
    let text = |text: &str| Some(Some(text.to_owned()));
    let endpoint = endpoints::Patch { name: text("one"), domain: text("pve.example.com"), ..Default::default() };
    let endpoint = write::<endpoint::Model>(app, endpoint).await;
    let cluster = clusters::Patch {
        endpoint: Some(Some(endpoint)),
        name: text("edge"),
        mode: Some(Some(Deployed::Cluster)),
        netbox_cluster: Some(Some(4)),
        ..Default::default()
    };
    let cluster = write::<cluster::Model>(app, cluster).await;
    let node = nodes::Patch {
        endpoint: Some(Some(endpoint)),
        name: text("edge1"),
        ip_address: text("10.0.0.1"),
        netbox_device: Some(Some(16)),
        ..Default::default()
    };
    let node = write::<node::Model>(app, node).await;
    let storage = storages::Patch { cluster: Some(Some(4)), name: text("local"), ..Default::default() };
    (cluster, node, write::<storage::Model>(app, storage).await)
}

async fn gone_objects_are_missing_first_and_take_along_what_is_documented(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    let (cluster_id, node_id, storage_id) = linked(&scene.app).await;
    scene.world.state().clusters.remove(&4);
    scene.world.delete_device(16);
    // An increment cannot see it.
    let report = scene.read(Wanted::Due).await;
    assert!(!report.swept && report.clusters.missing == 0);
    let first = scene.full().await;
    assert_eq!((first.clusters.missing, first.clusters.deleted), (1, 0));
    assert_eq!((first.devices.missing, first.devices.deleted), (1, 0));
    let missing = scene.clusters().await.pop().unwrap();
    assert!(missing.id == 4 && missing.missing_since.is_some() && missing.missed == 1);
    let node = async || node::Entity::find_by_id(node_id).one(&scene.app.db.read).await.unwrap().unwrap();
    let cluster = async || cluster::Entity::find_by_id(cluster_id).one(&scene.app.db.read).await.unwrap().unwrap();
    assert_eq!((node().await.netbox_device_id, cluster().await.netbox_cluster_id), (Some(16), Some(4)));

    let second = scene.full().await;
    assert_eq!((second.clusters.missing, second.clusters.deleted), (0, 1));
    assert_eq!((second.devices.missing, second.devices.deleted), (0, 1));
    assert_eq!((node().await.netbox_device_id, cluster().await.netbox_cluster_id), (None, None));
    assert!(storage::Entity::find_by_id(storage_id).one(&scene.app.db.read).await.unwrap().is_none());
    assert_eq!(scene.clusters().await.len(), 3);
    // All of it is in the log, in the name of who asked for it.
    let query = "{ changes(first: 200) { nodes { actor type databaseId kind changed } } }";
    let log = scene.server().await.data(query).await;
    let entries = log["changes"]["nodes"].as_array().unwrap();
    let has = |kind: &str, id: i32, action: &str, changed: &str| {
        entries.iter().any(|entry| {
            entry["type"] == kind
                && entry["databaseId"] == id
                && entry["kind"] == action
                && (changed.is_empty() || entry["changed"].as_array().unwrap().contains(&json!(changed)))
        })
    };
    assert!(has("NETBOX_CLUSTER", 4, "UPDATED", "missing_since"), "{log:#}");
    assert!(has("NETBOX_CLUSTER", 4, "DELETED", ""), "{log:#}");
    assert!(has("NETBOX_DEVICE", 16, "DELETED", ""));
    assert!(has("PROXMOX_STORAGE", storage_id, "DELETED", ""));
    assert!(has("PROXMOX_CLUSTER", cluster_id, "UPDATED", "netbox_cluster"));
    assert!(has("PROXMOX_NODE", node_id, "UPDATED", "netbox_device"));
}

async fn what_comes_back_is_as_if_it_had_never_been_away(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    let before = scene.devices().await;
    scene.world.state().hidden.insert((DEVICES, 12));
    scene.full().await;
    assert!(scene.devices().await[1].missing_since.is_some());
    scene.world.state().hidden.clear();
    scene.full().await;
    assert_eq!(scene.devices().await, before);
    // The count begins anew.
    scene.world.state().hidden.insert((DEVICES, 12));
    assert_eq!(scene.full().await.devices.deleted, 0);
    assert_eq!(scene.full().await.devices.deleted, 1);
}

async fn lost_permissions_delete_nothing(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    // NetBox filters lists without a word: all six devices are gone at once.
    let hide = (11..=16).map(|id| (DEVICES, id)).collect::<Vec<_>>();
    scene.world.state().hidden.extend(hide);
    assert_eq!(scene.full().await.devices.missing, 6);
    for _ in 0..3 {
        let report = scene.full().await;
        assert_eq!((report.devices.held, report.devices.deleted), (6, 0));
        assert!(!report.is_good() && report.asks()[0].contains("6 devices"), "{:?}", report.asks());
    }
    let mirror = scene.mirror().await;
    assert_eq!((mirror.held_devices, mirror.held_clusters), (6, 0));
    let server = scene.server().await;
    assert_eq!(server.data("{ netboxMirror { state } }").await["netboxMirror"]["state"], "HELD");
    // The permission is back: all is as it was.
    scene.world.state().hidden.clear();
    assert!(scene.full().await.is_good());
    assert!(scene.devices().await.iter().all(|row| row.missing_since.is_none() && row.missed == 0));
    assert_eq!(scene.mirror().await.held_devices, 0);
    // Now they are deleted indeed, and the operator says so.
    scene.world.state().devices.clear();
    scene.full().await;
    assert_eq!(scene.full().await.devices.held, 6);
    let report = read(&scene.app, Wanted::Full, true).await;
    assert_eq!((report.devices.held, report.devices.deleted), (0, 6));
    assert!(scene.devices().await.is_empty());
}

async fn the_word_for_many_is_no_word_for_the_first_miss(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    scene.world.state().clusters.clear();
    let report = read(&scene.app, Wanted::Full, true).await;
    assert_eq!((report.clusters.missing, report.clusters.deleted), (4, 0));
}

async fn a_refused_list_marks_nothing(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    let detail = json!({"detail": "You do not have permission to perform this action."});
    scene.world.state().instead.insert(DEVICES.into(), (0, 403, detail));
    let revision = scene.revision().await;
    let report = scene.full().await;
    assert_eq!(report.class.as_deref(), Some("permission"));
    assert!(report.error.unwrap().contains("/api/dcim/devices/"));
    assert_eq!(scene.revision().await, revision);
    let mirror = scene.mirror().await;
    assert_eq!((mirror.failures, mirror.last_class.as_deref()), (1, Some("permission")));
}

async fn an_incomplete_sweep_marks_nothing(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    {
        // The list counts a row more than it shows: something moved while it was read.
        let mut state = scene.world.state();
        (state.cursor, state.lost) = (false, 1);
        state.hidden.insert((DEVICES, 11));
        state.hidden.insert((CLUSTERS, 1));
    }
    for _ in 0..3 {
        let report = scene.full().await;
        assert_eq!((report.devices.missing, report.clusters.missing), (0, 0), "{report:?}");
        assert!(!scene.mirror().await.complete);
    }
    assert!(scene.devices().await.iter().all(|row| row.missing_since.is_none()));
}

both! {
    gone_objects_are_missing_first_and_take_along_what_is_documented,
    what_comes_back_is_as_if_it_had_never_been_away,
    lost_permissions_delete_nothing,
    the_word_for_many_is_no_word_for_the_first_miss,
    a_refused_list_marks_nothing,
    an_incomplete_sweep_marks_nothing,
}
