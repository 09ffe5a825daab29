//! Proxmox clusters.
use super::patch::{COUNT, INT};
use super::{Fields, Given, Tx, Writable, family, link, source};
use crate::entity::{JsonText, Kind, Mode, cluster, node, storage};
use crate::error::{Code, Problem, Result};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a client gives of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub endpoint: Given<i32>,
    pub netbox_cluster: Given<i32>,
    pub name: Given<String>,
    pub cluster_id: Given<String>,
    pub mode: Given<Mode>,
    pub nodes_count: Given<i64>,
    pub quorate: Given<bool>,
    pub version: Given<i64>,
    pub tags: Given<Vec<String>>,
    pub custom_fields: Given<Value>,
}

impl Writable for cluster::Model {
    type Patch = Patch;

    fn blank(now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            endpoint_id: 0,
            netbox_cluster_id: None,
            name: String::new(),
            cluster_id: String::new(),
            mode: Mode::Undefined,
            nodes_count: 0,
            quorate: false,
            version: None,
            local_cluster_id: None,
            missing_since: None,
            stale: false,
            custom_fields: JsonText::object(),
            created: now,
            last_updated: now,
        }
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        fields.require("endpoint", &patch.endpoint);
        fields.require("name", &patch.name);
        fields.require("mode", &patch.mode);
        fields.reference("endpoint", Kind::Endpoint, &patch.endpoint, &mut self.endpoint_id);
        let netbox = &mut self.netbox_cluster_id;
        fields.optional_reference("netbox_cluster", Kind::NetBoxCluster, &patch.netbox_cluster, netbox);
        fields.filled("name", &patch.name, &mut self.name);
        fields.text("cluster_id", &patch.cluster_id, &mut self.cluster_id);
        fields.plain("mode", &patch.mode, &mut self.mode);
        fields.int("nodes_count", &patch.nodes_count, COUNT, &mut self.nodes_count);
        fields.plain("quorate", &patch.quorate, &mut self.quorate);
        fields.optional_int("version", &patch.version, INT, &mut self.version);
        fields.custom_fields(&patch.custom_fields, &mut self.custom_fields);
    }

    fn conflict(_: &str) -> Problem {
        let message = "Proxmox cluster with this Proxmox endpoint and Cluster name already exists.";
        Problem::new(Code::KeyTaken, "name", message)
    }

    fn netbox_link(patch: &Patch) -> Option<(Kind, i32)> {
        Some((Kind::NetBoxCluster, patch.netbox_cluster??))
    }

    fn tags(patch: &Patch) -> &Given<Vec<String>> {
        &patch.tags
    }

    fn twin(&self) -> Option<Condition> {
        let name = cluster::Column::Name.eq(self.name.as_str());
        Some(Condition::all().add(cluster::Column::EndpointId.eq(self.endpoint_id)).add(name))
    }

    async fn follow(before: &Self, after: &Self, tx: &mut Tx) -> Result<()> {
        if before.netbox_cluster_id == after.netbox_cluster_id {
            return Ok(());
        }
        source::follow_link(tx, after).await?;
        link::follow(tx, before, after).await
    }

    /// Its nodes stay without one, and its storages get another cluster of its group as source.
    async fn remove(self, tx: &mut Tx) -> Result<()> {
        remove_all(tx, vec![self]).await
    }
}

/// Removes clusters together, so that none of them becomes the source of another's storages.
pub async fn remove_all(tx: &mut Tx, rows: Vec<cluster::Model>) -> Result<()> {
    let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let nodes = family::referring::<node::Entity>(tx, node::Column::ProxmoxClusterId, &ids).await?;
    family::refer::<node::Entity>(tx, &nodes, "proxmox_cluster_id", None).await?;
    let mut storages: BTreeMap<Option<i32>, Vec<storage::Model>> = BTreeMap::new();
    let heirs = heirs(tx, &rows).await?;
    for storage in family::referring::<storage::Entity>(tx, storage::Column::SourceId, &ids).await? {
        let heir = storage.source_id.and_then(|source| heirs.get(&source).copied());
        storages.entry(heir).or_default().push(storage);
    }
    let locals = rows.iter().filter_map(|row| row.local_cluster_id).collect::<Vec<_>>();
    for (heir, storages) in storages {
        // What lies at the local reference of a cluster was known by that cluster only.
        let (own, shared) = storages.into_iter().partition::<Vec<_>, _>(|row| locals.contains(&row.cluster_id));
        match heir {
            Some(_) => family::refer::<storage::Entity>(tx, &own, "source_id", heir).await?,
            None => family::remove::<storage::Entity>(tx, &own).await?,
        }
        family::refer::<storage::Entity>(tx, &shared, "source_id", heir).await?;
    }
    family::remove::<cluster::Entity>(tx, &rows).await?;
    inherit(tx, &rows, &heirs).await?;
    source::remove_empty(tx, &locals).await
}

/// An heir without a local reference gets that of the cluster that went.
async fn inherit(tx: &mut Tx, gone: &[cluster::Model], heirs: &BTreeMap<i32, i32>) -> Result<()> {
    for row in gone {
        let (Some(local), Some(heir)) = (row.local_cluster_id, heirs.get(&row.id)) else { continue };
        let heir = cluster::Entity::find_by_id(*heir).one(tx.connection()).await?;
        let heir = heir.filter(|heir| heir.local_cluster_id.is_none());
        family::refer::<cluster::Entity>(tx, heir.as_slice(), "local_cluster_id", Some(local)).await?;
    }
    Ok(())
}

/// For each cluster that goes the first that stays of its group: the same, known, identifier of Proxmox.
async fn heirs(tx: &Tx, going: &[cluster::Model]) -> Result<BTreeMap<i32, i32>> {
    let ids = going.iter().map(|row| row.id).collect::<Vec<_>>();
    let mut heirs = BTreeMap::new();
    for row in going.iter().filter(|row| !row.cluster_id.is_empty()) {
        let group = cluster::Entity::find().filter(cluster::Column::ClusterId.eq(row.cluster_id.as_str()));
        // It must not go before the storages refer to it.
        let group = group.order_by_asc(cluster::Column::Id).lock(LockType::KeyShare);
        let group = group.all(tx.connection()).await?;
        if let Some(heir) = group.iter().find(|other| !ids.contains(&other.id)) {
            heirs.insert(row.id, heir.id);
        }
    }
    Ok(heirs)
}
