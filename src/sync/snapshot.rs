//! The rows that an observation is held against, and what is to become of them.
use super::seen::Seen;
use crate::entity::{StepAction, cluster, endpoint, netbox_cluster, node, storage};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;

/// The rows that the endpoint speaks for: its own, and those of other endpoints of the same cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub endpoint: endpoint::Model,
    /// By id.
    pub clusters: Vec<cluster::Model>,
    /// The nodes of these clusters, and of the endpoint.
    pub nodes: Vec<node::Model>,
    /// The storages whose source is one of these clusters.
    pub storages: Vec<storage::Model>,
    /// The local references of these clusters.
    pub locals: Vec<netbox_cluster::Model>,
    /// Names that others' storages have at the linked NetBox clusters.
    pub taken: HashSet<(i32, String)>,
    /// The id of the next local reference.
    pub next_local: i32,
    /// When earlier complete runs began, by what they were complete about.
    pub complete_runs: CompleteRuns,
}

impl Snapshot {
    /// These rows as another endpoint of the same cluster finds them that has none of its own; none for others.
    pub fn shown_to(&self, other: &Self, seen: &Seen) -> Option<Self> {
        let of_group = |row: &&cluster::Model| row.cluster_id == seen.identity && row.name == seen.group;
        let clusters = self.clusters.iter().filter(of_group).cloned().collect::<Vec<_>>();
        let known = !seen.identity.is_empty() && !seen.group.is_empty();
        let shown = known && other.clusters.is_empty() && !clusters.is_empty();
        shown.then(|| Self { endpoint: other.endpoint.clone(), clusters, ..self.clone() })
    }
}

/// When the complete runs began that may count for a row's absence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompleteRuns {
    pub cluster: Vec<DateTime<Utc>>,
    pub nodes: Vec<DateTime<Utc>>,
    pub storages: Vec<DateTime<Utc>>,
}

/// When a row that is missing counts as gone, and when it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Complete runs that must have lacked it.
    pub stale_runs: usize,
    /// How long it must have been missing.
    pub stale_after: TimeDelta,
    /// How long a row must be missing to be deleted; none = never.
    pub delete_after: Option<TimeDelta>,
    /// Whether the operator allows many deletions at once.
    pub delete_many: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { stale_runs: 3, stale_after: TimeDelta::hours(24), delete_after: None, delete_many: false }
    }
}

/// What is to become of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<M> {
    /// None for a new row.
    pub before: Option<M>,
    /// For a row that goes, what it was.
    pub after: M,
    /// None when only volatile figures change.
    pub action: Option<StepAction>,
    /// For people; "" where the fields say it all.
    pub reason: String,
}

/// What is to become of the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub endpoint: Option<Step<endpoint::Model>>,
    pub locals: Vec<Step<netbox_cluster::Model>>,
    pub clusters: Vec<Step<cluster::Model>>,
    pub nodes: Vec<Step<node::Model>>,
    pub storages: Vec<Step<storage::Model>>,
    /// What the operator should know besides.
    pub notices: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.endpoint.is_none()
            && self.locals.is_empty()
            && self.clusters.is_empty()
            && self.nodes.is_empty()
            && self.storages.is_empty()
    }

    /// The rows as they are when the plan is done.
    pub fn applied_to(&self, snapshot: &Snapshot) -> Snapshot {
        let mut after = snapshot.clone();
        if let Some(step) = &self.endpoint {
            after.endpoint = step.after.clone();
        }
        apply(&mut after.locals, &self.locals, |row| row.id);
        apply(&mut after.clusters, &self.clusters, |row| row.id);
        apply(&mut after.nodes, &self.nodes, |row| row.id);
        apply(&mut after.storages, &self.storages, |row| row.id);
        after.next_local += self.locals.iter().filter(|step| step.before.is_none()).count() as i32;
        after
    }
}

fn apply<M: Clone>(rows: &mut Vec<M>, steps: &[Step<M>], id: impl Fn(&M) -> i32) {
    for step in steps {
        match &step.before {
            None => rows.push(step.after.clone()),
            Some(before) if step.action == Some(StepAction::Deleted) => rows.retain(|row| id(row) != id(before)),
            Some(before) => {
                for row in rows.iter_mut().filter(|row| id(row) == id(before)) {
                    row.clone_from(&step.after);
                }
            }
        }
    }
}
