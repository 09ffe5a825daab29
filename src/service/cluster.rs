//! Proxmox clusters.
use super::{Tx, family};
use crate::entity::{cluster, node, storage};
use crate::error::{Error, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeMap;

/// Removes a cluster: its nodes stay without one, and its storages get another cluster of its group as source.
pub async fn delete(tx: &mut Tx, id: i32) -> Result<()> {
    let row = cluster::Entity::find_by_id(id).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no Proxmox cluster {id}")))?;
    delete_all(tx, vec![row]).await
}

/// Removes clusters together, so that none of them becomes the source of another's storages.
pub(super) async fn delete_all(tx: &mut Tx, rows: Vec<cluster::Model>) -> Result<()> {
    let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let nodes = family::referring::<node::Entity>(tx, node::Column::ProxmoxClusterId, &ids).await?;
    family::refer::<node::Entity>(tx, &nodes, "proxmox_cluster_id", None).await?;
    let mut storages: BTreeMap<Option<i32>, Vec<storage::Model>> = BTreeMap::new();
    let heirs = heirs(tx, &rows).await?;
    for storage in family::referring::<storage::Entity>(tx, storage::Column::SourceId, &ids).await? {
        let heir = storage.source_id.and_then(|source| heirs.get(&source).copied());
        storages.entry(heir).or_default().push(storage);
    }
    for (heir, storages) in storages {
        family::refer::<storage::Entity>(tx, &storages, "source_id", heir).await?;
    }
    family::remove::<cluster::Entity>(tx, &rows).await
}

/// For each cluster that goes the first that stays of its group: the same, known, identifier of Proxmox.
async fn heirs(tx: &Tx, going: &[cluster::Model]) -> Result<BTreeMap<i32, i32>> {
    let ids = going.iter().map(|row| row.id).collect::<Vec<_>>();
    let mut heirs = BTreeMap::new();
    for row in going.iter().filter(|row| !row.cluster_id.is_empty()) {
        let group = cluster::Entity::find().filter(cluster::Column::ClusterId.eq(row.cluster_id.as_str()));
        let group = group.order_by_asc(cluster::Column::Id).all(tx.connection()).await?;
        if let Some(heir) = group.iter().find(|other| !ids.contains(&other.id)) {
            heirs.insert(row.id, heir.id);
        }
    }
    Ok(heirs)
}
