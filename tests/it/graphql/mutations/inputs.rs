//! From an input to a row: each mutation of the three models, absent and null, locks.
use super::{Desk, complete, document, holds, models, short, stored, told};
use crate::service::execute;
use crate::support::{ADMIN, TestDb, both};
use proxbox_graphql::entity::JsonText;
use serde_json::{Value, json};

/// Every field arrives, and the change log shows the same rows.
async fn create_update_and_delete_do_what_they_say(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, list, input) in models() {
        let revision = desk.revision().await;
        let mut given = input.clone();
        given["clientMutationId"] = json!("mine");
        let payload = desk.done(&format!("create{model}"), given).await;
        assert_eq!((&payload["created"], &payload["clientMutationId"]), (&json!(true), &json!("mine")));
        let id = payload["object"]["databaseId"].as_i64().unwrap();
        assert_eq!(payload["object"]["id"], format!("{model}:{id}"));
        let made = desk.row(list, id).await;
        holds(&made, &input);
        assert_eq!(made["created"], made["last_updated"]);
        let changes = desk.changes(revision, "token:admin").await;
        let [change] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(short(change), format!("created {} {id}", &list[..list.len() - 1]));
        let after = desk.document_of(list, id).await;
        assert_eq!((&change.before, &change.after), (&None, &Some(JsonText(after.clone()))));
        assert_eq!(change.revision, revision + 1);

        // Under either form of its id; what is not named stays.
        let tags = json!({"id": format!("{model}:{id}"), "name": "newer", "tags": ["unicode", "test-env"],
            "customFields": {"b": [1], "a": null}});
        let payload = desk.done(&format!("update{model}"), tags).await;
        assert_eq!((&payload["created"], &payload["object"]["databaseId"]), (&json!(false), &json!(id)));
        let row = desk.row(list, id).await;
        let mut expected = made.clone();
        expected["name"] = json!("newer");
        expected["tags"] = json!([2, 3]);
        expected["custom_fields"] = json!({"a": null, "b": [1]});
        expected["last_updated"] = row["last_updated"].clone();
        assert_eq!(row, expected);
        assert!(row["last_updated"].as_str() > made["last_updated"].as_str());
        let changes = desk.changes(revision + 1, "token:admin").await;
        let [change] = &changes[..] else { panic!("{changes:?}") };
        let (mut names, table) = (vec!["name", "tags", "custom_fields"], &list[..list.len() - 1]);
        let mut changed: Vec<&str> = change.changed.0.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        names.sort_unstable();
        changed.sort_unstable();
        assert_eq!((changed, change.object_type.as_deref(), change.object_id), (names, Some(table), Some(id as i32)));
        let now = desk.document_of(list, id).await;
        let (before, after) = (change.before.clone().unwrap().0, change.after.clone().unwrap().0);
        assert_eq!((&before, &after), (&changes_document(list, &made, &before), &now));

        let payload =
            desk.done(&format!("delete{model}"), json!({"id": id.to_string(), "clientMutationId": "x"})).await;
        let gone = json!([format!("{model}:{id}"), id, [], "x"]);
        let got = ["deletedId", "deletedDatabaseId", "effects", "clientMutationId"].map(|key| payload[key].clone());
        assert_eq!(json!(got), gone);
        assert!(desk.row(list, id).await.is_null());
        let changes = desk.changes(revision + 2, "token:admin").await;
        let [change] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(short(change), format!("deleted {table} {id}"));
        assert_eq!((&change.before, &change.after), (&Some(JsonText(now)), &None));
        assert_eq!(desk.refused(&format!("delete{model}"), json!({"id": id.to_string()})).await, ["NOT_FOUND id"]);
        let nothing = json!({"id": id.to_string(), "name": ""});
        assert_eq!(desk.refused(&format!("update{model}"), nothing).await, ["NOT_FOUND id"]);
    }
}

/// The document of a row whose tag is `prod`.
fn changes_document(list: &str, row: &Value, like: &Value) -> Value {
    let mut document = row.clone();
    document["tags"] = json!(["prod"]);
    complete(list, document.as_object_mut().unwrap());
    assert_eq!(document.as_object().unwrap().len(), like.as_object().unwrap().len());
    document
}

async fn a_new_row_has_the_plugin_s_defaults(db: TestDb) {
    let desk = Desk::new(&db).await;
    let id = desk.made("createProxmoxCluster", json!({"endpoint": 1, "name": "d", "mode": "UNDEFINED"})).await;
    let row = desk.row("proxmox_clusters", id).await;
    let expected = json!({"endpoint": 1, "netboxCluster": null, "clusterId": "", "nodesCount": 0, "quorate": false,
        "version": null, "tags": [], "customFields": {}});
    holds(&row, &expected);
    let id = desk.made("createProxmoxNode", json!({"endpoint": 1, "name": "d", "ipAddress": "::1"})).await;
    let row = desk.row("proxmox_nodes", id).await;
    let expected = json!({"endpoint": 1, "proxmoxCluster": null, "netboxDevice": null, "nodeId": null, "online": false,
        "local": false, "cpuUsage": null, "maxCpu": null, "memoryUsage": null, "maxMemory": null, "sslFingerprint": "",
        "supportLevel": "", "tags": [], "customFields": {}});
    holds(&row, &expected);
    let id = desk.made("createProxmoxStorage", json!({"cluster": 5, "name": "d"})).await;
    let row = desk.row("proxmox_storages", id).await;
    holds(
        &row,
        &json!({"cluster": 5, "shared": false, "enabled": true, "rawConfig": {}, "tags": [], "customFields": {}}),
    );
    let null = row.as_object().unwrap().values().filter(|value| value.is_null()).count();
    assert_eq!(null, 21, "all texts and numbers, and the source: {row}");
}

/// By its natural key, trimmed and with case; what is not named keeps its value.
async fn upsert_updates_what_has_the_same_key(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, list, input) in models() {
        let upsert = format!("upsert{model}");
        let id = desk.made(&upsert, input.clone()).await;
        let made = desk.row(list, id).await;
        holds(&made, &input);
        let mut key =
            json!({"name": "  new\n", "tags": ["unicode"], "customFields": {"b": 2}, "clientMutationId": "c"});
        for (field, value) in input.as_object().unwrap() {
            if ["endpoint", "cluster", "mode", "ipAddress"].contains(&field.as_str()) {
                key[field] = value.clone();
            }
        }
        let raw = json!({"b": 1, "a": {"y": 1, "x": 2}});
        if model == "ProxmoxStorage" {
            key["rawConfig"] = raw.clone();
        }
        let revision = desk.revision().await;
        let payload = desk.done(&upsert, key.clone()).await;
        let got = [&payload["created"], &payload["object"]["databaseId"], &payload["clientMutationId"]];
        assert_eq!(json!(got), json!([false, id, "c"]));
        let row = desk.row(list, id).await;
        let mut expected = made.clone();
        expected["tags"] = json!([3]);
        expected["custom_fields"] = json!({"a": 1, "b": 2});
        expected["last_updated"] = row["last_updated"].clone();
        if model == "ProxmoxStorage" {
            expected["raw_config"] = raw;
            assert_eq!(row["raw_config"].to_string(), r#"{"b":1,"a":{"y":1,"x":2}}"#, "the order of its keys");
        }
        assert_eq!(row, expected);
        assert_eq!(desk.changes(revision, "token:admin").await.len(), 1);
        // The same once more changes nothing.
        let state = desk.state().await;
        assert_eq!(desk.done(&upsert, key.clone()).await["object"]["databaseId"], id);
        assert_eq!(desk.state().await, state);
        // Another case, or another parent, is another key.
        key["name"] = json!("NEW");
        let other = desk.made(&upsert, key.clone()).await;
        assert_ne!(other, id);
        let parent = if model == "ProxmoxStorage" { "cluster" } else { "endpoint" };
        key[parent] = json!("2");
        desk.made(&upsert, key.clone()).await;
        // A new one must be sound; so must a known one.
        key["name"] = json!("\u{a0} ");
        assert_eq!(desk.refused(&upsert, key.clone()).await, ["REQUIRED name"]);
        key["name"] = json!("NEW");
        key["tags"] = json!(["nope"]);
        assert_eq!(desk.refused(&upsert, key).await, ["REFERENCE_NOT_FOUND tags.0"]);
    }
}

/// A mutation, a list, an id, a field, its column and type, a value, and whether null clears it.
type Case = (&'static str, &'static str, i64, &'static str, &'static str, &'static str, Value, bool);

fn cases() -> Vec<Case> {
    let (node, storage) = ("updateProxmoxNode", "updateProxmoxStorage");
    vec![
        (storage, "proxmox_storages", 3, "content", "content", "String", json!("iso"), true),
        (storage, "proxmox_storages", 3, "port", "port", "Int", json!(7), true),
        (storage, "proxmox_storages", 3, "rawConfig", "raw_config", "JSON", json!([1]), false),
        (storage, "proxmox_storages", 3, "tags", "tags", "[String!]", json!(["unicode"]), false),
        (storage, "proxmox_storages", 3, "name", "name", "String", json!("other"), false),
        (storage, "proxmox_storages", 3, "shared", "shared", "Boolean", json!(false), false),
        (storage, "proxmox_storages", 3, "cluster", "cluster", "ID", json!("1"), false),
        (node, "proxmox_nodes", 1, "netboxDevice", "netbox_device", "ID", json!("NetBoxDevice:31"), true),
        (node, "proxmox_nodes", 1, "proxmoxCluster", "proxmox_cluster", "ID", json!("2"), true),
        (node, "proxmox_nodes", 1, "memoryUsage", "memory_usage", "BigInt", json!(5), true),
        (node, "proxmox_nodes", 1, "cpuUsage", "cpu_usage", "Float", json!(0.5), true),
        (node, "proxmox_nodes", 1, "ipAddress", "ip_address", "String", json!("::2"), true),
        (node, "proxmox_nodes", 1, "sslFingerprint", "ssl_fingerprint", "String", json!("x"), false),
        (node, "proxmox_nodes", 1, "customFields", "custom_fields", "JSON", json!({"x": {"y": null}}), false),
        ("updateProxmoxCluster", "proxmox_clusters", 1, "nodesCount", "nodes_count", "Int", json!(9), false),
        ("updateProxmoxCluster", "proxmox_clusters", 1, "version", "version", "Int", json!(-9), true),
        ("updateProxmoxCluster", "proxmox_clusters", 1, "mode", "mode", "ProxmoxMode", json!("UNDEFINED"), false),
        ("updateProxmoxCluster", "proxmox_clusters", 1, "endpoint", "endpoint", "ID", json!("3"), false),
    ]
}

/// A value as GraphQL writes it.
fn literal(value: &Value, ty: &str) -> String {
    match value {
        Value::String(text) if ty == "ProxmoxMode" => text.clone(),
        Value::Object(object) => {
            let each = object.iter().map(|(key, value)| format!("{key}: {}", literal(value, "")));
            format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

/// In each way to write it: as a literal, as a variable that is the whole input, as a variable within the input.
async fn absent_keeps_and_null_clears(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (mutation, list, id, field, column, ty, value, clears) in cases() {
        let whole = document(mutation);
        let body = &whole[whole.find(") {").unwrap() + 3..];
        let within = |inner: &str| {
            let (front, rest) = body.split_once("$input").unwrap();
            format!("{front}{{id: {id}{inner}}}{rest}")
        };
        let plain = |inner: String| (format!("mutation {{ {}", within(&inner)), json!({}));
        let variable = |variables: Value| {
            let head = format!("mutation($v: {ty}) {{ ");
            (head + &within(&format!(", {field}: $v")), variables)
        };
        let object = |input: Value| (whole.clone(), json!({"input": input}));
        let first = desk.row(list, id).await;
        let ways = [
            (None, vec![plain(String::new()), object(json!({"id": id})), variable(json!({}))]),
            (
                Some(Value::Null),
                vec![
                    plain(format!(", {field}: null")),
                    object(json!({"id": id, field: null})),
                    variable(json!({"v": null})),
                ],
            ),
            (
                Some(value.clone()),
                vec![
                    plain(format!(", {field}: {}", literal(&value, ty))),
                    object(json!({"id": id, field: value})),
                    variable(json!({"v": value})),
                ],
            ),
        ];
        for (given, ways) in ways {
            for (query, variables) in ways {
                let state = desk.state().await;
                let answer = desk.send(ADMIN, &query, variables.clone()).await.data();
                let told = told(&answer["payload"]);
                let row = desk.row(list, id).await;
                match &given {
                    Some(Value::Null) if !clears => {
                        assert_eq!(told, [format!("REQUIRED {field}")], "{query} {variables}");
                        assert_eq!(desk.state().await, state);
                    }
                    None => {
                        assert_eq!(told, [""; 0], "{query} {variables}");
                        assert_eq!(desk.state().await, state, "{query} {variables}");
                    }
                    Some(given) => {
                        assert_eq!(told, [""; 0], "{query} {variables}");
                        let mut expected = first.clone();
                        expected[column] = match (column, given) {
                            ("custom_fields", _) => {
                                let mut merged = first[column].clone();
                                merged["x"] = given["x"].clone();
                                merged
                            }
                            _ => stored(field, given),
                        };
                        expected["last_updated"] = row["last_updated"].clone();
                        assert_eq!(row, expected, "{query} {variables}");
                        assert_ne!(row["last_updated"], first["last_updated"]);
                    }
                }
                // As it was, for the next way.
                if row != first {
                    let table = &list[..list.len() - 1];
                    let old = match &first[column] {
                        Value::Null => "NULL".to_owned(),
                        Value::String(text) => format!("'{text}'"),
                        Value::Object(_) => format!("'{}'", first[column]),
                        other => other.to_string(),
                    };
                    if column == "tags" {
                        let tags = json!({"id": id, "tags": ["prod", "test-env"]});
                        desk.done(mutation, tags).await;
                    } else {
                        let stored = match field {
                            "endpoint" | "netboxDevice" | "proxmoxCluster" | "cluster" => format!("{column}_id"),
                            _ => column.to_owned(),
                        };
                        execute(&desk.server.app.db, &format!("UPDATE {table} SET {stored} = {old} WHERE id = {id}"))
                            .await;
                    }
                    let last = first["last_updated"].as_str().unwrap();
                    // Behind what was just written, and again what it was.
                    assert!(!last.is_empty());
                    let mut again = desk.row(list, id).await;
                    again["last_updated"] = first["last_updated"].clone();
                    assert_eq!(again, first, "{field}");
                }
            }
        }
    }
}

async fn creating_takes_null_for_what_may_be_null_only(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, list, input) in models() {
        let create = format!("create{model}");
        let mut required = input.clone();
        let needed = ["endpoint", "cluster", "name", "mode", "ipAddress"];
        required.as_object_mut().unwrap().retain(|field, _| needed.contains(&field.as_str()));
        for field in input.as_object().unwrap().keys().filter(|field| !needed.contains(&field.as_str())) {
            let mut input = required.clone();
            input["name"] = json!(format!("null {field}"));
            input[field] = Value::Null;
            let may_not = [
                "nodesCount",
                "quorate",
                "clusterId",
                "online",
                "local",
                "sslFingerprint",
                "supportLevel",
                "shared",
                "enabled",
                "rawConfig",
                "tags",
                "customFields",
            ];
            if may_not.contains(&field.as_str()) {
                assert_eq!(desk.refused(&create, input).await, [format!("REQUIRED {field}")]);
            } else {
                let id = desk.made(&create, input).await;
                let row = desk.row(list, id).await;
                assert!(
                    row.as_object()
                        .unwrap()
                        .iter()
                        .any(|(name, value)| super::camel(name) == *field && value.is_null())
                );
            }
        }
    }
}

/// The lock of whoever read the object before.
async fn if_last_updated_refuses_what_was_changed_since(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, list, field, value) in [
        ("ProxmoxCluster", "proxmox_clusters", "quorate", json!(false)),
        ("ProxmoxNode", "proxmox_nodes", "online", json!(false)),
        ("ProxmoxStorage", "proxmox_storages", "shared", json!(true)),
        ("ProxmoxEndpoint", "proxmox_endpoints", "enabled", json!(false)),
    ] {
        let (update, delete) = (format!("update{model}"), format!("delete{model}"));
        let id = if list == "proxmox_endpoints" { 3 } else { 1 };
        let time = desk.row(list, id).await["last_updated"].clone();
        let input = json!({"id": id, field: value, "ifLastUpdated": time});
        desk.done(&update, input.clone()).await;
        assert_eq!(desk.refused(&update, input.clone()).await, ["STALE ifLastUpdated"]);
        // Also when nothing would change, and from before what is checked of the values.
        let mut wrong = input.clone();
        wrong["name"] = json!("");
        assert_eq!(desk.refused(&update, wrong).await, ["STALE ifLastUpdated"]);
        let stale = json!({"id": id, "ifLastUpdated": time});
        assert_eq!(desk.refused(&delete, stale).await, ["STALE ifLastUpdated"]);
        // The time that the API itself shows is exact, and null asks for nothing.
        let field = model[..1].to_lowercase() + &model[1..];
        let shown = desk.server.data(&format!("{{ {field}(id: {id}) {{ lastUpdated }} }}")).await;
        let unlocked = json!({"id": id, "name": "renamed", "ifLastUpdated": shown[&field]["lastUpdated"]});
        desk.done(&update, unlocked).await;
        desk.done(&update, json!({"id": id, "name": "again", "ifLastUpdated": null})).await;
        let time = desk.row(list, id).await["last_updated"].clone();
        desk.done(&delete, json!({"id": id, "ifLastUpdated": time})).await;
        assert!(desk.row(list, id).await.is_null());
    }
    // In bulk each item for itself.
    let time = desk.row("proxmox_clusters", 3).await["last_updated"].clone();
    let items = json!([{"id": 3, "version": 1, "ifLastUpdated": time}, {"id": 5, "version": 1, "ifLastUpdated": time}]);
    let payload = desk.ask("updateProxmoxClusters", json!({"items": items, "mode": "BEST_EFFORT"})).await;
    assert_eq!(super::told_each(&payload), [vec![], vec!["STALE items.1.ifLastUpdated".to_owned()]]);
    // What tells no time cannot be locked.
    for delete in ["deleteTag", "deleteNetboxCluster", "deleteNetboxDevice"] {
        let id = if delete == "deleteNetboxDevice" { 31 } else { 1 };
        let input = json!({"id": id, "ifLastUpdated": "2026-01-01T00:00:00Z"});
        assert_eq!(desk.refused(delete, input).await, ["INVALID ifLastUpdated"]);
        desk.done(delete, json!({"id": id, "ifLastUpdated": null})).await;
    }
}

/// Strictly later at each write, whatever the clock says; and nothing at all when nothing changes.
async fn last_updated_only_grows(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (list, model, names) in [
        ("proxmox_clusters", "ProxmoxCluster", ["a", "b", "c"]),
        ("proxmox_nodes", "ProxmoxNode", ["a", "b", "c"]),
        ("proxmox_storages", "ProxmoxStorage", ["a", "b", "c"]),
        ("proxmox_endpoints", "ProxmoxEndpoint", ["a", "b", "c"]),
    ] {
        let update = format!("update{model}");
        let mut last = desk.row(list, 2).await["last_updated"].as_str().unwrap().to_owned();
        for name in names {
            desk.done(&update, json!({"id": 2, "name": name})).await;
            let state = desk.state().await;
            for same in [json!({"id": 2}), json!({"id": 2, "name": format!(" {name} "), "customFields": {}})] {
                let payload = desk.done(&update, same).await;
                assert_eq!((&payload["created"], &payload["object"]["databaseId"]), (&json!(false), &json!(2)));
                assert_eq!(desk.state().await, state);
            }
            let now = desk.row(list, 2).await["last_updated"].as_str().unwrap().to_owned();
            assert!(now > last, "{now} after {last}");
            last = now;
        }
        let table = &list[..list.len() - 1];
        let future = "2099-01-01 00:00:00.000000+00:00";
        let sql = format!("UPDATE {table} SET last_updated = '{future}' WHERE id = 2");
        execute(&desk.server.app.db, &sql).await;
        desk.done(&update, json!({"id": 2, "name": "d"})).await;
        assert_eq!(desk.row(list, 2).await["last_updated"], "2099-01-01T00:00:00.000001Z");
        desk.done(&update, json!({"id": 2, "name": "e"})).await;
        assert_eq!(desk.row(list, 2).await["last_updated"], "2099-01-01T00:00:00.000002Z");
        desk.done(&update, json!({"id": 2, "tags": ["unicode"]})).await;
        assert_eq!(desk.row(list, 2).await["last_updated"], "2099-01-01T00:00:00.000003Z");
    }
}

both!(
    create_update_and_delete_do_what_they_say,
    a_new_row_has_the_plugin_s_defaults,
    upsert_updates_what_has_the_same_key,
    absent_keeps_and_null_clears,
    creating_takes_null_for_what_may_be_null_only,
    if_last_updated_refuses_what_was_changed_since,
    last_updated_only_grows,
);
