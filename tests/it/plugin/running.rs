//! Moving over into a database that is in use: rows that sync made, writers beside the import, a kill.
use super::lists::{cluster, endpoint, node, storage};
use super::{Stand, import, log, other, there};
use crate::cli::Program;
use crate::support::pve::Pve;
use crate::support::{ADMIN, TestDb, both, fill};
use crate::sync::{Scene, nodes, settings, storages, sync_one};
use proxbox_graphql::entity::{Kind, RunState};
use proxbox_graphql::service::source::FIRST_LOCAL;
use serde_json::json;
use std::time::Duration;

/// The plugin's view of the cluster that sync saw, with what operators made there.
fn linked(scene: &Scene, host: &str, port: i32) -> proxbox_graphql::plugin::There {
    let id = i64::from(scene.endpoint) + 70;
    let mut one = endpoint(id, "one");
    (one["ip_address"], one["domain"], one["port"]) = (json!(host), json!(null), json!(port));
    let mut first = node(71, id, Some(71), "pve1");
    first["netbox_device"] = json!({"id": 42, "name": "pve1.example.com", "display": "pve1.example.com"});
    first["custom_fields"] = json!({"rack": "A1"});
    let mut prod = cluster(71, id, "prod", Some(5));
    prod["cluster_id"] = json!("prod");
    there(&[
        (Kind::Endpoint, one),
        (Kind::Cluster, prod),
        (Kind::Node, first),
        (Kind::Storage, storage(71, 5, "local")),
        (Kind::Storage, storage(72, 5, "only-there")),
    ])
}

async fn synced_rows_keep_their_values_and_get_their_links(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    assert_eq!(scene.sync().await.state, RunState::Succeeded);
    let before = scene.endpoint_row().await;
    let read = linked(&scene, before.host().unwrap(), before.port);
    let done = import(&scene.app, &read, false).await;
    assert!(done.is_whole(), "{done:#?}");
    assert_eq!((done.of(Kind::Node).changed, done.of(Kind::Node).new), (1, 0));
    assert_eq!(scene.endpoint_row().await.token_value, before.token_value, "the secret stays");
    let rows = nodes(&scene.app).await;
    let pve1 = rows.iter().find(|row| row.name == "pve1").unwrap();
    assert_eq!((pve1.netbox_device_id, pve1.cpu_usage), (Some(42), Some(12.53)));
    assert_eq!(pve1.custom_fields.0, json!({"rack": "A1"}));
    // The storages follow the new link, and one of them is the plugin's.
    let rows = storages(&scene.app).await;
    assert_eq!((rows.len(), done.moved.len()), (15, 14));
    assert!(rows.iter().all(|row| row.cluster_id == 5 && row.source_id.is_some()), "{rows:#?}");
    assert!(rows.iter().all(|row| row.name != "local" || row.path.as_deref() != Some("/x")), "sync knows it later");
    // The next run of sync agrees: nothing moves back, and what only the plugin has goes missing.
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Succeeded);
    let rows = storages(&scene.app).await;
    assert!(rows.iter().all(|row| row.cluster_id == 5 && row.cluster_id < FIRST_LOCAL));
    let missing = rows.iter().filter(|row| row.missing_since.is_some()).map(|row| row.name.as_str());
    assert_eq!(missing.collect::<Vec<_>>(), ["only-there"]);
    let before = log(&scene.app).await;
    assert_eq!(import(&scene.app, &read, false).await.revision, None);
    assert_eq!(log(&scene.app).await, before);
}

/// An imported endpoint has no secret: it is not even connected to, and the schedule leaves it alone until it has one.
async fn an_endpoint_without_a_secret_is_left_alone(db: TestDb) {
    let here = db.open_with(settings()).await;
    let pve = Pve::start("pve8-cluster").await;
    let mut one = endpoint(1, "one");
    (one["ip_address"], one["port"]) = (json!("127.0.0.1"), json!(pve.port()));
    import(&here, &there(&[(Kind::Endpoint, one)]), false).await;
    let run = sync_one(&here, 1).await;
    assert_eq!((run.state, run.failures()[0].class.value()), (RunState::Failed, "auth"));
    assert_eq!((pve.total_hits(), pve.connections()), (0, 0));
    let state = proxbox_graphql::service::sync_run::states(&here.db).await.unwrap().remove(0);
    assert!(state.suspended);
}

/// A running server makes rows all the while; no id is given twice, and none of them is lost.
async fn writers_beside_the_import_lose_nothing(db: TestDb) {
    let here = db.open().await;
    crate::support::token(&here, ADMIN).await;
    let mut rows = vec![(Kind::Endpoint, endpoint(1, "one"))];
    rows.extend((1..=1_500).map(|id| (Kind::Storage, storage(id + 3, 5, &format!("s{id}")))));
    let read = there(&rows);
    let server = super::server(&here);
    let writer = tokio::spawn(async move {
        for n in 0..60 {
            let body = json!({"name": format!("w{n}"), "domain": format!("w{n}.example.com"), "mode": "cluster"});
            let call = crate::rest::Call::new("POST", crate::rest::ENDPOINTS).json(&body);
            let answer = call.send(&server).await;
            assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.bytes));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    // With new ids, since a writer may have been faster with the first one.
    let done = proxbox_graphql::plugin::run(&here, &read, true, false).await.unwrap();
    writer.await.unwrap();
    assert!(done.is_whole(), "{:?}", done.left_out);
    assert_eq!(storages(&here).await.len(), 1_500);
    let count = proxbox_graphql::service::endpoint::list(&here.db).await.unwrap().len();
    assert_eq!(count, 61);
}

/// The process is killed while it writes: all of it is there, or nothing.
async fn a_killed_import_leaves_nothing_or_all(db: TestDb) {
    let there = other(&db).await;
    let rows = (1..=4_000).map(|id| json!({"id": id, "cluster": 5, "name": format!("s{id}")}));
    let file = json!({
        "netbox_clusters": [{"id": 5, "name": "nc", "display": "nc"}],
        "proxmox_storages": rows.collect::<Vec<_>>(),
        "tokens": [{"name": "all", "value": ADMIN, "permissions": [{"models": ["*"], "actions": ["view"]}]}],
    });
    fill(&there, &file.to_string()).await;
    let stand = Stand::of(&there).await;
    let mut program = Program::new(&db);
    program.set("PROXBOX_NETBOX_URL", &stand.url()).set("PROXBOX_NETBOX_TOKEN", ADMIN);
    program.ok(&["migrate"]);
    let mut killed = 0;
    for wait in [400, 800, 1_600, 2_400] {
        let mut child = program.command(&["import", "netbox"]).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let count = dumped(&program);
        assert!([0, 4_000].contains(&count), "{count} rows after {wait} ms");
    }
    assert!(killed > 0);
    program.ok(&["import", "netbox"]);
    assert_eq!(dumped(&program), 4_000);
}

fn dumped(program: &Program) -> usize {
    let file: serde_json::Value = serde_json::from_str(&program.ok(&["dump"])).unwrap();
    file["proxmox_storages"].as_array().unwrap().len()
}

both!(
    synced_rows_keep_their_values_and_get_their_links,
    an_endpoint_without_a_secret_is_left_alone,
    writers_beside_the_import_lose_nothing,
    a_killed_import_leaves_nothing_or_all,
);
