//! The client of Proxmox VE: five calls tell all that a sync needs, and two more a cluster's identity.
//!
//! Only GETs, and the POST that gets a ticket. A [`Client`] is built for one run and keeps two connections at most.
mod answer;
mod login;
mod probe;
mod reply;
mod scalar;

pub use super::failure::{Class, Failure};
pub use super::fingerprint::{Fingerprint, NoFingerprint};
pub use super::rules::Rules;
pub use super::trust::Trust;
pub use answer::{
    Certificate, ClusterItem, JoinInfo, JoinNode, Listed, NodeItem, Permissions, Status, StatusNode, StorageItem,
    Version, ca_uuid,
};
pub use login::Credentials;
pub use probe::{Probe, probe};

use super::attempts::{self, Bounds};
use super::guard::Host;
use super::trust::Judge;
use super::wire::{Ask, Broken, Wires};
use login::Login;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reply::Envelope;
use serde_json::Value;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Whom to ask, as whom, and what to believe.
#[derive(Clone, Debug)]
pub struct Target {
    pub scheme: Scheme,
    /// An IP address or a domain name, without brackets.
    pub host: String,
    pub port: u16,
    pub credentials: Credentials,
    /// Of no matter over HTTP.
    pub trust: Trust,
}

/// How to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    #[default]
    Https,
    /// Without TLS: only if the rules allow it.
    Http,
}

/// A call as it went, for whoever looks into a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The path of the API, such as `/cluster/status`.
    pub path: String,
    /// The status of the last answer; none if there was none.
    pub status: Option<u16>,
    /// The code of the failure's class; none if it worked.
    pub failure: Option<&'static str>,
    /// All attempts and the pauses between them.
    pub duration: Duration,
    pub attempts: u32,
}

/// A client of one endpoint, for one run.
pub struct Client {
    wires: Wires,
    login: Login,
    rules: Rules,
    calls: Mutex<Vec<Call>>,
    /// When the run's time is up: counted from the first call.
    until: OnceLock<Instant>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to nobody yet. Fails if the host, the scheme or the CA certificate cannot be used.
    pub fn new(target: Target, rules: &Rules) -> Result<Self, Failure> {
        let scheme = match target.scheme {
            Scheme::Https => "https",
            Scheme::Http if rules.allow_http => "http",
            Scheme::Http => return Err(Failure::new(Class::Address, "plain HTTP is not allowed: use https")),
        };
        let host = Host::parse(&target.host, rules)?;
        // No roots are read for a connection without TLS.
        let trust = if target.scheme == Scheme::Http { Trust::Pins(Vec::new()) } else { target.trust };
        let wires = Wires::new(host, (scheme, target.port), Judge::new(&trust)?, rules.clone(), Class::NotProxmox)?;
        let login = Login::new(target.credentials, rules.ticket);
        Ok(Self { wires, login, rules: rules.clone(), calls: Mutex::default(), until: OnceLock::new() })
    }

    /// `GET /version`, which anybody may ask who is logged in.
    pub async fn version(&self) -> Result<Version, Failure> {
        self.get("/version", self.rules.local, Version::read).await
    }

    /// `GET /access/permissions`: what these credentials may.
    pub async fn permissions(&self) -> Result<Permissions, Failure> {
        self.get("/access/permissions", self.rules.local, |data| Permissions::read(&data)).await
    }

    /// `GET /cluster/status`; needs `Sys.Audit` on `/`.
    pub async fn status(&self) -> Result<Status, Failure> {
        self.get("/cluster/status", self.rules.local, Status::read).await
    }

    /// `GET /nodes`. Without `Sys.Audit` on a node its figures are absent.
    pub async fn nodes(&self) -> Result<Listed<NodeItem>, Failure> {
        self.get("/nodes", self.rules.local, |data| answer::listed(data, NodeItem::read)).await
    }

    /// `GET /storage`. Without `Datastore.Audit` on a storage it is left out by Proxmox without a word.
    pub async fn storages(&self) -> Result<Listed<StorageItem>, Failure> {
        self.get("/storage", self.rules.local, |data| answer::listed(data, StorageItem::read)).await
    }

    /// `GET /cluster/config/join`; needs `Sys.Audit` on `/`. None of a host that is in no cluster.
    pub async fn join(&self) -> Result<Option<JoinInfo>, Failure> {
        let joined = self.get("/cluster/config/join", self.rules.local, JoinInfo::read).await;
        match joined {
            Err(Failure { status: Some(424), .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// `GET /nodes/{node}/certificates/info`: the asked host fetches it from that node.
    pub async fn certificates(&self, node: &str) -> Result<Vec<Certificate>, Failure> {
        let path = format!("/nodes/{}/certificates/info", utf8_percent_encode(node, NON_ALPHANUMERIC));
        self.get(&path, self.rules.proxied, answer::certificates).await
    }

    /// The certificate that the server showed last, whether it was believed or not. None over HTTP, or before any call.
    pub fn presented(&self) -> Option<Fingerprint> {
        self.wires.seen().presented()
    }

    /// What was asked until now, in the order in which it ended.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks, as often as it makes sense, and reads the data. `patience` is for one attempt.
    async fn get<T>(
        &self,
        path: &str,
        patience: Duration,
        read: impl Fn(Value) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (began, mut attempts) = (Instant::now(), 0);
        let data = self.tried(path, patience, began, &mut attempts).await;
        let read = data.and_then(|Envelope { data }| read(data).map_err(|failure| failure.with_status(200)));
        let result = read.map_err(|failure| self.told(failure, path));
        let status = result.as_ref().map_or_else(|failure| failure.status, |_| Some(200));
        let failure = result.as_ref().err().map(|failure| failure.class.code());
        let call = Call { path: path.to_owned(), status, failure, duration: began.elapsed(), attempts };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        result
    }

    async fn tried(
        &self,
        path: &str,
        patience: Duration,
        began: Instant,
        attempts: &mut u32,
    ) -> Result<Envelope, Failure> {
        let run = *self.until.get_or_init(|| began + self.rules.run_budget);
        let bounds = Bounds {
            attempt: patience,
            until: run.min(began + self.rules.call_budget.max(patience)),
            over: format!("the run's {:?} are over", self.rules.run_budget),
            retry_base: self.rules.retry_base,
        };
        let again = |failure: &Failure| {
            tracing::debug!(path, "asking again: {}", self.login.redacted(&failure.message));
        };
        attempts::tried(&bounds, attempts, || self.once(path), again).await
    }

    /// One attempt; one more login belongs to it if the ticket is not taken any more.
    async fn once(&self, path: &str) -> Result<Envelope, Broken> {
        let mut ask = Ask { path: below(path), headers: self.login.headers(&self.wires).await?, form: None };
        let replied = self.asked(&ask).await;
        let refused = replied.as_ref().is_err_and(|broken| broken.failure.class == Class::Auth);
        if !refused || !self.login.renews(&ask.headers) {
            return replied;
        }
        ask.headers = self.login.headers(&self.wires).await?;
        self.asked(&ask).await
    }

    async fn asked(&self, ask: &Ask) -> Result<Envelope, Broken> {
        reply::envelope(&self.wires.ask(ask).await?, self.wires.is_plain())
    }

    /// A failure with its path, and without secrets that a server sent back.
    fn told(&self, mut failure: Failure, path: &str) -> Failure {
        failure.path = Some(path.to_owned());
        failure.message = self.login.redacted(&failure.message);
        if let Class::Permission { path: place, privilege } = &mut failure.class {
            *place = if place.is_empty() { path.to_owned() } else { self.login.redacted(place) };
            *privilege = self.login.redacted(privilege);
        }
        failure
    }
}

/// A path of the API as it is asked for.
fn below(path: &str) -> String {
    format!("/api2/json{path}")
}
