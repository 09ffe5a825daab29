//! What an endpoint showed, in our terms: units, names and order of our rows, whatever Proxmox's were.
use crate::client::proxmox::{NodeItem, Permissions, Status, StatusNode, StorageItem};
use crate::entity::{Kind, Mode, storage};
use crate::service::Writable;
use crate::service::rules;
use chrono::{DateTime, Utc};
use sea_orm::{IdenStatic, Iterable, ModelTrait, Value as Cell};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::observe::Join;

/// Everything that was shown and can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The UUID of the cluster's own authority; "" when unknown.
    pub identity: String,
    /// The name of the cluster, as it was told now or before; "" for a standalone host, or when unknown. Endpoints with the
    /// same identity and name are of one cluster.
    pub group: String,
    pub version: Option<String>,
    pub repoid: Option<String>,
    pub cluster: Option<SeenCluster>,
    /// By name.
    pub nodes: BTreeMap<String, SeenNode>,
    /// By name; clusters and ids in them mean nothing.
    pub storages: BTreeMap<String, storage::Model>,
}

/// The cluster, or the standalone host as one.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenCluster {
    pub name: String,
    pub mode: Mode,
    pub nodes_count: i32,
    pub quorate: bool,
    /// Version of corosync's configuration.
    pub version: Option<i32>,
    /// Whether there is a cluster at all, and no host by itself.
    pub formed: bool,
}

/// A node. What is none was not told, which is not to be taken for a value.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenNode {
    /// Its number in the cluster; none outside of one.
    pub node_id: Option<i32>,
    pub ip_address: Option<String>,
    pub online: Option<bool>,
    pub local: Option<bool>,
    /// Percent, 0–100, two digits.
    pub cpu_usage: Option<f64>,
    pub max_cpu: Option<i32>,
    pub memory_usage: Option<i64>,
    pub max_memory: Option<i64>,
    pub ssl_fingerprint: Option<String>,
    pub support_level: Option<String>,
    /// Whether its figures may be read, so that their absence means that there are none.
    pub figures: bool,
}

/// The nodes of both lists, and why some of them cannot be used.
pub fn nodes(
    status: Option<&Status>,
    items: Option<&[NodeItem]>,
    join: &Join,
    permissions: Option<&Permissions>,
) -> (BTreeMap<String, SeenNode>, Vec<String>) {
    let mut found: BTreeMap<String, (Option<&StatusNode>, Option<&NodeItem>)> = BTreeMap::new();
    for node in status.into_iter().flat_map(|status| &status.nodes) {
        found.entry(node.name.clone()).or_default().0 = Some(node);
    }
    for item in items.into_iter().flatten() {
        found.entry(item.node.clone()).or_default().1 = Some(item);
    }
    let formed = status.is_some_and(|status| status.cluster.is_some());
    let (mut nodes, mut skipped) = (BTreeMap::new(), Vec::new());
    for (name, (status, item)) in found {
        let figures = permissions.is_some_and(|all| all.allows(&format!("/nodes/{name}"), "Sys.Audit"));
        let node = node(&name, status, item, join, formed, figures);
        match usable(&name, &node) {
            Ok(()) => drop(nodes.insert(name, node)),
            Err(why) => skipped.push(format!("node {name}: {why}")),
        }
    }
    (nodes, skipped)
}

fn node(
    name: &str,
    status: Option<&StatusNode>,
    item: Option<&NodeItem>,
    join: &Join,
    formed: bool,
    figures: bool,
) -> SeenNode {
    let member = match join {
        Join::Members(info) => info.nodes.iter().find(|member| member.name == name),
        _ => None,
    };
    let number = status.and_then(|node| node.nodeid).or_else(|| member.and_then(|member| member.nodeid));
    let online = status.and_then(|node| node.online);
    // A standalone host says 0.
    let number = number.filter(|number| formed && *number > 0);
    // Of a node that is down an empty level says nothing.
    let told = |level: &String| !level.is_empty() || online == Some(true);
    let level = item.and_then(|item| item.level.clone()).or_else(|| status.and_then(|node| node.level.clone()));
    let percent = |part: f64| (part * 100.0).clamp(0.0, 100.0);
    SeenNode {
        node_id: number.and_then(|number| i32::try_from(number).ok()),
        ip_address: status
            .and_then(|node| node.ip.clone())
            .or_else(|| member.and_then(|member| member.pve_addr.clone())),
        online,
        local: status.and_then(|node| node.local),
        cpu_usage: item.and_then(|item| item.cpu).filter(|cpu| cpu.is_finite()).map(|cpu| rounded(percent(cpu))),
        max_cpu: item.and_then(|item| item.maxcpu).and_then(|count| i32::try_from(count).ok()),
        memory_usage: item.and_then(|item| item.mem),
        max_memory: item.and_then(|item| item.maxmem),
        ssl_fingerprint: item
            .and_then(|item| item.ssl_fingerprint.clone())
            .or_else(|| member.and_then(|member| member.pve_fp.clone())),
        support_level: level.filter(told),
        figures,
    }
}

fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

fn usable(name: &str, node: &SeenNode) -> Result<(), String> {
    let told = |problem: crate::error::Problem| format!("{}: {}", problem.path.join("."), problem.message);
    rules::filled(Kind::Node, "name", name).map_err(told)?;
    for (field, value) in [("ssl_fingerprint", &node.ssl_fingerprint), ("support_level", &node.support_level)] {
        rules::text(Kind::Node, field, value.as_deref().unwrap_or_default()).map_err(told)?;
    }
    Ok(())
}

/// The storages, and why some of them cannot be used.
pub fn storages(items: &[StorageItem], now: DateTime<Utc>) -> (BTreeMap<String, storage::Model>, Vec<String>) {
    let (mut rows, mut skipped) = (BTreeMap::new(), Vec::new());
    for item in items {
        let row = storage(item, now);
        match fits(&row) {
            Ok(()) => drop(rows.insert(item.storage.clone(), row)),
            Err(why) => skipped.push(format!("storage {}: {why}", item.storage)),
        }
    }
    (rows, skipped)
}

fn storage(item: &StorageItem, now: DateTime<Utc>) -> storage::Model {
    let int = |key| item.int(key).and_then(|value| i32::try_from(value).ok());
    let text = |key| item.text(key).map(|text| without_userinfo(&text));
    storage::Model {
        name: item.storage.clone(),
        storage_type: item.kind.clone(),
        content: text("content").map(|list| sorted(&list)),
        path: text("path"),
        nodes: text("nodes").map(|list| sorted(&list)),
        shared: item.flag("shared").unwrap_or(false),
        enabled: !item.flag("disable").unwrap_or(false),
        server: text("server"),
        port: int("port"),
        username: text("username"),
        export: text("export"),
        share: text("share"),
        pool: text("pool"),
        monhost: text("monhost"),
        namespace: text("namespace"),
        datastore: text("datastore"),
        subdir: text("subdir"),
        mountpoint: text("mountpoint"),
        is_mountpoint: text("is_mountpoint"),
        preallocation: text("preallocation"),
        format: text("format"),
        prune_backups: text("prune-backups"),
        max_protected_backups: int("max-protected-backups"),
        raw_config: crate::entity::JsonText(Value::Object(raw(&item.raw))),
        ..storage::Model::blank(now)
    }
}

/// The configuration as it is kept: without what differs between two equal answers, and without secrets, which Proxmox
/// itself does not tell, but storages of others' making may.
fn raw(item: &Map<String, Value>) -> Map<String, Value> {
    let kept = item.iter().filter(|(key, _)| *key != "digest");
    let mut kept = kept.map(|(key, value)| (key.clone(), cleaned(key, value))).collect::<Vec<_>>();
    kept.sort_by(|(a, _), (b, _)| a.cmp(b));
    kept.into_iter().collect()
}

fn cleaned(key: &str, value: &Value) -> Value {
    match value {
        _ if is_secret(key) => Value::String("(redacted)".into()),
        Value::String(list) if ["content", "nodes"].contains(&key) => Value::String(sorted(list)),
        Value::String(text) => Value::String(without_userinfo(text)),
        Value::Object(object) => Value::Object(raw(object)),
        Value::Array(list) => Value::Array(list.iter().map(|value| cleaned("", value)).collect()),
        other => other.clone(),
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['-', '_'], "");
    let parts = ["password", "passphrase", "passwd", "secret", "keyring", "private", "apikey", "token", "credential"];
    parts.iter().any(|part| key.contains(part))
}

/// A text without the user and password of the URLs in it.
fn without_userinfo(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| "/?#,;\"'<>".contains(c) || c.is_whitespace()).unwrap_or(part.len());
        let host = part[..end].rfind('@').map_or(0, |at| at + 1);
        clean += "://";
        clean += &part[host..];
    }
    clean
}

/// A comma-separated list in one order: Proxmox writes it in another one each time.
pub fn sorted(list: &str) -> String {
    let mut parts = list.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>();
    parts.sort_unstable();
    parts.join(",")
}

/// By the rules of every text column; documents have none.
fn fits(row: &storage::Model) -> Result<(), String> {
    let told = |problem: crate::error::Problem| format!("{}: {}", problem.path.join("."), problem.message);
    rules::filled(Kind::Storage, "name", &row.name).map_err(told)?;
    let texts = storage::Column::iter().filter(|column| !["raw_config", "custom_fields"].contains(&column.as_str()));
    for column in texts {
        if let Cell::String(Some(text)) = row.get(column) {
            rules::text(Kind::Storage, column.as_str(), &text).map_err(told)?;
        }
    }
    Ok(())
}
