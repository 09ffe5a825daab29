//! The right to sync an endpoint: one process has it at a time, and a late one writes nothing.
use super::{Scene, everything};
use crate::cli::Program;
use crate::support::{Backend, TestDb, both};
use proxbox_graphql::entity::{RunState, sync_run};
use proxbox_graphql::service::endpoint::Patch;
use proxbox_graphql::service::{Actor, sync_run as runs};
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use std::time::{Duration, Instant};

async fn claim(scene: &Scene, holder: &str) -> Option<runs::Lease> {
    let tx = scene.app.begin(Actor::operator()).await.unwrap();
    let lease = runs::claim(&tx, scene.endpoint, holder).await.unwrap();
    tx.commit().await.unwrap();
    lease
}

async fn expire(scene: &Scene) {
    let sql = "UPDATE sync_state SET expires_at = '2020-01-01T00:00:00+00:00'";
    scene.app.db.write.execute_raw(Statement::from_string(scene.app.db.backend(), sql)).await.unwrap();
}

async fn only_one_has_it_and_a_stale_one_is_refused(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let first = claim(&scene, "a").await.unwrap();
    assert_eq!(claim(&scene, "b").await, None);
    assert_eq!(claim(&scene, "a").await, None, "not even the same process twice");
    expire(&scene).await;
    let second = claim(&scene, "b").await.unwrap();
    assert!(second.fence > first.fence);
    let tx = scene.app.begin(Actor::operator()).await.unwrap();
    assert!(runs::renew(&tx, &first).await.is_err(), "the late one");
    assert!(runs::renew(&tx, &second).await.is_ok());
    let learned = runs::blank(scene.endpoint);
    runs::release(&tx, &first, learned.clone()).await.unwrap();
    tx.commit().await.unwrap();
    let state = runs::state(&scene.app.db, scene.endpoint).await.unwrap();
    assert_eq!(state.holder.as_deref(), Some("b"), "the late one gives back nothing");
    let tx = scene.app.begin(Actor::operator()).await.unwrap();
    runs::release(&tx, &second, learned).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim(&scene, "c").await.unwrap().fence > second.fence);
}

async fn rows_are_not_written_under_a_lost_right(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let before = everything(&scene.app).await;
    scene.pve.latency(Duration::from_millis(300));
    let running = scene.sync();
    let stealing = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        expire(&scene).await;
        claim(&scene, "thief").await.unwrap()
    };
    let (run, _) = tokio::join!(running, stealing);
    assert!(matches!(run.state, RunState::Failed | RunState::Interrupted), "{run:#?}");
    assert_eq!(everything(&scene.app).await, before);
}

async fn a_run_left_behind_is_marked(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let tx = scene.app.begin(Actor::operator()).await.unwrap();
    let left = runs::queue(&tx, scene.endpoint, "one", "cli", false).await.unwrap();
    runs::advance(&tx, left.id, proxbox_graphql::entity::RunStage::Apply).await.unwrap();
    tx.commit().await.unwrap();
    claim(&scene, "dead").await.unwrap();
    expire(&scene).await;
    assert_eq!(scene.sync().await.state, RunState::Succeeded);
    let left = sync_run::Entity::find_by_id(left.id).one(&scene.app.db.read).await.unwrap().unwrap();
    assert_eq!(left.state, RunState::Interrupted);
    assert!(left.finished_at.is_some());
}

/// Two servers on one database share the schedule: every run is done once, and the end of one of them ends nothing.
async fn servers_share_the_schedule(db: TestDb) {
    if db.backend == Backend::Sqlite {
        return;
    }
    let scene = Scene::new(&db, "pve8-cluster").await;
    let mut program = Program::new(&db);
    program.set("PROXBOX_SYNC_ALLOW_LOOPBACK", "1").set("PROXBOX_SYNC_INTERVAL", "10");
    program.set("PROXBOX_SECRET_KEY", "a key for tests only, and long enough");
    let (one, two) = (program.serve(&[]), program.serve(&[]));
    let soon = Instant::now() + Duration::from_secs(60);
    let ended = async |least: usize| loop {
        let runs = sync_run::Entity::find().all(&scene.app.db.read).await.unwrap();
        if runs.iter().filter(|run| run.state == RunState::Succeeded).count() >= least {
            return runs;
        }
        assert!(Instant::now() < soon, "{runs:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    ended(1).await;
    one.signal("KILL");
    drop(one);
    let runs = ended(2).await;
    let mut spans = runs.iter().map(|run| (run.started_at, run.finished_at)).collect::<Vec<_>>();
    spans.sort();
    assert!(spans.windows(2).all(|pair| pair[0].1.is_some_and(|end| end <= pair[1].0)), "no overlap: {spans:?}");
    drop(two);
}

/// A server syncs by itself; one whose credentials were refused is left alone until they change.
async fn the_schedule_syncs_by_itself(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let off = super::add(&scene.app, "off", &scene.pve).await;
    let never = Patch { sync_interval: Some(Some(0)), ..Patch::default() };
    super::patch_endpoint(&scene.app, off, never).await;
    scene.pve.revoke_tokens();
    scene.sync().await;
    let mut program = Program::new(&db);
    program.set("PROXBOX_SYNC_ALLOW_LOOPBACK", "1").set("PROXBOX_SYNC_INTERVAL", "10");
    program.set("PROXBOX_SECRET_KEY", "a key for tests only, and long enough");
    let _server = program.serve(&[]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(scene.pve.total_hits(), 1, "suspended");
    scene.pve.accept_token("sync@pve!full", "another");
    let patch = Patch { token_value: Some(Some("another".into())), ..Patch::default() };
    super::patch_endpoint(&scene.app, scene.endpoint, patch).await;
    let soon = Instant::now() + Duration::from_secs(60);
    while super::nodes(&scene.app).await.is_empty() {
        assert!(Instant::now() < soon, "never synced");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let runs = sync_run::Entity::find().all(&scene.app.db.read).await.unwrap();
    assert!(runs.iter().any(|run| run.actor == "schedule") && runs.iter().all(|run| run.endpoint_id == scene.endpoint));
}

both!(
    the_schedule_syncs_by_itself,
    only_one_has_it_and_a_stale_one_is_refused,
    rows_are_not_written_under_a_lost_right,
    a_run_left_behind_is_marked,
    servers_share_the_schedule,
);
