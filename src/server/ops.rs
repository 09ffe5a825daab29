//! The operator's own listener: figures for a scraper, and health in detail. It is on this machine's loopback only, so
//! that who can reach it is who is on the machine; and it is no way round the limits of the other one.
use super::guard::{self, Guard};
use super::{figures, health};
use crate::app::App;
use crate::error::{Error, Result};
use crate::metrics;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at most; more wait.
const CONNECTIONS: usize = 16;
/// What a connection may take from its first byte to its last: it is for one request.
const LONGEST: Duration = Duration::from_secs(10);

/// Binds the address to listen on, which must be of this machine's loopback.
pub async fn bind(address: &str) -> Result<TcpListener> {
    let wrong = |why: String| Error::Conflict(format!("PROXBOX_OPS_LISTEN: cannot listen on {address}: {why}"));
    let found = lookup_host(address).await.map_err(|error| wrong(error.to_string()))?.collect::<Vec<_>>();
    if found.is_empty() || !found.iter().all(|found| is_loopback(found.ip())) {
        return Err(wrong("only this machine's loopback will do: 127.0.0.1:PORT, [::1]:PORT, localhost:PORT".into()));
    }
    TcpListener::bind(&found[..]).await.map_err(|error| wrong(error.to_string()))
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// All routes.
pub fn router(app: &App) -> Router {
    let routes = Router::new()
        .route("/metrics", get(scrape))
        .route("/readyz", get(ready))
        .route("/healthz", get(async || "ok\n"))
        .with_state(app.clone());
    routes.layer(from_fn(own_hosts)).layer(from_fn_with_state(Guard::default(), guard::headers))
}

/// Refuses requests under names that are not of the loopback: a page in a browser on this machine can make its own name
/// lead here.
async fn own_hosts(request: Request, next: Next) -> Response {
    let hosts = guard::asked(&request);
    let is_own = |host: &&str| {
        let name = guard::name(host);
        name == "localhost" || name.trim_matches(['[', ']']).parse().is_ok_and(is_loopback)
    };
    if !hosts.is_empty() && hosts.iter().all(is_own) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "This listener answers under 127.0.0.1, [::1] and localhost only.\n")
        .into_response()
}

/// The figures, as OpenMetrics text. Those that are counted here are told even if the database does not answer.
async fn scrape(State(app): State<App>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let figures = figures::read(&app).await.inspect_err(|error| tracing::warn!("no figures: {error}")).ok();
    let read = figures::registry(&app, figures.as_ref());
    match (app.metrics.encode(), metrics::encode(&read)) {
        (Ok(counted), Ok(read)) => {
            ([(header::CONTENT_TYPE, OPEN_METRICS)], format!("{counted}{read}# EOF\n")).into_response()
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!("the figures cannot be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether requests can be served, and what an operator wants to know besides.
async fn ready(State(app): State<App>) -> Response {
    let (status, mut text) = match health::problem(&app).await {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {problem}\n")),
    };
    for pool in app.db.pools() {
        text += &format!("database connections ({}): {}, {} of them idle\n", pool.name, pool.size, pool.idle);
    }
    match figures::read(&app).await {
        Ok(figures) => text += &figures.lines(),
        Err(error) => tracing::warn!("no figures: {error}"),
    }
    (status, text).into_response()
}

/// Serves until told to stop; who is being answered then gets the rest.
pub async fn serve(app: App, mut listener: TcpListener, stop: CancellationToken) {
    let routes = router(&app);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let next = async { (room.clone().acquire_owned().await, Listener::accept(&mut listener).await.0) };
        let (place, stream) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => return,
        };
        let (routes, stop) = (routes.clone(), stop.clone());
        app.tasks.spawn(async move {
            let _place = place;
            if tokio::time::timeout(LONGEST, converse(stream, routes, stop)).await.is_err() {
                tracing::debug!("a connection to the operator's listener took too long");
            }
        });
    }
}

async fn converse(stream: TcpStream, routes: Router, stop: CancellationToken) {
    let service = TowerToHyperService::new(routes);
    let mut http = http1::Builder::new();
    let mut connection = std::pin::pin!(http.keep_alive(false).serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!("a connection to the operator's listener failed: {error}");
    }
}
