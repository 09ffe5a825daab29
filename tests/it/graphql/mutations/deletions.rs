//! What goes with a deleted object: told, logged, and gone.
use super::Desk;
use crate::support::{TestDb, both};
use proxbox_graphql::entity::Action;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The rows before and after, against what is told and what is logged: whatever differs must be in both.
async fn is_told_and_logged(desk: &Desk, name: &str, input: Value, asked: &[(&str, i64)]) -> Value {
    const LISTS: [(&str, &str, &str); 7] = [
        ("proxmox_endpoints", "proxmox_endpoint", "PROXMOX_ENDPOINT"),
        ("proxmox_clusters", "proxmox_cluster", "PROXMOX_CLUSTER"),
        ("proxmox_nodes", "proxmox_node", "PROXMOX_NODE"),
        ("proxmox_storages", "proxmox_storage", "PROXMOX_STORAGE"),
        ("netbox_clusters", "netbox_cluster", "NETBOX_CLUSTER"),
        ("netbox_devices", "netbox_device", "NETBOX_DEVICE"),
        ("tags", "tag", "TAG"),
    ];
    let (before, revision) = (desk.file().await, desk.revision().await);
    let payload = desk.done(name, input).await;
    let (after, changes) = (desk.file().await, desk.changes(revision, "token:admin").await);
    let by_id = |file: &Value, list: &str| {
        let rows = file[list].as_array().unwrap().iter().map(|row| (row["id"].as_i64().unwrap(), row.clone()));
        rows.collect::<BTreeMap<_, _>>()
    };
    let (mut gone, mut changed, mut effects) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (list, table, ty) in LISTS {
        let (old, new) = (by_id(&before, list), by_id(&after, list));
        let deleted = old.keys().filter(|id| !new.contains_key(id)).collect::<Vec<_>>();
        let other = deleted.iter().filter(|id| !asked.contains(&(table, ***id))).count();
        let detached = new.iter().filter(|(id, row)| old[id] != **row).map(|(id, _)| id).collect::<Vec<_>>();
        if other + detached.len() > 0 {
            effects.push(json!({"type": ty, "deleted": other, "detached": detached.len()}));
        }
        gone.extend(deleted.into_iter().map(|id| (table, *id)));
        changed.extend(detached.iter().map(|id| (table, **id)));
        for id in detached {
            assert!(new[id]["last_updated"].as_str() > old[id]["last_updated"].as_str(), "{table} {id}");
            let last = changes.iter().rev().find(|change| {
                change.object_type.as_deref() == Some(table) && change.object_id.map(i64::from) == Some(*id)
            });
            let document = last.unwrap_or_else(|| panic!("{table} {id} is not in the log")).after.clone().unwrap().0;
            assert_eq!(document, desk.document_of(list, *id).await);
        }
    }
    assert_eq!(payload["effects"], json!(effects), "{name}");
    let logged = |action: Action| {
        let changes = changes.iter().filter(|change| change.action == action);
        changes
            .map(|change| (change.object_type.clone().unwrap(), i64::from(change.object_id.unwrap())))
            .collect::<Vec<_>>()
    };
    let deleted = logged(Action::Deleted);
    let owned =
        |set: &BTreeSet<(&str, i64)>| set.iter().map(|(table, id)| ((*table).to_owned(), *id)).collect::<BTreeSet<_>>();
    assert_eq!(deleted.len(), gone.len(), "each once");
    assert_eq!(deleted.into_iter().collect::<BTreeSet<_>>(), owned(&gone));
    let updated = logged(Action::Updated).into_iter().filter(|object| !owned(&gone).contains(object));
    assert_eq!(updated.collect::<BTreeSet<_>>(), owned(&changed));
    assert!(asked.iter().all(|object| gone.contains(object)));
    assert_eq!(desk.revision().await, revision + 1);
    payload
}

async fn deletions_tell_what_went_with_them(db: TestDb) {
    let desk = Desk::new(&db).await;
    // A node of another endpoint in a cluster of this one, and a storage with a source.
    desk.done("updateProxmoxNode", json!({"id": 5, "proxmoxCluster": 1})).await;
    let app = &desk.server.app;
    crate::service::execute(&app.db, "UPDATE proxmox_storage SET source_id = 1 WHERE id IN (1, 2)").await;
    for (name, table, id, some) in [
        ("deleteProxmoxNode", "proxmox_node", 2, json!([])),
        ("deleteProxmoxStorage", "proxmox_storage", 3, json!([])),
        ("deleteTag", "tag", 1, Value::Null),
        ("deleteNetboxDevice", "netbox_device", 42, json!([{"type": "PROXMOX_NODE", "deleted": 0, "detached": 1}])),
        ("deleteProxmoxCluster", "proxmox_cluster", 3, Value::Null),
        ("deleteNetboxCluster", "netbox_cluster", 4, Value::Null),
        ("deleteProxmoxEndpoint", "proxmox_endpoint", 1, Value::Null),
        ("deleteNetboxCluster", "netbox_cluster", 5, Value::Null),
        ("deleteNetboxCluster", "netbox_cluster", 6, json!([])),
    ] {
        let payload = is_told_and_logged(&desk, name, json!({"id": id}), &[(table, id)]).await;
        if some.is_null() {
            assert_ne!(payload["effects"], json!([]), "{name}: the seed has something to go with it");
        } else {
            assert_eq!(payload["effects"], some, "{name}");
        }
    }
    let node = desk.row("proxmox_nodes", 5).await;
    assert!(node["proxmox_cluster"].is_null(), "{node}");
}

async fn bulk_deletions_tell_it_too(db: TestDb) {
    let desk = Desk::new(&db).await;
    crate::service::execute(&desk.server.app.db, "UPDATE proxmox_storage SET source_id = 1 WHERE id IN (1, 2)").await;
    // Clusters that lend their storages to each other: none becomes the source of what the other leaves.
    desk.done("updateProxmoxClusters", json!({"items": [{"id": 1, "clusterId": "G"}, {"id": 3, "clusterId": "G"}]}))
        .await;
    let asked = [("proxmox_cluster", 1), ("proxmox_cluster", 3)];
    is_told_and_logged(&desk, "deleteProxmoxClusters", json!({"ids": [1, 3]}), &asked).await;
    for id in [1, 2] {
        assert!(desk.row("proxmox_storages", id).await["source"].is_null());
    }
    let asked = [("proxmox_node", 3), ("proxmox_node", 1)];
    is_told_and_logged(&desk, "deleteProxmoxNodes", json!({"ids": [3, 1]}), &asked).await;
    let asked = [("proxmox_storage", 4), ("proxmox_storage", 1)];
    is_told_and_logged(&desk, "deleteProxmoxStorages", json!({"ids": [4, "ProxmoxStorage:1"]}), &asked).await;
}

/// What a failed deletion would have taken along stays.
async fn a_refused_deletion_takes_nothing_along(db: TestDb) {
    let token = "c".repeat(40);
    let permissions = json!([
        {"models": ["*"], "actions": ["view"]},
        {"models": ["proxmoxendpoint", "proxmoxcluster"], "actions": ["delete"]},
    ]);
    let desk = Desk::with_tokens(&db, &[(token.clone(), permissions)]).await;
    let stale = json!({"id": 1, "ifLastUpdated": "2020-01-01T00:00:00Z"});
    assert_eq!(desk.refused_as(&token, "deleteProxmoxEndpoint", stale.clone()).await, ["STALE ifLastUpdated"]);
    assert_eq!(desk.refused_as(&token, "deleteProxmoxCluster", stale).await, ["STALE ifLastUpdated"]);
    let state = desk.state().await;
    let payload = desk.ask_as(&token, "deleteProxmoxClusters", json!({"ids": [1, 99]})).await;
    assert_eq!((&payload["succeeded"], &payload["effects"]), (&json!(0), &json!([])));
    assert_eq!(desk.state().await, state);
}

both!(deletions_tell_what_went_with_them, bulk_deletions_tell_it_too, a_refused_deletion_takes_nothing_along);
