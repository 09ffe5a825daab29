//! A Proxmox VE storage of a cluster. Every text may be absent, which is not the same as empty.
use sea_orm::entity::prelude::*;

use super::{JsonText, Kind, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proxmox_storage")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    /// The NetBox cluster it belongs to.
    pub cluster_id: i32,
    /// The Proxmox cluster whose sync keeps it; none = kept by hand.
    pub source_id: Option<i32>,
    pub name: String,
    pub storage_type: Option<String>,
    pub content: Option<String>,
    pub path: Option<String>,
    pub nodes: Option<String>,
    pub shared: bool,
    pub enabled: bool,
    pub server: Option<String>,
    pub port: Option<i32>,
    pub username: Option<String>,
    pub export: Option<String>,
    pub share: Option<String>,
    pub pool: Option<String>,
    pub monhost: Option<String>,
    pub namespace: Option<String>,
    pub datastore: Option<String>,
    pub subdir: Option<String>,
    pub mountpoint: Option<String>,
    pub is_mountpoint: Option<String>,
    pub preallocation: Option<String>,
    pub format: Option<String>,
    pub prune_backups: Option<String>,
    pub max_protected_backups: Option<i32>,
    /// The whole configuration as Proxmox returned it, its keys in their order.
    pub raw_config: JsonText,
    /// When complete answers of Proxmox first lacked it; none while it is there.
    pub missing_since: Option<DateTimeUtc>,
    /// Missing for long enough to count as gone.
    pub stale: bool,
    pub custom_fields: JsonText,
    pub created: DateTimeUtc,
    pub last_updated: DateTimeUtc,
    #[sea_orm(belongs_to, from = "cluster_id", to = "id")]
    pub cluster: BelongsTo<super::netbox_cluster::Entity>,
    #[sea_orm(belongs_to, from = "source_id", to = "id")]
    pub source: BelongsTo<Option<super::cluster::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Resource for Model {
    const KIND: Kind = Kind::Storage;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        self.name.clone()
    }
}

/// The parts of a comma-separated list, trimmed, without empty ones.
fn parts(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
}

impl Model {
    /// The content types it holds, e.g. `images`, `backup`.
    pub fn content_types(&self) -> impl Iterator<Item = &str> {
        parts(self.content.as_deref())
    }

    /// The nodes that may use it; none named means all.
    pub fn node_names(&self) -> impl Iterator<Item = &str> {
        parts(self.nodes.as_deref())
    }
}
