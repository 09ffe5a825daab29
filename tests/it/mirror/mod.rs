//! The mirror of NetBox: what it reads, what it keeps, and what it does when NetBox shows less or nothing.
mod absences;
mod deletions;
mod doors;
mod faults;
mod generations;
mod scale;
mod through;

use crate::support::world::World;
use crate::support::{Server, TestDb};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{netbox_cluster, netbox_device, revision};
use proxbox_graphql::mirror::{self, Order, Report, Wanted};
use proxbox_graphql::service::netbox::state;
use proxbox_graphql::service::{Actor, Tx};
use sea_orm::{EntityTrait, QueryOrder};

/// A program beside a NetBox that changes.
pub struct Scene {
    pub app: App,
    pub world: World,
}

impl Scene {
    /// Two sites, each with a cluster of the same name; six devices, of which one has no name.
    pub async fn new(db: &TestDb) -> Self {
        let world = World::start().await;
        world.cluster(1, "prod", "DC1", 1);
        world.cluster(2, "prod", "DC2", 2);
        world.cluster(3, "lab", "DC1", 3);
        world.cluster(4, "edge", "DC2", 4);
        for (id, name) in [(11, Some("pve1")), (12, Some("pve2")), (13, None), (14, Some("pve1")), (15, Some("lab1"))] {
            world.device(id, name, if id == 14 { "DC2" } else { "DC1" }, 10);
        }
        world.device(16, Some("edge1"), "DC2", 11);
        let app = db.open_with(world.settings()).await;
        Self { app, world }
    }

    /// Reads what is wanted.
    pub async fn read(&self, wanted: Wanted) -> Report {
        read(&self.app, wanted, false).await
    }

    pub async fn full(&self) -> Report {
        self.read(Wanted::Full).await
    }

    pub async fn clusters(&self) -> Vec<netbox_cluster::Model> {
        let rows = netbox_cluster::Entity::find().order_by_asc(netbox_cluster::Column::Id);
        rows.all(&self.app.db.read).await.unwrap()
    }

    pub async fn devices(&self) -> Vec<netbox_device::Model> {
        let rows = netbox_device::Entity::find().order_by_asc(netbox_device::Column::Id);
        rows.all(&self.app.db.read).await.unwrap()
    }

    pub async fn revision(&self) -> i64 {
        revision::Entity::find_by_id(1).one(&self.app.db.read).await.unwrap().unwrap().value
    }

    /// A server on it, with a token that may do everything.
    pub async fn server(&self) -> Server {
        crate::support::token(&self.app, crate::support::ADMIN).await;
        Server::new(self.app.clone())
    }

    pub async fn begin(&self) -> Tx {
        self.app.begin(Actor::operator()).await.unwrap()
    }

    pub async fn mirror(&self) -> proxbox_graphql::entity::netbox_mirror::Model {
        state::read(&self.app.db).await.unwrap()
    }
}

/// Reads NetBox to the end.
pub async fn read(app: &App, wanted: Wanted, delete_many: bool) -> Report {
    let begun = mirror::begin(app).await.unwrap();
    mirror::finish(app, begun, &Order { actor: Actor::operator(), wanted, delete_many }).await.unwrap()
}
