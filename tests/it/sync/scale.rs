//! Many rows at once, and processes that are killed among them. Small in a usual run; large with `PROXBOX_TEST_LONG=1`,
//! which prints its figures.
use super::{Scene, count, storages};
use crate::cli::Program;
use crate::support::pve::Reply;
use crate::support::{ADMIN, TestDb, both};
use proxbox_graphql::entity::{RunState, sync_run, sync_state};
use rand::random_range;
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn is_long() -> bool {
    std::env::var_os("PROXBOX_TEST_LONG").is_some()
}

/// Storages of a generation: their path tells which one.
fn many(count: usize, generation: &str) -> Value {
    let one = |n: usize| match n {
        0 => json!({"storage": "local", "type": "dir", "path": format!("/{generation}"), "content": "iso"}),
        n => {
            json!({"storage": format!("s{n}"), "type": "dir", "path": format!("/{generation}"), "content": "images,iso"})
        }
    };
    (0..count).map(one).collect()
}

async fn many_unchanged_storages_cost_one_pass(db: TestDb) {
    let rows = if is_long() { 50_000 } else { 500 };
    let mut db = db;
    db.options.statement_timeout = Duration::from_secs(60);
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.pve.reply("/storage", Reply::Data(many(rows, "one")));
    let begun = Instant::now();
    let run = scene.sync().await;
    assert_eq!((run.state, count(&run, "created")), (RunState::Succeeded, 5 + rows as i64), "{:?}", run.errors);
    let first = begun.elapsed();
    let begun = Instant::now();
    let run = scene.sync().await;
    assert_eq!((run.state, run.revision, count(&run, "unchanged")), (RunState::Succeeded, None, 4 + rows as i64));
    let second = begun.elapsed();
    scene.pve.reply("/storage", Reply::Data(many(rows, "two")));
    let begun = Instant::now();
    let run = scene.sync().await;
    assert_eq!((run.state, count(&run, "updated")), (RunState::Succeeded, rows as i64), "{:?}", run.errors);
    println!(
        "{:?}: {rows} storages: made in {first:.1?}, unchanged in {second:.1?}, all changed in {:.1?}",
        db.backend,
        begun.elapsed()
    );
}

/// The server is killed while it writes a generation: the rows are of the old one or the new one, never of both, and the
/// run is marked when the endpoint is synced again.
async fn a_killed_sync_leaves_one_generation(db: TestDb) {
    let rounds = if is_long() { 20 } else { 1 };
    let rows = 1_500;
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.pve.reply("/storage", Reply::Data(many(rows, "g0")));
    assert_eq!(scene.sync().await.state, RunState::Succeeded);
    crate::support::token(&scene.app, ADMIN).await;
    let mut program = Program::new(&db);
    program.set("PROXBOX_SYNC_ALLOW_LOOPBACK", "1").set("PROXBOX_SYNC_INTERVAL", "0");
    program.set("PROXBOX_SECRET_KEY", "a key for tests only, and long enough");
    let (mut old, mut new, mut left) = (0, 0, 0);
    for round in 1..=rounds {
        let server = program.serve(&[]);
        scene.pve.reply("/storage", Reply::Data(many(rows, &format!("g{round}"))));
        let path = format!("/api/plugins/proxbox/endpoints/proxmox/{}/sync/", scene.endpoint);
        let answer = server.request(&format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Token {ADMIN}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ));
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        tokio::time::sleep(Duration::from_millis(random_range(20..1_500))).await;
        server.signal("KILL");
        drop(server);
        // What a killed client had sent PostgreSQL still ends by itself.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let found = storages(&scene.app).await;
        let paths = found.iter().map(|row| row.path.clone().unwrap()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!((found.len(), paths.len()), (rows, 1), "{paths:?}");
        if paths.contains(&format!("/g{round}")) {
            new += 1
        } else {
            old += 1
        }
        let running = sync_run::Entity::find().all(&scene.app.db.read).await.unwrap();
        let running = running.into_iter().filter(|run| run.state == RunState::Running).map(|run| run.id);
        let running = running.collect::<Vec<_>>();
        // As if the time of the dead one's right had passed.
        let sql = "UPDATE sync_state SET expires_at = '2020-01-01T00:00:00+00:00' WHERE holder IS NOT NULL";
        scene.app.db.write.execute_raw(Statement::from_string(scene.app.db.backend(), sql)).await.unwrap();
        let run = scene.sync().await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.errors);
        for id in running {
            left += 1;
            let run = sync_run::Entity::find_by_id(id).one(&scene.app.db.read).await.unwrap().unwrap();
            assert_eq!(run.state, RunState::Interrupted);
        }
        let state = sync_state::Entity::find_by_id(scene.endpoint).one(&scene.app.db.read).await.unwrap().unwrap();
        assert_eq!(state.holder, None);
    }
    println!(
        "{:?}: killed {rounds} times: {old} times the old generation, {new} times the new; {left} runs interrupted",
        db.backend
    );
}

both!(many_unchanged_storages_cost_one_pass, a_killed_sync_leaves_one_generation);
