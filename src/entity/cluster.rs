//! A Proxmox VE cluster or standalone host, as one endpoint shows it.
use sea_orm::entity::prelude::*;

use super::{JsonText, Kind, Mode, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proxmox_cluster")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub endpoint_id: i32,
    pub netbox_cluster_id: Option<i32>,
    pub name: String,
    /// Proxmox's own identifier; "" when unknown.
    pub cluster_id: String,
    pub mode: Mode,
    /// Members as Proxmox reports them.
    pub nodes_count: i32,
    pub quorate: bool,
    /// Version of the corosync configuration.
    pub version: Option<i32>,
    /// The reference that holds its storages while it has no link to NetBox.
    pub local_cluster_id: Option<i32>,
    /// When complete answers of Proxmox first lacked it; none while it is there.
    pub missing_since: Option<DateTimeUtc>,
    /// Missing for long enough to count as gone.
    pub stale: bool,
    pub custom_fields: JsonText,
    pub created: DateTimeUtc,
    pub last_updated: DateTimeUtc,
    #[sea_orm(belongs_to, from = "endpoint_id", to = "id")]
    pub endpoint: BelongsTo<super::endpoint::Entity>,
    #[sea_orm(belongs_to, from = "netbox_cluster_id", to = "id")]
    pub netbox_cluster: BelongsTo<Option<super::netbox_cluster::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Resource for Model {
    const KIND: Kind = Kind::Cluster;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        self.name.clone()
    }
}
