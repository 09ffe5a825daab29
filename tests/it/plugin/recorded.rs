//! The rows of a real NetBox 4.5.10 with netbox-proxbox 0.0.11, as they were recorded.
use super::there;
use proxbox_graphql::entity::{Kind, cluster, endpoint, node, storage};
use proxbox_graphql::plugin::{Owner, There, owner};
use proxbox_graphql::service::change::reference_name;
use sea_orm::{EntityTrait, IdenStatic, Iterable};
use serde_json::{Value, json};

/// The rows that were recorded of this list, by the admin.
fn rows(list: &str) -> Vec<Value> {
    let text = include_str!("../../data/netbox/recorded.jsonl");
    let answers = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answers = answers.filter(|answer| {
        let path = answer["request"]["path"].as_str().unwrap();
        path.split('?').next() == Some(list) && answer["request"]["authorization"] == "TOKEN_ADMIN"
    });
    answers.flat_map(|answer| answer["response"]["body"]["results"].as_array().unwrap().clone()).collect()
}

fn recorded() -> There {
    let lists = [
        (Kind::Endpoint, "/api/plugins/proxbox/endpoints/proxmox/"),
        (Kind::Cluster, "/api/plugins/proxbox/clusters/"),
        (Kind::Node, "/api/plugins/proxbox/nodes/"),
        (Kind::Storage, "/api/plugins/proxbox/storage/"),
    ];
    let rows = lists.into_iter().flat_map(|(kind, list)| rows(list).into_iter().map(move |row| (kind, row)));
    there(&rows.collect::<Vec<_>>())
}

#[test]
fn every_field_of_the_plugin_is_known() {
    let there = recorded();
    assert_eq!((there.left_out.len(), there.ignored.len()), (0, 0), "{there:#?}");
    assert_eq!((there.endpoints.len(), there.clusters.len(), there.nodes.len(), there.storages.len()), (3, 5, 10, 10));
}

#[test]
fn rows_have_the_values_that_the_seed_has() {
    let (there, seed) = (recorded(), serde_json::from_str::<Value>(crate::support::SEED).unwrap());
    let of = |list: &str, id: i32| {
        let rows = seed[list].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    };
    let same = |mut row: Value, mut wanted: Value, tags: Vec<i32>| {
        row["tags"] = json!(tags);
        for secret in ["password", "token_value"] {
            wanted.as_object_mut().unwrap().remove(secret);
        }
        // The order of a row's tags is nobody's.
        let mut tags = wanted["tags"].as_array().unwrap().iter().map(|tag| tag.as_i64().unwrap()).collect::<Vec<_>>();
        tags.sort_unstable();
        wanted["tags"] = json!(tags);
        for (key, value) in wanted.as_object().unwrap() {
            assert_eq!(&row[key], value, "{key} of {}", row["name"]);
        }
    };
    macro_rules! compare {
        ($rows:expr, $list:literal) => {
            for seen in $rows {
                let mut tags = seen.tags.iter().map(|tag| tag.id).collect::<Vec<_>>();
                tags.sort_unstable();
                same(serde_json::to_value(&seen.row).unwrap(), of($list, seen.id), tags);
            }
        };
    }
    compare!(&there.endpoints, "proxmox_endpoints");
    compare!(&there.clusters, "proxmox_clusters");
    compare!(&there.nodes, "proxmox_nodes");
    compare!(&there.storages, "proxmox_storages");
}

/// What is taken from the plugin is what the plugin tells: a column of our own would be emptied by every import.
#[test]
fn nothing_is_taken_that_the_plugin_does_not_tell() {
    fn columns<E: EntityTrait>(kind: Kind, list: &str) {
        let row = &rows(list)[0];
        for column in E::Column::iter() {
            let (name, owner) = (reference_name(kind, column.as_str()), owner(kind, column.as_str()));
            assert!(owner == Owner::Ours || row.get(name).is_some(), "{name} of a {kind} is {owner:?}");
        }
    }
    columns::<endpoint::Entity>(Kind::Endpoint, "/api/plugins/proxbox/endpoints/proxmox/");
    columns::<cluster::Entity>(Kind::Cluster, "/api/plugins/proxbox/clusters/");
    columns::<node::Entity>(Kind::Node, "/api/plugins/proxbox/nodes/");
    columns::<storage::Entity>(Kind::Storage, "/api/plugins/proxbox/storage/");
}
