//! The cluster's own row, and its local reference.
use super::super::judge::Judged;
use super::super::seen::SeenCluster;
use super::super::snapshot::{Plan, Policy, Snapshot, Step};
use super::{NEW_CLUSTER, absence, create, keep};
use crate::entity::{Mode, Origin, StepAction, cluster, netbox_cluster};
use crate::service::Writable;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The rows that the answers are about, as they are to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Fed {
    /// By id; the first one is the source of new storages.
    pub rows: Vec<cluster::Model>,
}

pub(super) fn diff(snapshot: &Snapshot, judged: &Judged, policy: &Policy, now: DateTime<Utc>, plan: &mut Plan) -> Fed {
    let seen = match (&judged.seen.cluster, judged.cluster.is_complete()) {
        (Some(seen), true) => seen,
        // What the cluster is stays as it was known; its nodes and storages may still be told.
        _ => return Fed { rows: known(snapshot, judged) },
    };
    let mut fed = Fed::default();
    let (matched, others): (Vec<_>, Vec<_>) =
        snapshot.clusters.iter().partition(|row| is_about(row, &snapshot.clusters, seen, &judged.seen.identity));
    for before in matched {
        let (after, action, reason) = updated(before, seen, &judged.seen.identity);
        fed.rows.push(after.clone());
        if after != *before {
            plan.clusters.push(Step { before: Some(before.clone()), after, action: Some(action), reason });
        }
    }
    if fed.rows.is_empty() {
        let mut new =
            cluster::Model { id: NEW_CLUSTER, endpoint_id: snapshot.endpoint.id, ..cluster::Model::blank(now) };
        write(&mut new, seen, &judged.seen.identity);
        new.local_cluster_id = Some(snapshot.next_local);
        plan.locals.push(create(local(snapshot.next_local, seen)));
        plan.clusters.push(create(new.clone()));
        fed.rows.push(new);
    }
    // Another cluster behind the same endpoint: what it showed before is missing.
    for before in others.into_iter().filter(|row| row.endpoint_id == snapshot.endpoint.id) {
        plan.clusters.extend(absence::missing(before, before.clone(), &snapshot.complete_runs.cluster, policy, now));
    }
    references(snapshot, judged, seen, &mut fed, plan);
    fed
}

/// The rows that an answer without a cluster is about: those of the known identity, or the endpoint's only one.
fn known(snapshot: &Snapshot, judged: &Judged) -> Vec<cluster::Model> {
    let same = |row: &&cluster::Model| !row.cluster_id.is_empty() && row.cluster_id == judged.seen.identity;
    let of_identity = snapshot.clusters.iter().filter(same).cloned().collect::<Vec<_>>();
    if !of_identity.is_empty() {
        return of_identity;
    }
    let present = snapshot.clusters.iter().filter(|row| row.missing_since.is_none());
    match &present.collect::<Vec<_>>()[..] {
        [only] => vec![(*only).clone()],
        _ => Vec::new(),
    }
}

/// Whether a row stands for the cluster that was seen: the same identity, or the same name where no identity speaks
/// against it. A row of the same endpoint whose identity is another one, but whose name is the same, must be it too: no
/// two rows of an endpoint have the same name.
fn is_about(row: &cluster::Model, all: &[cluster::Model], seen: &SeenCluster, identity: &str) -> bool {
    let same = |row: &cluster::Model| !identity.is_empty() && row.cluster_id == identity;
    // Of other endpoints only rows of the same identity and name are here.
    if row.name == seen.name {
        return true;
    }
    // A renamed one, unless its new name is there already; of several the first.
    let rivals = all.iter().filter(|other| other.endpoint_id == row.endpoint_id);
    let rivals = rivals.filter(|other| other.name == seen.name || same(other) && other.missing_since.is_none());
    same(row)
        && row.missing_since.is_none()
        && rivals.map(|other| (other.name != seen.name, other.id)).min() == Some((true, row.id))
}

fn updated(before: &cluster::Model, seen: &SeenCluster, identity: &str) -> (cluster::Model, StepAction, String) {
    let mut after = before.clone();
    write(&mut after, seen, identity);
    absence::present(&mut after);
    if before.name != after.name {
        return (after, StepAction::Renamed, format!("the cluster {} has another name now", before.name));
    }
    if before.missing_since.is_some() {
        return (after, StepAction::Returned, "it is there again".into());
    }
    let replaced = !before.cluster_id.is_empty() && before.cluster_id != after.cluster_id;
    let reason = if replaced { "the identity changed: the cluster was made anew" } else { "" };
    (after, StepAction::Updated, reason.into())
}

fn write(row: &mut cluster::Model, seen: &SeenCluster, identity: &str) {
    row.name.clone_from(&seen.name);
    if !identity.is_empty() {
        identity.clone_into(&mut row.cluster_id);
    }
    row.mode = seen.mode;
    row.nodes_count = seen.nodes_count;
    row.quorate = seen.quorate;
    if seen.formed {
        keep(&mut row.version, &seen.version);
    } else if seen.mode == Mode::Standalone {
        row.version = None;
    }
}

fn local(id: i32, seen: &SeenCluster) -> netbox_cluster::Model {
    netbox_cluster::Model::known(id, &seen.name, &seen.name, Origin::Local)
}

/// The first row has a local reference when it needs one: without a link, or with one where names are taken. It is under the cluster's name.
fn references(snapshot: &Snapshot, judged: &Judged, seen: &SeenCluster, fed: &mut Fed, plan: &mut Plan) {
    let next = snapshot.next_local;
    let Some(main) = fed.rows.first_mut() else { return };
    let others = snapshot.storages.iter().filter(|row| row.source_id != Some(main.id));
    let others = others.map(|row| (row.cluster_id, row.name.as_str())).collect::<HashSet<_>>();
    let blocked = |linked| {
        let mut names = judged.seen.storages.keys();
        names.any(|name| others.contains(&(linked, name)) || snapshot.taken.contains(&(linked, name.clone())))
    };
    if main.local_cluster_id.is_none() && main.netbox_cluster_id.is_none_or(blocked) {
        main.local_cluster_id = Some(next);
        plan.locals.push(create(local(next, seen)));
        point(snapshot, main, plan);
    }
    for before in &snapshot.locals {
        if fed.rows.iter().any(|row| row.local_cluster_id == Some(before.id)) && before.name != seen.name {
            let after = local(before.id, seen);
            let action = Some(StepAction::Renamed);
            plan.locals.push(Step { before: Some(before.clone()), after, action, reason: String::new() });
        }
    }
}

/// Lets the row point to its local reference: within the step that it has already, or in one of its own.
fn point(snapshot: &Snapshot, main: &cluster::Model, plan: &mut Plan) {
    if let Some(step) = plan.clusters.iter_mut().find(|step| step.after.id == main.id) {
        step.after.local_cluster_id = main.local_cluster_id;
        return;
    }
    let before = snapshot.clusters.iter().find(|row| row.id == main.id).cloned();
    let action = Some(StepAction::Updated);
    let reason = "its storages get a place until it is linked to NetBox".into();
    plan.clusters.push(Step { before, after: main.clone(), action, reason });
}
