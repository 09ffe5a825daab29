//! What a run tells of itself: counts, changes as data, and one line in the log.
use super::judge::{Judged, RunError};
use super::snapshot::{Plan, Snapshot, Step};
use crate::client::proxmox::Call;
use crate::entity::{Resource, StepAction};
use crate::service::change;
use crate::service::sync_run::Change;
use sea_orm::ModelTrait;
use serde_json::{Map, Value, json};

/// What a plan changes, as data: the cluster first, then its nodes and storages.
pub fn changes(plan: &Plan, dry_run: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(plan.endpoint.iter().filter_map(|step| change_of(step, dry_run)));
    changes.extend(plan.locals.iter().filter_map(|step| change_of(step, dry_run)));
    changes.extend(plan.clusters.iter().filter_map(|step| change_of(step, dry_run)));
    changes.extend(plan.nodes.iter().filter_map(|step| change_of(step, dry_run)));
    changes.extend(plan.storages.iter().filter_map(|step| change_of(step, dry_run)));
    changes
}

fn change_of<M: ModelTrait + Resource + NamedRow>(step: &Step<M>, dry_run: bool) -> Option<Change> {
    let action = step.action?;
    let deleted = action == StepAction::Deleted;
    let before = step.before.as_ref().map(|row| change::document(row, &[]));
    let after = (!deleted).then(|| change::document(&step.after, &[]));
    // What a dry run would make has no id yet.
    let object_id = step.before.as_ref().map(Resource::id).or((!dry_run).then(|| step.after.id()));
    Some(Change {
        object_type: M::KIND.table(),
        object_id,
        name: step.after.row_name().to_owned(),
        action,
        fields: fields(before.as_ref(), after.as_ref()),
        reason: step.reason.clone(),
    })
}

/// A row that has a name.
trait NamedRow: Resource {
    fn row_name(&self) -> &str;
}

macro_rules! named {
    ($($model:ty),*) => {
        $(impl NamedRow for $model {
            fn row_name(&self) -> &str {
                &self.name
            }
        })*
    };
}

named!(
    crate::entity::endpoint::Model,
    crate::entity::netbox_cluster::Model,
    crate::entity::cluster::Model,
    crate::entity::node::Model,
    crate::entity::storage::Model
);

/// What follows from other fields, or would differ between a dry run and the run that does the same.
const FOLLOWING: [&str; 5] = ["id", "created", "last_updated", "metrics_at", "tags"];
/// Of new rows besides: references to rows that are made in the same run, and what every new row has.
const OF_NEW: [&str; 6] = ["proxmox_cluster", "local_cluster", "source", "cluster", "stale", "custom_fields"];

fn fields(before: Option<&Value>, after: Option<&Value>) -> Value {
    let (empty, none) = (Map::new(), Value::Null);
    let object = |value: Option<&'_ Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let (old, new) = (object(before), object(after));
    let keys = if after.is_some() { new.keys() } else { old.keys() };
    let mut fields = Map::new();
    for key in keys.filter(|key| !FOLLOWING.contains(&key.as_str())) {
        let (old, new) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
        let follows = before.is_none() && OF_NEW.contains(&key.as_str());
        if old != new && !follows {
            fields.insert(key.clone(), json!([old, new]));
        }
    }
    Value::Object(fields)
}

/// How many rows got which treatment.
pub fn counts(plan: &Plan, snapshot: &Snapshot) -> Value {
    let mut counts = Map::new();
    let mut count = |action: Option<StepAction>| {
        let name = action.map_or("measured", StepAction::value);
        let entry = counts.entry(name).or_insert_with(|| json!(0));
        *entry = json!(entry.as_i64().unwrap_or_default() + 1);
    };
    plan.endpoint.iter().for_each(|step| count(step.action));
    plan.locals.iter().for_each(|step| count(step.action));
    plan.clusters.iter().for_each(|step| count(step.action));
    plan.nodes.iter().for_each(|step| count(step.action));
    plan.storages.iter().for_each(|step| count(step.action));
    let changed = plan.clusters.iter().filter(|step| step.before.is_some()).count()
        + plan.nodes.iter().filter(|step| step.before.is_some()).count()
        + plan.storages.iter().filter(|step| step.before.is_some()).count();
    let all = snapshot.clusters.len() + snapshot.nodes.len() + snapshot.storages.len();
    counts.insert("unchanged".into(), json!(all.saturating_sub(changed)));
    Value::Object(counts)
}

/// The calls as runs keep them: times in milliseconds.
pub fn calls(calls: &[Call]) -> Value {
    let calls = calls.iter().map(|call| {
        json!({
            "path": call.path,
            "status": call.status,
            "failure": call.failure,
            "milliseconds": call.duration.as_millis() as u64,
            "attempts": call.attempts,
        })
    });
    calls.collect()
}

/// The errors as runs keep them.
pub fn errors(errors: &[RunError]) -> Value {
    errors.iter().map(RunError::json).collect()
}

/// In what two endpoints of one cluster disagree.
pub fn disagreement(feeder: &str, fed: &Judged, other: &Judged) -> Option<String> {
    let (Some(one), Some(two)) = (&fed.seen.cluster, &other.seen.cluster) else { return None };
    let mut differing = Vec::new();
    if one.quorate != two.quorate {
        differing.push(format!("quorate is {} there and {} here", one.quorate, two.quorate));
    }
    let names = |judged: &Judged| judged.seen.nodes.keys().cloned().collect::<Vec<_>>();
    if names(fed) != names(other) {
        differing.push(format!("the nodes are {} there and {} here", names(fed).join(", "), names(other).join(", ")));
    }
    let online = other.seen.nodes.iter().filter(|(name, node)| {
        fed.seen.nodes.get(*name).is_some_and(|there| there.online != node.online && node.online.is_some())
    });
    let online = online.map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    if !online.is_empty() {
        differing.push(format!("whether these are online: {}", online.join(", ")));
    }
    (!differing.is_empty()).then(|| format!("it disagrees with the endpoint {feeder}: {}", differing.join("; ")))
}
