//! The plugin's rows in the terms of our files. What we do not know of is passed over and named; what a version of the
//! plugin does not tell has the default that a file gives it.
use super::item::Item;
use crate::entity::{Kind, Origin};
use crate::error::Problem;
use crate::service::file;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// A row of the plugin's as it was read.
#[derive(Debug)]
pub struct Seen<T> {
    pub id: i32,
    pub name: String,
    /// Its references are the plugin's ids; its tags stand beside it.
    pub row: T,
    pub tags: Vec<file::Tag>,
    /// The NetBox cluster that it names.
    pub cluster: Option<file::NetBoxCluster>,
    /// The NetBox device that it names.
    pub device: Option<file::NetBoxDevice>,
}

/// A row that was read, with the names that nobody knows, or what is wrong with it.
pub(super) type Read<T> = Result<(Seen<T>, Vec<String>), Vec<Problem>>;

/// Follows from other fields, or leads to pages.
const FOLLOWS: [&str; 8] = [
    "url",
    "display",
    "display_url",
    "node_count",
    "cpu_usage_percent",
    "memory_usage_percent",
    "password",
    "token_value",
];

fn reading<T>(fields: Map<String, Value>, read: impl FnOnce(&mut Item) -> Seen<T>) -> Read<T> {
    let mut item = Item::new(fields);
    item.skip(&FOLLOWS);
    let seen = read(&mut item);
    Ok((seen, item.end()?.collect()))
}

pub(super) fn endpoint(fields: Map<String, Value>) -> Read<file::Endpoint> {
    reading(fields, |item| {
        let (id, name, [created, last_updated]) = (item.id(), name(item), times(item));
        let row = file::Endpoint {
            id,
            name: name.clone(),
            domain: item.text("domain"),
            ip_address: item.address("ip_address"),
            port: item.int("port").unwrap_or(8006),
            mode: mode(item),
            version: item.text("version"),
            repoid: item.text("repoid"),
            username: item.text("username").unwrap_or_else(|| "root@pam".into()),
            password: None,
            token_value: None,
            sealed_password: None,
            sealed_token_value: None,
            token_name: item.text("token_name").unwrap_or_default(),
            verify_ssl: item.bool("verify_ssl").unwrap_or_default(),
            tls_fingerprint: None,
            tls_ca: None,
            enabled: item.bool("enabled").unwrap_or(true),
            sync_interval: None,
            tags: Vec::new(),
            custom_fields: item.json("custom_fields"),
            created,
            last_updated,
        };
        Seen { id, name, row, tags: tags(item), cluster: None, device: None }
    })
}

pub(super) fn cluster(fields: Map<String, Value>) -> Read<file::Cluster> {
    reading(fields, |item| {
        let (id, name, [created, last_updated]) = (item.id(), name(item), times(item));
        let netbox = item.nested("netbox_cluster", netbox_cluster);
        let row = file::Cluster {
            id,
            endpoint: parent(item, "endpoint").unwrap_or_default(),
            netbox_cluster: netbox.as_ref().map(|netbox| netbox.id),
            name: name.clone(),
            cluster_id: item.text("cluster_id").unwrap_or_default(),
            mode: mode(item),
            nodes_count: item.int("nodes_count").unwrap_or_default(),
            quorate: item.bool("quorate").unwrap_or_default(),
            version: item.int("version"),
            local_cluster: None,
            missing_since: None,
            stale: false,
            tags: Vec::new(),
            custom_fields: item.json("custom_fields"),
            created,
            last_updated,
        };
        Seen { id, name, row, tags: tags(item), cluster: netbox, device: None }
    })
}

pub(super) fn node(fields: Map<String, Value>) -> Read<file::Node> {
    reading(fields, |item| {
        let (id, name, [created, last_updated]) = (item.id(), name(item), times(item));
        let device = item.nested("netbox_device", netbox_device);
        let row = file::Node {
            id,
            endpoint: parent(item, "endpoint").unwrap_or_default(),
            proxmox_cluster: parent(item, "proxmox_cluster"),
            netbox_device: device.as_ref().map(|device| device.id),
            name: name.clone(),
            node_id: item.int("node_id"),
            ip_address: item.address("ip_address"),
            online: item.bool("online").unwrap_or_default(),
            local: item.bool("local").unwrap_or_default(),
            cpu_usage: item.float("cpu_usage"),
            max_cpu: item.int("max_cpu"),
            memory_usage: item.int("memory_usage"),
            max_memory: item.int("max_memory"),
            ssl_fingerprint: item.text("ssl_fingerprint").unwrap_or_default(),
            support_level: item.text("support_level").unwrap_or_default(),
            metrics_at: None,
            missing_since: None,
            stale: false,
            tags: Vec::new(),
            custom_fields: item.json("custom_fields"),
            created,
            last_updated,
        };
        Seen { id, name, row, tags: tags(item), cluster: None, device }
    })
}

pub(super) fn storage(fields: Map<String, Value>) -> Read<file::Storage> {
    reading(fields, |item| {
        let (id, name, [created, last_updated]) = (item.id(), name(item), times(item));
        let netbox = item.nested("cluster", netbox_cluster);
        let row = file::Storage {
            id,
            cluster: netbox.as_ref().map(|netbox| netbox.id).unwrap_or_default(),
            source: None,
            name: name.clone(),
            storage_type: item.text("storage_type"),
            content: item.text("content"),
            path: item.text("path"),
            nodes: item.text("nodes"),
            shared: item.bool("shared").unwrap_or_default(),
            enabled: item.bool("enabled").unwrap_or(true),
            server: item.text("server"),
            port: item.int("port"),
            username: item.text("username"),
            export: item.text("export"),
            share: item.text("share"),
            pool: item.text("pool"),
            monhost: item.text("monhost"),
            namespace: item.text("namespace"),
            datastore: item.text("datastore"),
            subdir: item.text("subdir"),
            mountpoint: item.text("mountpoint"),
            is_mountpoint: item.flag_or_text("is_mountpoint"),
            preallocation: item.text("preallocation"),
            format: item.text("format"),
            prune_backups: item.text("prune_backups"),
            max_protected_backups: item.int("max_protected_backups"),
            raw_config: item.json("raw_config"),
            missing_since: None,
            stale: false,
            tags: Vec::new(),
            custom_fields: item.json("custom_fields"),
            created,
            last_updated,
        };
        Seen { id, name, row, tags: tags(item), cluster: netbox, device: None }
    })
}

/// What a row is called, for people who look for it.
pub(super) fn called(fields: &Map<String, Value>) -> (Option<i64>, String) {
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    (fields.get("id").and_then(Value::as_i64), name.chars().take(255).collect())
}

/// Names of the lists, for the report.
pub(super) const KINDS: [Kind; 4] = [Kind::Endpoint, Kind::Cluster, Kind::Node, Kind::Storage];

fn name(item: &mut Item) -> String {
    item.text("name").unwrap_or_default()
}

fn mode(item: &mut Item) -> String {
    item.choice("mode").unwrap_or_else(|| "undefined".into())
}

/// When it was made and last changed. NetBox may not know; then it was long ago, so that it is never news.
fn times(item: &mut Item) -> [DateTime<Utc>; 2] {
    let (created, last_updated) = (item.time("created"), item.time("last_updated"));
    let known = created.or(last_updated).unwrap_or_default();
    [created.unwrap_or(known), last_updated.unwrap_or(known)]
}

fn parent(item: &mut Item, field: &str) -> Option<i32> {
    item.nested(field, Item::id)
}

fn netbox_cluster(item: &mut Item) -> file::NetBoxCluster {
    let (id, name) = (item.id(), name(item));
    let display = item.text("display").unwrap_or_else(|| name.clone());
    file::NetBoxCluster::known(id, name, display, Origin::Manual)
}

fn netbox_device(item: &mut Item) -> file::NetBoxDevice {
    let (id, name) = (item.id(), item.text("name"));
    let display = item.text("display").or_else(|| name.clone()).unwrap_or_default();
    file::NetBoxDevice::known(id, name, display, Origin::Manual)
}

fn tags(item: &mut Item) -> Vec<file::Tag> {
    item.list("tags", |tag| file::Tag {
        id: tag.id(),
        name: name(tag),
        slug: tag.text("slug").unwrap_or_default(),
        color: tag.text("color").unwrap_or_else(|| "9e9e9e".into()).to_lowercase(),
    })
}
