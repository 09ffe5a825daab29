//! Where everything comes together: the routes, what wraps them, health, and an orderly end.
mod accept;
mod exchange;
mod figures;
mod guard;
mod health;
mod kept;
mod load;
mod measure;
pub mod ops;
mod slots;
mod socket;
mod tls;
mod wire;

pub use accept::ConnectionLimits;
pub use guard::{Guard, Hosts};
pub use load::LoadLimits;
pub use tls::{CertificateFiles, Tls};

use crate::app::{App, RequestId};
use crate::error::{Error, Result};
use crate::graphql::{self, limits::Limits};
use crate::rest;
use crate::web;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use load::Load;
use rand::distr::{Alphanumeric, SampleString};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::decompression::RequestDecompressionLayer;
use tracing::Instrument;

/// What requests may cost.
#[derive(Clone, Debug)]
pub struct RequestLimits {
    pub graphql: Limits,
    /// The largest body of a GraphQL request, in bytes.
    pub body: usize,
    pub rest: rest::Limits,
    /// What a request may take, from the end of its body on.
    pub timeout: Duration,
    pub load: LoadLimits,
    pub guard: Guard,
}

/// All routes. The order of the layers matters: the id first, so that whatever happens inside can name it.
pub fn router(app: &App, limits: RequestLimits) -> Result<Router> {
    let health = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(health::ready))
        .with_state(app.clone());
    let routes = Router::new()
        .merge(graphql::router(app.clone(), limits.graphql, limits.body, limits.timeout)?)
        .merge(rest::router(app.clone(), limits.rest))
        .merge(web::router(!app.settings.no_graphiql))
        .merge(health)
        .fallback(rest::fallback);
    /// Bytes of an answer from which on compressing it is worth the while.
    const WORTH_IT: u16 = 1_024;
    // Pictures and streams of events are left alone; so are small answers.
    let compression = CompressionLayer::new().compress_when(SizeAbove::new(WORTH_IT).and(DefaultPredicate::new()));
    let routes = routes.layer(CatchPanicLayer::custom(panicked));
    // What is in another encoding than these is left to the routes, which refuse it in their own words.
    let routes = routes.layer(RequestDecompressionLayer::new().pass_through_unaccepted(true)).layer(compression);
    let load = Load::new(limits.load, app.metrics.clone());
    let routes = routes.layer(from_fn_with_state(load, load::shed));
    // Origins before hosts: a page of another origin may learn that the host is wrong.
    let routes = routes.layer(from_fn_with_state(limits.guard.clone(), guard::hosts));
    let routes = routes.layer(from_fn_with_state(limits.guard.clone(), guard::origins));
    let routes = routes.layer(from_fn_with_state(limits.guard, guard::headers));
    let routes = routes.layer(from_fn_with_state(app.metrics.clone(), measure::measure));
    Ok(routes.layer(from_fn(identify)))
}

/// Gives every request an id, that of the client if it is a sound one, and logs how it ended.
async fn identify(mut request: Request, next: Next) -> Response {
    const HEADER: &str = "x-request-id";
    let sound = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = request.headers().get(HEADER).and_then(|id| id.to_str().ok()).filter(sound).map(str::to_owned);
    let id = given.unwrap_or_else(|| Alphanumeric.sample_string(&mut rand::rng(), 20));
    request.extensions_mut().insert(RequestId(id.as_str().into()));
    // The query string stays out of the log: people put secrets there.
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

/// A refusal from before any route, in the form of the door that was meant.
fn refused(request: &Request, status: StatusCode, code: &'static str, message: &str) -> Response {
    match request.uri().path() {
        "/graphql" => graphql::refuse(request.headers(), status, code, message),
        _ => (status, Json(json!({"detail": message}))).into_response(),
    }
}

/// A panic is a defect of ours; the client learns no more than that.
fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!("panic: {}", text.unwrap_or("without a message"));
    let body = json!({"errors": [{
        "message": "Internal server error.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
    }]});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

/// How long requests in flight may take to end after the signal; a little more than one may take at all.
const GRACE: Duration = Duration::from_secs(15);

/// Binds the address to listen on.
pub async fn bind(address: &str) -> Result<TcpListener> {
    let told = |error| Error::Conflict(format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(told)
}

/// Serves until told to stop, then lets requests in flight end.
pub async fn serve(
    app: App,
    listener: TcpListener,
    limits: RequestLimits,
    connections: ConnectionLimits,
    tls: Option<Arc<Tls>>,
    stop: CancellationToken,
) -> Result<()> {
    app.tasks.spawn(app.clone().keep_house(stop.clone()));
    let routes = router(&app, limits)?;
    let following = async {
        match &tls {
            Some(tls) => tls.follow().await,
            None => std::future::pending().await,
        }
    };
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = accept::serve(app.clone(), listener, routes, connections, tls.clone(), stop.clone()) => {}
        () = following => {}
        () = overdue => tracing::warn!("requests were still open after {GRACE:?}; they are cut off"),
    }
    app.close().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_is_told_by_its_request_s_id_and_nothing_else() {
        let fails = get(async || -> &'static str { panic!("with a secret") });
        let routes: Router = Router::new().route("/healthz", fails).layer(CatchPanicLayer::custom(panicked));
        let request =
            Request::get("/healthz").header("x-request-id", "of-the-test").body(Body::empty()).expect("a request");
        let response = routes.layer(from_fn(identify)).oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()["x-request-id"], "of-the-test");
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }
}
