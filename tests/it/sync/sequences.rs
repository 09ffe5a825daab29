//! One situation after the other, as faults come and go: nothing vanishes, flips or loses its link.
use super::{Scene, classes, clusters, count, everything, node, nodes, storage, storages, verdict, write};
use crate::support::pve::Reply;
use crate::support::{TestDb, both};
use chrono::{TimeDelta, Utc};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Mode, RunState, netbox_device, node as node_row};
use proxbox_graphql::service::batch::Operation;
use proxbox_graphql::service::{Actor, netbox, node as service_node};
use proxbox_graphql::sync;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

/// Links a node to a device of NetBox, and gives it a custom field.
async fn link(scene: &Scene, name: &str) -> i32 {
    let device = netbox::Patch { id: Some(Some(7)), name: Some(Some("a device".into())), ..Default::default() };
    write::<netbox_device::Model>(&scene.app, Operation::Create(device)).await;
    let id = node(&scene.app, name).await.id;
    let patch = service_node::Patch {
        netbox_device: Some(Some(7)),
        custom_fields: Some(Some(json!({"rack": "r1"}))),
        ..Default::default()
    };
    write::<node_row::Model>(&scene.app, Operation::Update { id, if_last_updated: None, patch }).await
}

/// The same rows, whatever was measured.
async fn lasting(app: &App) -> String {
    let nodes = nodes(app).await.into_iter().map(|row| node_row::Model {
        cpu_usage: None,
        memory_usage: None,
        metrics_at: None,
        ..row
    });
    format!("{:?} {:?} {:?}", clusters(app).await, nodes.collect::<Vec<_>>(), storages(app).await)
}

async fn a_node_that_lost_corosync_changes_nothing(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    link(&scene, "pve2").await;
    let before = lasting(&scene.app).await;
    scene.pve.serve("pve8-cluster-corosync-unreachable");
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Partial, "{run:#?}");
    assert_eq!((verdict(&run, "cluster"), verdict(&run, "nodes")), ("partial", "partial"));
    assert!(classes(&run).contains(&"degraded"), "{run:#?}");
    assert_eq!(lasting(&scene.app).await, before, "no deletion, no flip, no lost link");
    scene.pve.serve("pve8-cluster");
    let run = scene.sync().await;
    assert_eq!((run.state, count(&run, "created"), count(&run, "missing")), (RunState::Succeeded, 0, 0));
    assert_eq!(lasting(&scene.app).await, before);
    assert_eq!(node(&scene.app, "pve2").await.netbox_device_id, Some(7));
    assert_eq!(clusters(&scene.app).await[0].mode, Mode::Cluster);
}

async fn hidden_storages_are_kept(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let before = lasting(&scene.app).await;
    for variant in ["pve8-cluster-limited", "pve8-cluster-noprivs-token"] {
        scene.pve.serve(variant);
        let run = scene.sync().await;
        assert_eq!(run.state, RunState::Partial, "{variant}: {run:#?}");
        assert_eq!((verdict(&run, "cluster"), verdict(&run, "storages")), ("failed", "partial"), "{variant}: {run:#?}");
        let error = run.errors.0.as_array().unwrap().iter().find(|error| error["class"] == "permission").unwrap();
        assert_eq!((&error["path"], &error["privilege"]), (&json!("/"), &json!("Sys.Audit")));
        assert_eq!(lasting(&scene.app).await, before, "{variant}");
        assert_eq!(node(&scene.app, "pve1").await.cpu_usage, Some(12.53), "{variant}: what may not be read is kept");
    }
}

async fn a_first_look_without_privileges_makes_nothing_up(db: TestDb) {
    for variant in ["pve8-cluster-noprivs-token", "pve8-cluster-corosync-unreachable"] {
        let scene = Scene::new(&db, variant).await;
        let run = scene.sync().await;
        assert_eq!(run.state, RunState::Partial, "{run:#?}");
        assert!(clusters(&scene.app).await.is_empty() && nodes(&scene.app).await.is_empty(), "{variant}");
        let id = scene.endpoint;
        super::write_endpoint(&scene.app, Operation::Delete { id, if_last_updated: None }).await;
    }
}

async fn a_minority_is_believed_about_itself_only(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    scene.pve.serve("pve8-cluster-noquorum-minority");
    let run = scene.sync().await;
    assert_eq!((verdict(&run, "cluster"), verdict(&run, "nodes")), ("complete", "partial"), "{run:#?}");
    assert!(node(&scene.app, "pve2").await.online, "whether others are up is not for a minority to say");
    assert!(!clusters(&scene.app).await[0].quorate, "but that there is no quorum is");
    scene.pve.serve("pve8-cluster-all-online");
    scene.sync().await;
    assert!(clusters(&scene.app).await[0].quorate && node(&scene.app, "pve3").await.online);
}

async fn the_same_in_another_order_is_the_same(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let before = everything(&scene.app).await;
    let second = std::fs::read(crate::support::pve::fixtures().join("pve8-cluster/storage.second-read.json")).unwrap();
    let second = serde_json::from_slice::<serde_json::Value>(&second).unwrap();
    assert_ne!(second["data"], scene.pve.data("/storage"));
    scene.pve.reply("/storage", Reply::Data(second["data"].clone()));
    let run = scene.sync().await;
    assert_eq!((run.state, run.revision), (RunState::Succeeded, None));
    assert_eq!(everything(&scene.app).await, before);
}

async fn a_node_that_goes_down_keeps_what_is_known_of_it(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster-all-online").await;
    scene.sync().await;
    let up = node(&scene.app, "pve3").await;
    assert!(up.online && up.cpu_usage.is_some() && up.max_cpu.is_some());
    for variant in ["pve8-cluster-node3-just-offline", "pve8-cluster", "pve8-cluster-offline-no-ip"] {
        scene.pve.serve(variant);
        scene.pve.reset_hits();
        let run = scene.sync().await;
        assert_eq!(run.state, RunState::Succeeded, "{variant}: {run:#?}");
        let down = node(&scene.app, "pve3").await;
        assert_eq!((down.online, down.cpu_usage, down.memory_usage), (false, None, None), "{variant}");
        assert_eq!((down.max_cpu, down.max_memory), (up.max_cpu, up.max_memory), "{variant}");
        assert_eq!((&down.ip_address, &down.support_level), (&up.ip_address, &up.support_level), "{variant}");
        assert_eq!(down.missing_since, None);
        // One name that does not resolve fails this call as a whole; it is tried a few times.
        assert_eq!(scene.pve.hits("/cluster/config/join") > 0, variant == "pve8-cluster-offline-no-ip", "{variant}");
        assert_eq!(classes(&run), [""; 0]);
    }
}

/// Moves the times of everything that is missing, and of the runs, to the past.
async fn age(app: &App, by: TimeDelta) {
    for (table, column) in [
        ("proxmox_cluster", "missing_since"),
        ("proxmox_node", "missing_since"),
        ("proxmox_storage", "missing_since"),
        ("sync_run", "started_at"),
    ] {
        let backend = app.db.backend();
        let rows = app.db.read.query_all_raw(Statement::from_string(
            backend,
            format!("SELECT id, {column} AS at FROM {table} WHERE {column} IS NOT NULL"),
        ));
        for row in rows.await.unwrap() {
            let (id, at) =
                (row.try_get::<i32>("", "id").unwrap(), row.try_get::<chrono::DateTime<Utc>>("", "at").unwrap());
            let (one, two) = if backend == sea_orm::DbBackend::Postgres { ("$1", "$2") } else { ("?", "?") };
            let sql = format!("UPDATE {table} SET {column} = {one} WHERE id = {two}");
            let statement = Statement::from_sql_and_values(backend, sql, [(at - by).into(), id.into()]);
            app.db.write.execute_raw(statement).await.unwrap();
        }
    }
}

/// Leaves a node and two storages out of everything that is told.
fn shrink(scene: &Scene) {
    let without = |path: &str, key: &str, gone: &[&str]| {
        let mut data = scene.pve.data(path);
        data.as_array_mut().unwrap().retain(|item| !gone.contains(&item[key].as_str().unwrap_or_default()));
        for item in data.as_array_mut().unwrap() {
            if item["type"] == "cluster" {
                item["nodes"] = json!(2);
            }
        }
        scene.pve.reply(path, Reply::Data(data));
    };
    without("/cluster/status", "name", &["pve3"]);
    without("/nodes", "node", &["pve3"]);
    without("/storage", "storage", &["usb-dir", "cephfs"]);
}

async fn what_complete_answers_lack_is_marked_then_stale_and_never_deleted(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster-all-online").await;
    scene.sync().await;
    let id = link(&scene, "pve3").await;
    shrink(&scene);
    let run = scene.sync().await;
    assert_eq!((run.state, count(&run, "missing")), (RunState::Succeeded, 3), "{run:#?}");
    let missing = node(&scene.app, "pve3").await;
    assert_eq!((missing.id, missing.online, missing.stale, missing.netbox_device_id), (id, false, false, Some(7)));
    assert_eq!(missing.missing_since, Some(run.started_at));
    assert!(storage(&scene.app, "usb-dir").await.missing_since.is_some());
    let before = everything(&scene.app).await;
    scene.sync().await;
    assert_eq!(everything(&scene.app).await, before, "still missing is no news");
    age(&scene.app, TimeDelta::hours(23)).await;
    let run = scene.sync().await;
    assert_eq!(count(&run, "stale"), 0, "not long enough");
    age(&scene.app, TimeDelta::hours(2)).await;
    let run = scene.sync().await;
    assert_eq!(count(&run, "stale"), 3, "{run:#?}");
    let stale = node(&scene.app, "pve3").await;
    assert_eq!((stale.id, stale.stale, stale.netbox_device_id), (id, true, Some(7)));
    age(&scene.app, TimeDelta::days(400)).await;
    let run = scene.sync().await;
    assert_eq!(count(&run, "deleted"), 0);
    scene.pve.heal();
    let run = scene.sync().await;
    assert_eq!(count(&run, "returned"), 3, "{run:#?}");
    let there = node(&scene.app, "pve3").await;
    assert_eq!((there.id, there.stale, there.missing_since, there.online), (id, false, None, true));
    assert_eq!(there.custom_fields.0, json!({"rack": "r1"}));
}

async fn three_runs_alone_make_nothing_stale(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    shrink(&scene);
    scene.sync().await;
    age(&scene.app, TimeDelta::days(3)).await;
    // Long enough, but only two complete answers lacked it: partial ones in between do not count.
    scene.pve.serve("pve8-cluster-limited");
    scene.pve.heal();
    scene.sync().await;
    scene.pve.serve("pve8-cluster");
    shrink(&scene);
    let run = scene.sync().await;
    assert_eq!(count(&run, "stale"), 0, "{run:#?}");
    let run = scene.sync().await;
    assert_eq!(count(&run, "stale"), 2, "the storages; the node was seen in between: {run:#?}");
}

async fn deletion_is_for_those_who_ask_and_has_a_breaker(db: TestDb) {
    let mut settings = super::settings();
    settings.sync.delete_after = Some(TimeDelta::days(30));
    let app = db.open_with(settings).await;
    let pve = crate::support::pve::Pve::start("pve8-cluster").await;
    let endpoint = super::add(&app, "one", &pve).await;
    let scene = Scene { app, pve, endpoint };
    scene.sync().await;
    let mut only_local = scene.pve.data("/storage");
    only_local.as_array_mut().unwrap().retain(|item| item["storage"] == "local");
    scene.pve.reply("/storage", Reply::Data(only_local));
    for _ in 0..3 {
        scene.sync().await;
    }
    age(&scene.app, TimeDelta::days(40)).await;
    let run = scene.sync().await;
    assert_eq!(count(&run, "stale"), 13, "{run:#?}");
    let run = scene.sync().await;
    assert_eq!(count(&run, "deleted"), 0, "13 of 18 at once are too many");
    assert!(super::notes(&run, "13 of 18 rows"), "{run:#?}");
    assert_eq!(storages(&scene.app).await.len(), 14);
    // A few of them may go.
    let mut most = scene.pve.data("/storage");
    most.as_array_mut().unwrap().retain(|item| !["usb-dir", "cephfs"].contains(&item["storage"].as_str().unwrap()));
    scene.pve.reply("/storage", Reply::Data(most));
    let run = scene.sync().await;
    assert_eq!((count(&run, "returned"), count(&run, "deleted")), (11, 2), "{run:#?}");
    assert_eq!(storages(&scene.app).await.len(), 12);
    // And all that the operator allows.
    let mut only_local = scene.pve.data("/storage");
    only_local.as_array_mut().unwrap().retain(|item| item["storage"] == "local");
    scene.pve.reply("/storage", Reply::Data(only_local));
    for _ in 0..3 {
        scene.sync().await;
    }
    age(&scene.app, TimeDelta::days(40)).await;
    scene.sync().await;
    let ids = [scene.endpoint];
    let run = sync::finish(&scene.app, &Actor::operator(), &ids, false, true).await.unwrap().remove(0);
    assert_eq!(count(&run, "deleted"), 11, "{run:#?}");
    assert_eq!(storages(&scene.app).await.len(), 1);
}

async fn renamed_objects_keep_their_rows_and_links(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let id = link(&scene, "pve2").await;
    for (path, key) in [("/cluster/status", "name"), ("/nodes", "node")] {
        let mut data = scene.pve.data(path);
        for item in data.as_array_mut().unwrap() {
            if item[key] == "pve2" {
                item[key] = json!("hv2");
            }
            if item["type"] == "cluster" {
                item["name"] = json!("production");
            }
        }
        scene.pve.reply(path, Reply::Data(data));
    }
    let run = scene.sync().await;
    assert_eq!((count(&run, "renamed"), count(&run, "created"), count(&run, "missing")), (3, 0, 0), "{run:#?}");
    let renamed = node(&scene.app, "hv2").await;
    assert_eq!((renamed.id, renamed.netbox_device_id, renamed.node_id), (id, Some(7), Some(2)));
    assert_eq!(clusters(&scene.app).await[0].name, "production");
    assert_eq!(super::references(&scene.app).await[0].name, "production", "and its local reference");
}

async fn a_number_given_again_is_no_rename(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    shrink(&scene);
    scene.sync().await;
    let gone = node(&scene.app, "pve3").await.id;
    scene.pve.heal();
    for (path, key) in [("/cluster/status", "name"), ("/nodes", "node")] {
        let mut data = scene.pve.data(path);
        for item in data.as_array_mut().unwrap().iter_mut().filter(|item| item[key] == "pve3") {
            item[key] = json!("pve4");
        }
        scene.pve.reply(path, Reply::Data(data));
    }
    scene.sync().await;
    assert_ne!(node(&scene.app, "pve4").await.id, gone);
    assert!(node(&scene.app, "pve3").await.missing_since.is_some());
}

async fn figures_change_rows_without_a_record_each(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let first = scene.sync().await;
    let before = node(&scene.app, "pve1").await;
    let mut data = scene.pve.data("/nodes");
    for item in data.as_array_mut().unwrap() {
        if item["status"] == "online" {
            item["cpu"] = json!(0.5);
        }
    }
    scene.pve.reply("/nodes", Reply::Data(data));
    let run = scene.sync().await;
    assert_eq!(count(&run, "measured"), 2, "{run:#?}");
    let after = node(&scene.app, "pve1").await;
    assert_eq!((after.cpu_usage, after.last_updated), (Some(50.0), before.last_updated));
    assert!(after.metrics_at > before.metrics_at);
    let changes = crate::service::changes_after(&scene.app, first.revision.unwrap()).await;
    let actions = changes.iter().map(|change| change.action).collect::<Vec<_>>();
    assert_eq!(actions, [proxbox_graphql::entity::Action::Metrics], "one for all of them");
}

both!(
    a_node_that_lost_corosync_changes_nothing,
    hidden_storages_are_kept,
    a_first_look_without_privileges_makes_nothing_up,
    a_minority_is_believed_about_itself_only,
    the_same_in_another_order_is_the_same,
    a_node_that_goes_down_keeps_what_is_known_of_it,
    what_complete_answers_lack_is_marked_then_stale_and_never_deleted,
    three_runs_alone_make_nothing_stale,
    deletion_is_for_those_who_ask_and_has_a_breaker,
    renamed_objects_keep_their_rows_and_links,
    a_number_given_again_is_no_rename,
    figures_change_rows_without_a_record_each,
);
