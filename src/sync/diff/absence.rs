//! Rows that a complete answer lacks: marked first, stale when it lasts, and deleted only where the operator wants it.
use super::super::snapshot::{Plan, Policy, Snapshot, Step};
use crate::entity::{Resource, StepAction, cluster, node, storage};
use chrono::{DateTime, TimeDelta, Utc};

/// A row that can be missing.
pub(super) trait Absent: Resource + Clone + PartialEq {
    /// When complete answers first lacked it, and whether it counts as gone.
    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut bool);
}

impl Absent for cluster::Model {
    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut bool) {
        (&mut self.missing_since, &mut self.stale)
    }
}

impl Absent for node::Model {
    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut bool) {
        (&mut self.missing_since, &mut self.stale)
    }
}

impl Absent for storage::Model {
    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut bool) {
        (&mut self.missing_since, &mut self.stale)
    }
}

/// A row that was seen is not missing.
pub(super) fn present<M: Absent>(row: &mut M) {
    let (since, stale) = row.absence();
    *since = None;
    *stale = false;
}

/// What becomes of a row that a complete answer lacks.
pub(super) fn missing<M: Absent>(
    before: &M,
    mut after: M,
    runs: &[DateTime<Utc>],
    policy: &Policy,
    now: DateTime<Utc>,
) -> Option<Step<M>> {
    let (since, stale) = after.absence();
    let first = *since.get_or_insert(now);
    // This run counts too.
    let lacking = runs.iter().filter(|begun| **begun >= first).count() + 1;
    let long = now - first >= policy.stale_after && lacking >= policy.stale_runs;
    let (action, reason) = if long && !*stale {
        *stale = true;
        (StepAction::Stale, format!("missing from {lacking} complete answers since {}", told(first)))
    } else {
        (StepAction::Missing, format!("a complete answer lacks this {}", M::KIND))
    };
    let step = Step { before: Some(before.clone()), after, action: Some(action), reason };
    (step.after != *before).then_some(step)
}

fn told(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The most rows that go in one run whatever part of the endpoint they are, and the part of it that may go in percent.
const FEW: usize = 5;
const PART: usize = 30;

/// Deletes what has been missing for as long as the operator set, unless that is suspiciously much.
pub(super) fn delete(snapshot: &Snapshot, policy: &Policy, now: DateTime<Utc>, plan: &mut Plan) {
    let Some(after) = policy.delete_after else { return };
    let gone = |since: Option<DateTime<Utc>>, stale: bool| stale && since.is_some_and(|since| now - since >= after);
    let clusters = rows(&snapshot.clusters, |row| gone(row.missing_since, row.stale));
    let nodes = rows(&snapshot.nodes, |row| gone(row.missing_since, row.stale));
    let storages = rows(&snapshot.storages, |row| gone(row.missing_since, row.stale));
    let clusters = returning(clusters, &plan.clusters);
    let nodes = returning(nodes, &plan.nodes);
    let storages = returning(storages, &plan.storages);
    let count = clusters.len() + nodes.len() + storages.len();
    let all = snapshot.clusters.len() + snapshot.nodes.len() + snapshot.storages.len();
    if count > FEW && count * 100 > all * PART && !policy.delete_many {
        plan.notices.push(format!(
            "{count} of {all} rows are due to be deleted, which is suspiciously many: none is; allow it by --delete-many"
        ));
        return;
    }
    plan.clusters.extend(clusters.into_iter().map(|row| deletion(row, after)));
    plan.nodes.extend(nodes.into_iter().map(|row| deletion(row, after)));
    plan.storages.extend(storages.into_iter().map(|row| deletion(row, after)));
}

fn rows<M: Clone>(rows: &[M], due: impl Fn(&M) -> bool) -> Vec<M> {
    rows.iter().filter(|row| due(row)).cloned().collect()
}

/// Rows for which the plan has something else.
fn returning<M: Resource>(rows: Vec<M>, steps: &[Step<M>]) -> Vec<M> {
    let planned = |row: &M| steps.iter().any(|step| step.before.as_ref().is_some_and(|before| before.id() == row.id()));
    rows.into_iter().filter(|row| !planned(row)).collect()
}

fn deletion<M: Resource + Clone>(row: M, after: TimeDelta) -> Step<M> {
    let reason = format!("this {} was missing for more than {} days", M::KIND, after.num_days());
    Step { before: Some(row.clone()), after: row, action: Some(StepAction::Deleted), reason }
}
