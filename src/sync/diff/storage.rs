//! The rows of storages. Only their source writes them.
use super::super::judge::Judged;
use super::super::seen::sorted;
use super::super::snapshot::{Plan, Policy, Snapshot, Step};
use super::cluster::Fed;
use super::{absence, create};
use crate::entity::{StepAction, cluster, storage};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) fn diff(
    snapshot: &Snapshot,
    judged: &Judged,
    policy: &Policy,
    now: DateTime<Utc>,
    fed: &Fed,
    plan: &mut Plan,
) {
    let Some(main) = fed.rows.first() else { return };
    let sources = fed.rows.iter().map(|row| (row.id, row)).collect::<HashMap<_, _>>();
    let mut rows: BTreeMap<&str, &storage::Model> = BTreeMap::new();
    for row in snapshot.storages.iter().filter(|row| row.source_id.is_some_and(|id| sources.contains_key(&id))) {
        // Should two sources of one cluster have the same storage, the first one is kept up to date.
        rows.entry(&row.name).or_insert(row);
    }
    let mut places = Places::new(snapshot);
    for (name, seen) in &judged.seen.storages {
        match rows.get(name.as_str()) {
            Some(before) => {
                let source = before.source_id.and_then(|id| sources.get(&id)).copied().unwrap_or(main);
                plan.storages.extend(places.update(before, seen, source));
            }
            None => {
                let mut new = seen.clone();
                new.source_id = Some(main.id);
                // Without a place there is no cluster yet that it could belong to.
                if let Some(place) = places.of(main, name, None) {
                    new.cluster_id = place;
                    plan.storages.push(create(new));
                }
            }
        }
    }
    for (name, before) in rows.iter().filter(|(name, _)| !judged.seen.storages.contains_key(**name)) {
        let source = before.source_id.and_then(|id| sources.get(&id)).copied().unwrap_or(main);
        let mut after = (*before).clone();
        after.cluster_id = places.of(source, name, Some(before.cluster_id)).unwrap_or(before.cluster_id);
        let moved = after.cluster_id != before.cluster_id;
        let step = if judged.storages.is_complete() {
            absence::missing(*before, after, &snapshot.complete_runs.storages, policy, now)
        } else {
            moved.then(|| Step { before: Some((*before).clone()), after, action: None, reason: String::new() })
        };
        let told = |step: Step<_>| if moved { Step { action: Some(StepAction::Moved), ..step } } else { step };
        plan.storages.extend(step.map(told));
    }
    places.report(plan);
}

/// Where storages belong, and which names are taken there.
struct Places {
    held: HashSet<(i32, String)>,
    blocked: Vec<String>,
}

impl Places {
    fn new(snapshot: &Snapshot) -> Self {
        let own = snapshot.storages.iter().map(|row| (row.cluster_id, row.name.clone()));
        Self { held: own.chain(snapshot.taken.iter().cloned()).collect(), blocked: Vec::new() }
    }

    /// The linked NetBox cluster, unless another storage has the name there; else the local reference. One that is there
    /// stays rather than to have no place.
    fn of(&mut self, source: &cluster::Model, name: &str, now: Option<i32>) -> Option<i32> {
        if let Some(now) = now {
            self.held.remove(&(now, name.to_owned()));
        }
        let free = |place: &i32| !self.held.contains(&(*place, name.to_owned()));
        let linked = source.netbox_cluster_id.filter(free);
        let place = linked.or(source.local_cluster_id.filter(free)).or(now);
        if let (None, Some(wanted)) = (linked, source.netbox_cluster_id) {
            self.blocked.push(format!("{name} (NetBox cluster {wanted})"));
        }
        if let Some(place) = place {
            self.held.insert((place, name.to_owned()));
        }
        place
    }

    fn update(
        &mut self,
        before: &storage::Model,
        seen: &storage::Model,
        source: &cluster::Model,
    ) -> Option<Step<storage::Model>> {
        let mut after = storage::Model {
            id: before.id,
            cluster_id: self.of(source, &before.name, Some(before.cluster_id)).unwrap_or(before.cluster_id),
            source_id: before.source_id,
            custom_fields: before.custom_fields.clone(),
            created: before.created,
            last_updated: before.last_updated,
            ..seen.clone()
        };
        // The same list in another order is the same; it stays as it was written.
        for (kept, new) in [(&before.content, &mut after.content), (&before.nodes, &mut after.nodes)] {
            if kept.as_deref().map(sorted) == new.as_deref().map(sorted) {
                new.clone_from(kept);
            }
        }
        if after.raw_config.0 == before.raw_config.0 {
            after.raw_config = before.raw_config.clone();
        }
        if after == *before {
            return None;
        }
        let (action, reason) = match () {
            () if before.missing_since.is_some() => (StepAction::Returned, "it is there again".to_owned()),
            () if before.cluster_id != after.cluster_id => {
                (StepAction::Moved, "its cluster's link to NetBox".to_owned())
            }
            () => (StepAction::Updated, String::new()),
        };
        Some(Step { before: Some(before.clone()), after, action: Some(action), reason })
    }

    fn report(self, plan: &mut Plan) {
        if !self.blocked.is_empty() {
            plan.notices.push(format!(
                "storages stay at the local reference, since another source's have their names: {}",
                self.blocked.join(", ")
            ));
        }
    }
}
