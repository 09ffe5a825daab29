//! The rows that a first run makes, as the facts about the API promise them.
use super::{Scene, clusters, count, everything, node, nodes, references, storage, storages, verdict};
use crate::support::{TestDb, both};
use proxbox_graphql::entity::{Mode, Origin, RunState};
use proxbox_graphql::service::source::FIRST_LOCAL;
use serde_json::json;

async fn a_cluster_becomes_rows(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    for kind in ["cluster", "nodes", "storages"] {
        assert_eq!(verdict(&run, kind), "complete", "{run:#?}");
    }
    let endpoint = scene.endpoint_row().await;
    assert_eq!(endpoint.mode, Mode::Cluster);
    assert!(endpoint.version.unwrap().starts_with("8."));
    let [cluster] = &clusters(&scene.app).await[..] else { panic!("one cluster") };
    assert_eq!(cluster.name, "prod");
    assert_eq!(cluster.cluster_id, "0f2b5c1e-7d43-4f0a-9b52-3d1f6a7c9e10");
    assert_eq!(
        (cluster.mode, cluster.nodes_count, cluster.quorate, cluster.version),
        (Mode::Cluster, 3, true, Some(5))
    );
    assert_eq!((cluster.endpoint_id, cluster.netbox_cluster_id), (scene.endpoint, None));
    let one = node(&scene.app, "pve1").await;
    assert_eq!((one.node_id, one.ip_address.as_deref()), (Some(1), Some("10.0.0.11")));
    assert_eq!((one.online, one.local, one.proxmox_cluster_id), (true, true, Some(cluster.id)));
    assert_eq!((one.cpu_usage, one.max_cpu), (Some(12.53), Some(32)));
    assert_eq!((one.memory_usage, one.max_memory), (Some(17_179_869_184), Some(68_719_476_736)));
    assert_eq!(one.support_level, "c");
    assert!(one.ssl_fingerprint.starts_with("3A:10:4B:7C") && one.metrics_at.is_some());
    let three = node(&scene.app, "pve3").await;
    assert_eq!((three.online, three.cpu_usage, three.memory_usage), (false, None, None));
    assert_eq!((three.node_id, three.ip_address.as_deref()), (Some(3), Some("10.0.0.13")));
    assert_eq!(nodes(&scene.app).await.len(), 3);
    // Without a link to NetBox the storages lie at a local reference, from the first sync on.
    let [local] = &references(&scene.app).await[..] else { panic!("one reference") };
    assert_eq!((local.id, local.name.as_str(), local.origin), (FIRST_LOCAL, "prod", Origin::Local));
    let rows = storages(&scene.app).await;
    assert_eq!(rows.len(), 14);
    assert!(rows.iter().all(|row| row.cluster_id == local.id && row.source_id == Some(cluster.id)));
    assert_eq!(count(&run, "created"), 2 + 3 + 14, "the local reference too");
    assert_eq!(scene.pve.total_hits(), 6, "five, and the identity");
}

async fn storages_have_their_values(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let usb = storage(&scene.app, "usb-dir").await;
    assert_eq!((usb.shared, usb.enabled, usb.is_mountpoint.as_deref()), (true, false, Some("yes")));
    assert_eq!((usb.preallocation.as_deref(), usb.format.as_deref()), (Some("off"), Some("qcow2")));
    assert_eq!(usb.raw_config.0["content-dirs"], json!({"backup": "dumps", "iso": "isos"}));
    assert_eq!(usb.raw_config.0.get("digest"), None);
    let cifs = storage(&scene.app, "cifs-bk").await;
    assert_eq!((cifs.server.as_deref(), cifs.share.as_deref()), (Some("nas.example.com"), Some("backup")));
    assert_eq!(
        (cifs.max_protected_backups, cifs.prune_backups.as_deref()),
        (Some(5), Some("keep-last=3,keep-weekly=4"))
    );
    assert_eq!((cifs.username.as_deref(), cifs.subdir.as_deref()), (Some("svc-backup"), Some("/pve")));
    let ceph = storage(&scene.app, "ceph-vm").await;
    assert_eq!((ceph.storage_type.as_deref(), ceph.content.as_deref()), (Some("rbd"), Some("images,rootdir")));
    assert_eq!((ceph.pool.as_deref(), ceph.namespace.as_deref()), (Some("vmpool"), Some("ns1")));
    let zfs = storage(&scene.app, "zfs-tank").await;
    assert_eq!((zfs.nodes.as_deref(), zfs.mountpoint.as_deref()), (Some("pve3"), Some("/tank/vm")));
    assert_eq!(zfs.pool.as_deref(), Some("tank/vm"));
    let local = storage(&scene.app, "local").await;
    assert_eq!((local.shared, local.path.as_deref(), local.nodes), (false, Some("/var/lib/vz"), None));
}

async fn a_standalone_host_becomes_rows(db: TestDb) {
    let scene = Scene::new(&db, "pve9-standalone").await;
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    let [cluster] = &clusters(&scene.app).await[..] else { panic!("one cluster") };
    assert_eq!((cluster.name.as_str(), cluster.mode, cluster.nodes_count), ("pve9", Mode::Standalone, 1));
    assert_eq!((cluster.quorate, cluster.version), (true, None));
    let [node] = &nodes(&scene.app).await[..] else { panic!("one node") };
    assert_eq!((node.node_id, node.proxmox_cluster_id, node.online, node.local), (None, None, true, true));
    assert_eq!(node.ip_address.as_deref(), Some("192.168.1.20"));
    assert_eq!((node.cpu_usage, node.max_cpu, node.support_level.as_str()), (Some(0.87), Some(8), ""));
    let rows = storages(&scene.app).await;
    assert!(!rows.is_empty() && rows.iter().all(|row| row.source_id == Some(cluster.id)));
    assert_eq!(scene.pve.hits("/cluster/config/join"), 1);
}

async fn the_second_run_asks_little_and_writes_nothing(db: TestDb) {
    for (variant, gets) in [("pve8-cluster", 5), ("pve9-standalone", 6)] {
        let scene = if variant == "pve8-cluster" {
            Scene::new(&db, variant).await
        } else {
            let app = db.open_with(super::settings()).await;
            let pve = crate::support::pve::Pve::start(variant).await;
            let endpoint = super::add(&app, "two", &pve).await;
            Scene { app, pve, endpoint }
        };
        scene.sync().await;
        let before = everything(&scene.app).await;
        scene.pve.reset_hits();
        let run = scene.sync().await;
        assert_eq!(scene.pve.total_hits(), gets, "{variant}: {:?}", scene.pve.asked());
        assert_eq!((run.state, run.revision), (RunState::Succeeded, None), "{run:#?}");
        assert_eq!(everything(&scene.app).await, before);
        assert_eq!(
            count(&run, "unchanged"),
            if variant == "pve8-cluster" { 1 + 3 + 14 } else { 2 + storages_of(&scene).await }
        );
    }
}

async fn storages_of(scene: &Scene) -> i64 {
    let own = clusters(&scene.app).await.into_iter().find(|row| row.endpoint_id == scene.endpoint).unwrap();
    storages(&scene.app).await.iter().filter(|row| row.source_id == Some(own.id)).count() as i64
}

both!(
    a_cluster_becomes_rows,
    storages_have_their_values,
    a_standalone_host_becomes_rows,
    the_second_run_asks_little_and_writes_nothing,
);
