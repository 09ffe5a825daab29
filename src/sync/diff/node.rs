//! The rows of nodes.
use super::super::judge::Judged;
use super::super::seen::SeenNode;
use super::super::snapshot::{Plan, Policy, Snapshot, Step};
use super::cluster::Fed;
use super::{absence, create, keep};
use crate::entity::{StepAction, node};
use crate::service::Writable;
use crate::service::generation::VOLATILE;
use chrono::{DateTime, Utc};
use sea_orm::{EntityTrait, IdenStatic, Iterable, ModelTrait};
use std::collections::{BTreeMap, HashSet};

pub(super) fn diff(
    snapshot: &Snapshot,
    judged: &Judged,
    policy: &Policy,
    now: DateTime<Utc>,
    fed: &Fed,
    plan: &mut Plan,
) {
    let mut endpoints = HashSet::new();
    for cluster in &fed.rows {
        // Two rows of one endpoint never stand for the same cluster; should they, the first one counts.
        if endpoints.insert(cluster.endpoint_id) {
            let place = Place { snapshot, judged, policy, now, endpoint: cluster.endpoint_id, cluster: cluster.id };
            place.diff(plan);
        }
    }
}

/// The nodes of one endpoint's view of the cluster.
struct Place<'a> {
    snapshot: &'a Snapshot,
    judged: &'a Judged,
    policy: &'a Policy,
    now: DateTime<Utc>,
    endpoint: i32,
    cluster: i32,
}

impl Place<'_> {
    fn diff(&self, plan: &mut Plan) {
        let rows = self.rows();
        let complete = self.judged.nodes.is_complete();
        let renamed = if complete { self.renamed(&rows) } else { BTreeMap::new() };
        for (name, seen) in &self.judged.seen.nodes {
            let before = rows.get(name.as_str()).copied().or_else(|| renamed.get(name.as_str()).copied());
            match before {
                Some(before) => plan.nodes.extend(self.update(before, name, seen)),
                None if self.may_create() => plan.nodes.push(create(self.new_row(name, seen))),
                None => {}
            }
        }
        if !complete {
            return;
        }
        let renamed = renamed.values().map(|row| row.id).collect::<HashSet<_>>();
        for (name, before) in &rows {
            if !self.judged.seen.nodes.contains_key(*name) && !renamed.contains(&before.id) {
                let mut after = (*before).clone();
                after.online = false;
                let runs = &self.snapshot.complete_runs.nodes;
                plan.nodes.extend(absence::missing(*before, after, runs, self.policy, self.now));
            }
        }
    }

    /// The rows that the answer is about, by name. Of another endpoint only those of this cluster.
    fn rows(&self) -> BTreeMap<&str, &node::Model> {
        let own = self.endpoint == self.snapshot.endpoint.id;
        let rows = self.snapshot.nodes.iter().filter(|row| row.endpoint_id == self.endpoint);
        let rows = rows.filter(|row| own || row.proxmox_cluster_id == Some(self.cluster));
        rows.map(|row| (row.name.as_str(), row)).collect()
    }

    /// Rows under their new names: the same number in the same cluster, the old name gone and the new one unknown.
    fn renamed<'a>(&self, rows: &BTreeMap<&str, &'a node::Model>) -> BTreeMap<&str, &'a node::Model> {
        // One that was missing before is gone: its number may have been given to another node.
        let gone = rows.values().copied().filter(|row| row.missing_since.is_none());
        let gone = gone.filter(|row| !self.judged.seen.nodes.contains_key(&row.name)).collect::<Vec<_>>();
        let new = self.judged.seen.nodes.iter().filter(|(name, _)| !rows.contains_key(name.as_str()));
        let new = new.map(|(name, seen)| (name.as_str(), seen)).collect::<Vec<_>>();
        if let (Some(false), [row], [(name, _)]) = (self.formed(), &gone[..], &new[..]) {
            // A standalone host has no number, and no other node it could be taken for.
            return BTreeMap::from([(*name, *row)]);
        }
        let mut by_number: BTreeMap<i32, Vec<&'a node::Model>> = BTreeMap::new();
        for row in gone.into_iter().filter(|row| row.proxmox_cluster_id == Some(self.cluster)) {
            if let Some(number) = row.node_id {
                by_number.entry(number).or_default().push(row);
            }
        }
        let same = new.into_iter().filter_map(|(name, seen)| match by_number.get(&seen.node_id?)?[..] {
            [row] => Some((name, row)),
            _ => None,
        });
        same.collect()
    }

    /// A node whose cluster is unknown, or that stands in one list only, is not made yet.
    fn may_create(&self) -> bool {
        self.judged.cluster.is_complete() && self.judged.seen.cluster.is_some()
    }

    fn formed(&self) -> Option<bool> {
        let cluster = self.judged.seen.cluster.as_ref().filter(|_| self.judged.cluster.is_complete());
        cluster.map(|cluster| cluster.formed)
    }

    fn new_row(&self, name: &str, seen: &SeenNode) -> node::Model {
        let mut row = node::Model { endpoint_id: self.endpoint, name: name.to_owned(), ..node::Model::blank(self.now) };
        self.write(&mut row, seen);
        row
    }

    fn update(&self, before: &node::Model, name: &str, seen: &SeenNode) -> Option<Step<node::Model>> {
        let mut after = before.clone();
        name.clone_into(&mut after.name);
        self.write(&mut after, seen);
        absence::present(&mut after);
        if after == *before {
            return None;
        }
        let (action, reason) = if before.name != after.name {
            (Some(StepAction::Renamed), format!("the node {} has another name now", before.name))
        } else if before.missing_since.is_some() {
            (Some(StepAction::Returned), "it is there again".into())
        } else {
            (lasting(before, &after).then_some(StepAction::Updated), String::new())
        };
        Some(Step { before: Some(before.clone()), after, action, reason })
    }

    fn write(&self, row: &mut node::Model, seen: &SeenNode) {
        let complete = self.judged.nodes.is_complete();
        if let Some(formed) = self.formed() {
            row.proxmox_cluster_id = formed.then_some(self.cluster);
            if !formed {
                row.node_id = None;
            }
        }
        keep(&mut row.node_id, &seen.node_id);
        keep(&mut row.ip_address, &seen.ip_address);
        if let Some(fingerprint) = &seen.ssl_fingerprint {
            row.ssl_fingerprint.clone_from(fingerprint);
        }
        if let Some(level) = &seen.support_level {
            row.support_level.clone_from(level);
        }
        // That a node is up is believed of everybody who says so; that it is down only of the majority.
        match seen.online {
            Some(true) => row.online = true,
            Some(false) if complete => row.online = false,
            _ => {}
        }
        // Which node answers is a matter of the endpoint that was asked.
        if let (Some(local), true) = (seen.local, self.endpoint == self.snapshot.endpoint.id) {
            row.local = local;
        }
        keep(&mut row.max_cpu, &seen.max_cpu);
        keep(&mut row.max_memory, &seen.max_memory);
        self.measure(row, seen, complete);
    }

    /// Figures that change all the time. A node that is down has none; where they may not be read, or the answer is not
    /// complete, the last ones stay.
    fn measure(&self, row: &mut node::Model, seen: &SeenNode, complete: bool) {
        let before = (row.cpu_usage, row.memory_usage);
        let known = complete && seen.figures;
        if seen.cpu_usage.is_some() || known {
            row.cpu_usage = seen.cpu_usage;
        }
        if seen.memory_usage.is_some() || known {
            row.memory_usage = seen.memory_usage;
        }
        if before != (row.cpu_usage, row.memory_usage) {
            row.metrics_at = Some(self.now);
        }
    }
}

/// Whether more than volatile figures differ.
fn lasting(before: &node::Model, after: &node::Model) -> bool {
    let mut columns = <node::Entity as EntityTrait>::Column::iter();
    columns.any(|column| !VOLATILE.contains(&column.as_str()) && before.get(column) != after.get(column))
}
