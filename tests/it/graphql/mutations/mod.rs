//! Mutations as clients see them: what they answer, and the rows and changes that they leave.
mod bulk;
mod deletions;
mod endpoints;
mod inputs;
mod races;
mod references;
mod rights;
mod rules;

use super::camel;
use crate::service::{changes_after, dumped, number};
use crate::support::{ADMIN, Answer, Server, TestDb, fill};
use axum::body::Body;
use axum::http::{Method, Request, header};
use proxbox_graphql::entity::{Action, change};
use proxbox_graphql::graphql::limits::Limits;
use serde_json::{Map, Value, json};

/// A server on the seed, and what is asked of it.
pub struct Desk {
    pub server: Server,
}

/// What stands in the database, without what a failed attempt may move: tokens' last use, and numbers given out.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    rows: Value,
    revision: i64,
    changes: i64,
}

/// The document of a mutation with all of its payload, the object aliased to `object`.
pub fn document(name: &str) -> String {
    let (verb, noun) = name.split_at(name.find(char::is_uppercase).unwrap());
    let (single, bulk) = noun.strip_suffix('s').map_or((noun, ""), |single| (single, "s"));
    let ty = single.replace("Netbox", "NetBox");
    let input = match (verb, bulk) {
        ("delete", "") => "DeleteInput".to_owned(),
        ("delete", _) => "DeleteManyInput".to_owned(),
        ("update", _) => format!("Update{ty}{bulk}Input"),
        ("accept" | "reject", _) => format!("{}{noun}Input", verb[..1].to_uppercase() + &verb[1..]),
        _ => format!("Create{ty}{bulk}Input"),
    };
    let field = single[..1].to_lowercase() + &single[1..];
    let object = format!("object: {field} {{ id databaseId }} created userErrors {{ code message path }}");
    let gone = "deletedId userErrors { code message path }";
    let body = match (verb, bulk) {
        ("delete", "") => {
            format!("{gone} deletedDatabaseId effects {{ type deleted detached }} clientMutationId")
        }
        ("delete", _) => {
            format!("results {{ index {gone} }} succeeded failed effects {{ type deleted detached }} clientMutationId")
        }
        ("accept" | "reject", _) => {
            "object { id databaseId } userErrors { code message path } clientMutationId".to_owned()
        }
        (_, "") => format!("{object} clientMutationId"),
        _ => format!("results {{ index {object} }} succeeded failed clientMutationId"),
    };
    format!("mutation($input: {input}!) {{ payload: {name}(input: $input) {{ {body} }} }}")
}

/// The codes and paths of a payload or a result of several, for comparisons: `REQUIRED name`, `CONFLICT items.2.name`.
#[track_caller]
pub fn told(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("no payload: {payload:#}"));
    let each = errors.iter().map(|error| {
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty());
        for inside in ["constraint", "unique index", "sql", "relation ", "foreign key", "column", "database", "_id"] {
            assert!(!message.to_lowercase().contains(inside), "a word of the inside: {message}");
        }
        let path = error["path"].as_array().unwrap().iter().map(|step| step.as_str().unwrap());
        format!("{} {}", error["code"].as_str().unwrap(), path.collect::<Vec<_>>().join(".")).trim_end().to_owned()
    });
    each.collect()
}

/// What was told of each item of several.
#[track_caller]
pub fn told_each(payload: &Value) -> Vec<Vec<String>> {
    let results = payload["results"].as_array().unwrap();
    for (i, result) in results.iter().enumerate() {
        assert_eq!(result["index"], i);
    }
    results.iter().map(told).collect()
}

impl Desk {
    pub async fn new(db: &TestDb) -> Self {
        Self { server: db.server().await }
    }

    /// With tokens more: each by its value, with its permissions.
    pub async fn with_tokens(db: &TestDb, tokens: &[(String, Value)]) -> Self {
        let mut seed = super::seed();
        let list = seed["tokens"].as_array_mut().unwrap();
        for (value, permissions) in tokens {
            list.push(json!({"name": format!("holder of {value}"), "value": value, "permissions": permissions}));
        }
        let app = db.open().await;
        fill(&app, &seed.to_string()).await;
        // So many items at once as a test wants.
        Self { server: Server::limited(app, Limits::default()) }
    }

    /// Sends a mutation under a request id of its own.
    pub async fn send(&self, token: &str, query: &str, variables: Value) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/graphql")
            .header(header::HOST, "proxbox.example.com")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("x-request-id", "request-of-a-test")
            .body(Body::from(json!({"query": query, "variables": variables}).to_string()))
            .unwrap();
        self.server.send(request).await
    }

    /// The payload of a mutation as this token.
    pub async fn ask_as(&self, token: &str, name: &str, input: Value) -> Value {
        let mut body = self.send(token, &document(name), json!({"input": input})).await.json();
        assert!(body.get("errors").is_none(), "{name}({input}): {body:#}");
        body["data"]["payload"].take()
    }

    pub async fn ask(&self, name: &str, input: Value) -> Value {
        self.ask_as(ADMIN, name, input).await
    }

    /// The payload of a mutation that must succeed.
    pub async fn done(&self, name: &str, input: Value) -> Value {
        let payload = self.ask(name, input.clone()).await;
        if payload.get("userErrors").is_some() {
            assert_eq!(payload["userErrors"], json!([]), "{name}({input})");
        } else {
            assert_eq!(payload["failed"], 0, "{name}({input}): {payload:#}");
        }
        payload
    }

    /// The REST id of what a mutation made.
    pub async fn made(&self, name: &str, input: Value) -> i64 {
        let payload = self.done(name, input).await;
        assert_eq!(payload["created"], true);
        payload["object"]["databaseId"].as_i64().unwrap()
    }

    /// What is told of a mutation that must be refused, and changes nothing.
    pub async fn refused_as(&self, token: &str, name: &str, input: Value) -> Vec<String> {
        let before = self.state().await;
        let payload = self.ask_as(token, name, input.clone()).await;
        let told = told(&payload);
        assert!(!told.is_empty(), "{name}({input}): {payload:#}");
        let (object, gone) = (payload.get("object"), payload.get("deletedId"));
        assert!(object.or(gone).is_some_and(Value::is_null), "{name}({input}): {payload:#}");
        assert_ne!(payload["created"], true);
        assert_eq!(self.state().await, before, "{name}({input})");
        told
    }

    pub async fn refused(&self, name: &str, input: Value) -> Vec<String> {
        self.refused_as(ADMIN, name, input).await
    }

    pub async fn file(&self) -> Value {
        serde_json::from_str(&dumped(&self.server.app, true).await).unwrap()
    }

    pub async fn state(&self) -> State {
        let mut rows = self.file().await;
        rows.as_object_mut().unwrap().retain(|key, _| key != "tokens" && key != "next_id");
        let (revision, changes) = self.mark().await;
        State { rows, revision, changes }
    }

    /// How far writing has come: every write that is committed moves it. Cheaper than all rows, by far.
    pub async fn mark(&self) -> (i64, i64) {
        let db = &self.server.app.db;
        (number(db, "SELECT value FROM revision").await, number(db, "SELECT COUNT(*) FROM change").await)
    }

    /// The row of a list as a file has it; null when it is not there.
    pub async fn row(&self, list: &str, id: i64) -> Value {
        super::row(&self.file().await, list, &json!(id)).cloned().unwrap_or_default()
    }

    pub async fn revision(&self) -> i64 {
        number(&self.server.app.db, "SELECT value FROM revision").await
    }

    /// The changes behind a revision, each by this actor and of this test's request.
    pub async fn changes(&self, after: i64, actor: &str) -> Vec<change::Model> {
        let changes = changes_after(&self.server.app, after).await;
        for change in &changes {
            assert_eq!((&*change.actor, change.request_id.as_deref()), (actor, Some("request-of-a-test")));
        }
        changes
    }

    /// What happened since a revision, in short: `updated proxmox_node 1: online`.
    pub async fn log(&self, after: i64) -> Vec<String> {
        self.changes(after, "token:admin").await.iter().map(short).collect()
    }

    /// A row as the change log shows it.
    pub async fn document_of(&self, list: &str, id: i64) -> Value {
        let file = self.file().await;
        let mut row = super::row(&file, list, &json!(id)).cloned().unwrap();
        let object = row.as_object_mut().unwrap();
        if let Some(tags) = object.get_mut("tags") {
            let slug = |id: &Value| super::row(&file, "tags", id).unwrap()["slug"].as_str().unwrap().to_owned();
            let mut slugs = tags.as_array().unwrap().iter().map(slug).collect::<Vec<_>>();
            slugs.sort();
            *tags = json!(slugs);
        }
        complete(list, object);
        if list == "proxmox_endpoints" {
            for (secret, shown) in [("sealed_password", "has_password"), ("sealed_token_value", "has_token")] {
                let there = object.remove(secret).is_some();
                object.insert(shown.into(), json!(there));
            }
        }
        row
    }
}

/// Puts in what a file leaves out of a row, since it is rarely there.
pub fn complete(list: &str, row: &mut Map<String, Value>) {
    let (rare, has_stale): (&[&str], _) = match list {
        "proxmox_endpoints" => (&["tls_ca", "sync_interval"], false),
        "proxmox_clusters" => (&["local_cluster", "missing_since"], true),
        "proxmox_nodes" => (&["metrics_at", "missing_since"], true),
        "proxmox_storages" => (&["missing_since"], true),
        _ => (&[], false),
    };
    for name in rare {
        row.entry(*name).or_insert(Value::Null);
    }
    if has_stale {
        row.entry("stale").or_insert(json!(false));
    }
}

pub fn short(change: &change::Model) -> String {
    let action = match change.action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Deleted => "deleted",
        Action::Metrics => "metrics",
        Action::Loaded => "loaded",
    };
    let object = change.object_type.as_deref().unwrap_or_default();
    let mut text = format!("{action} {object} {}", change.object_id.unwrap_or_default());
    if change.action == Action::Updated {
        let names = change.changed.0.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        text += &format!(": {}", names.collect::<Vec<_>>().join(", "));
    }
    text
}

/// The models with a natural key: mutations' name, list in a file, a new one's input, its parent's field.
pub fn models() -> [(&'static str, &'static str, Value); 3] {
    [
        (
            "ProxmoxCluster",
            "proxmox_clusters",
            json!({"endpoint": "1", "name": "new", "mode": "CLUSTER", "netboxCluster": "5", "clusterId": "abc",
                "nodesCount": 3, "quorate": true, "version": 7, "tags": ["prod"], "customFields": {"a": 1}}),
        ),
        (
            "ProxmoxNode",
            "proxmox_nodes",
            json!({"endpoint": "1", "name": "new", "ipAddress": "10.1.2.3", "proxmoxCluster": "1", "netboxDevice": "31",
                "nodeId": 4, "online": true, "local": true, "cpuUsage": 1.5, "maxCpu": 8, "memoryUsage": 1, "maxMemory": 2,
                "sslFingerprint": "AA", "supportLevel": "c", "tags": ["prod"], "customFields": {"a": 1}}),
        ),
        (
            "ProxmoxStorage",
            "proxmox_storages",
            json!({"cluster": "5", "name": "new", "storageType": "nfs", "content": "iso", "path": "/p", "nodes": "n",
                "shared": true, "enabled": false, "server": "s", "port": 2049, "username": "u", "export": "/e", "share": "sh",
                "pool": "po", "monhost": "m", "namespace": "ns", "datastore": "d", "subdir": "/d", "mountpoint": "mp",
                "isMountpoint": "yes", "preallocation": "off", "format": "raw", "pruneBackups": "keep-all=1",
                "maxProtectedBackups": -1, "rawConfig": {"z": 1, "a": [null, true]}, "tags": ["prod"],
                "customFields": {"a": 1}}),
        ),
    ]
}

/// A value as the row shows it: ids of references are numbers, enums lower case, tags numbers.
pub fn stored(field: &str, value: &Value) -> Value {
    match (field, value) {
        ("endpoint" | "netboxCluster" | "proxmoxCluster" | "netboxDevice" | "cluster", Value::String(id)) => {
            json!(id.rsplit(':').next().unwrap().parse::<i64>().unwrap())
        }
        ("mode", Value::String(mode)) => json!(mode.to_lowercase()),
        ("tags", Value::Array(slugs)) => {
            let id = |slug: &Value| ["", "prod", "test-env", "unicode"].iter().position(|known| slug == known).unwrap();
            json!(slugs.iter().map(id).collect::<Vec<_>>())
        }
        _ => value.clone(),
    }
}

/// Whether a row holds what an input gives.
#[track_caller]
pub fn holds(row: &Value, input: &Value) {
    for (name, value) in row.as_object().unwrap() {
        let field = camel(name);
        if let Some(given) = input.get(&field) {
            assert_eq!(*value, stored(&field, given), "{field}");
        }
    }
    let known = row.as_object().unwrap().keys().map(|name| camel(name)).collect::<Vec<_>>();
    for field in input.as_object().unwrap().keys() {
        assert!(known.contains(field) || field == "clientMutationId", "{field} is no column");
    }
}
