//! The server's routes, asked without a network.
use super::ADMIN;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use proxbox_graphql::app::App;
use proxbox_graphql::graphql::limits::Limits;
use proxbox_graphql::rest::{self, PageSizes};
use proxbox_graphql::server::{Guard, LoadLimits, RequestLimits, router};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;

/// The routes of a program, and a count of the statements that they send.
#[derive(Clone, Debug)]
pub struct Server {
    pub app: App,
    routes: Router,
    statements: Arc<AtomicUsize>,
}

/// What a request got.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// The data of an answer without errors.
    #[track_caller]
    pub fn data(&self) -> Value {
        let mut body = self.json();
        assert!(body.get("errors").is_none(), "{body:#}");
        body["data"].take()
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        let body = self.json();
        body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {body:#}")).to_owned()
    }
}

impl Server {
    pub fn new(app: App) -> Self {
        Self::limited(app, Limits::default())
    }

    pub fn limited(app: App, graphql: Limits) -> Self {
        Self::within(app, RequestLimits { graphql, ..limits() })
    }

    pub fn within(mut app: App, limits: RequestLimits) -> Self {
        let statements = Arc::new(AtomicUsize::new(0));
        for connection in [&mut app.db.read, &mut app.db.write] {
            let statements = statements.clone();
            connection.set_metric_callback(move |_| {
                statements.fetch_add(1, Ordering::Relaxed);
            });
        }
        Self { routes: router(&app, limits).unwrap(), app, statements }
    }

    /// Sends a request from 192.0.2.7.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from("192.0.2.7".parse().unwrap(), request).await
    }

    /// Sends a request. In a task, as a server handles it: elsewhere yielding does not let others run.
    pub async fn send_from(&self, peer: IpAddr, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 4000)));
        let response = tokio::spawn(self.routes.clone().oneshot(request)).await.unwrap().unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// A GraphQL request as this token.
    pub async fn ask_as(&self, token: &str, query: &str, variables: Value) -> Answer {
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = Request::builder()
            .method(Method::POST)
            .uri("/graphql")
            .header(header::HOST, "proxbox.example.com")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// A GraphQL request as the admin of the seed.
    pub async fn ask(&self, query: &str) -> Answer {
        self.ask_as(ADMIN, query, json!({})).await
    }

    /// The data of a GraphQL request that must not fail.
    pub async fn data(&self, query: &str) -> Value {
        self.ask(query).await.data()
    }

    /// How many statements an admin's query sends, authentication included.
    pub async fn count(&self, query: &str) -> usize {
        self.count_as(ADMIN, query).await
    }

    /// How many statements somebody's query sends, authentication included.
    pub async fn count_as(&self, token: &str, query: &str) -> usize {
        // The first use of a token is noted in the background; that must not count.
        self.ask_as(token, "{ __typename }", json!({})).await.data();
        self.statements_of(async || drop(self.ask_as(token, query, json!({})).await.data())).await
    }

    /// How many statements are sent while this is asked, without what an earlier request left to do.
    pub async fn statements_of(&self, ask: impl AsyncFnOnce()) -> usize {
        self.app.tasks.close();
        self.app.tasks.wait().await;
        self.app.tasks.reopen();
        self.statements.store(0, Ordering::Relaxed);
        ask().await;
        self.statements.load(Ordering::Relaxed)
    }
}

/// What requests of tests may cost.
pub fn limits() -> RequestLimits {
    // On a machine that does much else the largest of them take long.
    let timeout = Duration::from_secs(60);
    let pages = PageSizes { default: 50, largest: 1000 };
    let rest = rest::Limits { body: 1 << 20, bulk_body: 8 << 20, timeout, pages };
    let load = LoadLimits { requests: 256, memory: 128 << 20, body: 8 << 20, body_idle: timeout, body_total: timeout };
    RequestLimits { graphql: Limits::default(), body: 1 << 20, rest, timeout, load, guard: Guard::default() }
}
