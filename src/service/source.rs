//! Where the storages of a Proxmox cluster lie: at the NetBox cluster that it is linked to, or else at a reference of its
//! own, which is kept here only and never sent to NetBox.
use super::tx::Tx;
use super::{change, family, sync_scope};
use crate::entity::{Kind, Origin, cluster, netbox_cluster, storage};
use crate::error::{Error, Result};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;

/// Local references have ids from here on, where NetBox's never come.
pub const FIRST_LOCAL: i32 = 1_000_000_000;

/// Moves the storages of a cluster to where its link says. Those whose name is taken there by another source, or by
/// hand, stay at the local reference; sync tells the operator, and moves them when the name is free.
pub(super) async fn follow_link(tx: &mut Tx, cluster: &cluster::Model) -> Result<()> {
    let own = family::referring::<storage::Entity>(tx, storage::Column::SourceId, &[cluster.id]).await?;
    if own.is_empty() {
        return Ok(());
    }
    let taken = match cluster.netbox_cluster_id {
        Some(linked) => taken(tx, linked, cluster.id).await?,
        None => HashSet::new(),
    };
    let (blocked, free): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|row| cluster.netbox_cluster_id.is_none() || taken.contains(&row.name));
    if !blocked.is_empty() {
        let local = local_reference(tx, cluster).await?;
        if cluster.netbox_cluster_id.is_some() {
            let names = blocked.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
            tracing::warn!("storages of {} stay at its local reference, the names are taken: {names}", cluster.name);
        }
        move_to(tx, blocked, local).await?;
    }
    match cluster.netbox_cluster_id {
        Some(linked) => move_to(tx, free, linked).await,
        None => Ok(()),
    }
}

async fn move_to(tx: &mut Tx, mut rows: Vec<storage::Model>, target: i32) -> Result<()> {
    rows.retain(|row| row.cluster_id != target);
    family::refer::<storage::Entity>(tx, &rows, "cluster_id", Some(target)).await
}

/// The names at a NetBox cluster that are not this source's.
async fn taken(tx: &Tx, netbox_cluster: i32, source: i32) -> Result<HashSet<String>> {
    let others = Condition::any().add(storage::Column::SourceId.is_null()).add(storage::Column::SourceId.ne(source));
    let rows = storage::Entity::find()
        .filter(storage::Column::ClusterId.eq(netbox_cluster))
        .filter(others)
        .select_only()
        .column(storage::Column::Name)
        .into_tuple::<String>();
    Ok(rows.all(tx.connection()).await?.into_iter().collect())
}

/// The local reference of a cluster, made if there is none yet.
async fn local_reference(tx: &mut Tx, cluster: &cluster::Model) -> Result<i32> {
    let stored = cluster::Entity::find_by_id(cluster.id).one(tx.connection()).await?;
    let stored = stored.ok_or(Error::Contention)?;
    if let Some(id) = stored.local_cluster_id {
        return Ok(id);
    }
    tx.take_turn(Kind::NetBoxCluster).await?;
    let id = sync_scope::next_local(tx.connection()).await?;
    let row = netbox_cluster::Model::known(id, &cluster.name, &cluster.name, Origin::Local);
    let new: netbox_cluster::ActiveModel = row.clone().into();
    netbox_cluster::Entity::insert(new.reset_all()).exec_without_returning(tx.connection()).await?;
    tx.created(Kind::NetBoxCluster, id, change::document(&row, &[]));
    family::refer::<cluster::Entity>(tx, &[stored], "local_cluster_id", Some(id)).await?;
    Ok(id)
}

/// Removes local references that hold nothing any more.
pub(super) async fn remove_empty(tx: &mut Tx, ids: &[i32]) -> Result<()> {
    let held = family::referring::<storage::Entity>(tx, storage::Column::ClusterId, ids).await?;
    let linked = family::referring::<cluster::Entity>(tx, cluster::Column::NetboxClusterId, ids).await?;
    let kept = family::referring::<cluster::Entity>(tx, cluster::Column::LocalClusterId, ids).await?;
    let mut used = held.iter().map(|row| row.cluster_id).collect::<HashSet<_>>();
    used.extend(linked.iter().filter_map(|row| row.netbox_cluster_id));
    used.extend(kept.iter().filter_map(|row| row.local_cluster_id));
    let empty = ids.iter().copied().filter(|id| !used.contains(id)).collect::<Vec<_>>();
    let rows = family::referring::<netbox_cluster::Entity>(tx, netbox_cluster::Column::Id, &empty).await?;
    family::remove::<netbox_cluster::Entity>(tx, &rows).await
}
