//! Counting requests: by the template of their route, so that nobody makes new figures by making up paths.
use super::kept::Kept;
use crate::metrics::{Metrics, Request as Counted, Route};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::metrics::gauge::Gauge;
use std::time::Instant;

/// Counts a request, and what it got.
pub async fn measure(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let (begun, flight) = (Instant::now(), Flight::begin(metrics.in_flight.clone()));
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let of = Route { route: route.clone() };
    metrics.duration.get_or_create(&of).observe(begun.elapsed().as_secs_f64());
    let counted = Counted { method, route, status: response.status().as_u16() };
    metrics.requests.get_or_create(&counted).inc();
    response.map(|body| Kept::body(body, flight))
}

/// The methods that routes know; clients make up others.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// A request that is being answered, until this is dropped.
struct Flight(Gauge);

impl Flight {
    fn begin(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
