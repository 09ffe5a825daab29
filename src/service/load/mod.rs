//! Loading a file into an empty database: all or nothing, every error with the path of what is wrong.
mod check;
pub(super) mod rows;

use super::file::{self, File, Object};
use super::token::Pepper;
use super::write::insert_all;
use super::{Tx, ids, secret};
use crate::entity::{
    cluster, endpoint, link_decision, netbox_cluster, netbox_device, node, storage, tag, tag_assignment, token,
};
use crate::error::{Error, Result};
use crate::secret::Sealer;
use check::Known;
use rows::{
    cluster_row, decision_row, endpoint_row, netbox_cluster_row, netbox_device_row, node_row, storage_row, tag_row,
    token_row,
};
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

/// Reads a file; what does not fit its format is told with its path.
pub fn parse(text: &[u8]) -> Result<File> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let file: Object<File> = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = without_texts(&error.into_inner().to_string());
        Error::input(if path == "." { message } else { format!("{path}: {message}") })
    })?;
    deserializer.end().map_err(|error| Error::input(error.to_string()))?;
    Ok(file.0)
}

/// The library repeats a text where something else belongs; it may be a secret in the wrong place.
fn without_texts(message: &str) -> String {
    let parts = message.strip_prefix("invalid type: string \"").and_then(|rest| rest.rsplit_once("\", expected "));
    parts.map_or_else(|| message.to_owned(), |(_, expected)| format!("invalid type: a text, expected {expected}"))
}

/// Told of the progress: rows stored so far, of all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Stores a file in an empty database.
pub async fn load(tx: &mut Tx, sealer: &Sealer, pepper: &Pepper, file: File, progress: Progress<'_>) -> Result<()> {
    must_be_empty(tx).await?;
    let known = Known::check(&file)?;
    let counts = counts(&file);
    let mut loader = Loader { done: 0, all: known.rows, progress };
    let next_id = file.next_id.unwrap_or(1);
    let with_file = file.pepper.as_deref().map(|sealed| Pepper::open(sealed, sealer)).transpose();
    let with_file = with_file.map_err(|error| Error::input(error.to_string()).within("pepper"))?;
    if let Some(sealed) = &file.pepper {
        Pepper::replace(tx, sealed).await?;
    }
    loader.store::<tag::Entity, _>(tx, "tags", file.tags, tag_row).await?;
    loader.store::<netbox_cluster::Entity, _>(tx, "netbox_clusters", file.netbox_clusters, netbox_cluster_row).await?;
    loader.store::<netbox_device::Entity, _>(tx, "netbox_devices", file.netbox_devices, netbox_device_row).await?;
    let key = secret::key(tx).await?;
    let endpoint_row = |row| endpoint_row(row, sealer, key);
    loader.store::<endpoint::Entity, _>(tx, "proxmox_endpoints", file.proxmox_endpoints, endpoint_row).await?;
    loader.store::<cluster::Entity, _>(tx, "proxmox_clusters", file.proxmox_clusters, cluster_row).await?;
    loader.store::<node::Entity, _>(tx, "proxmox_nodes", file.proxmox_nodes, node_row).await?;
    loader.store::<storage::Entity, _>(tx, "proxmox_storages", file.proxmox_storages, storage_row).await?;
    loader.store::<link_decision::Entity, _>(tx, "link_decisions", file.link_decisions, decision_row).await?;
    loader.insert::<tag_assignment::Entity>(tx, known.assignments).await?;
    store_tokens(tx, with_file.as_ref().unwrap_or(pepper), with_file.is_some(), file.tokens).await?;
    ids::start_at(tx, next_id).await?;
    tx.loaded(counts);
    Ok(())
}

async fn must_be_empty(tx: &Tx) -> Result<()> {
    let connection = tx.connection();
    let rows = [
        (tag::Entity::find().count(connection).await?, "tags"),
        (netbox_cluster::Entity::find().count(connection).await?, "NetBox clusters"),
        (netbox_device::Entity::find().count(connection).await?, "NetBox devices"),
        (endpoint::Entity::find().count(connection).await?, "endpoints"),
        (storage::Entity::find().count(connection).await?, "storages"),
        (token::Entity::find().count(connection).await?, "tokens"),
    ];
    match rows.iter().find(|(count, _)| *count > 0) {
        None => Ok(()),
        Some((count, what)) => {
            Err(Error::Conflict(format!("the database is not empty: it holds {count} {what}; load needs an empty one")))
        }
    }
}

fn counts(file: &File) -> Value {
    json!({
        "tags": file.tags.len(),
        "netbox_clusters": file.netbox_clusters.len(),
        "netbox_devices": file.netbox_devices.len(),
        "proxmox_endpoints": file.proxmox_endpoints.len(),
        "proxmox_clusters": file.proxmox_clusters.len(),
        "proxmox_nodes": file.proxmox_nodes.len(),
        "proxmox_storages": file.proxmox_storages.len(),
        "tokens": file.tokens.len(),
    })
}

struct Loader<'a> {
    done: u64,
    all: u64,
    progress: Progress<'a>,
}

impl Loader<'_> {
    /// Checks and stores the rows of one list.
    async fn store<E, R>(
        &mut self,
        tx: &Tx,
        list: &'static str,
        rows: Vec<R>,
        row: impl Fn(R) -> Result<E::ActiveModel>,
    ) -> Result<()>
    where
        E: EntityTrait,
        E::ActiveModel: Send,
    {
        let rows = rows.into_iter().enumerate();
        let rows = rows.map(|(i, one)| row(one).map_err(|error| error.within(i.to_string()).within(list)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        self.insert::<E>(tx, rows).await
    }

    async fn insert<E>(&mut self, tx: &Tx, rows: Vec<E::ActiveModel>) -> Result<()>
    where
        E: EntityTrait,
        E::ActiveModel: Send,
    {
        insert_all(tx, rows, |count| {
            self.done = (self.done + count).min(self.all);
            (self.progress)(self.done, self.all);
        })
        .await
    }
}

async fn store_tokens(tx: &Tx, pepper: &Pepper, with_file: bool, rows: Vec<file::Token>) -> Result<()> {
    for (i, row) in rows.into_iter().enumerate() {
        let at = |error: Error| error.within(i.to_string()).within("tokens");
        let row = token_row(tx, pepper, with_file, row).await.map_err(at)?;
        row.insert(tx.connection()).await.map_err(|error| match error.sql_err() {
            Some(_) => at(Error::input("has the same value as another one")),
            None => error.into(),
        })?;
    }
    Ok(())
}
