//! Whether a NetBox can be used: it is there, the token is good, and it may see what is mirrored.
use super::pages::{CLUSTERS, DEVICES};
use super::{Class, Failure, NetBox};
use serde_json::Value;

/// What is asked, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A NetBox answers at the address.
    Reached,
    /// Which version it is.
    Version,
    /// The token is taken.
    Token,
    /// The token may see clusters.
    Clusters,
    /// The token may see devices.
    Devices,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub step: Step,
    /// None if it was not asked, since something before it failed.
    pub result: Option<Result<Found, Failure>>,
}

/// What a step found when all was well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The address as configured.
    Address(String),
    /// None if it does not say.
    Version(Option<String>),
    /// None if it does not say.
    User(Option<String>),
    /// How many objects the token may see; none if it does not say.
    Count(Option<u64>),
}

impl Checked {
    /// Whether it was asked, and all was well.
    pub fn is_good(&self) -> bool {
        matches!(self.result, Some(Ok(_)))
    }
}

/// Asks all of it; the answer has every step once and in order.
pub async fn check(netbox: &NetBox) -> Vec<Checked> {
    let version = netbox.version().await;
    // Whoever refuses a token is there.
    let is_there = match &version {
        Ok(_) => true,
        Err(failure) => matches!(failure.class, Class::Auth | Class::Permission { .. }),
    };
    let user = if is_there { Some(netbox.user().await) } else { None };
    let (reached, version, user) = match (version, user) {
        // None of its routes is there.
        (Ok(None), Some(Err(failure))) if failure.class == Class::NotNetBox => (Err(failure), None, None),
        (Err(failure), None) => (Err(failure), None, None),
        (version, user) => (Ok(()), version.ok(), user),
    };
    let knows = matches!(user, Some(Ok(_)));
    let reached = reached.map(|()| Found::Address(netbox.url().to_owned()));
    vec![
        Checked { step: Step::Reached, result: Some(reached) },
        Checked { step: Step::Version, result: version.map(|version| Ok(Found::Version(version))) },
        Checked { step: Step::Token, result: user.map(|user| user.map(Found::User)) },
        Checked { step: Step::Clusters, result: if knows { Some(count(netbox, CLUSTERS).await) } else { None } },
        Checked { step: Step::Devices, result: if knows { Some(count(netbox, DEVICES).await) } else { None } },
    ]
}

/// How many objects of a list the token may see.
async fn count(netbox: &NetBox, route: &str) -> Result<Found, Failure> {
    match netbox.ask(route, "limit=1").await? {
        Some(list) if list.get("results").is_some_and(Value::is_array) => {
            Ok(Found::Count(list.get("count").and_then(Value::as_u64)))
        }
        Some(_) => Err(netbox.strange(route, "the answer is JSON, but not NetBox' (no `results`)")),
        None => Err(netbox.strange(route, "there is no such list (404)")),
    }
}
