//! What may be believed of an observation. Nothing is removed, cleared or flipped on an answer that is not complete: an
//! empty list may be a missing privilege, and a lonely node one that does not see its cluster.
use super::observe::{Join, Observation};
use super::seen::{self, Seen, SeenCluster, SeenNode};
use crate::client::proxmox::{Class, Failure, Listed, Permissions, Status, StorageItem};
use crate::entity::{Kind, Mode};
use crate::service::rules;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How far the answers about one kind of object go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What is absent is not there.
    Complete,
    /// What is there is there; what is absent may be there too.
    Partial(String),
    /// Nothing is known.
    Failed(String),
}

impl Verdict {
    /// Whether absence may be believed.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    fn json(&self) -> Value {
        let (verdict, reason) = match self {
            Self::Complete => ("complete", ""),
            Self::Partial(reason) => ("partial", reason.as_str()),
            Self::Failed(reason) => ("failed", reason.as_str()),
        };
        json!({"verdict": verdict, "reason": reason})
    }
}

/// What went wrong, told by class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    pub class: &'static str,
    pub message: String,
    /// Where the privilege is missing, or the call that failed.
    pub path: Option<String>,
    /// The privilege that is missing.
    pub privilege: Option<String>,
}

impl RunError {
    /// An error of a class of sync's own.
    pub fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), path: None, privilege: None }
    }

    /// As runs keep it.
    pub fn json(&self) -> Value {
        json!({"class": self.class, "message": self.message, "path": self.path, "privilege": self.privilege})
    }
}

impl From<&Failure> for RunError {
    fn from(failure: &Failure) -> Self {
        let (path, privilege) = match &failure.class {
            Class::Permission { path, privilege } => (Some(path.clone()), Some(privilege.clone())),
            _ => (failure.path.clone(), None),
        };
        let privilege = privilege.filter(|privilege| !privilege.is_empty());
        Self { class: failure.class.code(), message: failure.message.clone(), path, privilege }
    }
}

/// An observation with what may be believed of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub cluster: Verdict,
    pub nodes: Verdict,
    pub storages: Verdict,
    pub seen: Seen,
    pub errors: Vec<RunError>,
    pub notices: Vec<String>,
}

impl Judged {
    /// Whether this endpoint can speak for its cluster: it sees all of it, and is in the majority.
    pub fn is_healthy(&self) -> bool {
        self.cluster.is_complete() && self.nodes.is_complete()
    }

    /// Whether everything was seen.
    pub fn is_complete(&self) -> bool {
        self.is_healthy() && self.storages.is_complete()
    }

    /// Whether nothing can be used.
    pub fn is_failed(&self) -> bool {
        [&self.cluster, &self.nodes, &self.storages].iter().all(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// As runs keep them.
    pub fn verdicts(&self) -> Value {
        json!({"cluster": self.cluster.json(), "nodes": self.nodes.json(), "storages": self.storages.json()})
    }
}

/// Judges an observation; `identity` and `group` are what was known of the cluster before.
pub fn judge(observation: &Observation, identity: &str, group: &str, now: DateTime<Utc>) -> Judged {
    let permissions = observation.permissions.as_ref().ok();
    let status = observation.status.as_ref().ok();
    let mut errors = Vec::new();
    let mut notices = Vec::new();
    let failures = [
        observation.permissions.as_ref().err(),
        observation.status.as_ref().err(),
        observation.nodes.as_ref().err(),
        observation.storages.as_ref().err(),
    ];
    errors.extend(failures.into_iter().flatten().map(RunError::from));
    let (cluster_verdict, cluster) = cluster(&observation.status, &observation.join);
    if let Join::Unknown(failure) = &observation.join {
        // Where the cluster is known without it, only some addresses are missing.
        match cluster_verdict {
            Verdict::Complete => notices.push(format!("addresses of nodes could not be looked up: {failure}")),
            _ => errors.push(RunError::from(failure)),
        }
    }
    let items = observation.nodes.as_ref().ok();
    let (nodes, unusable) = seen::nodes(status, items.map(|list| &list.items[..]), &observation.join, permissions);
    let nodes_verdict = nodes_verdict(observation, &cluster_verdict, &unusable);
    let (storages_verdict, storages, left_out) = storages(&observation.storages, permissions, now);
    if let Verdict::Partial(reason) = &cluster_verdict {
        errors.push(RunError::new("degraded", reason.as_str()));
    } else if let Verdict::Partial(reason) = &nodes_verdict {
        errors.push(RunError::new(partial_class(status), reason.as_str()));
    }
    if let Verdict::Partial(reason) = &storages_verdict {
        errors.push(RunError {
            privilege: Some("Datastore.Audit".into()),
            path: Some("/storage".into()),
            ..RunError::new("partial", reason.as_str())
        });
    }
    notices.extend(unusable.into_iter().chain(left_out).map(|line| format!("left out: {line}")));
    notices.extend(other_certificate(observation, &nodes));
    let known = observation.identity.clone().unwrap_or_else(|| identity.to_owned());
    let fits = |value: &String| rules::text(Kind::Endpoint, "version", value).is_ok();
    let group = match &cluster {
        Some(cluster) if cluster.formed => cluster.name.clone(),
        Some(_) => String::new(),
        None => group.to_owned(),
    };
    let seen = Seen {
        identity: known,
        group,
        version: Some(observation.version.version.clone()).filter(fits),
        repoid: observation.version.repoid.clone().filter(fits),
        cluster,
        nodes,
        storages,
    };
    Judged { cluster: cluster_verdict, nodes: nodes_verdict, storages: storages_verdict, seen, errors, notices }
}

/// A cluster without a majority is degraded; anything else that is incomplete is just that.
fn partial_class(status: Option<&Status>) -> &'static str {
    let quorate = status.and_then(|status| status.cluster.as_ref()).and_then(|cluster| cluster.quorate);
    if quorate == Some(false) { "degraded" } else { "partial" }
}

fn cluster(status: &Result<Status, Failure>, join: &Join) -> (Verdict, Option<SeenCluster>) {
    let status = match status {
        Ok(status) => status,
        Err(failure) => return (Verdict::Failed(failure.to_string()), None),
    };
    let Some(item) = &status.cluster else { return host(status, join) };
    let count = item.nodes.unwrap_or(status.nodes.len() as i64);
    let cluster = SeenCluster {
        name: item.name.clone(),
        mode: mode(status.nodes.len()),
        nodes_count: i32::try_from(count).unwrap_or(i32::MAX).max(0),
        quorate: item.quorate.unwrap_or(false),
        version: item.version.and_then(|version| i32::try_from(version).ok()),
        formed: true,
    };
    match rules::filled(Kind::Cluster, "name", &cluster.name) {
        Ok(()) => (Verdict::Complete, Some(cluster)),
        Err(problem) => (Verdict::Partial(format!("the cluster's name: {}", problem.message)), None),
    }
}

/// The plugin's rule: one node alone counts as standalone, even in a cluster of its own.
fn mode(nodes: usize) -> Mode {
    match nodes {
        0 => Mode::Undefined,
        1 => Mode::Standalone,
        _ => Mode::Cluster,
    }
}

/// Without a cluster: a standalone host, if Proxmox confirms it.
fn host(status: &Status, join: &Join) -> (Verdict, Option<SeenCluster>) {
    let [node] = &status.nodes[..] else {
        let count = status.nodes.len();
        return (Verdict::Partial(format!("/cluster/status tells no cluster and {count} nodes")), None);
    };
    match join {
        Join::Standalone => {
            let cluster = SeenCluster {
                name: node.name.clone(),
                mode: Mode::Standalone,
                nodes_count: 1,
                quorate: true,
                version: None,
                formed: false,
            };
            match rules::filled(Kind::Cluster, "name", &cluster.name) {
                Ok(()) => (Verdict::Complete, Some(cluster)),
                Err(problem) => (Verdict::Partial(format!("the host's name: {}", problem.message)), None),
            }
        }
        Join::Members(info) => {
            let count = info.nodes.len();
            let reason = format!(
                "{} is a member of a cluster of {count} and does not see it: corosync was not reached since it started",
                node.name
            );
            (Verdict::Partial(reason), None)
        }
        Join::NotAsked => (Verdict::Partial("it is unknown whether the host is in a cluster".into()), None),
        Join::Unknown(failure) => {
            (Verdict::Partial(format!("it is unknown whether the host is in a cluster: {failure}")), None)
        }
    }
}

fn nodes_verdict(observation: &Observation, cluster: &Verdict, unusable: &[String]) -> Verdict {
    let (status, nodes) = match (&observation.status, &observation.nodes) {
        (Ok(status), Ok(nodes)) => (status, nodes),
        (Err(failure), Err(_)) => return Verdict::Failed(failure.to_string()),
        (Err(failure), _) | (_, Err(failure)) => return Verdict::Partial(failure.to_string()),
    };
    let told = status.nodes.iter().map(|node| node.name.as_str()).collect::<BTreeSet<_>>();
    let listed = nodes.items.iter().map(|node| node.node.as_str()).collect::<BTreeSet<_>>();
    let skipped = status.skipped.len() + nodes.skipped.len() + unusable.len();
    match &status.cluster {
        _ if !cluster.is_complete() => match cluster {
            Verdict::Partial(reason) | Verdict::Failed(reason) => Verdict::Partial(reason.clone()),
            Verdict::Complete => Verdict::Complete,
        },
        _ if skipped > 0 => Verdict::Partial(format!("{skipped} items of the lists of nodes cannot be used")),
        Some(item) if item.quorate != Some(true) => {
            Verdict::Partial("the cluster is not quorate here: what it says of other nodes is not believed".into())
        }
        Some(item) if item.nodes.is_some_and(|count| count != told.len() as i64) => {
            let (count, listed) = (item.nodes.unwrap_or_default(), told.len());
            Verdict::Partial(format!("the cluster has {count} nodes, and {listed} are told"))
        }
        _ if told != listed => {
            let differing = told.symmetric_difference(&listed).copied().collect::<Vec<_>>().join(", ");
            Verdict::Partial(format!("/cluster/status and /nodes differ in: {differing}"))
        }
        _ => Verdict::Complete,
    }
}

type Storages = BTreeMap<String, crate::entity::storage::Model>;

fn storages(
    answer: &Result<Listed<StorageItem>, Failure>,
    permissions: Option<&Permissions>,
    now: DateTime<Utc>,
) -> (Verdict, Storages, Vec<String>) {
    let list = match answer {
        Ok(list) => list,
        Err(failure) => return (Verdict::Failed(failure.to_string()), Storages::new(), Vec::new()),
    };
    let (rows, mut left_out) = seen::storages(&list.items, now);
    left_out.extend(list.skipped.iter().cloned());
    let verdict = if permissions.is_none() {
        Verdict::Partial("the privileges are unknown, so that some storages may be hidden".into())
    } else if !permissions.is_some_and(|all| all.propagates("/storage", "Datastore.Audit")) {
        Verdict::Partial(
            "Datastore.Audit is missing on /storage or below: Proxmox hides storages without a word".into(),
        )
    } else if !rows.contains_key("local") {
        // It always exists.
        Verdict::Partial("the storage `local` is missing, which every Proxmox has".into())
    } else if !left_out.is_empty() {
        Verdict::Partial(format!("{} storages cannot be used", left_out.len()))
    } else {
        Verdict::Complete
    };
    (verdict, rows, left_out)
}

/// A certificate other than the one that the node says it serves: a proxy that ends TLS, or an attack.
fn other_certificate(observation: &Observation, nodes: &BTreeMap<String, SeenNode>) -> Option<String> {
    let presented = observation.presented.as_ref()?;
    let (name, local) = nodes.iter().find(|(_, node)| node.local == Some(true))?;
    let own = local.ssl_fingerprint.as_ref()?.parse().ok()?;
    (*presented != own).then(|| {
        format!(
            "the certificate shown ({presented}) is not the one that {name} says it serves ({own}): is there a proxy?"
        )
    })
}
