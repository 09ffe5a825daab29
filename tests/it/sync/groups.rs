//! Several endpoints of one cluster: one of them speaks for it, and another one takes over within the run.
use super::{Scene, add, clusters, node, nodes, notes, storages, sync_one};
use crate::support::pve::{Pve, Reply};
use crate::support::{TestDb, both};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{RunState, sync_run};
use proxbox_graphql::service::batch::Operation;
use proxbox_graphql::service::{Actor, sync_run as runs};
use proxbox_graphql::sync;
use serde_json::json;

/// A second endpoint of the same cluster, known as such.
async fn pair(db: &TestDb) -> (Scene, Pve, i32) {
    let scene = Scene::new(db, "pve8-cluster").await;
    scene.sync().await;
    let second = Pve::start("pve8-cluster").await;
    let id = add(&scene.app, "two", &second).await;
    let run = sync_one(&scene.app, id).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    (scene, second, id)
}

async fn both_of(app: &App, ids: [i32; 2]) -> [sync_run::Model; 2] {
    sync::finish(app, &Actor::operator(), &ids, false, false).await.unwrap().try_into().unwrap()
}

async fn a_cluster_has_one_set_of_rows(db: TestDb) {
    let (scene, second, id) = pair(&db).await;
    assert_eq!((clusters(&scene.app).await.len(), nodes(&scene.app).await.len()), (1, 3));
    assert_eq!(storages(&scene.app).await.len(), 14);
    scene.pve.reset_hits();
    second.reset_hits();
    let [one, two] = both_of(&scene.app, [scene.endpoint, id]).await;
    assert_eq!((one.state, two.state), (RunState::Succeeded, RunState::Standby));
    assert_eq!((scene.pve.total_hits(), second.total_hits(), second.hits("/version")), (5, 1, 1));
    assert!(notes(&two, "one of the same cluster"), "{two:#?}");
}

async fn two_that_begin_together_make_one_set_of_rows(db: TestDb) {
    let app = db.open_with(super::settings()).await;
    let (one, two) = (Pve::start("pve8-cluster").await, Pve::start("pve8-cluster").await);
    let ids = [add(&app, "one", &one).await, add(&app, "two", &two).await];
    let runs = both_of(&app, ids).await;
    assert!(runs.iter().all(|run| run.state == RunState::Succeeded), "{runs:#?}");
    assert_eq!((clusters(&app).await.len(), nodes(&app).await.len(), storages(&app).await.len()), (1, 3, 14));
}

async fn a_dry_run_of_two_tells_what_the_run_does(db: TestDb) {
    let app = db.open_with(super::settings()).await;
    let (one, two) = (Pve::start("pve8-cluster").await, Pve::start("pve8-cluster").await);
    let ids = [add(&app, "one", &one).await, add(&app, "two", &two).await];
    let changes = async |dry_run| {
        let mut told = Vec::new();
        for run in sync::finish(&app, &Actor::operator(), &ids, dry_run, false).await.unwrap() {
            for change in runs::changes(&app.db, run.id).await.unwrap() {
                let fields = change.fields.0.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
                told.push((change.object_type, change.name, change.action, fields));
            }
        }
        told.sort();
        told
    };
    let foreseen = changes(true).await;
    assert_eq!(foreseen.len(), 2 + 1 + 1 + 3 + 14, "each endpoint, and one set of rows");
    assert_eq!(changes(false).await, foreseen);
}

async fn the_next_one_takes_over_within_the_run(db: TestDb) {
    let (scene, second, id) = pair(&db).await;
    let up = |data: &mut serde_json::Value| {
        for item in data.as_array_mut().unwrap() {
            if item["name"] == "pve3" {
                item["online"] = json!(1);
            }
        }
    };
    let mut status = second.data("/cluster/status");
    up(&mut status);
    second.reply("/cluster/status", Reply::Data(status));
    // Its node has no cluster any more.
    scene.pve.fail("/version", 500, "ipcc_send_rec[1] failed: Connection refused");
    let [one, two] = both_of(&scene.app, [scene.endpoint, id]).await;
    assert_eq!((one.state, two.state), (RunState::Failed, RunState::Succeeded), "{one:#?} {two:#?}");
    assert!(node(&scene.app, "pve3").await.online, "told by the second");
    assert!(node(&scene.app, "pve1").await.local, "which node is local is a matter of the endpoint that has the row");
    // And when only the first one is asked for.
    scene.pve.reset_hits();
    let run = sync_one(&scene.app, scene.endpoint).await;
    assert_eq!(run.state, RunState::Failed);
    assert!(second.hits("/storage") > 0, "the second one stood by");
}

async fn a_minority_yields_to_the_majority(db: TestDb) {
    let (scene, _second, id) = pair(&db).await;
    let before = format!("{:?} {:?}", clusters(&scene.app).await, nodes(&scene.app).await);
    scene.pve.serve("pve8-cluster-noquorum-minority");
    for _ in 0..3 {
        let [one, two] = both_of(&scene.app, [scene.endpoint, id]).await;
        assert_eq!((one.state, two.state), (RunState::Partial, RunState::Succeeded), "{one:#?} {two:#?}");
        assert!(notes(&one, "disagrees") && notes(&one, "quorate is true there and false here"), "{one:#?}");
        assert_eq!(format!("{:?} {:?}", clusters(&scene.app).await, nodes(&scene.app).await), before, "no flapping");
    }
}

async fn a_host_that_left_its_cluster_is_another(db: TestDb) {
    // It keeps the cluster's authority, and so its identity.
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let host = Pve::start("pve9-standalone").await;
    let id = add(&scene.app, "host", &host).await;
    sync_one(&scene.app, id).await;
    let [one, two] = both_of(&scene.app, [scene.endpoint, id]).await;
    assert_eq!((one.state, two.state), (RunState::Succeeded, RunState::Succeeded));
    let names = clusters(&scene.app).await.into_iter().map(|row| (row.endpoint_id, row.name)).collect::<Vec<_>>();
    assert_eq!(names, [(scene.endpoint, "prod".to_owned()), (id, "pve9".to_owned())]);
    assert_eq!(clusters(&scene.app).await[0].cluster_id, clusters(&scene.app).await[1].cluster_id);
    // Each has its storages, `local` among them.
    assert_eq!(storages(&scene.app).await.iter().filter(|row| row.name == "local").count(), 2);
}

async fn one_dead_endpoint_disturbs_no_other(db: TestDb) {
    let scene = Scene::new(&db, "pve9-standalone").await;
    let dead = Pve::start("pve8-cluster").await;
    let id = add(&scene.app, "dead", &dead).await;
    drop(dead);
    let [one, two] = both_of(&scene.app, [scene.endpoint, id]).await;
    assert_eq!((one.state, two.state), (RunState::Succeeded, RunState::Failed));
    assert_eq!(super::classes(&two), ["connect"], "{two:#?}");
    super::write_endpoint(&scene.app, Operation::Delete { id, if_last_updated: None }).await;
    assert_eq!(clusters(&scene.app).await.len(), 1);
}

both!(
    a_cluster_has_one_set_of_rows,
    two_that_begin_together_make_one_set_of_rows,
    a_dry_run_of_two_tells_what_the_run_does,
    the_next_one_takes_over_within_the_run,
    a_minority_yields_to_the_majority,
    a_host_that_left_its_cluster_is_another,
    one_dead_endpoint_disturbs_no_other,
);
