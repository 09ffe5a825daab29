//! Every situation of the fixtures, as an endpoint that is seen for the first time.
use super::{Scene, clusters, count, nodes, storages, sync_one, verdict};
use crate::support::pve::{Pve, fixtures};
use crate::support::{TestDb, both};
use chrono::{TimeDelta, Utc};
use proxbox_graphql::entity::{RunState, sync_change, sync_run};
use proxbox_graphql::service::{Actor, sync_run as runs};
use sea_orm::{EntityTrait, PaginatorTrait};
use std::collections::BTreeSet;

/// What is to come of a situation: verdicts of cluster, nodes and storages, and how many rows of each.
type Expected = (&'static str, [&'static str; 3], [usize; 3]);

const SITUATIONS: [Expected; 11] = [
    ("pve7-cluster", ["complete", "complete", "complete"], [1, 3, 14]),
    ("pve8-cluster", ["complete", "complete", "complete"], [1, 3, 14]),
    ("pve8-cluster-all-online", ["complete", "complete", "complete"], [1, 3, 14]),
    ("pve8-cluster-corosync-unreachable", ["partial", "partial", "complete"], [0, 0, 0]),
    ("pve8-cluster-limited", ["failed", "partial", "partial"], [0, 0, 0]),
    ("pve8-cluster-node3-just-offline", ["complete", "complete", "complete"], [1, 3, 14]),
    ("pve8-cluster-noprivs-token", ["failed", "partial", "partial"], [0, 0, 0]),
    ("pve8-cluster-noquorum-minority", ["complete", "partial", "complete"], [1, 3, 14]),
    ("pve8-cluster-offline-no-ip", ["complete", "complete", "complete"], [1, 3, 14]),
    ("pve9-standalone", ["complete", "complete", "complete"], [1, 1, 2]),
    ("pve9-standalone-noprivs-token", ["failed", "partial", "partial"], [0, 0, 0]),
];

async fn every_situation_has_its_verdict_and_rows(db: TestDb) {
    let app = db.open_with(super::settings()).await;
    let folders = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.join("manifest.json").exists());
    let folders = folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(folders, SITUATIONS.iter().map(|(name, ..)| (*name).to_owned()).collect(), "none is left out");
    for (variant, verdicts, rows) in SITUATIONS {
        let pve = Pve::start(variant).await;
        // Under a name that no other one has, so that the endpoints are no group.
        let endpoint = super::add(&app, variant, &pve).await;
        let run = sync_one(&app, endpoint).await;
        let told = ["cluster", "nodes", "storages"].map(|kind| verdict(&run, kind));
        assert_eq!(told, verdicts, "{variant}: {run:#?}");
        let complete = verdicts == ["complete"; 3];
        assert_eq!(run.state, if complete { RunState::Succeeded } else { RunState::Partial }, "{variant}");
        let found = [clusters(&app).await.len(), nodes(&app).await.len(), storages(&app).await.len()];
        assert_eq!(found, rows, "{variant}: {run:#?}");
        assert_eq!(count(&run, "missing") + count(&run, "deleted"), 0);
        let delete = proxbox_graphql::service::batch::Operation::Delete { id: endpoint, if_last_updated: None };
        super::write_endpoint(&app, delete).await;
    }
}

async fn an_endpoint_that_keeps_failing_is_asked_less_often(db: TestDb) {
    let mut settings = super::settings();
    settings.sync.interval = Some(TimeDelta::seconds(60));
    let app = db.open_with(settings).await;
    let pve = Pve::start("pve8-cluster").await;
    let endpoint = super::add(&app, "one", &pve).await;
    pve.fail("/version", 501, "Method 'GET /version' not implemented");
    let wait = async || runs::state(&app.db, endpoint).await.unwrap().next_at.unwrap() - Utc::now();
    for failures in 1..=6 {
        assert_eq!(sync_one(&app, endpoint).await.state, RunState::Failed);
        let wait = wait().await;
        assert_eq!(wait > TimeDelta::minutes(14), failures >= 5, "{failures}: {wait}");
    }
    pve.reset_hits();
    sync_one(&app, endpoint).await;
    assert_eq!((pve.total_hits(), pve.hits("/version")), (1, 1), "one careful question");
    pve.heal();
    sync_one(&app, endpoint).await;
    assert!(wait().await < TimeDelta::seconds(70));
}

async fn old_runs_go(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let kept = scene.sync().await;
    let tx = scene.app.begin(Actor::operator()).await.unwrap();
    assert_eq!(runs::prune(&tx, kept.started_at, 100).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let left = sync_run::Entity::find().all(&scene.app.db.read).await.unwrap();
    assert_eq!(left.iter().map(|run| run.id).collect::<Vec<_>>(), [kept.id]);
    assert_eq!(sync_change::Entity::find().count(&scene.app.db.read).await.unwrap(), 0, "with their changes");
}

both!(every_situation_has_its_verdict_and_rows, an_endpoint_that_keeps_failing_is_asked_less_often, old_runs_go,);
