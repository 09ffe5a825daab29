//! Accepting and rejecting: what is written, what is remembered, and who may.
use super::{AT_FIRST, TOKEN, decisions, desk, suggested, suggested_for};
use crate::graphql::mutations::{Desk, short, told};
use crate::rest::{Call, NODES};
use crate::service::{changes_after, dumped, sqlite_beside};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use proxbox_graphql::entity::Decision;
use proxbox_graphql::error::Error;
use proxbox_graphql::service::Actor;
use proxbox_graphql::service::link::{LinkType, Step};
use serde_json::{Value, json};

async fn accept(desk: &Desk, object: &str, target: &str) -> Value {
    desk.done("acceptLink", json!({"object": object, "target": target})).await
}

async fn reject(desk: &Desk, object: &str, target: &str) -> Value {
    desk.done("rejectLink", json!({"object": object, "target": target})).await
}

async fn an_accepted_link_is_a_change_like_any_other(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    assert_eq!(suggested(&desk.server).await, AT_FIRST);
    let revision = desk.revision().await;
    let payload = accept(&desk, "ProxmoxNode:1", "31").await;
    assert_eq!(payload["object"], json!({"id": "ProxmoxNode:1", "databaseId": 1}));
    assert_eq!(desk.row("proxmox_nodes", 1).await["netbox_device"], 31);
    assert_eq!(desk.log(revision).await, ["updated proxmox_node 1: netbox_device"]);
    assert_eq!(decisions(&desk).await, ["accepted proxmox_node 1 31"]);
    let row = desk.file().await["link_decisions"][0].take();
    assert_eq!(row["actor"], "token:admin");
    // It tells the clusters apart: one of them is where the node is.
    let mut expected = AT_FIRST.map(str::to_owned).to_vec();
    expected.remove(2);
    expected[1] = "cluster:1 = 25 1.00 NAME NETBOX_CLUSTER SITE, 26 0.40 NAME OTHER_NETBOX_CLUSTER OTHER_SITE".into();
    expected[2] += " SITE";
    expected[2] = expected[2].replace("0.75", "0.80");
    expected[3] = "node:3 = 35 0.80 NAME_IGNORING_CASE SITE".into();
    assert_eq!(suggested(&desk.server).await, expected);
    // Once more: nothing changes, and nothing is noted.
    let state = desk.mark().await;
    accept(&desk, "ProxmoxNode:1", "NetBoxDevice:31").await;
    assert_eq!(desk.mark().await, state);
}

async fn storages_follow_an_accepted_link(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    let revision = desk.revision().await;
    accept(&desk, "ProxmoxCluster:1", "NetBoxCluster:26").await;
    for id in [1, 2] {
        let row = desk.row("proxmox_storages", id).await;
        assert_eq!((&row["cluster"], &row["source"]), (&json!(26), &json!(1)));
    }
    let expected = [
        "updated proxmox_cluster 1: netbox_cluster",
        "updated proxmox_storage 1: cluster",
        "updated proxmox_storage 2: cluster",
    ];
    assert_eq!(desk.log(revision).await, expected);
    assert_eq!(decisions(&desk).await, ["accepted proxmox_cluster 1 26"]);
    assert_eq!(suggested_for(&desk.server, "cluster:1").await, "");
    // One is where the cluster is, the other has the address: somebody must look.
    let expected =
        "node:1 ? 32 1.00 NAME NETBOX_CLUSTER SITE, 31 0.65 NAME PRIMARY_ADDRESS OTHER_NETBOX_CLUSTER OTHER_SITE";
    assert_eq!(suggested_for(&desk.server, "node:1").await, expected);
}

/// What need not have been suggested can be accepted as well.
async fn a_target_must_be_there_and_no_more(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    for (object, target) in [("ProxmoxNode:4", "36"), ("ProxmoxNode:2", "NetBoxDevice:34"), ("ProxmoxCluster:1", "27")]
    {
        accept(&desk, object, target).await;
    }
    assert_eq!(desk.row("proxmox_nodes", 2).await["netbox_device"], 34);
}

async fn what_is_wrong_is_told_with_its_place(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    accept(&desk, "ProxmoxNode:1", "31").await;
    for (object, target, error) in [
        ("1", "31", "INVALID object"),
        ("ProxmoxNode:x", "31", "INVALID object"),
        ("NetBoxDevice:31", "31", "INVALID object"),
        ("ProxmoxStorage:1", "31", "INVALID object"),
        ("SyncRun:1", "31", "INVALID object"),
        ("ProxmoxNode:1", "x", "INVALID target"),
        ("ProxmoxNode:1", "NetBoxCluster:25", "INVALID target"),
        ("ProxmoxCluster:1", "NetBoxDevice:31", "INVALID target"),
        ("ProxmoxNode:99", "31", "NOT_FOUND object"),
        ("ProxmoxCluster:99", "25", "NOT_FOUND object"),
        ("ProxmoxNode:1", "99", "REFERENCE_NOT_FOUND target"),
        ("ProxmoxCluster:1", "31", "REFERENCE_NOT_FOUND target"),
    ] {
        for mutation in ["acceptLink", "rejectLink"] {
            let found = desk.refused(mutation, json!({"object": object, "target": target})).await;
            assert_eq!(found, [error], "{mutation} {object} {target}");
        }
    }
    // What is linked must be cleared first.
    assert_eq!(desk.refused("rejectLink", json!({"object": "ProxmoxNode:1", "target": 31})).await, ["CONFLICT"]);
    let input = json!({"object": "ProxmoxNode:1", "target": "31", "clientMutationId": "mine"});
    let payload = desk.ask("rejectLink", input).await;
    assert_eq!((&payload["clientMutationId"], &payload["object"]), (&json!("mine"), &Value::Null));
}

async fn a_rejected_pair_is_not_suggested_until_somebody_links_it(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    let mark = desk.mark().await;
    let payload = reject(&desk, "ProxmoxNode:1", "31").await;
    assert_eq!(payload["object"]["id"], "ProxmoxNode:1");
    assert_eq!(desk.mark().await, mark, "no object changed");
    assert_eq!(suggested_for(&desk.server, "node:1").await, "node:1 = 32 0.80 NAME");
    reject(&desk, "ProxmoxNode:1", "32").await;
    reject(&desk, "ProxmoxNode:1", "32").await;
    assert_eq!(suggested_for(&desk.server, "node:1").await, "");
    assert_eq!(decisions(&desk).await, ["rejected proxmox_node 1 31", "rejected proxmox_node 1 32"]);
    // Somebody thinks otherwise, and thinks better of it.
    accept(&desk, "ProxmoxNode:1", "31").await;
    assert_eq!(decisions(&desk).await, ["accepted proxmox_node 1 31", "rejected proxmox_node 1 32"]);
    desk.done("updateProxmoxNode", json!({"id": 1, "netboxDevice": null})).await;
    assert_eq!(decisions(&desk).await, ["rejected proxmox_node 1 32"], "whoever clears a link takes it back");
    assert_eq!(suggested_for(&desk.server, "node:1").await, "node:1 = 31 1.00 NAME PRIMARY_ADDRESS");
    // By hand.
    desk.done("updateProxmoxNode", json!({"id": 1, "netboxDevice": 32})).await;
    assert_eq!(decisions(&desk).await, ["accepted proxmox_node 1 32"]);
    // What has another link may be rejected as well.
    reject(&desk, "ProxmoxNode:1", "31").await;
    assert_eq!(decisions(&desk).await, ["rejected proxmox_node 1 31", "accepted proxmox_node 1 32"]);
    // A decision goes with its object.
    desk.done("deleteProxmoxNode", json!({"id": 1})).await;
    assert!(decisions(&desk).await.is_empty());
}

async fn a_link_that_got_lost_comes_first_when_its_target_is_there_again(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    accept(&desk, "ProxmoxNode:1", "32").await;
    accept(&desk, "ProxmoxCluster:2", "25").await;
    desk.done("deleteNetboxDevice", json!({"id": 32})).await;
    desk.done("deleteNetboxCluster", json!({"id": 25})).await;
    assert!(desk.row("proxmox_nodes", 1).await["netbox_device"].is_null());
    assert_eq!(suggested_for(&desk.server, "node:1").await, "node:1 = 31 1.00 NAME PRIMARY_ADDRESS");
    assert_eq!(suggested_for(&desk.server, "cluster:2").await, "cluster:2 = 27 0.75 NAME_IGNORING_CASE");
    desk.done("createNetboxDevice", json!({"databaseId": 32, "name": "another name"})).await;
    desk.done("createNetboxCluster", json!({"databaseId": 25, "name": "prod"})).await;
    let expected = "node:1 = 32 1.00 ACCEPTED_BEFORE, 31 1.00 NAME PRIMARY_ADDRESS";
    assert_eq!(suggested_for(&desk.server, "node:1").await, expected);
    let expected = "cluster:2 = 25 1.00 ACCEPTED_BEFORE, 27 0.75 NAME_IGNORING_CASE";
    assert_eq!(suggested_for(&desk.server, "cluster:2").await, expected);
    // Another link takes its place.
    accept(&desk, "ProxmoxNode:1", "31").await;
    assert_eq!(decisions(&desk).await, ["accepted proxmox_cluster 2 25", "accepted proxmox_node 1 31"]);
}

async fn rest_s_patch_links_too(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    reject(&desk, "ProxmoxNode:2", "33").await;
    assert_eq!(suggested_for(&desk.server, "node:2").await, "");
    let patch =
        async |body: Value| Call::new("PATCH", &format!("{NODES}2/")).json(&body).json_of(&desk.server, 200).await;
    assert_eq!(patch(json!({"netbox_device": 33})).await["netbox_device"]["id"], 33);
    assert_eq!(decisions(&desk).await, ["accepted proxmox_node 2 33"]);
    patch(json!({"netbox_device": null})).await;
    assert_eq!(suggested_for(&desk.server, "node:2").await, AT_FIRST[3], "neither rejected nor accepted any more");
    // A patch of something else decides nothing.
    reject(&desk, "ProxmoxNode:2", "33").await;
    patch(json!({"max_cpu": 4})).await;
    assert_eq!(decisions(&desk).await, ["rejected proxmox_node 2 33"]);
}

async fn dumps_take_decisions_along(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    accept(&desk, "ProxmoxNode:1", "32").await;
    desk.done("deleteNetboxDevice", json!({"id": 32})).await;
    reject(&desk, "ProxmoxNode:2", "33").await;
    reject(&desk, "ProxmoxCluster:1", "26").await;
    desk.done("createNetboxDevice", json!({"databaseId": 32, "name": "x"})).await;
    let expected = [
        AT_FIRST[0],
        "cluster:1 = 25 0.80 NAME",
        "node:1 = 32 1.00 ACCEPTED_BEFORE, 31 1.00 NAME PRIMARY_ADDRESS",
        AT_FIRST[4],
    ];
    assert_eq!(suggested(&desk.server).await, expected);
    let text = dumped(&desk.server.app, false).await;
    let beside = sqlite_beside(&db, "beside.db");
    let app = beside.open().await;
    fill(&app, &text).await;
    let again = Desk { server: Server::new(app) };
    assert_eq!(again.file().await["link_decisions"], desk.file().await["link_decisions"]);
    // The tokens of a dump have no values.
    crate::support::token(&again.server.app, &"d".repeat(40)).await;
    assert_eq!(super::suggested_to(&again.server, &"d".repeat(40), "").await, expected);
}

fn step(ty: LinkType, object: i32, target: i32) -> Step {
    Step { ty, object, if_last_updated: None, target, decision: Decision::Accepted }
}

async fn several_links_are_made_all_or_none(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    let app = &desk.server.app;
    let steps =
        [step(LinkType::ProxmoxNode, 1, 31), step(LinkType::ProxmoxCluster, 1, 25), step(LinkType::ProxmoxNode, 3, 99)];
    let state = desk.state().await;
    assert!(matches!(app.decide(Actor::operator(), &steps).await, Err(Error::Input(_))));
    assert_eq!(desk.state().await, state);
    // What changed since it was looked at stops all as well.
    let old: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    let stale = Step { if_last_updated: Some(old), ..step(LinkType::ProxmoxNode, 3, 35) };
    assert!(matches!(app.decide(Actor::operator(), &[steps[0], stale]).await, Err(Error::Stale(_))));
    assert_eq!(desk.state().await, state);
    let revision = desk.revision().await;
    app.decide(Actor::operator(), &steps[..2]).await.unwrap();
    assert_eq!(desk.revision().await, revision + 1, "one transaction");
    let log = changes_after(app, revision).await.iter().map(short).collect::<Vec<_>>();
    assert_eq!(log.len(), 4, "{log:?}");
    assert_eq!(decisions(&desk).await, ["accepted proxmox_cluster 1 25", "accepted proxmox_node 1 31"]);
}

/// Whatever comes at the same time: the link that is there at the end is the one that counts as accepted.
async fn of_links_made_at_the_same_time_one_counts(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    let targets = [31, 32, 33, 34, 35, 36];
    let accepting = targets.map(|target| desk.ask("acceptLink", json!({"object": "ProxmoxNode:1", "target": target})));
    for payload in join_all(accepting).await {
        assert_eq!(told(&payload), [""; 0]);
    }
    let linked = desk.row("proxmox_nodes", 1).await["netbox_device"].clone();
    assert_eq!(decisions(&desk).await, [format!("accepted proxmox_node 1 {linked}")]);
}

/// The same rights as an update: with the model, with the object before, and with what becomes of it.
async fn deciding_needs_the_right_to_change_the_object(db: TestDb) {
    let permissions = json!([
        {"models": ["*"], "actions": ["view"]},
        {"models": ["proxmoxnode"], "actions": ["change"], "constraints": {"id__in": [1, 2], "netbox_device": null}},
    ]);
    let desk = desk(&db, permissions).await;
    for (mutation, object, target, expected) in [
        ("acceptLink", "ProxmoxCluster:1", 25, "FORBIDDEN"),
        ("rejectLink", "ProxmoxCluster:1", 25, "FORBIDDEN"),
        ("acceptLink", "ProxmoxNode:3", 35, "FORBIDDEN"),
        ("rejectLink", "ProxmoxNode:3", 35, "FORBIDDEN"),
        // Only what has no link; with one it would be outside.
        ("acceptLink", "ProxmoxNode:1", 31, "FORBIDDEN"),
        // Who may change nothing of it is told so before anything is looked at.
        ("acceptLink", "ProxmoxCluster:99", 99, "FORBIDDEN"),
    ] {
        let told = desk.refused_as(TOKEN, mutation, json!({"object": object, "target": target})).await;
        assert_eq!(told, [expected], "{mutation} {object}");
    }
    let done = desk.ask_as(TOKEN, "rejectLink", json!({"object": "ProxmoxNode:1", "target": "31"})).await;
    assert_eq!(told(&done), [""; 0]);
    assert_eq!(decisions(&desk).await, ["rejected proxmox_node 1 31"]);
    let row = desk.file().await["link_decisions"][0].take();
    assert_eq!(row["actor"], "token:asked");
    let read_only = "1".repeat(40);
    for (object, target) in [("ProxmoxNode:1", "31"), ("nonsense", "x")] {
        let told = desk.refused_as(&read_only, "acceptLink", json!({"object": object, "target": target})).await;
        assert_eq!(told, ["FORBIDDEN"]);
    }
    assert_eq!(
        desk.refused_as(ADMIN, "rejectLink", json!({"object": "Tag:1", "target": "1"})).await,
        ["INVALID object"]
    );
}

both!(
    an_accepted_link_is_a_change_like_any_other,
    storages_follow_an_accepted_link,
    a_target_must_be_there_and_no_more,
    what_is_wrong_is_told_with_its_place,
    a_rejected_pair_is_not_suggested_until_somebody_links_it,
    a_link_that_got_lost_comes_first_when_its_target_is_there_again,
    rest_s_patch_links_too,
    dumps_take_decisions_along,
    several_links_are_made_all_or_none,
    of_links_made_at_the_same_time_one_counts,
    deciding_needs_the_right_to_change_the_object,
);
