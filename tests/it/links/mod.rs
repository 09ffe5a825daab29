//! Links between Proxmox's objects and NetBox's: what is suggested and why, and what becomes of decisions.
mod cli;
mod decisions;
mod doors;
mod facts;
mod scope;

use crate::graphql::mutations::Desk;
use crate::support::{ADMIN, SEED, Server, TestDb, fill};
use serde_json::{Value, json};

/// Where Proxmox's and NetBox's names meet in every way. A token more has these permissions.
pub const TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub fn file(permissions: Value) -> Value {
    let seed: Value = serde_json::from_str(SEED).unwrap();
    let mut tokens = seed["tokens"].clone();
    let token = json!({"name": "asked", "value": TOKEN, "permissions": permissions});
    tokens.as_array_mut().unwrap().push(token);
    let site = |id: i32| json!({"id": id, "name": format!("Site {id}"), "slug": format!("site-{id}")});
    json!({
        "tags": [],
        "netbox_clusters": [
            {"id": 25, "name": "prod", "display": "prod", "scope_type": "dcim.site", "scope": site(1)},
            {"id": 26, "name": "prod", "display": "prod", "scope_type": "dcim.site", "scope": site(2)},
            {"id": 27, "name": "LAB", "display": "LAB"},
            {"id": 1_000_000_000, "name": "prod", "display": "prod", "origin": "local"},
        ],
        "netbox_devices": [
            {"id": 31, "name": "pve1", "display": "pve1", "site": site(1), "cluster": 25, "primary_ip4": "192.0.2.11"},
            {"id": 32, "name": "pve1", "display": "pve1", "site": site(2), "cluster": 26},
            {"id": 33, "name": "pve2.example.com", "display": "pve2", "site": site(1), "primary_ip6": "2001:db8::2"},
            {"id": 34, "name": null, "display": "pve3", "site": site(1), "primary_ip4": "192.0.2.13"},
            {"id": 35, "name": "PVE3", "display": "PVE3", "site": site(1)},
            {"id": 36, "name": "lab1", "display": "lab1", "missing_since": "2026-01-01T00:00:00Z", "missed": 1},
        ],
        "proxmox_endpoints": [
            {"id": 1, "name": "one", "domain": "one.example.com", "ip_address": null, "mode": "cluster",
                "version": null, "repoid": null, "tls_fingerprint": null},
            {"id": 2, "name": "two", "domain": "two.example.com", "ip_address": null, "mode": "standalone",
                "version": null, "repoid": null, "tls_fingerprint": null},
        ],
        "proxmox_clusters": [
            {"id": 1, "endpoint": 1, "name": "prod", "mode": "cluster", "cluster_id": "G", "version": null,
                "netbox_cluster": null, "local_cluster": 1_000_000_000},
            {"id": 2, "endpoint": 2, "name": "lab", "mode": "standalone", "version": null, "netbox_cluster": null},
        ],
        "proxmox_nodes": [
            node(1, 1, Some(1), "pve1", "192.0.2.11"),
            node(2, 1, Some(1), "pve2", "2001:db8::2"),
            node(3, 1, Some(1), "pve3", "192.0.2.13"),
            node(4, 2, None, "lab1", "192.0.2.21"),
        ],
        "proxmox_storages": [storage(1, "local"), storage(2, "backup")],
        "tokens": tokens,
    })
}

pub fn node(id: i32, endpoint: i32, cluster: Option<i32>, name: &str, address: &str) -> Value {
    json!({"id": id, "endpoint": endpoint, "proxmox_cluster": cluster, "netbox_device": null, "name": name,
        "node_id": null, "ip_address": address, "cpu_usage": null, "max_cpu": null, "memory_usage": null,
        "max_memory": null})
}

fn storage(id: i32, name: &str) -> Value {
    let mut row = json!({"id": id, "cluster": 1_000_000_000, "source": 1, "name": name});
    for field in [
        "storage_type",
        "content",
        "path",
        "nodes",
        "server",
        "port",
        "username",
        "export",
        "share",
        "pool",
        "monhost",
        "namespace",
        "datastore",
        "subdir",
        "mountpoint",
        "is_mountpoint",
        "preallocation",
        "format",
        "prune_backups",
        "max_protected_backups",
    ] {
        row[field] = Value::Null;
    }
    row
}

/// A server on the file.
pub async fn desk(db: &TestDb, permissions: Value) -> Desk {
    let app = db.open().await;
    fill(&app, &file(permissions).to_string()).await;
    Desk { server: Server::new(app) }
}

/// What is suggested at first: `node:1 = 31 1.00 NAME PRIMARY_ADDRESS, 32 0.80 NAME`, with `=` for exact ones.
pub const AT_FIRST: [&str; 5] = [
    "cluster:2 = 27 0.75 NAME_IGNORING_CASE",
    "cluster:1 ? 25 0.80 NAME, 26 0.80 NAME",
    "node:1 = 31 1.00 NAME PRIMARY_ADDRESS, 32 0.80 NAME",
    "node:2 = 33 0.75 FIRST_LABEL PRIMARY_ADDRESS",
    "node:3 = 35 0.75 NAME_IGNORING_CASE",
];

/// The suggestions that somebody sees, in short.
pub async fn suggested_to(server: &Server, token: &str, arguments: &str) -> Vec<String> {
    let question = format!(
        "{{ linkSuggestions{arguments} {{ totalCount nodes {{
            type isExact candidateCount object {{ id }} candidates {{ score reasons target {{ id }} }} }} }} }}"
    );
    let data = server.ask_as(token, &question, json!({})).await.data();
    let nodes = data["linkSuggestions"]["nodes"].as_array().unwrap().clone();
    assert!(data["linkSuggestions"]["totalCount"].as_u64().unwrap() >= nodes.len() as u64);
    nodes.iter().map(short).collect()
}

pub async fn suggested(server: &Server) -> Vec<String> {
    suggested_to(server, ADMIN, "").await
}

/// The suggestion for one object; empty when there is none.
pub async fn suggested_for(server: &Server, object: &str) -> String {
    let found = suggested(server).await.into_iter().find(|line| line.starts_with(&format!("{object} ")));
    found.unwrap_or_default()
}

fn short(suggestion: &Value) -> String {
    let id =
        |object: &Value| object["id"].as_str().unwrap().split_once(':').map(|(ty, id)| (ty.to_owned(), id.to_owned()));
    let (ty, object) = id(&suggestion["object"]).unwrap();
    let (word, target) = match (suggestion["type"].as_str().unwrap(), &*ty) {
        ("PROXMOX_CLUSTER", "ProxmoxCluster") => ("cluster", "NetBoxCluster"),
        ("PROXMOX_NODE", "ProxmoxNode") => ("node", "NetBoxDevice"),
        other => panic!("{other:?}"),
    };
    let candidates = suggestion["candidates"].as_array().unwrap();
    assert!(suggestion["candidateCount"].as_u64().unwrap() >= candidates.len() as u64);
    let candidates = candidates.iter().map(|candidate| {
        let (ty, number) = id(&candidate["target"]).unwrap();
        assert_eq!(ty, target);
        let reasons = candidate["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap());
        format!("{number} {:.2} {}", candidate["score"].as_f64().unwrap(), reasons.collect::<Vec<_>>().join(" "))
    });
    let exact = if suggestion["isExact"] == true { "=" } else { "?" };
    format!("{word}:{object} {exact} {}", candidates.collect::<Vec<_>>().join(", "))
}

/// The decisions of a database as a file has them, without who and when.
pub async fn decisions(desk: &Desk) -> Vec<String> {
    let file = desk.file().await;
    let rows = file["link_decisions"].as_array().cloned().unwrap_or_default();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = rows.iter().map(|row| {
        format!("{} {} {} {}", text(row, "decision"), text(row, "object_type"), row["object"], row["target"])
    });
    rows.collect()
}
