//! Whatever the rows are and whatever was seen: a plan leads to rows of which nothing is to be changed any more, and it
//! keeps off what is not sync's.
use crate::property::{Verdict as Case, cases, hold, same};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proxbox_graphql::entity::{JsonText, Mode, Origin, StepAction, cluster, endpoint, netbox_cluster, node, storage};
use proxbox_graphql::service::Writable;
use proxbox_graphql::service::source::FIRST_LOCAL;
use proxbox_graphql::sync::diff::diff;
use proxbox_graphql::sync::judge::{Judged, Verdict};
use proxbox_graphql::sync::seen::{Seen, SeenCluster, SeenNode};
use proxbox_graphql::sync::snapshot::{CompleteRuns, Plan, Policy, Snapshot};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

fn now() -> DateTime<Utc> {
    "2026-04-01T12:00:00Z".parse().unwrap()
}

fn names() -> impl Strategy<Value = String> + Clone {
    select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Complete),
        1 => Just(Verdict::Partial("why".into())),
        1 => Just(Verdict::Failed("why".into())),
    ]
}

fn since() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    option::of(select(vec![1, 30, 900]).prop_map(|hours| now() - TimeDelta::hours(hours)))
}

fn identity() -> impl Strategy<Value = String> + Clone {
    select(vec!["", "u1", "u2"]).prop_map(str::to_owned)
}

fn cluster_row() -> impl Strategy<Value = cluster::Model> {
    let link = option::of(select(vec![5, 6]));
    (1..=2, names(), identity(), link, any::<bool>(), since(), any::<bool>()).prop_map(
        |(endpoint_id, name, cluster_id, netbox_cluster_id, local, missing_since, stale)| cluster::Model {
            endpoint_id,
            name,
            cluster_id,
            netbox_cluster_id,
            local_cluster_id: local.then_some(0),
            missing_since,
            stale: stale && missing_since.is_some(),
            ..cluster::Model::blank(now())
        },
    )
}

fn node_row() -> impl Strategy<Value = node::Model> {
    (1..=2, names(), option::of(0..4usize), option::of(1..4), option::of(0..3), since(), any::<(bool, bool)>())
        .prop_map(|(endpoint_id, name, cluster, node_id, device, missing_since, (online, local))| node::Model {
            endpoint_id,
            name,
            proxmox_cluster_id: cluster.map(|index| index as i32),
            node_id,
            netbox_device_id: device,
            missing_since,
            online,
            local,
            cpu_usage: online.then_some(3.5),
            custom_fields: JsonText(json!({"mine": 1})),
            ..node::Model::blank(now())
        })
}

fn storage_row() -> impl Strategy<Value = storage::Model> {
    (select(vec![0, 5, 6]), option::of(0..4usize), names(), since(), option::of(names())).prop_map(
        |(cluster_id, source, name, missing_since, path)| storage::Model {
            cluster_id,
            source_id: source.map(|index| index as i32),
            name,
            missing_since,
            path,
            content: Some("images,iso".into()),
            custom_fields: JsonText(json!({"mine": 1})),
            ..storage::Model::blank(now())
        },
    )
}

/// Rows as the database could have them: keys once, references that lead somewhere, and all within the endpoint's scope.
fn tidy(
    (mut clusters, mut nodes, mut storages, taken, runs): (
        Vec<cluster::Model>,
        Vec<node::Model>,
        Vec<storage::Model>,
        Vec<String>,
        u8,
    ),
    seen: &Seen,
) -> Snapshot {
    let mut keys = HashSet::new();
    clusters.retain(|row| keys.insert((row.endpoint_id, row.name.clone())));
    let peer = |row: &cluster::Model| {
        !seen.identity.is_empty() && !seen.group.is_empty() && row.cluster_id == seen.identity && row.name == seen.group
    };
    clusters.retain(|row| row.endpoint_id == 1 || peer(row));
    let mut locals = Vec::new();
    for (i, row) in clusters.iter_mut().enumerate() {
        row.id = i as i32 + 1;
        if row.local_cluster_id.is_some() {
            let id = FIRST_LOCAL + i as i32;
            row.local_cluster_id = Some(id);
            locals.push(netbox_cluster::Model::known(id, &row.name, &row.name, Origin::Local));
        }
    }
    let of = |index: Option<i32>| clusters.get(usize::try_from(index?).ok()?).map(|row| row.id);
    let mut keys = HashSet::new();
    nodes.retain(|row| keys.insert((row.endpoint_id, row.name.clone())));
    for (i, row) in nodes.iter_mut().enumerate() {
        row.id = i as i32 + 1;
        row.proxmox_cluster_id = of(row.proxmox_cluster_id);
    }
    nodes.retain(|row| row.endpoint_id == 1 || row.proxmox_cluster_id.is_some());
    for (i, row) in storages.iter_mut().enumerate() {
        row.id = i as i32 + 1;
        row.source_id = of(row.source_id);
        let source = clusters.iter().find(|cluster| Some(cluster.id) == row.source_id);
        if row.cluster_id == 0 {
            row.cluster_id = source.and_then(|source| source.local_cluster_id).unwrap_or(5);
        }
    }
    let mut keys = HashSet::new();
    storages.retain(|row| row.source_id.is_some() && keys.insert((row.cluster_id, row.name.clone())));
    let taken = taken.into_iter().flat_map(|name| [(5, name.clone()), (6, name)]);
    let taken = taken.filter(|key| !keys.contains(key)).collect();
    let runs = (0..runs).map(|day| now() - TimeDelta::days(day.into())).collect::<Vec<_>>();
    Snapshot {
        endpoint: endpoint::Model { id: 1, ..endpoint::Model::blank(now()) },
        next_local: FIRST_LOCAL + clusters.len() as i32,
        clusters,
        nodes,
        storages,
        locals,
        taken,
        complete_runs: CompleteRuns { cluster: runs.clone(), nodes: runs.clone(), storages: runs },
    }
}

fn seen_node() -> impl Strategy<Value = SeenNode> {
    let told = (option::of(1..4), option::of(any::<bool>()), option::of(any::<bool>()));
    (told, option::of(0..100u8), any::<(bool, bool)>()).prop_map(|((node_id, online, local), cpu, (figures, level))| {
        SeenNode {
            node_id,
            ip_address: node_id.map(|number| format!("10.0.0.{number}")),
            online,
            local,
            cpu_usage: cpu.map(f64::from),
            max_cpu: cpu.map(i32::from),
            memory_usage: cpu.map(i64::from),
            max_memory: cpu.map(i64::from),
            ssl_fingerprint: online.map(|_| "AA".into()),
            support_level: level.then(|| "c".into()),
            figures,
        }
    })
}

fn judged() -> impl Strategy<Value = Judged> {
    let cluster = option::of((names(), any::<bool>(), any::<bool>(), 1..4));
    let storages = btree_map(names(), option::of(names()), 0..4);
    let verdicts = (verdict(), verdict(), verdict());
    (verdicts, identity(), cluster, btree_map(names(), seen_node(), 0..4), storages).prop_map(
        |((mut cluster_verdict, nodes_verdict, storages_verdict), identity, cluster, nodes, storages)| {
            let cluster = cluster.map(|(name, formed, quorate, nodes_count)| SeenCluster {
                name,
                mode: if formed { Mode::Cluster } else { Mode::Standalone },
                nodes_count,
                quorate,
                version: formed.then_some(5),
                formed,
            });
            if cluster.is_none() && cluster_verdict.is_complete() {
                cluster_verdict = Verdict::Partial("no cluster".into());
            }
            let storages = storages.into_iter().map(|(name, path)| {
                let row = storage::Model {
                    name: name.clone(),
                    path,
                    content: Some("iso,images".into()),
                    ..storage::Model::blank(now())
                };
                (name, row)
            });
            let group = cluster.as_ref().filter(|cluster| cluster.formed).map(|cluster| cluster.name.clone());
            let seen = Seen {
                identity,
                group: group.unwrap_or_default(),
                version: Some("8.4.1".into()),
                repoid: None,
                cluster,
                nodes,
                storages: storages.collect::<BTreeMap<_, _>>(),
            };
            Judged {
                cluster: cluster_verdict,
                nodes: nodes_verdict,
                storages: storages_verdict,
                seen,
                errors: Vec::new(),
                notices: Vec::new(),
            }
        },
    )
}

fn situation() -> impl Strategy<Value = (Snapshot, Judged)> {
    let rows = (vec(cluster_row(), 0..4), vec(node_row(), 0..6), vec(storage_row(), 0..6), vec(names(), 0..3), 0..5u8);
    (rows, judged()).prop_map(|(rows, judged)| (tidy(rows, &judged.seen), judged))
}

/// Twice the same is once; and what a plan leads to, the database could hold.
async fn settled((snapshot, judged): (Snapshot, Judged)) -> Case {
    for delete_after in [None, Some(TimeDelta::days(10))] {
        let policy = Policy { delete_after, ..Policy::default() };
        let plan = diff(&snapshot, &judged, &policy, now());
        let after = plan.applied_to(&snapshot);
        let mut keys = HashSet::new();
        let all = after.clusters.iter().all(|row| keys.insert((row.endpoint_id, row.name.clone())));
        same("clusters' keys are unique", all, true)?;
        keys.clear();
        same("nodes' keys", after.nodes.iter().all(|row| keys.insert((row.endpoint_id, row.name.clone()))), true)?;
        keys.clear();
        same("storages' keys", after.storages.iter().all(|row| keys.insert((row.cluster_id, row.name.clone()))), true)?;
        let known = |id: i32| id < FIRST_LOCAL || after.locals.iter().any(|row| row.id == id);
        same("places of storages", after.storages.iter().all(|row| known(row.cluster_id)), true)?;
        let again = diff(&after, &judged, &policy, now());
        // What was due to go for long may go in the second run, when it was marked in the first.
        let again = Plan { notices: Vec::new(), ..again };
        if delete_after.is_none() {
            same("nothing is left to do", again, Plan::default())?;
        }
    }
    Ok(())
}

/// Incomplete answers take nothing away, and what is not sync's stays.
async fn careful((snapshot, judged): (Snapshot, Judged)) -> Case {
    let plan = diff(&snapshot, &judged, &Policy::default(), now());
    for step in &plan.clusters {
        let Some(before) = &step.before else { continue };
        same("a link", step.after.netbox_cluster_id, before.netbox_cluster_id)?;
        if !judged.cluster.is_complete() {
            same("an incomplete answer marks no cluster", step.action == Some(StepAction::Missing), false)?;
        }
    }
    for step in &plan.nodes {
        let Some(before) = &step.before else { continue };
        same("a device", step.after.netbox_device_id, before.netbox_device_id)?;
        same("custom fields", &step.after.custom_fields, &before.custom_fields)?;
        if !judged.nodes.is_complete() {
            let taken = [
                before.online && !step.after.online,
                before.ip_address.is_some() && step.after.ip_address.is_none(),
                before.cpu_usage.is_some() && step.after.cpu_usage.is_none(),
                before.missing_since.is_none() && step.after.missing_since.is_some(),
            ];
            same("an incomplete answer takes nothing", taken, [false; 4])?;
        }
    }
    for step in &plan.storages {
        let Some(before) = &step.before else { continue };
        same("custom fields", &step.after.custom_fields, &before.custom_fields)?;
        same("a source", step.after.source_id, before.source_id)?;
        if !judged.storages.is_complete() {
            let marked = before.missing_since.is_none() && step.after.missing_since.is_some();
            same("an incomplete answer marks no storage", marked, false)?;
        }
    }
    same("nothing is deleted unasked", plan.nodes.iter().any(|step| step.action == Some(StepAction::Deleted)), false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_settles_everything() {
    hold(cases(3_000), situation(), settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_careful() {
    hold(cases(3_000), situation(), careful);
}
