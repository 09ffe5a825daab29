//! Tags, devices and NetBox's clusters: what nested urls lead to.
use super::ids_where;
use crate::graphql::mutations::Desk;
use crate::rest::{
    CLUSTERS, DEVICES, NETBOX_CLUSTERS, NODES, STORAGES, TAGS, delete, get, ids, keys, patch, post, put, refused,
    text_of,
};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

async fn every_nested_url_leads_to_what_it_shows(db: TestDb) {
    let server = db.server().await;
    let mut followed = 0;
    for path in [CLUSTERS, NODES, STORAGES] {
        let list = get(&format!("{path}?limit=0")).json_of(&server, 200).await;
        for row in list["results"].as_array().unwrap() {
            let nested = row.as_object().unwrap().values().filter(|value| value.get("url").is_some());
            for object in nested.chain(row["tags"].as_array().unwrap()) {
                let target = object["url"].as_str().unwrap().strip_prefix("http://proxbox.example.com").unwrap();
                let whole = get(target).json_of(&server, 200).await;
                for (key, value) in object.as_object().unwrap() {
                    assert_eq!(whole[key], *value, "{target}");
                }
                followed += 1;
            }
        }
    }
    assert!(followed > 60, "{followed}");
}

/// Nothing has the id 0, which new rows hold before they are told what they refer to.
async fn a_new_object_refers_to_nothing_by_0(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (path, body, field) in [
        (CLUSTERS, json!({"endpoint": 0, "name": "n", "mode": "cluster"}), "endpoint"),
        (NODES, json!({"endpoint": "0", "name": "n", "ip_address": "::1"}), "endpoint"),
        (STORAGES, json!({"cluster": {"id": 0}, "name": "n"}), "cluster"),
    ] {
        assert_eq!(keys(&refused(&desk, &post(path, &body), 400).await), [field], "{path} {body}");
    }
}

/// NetBox gave their ids, so a client gives them too.
async fn references_are_made_with_the_id_that_they_have(db: TestDb) {
    let desk = Desk::new(&db).await;
    for path in [NETBOX_CLUSTERS, DEVICES] {
        let answer = post(path, &json!({"id": 77, "name": " n "})).send(&desk.server).await;
        let url = format!("http://proxbox.example.com{path}77/");
        assert_eq!((answer.status.as_u16(), text_of(&answer, "location")), (201, url.clone()));
        assert_eq!(answer.json(), json!({"id": 77, "url": url, "display": "n", "name": "n"}));
        let target = format!("{path}77/");
        let shown = patch(&target, &json!({"display": "d"})).json_of(&desk.server, 200).await;
        assert_eq!((&shown["display"], &shown["name"]), (&json!("d"), &json!("n")));
        // The id stays; it says only which one.
        let shown = put(&target, &json!({"id": 5, "name": "m", "display": "d"})).json_of(&desk.server, 200).await;
        assert_eq!((&shown["id"], &shown["name"]), (&json!(77), &json!("m")));
        let bulk = patch(path, &json!([{"id": 77, "name": "o"}])).json_of(&desk.server, 200).await;
        assert_eq!((&bulk[0]["id"], &bulk[0]["name"]), (&json!(77), &json!("o")));
        for (body, field) in [
            (json!({"name": "x"}), "id"),
            (json!({"id": 0, "name": "x"}), "id"),
            (json!({"id": "x", "name": "x"}), "id"),
            (json!({"id": 77, "name": "x"}), "id"),
            (json!({"id": 78, "name": ""}), "name"),
            (json!({"id": 78, "name": "x".repeat(256)}), "name"),
        ] {
            assert_eq!(keys(&refused(&desk, &post(path, &body), 400).await), [field], "{path} {body}");
        }
        delete(&target).json_of(&desk.server, 204).await;
        get(&target).json_of(&desk.server, 404).await;
    }
    // A device may be without a name, but never without a display.
    let made = post(DEVICES, &json!({"id": 78, "name": null, "display": "Rack 4"})).json_of(&desk.server, 201).await;
    assert_eq!((&made["name"], &made["display"]), (&Value::Null, &json!("Rack 4")));
    assert_eq!(keys(&refused(&desk, &post(NETBOX_CLUSTERS, &json!({"id": 79, "name": null})), 400).await), ["name"]);
}

async fn tags_are_made_renamed_and_removed(db: TestDb) {
    let desk = Desk::new(&db).await;
    let made = post(TAGS, &json!({"name": "New", "slug": "new"})).json_of(&desk.server, 201).await;
    let url = "http://proxbox.example.com/api/extras/tags/101/";
    assert_eq!(made, json!({"id": 101, "url": url, "display": "New", "name": "New", "slug": "new", "color": "9e9e9e"}));
    patch(&format!("{NODES}1/"), &json!({"tags": [{"slug": "new"}, 1]})).json_of(&desk.server, 200).await;
    patch(&format!("{TAGS}101/"), &json!({"slug": "newer", "color": "abcdef"})).json_of(&desk.server, 200).await;
    let node = get(&format!("{NODES}1/")).json_of(&desk.server, 200).await;
    let slugs = node["tags"].as_array().unwrap().iter().map(|tag| tag["slug"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((slugs.len(), slugs.contains(&"newer")), (2, true));
    assert_eq!(ids(&desk.server, &format!("{NODES}?tag=newer")).await, [1]);
    for (body, field) in [
        (json!({"name": "x"}), "slug"),
        (json!({"name": "x", "slug": "a b"}), "slug"),
        (json!({"name": "x", "slug": "prod"}), "slug"),
        (json!({"name": "prod", "slug": "x"}), "name"),
        (json!({"name": "x", "slug": "x", "color": "red"}), "color"),
        (json!({"name": "x", "slug": "x", "color": "ABCDEF"}), "color"),
        (json!({"name": "", "slug": "x"}), "name"),
        (json!({"name": "x".repeat(101), "slug": "x"}), "name"),
    ] {
        assert_eq!(keys(&refused(&desk, &post(TAGS, &body), 400).await), [field], "{body}");
    }
    delete(&format!("{TAGS}101/")).json_of(&desk.server, 204).await;
    let node = get(&format!("{NODES}1/")).json_of(&desk.server, 200).await;
    assert_eq!(node["tags"].as_array().unwrap().len(), 1);
    get(&format!("{NODES}?tag=newer")).json_of(&desk.server, 400).await;
}

/// A NetBox cluster takes its storages along, and lets go of clusters; a device lets go of nodes.
async fn what_goes_with_a_reference(db: TestDb) {
    let desk = Desk::new(&db).await;
    delete(&format!("{NETBOX_CLUSTERS}5/")).json_of(&desk.server, 204).await;
    assert_eq!(ids(&desk.server, STORAGES).await.len(), ids_where("proxmox_storages", |row| row["cluster"] != 5).len());
    assert_eq!(get(&format!("{CLUSTERS}1/")).json_of(&desk.server, 200).await["netbox_cluster"], Value::Null);
    delete(&format!("{DEVICES}42/")).json_of(&desk.server, 204).await;
    assert_eq!(get(&format!("{NODES}1/")).json_of(&desk.server, 200).await["netbox_device"], Value::Null);
}

async fn lists_of_references_are_filtered_and_sorted(db: TestDb) {
    let server = db.server().await;
    for (target, expected) in [
        (format!("{NETBOX_CLUSTERS}?id=5&id=1"), vec![1, 5]),
        (format!("{NETBOX_CLUSTERS}?name__ic=CLÜST"), vec![4]),
        (format!("{NETBOX_CLUSTERS}?name=prod-cluster"), vec![5]),
        (format!("{DEVICES}?name=null"), vec![40]),
        (format!("{DEVICES}?name__isw=edge"), vec![36, 37]),
        (format!("{DEVICES}?id__gte=41"), vec![41, 42]),
        (format!("{TAGS}?slug=prod&slug=unicode"), vec![1, 3]),
        (format!("{TAGS}?color=9e9e9e"), vec![2]),
        (format!("{TAGS}?name__ie=ÜNÏCODE"), vec![3]),
    ] {
        assert_eq!(super::sorted(ids(&server, &target).await), expected, "{target}");
    }
    for path in [NETBOX_CLUSTERS, DEVICES, TAGS] {
        let up = ids(&server, &format!("{path}?ordering=id")).await;
        let mut down = ids(&server, &format!("{path}?ordering=-id")).await;
        down.reverse();
        assert_eq!(up, down);
        let paged = ids(&server, &format!("{path}?ordering=name&limit=2&offset=1")).await;
        assert_eq!(paged, ids(&server, &format!("{path}?ordering=name")).await[1..3]);
        assert_eq!(keys(&get(&format!("{path}?id=x")).json_of(&server, 400).await), ["id"]);
    }
}

both!(
    a_new_object_refers_to_nothing_by_0,
    every_nested_url_leads_to_what_it_shows,
    references_are_made_with_the_id_that_they_have,
    tags_are_made_renamed_and_removed,
    what_goes_with_a_reference,
    lists_of_references_are_filtered_and_sorted,
);
