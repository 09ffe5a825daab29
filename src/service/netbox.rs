//! References to NetBox's clusters and devices.
use super::{Tx, family};
use crate::entity::{cluster, netbox_cluster, netbox_device, node, storage};
use crate::error::{Error, Result};
use sea_orm::EntityTrait;

/// Removes a NetBox cluster with its storages; Proxmox clusters lose the link.
pub async fn delete_cluster(tx: &mut Tx, id: i32) -> Result<()> {
    let row = netbox_cluster::Entity::find_by_id(id).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no NetBox cluster {id}")))?;
    let storages = family::referring::<storage::Entity>(tx, storage::Column::ClusterId, &[id]).await?;
    family::remove::<storage::Entity>(tx, &storages).await?;
    let clusters = family::referring::<cluster::Entity>(tx, cluster::Column::NetboxClusterId, &[id]).await?;
    family::refer::<cluster::Entity>(tx, &clusters, "netbox_cluster_id", None).await?;
    family::remove::<netbox_cluster::Entity>(tx, &[row]).await
}

/// Removes a NetBox device; nodes lose the link.
pub async fn delete_device(tx: &mut Tx, id: i32) -> Result<()> {
    let row = netbox_device::Entity::find_by_id(id).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no NetBox device {id}")))?;
    let nodes = family::referring::<node::Entity>(tx, node::Column::NetboxDeviceId, &[id]).await?;
    family::refer::<node::Entity>(tx, &nodes, "netbox_device_id", None).await?;
    family::remove::<netbox_device::Entity>(tx, &[row]).await
}
