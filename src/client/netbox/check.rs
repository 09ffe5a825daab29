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
    let done = |step, result| Checked { step, result: Some(result) };
    let skipped = |step| Checked { step, result: None };
    let address = || Ok(Found::Address(netbox.url().to_owned()));
    let mut all = match netbox.version().await {
        Ok(version) => vec![done(Step::Reached, address()), done(Step::Version, Ok(Found::Version(version)))],
        // Whoever refuses a token is there.
        Err(Failure { class: Class::Auth | Class::Permission { .. }, .. }) => {
            vec![done(Step::Reached, address()), skipped(Step::Version)]
        }
        Err(failure) => vec![done(Step::Reached, Err(failure)), skipped(Step::Version)],
    };
    let user = if all[0].is_good() { Some(netbox.user().await.map(Found::User)) } else { None };
    all.push(Checked { step: Step::Token, result: user });
    for (step, route) in [(Step::Clusters, CLUSTERS), (Step::Devices, DEVICES)] {
        let result = if all[2].is_good() { Some(count(netbox, route).await) } else { None };
        all.push(Checked { step, result });
    }
    all
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
