//! Reading NetBox on demand, and who may see how it stands.
use super::Scene;
use crate::support::{ADMIN, Server, TestDb, both};
use proxbox_graphql::service::token::{self, NewToken};
use secrecy::SecretString;
use serde_json::{Value, json};

const STATE: &str = "{ netboxMirror { state netboxUrl netboxVersion nextSync lastSuccess lastFull lastSweep } }";

/// A token with these permissions.
async fn allow(scene: &Scene, value: &str, permissions: Vec<Value>) {
    let new = NewToken {
        name: value.chars().rev().take(10).collect(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions,
    };
    let mut tx = scene.begin().await;
    token::create(&mut tx, &scene.app.pepper, new, &SecretString::from(value)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn sync_netbox_reads_it_in_the_background(db: TestDb) {
    let scene = Scene::new(&db).await;
    let server = scene.server().await;
    let before = server.data(STATE).await["netboxMirror"].clone();
    assert_eq!(
        (&before["state"], &before["netboxVersion"], &before["nextSync"]),
        (&json!("NEVER"), &json!(null), &json!(null))
    );
    assert_eq!(before["netboxUrl"], scene.world.server.uri());
    let query = "mutation { syncNetbox(input: {full: true, clientMutationId: \"x\"}) { netboxMirror { netboxUrl } clientMutationId userErrors { message } } }";
    let data = server.data(query).await["syncNetbox"].clone();
    assert_eq!((&data["userErrors"], &data["clientMutationId"]), (&json!([]), &json!("x")));
    scene.app.tasks.close();
    scene.app.tasks.wait().await;
    scene.app.tasks.reopen();
    let after = server.data(STATE).await["netboxMirror"].clone();
    assert_eq!((&after["state"], &after["netboxVersion"]), (&json!("OK"), &json!("4.6.8")));
    assert!(after["lastFull"].is_string() && after["lastSweep"].is_string() && after["lastSuccess"].is_string());
    assert_eq!(server.data("{ netboxDevices { totalCount } }").await["netboxDevices"]["totalCount"], 6);
    // While it is read nobody else starts.
    let begun = proxbox_graphql::mirror::begin(&scene.app).await.unwrap();
    assert_eq!(server.data(STATE).await["netboxMirror"]["state"], "RUNNING");
    let busy = server.data("mutation { syncNetbox { userErrors { code message } } }").await["syncNetbox"].clone();
    assert_eq!(busy["userErrors"][0]["code"], "CONFLICT");
    drop(begun);
}

async fn rights_are_asked_for(db: TestDb) {
    let scene = Scene::new(&db).await;
    let server = scene.server().await;
    let may = |models: &[&str], actions: &[&str]| json!({"models": models, "actions": actions, "constraints": null});
    let (runs, viewer, nobody) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
    allow(&scene, &runs, vec![may(&["syncrun"], &["view", "add"]), may(&["cluster"], &["view"])]).await;
    allow(&scene, &viewer, vec![may(&["device"], &["view"])]).await;
    allow(&scene, &nobody, vec![may(&["proxmoxnode"], &["view"])]).await;
    let ask = async |token: &str, query: &str| server.ask_as(token, query, json!({})).await.data();
    assert_eq!(ask(&nobody, STATE).await["netboxMirror"], json!(null));
    assert_eq!(ask(&viewer, STATE).await["netboxMirror"]["state"], "NEVER");
    let start = "mutation { syncNetbox { userErrors { code } } }";
    assert_eq!(ask(&viewer, start).await["syncNetbox"]["userErrors"][0]["code"], "FORBIDDEN");
    let many = "mutation { syncNetbox(input: {deleteMany: true}) { userErrors { code } } }";
    assert_eq!(ask(&runs, many).await["syncNetbox"]["userErrors"][0]["code"], "FORBIDDEN");
    assert!(scene.world.asked().is_empty());
    assert_eq!(ask(&runs, start).await["syncNetbox"]["userErrors"], json!([]));
}

async fn without_netbox_there_is_no_mirror(db: TestDb) {
    let app = db.open().await;
    crate::support::token(&app, ADMIN).await;
    let server = Server::new(app.clone());
    assert_eq!(server.data(STATE).await["netboxMirror"], json!(null));
    let data = server.data("mutation { syncNetbox { userErrors { code message } netboxMirror { state } } }").await;
    let error = &data["syncNetbox"]["userErrors"][0];
    assert!(error["message"].as_str().unwrap().contains("PROXBOX_NETBOX_URL"), "{data:#}");
    // By hand, references are made as before.
    let query = "mutation { createNetboxCluster(input: {databaseId: 5, name: \"mine\"}) { userErrors { code } } }";
    assert_eq!(server.data(query).await["createNetboxCluster"]["userErrors"], json!([]));
    assert!(proxbox_graphql::mirror::state(&app).await.unwrap().is_none());
}

async fn the_token_is_nowhere(db: TestDb) {
    let scene = Scene::new(&db).await;
    let detail = format!("Invalid token {}", crate::support::world::WORLD_TOKEN);
    scene.world.state().instead.insert("/api/status/".into(), (0, 403, json!({"detail": detail})));
    let report = scene.full().await;
    let server = scene.server().await;
    let shown = server.ask("{ netboxMirror { netboxUrl lastError { class message } } }").await;
    let row =
        format!("{:?} {report:?} {:?} {}", scene.mirror().await, scene.app, String::from_utf8_lossy(&shown.bytes));
    assert!(row.contains("auth"));
    assert!(!row.contains("0123456789012345678901234567890123456789"), "{row}");
}

both! {
    sync_netbox_reads_it_in_the_background,
    rights_are_asked_for,
    without_netbox_there_is_no_mirror,
    the_token_is_nowhere,
}
