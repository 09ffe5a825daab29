//! Dumping: a file that loads to the same rows, with secrets only if asked for.
use super::{dumped, sqlite_beside, text, try_load};
use crate::support::{ADMIN, SEED, Server, TestDb, both, fill};
use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::db::DbOptions;
use proxbox_graphql::entity::{endpoint, token};
use proxbox_graphql::secret::{KeySource, Place};
use sea_orm::EntityTrait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// The seed with what it lacks: the optional keys, odd numbers and texts, an unusable token.
fn rich() -> String {
    let mut file: Value = serde_json::from_str(SEED).unwrap();
    file["proxmox_endpoints"][1]["enabled"] = json!(false);
    file["proxmox_endpoints"][1]["tls_fingerprint"] = json!("cd".repeat(32));
    file["netbox_clusters"][1]["origin"] = json!("local");
    file["netbox_devices"][1]["origin"] = json!("netbox");
    file["proxmox_nodes"][0]["cpu_usage"] = json!(0.30000000000000004);
    file["proxmox_nodes"][1]["cpu_usage"] = json!(1e16);
    file["proxmox_nodes"][0]["metrics_at"] = json!("2026-05-01T00:00:00.5Z");
    file["proxmox_storages"][0]["source"] = json!(1);
    file["proxmox_storages"][0]["tags"] = json!([3, 1, 2]);
    file["proxmox_storages"][1]["raw_config"] = json!({"z": [0.1, 1e300, null], "a": {"é": "\u{1F600}\0"}, "m": []});
    file["proxmox_storages"][2]["raw_config"] = json!(null);
    file["tokens"][1]["last_used"] = json!("2026-05-01T00:00:00Z");
    file["tokens"].as_array_mut().unwrap().push(json!({"name": "unusable", "key": "abcdefghijkl"}));
    file.to_string()
}

async fn load_into(db: &TestDb, file: &str) -> App {
    let app = db.open().await;
    try_load(&app, file).await.unwrap();
    // As after `load` in a process of its own: the pepper may be another now.
    db.open().await
}

async fn round_trip(db: &TestDb, with_secrets: bool) -> App {
    let (first, last) = (sqlite_beside(db, "first.db"), sqlite_beside(db, "last.db"));
    let app = first.open().await;
    fill(&app, &rich()).await;
    let begun = dumped(&app, with_secrets).await;
    let there = dumped(&load_into(db, &begun).await, with_secrets).await;
    assert_eq!(begun, there);
    let app = load_into(&last, &there).await;
    assert_eq!(dumped(&app, with_secrets).await, begun);
    app
}

async fn dump_load_dump_is_identical(db: TestDb) {
    round_trip(&db, false).await;
}

async fn dump_load_dump_with_secrets_keeps_tokens_and_secrets_working(db: TestDb) {
    let app = round_trip(&db, true).await;
    let row = endpoint::Entity::find_by_id(1).one(&app.db.read).await.unwrap().unwrap();
    let place = Place { table: "proxmox_endpoint", row: "1", column: "password" };
    let password = app.sealer.open(row.password.as_deref().unwrap(), place).unwrap();
    assert_eq!(password.expose_secret().as_slice(), b"s3cret");
    let server = Server::new(app);
    for token in [ADMIN, "nbt_oraclekey001.abcdefghijklmnopqrstuvwxyz0123456789ABCD"] {
        let data = server.ask_as(token, "{ proxmoxNodes { totalCount } }", json!({})).await.data();
        assert_eq!(data["proxmoxNodes"]["totalCount"], 14);
    }
}

async fn tokens_without_their_digests_are_unusable_after_load(db: TestDb) {
    let server = Server::new(round_trip(&db, false).await);
    assert_eq!(server.ask_as(ADMIN, "{ __typename }", json!({})).await.code(), "UNAUTHENTICATED");
}

async fn an_empty_database_has_an_empty_dump(db: TestDb) {
    let empty = dumped(&db.open().await, false).await;
    let other = sqlite_beside(&db, "other.db");
    assert_eq!(dumped(&load_into(&other, &empty).await, false).await, empty);
}

async fn without_secrets_there_are_none(db: TestDb) {
    let app = db.open().await;
    fill(&app, &rich()).await;
    let plain = dumped(&app, false).await;
    let mut secrets = vec![text(&app.db, "SELECT value FROM setting").await];
    for row in token::Entity::find().all(&app.db.read).await.unwrap() {
        secrets.extend(row.digest);
    }
    for row in endpoint::Entity::find().all(&app.db.read).await.unwrap() {
        secrets.extend([row.password, row.token_value].into_iter().flatten());
    }
    assert_eq!(secrets.len(), 1 + 9 + 3);
    let with = dumped(&app, true).await;
    for secret in &secrets {
        assert!(!plain.contains(secret) && with.contains(secret), "{secret}");
    }
    let mut clear = vec!["s3cret".to_owned(), "11111111-2222-3333-4444-555555555555".to_owned()];
    let seed: Value = serde_json::from_str(SEED).unwrap();
    for token in seed["tokens"].as_array().unwrap() {
        let value = token["value"].as_str().unwrap();
        clear.push(value.rsplit('.').next().unwrap().to_owned());
    }
    for secret in clear {
        assert!(!plain.contains(&secret) && !with.contains(&secret), "{secret}");
    }
    for word in ["sealed", "digest", "pepper", "\"value\"", "\"password\"", "\"token_value\""] {
        assert!(!plain.contains(word), "{word}");
    }
}

async fn sealed_secrets_load_only_under_their_key_and_at_their_place(db: TestDb) {
    let app = db.open().await;
    fill(&app, SEED).await;
    let file: Value = serde_json::from_str(&dumped(&app, true).await).unwrap();
    let other = sqlite_beside(&db, "other.db");
    let key = KeySource::Given(SecretString::from("another key, and long enough as well"));
    let stranger = App::open(&other.options, &key, Schema::Migrate, Settings::default()).await.unwrap();
    let refused = async |app: &App, file: &Value, path: &str| {
        let message = try_load(app, &file.to_string()).await.expect_err(path).to_string();
        assert!(message.starts_with(&format!("{path}: ")), "{message}");
        assert!(serde_json::from_str::<Value>(&dumped(app, false).await).unwrap()["tokens"] == json!([]));
        message
    };
    let message = refused(&stranger, &file, "pepper").await;
    assert!(message.contains(app.sealer.key_id()) && message.contains(stranger.sealer.key_id()), "{message}");
    let mut without = file.clone();
    without.as_object_mut().unwrap().remove("pepper");
    refused(&stranger, &without, "proxmox_endpoints[0].sealed_password").await;
    let same_key = sqlite_beside(&db, "same.db").open().await;
    refused(&same_key, &without, "tokens[0].digest").await;
    let mut moved = file.clone();
    moved["proxmox_endpoints"][1]["sealed_password"] = file["proxmox_endpoints"][0]["sealed_password"].clone();
    refused(&same_key, &moved, "proxmox_endpoints[1].sealed_password").await;
    let mut moved = file.clone();
    moved["proxmox_endpoints"][0]["sealed_token_value"] = file["proxmox_endpoints"][0]["sealed_password"].clone();
    refused(&same_key, &moved, "proxmox_endpoints[0].sealed_token_value").await;
    let mut moved = file.clone();
    moved["pepper"] = file["proxmox_endpoints"][0]["sealed_password"].clone();
    refused(&same_key, &moved, "pepper").await;
    try_load(&same_key, &file.to_string()).await.unwrap();
}

async fn one_connection_is_enough(db: TestDb) {
    db.seeded().await.close().await.unwrap();
    let options = DbOptions { connections: 1, ..db.options.clone() };
    let app = App::open(&options, &db.key(), Schema::Check, Settings::default()).await.unwrap();
    assert!(dumped(&app, true).await.contains("pepper"));
}

both!(
    dump_load_dump_is_identical,
    dump_load_dump_with_secrets_keeps_tokens_and_secrets_working,
    tokens_without_their_digests_are_unusable_after_load,
    an_empty_database_has_an_empty_dump,
    without_secrets_there_are_none,
    sealed_secrets_load_only_under_their_key_and_at_their_place,
    one_connection_is_enough,
);
