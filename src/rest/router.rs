//! Which path leads where.
use super::ask::{Caller, Limits};
use super::clock::Clock;
use super::error::{Refusal, Result};
use super::openapi;
use super::resource::{Resource, Target, answer};
use super::roots::{self, API_VERSION, Page};
use super::sync;
use crate::app::{App, RequestId};
use crate::entity::{Kind, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag};
use crate::error::Error;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use std::net::SocketAddr;
use tower_http::catch_panic::CatchPanicLayer;

/// What the routes need.
#[derive(Clone, Debug)]
struct Door {
    app: App,
    limits: Limits,
}

/// All routes.
pub fn router(app: App, limits: Limits) -> Router {
    Router::new()
        .route("/api/plugins/proxbox/clusters/", any(list::<cluster::Model>))
        .route("/api/plugins/proxbox/clusters/{id}/", any(one::<cluster::Model>))
        .route("/api/plugins/proxbox/nodes/", any(list::<node::Model>))
        .route("/api/plugins/proxbox/nodes/{id}/", any(one::<node::Model>))
        .route("/api/plugins/proxbox/storage/", any(list::<storage::Model>))
        .route("/api/plugins/proxbox/storage/{id}/", any(one::<storage::Model>))
        .route("/api/plugins/proxbox/endpoints/proxmox/", any(list::<endpoint::Model>))
        .route("/api/plugins/proxbox/endpoints/proxmox/{id}/", any(one::<endpoint::Model>))
        .route("/api/plugins/proxbox/endpoints/proxmox/{id}/sync/", runs(sync::Target::Start))
        .route("/api/plugins/proxbox/sync-runs/", runs(|_| sync::Target::Runs))
        .route("/api/plugins/proxbox/sync-runs/{id}/", runs(sync::Target::Run))
        .route("/api/plugins/proxbox/sync-runs/{id}/changes/", runs(sync::Target::Changes))
        // The paths of later versions of the plugin.
        .route("/api/plugins/proxbox/proxmox-clusters/", any(list::<cluster::Model>))
        .route("/api/plugins/proxbox/proxmox-clusters/{id}/", any(one::<cluster::Model>))
        .route("/api/plugins/proxbox/proxmox-nodes/", any(list::<node::Model>))
        .route("/api/plugins/proxbox/proxmox-nodes/{id}/", any(one::<node::Model>))
        // What nested urls lead to.
        .route("/api/virtualization/clusters/", any(list::<netbox_cluster::Model>))
        .route("/api/virtualization/clusters/{id}/", any(one::<netbox_cluster::Model>))
        .route("/api/dcim/devices/", any(list::<netbox_device::Model>))
        .route("/api/dcim/devices/{id}/", any(one::<netbox_device::Model>))
        .route("/api/extras/tags/", any(list::<tag::Model>))
        .route("/api/extras/tags/{id}/", any(one::<tag::Model>))
        // Where clients look for routes and versions.
        .route("/api/", page(Page::Root(roots::API)))
        .route("/api/dcim/", page(Page::Root(roots::DCIM)))
        .route("/api/extras/", page(Page::Root(roots::EXTRAS)))
        .route("/api/virtualization/", page(Page::Root(roots::VIRTUALIZATION)))
        .route("/api/plugins/", page(Page::Root(roots::PLUGINS)))
        .route("/api/plugins/proxbox/", page(Page::Root(roots::PROXBOX)))
        .route("/api/plugins/proxbox/endpoints/", page(Page::Root(roots::ENDPOINTS)))
        .route("/api/status/", page(Page::Status))
        .route("/api/schema/", get(schema))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(finish))
        .with_state(Door { app, limits })
}

impl FromRequestParts<Door> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self> {
        let ConnectInfo(peer) = *known::<ConnectInfo<SocketAddr>>(parts)?;
        let request_id = known::<RequestId>(parts)?.clone();
        let Door { app, limits } = door.clone();
        Ok(Self { clock: Clock::new(limits.timeout), app, limits, peer: peer.ip(), request_id })
    }
}

/// What every request brings along.
fn known<T: Send + Sync + 'static>(parts: &Parts) -> Result<&T> {
    let lacks = || Error::Internal(format!("a request without {}", std::any::type_name::<T>()));
    Ok(parts.extensions.get().ok_or_else(lacks)?)
}

async fn list<M: Resource>(caller: Caller, request: Request) -> Response {
    in_time(caller.clock.clone(), answer::<M>(caller, Target::List, request)).await
}

async fn one<M: Resource>(caller: Caller, Path(text): Path<String>, request: Request) -> Response {
    in_time(caller.clock.clone(), answer::<M>(caller, Target::One(text), request)).await
}

/// A route about runs of sync; the number in its path, if there is one, tells which.
fn runs(target: fn(String) -> sync::Target) -> axum::routing::MethodRouter<Door> {
    any(async move |caller: Caller, number: Option<Path<String>>, request: Request| {
        let target = target(number.map(|Path(text)| text).unwrap_or_default());
        in_time(caller.clock.clone(), sync::answer(caller, target, request)).await
    })
}

fn page(page: Page) -> axum::routing::MethodRouter<Door> {
    any(async move |caller: Caller, request: Request| {
        in_time(caller.clock.clone(), roots::answer(caller, page, request)).await
    })
}

/// The document holds no data, so it needs no token.
async fn schema(State(door): State<Door>, ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    let document = openapi::document(&door.app.settings.origin(&headers, peer.ip()).base);
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// An answer within the time that a request has. The body of a stream is not part of it.
async fn in_time(clock: Clock, answering: impl Future<Output = Result<Response>>) -> Response {
    match clock.run(answering).await {
        Some(answered) => answered.unwrap_or_else(Refusal::into_response),
        None => Refusal::timeout().into_response(),
    }
}

async fn finish(request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    finished(next.run(request).await, is_head)
}

/// What every answer says.
fn finished(mut response: Response, is_head: bool) -> Response {
    let headers = response.headers_mut();
    headers.insert("api-version", HeaderValue::from_static(API_VERSION));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.append(header::VARY, HeaderValue::from_static("accept, authorization"));
    if is_head {
        // As long as the answer to GET would be, where that is known.
        if let Some(length) = response.body().size_hint().exact().filter(|length| *length > 0) {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        *response.body_mut() = Body::empty();
    }
    response
}

fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!("panic: {}", text.unwrap_or("without a message"));
    Refusal::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.").into_response()
}

/// What no route is for. A path that lacks only its slash is led to it, before anybody is asked for a token; writing
/// there is refused, since a redirect would lose the body.
pub async fn fallback(method: Method, uri: Uri) -> Response {
    finished(elsewhere(&method, &uri), method == Method::HEAD)
}

fn elsewhere(method: &Method, uri: &Uri) -> Response {
    let path = uri.path();
    let reading = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reading || path.ends_with('/') || !is_known(&format!("{path}/")) {
        return Refusal::not_found().into_response();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // Relative, so that it holds behind a proxy too; never a path that a browser takes for a host.
    let location = format!("/{}/{query}", path.trim_start_matches('/'));
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response()
}

/// Whether a path is that of a list, a page or an object.
fn is_known(path: &str) -> bool {
    const ALIASES: [&str; 2] = ["/api/plugins/proxbox/proxmox-clusters/", "/api/plugins/proxbox/proxmox-nodes/"];
    let is_list = |path: &str| ALIASES.contains(&path) || Kind::ALL.iter().any(|kind| kind.rest_path() == path);
    let part = |path: &str, front: &str, back: &str| {
        let number = path.strip_prefix(front).and_then(|rest| rest.strip_suffix(back));
        number.is_some_and(|number| !number.is_empty() && !number.contains(['/', '.']))
    };
    let is_of_runs = path == sync::PATH
        || part(path, sync::PATH, "/")
        || part(path, sync::PATH, "/changes/")
        || part(path, Kind::Endpoint.rest_path(), "/sync/");
    let is_page = roots::PATHS.contains(&path) || path == "/api/schema/";
    let above = path.trim_end_matches('/').rsplit_once('/');
    let is_object =
        above.is_some_and(|(above, last)| !last.is_empty() && !last.contains('.') && is_list(&format!("{above}/")));
    is_page || is_list(path) || is_object || is_of_runs
}
