//! What is read of every recorded situation.
use super::client;
use crate::support::pve::{Pve, Reply, data_of, fixtures};
use proxbox_graphql::client::proxmox::{StorageItem, ca_uuid};
use std::collections::BTreeSet;

#[tokio::test]
async fn every_situation_is_read() {
    let mut read = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let entry = entry.unwrap();
        if !entry.path().join("manifest.json").exists() {
            continue;
        }
        let variant = entry.file_name().into_string().unwrap();
        let pve = Pve::start(&variant).await;
        let client = client(&pve);
        let version = client.version().await.unwrap();
        assert!(version.release.is_some_and(|(major, _)| (7..=9).contains(&major)), "{variant}: {version:?}");
        let nodes = client.nodes().await.unwrap();
        assert!(!nodes.items.is_empty() && nodes.skipped.is_empty(), "{variant}: {nodes:?}");
        let storages = client.storages().await.unwrap();
        assert!(storages.skipped.is_empty(), "{variant}: {storages:?}");
        client.permissions().await.unwrap();
        match client.status().await {
            Ok(status) => assert!(!status.nodes.is_empty() && status.skipped.is_empty(), "{variant}: {status:?}"),
            Err(failure) => assert_eq!(failure.class.code(), "permission", "{variant}"),
        }
        read += 1;
    }
    assert_eq!(read, 11);
}

#[tokio::test]
async fn a_cluster() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    let version = client.version().await.unwrap();
    assert_eq!((version.version.as_str(), version.release), ("8.4.14", Some((8, 4))));
    assert_eq!(version.repoid.as_deref(), Some("b502d23c55afcba1"));

    let status = client.status().await.unwrap();
    let cluster = status.cluster.unwrap();
    assert_eq!(
        (cluster.name.as_str(), cluster.nodes, cluster.quorate, cluster.version),
        ("prod", Some(3), Some(true), Some(5))
    );
    let pve3 = status.nodes.iter().find(|node| node.name == "pve3").unwrap();
    assert_eq!((pve3.nodeid, pve3.ip.as_deref()), (Some(3), Some("10.0.0.13")));
    assert_eq!((pve3.online, pve3.local, pve3.level.as_deref()), (Some(false), Some(false), Some("")));

    let nodes = client.nodes().await.unwrap().items;
    let pve1 = nodes.iter().find(|node| node.node == "pve1").unwrap();
    assert_eq!((pve1.cpu, pve1.maxcpu), (Some(0.125_312_847_192_931), Some(32)));
    assert_eq!((pve1.mem, pve1.maxmem, pve1.uptime), (Some(17_179_869_184), Some(68_719_476_736), Some(8_381_920)));
    assert!(pve1.ssl_fingerprint.as_deref().unwrap().starts_with("3A:10:4B"));
    let pve3 = nodes.iter().find(|node| node.node == "pve3").unwrap();
    assert_eq!((pve3.status.as_str(), pve3.cpu, pve3.maxmem), ("offline", None, None));

    let storages = client.storages().await.unwrap().items;
    assert_eq!(storages.len(), 14);
    let usb = storages.iter().find(|storage| storage.storage == "usb-dir").unwrap();
    assert_eq!((usb.kind.as_deref(), usb.flag("disable"), usb.flag("shared")), (Some("dir"), Some(true), Some(true)));
    assert_eq!((usb.text("is_mountpoint").as_deref(), usb.text("content-dirs")), (Some("yes"), None));
    assert_eq!(usb.raw.keys().next().map(String::as_str), Some("is_mountpoint"), "the order of the answer");
    assert!(usb.raw.contains_key("digest"));
    let pbs = storages.iter().find(|storage| storage.kind.as_deref() == Some("pbs")).unwrap();
    assert_eq!(pbs.int("port"), Some(8007));

    let join = client.join().await.unwrap().unwrap();
    assert_eq!((join.cluster_name.as_deref(), join.preferred_node.as_deref()), (Some("prod"), Some("pve1")));
    assert_eq!((join.nodes.len(), join.nodes[1].nodeid), (3, Some(2)));
    assert_eq!(join.nodes[1].pve_addr.as_deref(), Some("10.0.0.12"));

    let certificates = client.certificates("pve1").await.unwrap();
    assert_eq!(ca_uuid(&certificates).as_deref(), Some("0f2b5c1e-7d43-4f0a-9b52-3d1f6a7c9e10"));
    let calls = client.calls();
    assert_eq!(calls.len(), 6);
    assert!(calls.iter().all(|call| call.status == Some(200) && call.attempts == 1 && call.failure.is_none()));
    assert_eq!(calls[5].path, "/nodes/pve1/certificates/info");
}

#[tokio::test]
async fn a_host_without_a_cluster() {
    let pve = Pve::start("pve9-standalone").await;
    let client = client(&pve);
    let status = client.status().await.unwrap();
    assert_eq!((status.cluster, status.nodes.len(), status.nodes[0].nodeid), (None, 1, Some(0)));
    assert_eq!(client.join().await, Ok(None));
    assert_eq!(client.calls()[1].status, Some(424));
    let certificates = client.certificates("pve9").await.unwrap();
    assert!(ca_uuid(&certificates).is_some(), "{certificates:?}");
}

#[tokio::test]
async fn what_the_credentials_may() {
    let pve = Pve::start("pve8-cluster").await;
    let may = client(&pve).permissions().await.unwrap();
    assert!(may.propagates("/", "Sys.Audit") && may.propagates("/storage", "Datastore.Audit"));
    assert!(may.allows("/storage/anything", "Datastore.Audit") && !may.allows("/", "Sys.Modify"));
    pve.serve("pve8-cluster-limited");
    let may = client(&pve).permissions().await.unwrap();
    assert!(!may.allows("/", "Sys.Audit") && may.allows("/nodes/pve1", "Sys.Audit"));
    assert!(!may.allows("/storage", "Datastore.Audit") && may.propagates("/storage/local", "Datastore.Audit"));
    pve.serve("pve8-cluster-noprivs-token");
    let client = client(&pve);
    let may = client.permissions().await.unwrap();
    assert!(!may.allows("/", "Sys.Audit") && !may.allows("/storage/local", "Datastore.Audit"));
    assert!(client.storages().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn names_of_nodes_stay_within_their_place() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    client.certificates("../../access/users?x=#").await.unwrap_err();
    assert_eq!(pve.asked()[0].path, "/nodes/%2E%2E%2F%2E%2E%2Faccess%2Fusers%3Fx%3D%23/certificates/info");
}

#[tokio::test]
async fn addresses_have_one_form() {
    let pve = Pve::start("pve8-cluster").await;
    let mut data = pve.data("/cluster/status");
    let spellings = ["[2001:DB8::0:1]", "::ffff:10.0.0.5", "not an address"];
    let nodes = data.as_array_mut().unwrap().iter_mut().filter(|item| item["type"] == "node");
    nodes.zip(spellings).for_each(|(node, ip)| node["ip"] = ip.into());
    pve.reply("/cluster/status", Reply::Data(data));
    let nodes = client(&pve).status().await.unwrap().nodes;
    let found = nodes.iter().map(|node| node.ip.as_deref()).collect::<Vec<_>>();
    assert_eq!(found, [Some("2001:db8::1"), Some("10.0.0.5"), None]);
}

#[tokio::test]
async fn the_order_of_a_list_means_nothing() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    let first = client.storages().await.unwrap().items;
    pve.reply("/storage", Reply::Data(data_of("pve8-cluster", "storage.second-read.json")));
    let second = client.storages().await.unwrap().items;
    let names = |items: &[StorageItem]| items.iter().map(|item| item.storage.clone()).collect::<Vec<_>>();
    assert_ne!(names(&first), names(&second));
    assert_eq!(names(&first).into_iter().collect::<BTreeSet<_>>(), names(&second).into_iter().collect());
}
