//! Proxmox storages.
use super::patch::{COUNT, INT};
use super::{Fields, Given, Tx, Writable, family};
use crate::entity::{JsonText, Kind, storage};
use crate::error::{Code, Problem, Result};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition};
use serde_json::Value;

/// What a client gives of a storage.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub cluster: Given<i32>,
    pub name: Given<String>,
    pub storage_type: Given<String>,
    pub content: Given<String>,
    pub path: Given<String>,
    pub nodes: Given<String>,
    pub shared: Given<bool>,
    pub enabled: Given<bool>,
    pub server: Given<String>,
    pub port: Given<i64>,
    pub username: Given<String>,
    pub export: Given<String>,
    pub share: Given<String>,
    pub pool: Given<String>,
    pub monhost: Given<String>,
    pub namespace: Given<String>,
    pub datastore: Given<String>,
    pub subdir: Given<String>,
    pub mountpoint: Given<String>,
    pub is_mountpoint: Given<String>,
    pub preallocation: Given<String>,
    pub format: Given<String>,
    pub prune_backups: Given<String>,
    pub max_protected_backups: Given<i64>,
    pub raw_config: Given<Value>,
    pub tags: Given<Vec<String>>,
    pub custom_fields: Given<Value>,
}

impl Writable for storage::Model {
    type Patch = Patch;

    fn blank(now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            cluster_id: 0,
            source_id: None,
            name: String::new(),
            storage_type: None,
            content: None,
            path: None,
            nodes: None,
            shared: false,
            enabled: true,
            server: None,
            port: None,
            username: None,
            export: None,
            share: None,
            pool: None,
            monhost: None,
            namespace: None,
            datastore: None,
            subdir: None,
            mountpoint: None,
            is_mountpoint: None,
            preallocation: None,
            format: None,
            prune_backups: None,
            max_protected_backups: None,
            raw_config: JsonText::object(),
            missing_since: None,
            stale: false,
            custom_fields: JsonText::object(),
            created: now,
            last_updated: now,
        }
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        fields.require("cluster", &patch.cluster);
        fields.require("name", &patch.name);
        fields.reference("cluster", Kind::NetBoxCluster, &patch.cluster, &mut self.cluster_id);
        fields.filled("name", &patch.name, &mut self.name);
        fields.optional_text("storage_type", &patch.storage_type, &mut self.storage_type);
        fields.optional_text("content", &patch.content, &mut self.content);
        fields.optional_text("path", &patch.path, &mut self.path);
        fields.optional_text("nodes", &patch.nodes, &mut self.nodes);
        fields.plain("shared", &patch.shared, &mut self.shared);
        fields.plain("enabled", &patch.enabled, &mut self.enabled);
        fields.optional_text("server", &patch.server, &mut self.server);
        fields.optional_int("port", &patch.port, COUNT, &mut self.port);
        fields.optional_text("username", &patch.username, &mut self.username);
        fields.optional_text("export", &patch.export, &mut self.export);
        fields.optional_text("share", &patch.share, &mut self.share);
        fields.optional_text("pool", &patch.pool, &mut self.pool);
        fields.optional_text("monhost", &patch.monhost, &mut self.monhost);
        fields.optional_text("namespace", &patch.namespace, &mut self.namespace);
        fields.optional_text("datastore", &patch.datastore, &mut self.datastore);
        fields.optional_text("subdir", &patch.subdir, &mut self.subdir);
        fields.optional_text("mountpoint", &patch.mountpoint, &mut self.mountpoint);
        fields.optional_text("is_mountpoint", &patch.is_mountpoint, &mut self.is_mountpoint);
        fields.optional_text("preallocation", &patch.preallocation, &mut self.preallocation);
        fields.optional_text("format", &patch.format, &mut self.format);
        fields.optional_text("prune_backups", &patch.prune_backups, &mut self.prune_backups);
        fields.optional_int(
            "max_protected_backups",
            &patch.max_protected_backups,
            INT,
            &mut self.max_protected_backups,
        );
        fields.json("raw_config", &patch.raw_config, &mut self.raw_config);
        fields.custom_fields(&patch.custom_fields, &mut self.custom_fields);
    }

    fn conflict(_: &str) -> Problem {
        Problem::new(Code::KeyTaken, "name", "Proxmox Storage with this Cluster and Name already exists.")
    }

    fn netbox_link(patch: &Patch) -> Option<(Kind, i32)> {
        Some((Kind::NetBoxCluster, patch.cluster??))
    }

    fn tags(patch: &Patch) -> &Given<Vec<String>> {
        &patch.tags
    }

    fn twin(&self) -> Option<Condition> {
        let name = storage::Column::Name.eq(self.name.as_str());
        Some(Condition::all().add(storage::Column::ClusterId.eq(self.cluster_id)).add(name))
    }

    async fn remove(self, tx: &mut Tx) -> Result<()> {
        family::remove::<storage::Entity>(tx, &[self]).await
    }
}
