//! A Proxmox VE hypervisor node.
use sea_orm::entity::prelude::*;

use super::{JsonText, Kind, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proxmox_node")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub endpoint_id: i32,
    pub proxmox_cluster_id: Option<i32>,
    pub netbox_device_id: Option<i32>,
    pub name: String,
    /// Number that Proxmox gave the node in its cluster.
    pub node_id: Option<i32>,
    pub ip_address: Option<String>,
    pub online: bool,
    /// Whether this is the node that answers at the endpoint.
    pub local: bool,
    /// Percent, 0–100.
    pub cpu_usage: Option<f64>,
    /// CPU threads.
    pub max_cpu: Option<i32>,
    /// Bytes.
    pub memory_usage: Option<i64>,
    /// Bytes.
    pub max_memory: Option<i64>,
    pub ssl_fingerprint: String,
    pub support_level: String,
    /// When the volatile figures were last read; they leave `last_updated` alone.
    pub metrics_at: Option<DateTimeUtc>,
    /// When complete answers of Proxmox first lacked it; none while it is there.
    pub missing_since: Option<DateTimeUtc>,
    /// Missing for long enough to count as gone.
    pub stale: bool,
    pub custom_fields: JsonText,
    pub created: DateTimeUtc,
    pub last_updated: DateTimeUtc,
    #[sea_orm(belongs_to, from = "endpoint_id", to = "id")]
    pub endpoint: BelongsTo<super::endpoint::Entity>,
    #[sea_orm(belongs_to, from = "proxmox_cluster_id", to = "id")]
    pub proxmox_cluster: BelongsTo<Option<super::cluster::Entity>>,
    #[sea_orm(belongs_to, from = "netbox_device_id", to = "id")]
    pub netbox_device: BelongsTo<Option<super::netbox_device::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Resource for Model {
    const KIND: Kind = Kind::Node;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        self.name.clone()
    }
}

impl Model {
    /// Used memory in percent of all; none when a figure is missing or the size is 0 (the plugin's rule, unrounded).
    pub fn memory_usage_percent(&self) -> Option<f64> {
        let (used, all) = (self.memory_usage?, self.max_memory.filter(|all| *all != 0)?);
        Some(used as f64 / all as f64 * 100.0)
    }
}
