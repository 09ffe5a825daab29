//! The figures that an operator watches: counted where it happens, told by `server::ops`. Labels are of small sets that
//! no client can widen: route templates and never paths, classes and never names.
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;

/// What is counted. Cloned cheaply; all clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were not let in: `overall`, `address`, `handshake` …
    pub refused: Family<Reason, Counter>,
    /// Requests that are being answered; a stream counts until its end.
    pub in_flight: Gauge,
    /// Requests that were refused because there is too much to do.
    pub shed: Family<Reason, Counter>,
    /// Bodies that were cut off: `idle`, `total`, `size` …
    pub cut: Family<Reason, Counter>,
    /// Bytes of the bodies that are held.
    pub bodies: Gauge,
    /// Requests that were answered.
    pub requests: Family<Request, Counter>,
    /// The time from a request's head to that of its answer.
    pub duration: Family<Route, Histogram>,
    /// Credentials that were not accepted.
    pub denied: Family<Reason, Counter>,
    /// Requests above a rate: `token`, `failed_auth`.
    pub throttled: Family<Reason, Counter>,
    registry: Arc<Registry>,
}

/// Why something did not happen, in a word of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    pub reason: &'static str,
}

/// A route: its template, never a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Route {
    pub route: String,
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    pub method: &'static str,
    /// The template of its route.
    pub route: String,
    pub status: u16,
}

/// Upper ends of the classes of durations, in seconds: from what a row from memory takes to what a request may take.
const DURATIONS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = prefixed();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs here", version);
        let connections = Gauge::default();
        registry.register("connections", "Connections that are open", connections.clone());
        let in_flight = Gauge::default();
        registry.register("requests_in_flight", "Requests being answered", in_flight.clone());
        let bodies = Gauge::default();
        let help = "Bodies of requests that are held";
        registry.register_with_unit("bodies", help, Unit::Bytes, bodies.clone());
        let duration = Family::new_with_constructor((|| Histogram::new(DURATIONS)) as fn() -> Histogram);
        let help = "Time from a request's head to that of its answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, duration.clone());
        let requests = Family::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let mut reasons = |name: &str, help: &str| {
            let family = Family::<Reason, Counter>::default();
            registry.register(name, help, family.clone());
            family
        };
        Self {
            connections,
            in_flight,
            bodies,
            duration,
            requests,
            refused: reasons("connections_refused", "Connections that were not let in"),
            shed: reasons("requests_shed", "Requests refused because there is too much to do"),
            cut: reasons("bodies_cut", "Bodies of requests that were cut off"),
            denied: reasons("authentications_failed", "Credentials that were not accepted"),
            throttled: reasons("requests_throttled", "Requests refused because of a rate limit"),
            registry: Arc::new(registry),
        }
    }

    /// All of it as OpenMetrics text, without the line that ends it.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        encode(&self.registry)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A registry whose names begin as all of ours do.
#[must_use]
pub fn prefixed() -> Registry {
    Registry::with_prefix("proxbox")
}

/// A registry as text, without the line that ends it.
pub fn encode(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    text::encode_registry(&mut text, registry)?;
    Ok(text)
}
