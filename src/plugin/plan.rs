//! From the plugin's rows and those that are here to everything that is to be written. Pure: a dry run ends here.
use super::adopt::{Adopted, Adoption, Pair};
use super::merge::{merge, stamp};
use super::read::There;
use super::report::{Conflict, Counts, Difference, Given, Report};
use super::row::Seen;
use crate::entity::{Kind, Resource, cluster, endpoint, node, storage};
use crate::service::change::references;
use crate::service::import::{self, Here, Step, Writes};
use crate::service::{file, rules};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What is to be written, and what there is to say of it.
#[derive(Debug, Default)]
pub struct Plan {
    pub report: Report,
    /// Nothing, if objects here have the ids of new rows and these may not get others.
    pub writes: Writes,
}

/// Plans an import.
pub fn plan(there: &There, here: &Here, new_ids: bool, now: DateTime<Utc>) -> Plan {
    let mut planning = Planning::new(there, here, now);
    let tags = planning.adoption.tags(all_tags(there), here);
    let endpoints = pair_endpoints(&mut planning.adoption, there, here);
    let endpoints = planning.kind(there.endpoints.len(), &endpoints);
    let clusters = pair_clusters(&mut planning.adoption, there, here);
    let clusters = planning.kind(there.clusters.len(), &clusters);
    let nodes = pair_nodes(&mut planning.adoption, there, here);
    let nodes = planning.kind(there.nodes.len(), &nodes);
    let moved = moved(here, &clusters);
    let storages = planning.storages(&moved, &clusters);
    let mut writes = Writes { endpoints, clusters, nodes, storages, ..Writes::default() };
    planning.end(&mut writes, tags, new_ids)
}

struct Planning<'a> {
    there: &'a There,
    here: &'a Here,
    now: DateTime<Utc>,
    adoption: Adoption,
    report: Report,
    /// What rows are called, on either side.
    names: HashMap<(Kind, i32), String>,
}

impl<'a> Planning<'a> {
    fn new(there: &'a There, here: &'a Here, now: DateTime<Utc>) -> Self {
        let names = names(there, here);
        let report = Report { missing: there.missing.clone(), ignored: there.ignored.clone(), ..Report::default() };
        Self { there, here, now, adoption: Adoption::default(), report, names }
    }

    /// What becomes of the rows of a kind.
    fn kind<M: Adopted>(&mut self, read: usize, pairs: &[Pair<M>]) -> Vec<Step<M>> {
        let mut counts = Counts { read, ..Counts::default() };
        let mut steps = Vec::new();
        for pair in pairs {
            let id = pair.there.id();
            self.names.entry((M::KIND, id)).or_insert_with(|| pair.there.display());
            let tags = pair.here.as_ref().map(|_| self.here.tags_of(M::KIND, id)).unwrap_or_default();
            let merged = merge(pair, tags, self.now);
            match &merged.step {
                Some(step) if step.before.is_some() => counts.changed += 1,
                Some(_) => counts.new += 1,
                None => counts.same += 1,
            }
            counts.conflicts += merged.conflicts.len();
            for difference in merged.conflicts {
                let difference = named(M::KIND, difference, &self.names);
                self.report.conflicts.push(Conflict { place: pair.place.clone(), difference });
            }
            steps.extend(merged.step);
        }
        self.report.counts.push((M::KIND, counts));
        steps
    }

    /// The storages, of which some follow the link of their Proxmox cluster.
    fn storages(&mut self, moved: &HashMap<i32, i32>, clusters: &[Step<cluster::Model>]) -> Vec<Step<storage::Model>> {
        let sources = sources(self.here, clusters);
        let mut rows = self.here.storages.clone();
        let originals = rows.iter().filter(|row| moved.contains_key(&row.id)).cloned().collect::<Vec<_>>();
        rows.iter_mut().for_each(|row| row.cluster_id = moved.get(&row.id).copied().unwrap_or(row.cluster_id));
        let mut pairs = pair_storages(&mut self.adoption, self.there, self.here, &rows);
        for pair in pairs.iter_mut().filter(|pair| pair.here.is_none()) {
            pair.there.source_id = sources.get(&pair.there.cluster_id).copied().flatten();
        }
        let mut steps = self.kind(self.there.storages.len(), &pairs);
        if originals.is_empty() {
            return steps;
        }
        let at = steps.iter().enumerate().map(|(i, step)| (step.after.id, i)).collect::<HashMap<_, _>>();
        for original in originals {
            self.report.moved.push(original.name.clone());
            match at.get(&original.id) {
                Some(i) => steps[*i].before = Some(original),
                None => steps.push(self.follow(original, moved)),
            }
        }
        steps
    }

    /// A storage that only moves.
    fn follow(&self, original: storage::Model, moved: &HashMap<i32, i32>) -> Step<storage::Model> {
        let mut after = original.clone();
        after.cluster_id = moved.get(&original.id).copied().unwrap_or(original.cluster_id);
        stamp(&mut after, self.now);
        let tags = self.here.tags_of(Kind::Storage, original.id);
        Step { before: Some(original), after, tags_before: tags.clone(), tags }
    }

    fn end(mut self, writes: &mut Writes, tags: Counts, new_ids: bool) -> Plan {
        self.needed(writes);
        let counts = Counts { new: writes.tags.len(), ..tags };
        self.report.counts.push((Kind::Tag, counts));
        self.report.secrets = secrets(self.here, &writes.endpoints);
        self.report.left_out = self.there.left_out.clone();
        self.report.left_out.append(&mut self.adoption.left_out);
        for left_out in &self.report.left_out {
            for (_, counts) in self.report.counts.iter_mut().filter(|(kind, _)| *kind == left_out.place.kind) {
                counts.left_out += 1;
            }
        }
        for row in &self.there.left_out {
            for (_, counts) in self.report.counts.iter_mut().filter(|(kind, _)| *kind == row.place.kind) {
                counts.read += 1;
            }
        }
        if new_ids {
            self.report.renumbered = self.adoption.renumbered;
        } else {
            self.report.collisions = self.adoption.collisions;
        }
        let writes = if self.report.collisions.is_empty() { std::mem::take(writes) } else { Writes::default() };
        Plan { report: self.report, writes }
    }

    /// References and tags are made only for what is written.
    fn needed(&mut self, writes: &mut Writes) {
        let clusters = writes.clusters.iter().filter_map(|step| step.after.netbox_cluster_id);
        let clusters = clusters.chain(writes.storages.iter().map(|step| step.after.cluster_id)).collect::<HashSet<_>>();
        let devices = writes.nodes.iter().filter_map(|step| step.after.netbox_device_id).collect::<HashSet<_>>();
        let carried = writes.endpoints.iter().flat_map(|step| step.tags.values());
        let carried = carried.chain(writes.clusters.iter().flat_map(|step| step.tags.values()));
        let carried = carried.chain(writes.nodes.iter().flat_map(|step| step.tags.values()));
        let carried = carried.chain(writes.storages.iter().flat_map(|step| step.tags.values()));
        let carried = carried.copied().collect::<HashSet<_>>();
        let adoption = &mut self.adoption;
        adoption.new_tags.retain(|tag| carried.contains(&tag.id));
        adoption.netbox_clusters.retain(|id, _| clusters.contains(id));
        adoption.netbox_devices.retain(|id, _| devices.contains(id));
        writes.tags = std::mem::take(&mut adoption.new_tags);
        writes.netbox_clusters = std::mem::take(&mut adoption.netbox_clusters).into_values().collect();
        writes.netbox_devices = std::mem::take(&mut adoption.netbox_devices).into_values().collect();
        self.report.references = vec![
            (Kind::NetBoxCluster, writes.netbox_clusters.len()),
            (Kind::NetBoxDevice, writes.netbox_devices.len()),
        ];
    }
}

pub(super) fn all_tags(there: &There) -> impl Iterator<Item = &file::Tag> {
    let of_endpoints = there.endpoints.iter().flat_map(|row| &row.tags);
    let of_clusters = there.clusters.iter().flat_map(|row| &row.tags);
    let of_nodes = there.nodes.iter().flat_map(|row| &row.tags);
    of_endpoints.chain(of_clusters).chain(of_nodes).chain(there.storages.iter().flat_map(|row| &row.tags))
}

pub(super) fn pair_endpoints(adoption: &mut Adoption, there: &There, here: &Here) -> Vec<Pair<endpoint::Model>> {
    adoption.pair(&there.endpoints, &here.endpoints, here, |_, seen| import::endpoint(seen.row.clone()))
}

pub(super) fn pair_clusters(adoption: &mut Adoption, there: &There, here: &Here) -> Vec<Pair<cluster::Model>> {
    adoption.pair(&there.clusters, &here.clusters, here, |adoption, seen: &Seen<file::Cluster>| {
        let endpoint = adoption.refer(Kind::Endpoint, seen.row.endpoint, "endpoint")?;
        import::cluster(file::Cluster { endpoint, ..seen.row.clone() })
    })
}

pub(super) fn pair_nodes(adoption: &mut Adoption, there: &There, here: &Here) -> Vec<Pair<node::Model>> {
    adoption.pair(&there.nodes, &here.nodes, here, |adoption, seen: &Seen<file::Node>| {
        let endpoint = adoption.refer(Kind::Endpoint, seen.row.endpoint, "endpoint")?;
        let cluster = seen.row.proxmox_cluster;
        let cluster = cluster.map(|id| adoption.refer(Kind::Cluster, id, "proxmox_cluster")).transpose()?;
        import::node(file::Node { endpoint, proxmox_cluster: cluster, ..seen.row.clone() })
    })
}

pub(super) fn pair_storages(
    adoption: &mut Adoption,
    there: &There,
    here: &Here,
    rows: &[storage::Model],
) -> Vec<Pair<storage::Model>> {
    adoption.pair(&there.storages, rows, here, |_, seen: &Seen<file::Storage>| match seen.row.cluster {
        0 => Err(rules::required("cluster").into()),
        _ => import::storage(seen.row.clone()),
    })
}

/// The storages that follow their Proxmox cluster to the NetBox cluster that it is linked to from now on, as they do
/// whenever such a link is made. Those whose name is taken there stay.
fn moved(here: &Here, clusters: &[Step<cluster::Model>]) -> HashMap<i32, i32> {
    let linked = clusters.iter().filter_map(|step| {
        let before = step.before.as_ref()?.netbox_cluster_id;
        step.after.netbox_cluster_id.filter(|_| before.is_none()).map(|target| (step.after.id, target))
    });
    let linked = linked.collect::<HashMap<_, _>>();
    if linked.is_empty() {
        return HashMap::new();
    }
    let mut holders: HashMap<(i32, &str), Option<i32>> = HashMap::new();
    for row in &here.storages {
        holders.insert((row.cluster_id, row.name.as_str()), row.source_id);
    }
    let follow = here.storages.iter().filter_map(|row| {
        let target = *linked.get(&row.source_id?)?;
        let free = row.cluster_id != target && !holders.contains_key(&(target, row.name.as_str()));
        free.then(|| {
            holders.insert((target, row.name.as_str()), row.source_id);
            (row.id, target)
        })
    });
    follow.collect()
}

/// Which Proxmox cluster keeps the storages of a NetBox cluster: the one that is linked to it, if it is the only one.
fn sources(here: &Here, clusters: &[Step<cluster::Model>]) -> HashMap<i32, Option<i32>> {
    let mut rows = here.clusters.iter().map(|row| (row.id, row)).collect::<BTreeMap<_, _>>();
    rows.extend(clusters.iter().map(|step| (step.after.id, &step.after)));
    let mut sources = HashMap::new();
    for row in rows.values() {
        if let Some(netbox) = row.netbox_cluster_id {
            sources.entry(netbox).and_modify(|source| *source = None).or_insert(Some(row.id));
        }
    }
    sources
}

/// Endpoints without a secret, new or known.
fn secrets(here: &Here, steps: &[Step<endpoint::Model>]) -> Vec<Given> {
    let new = steps.iter().filter(|step| step.before.is_none()).map(|step| &step.after);
    let lacking = here.endpoints.iter().chain(new).filter(|row| row.password.is_none() && row.token_value.is_none());
    lacking.map(|row| Given { id: row.id, name: row.name.clone(), by_token: !row.token_name.is_empty() }).collect()
}

pub(super) fn names(there: &There, here: &Here) -> HashMap<(Kind, i32), String> {
    let mut names = HashMap::new();
    let clusters = there.clusters.iter().filter_map(|row| row.cluster.as_ref());
    for row in clusters.chain(there.storages.iter().filter_map(|row| row.cluster.as_ref())) {
        names.insert((Kind::NetBoxCluster, row.id), row.display.clone());
    }
    for row in there.nodes.iter().filter_map(|row| row.device.as_ref()) {
        names.insert((Kind::NetBoxDevice, row.id), row.display.clone());
    }
    names.extend(here.netbox_clusters.iter().map(|(id, name)| ((Kind::NetBoxCluster, *id), name.clone())));
    names.extend(here.netbox_devices.iter().map(|(id, name)| ((Kind::NetBoxDevice, *id), name.clone())));
    names.extend(here.endpoints.iter().map(|row| ((Kind::Endpoint, row.id), row.display())));
    names.extend(here.clusters.iter().map(|row| ((Kind::Cluster, row.id), row.display())));
    names
}

/// The difference with names in place of ids.
pub(super) fn named(kind: Kind, mut difference: Difference, names: &HashMap<(Kind, i32), String>) -> Difference {
    let target = references(kind).find(|(field, _)| *field == difference.field).map(|(_, target)| target);
    let Some(target) = target else { return difference };
    for value in [&mut difference.there, &mut difference.here] {
        let id = value.as_i64().and_then(|id| i32::try_from(id).ok());
        if let Some(name) = id.and_then(|id| names.get(&(target, id))) {
            *value = Value::String(name.clone());
        }
    }
    difference
}
