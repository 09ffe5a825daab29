//! All rows in memory, and what a database answers to the same filter.
use super::data::World;
use proxbox_graphql::app::App;
use proxbox_graphql::db::Db;
use proxbox_graphql::entity::{Kind, Resource, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag};
use proxbox_graphql::error::Result;
use proxbox_graphql::filter::{Filter, Graph, Row, View, matches};
use proxbox_graphql::page::{LARGEST_SIZE, Page};
use proxbox_graphql::service::read::{Listing, Ordering, Parents, ROOT, pages};
use sea_orm::{EntityTrait, FromQueryResult};
use std::collections::{BTreeSet, HashMap};

/// Every row of a database.
pub struct Memory {
    endpoints: Vec<endpoint::Model>,
    clusters: Vec<cluster::Model>,
    nodes: Vec<node::Model>,
    storages: Vec<storage::Model>,
    netbox_clusters: Vec<netbox_cluster::Model>,
    netbox_devices: Vec<netbox_device::Model>,
    tags: Vec<tag::Model>,
    assigned: HashMap<(Kind, i32), Vec<i32>>,
}

impl Memory {
    /// The rows of a database that holds this world.
    pub async fn of(app: &App, world: &World) -> Self {
        let db = &app.db;
        let mut assigned = HashMap::new();
        for kind in [Kind::Endpoint, Kind::Cluster, Kind::Node, Kind::Storage] {
            for row in world.rows(kind) {
                let number = |value: &serde_json::Value| value.as_i64().unwrap() as i32;
                assigned
                    .insert((kind, number(&row["id"])), row["tags"].as_array().unwrap().iter().map(number).collect());
            }
        }
        let all = Self {
            endpoints: all::<endpoint::Entity>(db).await,
            clusters: all::<cluster::Entity>(db).await,
            nodes: all::<node::Entity>(db).await,
            storages: all::<storage::Entity>(db).await,
            netbox_clusters: all::<netbox_cluster::Entity>(db).await,
            netbox_devices: all::<netbox_device::Entity>(db).await,
            tags: all::<tag::Entity>(db).await,
            assigned,
        };
        for kind in Kind::ALL {
            assert_eq!(all.rows(kind).len(), world.rows(kind).len(), "{kind}");
        }
        all
    }

    /// The rows of a kind.
    pub fn rows(&self, kind: Kind) -> Vec<Row<'_>> {
        match kind {
            Kind::Endpoint => self.endpoints.iter().map(Row::Endpoint).collect(),
            Kind::Cluster => self.clusters.iter().map(Row::Cluster).collect(),
            Kind::Node => self.nodes.iter().map(Row::Node).collect(),
            Kind::Storage => self.storages.iter().map(Row::Storage).collect(),
            Kind::NetBoxCluster => self.netbox_clusters.iter().map(Row::NetBoxCluster).collect(),
            Kind::NetBoxDevice => self.netbox_devices.iter().map(Row::NetBoxDevice).collect(),
            Kind::Tag => self.tags.iter().map(Row::Tag).collect(),
        }
    }

    /// The ids of the rows that exist in this view and match.
    pub fn matching(&self, kind: Kind, filter: &Filter, view: &View) -> BTreeSet<i32> {
        let exists = |row| view.scope(kind).is_none_or(|scope| matches(scope, row, self, &View::everything()));
        let rows = self.rows(kind).into_iter().filter(|row| exists(*row) && matches(filter, *row, self, view));
        rows.map(id).collect()
    }
}

fn id(row: Row<'_>) -> i32 {
    match row {
        Row::Endpoint(row) => row.id,
        Row::Cluster(row) => row.id,
        Row::Node(row) => row.id,
        Row::Storage(row) => row.id,
        Row::NetBoxCluster(row) => row.id,
        Row::NetBoxDevice(row) => row.id,
        Row::Tag(row) => row.id,
    }
}

impl Graph for Memory {
    fn row(&self, kind: Kind, wanted: i32) -> Option<Row<'_>> {
        self.rows(kind).into_iter().find(|row| id(*row) == wanted)
    }

    fn nodes(&self) -> Vec<&node::Model> {
        self.nodes.iter().collect()
    }

    fn tags(&self, kind: Kind, id: i32) -> Vec<&tag::Model> {
        let ids = self.assigned.get(&(kind, id)).map_or(&[][..], Vec::as_slice);
        self.tags.iter().filter(|tag| ids.contains(&tag.id)).collect()
    }
}

async fn found<E>(db: &Db, filter: &Filter, view: &View) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult + Clone,
{
    let ordering = Ordering::new(E::Model::KIND, Vec::new());
    let listing = Listing { filter: filter.clone(), ordering, page: Page::first(LARGEST_SIZE), unread: Vec::new() };
    let rows = pages::<E>(db, view, &listing, Parents::Root).await?.remove(&ROOT);
    Ok(rows.into_iter().flat_map(|rows| rows.rows).map(|keyed| (*keyed.row).clone()).collect())
}

async fn all<E>(db: &Db) -> Vec<E::Model>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult + Clone,
{
    found::<E>(db, &Filter::everything(), &View::everything()).await.unwrap()
}

async fn ids<E>(db: &Db, filter: &Filter, view: &View) -> Result<BTreeSet<i32>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult + Clone,
{
    let rows = found::<E>(db, filter, view).await?;
    let ids = rows.iter().map(Resource::id).collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), rows.len(), "no row comes twice");
    Ok(ids)
}

/// The ids that the database finds.
pub async fn asked(db: &Db, kind: Kind, filter: &Filter, view: &View) -> Result<BTreeSet<i32>> {
    match kind {
        Kind::Endpoint => ids::<endpoint::Entity>(db, filter, view).await,
        Kind::Cluster => ids::<cluster::Entity>(db, filter, view).await,
        Kind::Node => ids::<node::Entity>(db, filter, view).await,
        Kind::Storage => ids::<storage::Entity>(db, filter, view).await,
        Kind::NetBoxCluster => ids::<netbox_cluster::Entity>(db, filter, view).await,
        Kind::NetBoxDevice => ids::<netbox_device::Entity>(db, filter, view).await,
        Kind::Tag => ids::<tag::Entity>(db, filter, view).await,
    }
}
