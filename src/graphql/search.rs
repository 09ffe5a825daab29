//! One search over clusters, nodes and storages.
use super::cluster::ProxmoxCluster;
use super::connection::Item;
use super::error::Result;
use super::identity::InventoryRecord;
use super::node::ProxmoxNode;
use super::storage::ProxmoxStorage;
use super::{Session, session};
use crate::entity::Resource;
use crate::filter::search;
use crate::page::{Page, size};
use crate::service::read::{self, Listing, Ordering, Parents, ROOT, Sort, sort_field};
use async_graphql::{Context, Object};

/// The search.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchQuery;

/// The search.
#[Object]
impl SearchQuery {
    /// REST's `?q=` across Proxmox clusters, nodes and storages: first the clusters, then the nodes, then the storages,
    /// each by name.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text to find, without regard to case; a blank one finds everything.")] q: String,
        #[graphql(desc = "So many in all: 0–1000, 50 by default.")] first: Option<i64>,
    ) -> Result<Vec<InventoryRecord>> {
        let session = session(ctx);
        let limit = size("first", first)?;
        let clusters = found::<ProxmoxCluster>(session, &q, limit).await?;
        let nodes = found::<ProxmoxNode>(session, &q, limit).await?;
        let storages = found::<ProxmoxStorage>(session, &q, limit).await?;
        let clusters = clusters.into_iter().map(InventoryRecord::ProxmoxCluster);
        let nodes = nodes.into_iter().map(InventoryRecord::ProxmoxNode);
        let storages = storages.into_iter().map(InventoryRecord::ProxmoxStorage);
        Ok(clusters.chain(nodes).chain(storages).take(limit as usize).collect())
    }
}

async fn found<T: Item>(session: &Session, text: &str, limit: u64) -> Result<Vec<T>> {
    let kind = T::Model::KIND;
    let by_name = sort_field(kind, "name").map(|by| Sort { by, descending: false, nulls_first: false });
    let filter = search(text).map_err(|error| error.within("q"))?;
    let ordering = Ordering::new(kind, by_name.into_iter().collect());
    let listing = Listing { filter, ordering, page: Page::first(limit), unread: Vec::new() };
    let (db, view) = (&session.app.db, session.principal.view());
    let rows = read::pages::<T::Entity>(db, view, &listing, Parents::Root).await?.remove(&ROOT);
    Ok(rows.into_iter().flat_map(|rows| rows.rows).map(|keyed| T::new(keyed.row)).collect())
}
