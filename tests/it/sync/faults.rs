//! Faults: each has its class, changes nothing, and is over when it is over.
use super::{Scene, classes, everything, patch_endpoint, verdict};
use crate::support::pve::Reply;
use crate::support::{TestDb, both};
use proxbox_graphql::entity::RunState;
use proxbox_graphql::service::endpoint::Patch;
use proxbox_graphql::service::{Actor, sync_run as runs};
use proxbox_graphql::sync;
use std::time::Duration;

async fn every_fault_of_the_whole_endpoint_changes_nothing(db: TestDb) {
    let mut settings = super::settings();
    settings.sync.client.local = Duration::from_millis(400);
    settings.sync.client.call_budget = Duration::from_millis(900);
    let app = db.open_with(settings).await;
    let pve = crate::support::pve::Pve::start("pve8-cluster").await;
    let endpoint = super::add(&app, "one", &pve).await;
    let scene = Scene { app, pve, endpoint };
    scene.sync().await;
    let before = everything(&scene.app).await;
    let html = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>".to_vec();
    let faults: [(&str, Reply, &str); 9] = [
        ("401", Reply::Status(401, "Authentication failed!".into()), "auth"),
        ("pmxcfs", Reply::Status(500, "ipcc_send_rec[1] failed: Connection refused".into()), "degraded"),
        ("501", Reply::Status(501, "Method 'GET /version' not implemented".into()), "not_proxmox"),
        ("596", Reply::Status(596, "Broken pipe".into()), "degraded"),
        ("html", Reply::Raw(html), "not_proxmox"),
        ("hang", Reply::Hang, "timeout"),
        ("hang in the body", Reply::HangInBody, "timeout"),
        ("drip", Reply::Drip(Duration::from_millis(100)), "timeout"),
        ("endless", Reply::Endless, "protocol"),
    ];
    for (name, reply, class) in faults {
        scene.pve.reply("/version", reply);
        let run = scene.sync().await;
        assert_eq!((run.state, run.revision), (RunState::Failed, None), "{name}: {run:#?}");
        assert_eq!(classes(&run), [class], "{name}: {run:#?}");
        assert_eq!(everything(&scene.app).await, before, "{name}");
        scene.pve.heal();
    }
    scene.pve.drop_next(1);
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "one dropped request is asked again: {run:#?}");
    assert_eq!(everything(&scene.app).await, before);
}

async fn a_fault_of_one_answer_leaves_the_others(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let before = everything(&scene.app).await;
    for (path, status, reason, kind) in [
        ("/cluster/status", 595, "Connection refused", "cluster"),
        ("/nodes", 500, "got timeout", "nodes"),
        ("/storage", 596, "Connection timed out", "storages"),
        ("/access/permissions", 500, "got timeout", "storages"),
    ] {
        scene.pve.fail(path, status, reason);
        let run = scene.sync().await;
        assert_eq!(run.state, RunState::Partial, "{path}: {run:#?}");
        assert_ne!(verdict(&run, kind), "complete", "{path}: {run:#?}");
        assert_eq!(classes(&run).first(), Some(&"degraded"), "{path}: {run:#?}");
        assert_eq!(everything(&scene.app).await, before, "{path}");
        scene.pve.heal();
    }
}

async fn an_empty_list_is_no_proof(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let before = everything(&scene.app).await;
    for path in ["/storage", "/nodes", "/cluster/status"] {
        scene.pve.reply(path, Reply::Data(serde_json::json!([])));
        let run = scene.sync().await;
        assert_eq!((run.state, run.revision), (RunState::Partial, None), "{path}: {run:#?}");
        assert_eq!(everything(&scene.app).await, before, "{path}");
        scene.pve.heal();
    }
}

async fn pins_hold_and_a_changed_certificate_is_told(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let (before, old) = (everything(&scene.app).await, scene.pve.fingerprint());
    scene.pve.swap_certificate();
    let run = scene.sync().await;
    assert_eq!(classes(&run), ["tls_fingerprint_changed"], "{run:#?}");
    let message = run.errors.0[0]["message"].as_str().unwrap();
    assert!(message.contains(&old) && message.contains(&scene.pve.fingerprint()), "{message}");
    assert_eq!(everything(&scene.app).await, before);
    let both = format!("{old},{}", scene.pve.fingerprint());
    let secret = Some(Some(crate::support::pve::TOKEN_SECRET.into()));
    patch_endpoint(
        &scene.app,
        scene.endpoint,
        Patch { tls_fingerprint: Some(Some(both)), token_value: secret.clone(), ..Patch::default() },
    )
    .await;
    assert_eq!(scene.sync().await.state, RunState::Succeeded, "one of several pins");
    patch_endpoint(
        &scene.app,
        scene.endpoint,
        Patch { tls_fingerprint: Some(None), token_value: secret.clone(), ..Patch::default() },
    )
    .await;
    assert_eq!(classes(&scene.sync().await), ["tls_untrusted"]);
    let ca = Some(Some(scene.pve.ca()));
    patch_endpoint(&scene.app, scene.endpoint, Patch { tls_ca: ca, token_value: secret.clone(), ..Patch::default() })
        .await;
    assert_eq!(scene.sync().await.state, RunState::Succeeded, "its own authority");
    let patch = Patch { tls_ca: Some(None), verify_ssl: Some(Some(false)), token_value: secret, ..Patch::default() };
    patch_endpoint(&scene.app, scene.endpoint, patch).await;
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Succeeded);
    assert!(super::notes(&run, "not verified"), "a warning on every run: {run:#?}");
}

async fn refused_credentials_suspend_until_they_change(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.pve.revoke_tokens();
    let run = scene.sync().await;
    assert_eq!((run.state, classes(&run)), (RunState::Failed, vec!["auth"]));
    assert_eq!(scene.pve.total_hits(), 1, "asked once: some sites lock out whoever tries again");
    let state = runs::state(&scene.app.db, scene.endpoint).await.unwrap();
    assert!(state.suspended && state.next_at.is_none());
    let row = scene.endpoint_row().await;
    assert_eq!(state.credentials, sync::target::credentials_mark(&row));
    scene.pve.accept_token("sync@pve!full", "another");
    let patch = Patch { token_value: Some(Some("another".into())), ..Patch::default() };
    patch_endpoint(&scene.app, scene.endpoint, patch).await;
    assert_ne!(state.credentials, sync::target::credentials_mark(&scene.endpoint_row().await));
    assert_eq!(scene.sync().await.state, RunState::Succeeded);
    assert!(!runs::state(&scene.app.db, scene.endpoint).await.unwrap().suspended);
}

async fn a_disabled_endpoint_is_refused_and_keeps_its_rows(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    scene.sync().await;
    let patch = Patch { enabled: Some(Some(false)), ..Patch::default() };
    patch_endpoint(&scene.app, scene.endpoint, patch).await;
    let before = everything(&scene.app).await;
    let refused = sync::finish(&scene.app, &Actor::operator(), &[scene.endpoint], false, false).await.unwrap_err();
    assert!(refused.to_string().contains("one is disabled"), "{refused}");
    assert_eq!(everything(&scene.app).await, before);
}

async fn a_dry_run_tells_what_the_run_does_and_does_nothing(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let before = everything(&scene.app).await;
    let (dry, planned) = scene.dry_run().await;
    assert_eq!((dry.state, dry.dry_run, dry.revision), (RunState::Succeeded, true, None));
    assert_eq!(everything(&scene.app).await, before);
    let run = scene.sync().await;
    let done = runs::changes(&scene.app.db, run.id).await.unwrap();
    let told = |changes: &[proxbox_graphql::entity::sync_change::Model]| {
        let each = changes.iter().map(|change| {
            (
                change.object_type.clone(),
                change.name.clone(),
                change.action,
                change.fields.0.clone(),
                change.reason.clone(),
            )
        });
        each.collect::<Vec<_>>()
    };
    assert_eq!(told(&planned), told(&done));
    assert_eq!(dry.counts, run.counts);
    assert!(done.iter().all(|change| change.object_id.is_some()));
    assert!(
        planned.iter().all(|change| change.object_id.is_none() || change.object_type == "proxmox_endpoint"),
        "{planned:#?}"
    );
    let (again, planned) = scene.dry_run().await;
    assert_eq!((again.state, planned.len()), (RunState::Succeeded, 0));
}

async fn secrets_of_storages_are_not_kept(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    let mut data = scene.pve.data("/storage");
    data[0]["password"] = "canary-1".into();
    data[0]["x-secret-key"] = "canary-2".into();
    data[0]["nested"] = serde_json::json!({"private-key": "canary-3"});
    scene.pve.reply("/storage", Reply::Data(data));
    let run = scene.sync().await;
    let changes = runs::changes(&scene.app.db, run.id).await.unwrap();
    let all = format!("{run:?} {changes:?} {}", everything(&scene.app).await);
    assert!(!all.contains("canary") && all.contains("(redacted)"));
}

both!(
    every_fault_of_the_whole_endpoint_changes_nothing,
    a_fault_of_one_answer_leaves_the_others,
    an_empty_list_is_no_proof,
    pins_hold_and_a_changed_certificate_is_told,
    refused_credentials_suspend_until_they_change,
    a_disabled_endpoint_is_refused_and_keeps_its_rows,
    a_dry_run_tells_what_the_run_does_and_does_nothing,
    secrets_of_storages_are_not_kept,
);
