//! Proxmox storages.
use super::{Tx, family};
use crate::entity::storage;
use crate::error::{Error, Result};
use sea_orm::EntityTrait;

/// Removes a storage.
pub async fn delete(tx: &mut Tx, id: i32) -> Result<()> {
    let row = storage::Entity::find_by_id(id).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no Proxmox storage {id}")))?;
    family::remove::<storage::Entity>(tx, &[row]).await
}
