//! The GraphQL API: one file a resource, over the same services as every other door.
mod change;
mod cluster;
mod connection;
mod endpoint;
mod error;
mod filter;
mod gate;
mod group;
mod http;
mod identity;
mod key;
pub mod limits;
mod link;
mod loader;
mod mutation;
mod netbox;
mod node;
mod object;
mod order;
mod report;
mod scalar;
mod schema;
mod search;
mod storage;
mod sync;
mod tag;
mod values;

pub use http::refuse;
pub use schema::{Schema, schema, sdl};

use crate::app::{App, Introspection, RequestId};
use crate::auth::{self, Denied};
use crate::entity::{Kind, sync_run};
use crate::error::Error;
use crate::mirror::{self, Wanted};
use crate::principal::Principal;
use crate::service::batch::{Mode, Operation, Outcome};
use crate::service::link::Step;
use crate::service::{Actor, Writable};
use async_graphql::Context;
use axum::extract::{ConnectInfo, Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use gate::Gate;
use http::{Client, Transport, answer, wants_page};
use limits::Limits;
use loader::Loaders;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the resolvers of one request share.
pub struct Session {
    pub app: App,
    pub principal: Principal,
    request_id: RequestId,
    gate: Arc<Gate>,
    loaders: Mutex<Arc<Loaders>>,
    /// Where this server is for the client: scheme, host and prefix, without a slash at the end.
    base_url: String,
}

impl Session {
    fn new(app: App, principal: Principal, request_id: RequestId, gate: Arc<Gate>, base_url: String) -> Self {
        let loaders = Mutex::new(Arc::new(Loaders::new(app.clone(), principal.clone(), gate.clone())));
        Self { app, principal, request_id, gate, loaders, base_url }
    }

    /// The loaders of this request.
    fn loaders(&self) -> Arc<Loaders> {
        self.loaders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes in the name of who asks. What was loaded before is old then.
    async fn write<M: Writable>(
        &self,
        operations: &[Operation<M::Patch>],
        mode: Mode,
    ) -> crate::error::Result<Outcome> {
        let outcome = self.app.write::<M>(self.actor(), operations, mode).await;
        self.forget();
        outcome
    }

    /// Starts runs of sync in the name of who asks. What was loaded before is old then.
    async fn start_sync(&self, endpoints: &[i32], dry_run: bool) -> crate::error::Result<Vec<sync_run::Model>> {
        let started = crate::sync::start(&self.app, &self.actor(), endpoints, dry_run).await;
        self.forget();
        started
    }

    /// Starts to read NetBox.
    async fn start_mirror(&self, wanted: Wanted, delete_many: bool) -> crate::error::Result<()> {
        mirror::start(&self.app, mirror::Order { actor: self.actor(), wanted, delete_many }).await
    }

    /// Accepts or rejects links in the name of who asks. What was loaded before is old then.
    async fn decide(&self, steps: &[Step]) -> crate::error::Result<()> {
        let decided = self.app.decide(self.actor(), steps).await;
        self.forget();
        decided
    }

    fn actor(&self) -> Actor {
        Actor { principal: self.principal.clone(), request_id: Some(self.request_id.0.to_string()) }
    }

    fn forget(&self) {
        let fresh = Loaders::new(self.app.clone(), self.principal.clone(), self.gate.clone());
        *self.loaders.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
    }

    /// The REST URL of an object.
    fn url(&self, kind: Kind, id: i32) -> String {
        format!("{}{}{id}/", self.base_url, kind.rest_path())
    }
}

/// The session of a resolver's context; [`respond`] puts it there.
fn session<'a>(ctx: &Context<'a>) -> &'a Session {
    ctx.data_unchecked::<Session>()
}

/// What the routes need.
#[derive(Clone, Debug)]
struct Door {
    app: App,
    transport: Transport<Schema>,
    sdl: Arc<str>,
}

/// The routes: `/graphql`, and the schema's text beside it.
pub fn router(app: App, limits: Limits, body: usize, timeout: Duration) -> crate::error::Result<axum::Router> {
    let schema = schema();
    let sdl = sdl(&schema).into();
    let transport = Transport::new(schema, limits, timeout, body);
    let transport = transport.map_err(|error| Error::Internal(format!("our own schema: {error}")))?;
    let door = Door { app, transport, sdl };
    let routes = axum::Router::new().route("/graphql", any(respond)).route("/graphql/schema.graphql", get(schema_text));
    Ok(routes.with_state(door))
}

async fn respond(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    if !door.app.settings.no_graphiql && wants_page(request.method(), request.headers()) {
        return Redirect::temporary("graphiql/").into_response();
    }
    let principal = match enter(&door, request.headers(), peer).await {
        Ok(principal) => principal,
        Err(refused) => return *refused,
    };
    let base_url = door.app.settings.origin(request.headers(), peer.ip()).base;
    let client = Client { request_id: &id.0, may_introspect: door.app.settings.may_introspect(&principal) };
    let gate = Arc::new(Gate::default());
    let answering = answer(&door.transport, request, client, |request| {
        request.data(Session::new(door.app.clone(), principal, id.clone(), gate.clone(), base_url))
    });
    gate.drive(answering).await
}

/// The schema tells as much as introspection does, so it is for the same people.
async fn schema_text(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let settings = &door.app.settings;
    match enter(&door, &headers, peer).await {
        Ok(principal) if settings.may_introspect(&principal) => {
            ([(header::CONTENT_TYPE, "application/graphql; charset=utf-8")], door.sdl.to_string()).into_response()
        }
        Ok(_) if settings.introspection == Introspection::Token => unauthenticated(&headers, NO_TOKEN),
        Ok(_) => {
            let message = "The schema is not told: introspection is switched off on this server.";
            refuse(&headers, StatusCode::FORBIDDEN, "INTROSPECTION_DISABLED", message)
        }
        Err(refused) => *refused,
    }
}

const NO_TOKEN: &str = "A token is needed: send `Authorization: Bearer <token>`.";

/// Lets somebody in, or words the refusal: 401 asks for a token, 403 is for a token that may not come from here.
async fn enter(door: &Door, headers: &HeaderMap, peer: SocketAddr) -> Result<Principal, Box<Response>> {
    let client = door.app.settings.origin(headers, peer.ip()).client;
    let message = match auth::authenticate(&door.app, headers, client).await {
        Ok(Ok(principal)) => return Ok(principal),
        Ok(Err(Denied::Address(address))) => {
            let message = format!("This token may not be used from {address}.");
            return Err(Box::new(refuse(headers, StatusCode::FORBIDDEN, "FORBIDDEN", &message)));
        }
        Ok(Err(Denied::Throttled { seconds })) => {
            let message = format!("Too many requests: try again in {seconds} s.");
            let mut refused = refuse(headers, StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", &message);
            refused.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            return Err(Box::new(refused));
        }
        Err(error) => {
            tracing::error!("authentication failed: {error}");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(Box::new(refuse(headers, status, "INTERNAL_SERVER_ERROR", "Internal server error.")));
        }
        Ok(Err(Denied::Missing)) => NO_TOKEN,
        Ok(Err(Denied::Malformed | Denied::NoKey)) => "The Authorization header must hold a keyword and a token.",
        Ok(Err(Denied::InvalidV1 | Denied::InvalidV2)) => "This token is not known.",
        Ok(Err(Denied::Expired)) => "This token has expired.",
        Ok(Err(Denied::Disabled)) => "This token is disabled.",
    };
    Err(Box::new(unauthenticated(headers, message)))
}

/// Asks for a token.
fn unauthenticated(headers: &HeaderMap, message: &str) -> Response {
    let mut response = refuse(headers, StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"proxbox-graphql\""));
    response
}
