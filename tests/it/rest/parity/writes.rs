//! The same write through both doors leaves the same row and the same change.
use crate::graphql::mutations::{Desk, models};
use crate::rest::{CLUSTERS, Call, NODES, STORAGES, patch, post};
use crate::support::{Pristine, TestDb, both};
use serde_json::{Map, Value, json};

/// What differs from one write to the next, at any depth.
const OF_THE_MOMENT: [&str; 3] = ["created", "last_updated", "at"];

fn timeless(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, _)| !OF_THE_MOMENT.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key.clone(), timeless(value))).collect())
        }
        Value::Array(list) => list.iter().map(timeless).collect(),
        other => other.clone(),
    }
}

/// `lastUpdated` as REST writes it.
fn snake(name: &str) -> String {
    name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

/// What GraphQL takes, as REST takes it.
fn body(input: &Value) -> Value {
    let value = |name: &str, value: &Value| match (name, value) {
        ("mode", Value::String(mode)) => json!(mode.to_lowercase()),
        ("endpoint" | "cluster" | "netboxCluster" | "proxmoxCluster" | "netboxDevice", Value::String(id)) => {
            json!(id.parse::<i64>().unwrap())
        }
        ("tags", Value::Array(slugs)) => slugs.iter().map(|slug| json!({"slug": slug})).collect(),
        _ => value.clone(),
    };
    let pairs = input.as_object().unwrap().iter().map(|(name, given)| (snake(name), value(name, given)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// What a write left: all rows, and the changes that it logged, without numbers and times of the moment.
async fn left(desk: &Desk, revision: i64) -> (Value, Vec<Value>) {
    let mut rows = timeless(&desk.file().await);
    rows.as_object_mut().unwrap().retain(|key, _| key != "tokens");
    let changes = desk.changes(revision, "token:admin").await.into_iter().map(|change| {
        json!({
            "action": format!("{:?}", change.action), "type": change.object_type, "id": change.object_id,
            "changed": change.changed.0,
            "before": change.before.map(|document| timeless(&document.0)),
            "after": change.after.map(|document| timeless(&document.0)),
        })
    });
    (rows, changes.collect())
}

/// Does the same through both doors, each on the same rows.
async fn compare(desk: &Desk, pristine: &Pristine, call: &Call, mutation: &str, input: Value) {
    let revision = desk.revision().await;
    let answer = call.send(&desk.server).await;
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(answer.status.is_success(), "{mutation}({input}): {text}");
    let of_rest = left(desk, revision).await;
    pristine.restore().await;
    desk.done(mutation, input.clone()).await;
    let of_graphql = left(desk, revision).await;
    pristine.restore().await;
    assert_eq!(of_rest, of_graphql, "{mutation}({input})");
}

fn path(model: &str) -> &'static str {
    match model {
        "ProxmoxCluster" => CLUSTERS,
        "ProxmoxNode" => NODES,
        _ => STORAGES,
    }
}

/// The fields that may be null.
fn nullable(model: &str) -> &'static [&'static str] {
    match model {
        "ProxmoxCluster" => &["netboxCluster", "version"],
        "ProxmoxNode" => {
            &["proxmoxCluster", "netboxDevice", "nodeId", "ipAddress", "cpuUsage", "maxCpu", "memoryUsage", "maxMemory"]
        }
        _ => &["storageType", "path", "server", "port", "isMountpoint", "maxProtectedBackups"],
    }
}

async fn creations(db: TestDb) {
    let desk = Desk::new(&db).await;
    let pristine = Pristine::keep(&desk.server.app.db).await;
    for (model, _, whole) in models() {
        // Everything, and no more than what must be there.
        let needed = ["endpoint", "cluster", "name", "mode", "ipAddress"];
        let mut least = whole.clone();
        least.as_object_mut().unwrap().retain(|name, _| needed.contains(&name.as_str()));
        least["name"] = json!("  trimmed ü ");
        for input in [whole, least] {
            compare(&desk, &pristine, &post(path(model), &body(&input)), &format!("create{model}"), input.clone())
                .await;
            let bulk = post(path(model), &json!([body(&input)]));
            compare(&desk, &pristine, &bulk, &format!("create{model}s"), json!({"items": [input]})).await;
        }
    }
}

async fn updates(db: TestDb) {
    let desk = Desk::new(&db).await;
    let pristine = Pristine::keep(&desk.server.app.db).await;
    for (model, list, whole) in models() {
        let fields = whole.as_object().unwrap();
        let mut inputs = fields.iter().map(|(name, value)| json!({name: value})).collect::<Vec<_>>();
        inputs.extend(nullable(model).iter().map(|name| json!({*name: null})));
        inputs.extend([
            whole.clone(),
            json!({}),
            json!({"tags": []}),
            json!({"customFields": {"priority": null, "x": [1]}}),
        ]);
        // What is there already.
        inputs.push(json!({"name": desk.row(list, 1).await["name"]}));
        for mut input in inputs {
            let call = patch(&format!("{}1/", path(model)), &body(&input));
            input["id"] = json!(1);
            compare(&desk, &pristine, &call, &format!("update{model}"), input).await;
        }
    }
}

async fn upserts(db: TestDb) {
    let desk = Desk::new(&db).await;
    let pristine = Pristine::keep(&desk.server.app.db).await;
    let item = |name: &str, more: Value| {
        let mut input = json!({"cluster": "5", "name": name});
        more.as_object().unwrap().iter().for_each(|(key, value)| input[key] = value.clone());
        input
    };
    let inputs = [
        item("new", json!({"port": 1})),
        item("local", json!({"port": 1})),
        item(" local ", json!({"tags": ["prod"], "rawConfig": {"b": 1, "a": 2}, "customFields": {"priority": 1}})),
        item("local", json!({})),
        item("Local", json!({})),
    ];
    for input in &inputs {
        compare(&desk, &pristine, &post(STORAGES, &body(input)), "upsertProxmoxStorage", input.clone()).await;
    }
    let bulk = post(STORAGES, &inputs.iter().map(body).collect());
    compare(&desk, &pristine, &bulk, "upsertProxmoxStorages", json!({"items": inputs})).await;
}

async fn deletions(db: TestDb) {
    let desk = Desk::new(&db).await;
    let pristine = Pristine::keep(&desk.server.app.db).await;
    for (path, mutation, id) in [
        (crate::rest::ENDPOINTS, "deleteProxmoxEndpoint", 1),
        (CLUSTERS, "deleteProxmoxCluster", 3),
        (NODES, "deleteProxmoxNode", 2),
        (STORAGES, "deleteProxmoxStorage", 3),
        (crate::rest::NETBOX_CLUSTERS, "deleteNetboxCluster", 5),
        (crate::rest::DEVICES, "deleteNetboxDevice", 42),
        (crate::rest::TAGS, "deleteTag", 1),
    ] {
        let call = Call::new("DELETE", &format!("{path}{id}/"));
        compare(&desk, &pristine, &call, mutation, json!({"id": id})).await;
    }
    let bulk = Call::new("DELETE", NODES).json(&json!([{"id": 3}, {"id": 1}]));
    compare(&desk, &pristine, &bulk, "deleteProxmoxNodes", json!({"ids": [3, 1]})).await;
}

async fn endpoints_and_references(db: TestDb) {
    let desk = Desk::new(&db).await;
    let pristine = Pristine::keep(&desk.server.app.db).await;
    let endpoint = json!({"name": "e", "domain": "e.example.com", "mode": "CLUSTER", "port": 443, "username": "u@pve",
        "tokenName": "t", "verifySsl": true, "tags": ["prod"], "customFields": {"a": 1}});
    // Sealed secrets differ each time; what is left of them is compared by the tests of endpoints.
    for (path, noun, input) in [
        (crate::rest::ENDPOINTS, "ProxmoxEndpoint", endpoint),
        (crate::rest::TAGS, "Tag", json!({"name": "n", "slug": "n", "color": "00ff00"})),
    ] {
        compare(&desk, &pristine, &post(path, &body(&input)), &format!("create{noun}"), input.clone()).await;
        for (name, value) in input.as_object().unwrap() {
            let call = patch(&format!("{path}2/"), &body(&json!({name: value})));
            compare(&desk, &pristine, &call, &format!("update{noun}"), json!({"id": 2, name: value})).await;
        }
    }
    for (path, noun) in [(crate::rest::NETBOX_CLUSTERS, "NetboxCluster"), (crate::rest::DEVICES, "NetboxDevice")] {
        let call = post(path, &json!({"id": 77, "name": " n ", "display": "d"}));
        compare(
            &desk,
            &pristine,
            &call,
            &format!("create{noun}"),
            json!({"databaseId": 77, "name": " n ", "display": "d"}),
        )
        .await;
        let id = if noun == "NetboxDevice" { 40 } else { 4 };
        for change in [json!({"name": "renamed"}), json!({"display": "shown"})] {
            let mut input = change.clone();
            input["id"] = json!(id);
            compare(&desk, &pristine, &patch(&format!("{path}{id}/"), &change), &format!("update{noun}"), input).await;
        }
    }
}

both!(creations, updates, upserts, deletions, endpoints_and_references);
