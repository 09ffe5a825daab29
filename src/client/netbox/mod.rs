//! The client of NetBox: who it is, whose the token is, and lists of its objects, page by page.
//!
//! Only GETs. The token goes to the configured address and nowhere else: no redirect is followed, no proxy is asked,
//! and of the links in answers only the position is taken.
mod answer;
pub mod check;
mod pages;
mod reply;
mod target;

pub use super::failure::{Class, Failure};
pub use super::rules::Rules;
pub use super::trust::Trust;
pub use answer::{Cluster, Device, Id, Named};
pub use pages::{Odd, Page, Pages, Which};
pub use target::Target;

use super::attempts::{self, Bounds};
use super::guard::Host;
use super::trust::Judge;
use super::wire::{Ask, Broken, Wires};
use pages::{CLUSTERS, DEVICES, from_json};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use target::Token;
use tokio::time::Instant;

/// What is asked of a cluster. Old versions have `site` instead of a scope.
const CLUSTER_FIELDS: &str = "id,url,display,name,type,group,status,tenant,scope_type,scope_id,scope,site,last_updated";
/// What is asked of a device. Old versions have `device_role`.
const DEVICE_FIELDS: &str = "id,url,display,name,site,role,device_role,tenant,rack,cluster,status,primary_ip4,\
                             primary_ip6,serial,last_updated";

/// A client of one NetBox.
pub struct NetBox {
    wires: Wires,
    token: Token,
    /// For people: without a slash at its end.
    url: String,
    /// The path of the base, with a slash at its end.
    prefix: String,
    rules: Rules,
}

impl fmt::Debug for NetBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetBox").field("url", &self.url).finish_non_exhaustive()
    }
}

impl NetBox {
    /// Connects to nobody yet. Fails if the address is not one to connect to, or the token or the CA certificate cannot
    /// be used. [`Rules::netbox`] are the rules to take.
    pub fn new(target: Target, rules: Rules) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::new(Class::Address, why);
        let (url, host) = target::base(target.url).map_err(wrong)?;
        let is_plain = url.scheme() == "http";
        if is_plain && !rules.allow_http {
            return Err(wrong("plain HTTP is not allowed: use https".into()));
        }
        let host = Host::parse(&host, &rules)?;
        let port = url.port_or_known_default().unwrap_or(443);
        // No roots are read for a connection without TLS.
        let trust = if is_plain { Trust::Pins(Vec::new()) } else { target.trust };
        let judge = Judge::new(&trust)?;
        let wires = Wires::new(host, (url.scheme(), port), judge, rules.clone(), Class::NotNetBox)?;
        let token = Token::new(&target.token).map_err(|why| Failure::new(Class::Auth, why))?;
        let prefix = url.path().to_owned();
        Ok(Self { wires, token, url: url.as_str().trim_end_matches('/').to_owned(), prefix, rules })
    }

    /// Where it is, for people: scheme, host and prefix, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is asked without TLS, so that the token goes in the clear.
    pub fn is_plain(&self) -> bool {
        self.wires.is_plain()
    }

    /// Its version, from `/api/status/`; none if it has no such route. Proves nothing about the token: some let anybody
    /// ask.
    pub async fn version(&self) -> Result<Option<String>, Failure> {
        const ROUTE: &str = "api/status/";
        let Some(status) = self.ask(ROUTE, "").await? else { return Ok(None) };
        match status.get("netbox-version").and_then(Value::as_str) {
            Some(version) => Ok(Some(version.to_owned())),
            None => Err(self.strange(ROUTE, "the answer is JSON, but not NetBox' (no `netbox-version`)")),
        }
    }

    /// Whose the token is, from `/api/authentication-check/` (NetBox 4.5 and newer). None if the token is good, and
    /// NetBox does not tell whose it is.
    pub async fn user(&self) -> Result<Option<String>, Failure> {
        if let Some(user) = self.ask("api/authentication-check/", "").await? {
            return Ok(user.get("username").and_then(Value::as_str).map(str::to_owned));
        }
        // Older ones: whoever is logged in may ask for their own settings …
        if self.ask("api/users/config/", "").await?.is_some() {
            return Ok(None);
        }
        // … and what plays NetBox has its lists at least. Whom it refuses this one, it knows.
        match self.ask(CLUSTERS, "limit=1").await {
            Ok(Some(_)) | Err(Failure { class: Class::Permission { .. }, .. }) => Ok(None),
            Ok(None) => Err(self.strange(CLUSTERS, "there is no NetBox: none of its routes is there")),
            Err(failure) => Err(failure),
        }
    }

    /// What is at a route below the base, such as `api/plugins/proxbox/`; none if there is nothing (404).
    pub async fn get<T: DeserializeOwned>(&self, route: &str) -> Result<Option<T>, Failure> {
        let (route, query) = route.split_once('?').unwrap_or((route, ""));
        let Some(value) = self.ask(route, query).await? else { return Ok(None) };
        let read = serde_path_to_error::deserialize(value);
        read.map(Some).map_err(|error| self.failed(route, Failure::new(Class::Protocol, error.to_string())))
    }

    /// The clusters that the token may see.
    pub fn clusters(&self, which: Which) -> Pages<'_, Cluster> {
        Pages::new(self, CLUSTERS, vec![("fields", CLUSTER_FIELDS.into())], which, Cluster::read)
    }

    /// The devices that the token may see.
    pub fn devices(&self, which: Which) -> Pages<'_, Device> {
        let query = vec![("fields", DEVICE_FIELDS.into()), ("exclude", "config_context".into())];
        Pages::new(self, DEVICES, query, which, Device::read)
    }

    /// The ids of the clusters that the token may see.
    pub fn cluster_ids(&self) -> Pages<'_, Id> {
        Pages::new(self, CLUSTERS, vec![("fields", "id".into())], Which::All, Id::read)
    }

    /// The ids of the devices that the token may see.
    pub fn device_ids(&self) -> Pages<'_, Id> {
        Pages::new(self, DEVICES, vec![("fields", "id".into())], Which::All, Id::read)
    }

    /// Any other list, at a route below the base, such as `api/plugins/proxbox/nodes/`.
    pub fn list<T: DeserializeOwned>(&self, route: &str, query: Vec<(&'static str, String)>) -> Pages<'_, T> {
        Pages::new(self, route, query, Which::All, from_json)
    }

    /// Asks, as often as it makes sense. None if there is no such route (404). `query` is encoded.
    async fn ask(&self, route: &str, query: &str) -> Result<Option<Value>, Failure> {
        let route = route.trim_start_matches('/');
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{route}{mark}{query}", self.prefix);
        let bounds = Bounds {
            attempt: self.rules.local,
            until: Instant::now() + self.rules.call_budget.max(self.rules.local),
            over: "the time of a call is over".into(),
            retry_base: self.rules.retry_base,
        };
        let again = |failure: &Failure| {
            tracing::debug!(path, "asking NetBox again: {}", self.token.redacted(&failure.message));
        };
        let answer = attempts::tried(&bounds, &mut 0, || self.once(route, path.clone()), again).await;
        answer.map_err(|failure| self.failed(route, failure))
    }

    async fn once(&self, route: &str, path: String) -> Result<Option<Value>, Broken> {
        let ask = Ask { path, headers: self.token.header(), form: None };
        let answer = self.wires.ask(&ask).await?;
        let place = reply::Place { route, plain: self.is_plain() };
        // What is shown of an answer is cut: the token must be gone before.
        reply::value(&answer, &place).or_else(|_| reply::value(&self.token.cleaned(answer), &place))
    }

    /// A failure with its path, and without the token that a server may have sent back.
    fn failed(&self, route: &str, mut failure: Failure) -> Failure {
        failure.path = Some(format!("/{}", route.trim_start_matches('/')));
        failure.message = self.token.redacted(&failure.message);
        failure
    }

    /// Something answers that is no NetBox.
    fn strange(&self, route: &str, why: &str) -> Failure {
        self.failed(route, Failure::new(Class::NotNetBox, why))
    }
}
