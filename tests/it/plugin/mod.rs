//! Moving over from the NetBox plugin: its part is played by a second instance of this very server, which listens on a
//! port of its own, or by a few lists that a test writes itself.
mod commands;
mod corpus;
mod faults;
mod imports;
mod lists;
mod recorded;
mod running;
mod scale;
mod tables;

use crate::support::{ADMIN, Backend, Server, TestDb, limits};
use axum::Router;
use proxbox_graphql::app::{App, Settings};
use proxbox_graphql::client::netbox::{NetBox, Rules, Target};
use proxbox_graphql::db::DbOptions;
use proxbox_graphql::entity::{Kind, change, revision};
use proxbox_graphql::error::Result;
use proxbox_graphql::plugin::{self, Comparison, Report, Scope, There};
use proxbox_graphql::rest::PageSizes;
use proxbox_graphql::server::{RequestLimits, router};
use proxbox_graphql::service::import;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// Somebody who plays NetBox, until dropped.
pub struct Stand {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stand {
    /// Serves these routes on a port of this machine.
    pub async fn serve(routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, task }
    }

    /// This server on these rows, with pages so small that lists have several.
    pub async fn of(app: &App) -> Self {
        let rest = proxbox_graphql::rest::Limits { pages: PageSizes { default: 5, largest: 10 }, ..limits().rest };
        Self::serve(router(app, RequestLimits { rest, ..limits() }).unwrap()).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn client(&self) -> NetBox {
        self.client_of(ADMIN)
    }

    pub fn client_of(&self, token: &str) -> NetBox {
        let target = Target::parse(&self.url(), token.into(), None).unwrap();
        NetBox::new(target, Rules { retry_base: Duration::from_millis(2), ..Rules::netbox() }).unwrap()
    }

    pub async fn read(&self) -> Result<There> {
        plugin::read(&self.client()).await
    }
}

/// Another database, for the side that is moved away from.
pub async fn other(db: &TestDb) -> App {
    let path = db.folder.path().join("there.db");
    let options = DbOptions { url: format!("sqlite://{}?mode=rwc", path.display()), ..db.options.clone() };
    let there = TestDb { backend: Backend::Sqlite, options, folder: crate::support::folder() };
    there.open_with(Settings::default()).await
}

/// The seed on the other side.
pub async fn seeded_stand(db: &TestDb) -> (App, Stand) {
    let app = other(db).await;
    crate::support::fill(&app, crate::support::SEED).await;
    let stand = Stand::of(&app).await;
    (app, stand)
}

/// Rows that a test writes itself.
pub fn there(rows: &[(Kind, Value)]) -> There {
    let mut there = There::default();
    rows.iter().for_each(|(kind, row)| there.add(*kind, row.clone()));
    there
}

/// An import that must not fail.
pub async fn import(app: &App, there: &There, new_ids: bool) -> Report {
    let dry = plugin::run(app, there, new_ids, true).await.unwrap();
    let real = plugin::run(app, there, new_ids, false).await.unwrap();
    // A dry run tells what the run does.
    assert_eq!(Report { revision: None, ..real.clone() }, dry);
    real
}

pub async fn compare(app: &App, there: &There, scope: Scope) -> Comparison {
    plugin::compare(there, &import::here(&app.db).await.unwrap(), scope)
}

/// Everything that can be compared.
pub const ALL: Scope = Scope { figures: true, times: true, ids: true };

/// The last revision, and how many changes there are.
pub async fn log(app: &App) -> (i64, usize) {
    let revision = revision::Entity::find_by_id(1).one(&app.db.read).await.unwrap().unwrap().value;
    let changes = change::Entity::find().order_by_asc(change::Column::Revision).all(&app.db.read).await.unwrap();
    (revision, changes.len())
}

/// The rows as a file.
pub async fn dump(app: &App) -> String {
    use proxbox_graphql::service::dump;
    String::from_utf8(dump::to_text(&dump::dump(&app.db, false).await.unwrap()).unwrap()).unwrap()
}

pub fn server(app: &App) -> Server {
    Server::new(app.clone())
}
