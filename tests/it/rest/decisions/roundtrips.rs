//! What GET shows, PUT takes (decision 10).
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, LISTS, NODES, STORAGES, get, keys, patch, post, put, refused};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

async fn putting_back_what_was_got_changes_nothing(db: TestDb) {
    let desk = Desk::new(&db).await;
    let before = desk.state().await;
    let mut rows = 0;
    for path in LISTS {
        let list = get(&format!("{path}?limit=0")).json_of(&desk.server, 200).await;
        for listed in list["results"].as_array().unwrap() {
            let target = format!("{path}{}/", listed["id"]);
            let got = get(&target).send(&desk.server).await;
            let document = got.json();
            assert_eq!(document, *listed);
            for call in [put(&target, &document), patch(&target, &document)] {
                let answer = call.with("prefer", "handling=strict").send(&desk.server).await;
                assert_eq!((answer.status.as_u16(), answer.json()), (200, document.clone()), "{target}");
                assert_eq!(answer.headers["etag"], got.headers["etag"], "{target}");
            }
            rows += 1;
        }
        // All of them at once.
        for call in [put(path, &list["results"]), patch(path, &list["results"])] {
            let body = call.with("prefer", "handling=strict").json_of(&desk.server, 200).await;
            assert_eq!(body, list["results"], "{path}");
        }
    }
    assert_eq!(rows, 3 + 6 + 12 + 3 + 5 + 14 + 25);
    assert_eq!(desk.state().await, before, "no row, no revision, no change record");
}

/// The number counts, whatever else stands in a nested object.
async fn nested_objects_are_references(db: TestDb) {
    let desk = Desk::new(&db).await;
    let nested = |id: i64| json!({"id": id, "url": "http://elsewhere/1/", "display": "old", "name": "renamed since"});
    let mode = json!({"value": "standalone", "label": "Whatever"});
    let new = json!({"endpoint": nested(2), "netbox_cluster": nested(5), "name": "new", "mode": mode});
    let made = post(CLUSTERS, &new).json_of(&desk.server, 201).await;
    assert_eq!((&made["endpoint"]["id"], &made["netbox_cluster"]["id"]), (&json!(2), &json!(5)));
    assert_eq!(made["mode"]["value"], "standalone");
    let moved =
        patch(&format!("{CLUSTERS}101/"), &json!({"netbox_cluster": nested(1)})).json_of(&desk.server, 200).await;
    assert_eq!(moved["netbox_cluster"]["id"], 1);
    let tag = json!({"id": 3, "url": "u", "display": "d", "name": "n", "slug": "renamed-since", "color": "000000"});
    let tagged = patch(&format!("{CLUSTERS}101/"), &json!({"tags": [tag]})).json_of(&desk.server, 200).await;
    assert_eq!(tagged["tags"][0]["slug"], "unicode");
    let body = refused(&desk, &patch(&format!("{CLUSTERS}101/"), &json!({"netbox_cluster": nested(99)})), 400).await;
    assert_eq!(keys(&body), ["netbox_cluster"]);
    let wrong = json!({"mode": {"value": "bogus", "label": "Cluster"}});
    assert_eq!(keys(&refused(&desk, &patch(&format!("{CLUSTERS}101/"), &wrong), 400).await), ["mode"]);
    let made = post(STORAGES, &json!({"cluster": nested(6), "name": "new"})).json_of(&desk.server, 201).await;
    assert_eq!(made["cluster"]["id"], 6);
}

/// A node may lose its address, but not begin without one.
async fn a_node_may_be_known_before_its_address(db: TestDb) {
    let desk = Desk::new(&db).await;
    for body in [json!({"endpoint": 1, "name": "x"}), json!({"endpoint": 1, "name": "x", "ip_address": null})] {
        assert_eq!(keys(&refused(&desk, &post(NODES, &body), 400).await), ["ip_address"]);
    }
    let target = format!("{NODES}1/");
    assert_eq!(
        keys(&refused(&desk, &put(&target, &json!({"endpoint": 1, "name": "pve-node-01"})), 400).await),
        ["ip_address"]
    );
    let lost = patch(&target, &json!({"ip_address": null})).json_of(&desk.server, 200).await;
    assert_eq!(lost["ip_address"], Value::Null);
    let state = desk.state().await;
    assert_eq!(put(&target, &lost).json_of(&desk.server, 200).await, lost);
    assert_eq!(put(NODES, &json!([lost])).json_of(&desk.server, 200).await, json!([lost]));
    assert_eq!(desk.state().await, state);
    assert_eq!(keys(&refused(&desk, &patch(&target, &json!({"ip_address": ""})), 400).await), ["ip_address"]);
}

both!(putting_back_what_was_got_changes_nothing, nested_objects_are_references, a_node_may_be_known_before_its_address,);
