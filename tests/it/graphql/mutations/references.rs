//! Tags, and references to NetBox's objects.
use super::{Desk, told};
use crate::support::{TestDb, both};
use serde_json::json;

async fn tags_are_made_changed_and_deleted(db: TestDb) {
    let desk = Desk::new(&db).await;
    let revision = desk.revision().await;
    let payload = desk.done("createTag", json!({"name": " New ", "slug": "new_ü-1", "clientMutationId": "c"})).await;
    assert_eq!((&payload["created"], &payload["clientMutationId"]), (&json!(true), &json!("c")));
    let id = payload["object"]["databaseId"].as_i64().unwrap();
    assert_eq!(payload["object"]["id"], format!("Tag:{id}"));
    assert_eq!(desk.row("tags", id).await, json!({"id": id, "name": "New", "slug": "new_ü-1", "color": "9e9e9e"}));
    let payload = desk.done("updateTag", json!({"id": format!("Tag:{id}"), "color": "00ff00", "slug": "other"})).await;
    assert_eq!(payload["created"], false);
    assert_eq!(desk.row("tags", id).await, json!({"id": id, "name": "New", "slug": "other", "color": "00ff00"}));
    let state = desk.state().await;
    desk.done("updateTag", json!({"id": id, "name": "New"})).await;
    assert_eq!(desk.state().await, state, "nothing changed");
    desk.done("updateProxmoxNode", json!({"id": 1, "tags": ["other", "prod", "other"]})).await;
    assert_eq!(desk.row("proxmox_nodes", 1).await["tags"], json!([1, id]));
    assert_eq!(desk.done("deleteTag", json!({"id": id})).await["deletedDatabaseId"], id);
    let log = desk.log(revision).await;
    let expected = [
        format!("created tag {id}"),
        format!("updated tag {id}: slug, color"),
        "updated proxmox_node 1: tags".into(),
        "updated proxmox_node 1: tags".into(),
        format!("deleted tag {id}"),
    ];
    assert_eq!(log, expected);
    assert_eq!(desk.refused("deleteTag", json!({"id": id})).await, ["NOT_FOUND id"]);
    assert_eq!(desk.refused("updateTag", json!({"id": "ProxmoxNode:1"})).await, ["INVALID id"]);
}

/// Under the id that NetBox gave; what is shown follows the name until it is set apart.
async fn references_to_netbox_are_kept_by_hand(db: TestDb) {
    let desk = Desk::new(&db).await;
    let revision = desk.revision().await;
    for (model, list, ty) in
        [("NetboxCluster", "netbox_clusters", "NetBoxCluster"), ("NetboxDevice", "netbox_devices", "NetBoxDevice")]
    {
        let (create, update) = (format!("create{model}"), format!("update{model}"));
        let payload =
            desk.done(&create, json!({"databaseId": 2_147_483_647, "name": " n ", "clientMutationId": "c"})).await;
        assert_eq!((&payload["created"], &payload["clientMutationId"]), (&json!(true), &json!("c")));
        let id = i64::from(i32::MAX);
        assert_eq!(payload["object"]["id"], format!("{ty}:{id}"));
        let row = |name: &str, display: &str| json!({"id": id, "name": name, "display": display, "origin": "manual"});
        assert_eq!(desk.row(list, id).await, row("n", "n"));
        desk.done(&update, json!({"id": id, "name": "m"})).await;
        assert_eq!(desk.row(list, id).await, row("m", "m"));
        desk.done(&update, json!({"id": format!("{ty}:{id}"), "display": "shown"})).await;
        desk.done(&update, json!({"id": id, "name": "l"})).await;
        assert_eq!(desk.row(list, id).await, row("l", "shown"));
        let state = desk.state().await;
        desk.done(&update, json!({"id": id, "name": "l"})).await;
        assert_eq!(desk.state().await, state, "nothing changed");
        let gone = desk.done(&format!("delete{model}"), json!({"id": id})).await;
        assert_eq!((&gone["deletedDatabaseId"], &gone["effects"]), (&json!(id), &json!([])));
        assert!(desk.row(list, id).await.is_null());
        assert_eq!(desk.refused(&update, json!({"id": id})).await, ["NOT_FOUND id"]);
    }
    assert_eq!(desk.log(revision).await.len(), 10);
    // A device may have no name.
    desk.done("createNetboxDevice", json!({"databaseId": 77, "name": null})).await;
    let device = desk.row("netbox_devices", 77).await;
    assert_eq!((&device["name"], &device["display"]), (&json!(null), &json!("Device 77")));
    desk.done("updateNetboxDevice", json!({"id": 77, "name": "x"})).await;
    assert_eq!(desk.row("netbox_devices", 77).await["display"], "x");
    desk.done("updateNetboxDevice", json!({"id": 77, "name": null})).await;
    assert_eq!(desk.row("netbox_devices", 77).await["display"], "Device 77");
    // They can be linked at once.
    let both = "mutation { a: createNetboxCluster(input: {databaseId: 78, name: \"k\"}) { created }
        b: updateProxmoxCluster(input: {id: 2, netboxCluster: 78}) { proxmoxCluster { netboxCluster { name } } userErrors { code message path } } }";
    let data = desk.server.data(both).await;
    assert_eq!(told(&data["b"]), [""; 0]);
    assert_eq!(data["b"]["proxmoxCluster"]["netboxCluster"]["name"], "k");
}

/// Each mutation of a request stands for itself, and those behind see what those before did.
async fn mutations_of_a_request_run_in_order(db: TestDb) {
    let desk = Desk::new(&db).await;
    let query = "mutation {
        a: updateProxmoxNode(input: {id: 1, maxCpu: 1}) { proxmoxNode { maxCpu proxmoxCluster { name } } userErrors { code } }
        b: updateProxmoxNode(input: {id: 1, maxCpu: 2, name: \"\"}) { proxmoxNode { maxCpu } userErrors { code } }
        c: updateProxmoxCluster(input: {id: 1, name: \"renamed\"}) { proxmoxCluster { name proxmoxNodeList { maxCpu } } userErrors { code } }
        d: deleteProxmoxNode(input: {id: 1}) { deletedId userErrors { code } }
        e: updateProxmoxNode(input: {id: 2, maxCpu: 3}) { proxmoxNode { maxCpu proxmoxCluster { name proxmoxNodes { totalCount } } } userErrors { code } } }";
    let query =
        query.replace(" proxmoxNodeList { maxCpu }", " proxmoxNodes(filter: {id: {eq: 1}}) { nodes { maxCpu } }");
    let revision = desk.revision().await;
    let data = desk.server.data(&query).await;
    let expected = json!({
        "a": {"proxmoxNode": {"maxCpu": 1, "proxmoxCluster": {"name": "pve-cluster"}}, "userErrors": []},
        "b": {"proxmoxNode": null, "userErrors": [{"code": "REQUIRED"}]},
        "c": {"proxmoxCluster": {"name": "renamed", "proxmoxNodes": {"nodes": [{"maxCpu": 1}]}}, "userErrors": []},
        "d": {"deletedId": "ProxmoxNode:1", "userErrors": []},
        "e": {"proxmoxNode": {"maxCpu": 3, "proxmoxCluster": {"name": "renamed", "proxmoxNodes": {"totalCount": 2}}}, "userErrors": []},
    });
    assert_eq!(data, expected);
    assert_eq!(desk.revision().await, revision + 4);
}

both!(tags_are_made_changed_and_deleted, references_to_netbox_are_kept_by_hand, mutations_of_a_request_run_in_order);
