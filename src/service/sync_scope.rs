//! The rows that an endpoint speaks for: its own, and those of other endpoints of the same cluster.
use super::source::FIRST_LOCAL;
use crate::entity::{RunState, cluster, endpoint, netbox_cluster, node, storage, sync_run};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use std::collections::HashSet;

/// The rows, read by a constant number of statements.
#[derive(Clone, Debug)]
pub struct Scope {
    pub endpoint: endpoint::Model,
    /// Of whom the rows are.
    pub endpoints: Vec<i32>,
    pub clusters: Vec<cluster::Model>,
    pub nodes: Vec<node::Model>,
    pub storages: Vec<storage::Model>,
    pub locals: Vec<netbox_cluster::Model>,
    /// Names that others' storages have at the linked NetBox clusters.
    pub taken: HashSet<(i32, String)>,
    /// The id of the next local reference.
    pub next_local: i32,
    /// Since when the row is missing that has been so for longest.
    pub oldest_missing: Option<DateTime<Utc>>,
}

/// Reads the rows of an endpoint whose cluster has this identity and name, "" when they are unknown.
pub async fn read(
    connection: &impl ConnectionTrait,
    endpoint: &endpoint::Model,
    identity: &str,
    name: &str,
) -> Result<Scope> {
    let gone = || Error::NotFound(format!("there is no endpoint {}", endpoint.id));
    let endpoint = endpoint::Entity::find_by_id(endpoint.id).one(connection).await?.ok_or_else(gone)?;
    let mut which = Condition::any().add(cluster::Column::EndpointId.eq(endpoint.id));
    if !identity.is_empty() && !name.is_empty() {
        let same = Condition::all().add(cluster::Column::ClusterId.eq(identity)).add(cluster::Column::Name.eq(name));
        which = which.add(same);
    }
    let clusters = cluster::Entity::find().filter(which).order_by_asc(cluster::Column::Id).all(connection).await?;
    let ids = clusters.iter().map(|row| row.id).collect::<Vec<_>>();
    let which = Condition::any()
        .add(node::Column::EndpointId.eq(endpoint.id))
        .add(node::Column::ProxmoxClusterId.is_in(ids.iter().copied()));
    let nodes = node::Entity::find().filter(which).order_by_asc(node::Column::Id).all(connection).await?;
    let own = storage::Column::SourceId.is_in(ids.iter().copied());
    let storages = storage::Entity::find().filter(own).order_by_asc(storage::Column::Id).all(connection).await?;
    let locals = clusters.iter().filter_map(|row| row.local_cluster_id);
    let locals =
        netbox_cluster::Entity::find().filter(netbox_cluster::Column::Id.is_in(locals)).all(connection).await?;
    let taken = taken(connection, &clusters).await?;
    let missing = clusters.iter().filter_map(|row| row.missing_since);
    let missing = missing.chain(nodes.iter().filter_map(|row| row.missing_since));
    let oldest_missing = missing.chain(storages.iter().filter_map(|row| row.missing_since)).min();
    let mut endpoints = clusters.iter().map(|row| row.endpoint_id).chain([endpoint.id]).collect::<Vec<_>>();
    endpoints.sort_unstable();
    endpoints.dedup();
    let next_local = next_local(connection).await?;
    Ok(Scope { endpoint, endpoints, clusters, nodes, storages, locals, taken, next_local, oldest_missing })
}

async fn taken(connection: &impl ConnectionTrait, clusters: &[cluster::Model]) -> Result<HashSet<(i32, String)>> {
    let linked = clusters.iter().filter_map(|row| row.netbox_cluster_id).collect::<Vec<_>>();
    if linked.is_empty() {
        return Ok(HashSet::new());
    }
    let own = clusters.iter().map(|row| row.id).collect::<Vec<_>>();
    let others =
        Condition::any().add(storage::Column::SourceId.is_null()).add(storage::Column::SourceId.is_not_in(own));
    let names = storage::Entity::find()
        .filter(storage::Column::ClusterId.is_in(linked))
        .filter(others)
        .select_only()
        .columns([storage::Column::ClusterId, storage::Column::Name])
        .into_tuple::<(i32, String)>();
    Ok(names.all(connection).await?.into_iter().collect())
}

/// The id of the next local reference.
pub async fn next_local(connection: &impl ConnectionTrait) -> Result<i32> {
    let last = netbox_cluster::Entity::find()
        .filter(netbox_cluster::Column::Id.gte(FIRST_LOCAL))
        .order_by_desc(netbox_cluster::Column::Id)
        .one(connection)
        .await?;
    Ok(last.map_or(FIRST_LOCAL, |row| row.id + 1))
}

/// When the runs of these endpoints began that ended since then, with their verdicts. Dry runs do not count.
pub async fn runs_since(
    connection: &impl ConnectionTrait,
    endpoints: &[i32],
    since: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Value)>> {
    use sync_run::Column as C;
    let runs = sync_run::Entity::find()
        .filter(C::EndpointId.is_in(endpoints.iter().copied()))
        .filter(C::StartedAt.gte(since))
        .filter(C::DryRun.eq(false))
        .filter(C::State.is_in([RunState::Succeeded, RunState::Partial]))
        .select_only()
        .columns([C::StartedAt, C::Verdicts])
        .into_tuple::<(DateTime<Utc>, String)>();
    let runs = runs.all(connection).await?.into_iter();
    Ok(runs.map(|(begun, verdicts)| (begun, serde_json::from_str(&verdicts).unwrap_or_default())).collect())
}
