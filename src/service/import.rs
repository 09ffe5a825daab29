//! Writing what another installation kept: rows that bring their ids and times along, new ones beside those that are
//! here, and those that are here with what they lacked.
use super::load::rows;
use super::write::{insert_all, store};
use super::{Tx, Writable, change, file, generation, ids, last_updated, source};
use crate::db::Db;
use crate::entity::{
    Kind, Resource, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag, tag_assignment,
};
use crate::error::{Error, Result};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IsolationLevel, QueryOrder, QuerySelect, Set,
    TransactionTrait, TryIntoModel,
};
use std::collections::{BTreeMap, HashMap};

/// Tags of a row: their ids by slug.
pub type Tags = BTreeMap<String, i32>;

/// The rows that are here.
#[derive(Clone, Debug, Default)]
pub struct Here {
    pub tags: Vec<tag::Model>,
    /// What the references to NetBox are called, by id.
    pub netbox_clusters: HashMap<i32, String>,
    pub netbox_devices: HashMap<i32, String>,
    pub endpoints: Vec<endpoint::Model>,
    pub clusters: Vec<cluster::Model>,
    pub nodes: Vec<node::Model>,
    pub storages: Vec<storage::Model>,
    pub tagged: HashMap<(Kind, i32), Tags>,
    /// The id that each table would give next.
    pub next: HashMap<Kind, i32>,
    /// New ids that nobody else gets, to be taken first.
    pub reserved: HashMap<Kind, Vec<i32>>,
}

/// Reads the rows that are here, as they are at one moment.
pub async fn here(db: &Db) -> Result<Here> {
    let isolation = (db.backend() == DbBackend::Postgres).then_some(IsolationLevel::RepeatableRead);
    let tx = db.read.begin_with_config(isolation, None).await?;
    let here = Here::read(&tx).await?;
    tx.commit().await?;
    Ok(here)
}

impl Here {
    /// Reads the rows within a transaction.
    pub async fn read(connection: &impl ConnectionTrait) -> Result<Self> {
        use {netbox_cluster::Column as C, netbox_device::Column as D};
        let clusters = netbox_cluster::Entity::find().select_only().columns([C::Id, C::Display]);
        let devices = netbox_device::Entity::find().select_only().columns([D::Id, D::Display]);
        let mut here = Self {
            tags: tag::Entity::find().order_by_asc(tag::Column::Id).all(connection).await?,
            netbox_clusters: clusters.into_tuple::<(i32, String)>().all(connection).await?.into_iter().collect(),
            netbox_devices: devices.into_tuple::<(i32, String)>().all(connection).await?.into_iter().collect(),
            endpoints: endpoint::Entity::find().order_by_asc(endpoint::Column::Id).all(connection).await?,
            clusters: cluster::Entity::find().order_by_asc(cluster::Column::Id).all(connection).await?,
            nodes: node::Entity::find().order_by_asc(node::Column::Id).all(connection).await?,
            storages: storage::Entity::find().order_by_asc(storage::Column::Id).all(connection).await?,
            ..Self::default()
        };
        let slugs = here.tags.iter().map(|tag| (tag.id, tag.slug.clone())).collect::<HashMap<_, _>>();
        let kinds = Kind::ALL.into_iter().map(|kind| (kind.table(), kind)).collect::<HashMap<_, _>>();
        for row in tag_assignment::Entity::find().all(connection).await? {
            if let (Some(kind), Some(slug)) = (kinds.get(row.object_type.as_str()), slugs.get(&row.tag_id)) {
                here.tagged.entry((*kind, row.object_id)).or_default().insert(slug.clone(), row.tag_id);
            }
        }
        for kind in ids::NUMBERED {
            here.next.insert(kind, ids::next(connection, kind).await?);
        }
        Ok(here)
    }

    /// Keeps as many new ids from others as a plan needs, by kind.
    pub async fn reserve(&mut self, tx: &Tx, wanted: &HashMap<Kind, Vec<i32>>) -> Result<()> {
        for (kind, ids) in wanted {
            let above = ids.iter().min().map_or(0, |first| first - 1);
            self.reserved.insert(*kind, ids::reserve(tx, *kind, above, ids.len()).await?);
        }
        Ok(())
    }

    /// The tags of a row.
    pub fn tags_of(&self, kind: Kind, id: i32) -> Tags {
        self.tagged.get(&(kind, id)).cloned().unwrap_or_default()
    }
}

/// One row: what it was, if it was here, and what it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<M> {
    pub before: Option<M>,
    pub after: M,
    pub tags_before: Tags,
    pub tags: Tags,
}

/// Everything that is to be written; references come before what refers to them.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    pub tags: Vec<tag::Model>,
    pub netbox_clusters: Vec<netbox_cluster::Model>,
    pub netbox_devices: Vec<netbox_device::Model>,
    pub endpoints: Vec<Step<endpoint::Model>>,
    pub clusters: Vec<Step<cluster::Model>>,
    pub nodes: Vec<Step<node::Model>>,
    pub storages: Vec<Step<storage::Model>>,
}

impl Writes {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        let references = self.netbox_clusters.is_empty() && self.netbox_devices.is_empty() && self.tags.is_empty();
        references
            && self.endpoints.is_empty()
            && self.clusters.is_empty()
            && self.nodes.is_empty()
            && self.storages.is_empty()
    }
}

/// An endpoint by the rules of files, without secrets.
pub fn endpoint(row: file::Endpoint) -> Result<endpoint::Model> {
    model(rows::bare_endpoint_row(row)?)
}

/// A cluster by the rules of files.
pub fn cluster(row: file::Cluster) -> Result<cluster::Model> {
    model(rows::cluster_row(row)?)
}

/// A node by the rules of files.
pub fn node(row: file::Node) -> Result<node::Model> {
    model(rows::node_row(row)?)
}

/// A storage by the rules of files.
pub fn storage(row: file::Storage) -> Result<storage::Model> {
    model(rows::storage_row(row)?)
}

/// A tag by the rules of files.
pub fn tag(row: file::Tag) -> Result<tag::Model> {
    model(rows::tag_row(row)?)
}

/// A reference to a NetBox cluster by the rules of files, below the ids that are kept for local ones.
pub fn netbox_cluster(row: file::NetBoxCluster) -> Result<netbox_cluster::Model> {
    if row.id >= source::FIRST_LOCAL {
        let message = format!("ids from {} up are for references that this program makes", source::FIRST_LOCAL);
        return Err(Error::input(message).within("id"));
    }
    model(rows::netbox_cluster_row(row)?)
}

/// A reference to a NetBox device by the rules of files.
pub fn netbox_device(row: file::NetBoxDevice) -> Result<netbox_device::Model> {
    model(rows::netbox_device_row(row)?)
}

fn model<M: sea_orm::ModelTrait>(active: impl TryIntoModel<M>) -> Result<M> {
    active.try_into_model().map_err(|error| Error::Internal(error.to_string()))
}

/// Waits until nobody else writes several rows at once.
pub async fn take_turns(tx: &Tx) -> Result<()> {
    for kind in Kind::ALL {
        tx.take_turn(kind).await?;
    }
    Ok(())
}

/// Writes everything. Whoever was faster is told as contention: what is to be written rests on rows that are gone by.
pub async fn write(tx: &mut Tx, writes: Writes) -> Result<()> {
    write_all(tx, writes).await.map_err(|error| match error {
        Error::Database(error) if error.sql_err().is_some() => Error::Contention,
        error => error,
    })
}

async fn write_all(tx: &mut Tx, writes: Writes) -> Result<()> {
    // First of all: whoever makes rows meanwhile gets ids behind all of these.
    ids::pass(tx, Kind::Tag, largest(writes.tags.iter().map(|row| row.id))).await?;
    ids::pass(tx, Kind::Endpoint, largest(writes.endpoints.iter().map(|step| step.after.id))).await?;
    ids::pass(tx, Kind::Cluster, largest(writes.clusters.iter().map(|step| step.after.id))).await?;
    ids::pass(tx, Kind::Node, largest(writes.nodes.iter().map(|step| step.after.id))).await?;
    ids::pass(tx, Kind::Storage, largest(writes.storages.iter().map(|step| step.after.id))).await?;
    insert::<tag::Model>(tx, writes.tags, &[]).await?;
    insert::<netbox_cluster::Model>(tx, writes.netbox_clusters, &[]).await?;
    insert::<netbox_device::Model>(tx, writes.netbox_devices, &[]).await?;
    steps(tx, writes.endpoints).await?;
    steps(tx, writes.clusters).await?;
    steps(tx, writes.nodes).await?;
    steps(tx, writes.storages).await
}

fn largest(ids: impl Iterator<Item = i32>) -> i32 {
    ids.max().unwrap_or_default()
}

async fn steps<M: Writable>(tx: &mut Tx, steps: Vec<Step<M>>) -> Result<()> {
    let (changed, new): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.before.is_some());
    let assignments = changed.iter().chain(&new).flat_map(assignments).collect();
    let (rows, tags): (Vec<_>, Vec<_>) = new.into_iter().map(|step| (step.after, step.tags)).unzip();
    insert(tx, rows, &tags).await?;
    revise(tx, changed).await?;
    insert_all::<tag_assignment::ActiveModel>(tx, assignments, |_| ()).await
}

/// Makes rows under the ids that they have, with these tags.
async fn insert<M: Writable>(tx: &mut Tx, rows: Vec<M>, tags: &[Tags]) -> Result<()> {
    for (i, row) in rows.iter().enumerate() {
        let slugs = tags.get(i).map(slugs).unwrap_or_default();
        tx.created(M::KIND, row.id(), change::document(row, &slugs));
    }
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).collect();
    insert_all::<M::Active>(tx, rows, |_| ()).await
}

async fn revise<M: Writable>(tx: &mut Tx, steps: Vec<Step<M>>) -> Result<()> {
    let befores = steps.iter().filter_map(|step| step.before.clone()).collect::<Vec<_>>();
    generation::unchanged::<M>(tx, &befores).await?;
    let mut measured = 0;
    for step in steps {
        let Some(before) = step.before else { continue };
        // Figures that change all the time leave the time alone, and are told in one record.
        if last_updated(&before) == last_updated(&step.after) {
            measured += 1;
        } else {
            let old = change::document(&before, &slugs(&step.tags_before));
            let new = change::document(&step.after, &slugs(&step.tags));
            tx.updated(M::KIND, before.id(), old, new);
        }
        store(tx, &before, step.after).await?;
    }
    tx.measured(M::KIND, measured);
    Ok(())
}

fn slugs(tags: &Tags) -> Vec<String> {
    tags.keys().cloned().collect()
}

/// The tags that a row has not carried so far.
fn assignments<M: Resource>(step: &Step<M>) -> Vec<tag_assignment::ActiveModel> {
    let new = step.tags.iter().filter(|(slug, _)| !step.tags_before.contains_key(*slug));
    let assign = |(_, id): (&String, &i32)| tag_assignment::ActiveModel {
        object_type: Set(M::KIND.table().to_owned()),
        object_id: Set(step.after.id()),
        tag_id: Set(*id),
    };
    new.map(assign).collect()
}
