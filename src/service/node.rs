//! Proxmox nodes.
use super::{Tx, family};
use crate::entity::node;
use crate::error::{Error, Result};
use sea_orm::EntityTrait;

/// Removes a node.
pub async fn delete(tx: &mut Tx, id: i32) -> Result<()> {
    let row = node::Entity::find_by_id(id).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no Proxmox node {id}")))?;
    family::remove::<node::Entity>(tx, &[row]).await
}
