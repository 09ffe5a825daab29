//! What one may not view is no candidate, and neither confirms nor contradicts one.
use super::{AT_FIRST, TOKEN, desk, suggested_to};
use crate::graphql::mutations::Desk;
use crate::support::{TestDb, both};
use serde_json::{Value, json};

const ALL: [&str; 6] = ["proxmoxendpoint", "proxmoxcluster", "proxmoxnode", "cluster", "device", "proxmoxstorage"];

/// A view of everything, but of these models with these constraints; none for nothing at all.
fn view(narrowed: &[(&str, Option<Value>)]) -> Value {
    let whole = ALL.iter().filter(|model| narrowed.iter().all(|(other, _)| other != *model)).collect::<Vec<_>>();
    let some = narrowed.iter().filter_map(|(model, constraint)| {
        Some(json!({"models": [model], "actions": ["view"], "constraints": constraint.clone()?}))
    });
    std::iter::once(json!({"models": whole, "actions": ["view"]})).chain(some).collect()
}

/// What is suggested to somebody with this view, once node 1 is linked to device 31.
async fn seen(db: &TestDb, permissions: Value, arguments: &str) -> Vec<String> {
    let desk = linked(db, permissions).await;
    suggested_to(&desk.server, TOKEN, arguments).await
}

async fn linked(db: &TestDb, permissions: Value) -> Desk {
    let desk = desk(db, permissions).await;
    desk.done("acceptLink", json!({"object": "ProxmoxNode:1", "target": 31})).await;
    desk
}

const CLUSTER: &str = "cluster:1 = 25 1.00 NAME NETBOX_CLUSTER SITE, 26 0.40 NAME OTHER_NETBOX_CLUSTER OTHER_SITE";

async fn who_sees_all_is_told_all(db: TestDb) {
    let found = seen(&db, view(&[]), "").await;
    assert_eq!(found[1], CLUSTER);
    assert_eq!(found.len(), 4);
}

async fn hidden_targets_are_no_candidates(db: TestDb) {
    let hidden = view(&[("device", Some(json!({"id__in": [31, 35]}))), ("cluster", Some(json!({"id__in": [26]})))]);
    let found = seen(&db, hidden, "").await;
    // The hidden cluster of the device is as unknown as if it were not there.
    assert_eq!(found, ["cluster:1 ? 26 0.60 NAME OTHER_SITE", "node:3 = 35 0.80 NAME_IGNORING_CASE SITE"]);
}

async fn hidden_devices_confirm_nothing(db: TestDb) {
    let found = seen(&db, view(&[("device", Some(json!({"id__in": [35]})))]), "").await;
    assert_eq!(found, [AT_FIRST[0], AT_FIRST[1], AT_FIRST[4]]);
}

async fn hidden_nodes_are_neither_suggested_nor_do_they_confirm(db: TestDb) {
    let found = seen(&db, view(&[("proxmoxnode", Some(json!({"id": 3})))]), "").await;
    assert_eq!(found, [AT_FIRST[0], AT_FIRST[1], AT_FIRST[4]]);
}

async fn hidden_clusters_lead_nowhere(db: TestDb) {
    let found = seen(&db, view(&[("proxmoxcluster", None)]), "").await;
    // What their other nodes are linked to is no hint without the cluster between them.
    assert_eq!(found, [AT_FIRST[3], AT_FIRST[4]]);
}

async fn of_a_hidden_endpoint_nothing_is_told(db: TestDb) {
    let desk = linked(&db, view(&[("proxmoxendpoint", Some(json!({"id": 2})))])).await;
    let found = suggested_to(&desk.server, TOKEN, "").await;
    assert_eq!(found.len(), 4);
    assert_eq!(suggested_to(&desk.server, TOKEN, "(endpoint: 1)").await, [""; 0], "as if it were not there");
    assert_eq!(suggested_to(&desk.server, TOKEN, "(endpoint: 2)").await, [AT_FIRST[0]]);
    let question = "{ linkSuggestions { nodes { object { id ... on ProxmoxNode { endpoint { id } netboxDevice { id } }
        ... on ProxmoxCluster { endpoint { id } } } } } }";
    let data = desk.server.ask_as(TOKEN, question, json!({})).await.data();
    for suggestion in data["linkSuggestions"]["nodes"].as_array().unwrap() {
        let object = &suggestion["object"];
        let hidden = object["id"] != "ProxmoxCluster:2";
        assert_eq!(object["endpoint"].is_null(), hidden, "{object}");
    }
}

async fn nobody_sees_nothing(db: TestDb) {
    assert_eq!(seen(&db, json!([]), "").await, [""; 0]);
}

/// What a decision was about is not told through it: neither that an object is linked, nor that a target is there.
async fn decisions_tell_nothing_of_what_is_hidden(db: TestDb) {
    let mut permissions = view(&[("device", Some(json!({"id": 32})))]);
    permissions.as_array_mut().unwrap().push(json!({"models": ["proxmoxnode"], "actions": ["change"]}));
    let desk = linked(&db, permissions).await;
    for target in [31, 33, 99] {
        let told = desk.refused_as(TOKEN, "rejectLink", json!({"object": "ProxmoxNode:1", "target": target})).await;
        assert_eq!(told, ["REFERENCE_NOT_FOUND target"], "{target}");
    }
    let payload = desk.ask_as(TOKEN, "rejectLink", json!({"object": "ProxmoxNode:1", "target": 32})).await;
    assert_eq!(payload["userErrors"], json!([]));
}

both!(
    who_sees_all_is_told_all,
    hidden_targets_are_no_candidates,
    hidden_devices_confirm_nothing,
    hidden_nodes_are_neither_suggested_nor_do_they_confirm,
    hidden_clusters_lead_nowhere,
    of_a_hidden_endpoint_nothing_is_told,
    nobody_sees_nothing,
    decisions_tell_nothing_of_what_is_hidden,
);
