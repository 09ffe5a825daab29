//! A NetBox that is away, breaks off or tells nonsense, and readers that meet.
use super::{Scene, read};
use crate::support::netbox::DEVICES;
use crate::support::{TestDb, both};
use proxbox_graphql::app::{MirrorSettings, Settings};
use proxbox_graphql::error::Error;
use proxbox_graphql::mirror::{self, Wanted, schedule};
use proxbox_graphql::service::netbox::state;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

async fn a_netbox_that_is_away_is_served_from_the_mirror(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    let server = scene.server().await;
    scene.world.state().instead.insert("/api/status/".into(), (0, 403, json!({"detail": "Token expired"})));
    let report = scene.read(Wanted::Due).await;
    assert_eq!(report.class.as_deref(), Some("auth"));
    let data = server
        .data("{ netboxMirror { state ageSeconds lastSuccess lastError { class message } } netboxDevices { totalCount } }")
        .await;
    assert_eq!(data["netboxMirror"]["state"], "FAILED");
    assert_eq!(data["netboxMirror"]["lastError"]["class"], "auth");
    assert!(data["netboxMirror"]["lastError"]["message"].as_str().unwrap().contains("Token expired"));
    assert!(data["netboxMirror"]["ageSeconds"].is_i64());
    assert_eq!(data["netboxDevices"]["totalCount"], 6);
    // An old mirror is served, so that it makes nobody less ready; how old it is, the operator's listener tells.
    let ready = axum::http::Request::get("/readyz").body(axum::body::Body::empty()).unwrap();
    let ready = server.send(ready).await;
    assert_eq!((ready.status.as_u16(), ready.bytes.as_slice()), (200, b"ready\n".as_slice()));
    let text = crate::ops::read(&scene.app, "/readyz").await;
    assert!(
        text.starts_with("ready\n") && text.contains("\nnetbox mirror: ") && text.contains("failed (auth)"),
        "{text}"
    );
    let text = crate::ops::read(&scene.app, "/metrics").await;
    assert!(text.contains("\nproxbox_netbox_mirror_age_seconds ") && text.contains("_mirror_failures 1\n"), "{text}");
    scene.world.state().instead.clear();
    assert!(scene.read(Wanted::Due).await.is_good());
    assert_eq!(server.data("{ netboxMirror { state } }").await["netboxMirror"]["state"], "OK");
}

async fn what_was_read_before_a_break_stays_and_is_read_on(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.world.state().cap = 2;
    // The second page of the devices never comes.
    scene.world.state().instead.insert(DEVICES.into(), (1, 400, json!({"detail": "no"})));
    let report = scene.full().await;
    assert!(report.error.is_some());
    assert_eq!((scene.clusters().await.len(), scene.devices().await.len()), (4, 2));
    let mirror = scene.mirror().await;
    assert_eq!((mirror.full_at, mirror.devices_since, mirror.clusters_since), (None, None, None));
    scene.world.state().instead.clear();
    let report = scene.read(Wanted::Due).await;
    assert!(report.full && report.is_good());
    assert_eq!((report.devices.created, scene.devices().await.len()), (4, 6));
}

async fn odd_rows_are_told_and_the_others_kept(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    {
        let mut state = scene.world.state();
        let long = "x".repeat(300);
        let device = state.devices.get_mut(&12).unwrap();
        (device["name"], device["display"]) = (json!(long), json!(long));
        state.clusters.get_mut(&3).unwrap()["name"] = json!("a\u{0}b");
        let mut beyond = state.clusters[&2].clone();
        beyond["id"] = json!(1_000_000_001);
        state.clusters.insert(1_000_000_001, beyond);
    }
    for _ in 0..3 {
        let report = scene.full().await;
        assert_eq!((report.devices.odd.len(), report.clusters.odd.len()), (1, 2), "{report:?}");
        assert!(report.devices.odd[0].contains("12") && report.devices.odd[0].contains("name"), "{report:?}");
        // They are there all the same.
        assert_eq!((report.devices.missing, report.clusters.missing), (0, 0));
        assert_eq!((report.devices.deleted, report.clusters.deleted), (0, 0));
    }
    assert_eq!(scene.devices().await[1].name.as_deref(), Some("pve2"));
    assert_eq!(scene.clusters().await.len(), 4);
}

async fn one_reads_at_a_time(db: TestDb) {
    let scene = Scene::new(&db).await;
    let begun = mirror::begin(&scene.app).await.unwrap();
    let other = db.open_with(scene.world.settings()).await;
    let refused = mirror::begin(&other).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(_)), "{refused}");
    // Whoever lost the right writes nothing under it.
    let tx = scene.begin().await;
    state::abandon(&tx, &scene.app.holder).await.unwrap();
    tx.commit().await.unwrap();
    assert!(read(&other, Wanted::Full, false).await.is_good());
    let order =
        mirror::Order { actor: proxbox_graphql::service::Actor::operator(), wanted: Wanted::Full, delete_many: false };
    let late = mirror::finish(&scene.app, begun, &order).await.unwrap_err();
    assert!(late.to_string().contains("another process"), "{late}");
    assert!(scene.mirror().await.full_at.is_some());
}

async fn another_netbox_is_read_whole(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.full().await;
    let prefix = format!("{}/", scene.world.server.uri().replace("127.0.0.1", "localhost"));
    let app = db.open_with(scene.world.settings_at(&prefix)).await;
    let report = read(&app, Wanted::Due, false).await;
    assert!(report.full && report.is_good(), "{report:?}");
}

async fn the_schedule_fills_the_mirror_and_recovers_by_itself(db: TestDb) {
    let scene = Scene::new(&db).await;
    let interval = Some(chrono::TimeDelta::seconds(1));
    let settings =
        Settings { mirror: MirrorSettings { interval, ..MirrorSettings::default() }, ..scene.world.settings() };
    scene.world.state().instead.insert("/api/status/".into(), (0, 500, json!({"detail": "down"})));
    let app = db.open_with(settings).await;
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(schedule::keep(app.clone(), stop.clone()));
    until(async || scene.mirror().await.failures > 0).await;
    scene.world.state().instead.clear();
    until(async || scene.devices().await.len() == 6 && scene.mirror().await.failures == 0).await;
    scene.world.device(17, Some("late"), "DC1", 30);
    until(async || scene.devices().await.len() == 7).await;
    stop.cancel();
    keeping.await.unwrap();
    assert_eq!(scene.mirror().await.holder, None);
}

/// Waits for something to come true.
async fn until(come: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if come().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come true");
}

both! {
    a_netbox_that_is_away_is_served_from_the_mirror,
    what_was_read_before_a_break_stays_and_is_read_on,
    odd_rows_are_told_and_the_others_kept,
    one_reads_at_a_time,
    another_netbox_is_read_whole,
    the_schedule_fills_the_mirror_and_recovers_by_itself,
}
