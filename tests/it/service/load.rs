//! Loading: every row as the file has it, or nothing and the path of what is wrong.
use super::{ask, changes_after, dumped, execute, number, sqlite_beside, stolen, topology, try_load};
use crate::support::{ADMIN, SEED, Server, TestDb, both, fill};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Action, endpoint as endpoint_row, node, storage, token as token_row};
use proxbox_graphql::secret::Place;
use proxbox_graphql::service::create;
use proxbox_graphql::service::token::{self, NewToken, random_value};
use proxbox_graphql::service::{Actor, load};
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

/// Puts a value at a pointer: replaces it, adds a key, or appends (`-`).
fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(list) if last == "-" => list.push(value),
        Value::Array(list) => list[last.parse::<usize>().unwrap()] = value,
        Value::Object(object) => drop(object.insert(last.to_owned(), value)),
        other => panic!("{other} at {parent}"),
    }
}

fn changed(changes: &[(&str, Value)]) -> Value {
    let mut file = topology();
    for (pointer, value) in changes {
        set(&mut file, pointer, value.clone());
    }
    file
}

async fn refused(app: &App, file: &Value, path: &str) -> String {
    let message = try_load(app, &file.to_string()).await.expect_err(path).to_string();
    assert!(message.starts_with(&format!("{path}: ")), "expected {path}, got: {message}");
    for secret in ["canary", &"9".repeat(40)] {
        assert!(!message.contains(secret), "a secret in the message: {message}");
    }
    message
}

/// Nothing of a refused file stays; one that is right still loads.
async fn is_untouched(app: &App) {
    let empty: Map<String, Value> = serde_json::from_str(&dumped(app, false).await).unwrap();
    assert!(empty.values().all(|list| list.as_array().is_none_or(Vec::is_empty)), "{empty:?}");
    assert_eq!(empty["next_id"], 1);
    assert_eq!(number(&app.db, "SELECT COUNT(*) FROM change").await, 0);
    assert_eq!(number(&app.db, "SELECT value FROM revision").await, 0);
    assert_eq!(try_load(app, &topology().to_string()).await.unwrap(), Some(1));
}

async fn unknown_keys_and_wrong_types_are_refused_by_path(db: TestDb) {
    let app = db.open().await;
    for (pointer, value, path) in [
        ("/tags/0/colour", json!(1), "tags[0].colour"),
        ("/netbox_clusters/0/x", json!(1), "netbox_clusters[0].x"),
        ("/netbox_devices/0/x", json!(1), "netbox_devices[0].x"),
        ("/proxmox_endpoints/1/hostname", json!("x"), "proxmox_endpoints[1].hostname"),
        ("/proxmox_clusters/2/x", json!(null), "proxmox_clusters[2].x"),
        ("/proxmox_nodes/0/memory", json!(1), "proxmox_nodes[0].memory"),
        ("/proxmox_storages/3/type", json!("dir"), "proxmox_storages[3].type"),
        ("/tokens/0/secret", json!("canary"), "tokens[0].secret"),
        ("/tokens/0/permissions/0/x", json!("canary"), "tokens[0].permissions[0].x"),
        ("/proxmox_endpoint", json!([]), "proxmox_endpoint"),
        ("/tags/0/id", json!("1"), "tags[0].id"),
        ("/tags/0", json!([1, "a", "a", "4caf50"]), "tags[0]"),
        ("/tokens/0", json!(["canary"]), "tokens[0]"),
        ("/tags", json!({}), "tags"),
        ("/proxmox_endpoints/0/port", json!("8006"), "proxmox_endpoints[0].port"),
        ("/proxmox_endpoints/0/port", json!(5_000_000_000_i64), "proxmox_endpoints[0].port"),
        ("/proxmox_endpoints/0/verify_ssl", json!("yes"), "proxmox_endpoints[0].verify_ssl"),
        ("/proxmox_endpoints/0/password", json!(["canary"]), "proxmox_endpoints[0].password"),
        ("/proxmox_endpoints/0/token_value", json!({"canary": "canary"}), "proxmox_endpoints[0].token_value"),
        ("/proxmox_endpoints/0/name", json!(null), "proxmox_endpoints[0].name"),
        ("/proxmox_endpoints/0/created", json!("yesterday"), "proxmox_endpoints[0].created"),
        ("/proxmox_endpoints/0/created", json!("0000-01-01T00:00:00Z"), "proxmox_endpoints[0].created"),
        ("/proxmox_endpoints/0/tags", json!(["a"]), "proxmox_endpoints[0].tags[0]"),
        ("/proxmox_clusters/0/nodes_count", json!(1.5), "proxmox_clusters[0].nodes_count"),
        ("/proxmox_nodes/0/max_memory", json!("1"), "proxmox_nodes[0].max_memory"),
        ("/proxmox_nodes/0/online", json!(1), "proxmox_nodes[0].online"),
        ("/proxmox_nodes/0/endpoint", json!(null), "proxmox_nodes[0].endpoint"),
        ("/proxmox_storages/0/nodes", json!(["p1"]), "proxmox_storages[0].nodes"),
        ("/tokens/0", json!("canary"), "tokens[0]"),
        ("/tokens/0/value", json!(12345), "tokens[0].value"),
        ("/tokens/0/expires", json!(0), "tokens[0].expires"),
        ("/tokens/0/allowed_ips", json!("10.0.0.0/8"), "tokens[0].allowed_ips"),
        ("/tokens", json!("canary"), "tokens"),
        ("/next_id", json!("canary"), "next_id"),
        ("/pepper", json!({"canary": 1}), "pepper"),
    ] {
        refused(&app, &changed(&[(pointer, value)]), path).await;
    }
    for file in ["", "{", "[]", "null", "{} {}", "{\"tags\": [], \"tags\": []}", "\u{feff}{}", "{\"canary\": 1,}"] {
        assert!(try_load(&app, file).await.is_err(), "{file}");
    }
    let missing =
        [("tags", "slug"), ("proxmox_endpoints", "mode"), ("proxmox_storages", "cluster"), ("tokens", "name")];
    for (list, key) in missing {
        let mut file = topology();
        file[list][0].as_object_mut().unwrap().remove(key);
        let message = refused(&app, &file, &format!("{list}[0]")).await;
        assert!(message.contains(key), "{message}");
    }
    is_untouched(&app).await;
}

async fn dangling_references_and_duplicates_are_refused_by_path(db: TestDb) {
    let app = db.open().await;
    let again = |list: &str, changes: Value| {
        let mut file = topology();
        let mut row = file[list][0].clone();
        row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        file[list].as_array_mut().unwrap().push(row);
        file
    };
    for (pointer, value, path) in [
        ("/proxmox_clusters/1/endpoint", json!(9), "proxmox_clusters[1].endpoint"),
        ("/proxmox_clusters/1/netbox_cluster", json!(9), "proxmox_clusters[1].netbox_cluster"),
        ("/proxmox_nodes/2/endpoint", json!(9), "proxmox_nodes[2].endpoint"),
        ("/proxmox_nodes/2/proxmox_cluster", json!(9), "proxmox_nodes[2].proxmox_cluster"),
        ("/proxmox_nodes/2/netbox_device", json!(9), "proxmox_nodes[2].netbox_device"),
        ("/proxmox_storages/3/cluster", json!(9), "proxmox_storages[3].cluster"),
        ("/proxmox_storages/3/source", json!(9), "proxmox_storages[3].source"),
        ("/proxmox_endpoints/1/tags", json!([1, 9]), "proxmox_endpoints[1].tags[1]"),
        ("/proxmox_clusters/0/tags", json!([9]), "proxmox_clusters[0].tags[0]"),
        ("/proxmox_nodes/0/tags", json!([1, 2, 1]), "proxmox_nodes[0].tags[2]"),
        ("/proxmox_storages/0/tags", json!([-1]), "proxmox_storages[0].tags[0]"),
        ("/tags/1/id", json!(0), "tags[1].id"),
        ("/tags/1/id", json!(i32::MAX), "tags[1].id"),
        ("/proxmox_storages/1/id", json!(-5), "proxmox_storages[1].id"),
    ] {
        refused(&app, &changed(&[(pointer, value)]), path).await;
    }
    for (list, changes, path) in [
        ("tags", json!({"name": "c", "slug": "c"}), "tags[2].id"),
        ("tags", json!({"id": 3, "slug": "c"}), "tags[2].name"),
        ("tags", json!({"id": 3, "name": "c"}), "tags[2].slug"),
        ("netbox_clusters", json!({}), "netbox_clusters[2].id"),
        ("netbox_devices", json!({}), "netbox_devices[2].id"),
        ("proxmox_endpoints", json!({"name": "x"}), "proxmox_endpoints[2].id"),
        ("proxmox_endpoints", json!({"id": 3}), "proxmox_endpoints[2].name"),
        ("proxmox_endpoints", json!({"id": 3, "domain": "192.0.2.2", "name": "e2"}), "proxmox_endpoints[2].name"),
        ("proxmox_clusters", json!({"name": "x"}), "proxmox_clusters[5].id"),
        ("proxmox_clusters", json!({"id": 6}), "proxmox_clusters[5].name"),
        ("proxmox_nodes", json!({"name": "x"}), "proxmox_nodes[3].id"),
        ("proxmox_nodes", json!({"id": 6}), "proxmox_nodes[3].name"),
        ("proxmox_storages", json!({"name": "x"}), "proxmox_storages[4].id"),
        ("proxmox_storages", json!({"id": 6}), "proxmox_storages[4].name"),
        ("tokens", json!({"value": "8".repeat(40)}), "tokens[1].name"),
        ("tokens", json!({"name": "other"}), "tokens[1]"),
    ] {
        refused(&app, &again(list, changes), path).await;
    }
    is_untouched(&app).await;
}

async fn wrong_values_are_refused_by_path(db: TestDb) {
    let app = db.open().await;
    let mut cases = vec![
        ("/tags/0/color", json!("4CAF50"), "tags[0].color"),
        ("/tags/0/color", json!("red"), "tags[0].color"),
        ("/tags/0/slug", json!("a b"), "tags[0].slug"),
        ("/tags/0/slug", json!(""), "tags[0].slug"),
        ("/tags/0/name", json!(" "), "tags[0].name"),
        ("/netbox_clusters/0/origin", json!("mine"), "netbox_clusters[0].origin"),
        ("/netbox_devices/0/origin", json!(""), "netbox_devices[0].origin"),
        ("/netbox_devices/0/display", json!(""), "netbox_devices[0].display"),
        ("/proxmox_endpoints/1/ip_address", json!("192.0.2.2/24"), "proxmox_endpoints[1].ip_address"),
        ("/proxmox_endpoints/1/ip_address", json!("e2.example.com"), "proxmox_endpoints[1].ip_address"),
        ("/proxmox_endpoints/1/port", json!(0), "proxmox_endpoints[1].port"),
        ("/proxmox_endpoints/1/port", json!(65536), "proxmox_endpoints[1].port"),
        ("/proxmox_endpoints/1/mode", json!("Cluster"), "proxmox_endpoints[1].mode"),
        ("/proxmox_endpoints/1/tls_fingerprint", json!("AB:CD"), "proxmox_endpoints[1].tls_fingerprint"),
        ("/proxmox_endpoints/1/custom_fields", json!([]), "proxmox_endpoints[1].custom_fields"),
        ("/proxmox_endpoints/1/custom_fields", json!(null), "proxmox_endpoints[1].custom_fields"),
        ("/proxmox_endpoints/1/sealed_password", json!("v1.0.canary"), "proxmox_endpoints[1].sealed_password"),
        ("/proxmox_endpoints/0/sealed_password", json!("v1.0.canary"), "proxmox_endpoints[0].password"),
        ("/proxmox_clusters/0/mode", json!("undefine"), "proxmox_clusters[0].mode"),
        ("/proxmox_clusters/0/nodes_count", json!(-1), "proxmox_clusters[0].nodes_count"),
        ("/proxmox_clusters/0/custom_fields", json!("{}"), "proxmox_clusters[0].custom_fields"),
        ("/proxmox_nodes/0/ip_address", json!(""), "proxmox_nodes[0].ip_address"),
        ("/proxmox_nodes/0/ip_address", json!("fe80::1%eth0"), "proxmox_nodes[0].ip_address"),
        ("/proxmox_nodes/0/custom_fields", json!(1), "proxmox_nodes[0].custom_fields"),
        ("/proxmox_storages/0/name", json!(""), "proxmox_storages[0].name"),
        ("/proxmox_storages/0/custom_fields", json!(1), "proxmox_storages[0].custom_fields"),
        ("/tokens/0/name", json!(""), "tokens[0].name"),
        ("/tokens/0/value", json!("canary"), "tokens[0].value"),
        ("/tokens/0/allowed_ips", json!(["10.0.0.0/8", "10.0.0.0/33"]), "tokens[0].allowed_ips[1]"),
        ("/pepper", json!("canary"), "pepper"),
    ];
    for (value, path) in [
        (json!(["x"]), "[0]"),
        (json!([{"models": ["vm"], "actions": ["view"]}]), "[0].models"),
        (json!([{"models": ["tag"], "actions": ["read"]}]), "[0].actions"),
        (json!([{"models": ["tag"], "actions": "view"}]), "[0].actions"),
        (json!([{"models": ["tag"], "actions": ["view"]}, {"models": ["tag"]}]), "[1].actions"),
        (json!([{"models": ["tag"], "actions": ["view"], "constraints": "x"}]), "[0].constraints"),
        (json!([{"models": ["tag"], "actions": ["view"], "constraints": {"hue": 1}}]), "[0].constraints.hue"),
        (
            json!([{"models": ["tag"], "actions": ["view"], "constraints": {"name__near": "x"}}]),
            "[0].constraints.name__near",
        ),
        (json!([{"models": ["tag"], "actions": ["view"], "constraints": {"name": 1}}]), "[0].constraints.name"),
        (
            json!([{"models": ["tag"], "actions": ["view"], "constraints": {"name__regex": "("}}]),
            "[0].constraints.name__regex",
        ),
        (
            json!([{"models": ["proxmoxstorage"], "actions": ["view"], "constraints": [{}, {"cluster__name__gt": []}]}]),
            "[0].constraints[1].cluster__name__gt",
        ),
        (json!([{"models": ["change"], "actions": ["view"], "constraints": {"id": 1}}]), "[0].constraints"),
    ] {
        let path: &'static str = format!("tokens[0].permissions{path}").leak();
        cases.push(("/tokens/0/permissions", value, path));
    }
    // One character more than the plugin's lengths, which count characters and not bytes.
    for (list, field, length) in [
        ("tags", "name", 100),
        ("tags", "slug", 100),
        ("netbox_clusters", "name", 255),
        ("netbox_devices", "display", 512),
        ("proxmox_endpoints", "name", 255),
        ("proxmox_endpoints", "domain", 255),
        ("proxmox_endpoints", "username", 255),
        ("proxmox_endpoints", "token_name", 255),
        ("proxmox_endpoints", "version", 255),
        ("proxmox_endpoints", "repoid", 255),
        ("proxmox_clusters", "name", 255),
        ("proxmox_clusters", "cluster_id", 255),
        ("proxmox_nodes", "name", 255),
        ("proxmox_nodes", "ssl_fingerprint", 255),
        ("proxmox_nodes", "support_level", 100),
        ("proxmox_storages", "name", 255),
        ("proxmox_storages", "storage_type", 100),
        ("proxmox_storages", "preallocation", 50),
        ("proxmox_storages", "format", 100),
        ("proxmox_storages", "monhost", 512),
        ("proxmox_storages", "prune_backups", 512),
        ("proxmox_storages", "subdir", 255),
    ] {
        let pointer: &'static str = format!("/{list}/0/{field}").leak();
        let path: &'static str = format!("{list}[0].{field}").leak();
        cases.push((pointer, json!("é".repeat(length + 1)), path));
        cases.push((pointer, json!("a\0b"), path));
    }
    cases.push(("/proxmox_storages/0/nodes", json!("a\0b"), "proxmox_storages[0].nodes"));
    for (pointer, value, path) in cases {
        refused(&app, &changed(&[(pointer, value)]), path).await;
    }
    for (key, value) in [("key", json!("\0short")), ("key", json!("ä".repeat(6))), ("digest", json!("0".repeat(64)))] {
        let mut file = topology();
        file["tokens"][0].as_object_mut().unwrap().remove("value");
        file["tokens"][0][key] = value;
        refused(&app, &file, &format!("tokens[0].{key}")).await;
    }
    is_untouched(&app).await;
}

async fn texts_of_full_length_load(db: TestDb) {
    let app = db.open().await;
    let long = "é".repeat(255);
    let file = changed(&[
        ("/proxmox_storages/0/name", json!(long)),
        ("/proxmox_storages/0/monhost", json!("é".repeat(512))),
        ("/proxmox_storages/0/nodes", json!("n".repeat(100_000))),
        ("/tags/0/slug", json!("ü".repeat(100))),
        ("/netbox_clusters/0/display", json!("é".repeat(512))),
    ]);
    try_load(&app, &file.to_string()).await.unwrap();
    let row = storage::Entity::find_by_id(1).one(&app.db.read).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.nodes.unwrap().len()), (long.as_str(), 100_000));
}

async fn the_seed_loads_as_it_is(db: TestDb) {
    let app = db.seeded().await;
    let seed: Value = serde_json::from_str(SEED).unwrap();
    let dump: Value = serde_json::from_str(&dumped(&app, false).await).unwrap();
    for (list, rows) in seed.as_object().unwrap() {
        let Some(rows) = rows.as_array().filter(|_| list != "tokens") else { continue };
        assert_eq!(dump[list].as_array().unwrap().len(), rows.len());
        for (row, loaded) in rows.iter().zip(dump[list].as_array().unwrap()) {
            for (key, value) in row.as_object().unwrap() {
                let expected = match (key.as_str(), value.as_str()) {
                    ("password" | "token_value", _) => continue,
                    ("ip_address", Some("2001:db8:0:0:0:0:0:ff")) => json!("2001:db8::ff"),
                    _ => value.clone(),
                };
                assert_eq!(loaded[key], expected, "{list} {row}");
            }
        }
    }
    let log = changes_after(&app, 0).await;
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].action, log[0].revision, log[0].ordinal), (Action::Loaded, 1, 0));
    assert_eq!((&log[0].object_type, log[0].object_id, &log[0].before), (&None, None, &None));
    assert_eq!(log[0].after.as_ref().unwrap().0["proxmox_nodes"], 14);
    assert_eq!(*app.events.subscribe().borrow(), 1);
}

async fn tokens_of_the_file_work(db: TestDb) {
    let server = db.server().await;
    let nodes = "{ proxmoxNodes { totalCount } }";
    for (token, count) in [
        (ADMIN, 14),
        ("nbt_oraclekey001.abcdefghijklmnopqrstuvwxyz0123456789ABCD", 14),
        ("1111111111111111111111111111111111111111", 14),
        ("3333333333333333333333333333333333333333", 0),
    ] {
        let data = server.ask_as(token, nodes, json!({})).await.data();
        assert_eq!(data["proxmoxNodes"]["totalCount"], count, "{token}");
    }
    for token in [
        "4444444444444444444444444444444444444444",
        "5555555555555555555555555555555555555555",
        "6666666666666666666666666666666666666666",
        "nbt_oraclekey002.abcdefghijklmnopqrstuvwxyz0123456789ABCD",
        "nbt_oraclekey001.abcdefghijklmnopqrstuvwxyz0123456789ABCE",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    ] {
        assert_eq!(server.ask_as(token, nodes, json!({})).await.code(), "UNAUTHENTICATED", "{token}");
    }
    let elsewhere = "7777777777777777777777777777777777777777";
    assert_eq!(server.ask_as(elsewhere, nodes, json!({})).await.code(), "FORBIDDEN");
}

async fn next_endpoint(app: &App) -> i32 {
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    let row = create::<endpoint_row::Model>(&mut tx, &super::new_endpoint("next")).await.unwrap();
    tx.commit().await.unwrap();
    row.id
}

async fn new_ids_start_at_next_id(db: TestDb) {
    assert_eq!(next_endpoint(&db.seeded().await).await, 101);
}

async fn new_ids_follow_the_largest_without_a_next_id(db: TestDb) {
    let app = db.open().await;
    let mut file = changed(&[("/proxmox_endpoints/1/id", json!(2_000_000_000))]);
    file.as_object_mut().unwrap().remove("next_id");
    for list in ["proxmox_clusters", "proxmox_nodes", "proxmox_storages"] {
        file[list] = json!([]);
    }
    try_load(&app, &file.to_string()).await.unwrap();
    assert_eq!(next_endpoint(&app).await, 2_000_000_001);
}

async fn what_a_file_leaves_out_has_a_default(db: TestDb) {
    let app = db.open().await;
    try_load(&app, "{}").await.unwrap();
    drop(app);
    let other = sqlite_beside(&db, "defaults.db");
    let app = other.open().await;
    fill(&app, &topology().to_string()).await;
    let dump: Value = serde_json::from_str(&dumped(&app, false).await).unwrap();
    let endpoint = &dump["proxmox_endpoints"][1];
    for (key, value) in [
        ("port", json!(8006)),
        ("username", json!("root@pam")),
        ("token_name", json!("")),
        ("verify_ssl", json!(false)),
        ("enabled", json!(true)),
        ("tls_fingerprint", json!(null)),
        ("domain", json!(null)),
        ("custom_fields", json!({})),
    ] {
        assert_eq!(endpoint[key], value, "{key}");
    }
    assert_eq!(dump["netbox_clusters"][0]["origin"], "manual");
    assert_eq!(dump["proxmox_storages"][3]["source"], json!(null));
    assert_eq!(dump["proxmox_storages"][3]["enabled"], true);
    assert_eq!(dump["proxmox_storages"][3]["content"], json!(null));
}

async fn optional_keys_are_kept(db: TestDb) {
    let app = db.open().await;
    let fingerprint = "ab".repeat(32);
    let file = changed(&[
        ("/proxmox_endpoints/1/enabled", json!(false)),
        ("/proxmox_endpoints/1/tls_fingerprint", json!(fingerprint)),
        ("/netbox_clusters/1/origin", json!("local")),
        ("/netbox_devices/1/origin", json!("netbox")),
        ("/proxmox_nodes/0/metrics_at", json!("2026-05-01T02:00:00.1234567+02:00")),
        ("/tokens/0/last_used", json!("2026-05-01T00:00:00Z")),
        ("/tokens/0/created", json!("2025-05-01T00:00:00Z")),
    ]);
    try_load(&app, &file.to_string()).await.unwrap();
    let dump: Value = serde_json::from_str(&dumped(&app, false).await).unwrap();
    assert_eq!(dump["proxmox_endpoints"][1]["enabled"], false);
    assert_eq!(dump["proxmox_endpoints"][1]["tls_fingerprint"], ["AB"; 32].join(":"));
    assert_eq!(dump["netbox_clusters"][1]["origin"], "local");
    assert_eq!(dump["netbox_devices"][1]["origin"], "netbox");
    assert_eq!(dump["proxmox_nodes"][0]["metrics_at"], "2026-05-01T00:00:00.123456Z");
    assert_eq!(dump["tokens"][0]["last_used"], "2026-05-01T00:00:00.000000Z");
    assert_eq!(dump["tokens"][0]["created"], "2025-05-01T00:00:00.000000Z");
}

async fn only_an_empty_database_is_filled(db: TestDb) {
    let app = db.open().await;
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    let new = NewToken {
        name: "mine".into(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions: Vec::new(),
    };
    token::create(&mut tx, &app.pepper, new, &random_value(true)).await.unwrap();
    tx.commit().await.unwrap();
    let message = try_load(&app, SEED).await.expect_err("a token is there").to_string();
    assert!(message.contains("not empty") && message.contains("1 tokens"), "{message}");
    assert_eq!(number(&app.db, "SELECT COUNT(*) FROM proxmox_endpoint").await, 0);
    let mut table = "api_token";
    for (list, next) in [
        ("tags", "tag"),
        ("netbox_clusters", "netbox_cluster"),
        ("netbox_devices", "netbox_device"),
        ("proxmox_endpoints", "proxmox_endpoint"),
    ] {
        execute(&app.db, &format!("DELETE FROM {table}")).await;
        let mut row = topology()[list][0].clone();
        row.as_object_mut().unwrap().remove("tags");
        try_load(&app, &json!({list: [row]}).to_string()).await.unwrap();
        let message = try_load(&app, "{}").await.expect_err(list).to_string();
        assert!(message.contains("not empty"), "{message}");
        table = next;
    }
}

async fn secrets_are_sealed_and_open_again(db: TestDb) {
    let app = db.seeded().await;
    let secrets = ["s3cret", "11111111-2222-3333-4444-555555555555", ADMIN, "abcdefghijklmnopqrstuvwxyz0123456789ABCD"];
    let disk = stolen(&db, &app).await;
    assert!(disk.contains("prod-proxmox"), "the thief finds what is in clear");
    for secret in secrets {
        assert!(!disk.contains(secret), "{secret} lies in clear");
    }
    let row = endpoint_row::Entity::find_by_id(1).one(&app.db.read).await.unwrap().unwrap();
    let open = |sealed: &str, column| app.sealer.open(sealed, Place { table: "proxmox_endpoint", row: "1", column });
    let password = open(row.password.as_deref().unwrap(), "password").unwrap();
    assert_eq!(password.expose_secret().as_slice(), b"s3cret");
    let token = open(row.token_value.as_deref().unwrap(), "token_value").unwrap();
    assert_eq!(token.expose_secret().as_slice(), b"11111111-2222-3333-4444-555555555555");
    let empty = endpoint_row::Entity::find_by_id(2).one(&app.db.read).await.unwrap().unwrap();
    assert_eq!((empty.password, empty.token_value), (None, None), "an empty secret is none");
}

async fn addresses_are_canonical_and_mapped_ones_stay(db: TestDb) {
    let app = db.open().await;
    let addresses = [
        ("2001:db8:0:0:0:0:0:ff", "2001:db8::ff"),
        ("2001:DB8::FF", "2001:db8::ff"),
        ("::ffff:10.0.0.10", "::ffff:10.0.0.10"),
        ("::ffff:a00:a", "::ffff:10.0.0.10"),
        ("::1.2.3.4", "::1.2.3.4"),
        ("::102:304", "::1.2.3.4"),
        ("::1", "::1"),
        ("10.0.0.10", "10.0.0.10"),
    ];
    let mut file = topology();
    for (i, (given, _)) in addresses.iter().enumerate() {
        let name = format!("address-{i}");
        set(&mut file, "/proxmox_nodes/-", json!({"id": 100 + i, "endpoint": 1, "name": name, "ip_address": given}));
        let endpoint = json!({"id": 100 + i, "name": name, "mode": "undefined", "ip_address": given});
        set(&mut file, "/proxmox_endpoints/-", endpoint);
    }
    try_load(&app, &file.to_string()).await.unwrap();
    for table in ["proxmox_node", "proxmox_endpoint"] {
        let rows = ask(&app.db, &format!("SELECT ip_address FROM {table} WHERE id >= 100 ORDER BY id")).await;
        let stored = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>();
        assert_eq!(stored, addresses.map(|(_, stored)| stored), "{table}");
    }
}

async fn null_and_empty_stay_apart(db: TestDb) {
    let app = db.open().await;
    let fields = ["storage_type", "content", "path", "nodes", "server", "username", "pool", "monhost", "format"];
    let mut file = topology();
    for field in fields {
        file["proxmox_storages"][0][field] = json!("");
        file["proxmox_storages"][1][field] = json!(null);
    }
    file["proxmox_endpoints"][0]["version"] = json!("");
    file["proxmox_endpoints"][1]["domain"] = json!("");
    try_load(&app, &file.to_string()).await.unwrap();
    let dump: Value = serde_json::from_str(&dumped(&app, false).await).unwrap();
    for field in fields {
        assert_eq!(dump["proxmox_storages"][0][field], "");
        assert_eq!(dump["proxmox_storages"][1][field], json!(null));
    }
    assert_eq!(dump["proxmox_endpoints"][0]["version"], "");
    assert_eq!(dump["proxmox_endpoints"][1]["version"], json!(null));
    assert_eq!(dump["proxmox_endpoints"][1]["domain"], "");
}

async fn documents_and_numbers_are_exact(db: TestDb) {
    let app = db.open().await;
    let raw = r#"{"zeta":1,"alpha":{"b":[1,2.5,null,true],"a":0.30000000000000004},"é":"ü\u0000😀","big":1e+16,"max":18446744073709551615,"min":-9223372036854775808,"tiny":5e-324,"Z":{}}"#;
    let mut file = topology();
    file["proxmox_storages"][0]["raw_config"] = serde_json::from_str(raw).unwrap();
    file["proxmox_storages"][1]["raw_config"] = json!([1, "x"]);
    let big = (0..20_000).map(|i| (format!("key-{}", (i * 7919) % 20_000), json!(i))).collect::<Map<_, _>>();
    file["proxmox_storages"][2]["raw_config"] = Value::Object(big.clone());
    file["proxmox_nodes"][0]["cpu_usage"] = json!(0.30000000000000004);
    file["proxmox_nodes"][1]["cpu_usage"] = json!(1e16);
    file["proxmox_nodes"][0]["max_memory"] = json!(i64::MAX);
    file["proxmox_nodes"][0]["memory_usage"] = json!(9_007_199_254_740_993_i64);
    file["proxmox_nodes"][2]["name"] = json!("東京 \u{1F600} e\u{301} ß \\ % _ ' \"");
    try_load(&app, &file.to_string()).await.unwrap();
    let stored = storage::Entity::find_by_id(1).one(&app.db.read).await.unwrap().unwrap().raw_config;
    assert_eq!(stored.0.to_string(), raw);
    let stored = storage::Entity::find_by_id(3).one(&app.db.read).await.unwrap().unwrap().raw_config;
    assert_eq!(stored.0.to_string(), Value::Object(big).to_string());
    let node = async |id| node::Entity::find_by_id(id).one(&app.db.read).await.unwrap().unwrap();
    assert_eq!(node(1).await.cpu_usage, Some(0.30000000000000004));
    assert_eq!(node(2).await.cpu_usage, Some(1e16));
    assert_eq!((node(1).await.max_memory, node(1).await.memory_usage), (Some(i64::MAX), Some(9_007_199_254_740_993)));
    assert_eq!(node(3).await.name, "東京 \u{1F600} e\u{301} ß \\ % _ ' \"");
    assert!(dumped(&app, false).await.contains("0.30000000000000004"));
}

async fn tokens_without_a_value_are_listed_and_unusable(db: TestDb) {
    let app = db.open().await;
    let mut file = topology();
    let everything = json!([{"models": ["*"], "actions": ["view"]}]);
    file["tokens"] = json!([
        {"name": "v1", "permissions": everything},
        {"name": "v2", "key": "abcdefghijkl", "permissions": everything},
    ]);
    try_load(&app, &file.to_string()).await.unwrap();
    let tokens = token_row::Entity::find().all(&app.db.read).await.unwrap();
    assert!(tokens.len() == 2 && tokens.iter().all(|token| token.digest.is_none()), "{tokens:?}");
    let server = Server::new(app);
    for token in [format!("nbt_abcdefghijkl.{}", "0".repeat(40)), "0".repeat(40)] {
        assert_eq!(server.ask_as(&token, "{ __typename }", json!({})).await.code(), "UNAUTHENTICATED");
    }
}

async fn progress_ends_with_all_rows(db: TestDb) {
    let app = db.open().await;
    let seen = std::sync::Mutex::new(Vec::new());
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    let file = load::parse(SEED.as_bytes()).unwrap();
    load::load(&mut tx, &app.sealer, &app.pepper, file, &|done, all| seen.lock().unwrap().push((done, all)))
        .await
        .unwrap();
    drop(tx);
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.windows(2).all(|pair| pair[0].0 <= pair[1].0) && seen.iter().all(|(done, all)| done <= all),
        "{seen:?}"
    );
    assert_eq!(number(&app.db, "SELECT COUNT(*) FROM tag").await, 0);
}

both!(
    unknown_keys_and_wrong_types_are_refused_by_path,
    dangling_references_and_duplicates_are_refused_by_path,
    wrong_values_are_refused_by_path,
    texts_of_full_length_load,
    the_seed_loads_as_it_is,
    tokens_of_the_file_work,
    new_ids_start_at_next_id,
    new_ids_follow_the_largest_without_a_next_id,
    what_a_file_leaves_out_has_a_default,
    optional_keys_are_kept,
    only_an_empty_database_is_filled,
    secrets_are_sealed_and_open_again,
    addresses_are_canonical_and_mapped_ones_stay,
    null_and_empty_stay_apart,
    documents_and_numbers_are_exact,
    tokens_without_a_value_are_listed_and_unusable,
    progress_ends_with_all_rows,
);
