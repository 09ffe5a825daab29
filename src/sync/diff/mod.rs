//! What differs between the rows and what was seen: pure, so that a dry run tells exactly what a run does.
//!
//! Sync owns what Proxmox tells. What an operator owns (links to NetBox, tags, custom fields) is never written, what was
//! not told is kept, and what is absent from a complete answer is marked, not removed.
mod absence;
mod cluster;
mod node;
mod storage;

use super::judge::Judged;
use super::snapshot::{Plan, Policy, Snapshot, Step};
use crate::entity::{StepAction, endpoint};
use chrono::{DateTime, Utc};

/// The id of the cluster that a plan makes, until the database gives it one.
pub const NEW_CLUSTER: i32 = -1;

/// What is to be done so that the rows are what was seen.
pub fn diff(snapshot: &Snapshot, judged: &Judged, policy: &Policy, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan { endpoint: endpoint(&snapshot.endpoint, judged), ..Plan::default() };
    let fed = cluster::diff(snapshot, judged, policy, now, &mut plan);
    node::diff(snapshot, judged, policy, now, &fed, &mut plan);
    storage::diff(snapshot, judged, policy, now, &fed, &mut plan);
    absence::delete(snapshot, policy, now, &mut plan);
    plan
}

/// What Proxmox tells of the endpoint itself.
fn endpoint(before: &endpoint::Model, judged: &Judged) -> Option<Step<endpoint::Model>> {
    let mut after = before.clone();
    keep(&mut after.version, &judged.seen.version);
    keep(&mut after.repoid, &judged.seen.repoid);
    if let (true, Some(cluster)) = (judged.cluster.is_complete(), &judged.seen.cluster) {
        after.mode = cluster.mode;
    }
    step(before, after)
}

/// Takes a value that was told; what was not told stays.
fn keep<T: Clone>(place: &mut Option<T>, told: &Option<T>) {
    if told.is_some() {
        place.clone_from(told);
    }
}

/// An update, if there is one.
fn step<M: Clone + PartialEq>(before: &M, after: M) -> Option<Step<M>> {
    let action = Some(StepAction::Updated);
    (*before != after).then(|| Step { before: Some(before.clone()), after, action, reason: String::new() })
}

/// A new row.
fn create<M>(after: M) -> Step<M> {
    Step { before: None, after, action: Some(StepAction::Created), reason: String::new() }
}
