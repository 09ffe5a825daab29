//! Proxmox nodes.
use super::patch::INT;
use super::{Fields, Given, Tx, Writable, family, link};
use crate::entity::{JsonText, Kind, node};
use crate::error::{Code, Problem, Result};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition};
use serde_json::Value;

/// What a client gives of a node.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub endpoint: Given<i32>,
    pub proxmox_cluster: Given<i32>,
    pub netbox_device: Given<i32>,
    pub name: Given<String>,
    pub node_id: Given<i64>,
    pub ip_address: Given<String>,
    pub online: Given<bool>,
    pub local: Given<bool>,
    pub cpu_usage: Given<f64>,
    pub max_cpu: Given<i64>,
    pub memory_usage: Given<i64>,
    pub max_memory: Given<i64>,
    pub ssl_fingerprint: Given<String>,
    pub support_level: Given<String>,
    pub tags: Given<Vec<String>>,
    pub custom_fields: Given<Value>,
}

impl Writable for node::Model {
    type Patch = Patch;

    fn blank(now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            endpoint_id: 0,
            proxmox_cluster_id: None,
            netbox_device_id: None,
            name: String::new(),
            node_id: None,
            ip_address: None,
            online: false,
            local: false,
            cpu_usage: None,
            max_cpu: None,
            memory_usage: None,
            max_memory: None,
            ssl_fingerprint: String::new(),
            support_level: String::new(),
            metrics_at: None,
            missing_since: None,
            stale: false,
            custom_fields: JsonText::object(),
            created: now,
            last_updated: now,
        }
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        fields.require("endpoint", &patch.endpoint);
        fields.require("name", &patch.name);
        fields.require("ip_address", &patch.ip_address);
        fields.reference("endpoint", Kind::Endpoint, &patch.endpoint, &mut self.endpoint_id);
        let cluster = &mut self.proxmox_cluster_id;
        fields.optional_reference("proxmox_cluster", Kind::Cluster, &patch.proxmox_cluster, cluster);
        let device = &mut self.netbox_device_id;
        fields.optional_reference("netbox_device", Kind::NetBoxDevice, &patch.netbox_device, device);
        fields.filled("name", &patch.name, &mut self.name);
        fields.optional_int("node_id", &patch.node_id, INT, &mut self.node_id);
        fields.address("ip_address", &patch.ip_address, &mut self.ip_address);
        fields.plain("online", &patch.online, &mut self.online);
        fields.plain("local", &patch.local, &mut self.local);
        fields.optional_float("cpu_usage", &patch.cpu_usage, &mut self.cpu_usage);
        fields.optional_int("max_cpu", &patch.max_cpu, INT, &mut self.max_cpu);
        fields.optional_big(&patch.memory_usage, &mut self.memory_usage);
        fields.optional_big(&patch.max_memory, &mut self.max_memory);
        fields.text("ssl_fingerprint", &patch.ssl_fingerprint, &mut self.ssl_fingerprint);
        fields.text("support_level", &patch.support_level, &mut self.support_level);
        fields.custom_fields(&patch.custom_fields, &mut self.custom_fields);
    }

    fn conflict(_: &str) -> Problem {
        let message = "Proxmox node with this Proxmox endpoint and Node name already exists.";
        Problem::new(Code::KeyTaken, "name", message)
    }

    fn netbox_link(patch: &Patch) -> Option<(Kind, i32)> {
        Some((Kind::NetBoxDevice, patch.netbox_device??))
    }

    fn tags(patch: &Patch) -> &Given<Vec<String>> {
        &patch.tags
    }

    fn twin(&self) -> Option<Condition> {
        let name = node::Column::Name.eq(self.name.as_str());
        Some(Condition::all().add(node::Column::EndpointId.eq(self.endpoint_id)).add(name))
    }

    async fn follow(before: &Self, after: &Self, tx: &mut Tx) -> Result<()> {
        link::follow(tx, before, after).await
    }

    async fn remove(self, tx: &mut Tx) -> Result<()> {
        family::remove::<node::Entity>(tx, &[self]).await
    }
}
