//! From the rows that one may view to suggestions: pure, and by tables of names, so that no pair is looked at whose
//! names have nothing in common.
use super::score::{Reason, Reasons};
use super::{Candidate, LinkType, Suggestion};
use crate::entity::netbox_cluster::SITE;
use crate::entity::{
    Decision, Mode, Named, Origin, Resource, cluster, endpoint, link_decision, netbox_cluster, netbox_device, node,
};
use crate::filter::fold::{compare, fold};
use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// Candidates that a suggestion names at most.
pub const MOST_CANDIDATES: usize = 10;

/// So many objects of the same name are looked at; a name that more of them share tells nothing, and every pair takes time.
const MOST_ALIKE: usize = 1_000;

/// What suggestions are made from: the rows as one may view them, linked ones too.
#[derive(Debug, Default)]
pub struct Facts {
    pub endpoints: Vec<endpoint::Model>,
    pub clusters: Vec<cluster::Model>,
    pub nodes: Vec<node::Model>,
    pub netbox_clusters: Vec<netbox_cluster::Model>,
    pub devices: Vec<netbox_device::Model>,
    pub decisions: Vec<link_decision::Model>,
}

/// Suggests links for what is not linked and not stale: clusters first, then nodes, each by name and id. What has no
/// candidate is left out.
pub fn suggest(facts: &Facts) -> Vec<Suggestion> {
    let scene = Scene::new(facts);
    let clusters = facts.clusters.iter().filter(|row| row.netbox_cluster_id.is_none() && !row.stale);
    let nodes = facts.nodes.iter().filter(|row| row.netbox_device_id.is_none() && !row.stale);
    let clusters = clusters.filter_map(|row| scene.of_cluster(row));
    let mut found = clusters.chain(nodes.filter_map(|row| scene.of_node(row))).collect::<Vec<_>>();
    doubt_contested(&mut found);
    found.sort_by(|a, b| (a.ty, &a.name, a.object).cmp(&(b.ty, &b.name, b.object)));
    found
}

/// Two objects of one endpoint are never the same object of NetBox: what both would be is exact for neither.
fn doubt_contested(found: &mut [Suggestion]) {
    let claim = |suggestion: &Suggestion| {
        let (endpoint, _) = suggestion.endpoint.as_ref().filter(|_| suggestion.exact)?;
        Some((suggestion.ty, *endpoint, suggestion.candidates.first()?.target))
    };
    let mut claims: HashMap<_, usize> = HashMap::new();
    for claim in found.iter().filter_map(claim) {
        *claims.entry(claim).or_default() += 1;
    }
    for suggestion in found {
        suggestion.exact &= claim(suggestion).is_none_or(|claim| claims.get(&claim).is_none_or(|count| *count == 1));
    }
}

/// Something that an object can be linked to.
trait Target: Resource {
    fn name(&self) -> Option<&str>;
    fn site_id(&self) -> Option<i32>;
    fn place(&self) -> Option<Named>;
    fn is_there(&self) -> bool;
}

impl Target for netbox_cluster::Model {
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn site_id(&self) -> Option<i32> {
        self.scope_id.filter(|_| self.scope_type.as_deref() == Some(SITE))
    }

    fn place(&self) -> Option<Named> {
        self.site()
    }

    fn is_there(&self) -> bool {
        self.origin != Origin::Local && self.missing_since.is_none()
    }
}

impl Target for netbox_device::Model {
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn site_id(&self) -> Option<i32> {
        self.site_id
    }

    fn place(&self) -> Option<Named> {
        self.site()
    }

    fn is_there(&self) -> bool {
        self.origin != Origin::Local && self.missing_since.is_none()
    }
}

/// The candidates of one type, by id and by folded name.
struct Targets<'a, T> {
    by_id: HashMap<i32, &'a T>,
    by_name: HashMap<String, Vec<&'a T>>,
    /// Those whose name has several labels, by the first one.
    by_label: HashMap<String, Vec<&'a T>>,
}

impl<'a, T: Target> Targets<'a, T> {
    fn new(rows: &'a [T]) -> Self {
        let mut targets = Self { by_id: HashMap::new(), by_name: HashMap::new(), by_label: HashMap::new() };
        for row in rows.iter().filter(|row| row.is_there()) {
            targets.by_id.insert(row.id(), row);
            let Some(name) = row.name() else { continue };
            targets.by_name.entry(fold(name)).or_default().push(row);
            if let Some((label, _)) = name.split_once('.') {
                targets.by_label.entry(fold(label)).or_default().push(row);
            }
        }
        targets
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &'a T> {
        self.by_name.get(&fold(name)).into_iter().flatten().copied().take(MOST_ALIKE)
    }

    /// Those whose name, or whose first label, is the name or its first label.
    fn named_or_labelled(&self, name: &str) -> impl Iterator<Item = &'a T> {
        let other = match name.split_once('.') {
            Some((label, _)) => self.by_name.get(&fold(label)),
            None => self.by_label.get(&fold(name)),
        };
        self.named(name).chain(other.into_iter().flatten().copied().take(MOST_ALIKE))
    }
}

/// What is known of a Proxmox cluster by what it and its nodes are linked to.
#[derive(Default)]
struct Around {
    netbox_cluster: Option<i32>,
    sites: HashSet<i32>,
    /// The NetBox clusters of the devices that its nodes are linked to.
    netbox_clusters: HashSet<i32>,
}

struct Scene<'a> {
    clusters: Targets<'a, netbox_cluster::Model>,
    devices: Targets<'a, netbox_device::Model>,
    endpoints: HashMap<i32, &'a endpoint::Model>,
    /// The NetBox clusters that may be viewed, also those that NetBox does not show at the moment.
    seen_clusters: HashSet<i32>,
    /// The clusters of standalone hosts by endpoint: their nodes need not name them.
    hosts: HashMap<i32, i32>,
    around: HashMap<i32, Around>,
    /// Devices that a node of an endpoint is linked to.
    taken: HashSet<(i32, i32)>,
    decided: HashMap<(&'a str, i32), Vec<(i32, Decision)>>,
}

impl<'a> Scene<'a> {
    fn new(facts: &'a Facts) -> Self {
        let mut scene = Self {
            clusters: Targets::new(&facts.netbox_clusters),
            devices: Targets::new(&facts.devices),
            endpoints: facts.endpoints.iter().map(|row| (row.id, row)).collect(),
            seen_clusters: facts.netbox_clusters.iter().map(|row| row.id).collect(),
            hosts: HashMap::new(),
            around: HashMap::new(),
            taken: HashSet::new(),
            decided: HashMap::new(),
        };
        for row in &facts.decisions {
            let decided = scene.decided.entry((&row.object_type, row.object_id)).or_default();
            decided.push((row.target_id, row.decision));
        }
        for row in facts.clusters.iter().filter(|row| !row.stale) {
            scene.note_cluster(row);
        }
        for row in &facts.nodes {
            scene.note_node(row);
        }
        scene
    }

    fn note_cluster(&mut self, row: &cluster::Model) {
        if row.mode == Mode::Standalone && self.endpoints.contains_key(&row.endpoint_id) {
            self.hosts.insert(row.endpoint_id, row.id);
        }
        let linked = row.netbox_cluster_id.and_then(|id| self.clusters.by_id.get(&id).copied());
        let sites = linked.and_then(Target::site_id).into_iter().collect();
        let around = Around { netbox_cluster: linked.map(|linked| linked.id), sites, ..Around::default() };
        self.around.insert(row.id, around);
    }

    fn note_node(&mut self, row: &node::Model) {
        let device = row.netbox_device_id.and_then(|id| self.devices.by_id.get(&id).copied());
        let Some(device) = device else { return };
        if self.endpoints.contains_key(&row.endpoint_id) {
            self.taken.insert((row.endpoint_id, device.id));
        }
        let (site, within) = (device.site_id, self.cluster_of_device(device));
        let around = self.cluster_of_node(row).and_then(|id| self.around.get_mut(&id));
        if let Some(around) = around.filter(|_| !row.stale) {
            around.sites.extend(site);
            around.netbox_clusters.extend(within);
        }
    }

    /// The NetBox cluster of a device, if it may be viewed.
    fn cluster_of_device(&self, device: &netbox_device::Model) -> Option<i32> {
        device.cluster_id.filter(|id| self.seen_clusters.contains(id))
    }

    /// The Proxmox cluster of a node.
    fn cluster_of_node(&self, row: &node::Model) -> Option<i32> {
        let named = row.proxmox_cluster_id.filter(|id| self.around.contains_key(id));
        named.or_else(|| self.hosts.get(&row.endpoint_id).copied())
    }

    fn decided(&self, ty: LinkType, object: i32) -> &[(i32, Decision)] {
        self.decided.get(&(ty.object().table(), object)).map_or(&[], Vec::as_slice)
    }

    fn of_cluster(&self, row: &cluster::Model) -> Option<Suggestion> {
        let decided = self.decided(LinkType::ProxmoxCluster, row.id);
        let around = self.around.get(&row.id)?;
        let by_nodes = around.netbox_clusters.iter().filter_map(|id| self.clusters.by_id.get(id).copied());
        let candidates = self.clusters.named(&row.name).chain(by_nodes);
        let judged = judge(candidates, &self.clusters, decided, |target, reasons| {
            reasons.add(same_name(&row.name, &target.name));
            if !around.netbox_clusters.is_empty() {
                let same = around.netbox_clusters.contains(&target.id);
                reasons.add(if same { Reason::NetBoxCluster } else { Reason::OtherNetBoxCluster });
            }
            reasons.add(same_site(around, target));
        });
        let blank = self.blank(LinkType::ProxmoxCluster, row.id, &row.name, row.endpoint_id);
        Suggestion { last_updated: row.last_updated, ..blank }.with(judged)
    }

    fn of_node(&self, row: &node::Model) -> Option<Suggestion> {
        let decided = self.decided(LinkType::ProxmoxNode, row.id);
        let nowhere = Around::default();
        let around = self.cluster_of_node(row).and_then(|id| self.around.get(&id)).unwrap_or(&nowhere);
        let address = row.ip_address.as_deref().and_then(address);
        let mut judged = judge(self.devices.named_or_labelled(&row.name), &self.devices, decided, |device, reasons| {
            let name = device.name.as_deref();
            reasons.add(name.and_then(|name| same_name(&row.name, name).or_else(|| same_label(&row.name, name))));
            reasons.add(same_address(address, device));
            if let (Some(linked), Some(within)) = (around.netbox_cluster, self.cluster_of_device(device)) {
                reasons.add(if linked == within { Reason::NetBoxCluster } else { Reason::OtherNetBoxCluster });
            }
            reasons.add(same_site(around, device));
        });
        judged.retain(|(device, _)| !self.taken.contains(&(row.endpoint_id, device.id)));
        let blank = self.blank(LinkType::ProxmoxNode, row.id, &row.name, row.endpoint_id);
        Suggestion { last_updated: row.last_updated, ..blank }.with(judged)
    }

    fn blank(&self, ty: LinkType, object: i32, name: &str, endpoint: i32) -> Suggestion {
        let endpoint = self.endpoints.get(&endpoint).map(|row| (row.id, row.name.clone()));
        Suggestion { ty, object, name: name.to_owned(), endpoint, ..Suggestion::default() }
    }
}

impl Suggestion {
    /// With the best of these candidates; none without any.
    fn with<T: Target>(mut self, mut judged: Vec<(&T, Reasons)>) -> Option<Self> {
        judged.sort_by_cached_key(|(target, reasons)| (Reverse(reasons.rank()), target.id()));
        let (_, first) = *judged.first()?;
        self.exact = first.is_exact(judged.iter().skip(1).map(|(_, other)| *other));
        self.total = judged.len();
        let best = judged.into_iter().take(MOST_CANDIDATES);
        self.candidates = best.map(|(target, reasons)| Candidate::new(target, reasons)).collect();
        Some(self)
    }
}

impl Candidate {
    fn new<T: Target>(target: &T, reasons: Reasons) -> Self {
        Self {
            target: target.id(),
            name: target.name().map_or_else(|| target.display(), str::to_owned),
            site: target.place().map(|site| site.name),
            score: reasons.score(),
            reasons: reasons.iter().collect(),
        }
    }
}

/// Gives each candidate its reasons; those accepted before are candidates too, whatever their name, and those rejected
/// are none.
fn judge<'a, T: Target>(
    candidates: impl Iterator<Item = &'a T>,
    targets: &Targets<'a, T>,
    decided: &[(i32, Decision)],
    reasons: impl Fn(&T, &mut Reasons),
) -> Vec<(&'a T, Reasons)> {
    let is = |id: i32, decision: Decision| decided.contains(&(id, decision));
    let accepted = decided.iter().filter(|(_, decision)| *decision == Decision::Accepted);
    let accepted = accepted.filter_map(|(id, _)| targets.by_id.get(id).copied());
    let mut rows = candidates.chain(accepted).filter(|row| !is(row.id(), Decision::Rejected)).collect::<Vec<_>>();
    rows.sort_by_key(|row| row.id());
    rows.dedup_by_key(|row| row.id());
    let judged = rows.into_iter().map(|row| {
        let mut found = Reasons::default();
        found.add(is(row.id(), Decision::Accepted).then_some(Reason::AcceptedBefore));
        reasons(row, &mut found);
        (row, found)
    });
    judged.collect()
}

fn same_name(a: &str, b: &str) -> Option<Reason> {
    match () {
        () if a == b => Some(Reason::Name),
        () if compare(a, b) == Ordering::Equal => Some(Reason::NameIgnoringCase),
        () => None,
    }
}

/// One of the two is a first label alone: `pve1.a.example` and `pve1.b.example` are two hosts.
fn same_label(a: &str, b: &str) -> Option<Reason> {
    let label = match (a.split_once('.'), b.split_once('.')) {
        (Some((label, _)), None) => compare(label, b),
        (None, Some((label, _))) => compare(a, label),
        _ => return None,
    };
    (label == Ordering::Equal).then_some(Reason::FirstLabel)
}

fn same_site(around: &Around, target: &impl Target) -> Option<Reason> {
    let site = target.site_id().filter(|_| !around.sites.is_empty())?;
    Some(if around.sites.contains(&site) { Reason::Site } else { Reason::OtherSite })
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A device without a primary address of the node's family says nothing.
fn same_address(node: Option<IpAddr>, device: &netbox_device::Model) -> Option<Reason> {
    let node = node?;
    let primary = if node.is_ipv4() { &device.primary_ip4 } else { &device.primary_ip6 };
    let same = address(primary.as_deref()?)? == node;
    Some(if same { Reason::PrimaryAddress } else { Reason::OtherAddress })
}
