//! `serve`, and its demo.
use super::{data, print, signal};
use crate::app::{App, Schema};
use crate::config::{Global, Serve};
use crate::db::DbOptions;
use crate::error::{Error, Result};
use crate::mirror;
use crate::principal::Permission;
use crate::secret::KeySource;
use crate::server::{self, Tls};
use crate::service::Actor;
use crate::service::token::{self, NewToken};
use crate::sync::schedule;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A topology of our own making.
const DEMO: &[u8] = include_bytes!("../demo.json");

/// Runs the server until a signal ends it.
pub(super) async fn run(global: &Global, options: &Serve) -> Result<()> {
    let stop = CancellationToken::new();
    signal::cancel(stop.clone(), "stopping; requests in flight end first")?;
    tokio::select! {
        // Even the start can be ended in an orderly way, so that no demo stays behind.
        () = stop.cancelled() => Ok(()),
        started = start(global, options) => {
            let Started { app, listener, tls, ops, demo } = started?;
            // What the demo shows is made up, and nobody's to ask.
            if demo.is_none() {
                app.tasks.spawn(schedule::keep(app.clone(), stop.clone()));
                app.tasks.spawn(mirror::schedule::keep(app.clone(), stop.clone()));
            }
            if let Some(ops) = ops {
                app.tasks.spawn(server::ops::serve(app.clone(), ops, stop.clone()));
            }
            server::serve(app, listener, options.limits(), options.load.connections(), tls, stop.clone()).await
        }
    }
}

/// What is there before the first request.
struct Started {
    app: App,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    /// The operator's own listener.
    ops: Option<TcpListener>,
    demo: Option<Demo>,
}

/// Everything that comes before the first request.
async fn start(global: &Global, options: &Serve) -> Result<Started> {
    let tls = options.tls.open()?.map(Arc::new);
    let listener = server::bind(&options.listen).await?;
    let ops = match &options.ops_listen {
        Some(address) => Some(server::ops::bind(address).await?),
        None => None,
    };
    let told = |error: std::io::Error| Error::Internal(error.to_string());
    let address = listener.local_addr().map_err(told)?;
    let demo = if options.demo { Some(Demo::new()?) } else { None };
    let (database, key) = match &demo {
        Some(demo) => demo.places(options),
        None => (global.database(options.statement_timeout()), global.key()?),
    };
    let schema = if options.no_migrate && demo.is_none() { Schema::Check } else { Schema::Migrate };
    let app = App::open(&database, &key, schema, options.settings()?).await?;
    match &demo {
        Some(_) => {
            let value = fill(&app).await?;
            tracing::info!("demo data; open this link, which holds a token for it:");
            print(&format!("{}#token={}\n", page(address, app.settings.https, options), value.expose_secret()))?;
        }
        None => greet(&app, address, &page(address, app.settings.https, options)).await?,
    }
    if let Some(ops) = &ops {
        tracing::info!("figures and health in detail are on {}", ops.local_addr().map_err(told)?);
    }
    Ok(Started { app, listener, tls, ops, demo })
}

/// Where a person on this machine finds the server.
fn origin(address: SocketAddr, https: bool) -> String {
    let host = match address {
        any if any.ip().is_unspecified() => format!("127.0.0.1:{}", any.port()),
        other => other.to_string(),
    };
    let scheme = if https { "https" } else { "http" };
    format!("{scheme}://{host}")
}

/// The page to begin with.
fn page(address: SocketAddr, https: bool, options: &Serve) -> String {
    format!("{}{}", origin(address, https), if options.no_graphiql { "/api/docs" } else { "/graphiql" })
}

/// What the operator wants to know at the start.
async fn greet(app: &App, address: SocketAddr, page: &str) -> Result<()> {
    tracing::info!("listening on {address}; for browsers: {page}");
    if token::list(&app.db).await?.is_empty() && !app.settings.anonymous_read {
        tracing::warn!("there is no API token yet; make one with: proxbox-graphql token create NAME");
    }
    Ok(())
}

/// A throwaway database and key, gone with the process.
struct Demo(TempDir);

impl Demo {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("proxbox-demo-").tempdir();
        folder.map(Self).map_err(|error| Error::Conflict(format!("no folder for the demo: {error}")))
    }

    fn places(&self, options: &Serve) -> (DbOptions, KeySource) {
        let url = format!("sqlite://{}?mode=rwc", self.0.path().join("demo.db").display());
        let database = DbOptions { url, connections: 10, statement_timeout: options.statement_timeout() };
        (database, KeySource::Beside(self.0.path().join("proxbox.key")))
    }
}

impl Drop for Demo {
    /// Threads of SQLite that were at work when the start was cut off may still make files, so that one try may not do.
    fn drop(&mut self) {
        const TRIES: u32 = 200;
        const PAUSE: Duration = Duration::from_millis(20);
        for _ in 0..TRIES {
            match std::fs::remove_dir_all(self.0.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => std::thread::sleep(PAUSE),
                _ => return,
            }
        }
    }
}

async fn fill(app: &App) -> Result<SecretString> {
    data::store(app, DEMO, "demo").await?;
    let value = token::random_value(false);
    let new = NewToken {
        name: "demo".into(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions: vec![Permission::everything_json()],
    };
    let mut tx = app.begin(Actor::program("demo")).await?;
    token::create(&mut tx, &app.pepper, new, &value).await?;
    tx.commit().await?;
    Ok(value)
}
