//! Suggestions from rows in memory: each rule by itself, and many rows.
use chrono::Utc;
use proxbox_graphql::entity::{
    Decision, Mode, Origin, cluster, endpoint, link_decision, netbox_cluster, netbox_device, node,
};
use proxbox_graphql::service::Writable;
use proxbox_graphql::service::link::{Facts, LinkType, MOST_CANDIDATES, Reason, Suggestion, suggest};

/// Facts in the making; endpoints come by themselves.
#[derive(Default)]
struct Scene(Facts);

impl Scene {
    fn endpoint(&mut self, id: i32) {
        if self.0.endpoints.iter().all(|row| row.id != id) {
            self.0.endpoints.push(endpoint::Model { id, name: format!("e{id}"), ..endpoint::Model::blank(Utc::now()) });
        }
    }

    fn cluster(mut self, id: i32, name: &str, change: impl FnOnce(&mut cluster::Model)) -> Self {
        let mut row = cluster::Model { id, endpoint_id: 1, name: name.into(), ..cluster::Model::blank(Utc::now()) };
        change(&mut row);
        self.endpoint(row.endpoint_id);
        self.0.clusters.push(row);
        self
    }

    fn node(mut self, id: i32, name: &str, change: impl FnOnce(&mut node::Model)) -> Self {
        let mut row = node::Model { id, endpoint_id: 1, name: name.into(), ..node::Model::blank(Utc::now()) };
        change(&mut row);
        self.endpoint(row.endpoint_id);
        self.0.nodes.push(row);
        self
    }

    fn netbox(mut self, id: i32, name: &str, change: impl FnOnce(&mut netbox_cluster::Model)) -> Self {
        let mut row = netbox_cluster::Model::known(id, name, name, Origin::Netbox);
        change(&mut row);
        self.0.netbox_clusters.push(row);
        self
    }

    fn device(mut self, id: i32, name: &str, change: impl FnOnce(&mut netbox_device::Model)) -> Self {
        let name = Some(name).filter(|name| !name.is_empty());
        let mut row = netbox_device::Model::known(id, name, "shown", Origin::Netbox);
        change(&mut row);
        self.0.devices.push(row);
        self
    }

    fn decided(mut self, ty: LinkType, object_id: i32, target_id: i32, decision: Decision) -> Self {
        let object_type = ty.object().table().to_owned();
        let row =
            link_decision::Model { object_type, object_id, target_id, decision, actor: "cli".into(), at: Utc::now() };
        self.0.decisions.push(row);
        self
    }

    fn found(&self) -> Vec<String> {
        suggest(&self.0).iter().map(short).collect()
    }
}

fn short(suggestion: &Suggestion) -> String {
    let candidates = suggestion.candidates.iter().map(|candidate| {
        let reasons = candidate.reasons.iter().map(|reason| reason.value()).collect::<Vec<_>>().join(" ");
        format!("{} {} {reasons}", candidate.target, candidate.score)
    });
    let word = if suggestion.ty == LinkType::ProxmoxCluster { "cluster" } else { "node" };
    let exact = if suggestion.exact { "=" } else { "?" };
    format!("{word}:{} {exact} {}", suggestion.object, candidates.collect::<Vec<_>>().join(", "))
}

fn same<T>(_: &mut T) {}

fn site(row: &mut netbox_cluster::Model, id: i32) {
    (row.scope_type, row.scope_id, row.scope_name) = (Some("dcim.site".into()), Some(id), Some(format!("Site {id}")));
}

#[test]
fn clusters_are_found_by_name() {
    let prod = || Scene::default().cluster(1, "Prod", same);
    for (scene, expected) in [
        (prod(), vec![]),
        (prod().netbox(5, "Prod", same), vec!["cluster:1 = 5 80 name"]),
        (prod().netbox(5, "pROD", same), vec!["cluster:1 = 5 75 name_ignoring_case"]),
        (prod().netbox(5, "Production", same).netbox(6, "Pro", same), vec![]),
        // A host name's first label is nothing for a cluster.
        (prod().netbox(5, "Prod.example.com", same), vec![]),
        (
            prod().netbox(6, "PROD", same).netbox(5, "Prod", same),
            vec!["cluster:1 ? 5 80 name, 6 75 name_ignoring_case"],
        ),
        (prod().netbox(7, "Prod", same).netbox(5, "Prod", same), vec!["cluster:1 ? 5 80 name, 7 80 name"]),
        (prod().netbox(1_000_000_000, "Prod", |row| row.origin = Origin::Local), vec![]),
        (prod().netbox(5, "Prod", |row| row.origin = Origin::Manual), vec!["cluster:1 = 5 80 name"]),
        (prod().netbox(5, "Prod", |row| row.missing_since = Some(Utc::now())), vec![]),
        // What is linked, or gone, needs none.
        (Scene::default().cluster(1, "Prod", |row| row.netbox_cluster_id = Some(9)).netbox(5, "Prod", same), vec![]),
        (Scene::default().cluster(1, "Prod", |row| row.stale = true).netbox(5, "Prod", same), vec![]),
        (
            Scene::default().cluster(1, "Ünïcode", |row| row.mode = Mode::Standalone).netbox(5, "ÜNÏCODE", same),
            vec!["cluster:1 = 5 75 name_ignoring_case"],
        ),
    ] {
        assert_eq!(scene.found(), expected, "{:?}", scene.0);
    }
}

/// Two endpoints of one cluster are two rows, which are the same cluster in NetBox.
#[test]
fn two_endpoints_of_a_cluster_get_the_same_candidate() {
    let scene = Scene::default()
        .cluster(1, "prod", |row| row.cluster_id = "G".into())
        .cluster(2, "prod", |row| (row.cluster_id, row.endpoint_id) = ("G".into(), 2))
        .netbox(5, "prod", same);
    assert_eq!(scene.found(), ["cluster:1 = 5 80 name", "cluster:2 = 5 80 name"]);
}

/// Of one endpoint only one can be it.
#[test]
fn what_two_of_an_endpoint_could_be_is_exact_for_neither() {
    let scene = Scene::default().node(1, "pve1", same).node(2, "PVE1", same).node(3, "pve1", |row| row.endpoint_id = 2);
    let scene = scene.device(31, "pve1", same);
    // By name: upper case sorts first.
    assert_eq!(scene.found(), ["node:2 ? 31 75 name_ignoring_case", "node:1 ? 31 80 name", "node:3 = 31 80 name"]);
}

#[test]
fn what_nodes_are_linked_to_tells_clusters_apart() {
    let twins = |device: &dyn Fn(&mut netbox_device::Model)| {
        Scene::default()
            .cluster(1, "prod", same)
            .node(1, "pve1", |row| (row.proxmox_cluster_id, row.netbox_device_id) = (Some(1), Some(31)))
            .device(31, "srv", device)
            .netbox(5, "Prod", |row| site(row, 1))
            .netbox(6, "prod", |row| site(row, 2))
            .netbox(7, "Other", |row| site(row, 1))
    };
    // The site alone turns it round, though the other's name is the same to the letter.
    assert_eq!(
        twins(&|row| row.site_id = Some(1)).found(),
        ["cluster:1 = 5 80 name_ignoring_case site, 6 60 name other_site"]
    );
    assert_eq!(
        twins(&|row| (row.site_id, row.cluster_id) = (Some(1), Some(5))).found(),
        ["cluster:1 = 5 95 name_ignoring_case netbox_cluster site, 6 40 name other_netbox_cluster other_site"]
    );
    // Of another name, but with its devices: worth a look, and reason to look at the others too.
    assert_eq!(
        twins(&|row| row.cluster_id = Some(7)).found(),
        [
            "cluster:1 ? 6 60 name other_netbox_cluster, 5 55 name_ignoring_case other_netbox_cluster, 7 50 netbox_cluster"
        ]
    );
    // A NetBox cluster that is not known here says nothing.
    assert_eq!(twins(&|row| row.cluster_id = Some(99)).found(), ["cluster:1 ? 6 80 name, 5 75 name_ignoring_case"]);
    // A node that is gone says nothing any more.
    let mut scene = twins(&|row| row.site_id = Some(1));
    scene.0.nodes[0].stale = true;
    assert_eq!(scene.found(), ["cluster:1 ? 6 80 name, 5 75 name_ignoring_case"]);
    // The nodes of a standalone host need not name its cluster.
    let mut scene = twins(&|row| row.site_id = Some(1));
    scene.0.nodes[0].proxmox_cluster_id = None;
    scene.0.clusters[0].mode = Mode::Standalone;
    assert_eq!(scene.found(), ["cluster:1 = 5 80 name_ignoring_case site, 6 60 name other_site"]);
    // A scope that is no site is no other site.
    let mut scene = twins(&|row| row.site_id = Some(1));
    scene.0.netbox_clusters[1].scope_type = Some("dcim.region".into());
    assert_eq!(scene.found(), ["cluster:1 ? 5 80 name_ignoring_case site, 6 80 name"]);
}

#[test]
fn nodes_are_found_by_name_and_first_label() {
    for (node, device, expected) in [
        ("pve1", "pve1", "= 31 80 name"),
        ("pve1", "PVE1", "= 31 75 name_ignoring_case"),
        ("pve1", "pve1.example.com", "? 31 50 first_label"),
        ("pve1", "PVE1.example.com", "? 31 50 first_label"),
        ("pve1.example.com", "pve1", "? 31 50 first_label"),
        ("pve1.example.com", "Pve1.Example.com", "= 31 75 name_ignoring_case"),
        ("pve1.a.example", "pve1.b.example", ""),
        ("pve1", "pve10", ""),
        ("pve1", "pve", ""),
        ("pve1", "", ""),
        ("shown", "", ""),
    ] {
        let found = Scene::default().node(1, node, same).device(31, device, same).found();
        let expected = if expected.is_empty() { vec![] } else { vec![format!("node:1 {expected}")] };
        assert_eq!(found, expected, "{node} {device}");
    }
}

#[test]
fn addresses_confirm_and_contradict() {
    for (address, ip4, ip6, name, expected) in [
        ("192.0.2.1", Some("192.0.2.1"), None, "pve1", "= 31 100 name primary_address"),
        ("192.0.2.1", Some("192.0.2.1"), None, "pve1.example.com", "= 31 75 first_label primary_address"),
        ("192.0.2.1", Some("192.0.2.2"), None, "pve1", "? 31 65 name other_address"),
        ("192.0.2.1", Some("192.0.2.2"), None, "pve1.example.com", "? 31 35 first_label other_address"),
        // Of another family, or none: nothing is said.
        ("192.0.2.1", None, Some("2001:db8::1"), "pve1", "= 31 80 name"),
        ("192.0.2.1", None, None, "pve1", "= 31 80 name"),
        ("2001:db8::1", Some("192.0.2.1"), Some("2001:db8::1"), "PVE1", "= 31 100 name_ignoring_case primary_address"),
        ("2001:db8::1", Some("192.0.2.1"), Some("2001:db8::2"), "pve1", "? 31 65 name other_address"),
        ("2001:DB8:0::1", None, Some("2001:db8::1"), "pve1", "= 31 100 name primary_address"),
        ("::ffff:192.0.2.1", Some("192.0.2.1"), None, "pve1", "= 31 100 name primary_address"),
        ("", Some("192.0.2.1"), None, "pve1", "= 31 80 name"),
    ] {
        let scene = Scene::default()
            .node(1, "pve1", |row| row.ip_address = Some(address.to_owned()).filter(|text| !text.is_empty()))
            .device(31, name, |row| (row.primary_ip4, row.primary_ip6) = (ip4.map(Into::into), ip6.map(Into::into)));
        assert_eq!(scene.found(), [format!("node:1 {expected}")], "{address} {ip4:?} {ip6:?}");
    }
    // The address alone makes no candidate: addresses move from host to host.
    let scene = Scene::default().node(1, "pve1", |row| row.ip_address = Some("192.0.2.1".into()));
    assert!(scene.device(31, "srv", |row| row.primary_ip4 = Some("192.0.2.1".into())).found().is_empty());
}

#[test]
fn two_devices_of_a_name_are_told_apart() {
    let linked = |change: &dyn Fn(&mut netbox_device::Model, i32)| {
        Scene::default()
            .cluster(1, "prod", |row| row.netbox_cluster_id = Some(5))
            .node(1, "pve1", |row| (row.proxmox_cluster_id, row.ip_address) = (Some(1), Some("192.0.2.1".into())))
            .netbox(5, "prod", |row| site(row, 1))
            .netbox(6, "prod", |row| site(row, 2))
            .device(31, "pve1", |row| change(row, 1))
            .device(32, "pve1", |row| change(row, 2))
    };
    assert_eq!(linked(&|_, _| ()).found(), ["node:1 ? 31 80 name, 32 80 name"]);
    assert_eq!(
        linked(&|row, side| row.site_id = Some(side)).found(),
        ["node:1 = 31 85 name site, 32 60 name other_site"]
    );
    assert_eq!(
        linked(&|row, side| row.cluster_id = Some(4 + side)).found(),
        ["node:1 = 31 95 name netbox_cluster, 32 60 name other_netbox_cluster"]
    );
    // What is where it should be has another address; what has the address is elsewhere: somebody must look.
    let torn = linked(&|row, side| {
        (row.cluster_id, row.site_id) = (Some(4 + side), Some(side));
        row.primary_ip4 = Some(format!("192.0.2.{}", 3 - side));
    });
    let [known, addressed] =
        ["31 85 name netbox_cluster site other_address", "32 65 name primary_address other_netbox_cluster other_site"];
    assert_eq!(torn.found(), [format!("node:1 ? {known}, {addressed}")]);
}

#[test]
fn the_site_of_a_cluster_s_other_nodes_counts() {
    let scene = Scene::default()
        .cluster(1, "prod", same)
        .node(1, "pve1", |row| row.proxmox_cluster_id = Some(1))
        .node(2, "pve2", |row| (row.proxmox_cluster_id, row.netbox_device_id) = (Some(1), Some(33)))
        .device(31, "pve1", |row| row.site_id = Some(1))
        .device(32, "pve1", |row| row.site_id = Some(2))
        .device(33, "pve2", |row| row.site_id = Some(2));
    assert_eq!(scene.found(), ["node:1 = 32 85 name site, 31 60 name other_site"]);
}

#[test]
fn a_device_is_one_node_of_an_endpoint_only() {
    let taken = |endpoint: i32| {
        let scene = Scene::default().node(1, "pve1", same).device(31, "pve1", same);
        scene.node(2, "pve9", |row| (row.endpoint_id, row.netbox_device_id) = (endpoint, Some(31))).found()
    };
    assert!(taken(1).is_empty());
    assert_eq!(taken(2), ["node:1 = 31 80 name"], "the same host through another endpoint");
}

#[test]
fn decisions_are_remembered() {
    use Decision::{Accepted, Rejected};
    const NODE: LinkType = LinkType::ProxmoxNode;
    let scene =
        || Scene::default().node(1, "pve1", same).device(31, "pve1", same).device(32, "srv", same).device(33, "", same);
    for (scene, expected) in [
        (scene(), vec!["node:1 = 31 80 name"]),
        (scene().decided(NODE, 1, 31, Rejected), vec![]),
        // Of another object, or another type of objects.
        (scene().decided(NODE, 2, 31, Rejected), vec!["node:1 = 31 80 name"]),
        (scene().decided(LinkType::ProxmoxCluster, 1, 31, Rejected), vec!["node:1 = 31 80 name"]),
        (scene().decided(NODE, 1, 31, Accepted), vec!["node:1 = 31 100 accepted_before name"]),
        (scene().decided(NODE, 1, 32, Accepted), vec!["node:1 = 32 100 accepted_before, 31 80 name"]),
        (scene().decided(NODE, 1, 33, Accepted), vec!["node:1 = 33 100 accepted_before, 31 80 name"]),
        (
            scene().decided(NODE, 1, 32, Accepted).decided(NODE, 1, 31, Accepted),
            vec!["node:1 ? 31 100 accepted_before name, 32 100 accepted_before"],
        ),
        // What is not there is no candidate, whatever was decided.
        (scene().decided(NODE, 1, 99, Accepted), vec!["node:1 = 31 80 name"]),
    ] {
        assert_eq!(scene.found(), expected, "{:?}", scene.0.decisions);
    }
}

#[test]
fn clusters_come_first_and_each_by_name() {
    let scene = Scene::default()
        .node(2, "b", same)
        .node(3, "a", |row| row.endpoint_id = 2)
        .node(1, "a", same)
        .cluster(9, "z", same)
        .device(1, "a", same)
        .device(2, "b", same)
        .netbox(1, "z", same);
    let order = suggest(&scene.0).into_iter().map(|found| (found.name, found.object)).collect::<Vec<_>>();
    assert_eq!(order, [("z".to_owned(), 9), ("a".to_owned(), 1), ("a".to_owned(), 3), ("b".to_owned(), 2)]);
}

#[test]
fn many_candidates_are_counted_and_the_best_are_told() {
    let mut scene = Scene::default().node(1, "pve1", |row| row.ip_address = Some("192.0.2.1".into()));
    for id in 1..=25 {
        scene = scene.device(id, "pve1", |row| row.primary_ip4 = (id == 20).then(|| "192.0.2.1".into()));
    }
    let found = suggest(&scene.0).remove(0);
    assert_eq!((found.total, found.candidates.len(), found.exact), (25, MOST_CANDIDATES, true));
    let ids = found.candidates.iter().map(|candidate| candidate.target).collect::<Vec<_>>();
    assert_eq!(ids, [20, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(found.candidates[0].reasons, [Reason::Name, Reason::PrimaryAddress]);
}

/// Names lead to candidates: nobody compares all with all, which would take minutes here.
#[test]
fn thousands_meet_thousands() {
    const MANY: i32 = 5_000;
    let mut scene = Scene::default();
    for id in 1..=MANY {
        scene = scene.node(id, &format!("pve{id}"), |row| row.endpoint_id = 1 + id % 50);
        scene = scene.device(id, &format!("PVE{id}.example.com"), same);
        scene = scene.cluster(id, &format!("c{id}"), |row| row.endpoint_id = 1 + id % 50);
        scene = scene.netbox(id, &format!("C{id}"), same);
    }
    let found = suggest(&scene.0);
    assert_eq!(found.len(), 2 * MANY as usize);
    assert!(found.iter().all(|suggestion| suggestion.candidates[0].target == suggestion.object));
    assert_eq!(found.iter().filter(|suggestion| suggestion.exact).count(), MANY as usize, "the clusters");
}
