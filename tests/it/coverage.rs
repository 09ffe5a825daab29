//! Every mutation, every route and every command has its rule here, and keeps it. A new one without a rule fails.
use crate::cli::{Program, seed_file, without_tables};
use crate::graphql::mutations::{Desk, told, told_each};
use crate::rest::{Call, post};
use crate::service::number;
use crate::support::{ADMIN, TestDb, both, runs};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clap::CommandFactory;
use proxbox_graphql::entity::RunState;
use proxbox_graphql::principal::{Act, Model};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// A mutation, the model and the action it needs, and an input with which it can be done on the seed, in this order.
type Rule = (&'static str, &'static str, &'static str, Value);

fn rules() -> Vec<Rule> {
    let cluster = |name: &str| json!({"endpoint": 1, "name": name, "mode": "CLUSTER"});
    let node = |name: &str| json!({"endpoint": 1, "name": name, "ipAddress": "::1"});
    let storage = |name: &str| json!({"cluster": 5, "name": name});
    let several = |items: Value| json!({"items": items});
    let changed = |mut input: Value| {
        input["tags"] = json!(["prod", "test-env"]);
        input
    };
    vec![
        ("createProxmoxCluster", "proxmoxcluster", "add", cluster("1")),
        ("upsertProxmoxCluster", "proxmoxcluster", "add", cluster("2")),
        ("upsertProxmoxCluster", "proxmoxcluster", "change", changed(cluster("pve-cluster"))),
        ("updateProxmoxCluster", "proxmoxcluster", "change", json!({"id": 1, "version": 1})),
        ("deleteProxmoxCluster", "proxmoxcluster", "delete", json!({"id": 3})),
        ("createProxmoxClusters", "proxmoxcluster", "add", several(json!([cluster("3"), cluster("4")]))),
        ("upsertProxmoxClusters", "proxmoxcluster", "add", several(json!([cluster("5")]))),
        ("upsertProxmoxClusters", "proxmoxcluster", "change", several(json!([changed(cluster("alone"))]))),
        (
            "updateProxmoxClusters",
            "proxmoxcluster",
            "change",
            several(json!([{"id": 1, "version": 2}, {"id": 2, "version": 2}])),
        ),
        ("deleteProxmoxClusters", "proxmoxcluster", "delete", json!({"ids": [4, 5]})),
        ("createProxmoxNode", "proxmoxnode", "add", node("1")),
        ("upsertProxmoxNode", "proxmoxnode", "add", node("2")),
        ("upsertProxmoxNode", "proxmoxnode", "change", changed(node("pve-node-01"))),
        ("updateProxmoxNode", "proxmoxnode", "change", json!({"id": 1, "maxCpu": 1})),
        ("deleteProxmoxNode", "proxmoxnode", "delete", json!({"id": 5})),
        ("createProxmoxNodes", "proxmoxnode", "add", several(json!([node("3"), node("4")]))),
        ("upsertProxmoxNodes", "proxmoxnode", "add", several(json!([node("5")]))),
        ("upsertProxmoxNodes", "proxmoxnode", "change", several(json!([changed(node("pve-node-02"))]))),
        (
            "updateProxmoxNodes",
            "proxmoxnode",
            "change",
            several(json!([{"id": 1, "maxCpu": 2}, {"id": 2, "maxCpu": 2}])),
        ),
        ("deleteProxmoxNodes", "proxmoxnode", "delete", json!({"ids": [6, 7]})),
        ("createProxmoxStorage", "proxmoxstorage", "add", storage("1")),
        ("upsertProxmoxStorage", "proxmoxstorage", "add", storage("2")),
        ("upsertProxmoxStorage", "proxmoxstorage", "change", changed(storage("local"))),
        ("updateProxmoxStorage", "proxmoxstorage", "change", json!({"id": 1, "port": 1})),
        ("deleteProxmoxStorage", "proxmoxstorage", "delete", json!({"id": 5})),
        ("createProxmoxStorages", "proxmoxstorage", "add", several(json!([storage("3"), storage("4")]))),
        ("upsertProxmoxStorages", "proxmoxstorage", "add", several(json!([storage("5")]))),
        ("upsertProxmoxStorages", "proxmoxstorage", "change", several(json!([changed(storage("local-lvm"))]))),
        (
            "updateProxmoxStorages",
            "proxmoxstorage",
            "change",
            several(json!([{"id": 1, "port": 2}, {"id": 2, "port": 2}])),
        ),
        ("deleteProxmoxStorages", "proxmoxstorage", "delete", json!({"ids": [6, 7]})),
        ("createProxmoxEndpoint", "proxmoxendpoint", "add", json!({"name": "e", "domain": "e.example.com"})),
        ("updateProxmoxEndpoint", "proxmoxendpoint", "change", json!({"id": 1, "enabled": false})),
        ("deleteProxmoxEndpoint", "proxmoxendpoint", "delete", json!({"id": 3})),
        ("createNetboxCluster", "cluster", "add", json!({"databaseId": 77, "name": "n"})),
        ("updateNetboxCluster", "cluster", "change", json!({"id": 1, "name": "m"})),
        ("deleteNetboxCluster", "cluster", "delete", json!({"id": 3})),
        ("createNetboxDevice", "device", "add", json!({"databaseId": 77, "name": "n"})),
        ("updateNetboxDevice", "device", "change", json!({"id": 31, "name": "m"})),
        ("deleteNetboxDevice", "device", "delete", json!({"id": 42})),
        ("createTag", "tag", "add", json!({"name": "n", "slug": "n"})),
        ("updateTag", "tag", "change", json!({"id": 1, "color": "000000"})),
        ("deleteTag", "tag", "delete", json!({"id": 3})),
        ("acceptLink", "proxmoxcluster", "change", json!({"object": "ProxmoxCluster:1", "target": 4})),
        ("acceptLink", "proxmoxnode", "change", json!({"object": "ProxmoxNode:1", "target": 33})),
        ("rejectLink", "proxmoxcluster", "change", json!({"object": "ProxmoxCluster:1", "target": 6})),
        ("rejectLink", "proxmoxnode", "change", json!({"object": "ProxmoxNode:1", "target": 34})),
    ]
}

/// The mutations of the schema.
fn mutations() -> BTreeSet<String> {
    let sdl = proxbox_graphql::graphql::sdl(&proxbox_graphql::graphql::schema());
    let block = sdl.split_once("type Mutation {").unwrap().1.split_once("\n}").unwrap().0;
    let names = block.lines().filter_map(|line| line.strip_prefix('\t')?.strip_suffix('('));
    names.filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric())).map(str::to_owned).collect()
}

/// The value of a token for a model and an action: one that may do everything else, or one that may do only this.
fn token(model: &str, action: &str, only: bool) -> String {
    format!("{model}0{action}0{only}0").chars().chain(std::iter::repeat('0')).take(40).collect()
}

async fn every_mutation_needs_its_permission(db: TestDb) {
    const READ_ONLY: &str = "1111111111111111111111111111111111111111";
    let rules = rules();
    let known = rules.iter().map(|(name, ..)| (*name).to_owned()).collect::<BTreeSet<_>>();
    let starting = STARTING.map(|(name, _)| name.to_owned());
    // `mirror::doors` holds the reading of NetBox to its rule.
    let all = known.into_iter().chain(starting).chain(["syncNetbox".to_owned()]).collect::<BTreeSet<_>>();
    assert_eq!(mutations(), all, "each has its rule, and each rule its mutation");
    let needs = rules.iter().map(|(_, model, action, _)| (*model, *action)).collect::<BTreeSet<_>>();
    let tokens = needs.iter().flat_map(|(model, action)| {
        let others = Model::all().map(Model::name).filter(|other| other != model).collect::<Vec<_>>();
        let actions = Act::ALL.map(|(_, name)| name);
        let rest = actions.into_iter().filter(|other| other != action).collect::<Vec<_>>();
        let without = json!([{"models": others, "actions": actions}, {"models": [model], "actions": rest}]);
        let only = json!([{"models": ["*"], "actions": ["view"]}, {"models": [model], "actions": [action]}]);
        [(token(model, action, false), without), (token(model, action, true), only)]
    });
    let desk = Desk::with_tokens(&db, &tokens.collect::<Vec<_>>()).await;
    let errors = |payload: &Value| {
        if payload.get("results").is_some() { told_each(payload).concat() } else { told(payload) }
    };
    for (name, model, action, input) in rules {
        let state = desk.state().await;
        for who in [READ_ONLY, &token(model, action, false)] {
            let payload = desk.ask_as(who, name, input.clone()).await;
            let told = errors(&payload);
            assert!(!told.is_empty() && told.iter().all(|error| error.starts_with("FORBIDDEN")), "{name}: {payload:#}");
            assert_eq!(desk.state().await, state, "{name}");
        }
        let payload = desk.ask_as(&token(model, action, true), name, input).await;
        assert_eq!(errors(&payload), [""; 0], "{name} with {action} on {model} only");
        assert_ne!(desk.state().await, state, "{name}");
    }
}

/// The mutations that start runs of sync, which no row tells of before they end: each needs `add` on `syncrun`.
const STARTING: [(&str, &str); 2] = [
    ("syncEndpoint", "syncEndpoint(input: {id: 1}) { userErrors { code } }"),
    ("syncAll", "syncAll(input: {}) { userErrors { code } }"),
];

async fn runs_need_their_permission(db: TestDb) {
    const READ_ONLY: &str = "1111111111111111111111111111111111111111";
    let desk = Desk::with_tokens(&db, &tokens(&["syncrun"])).await;
    let count = async || number(&desk.server.app.db, "SELECT count(*) FROM sync_run").await;
    let run = runs::put(&desk.server.app, runs::blank(1, "e", RunState::Succeeded)).await;
    let reads =
        ["", &format!("{run}/"), &format!("{run}/changes/")].map(|end| format!("/api/plugins/proxbox/sync-runs/{end}"));
    let start = Call::new("POST", "/api/plugins/proxbox/endpoints/proxmox/1/sync/");
    for who in [READ_ONLY, &token("syncrun", "add", false)] {
        for (_, mutation) in STARTING {
            let data = desk.server.ask_as(who, &format!("mutation {{ done: {mutation} }}"), json!({})).await.data();
            assert_eq!(data["done"]["userErrors"], json!([{"code": "FORBIDDEN"}]), "{who} {mutation}");
        }
        start.clone().by(who).json_of(&desk.server, 403).await;
    }
    for read in &reads {
        Call::new("GET", read).by(&token("syncrun", "view", false)).json_of(&desk.server, 403).await;
        Call::new("GET", read).by(READ_ONLY).json_of(&desk.server, 200).await;
        // Of a run whose endpoint one may not view there is nothing.
        let status = if read.ends_with("sync-runs/") { 200 } else { 404 };
        Call::new("GET", read).by(&token("syncrun", "view", true)).json_of(&desk.server, status).await;
    }
    assert_eq!(count().await, 1);
    let may = &token("syncrun", "add", true);
    for (name, mutation) in STARTING {
        let before = count().await;
        let data = desk.server.ask_as(may, &format!("mutation {{ done: {mutation} }}"), json!({})).await.data();
        assert_eq!(data["done"]["userErrors"], json!([]), "{mutation}");
        assert!(count().await > before, "{name}");
    }
    let before = count().await;
    start.by(may).json_of(&desk.server, 202).await;
    assert_eq!(count().await, before + 1);
}

/// What REST does with a resource, on each of its routes: the action that a request needs, and the request. Objects of
/// these ids are there for it.
fn verbs(path: &str, [changed, gone, also, too]: [i64; 4]) -> Vec<(&'static str, Call)> {
    let new = |i: i64| new_object(path, i);
    let with = |mut body: Value, mark: i64| {
        let (field, value) = match path.rsplit('/').nth(1).unwrap() {
            "clusters" if path.contains("proxbox") => ("version", json!(mark)),
            "proxmox-clusters" => ("version", json!(mark)),
            "nodes" | "proxmox-nodes" => ("max_cpu", json!(mark)),
            "storage" | "proxmox" => ("port", json!(mark)),
            "tags" => ("color", json!(format!("{mark:06}"))),
            _ => ("display", json!(format!("shown {mark}"))),
        };
        body[field] = value;
        body
    };
    let at = |id: i64| format!("{path}{id}/");
    let id = |mut body: Value| {
        body["id"] = json!(changed);
        body
    };
    let mut verbs = vec![
        ("view", Call::new("GET", path)),
        ("view", Call::new("HEAD", path)),
        ("view", Call::new("GET", &at(changed))),
        ("view", Call::new("HEAD", &at(changed))),
        ("add", Call::new("POST", path).json(&new(901))),
        ("add", Call::new("POST", path).json(&json!([new(902), new(903)]))),
        ("change", Call::new("PATCH", &at(changed)).json(&with(json!({}), 1))),
        ("change", Call::new("PUT", &at(changed)).json(&with(new(911), 2))),
        ("change", Call::new("PATCH", path).json(&json!([id(with(json!({}), 3))]))),
        ("change", Call::new("PUT", path).json(&json!([id(with(new(911), 4))]))),
        ("delete", Call::new("DELETE", &at(gone))),
        ("delete", Call::new("DELETE", path).json(&json!([{"id": also}, {"id": too}]))),
    ];
    if path.contains("storage") {
        verbs.insert(10, ("change", Call::new("POST", path).json(&with(new(911), 5))));
        verbs.insert(11, ("change", Call::new("POST", path).json(&json!([with(new(911), 6)]))));
    }
    verbs
}

/// What POST on a list takes for a new object.
fn new_object(path: &str, i: i64) -> Value {
    let name = format!("{i} of {}", path.rsplit('/').nth(1).unwrap());
    match path.rsplit('/').nth(1).unwrap() {
        "proxmox-clusters" => json!({"endpoint": 1, "name": name, "mode": "cluster"}),
        "clusters" if path.contains("proxbox") => json!({"endpoint": 1, "name": name, "mode": "cluster"}),
        "nodes" | "proxmox-nodes" => json!({"endpoint": 1, "name": name, "ip_address": "::1"}),
        "storage" => json!({"cluster": 5, "name": name}),
        "proxmox" => json!({"name": name, "mode": "cluster", "domain": "e.example.com"}),
        "tags" => json!({"name": name, "slug": format!("s{i}")}),
        _ => json!({"id": i, "name": name}),
    }
}

async fn every_verb_of_rest_needs_its_permission(db: TestDb) {
    const READ_ONLY: &str = "1111111111111111111111111111111111111111";
    let table = [
        ("/api/plugins/proxbox/clusters/", "proxmoxcluster"),
        ("/api/plugins/proxbox/proxmox-clusters/", "proxmoxcluster"),
        ("/api/plugins/proxbox/nodes/", "proxmoxnode"),
        ("/api/plugins/proxbox/proxmox-nodes/", "proxmoxnode"),
        ("/api/plugins/proxbox/storage/", "proxmoxstorage"),
        ("/api/plugins/proxbox/endpoints/proxmox/", "proxmoxendpoint"),
        ("/api/virtualization/clusters/", "cluster"),
        ("/api/dcim/devices/", "device"),
        ("/api/extras/tags/", "tag"),
    ];
    let mut known = table.iter().map(|(path, _)| (*path).to_owned()).collect::<BTreeSet<_>>();
    // Nobody writes these by hand; what they need is told below.
    known.insert("/api/plugins/proxbox/sync-runs/".into());
    let lists = routes().iter().filter_map(|route| route.strip_suffix("{id}/").map(str::to_owned)).collect();
    assert_eq!(known, lists, "each has its rule");
    let desk = Desk::with_tokens(&db, &tokens(&table.map(|(_, model)| model))).await;
    for (path, model) in table {
        let mut ids = [0; 4];
        for (i, id) in (911..).zip(&mut ids) {
            *id = post(path, &new_object(path, i)).json_of(&desk.server, 201).await["id"].as_i64().unwrap();
        }
        for (action, call) in verbs(path, ids) {
            let state = desk.state().await;
            for who in [READ_ONLY, &token(model, action, false)] {
                let may = who == READ_ONLY && action == "view";
                let answer = call.clone().by(who).send(&desk.server).await;
                assert_eq!(answer.status.as_u16(), if may { 200 } else { 403 }, "{who}: {call:?}");
                assert_eq!(desk.state().await, state, "{call:?}");
            }
            let answer = call.clone().by(&token(model, action, true)).send(&desk.server).await;
            let text = String::from_utf8_lossy(&answer.bytes);
            assert!(answer.status.is_success(), "{action} on {model} only: {call:?}: {text}");
            assert_eq!(desk.state().await == state, action == "view", "{call:?}: {text}");
        }
    }
}

/// For each action on each of these models a token that may do everything else, and one that may view and do this.
fn tokens(models: &[&str]) -> Vec<(String, Value)> {
    let models = models.iter().collect::<BTreeSet<_>>();
    let of = |model: &str, action: &str| {
        let others = Model::all().map(Model::name).filter(|other| *other != model).collect::<Vec<_>>();
        let actions = Act::ALL.map(|(_, name)| name);
        let rest = actions.into_iter().filter(|other| *other != action).collect::<Vec<_>>();
        let without = json!([{"models": others, "actions": actions}, {"models": [model], "actions": rest}]);
        let view = if action == "view" { model } else { "*" };
        let only = json!([{"models": [view], "actions": ["view"]}, {"models": [model], "actions": [action]}]);
        [(token(model, action, false), without), (token(model, action, true), only)]
    };
    let actions = ["view", "add", "change", "delete"];
    models.into_iter().flat_map(|model| actions.into_iter().flat_map(move |action| of(model, action))).collect()
}

/// The texts of all sources of the program, without tests.
fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The routes of the sources; one whose path is no literal fails.
pub fn routes() -> BTreeSet<String> {
    let mut texts = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let mut found = BTreeSet::new();
    for text in &texts {
        for hidden in [".nest(", ".nest_service(", ".route_service(", ".fallback_service("] {
            assert!(!text.contains(hidden), "a rule for `{hidden}` is missing here");
        }
        for rest in text.split(".route(").skip(1) {
            let path = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            found.insert(path.expect("a route is a literal").0.to_owned());
        }
    }
    found
}

async fn every_route_is_public_or_needs_a_token(db: TestDb) {
    // A route, a path that leads to it, and the status without and with a token: 401 if it needs one, in REST 403.
    let table = [
        ("/api/", "/api/", 403, 200),
        ("/api/dcim/", "/api/dcim/", 403, 200),
        ("/api/dcim/devices/", "/api/dcim/devices/", 403, 200),
        ("/api/dcim/devices/{id}/", "/api/dcim/devices/42/", 403, 200),
        ("/api/extras/", "/api/extras/", 403, 200),
        ("/api/extras/tags/", "/api/extras/tags/", 403, 200),
        ("/api/extras/tags/{id}/", "/api/extras/tags/1/", 403, 200),
        ("/api/plugins/", "/api/plugins/", 403, 200),
        ("/api/plugins/proxbox/", "/api/plugins/proxbox/", 403, 200),
        ("/api/plugins/proxbox/clusters/", "/api/plugins/proxbox/clusters/", 403, 200),
        ("/api/plugins/proxbox/clusters/{id}/", "/api/plugins/proxbox/clusters/1/", 403, 200),
        ("/api/plugins/proxbox/endpoints/", "/api/plugins/proxbox/endpoints/", 403, 200),
        ("/api/plugins/proxbox/endpoints/proxmox/", "/api/plugins/proxbox/endpoints/proxmox/", 403, 200),
        ("/api/plugins/proxbox/endpoints/proxmox/{id}/", "/api/plugins/proxbox/endpoints/proxmox/1/", 403, 200),
        (
            "/api/plugins/proxbox/endpoints/proxmox/{id}/sync/",
            "/api/plugins/proxbox/endpoints/proxmox/1/sync/",
            403,
            405,
        ),
        ("/api/plugins/proxbox/sync-runs/", "/api/plugins/proxbox/sync-runs/", 403, 200),
        ("/api/plugins/proxbox/sync-runs/{id}/", "/api/plugins/proxbox/sync-runs/1/", 403, 404),
        ("/api/plugins/proxbox/sync-runs/{id}/changes/", "/api/plugins/proxbox/sync-runs/1/changes/", 403, 404),
        ("/api/plugins/proxbox/nodes/", "/api/plugins/proxbox/nodes/", 403, 200),
        ("/api/plugins/proxbox/nodes/{id}/", "/api/plugins/proxbox/nodes/1/", 403, 200),
        ("/api/plugins/proxbox/proxmox-clusters/", "/api/plugins/proxbox/proxmox-clusters/", 403, 200),
        ("/api/plugins/proxbox/proxmox-clusters/{id}/", "/api/plugins/proxbox/proxmox-clusters/1/", 403, 200),
        ("/api/plugins/proxbox/proxmox-nodes/", "/api/plugins/proxbox/proxmox-nodes/", 403, 200),
        ("/api/plugins/proxbox/proxmox-nodes/{id}/", "/api/plugins/proxbox/proxmox-nodes/1/", 403, 200),
        ("/api/plugins/proxbox/storage/", "/api/plugins/proxbox/storage/", 403, 200),
        ("/api/plugins/proxbox/storage/{id}/", "/api/plugins/proxbox/storage/1/", 403, 200),
        ("/api/schema/", "/api/schema/", 200, 200),
        ("/api/status/", "/api/status/", 403, 200),
        ("/api/virtualization/", "/api/virtualization/", 403, 200),
        ("/api/virtualization/clusters/", "/api/virtualization/clusters/", 403, 200),
        ("/api/virtualization/clusters/{id}/", "/api/virtualization/clusters/1/", 403, 200),
        ("/graphql", "/graphql?query=%7B__typename%7D", 401, 200),
        ("/graphql/schema.graphql", "/graphql/schema.graphql", 401, 200),
        ("/healthz", "/healthz", 200, 200),
        ("/readyz", "/readyz", 200, 200),
        ("/graphiql", "/graphiql", 307, 307),
        ("/graphiql/", "/graphiql/", 200, 200),
        ("/graphiql/{*path}", "/graphiql/fallback.css", 200, 200),
        ("/api/docs", "/api/docs", 307, 307),
        ("/api/docs/", "/api/docs/", 200, 200),
        ("/api/docs/{*path}", "/api/docs/fallback.css", 200, 200),
    ];
    let known = table.iter().map(|(route, ..)| (*route).to_owned()).collect::<BTreeSet<_>>();
    // The operator's listener has one more, and is not here: `ops.rs` asks it.
    let mut found = routes();
    assert!(found.remove("/metrics"));
    assert_eq!(found, known);
    let server = db.server().await;
    let ask = async |path: &str, token: Option<&str>, accept: &str| {
        let mut request = Request::builder().uri(path).header(header::HOST, "x").header(header::ACCEPT, accept);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        server.send(request.body(Body::empty()).unwrap()).await
    };
    for (_, path, without, with) in table {
        for token in [None, Some("9".repeat(40))] {
            let answer = ask(path, token.as_deref(), "*/*").await;
            assert_eq!(answer.status, StatusCode::from_u16(without).unwrap(), "{path}");
            if without == 401 {
                assert!(answer.json().get("data").is_none_or(Value::is_null), "{path}");
                assert_eq!(answer.code(), "UNAUTHENTICATED");
            }
            if without == 403 {
                assert_eq!(answer.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["detail"], "{path}");
            }
        }
        assert_eq!(ask(path, Some(ADMIN), "*/*").await.status, StatusCode::from_u16(with).unwrap(), "{path}");
    }
    // Whoever navigates is led to the page, which holds no data; and there is nothing else.
    let answer = ask("/graphql", None, "text/html").await;
    assert_eq!((answer.status.as_u16(), &answer.headers[header::LOCATION]), (307, &"graphiql/".parse().unwrap()));
    for token in [None, Some(ADMIN)] {
        assert_eq!(ask("/nowhere", token, "*/*").await.status, StatusCode::NOT_FOUND);
    }
}

/// What a command needs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Need {
    Nothing,
    Database,
    DatabaseAndKey,
}

/// The names of all commands that do something: `token create`.
fn commands(command: &clap::Command, front: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{front} {}", sub.get_name()).trim().to_owned();
        if sub.has_subcommands() {
            commands(sub, &name, found);
        } else {
            found.insert(name);
        }
    }
}

async fn every_command_needs_what_it_says(db: TestDb) {
    use Need::{Database, DatabaseAndKey, Nothing};
    let table: [(&str, &[&str], Need); 25] = [
        ("netbox compare", &[], DatabaseAndKey),
        ("import netbox", &[], DatabaseAndKey),
        ("netbox sync", &[], DatabaseAndKey),
        ("schema", &[], Nothing),
        ("migrate", &[], Database),
        ("serve", &[], DatabaseAndKey),
        ("load", &["seed.json"], DatabaseAndKey),
        ("dump", &[], DatabaseAndKey),
        ("token create", &["new"], DatabaseAndKey),
        ("token list", &[], DatabaseAndKey),
        ("token revoke", &["admin"], DatabaseAndKey),
        ("endpoint add", &["e", "e.example.com", "--offline"], DatabaseAndKey),
        ("endpoint check", &["prod-proxmox"], DatabaseAndKey),
        ("endpoint trust", &["prod-proxmox", "--yes"], DatabaseAndKey),
        ("endpoint set", &["prod-proxmox", "--disable"], DatabaseAndKey),
        ("endpoint list", &[], DatabaseAndKey),
        ("endpoint show", &["prod-proxmox"], DatabaseAndKey),
        ("endpoint set-secret", &["prod-proxmox", "--password-stdin"], DatabaseAndKey),
        ("endpoint remove", &["prod-proxmox"], DatabaseAndKey),
        ("secret rotate", &[], DatabaseAndKey),
        ("secret status", &[], DatabaseAndKey),
        ("sync", &[], DatabaseAndKey),
        ("links suggest", &[], DatabaseAndKey),
        ("links accept", &["node:1", "31"], DatabaseAndKey),
        ("links reject", &["node:1", "33"], DatabaseAndKey),
    ];
    let mut found = BTreeSet::new();
    commands(&proxbox_graphql::cli::Cli::command(), "", &mut found);
    // Needs a NetBox and nothing else: `cli::netbox` holds it to that.
    assert!(found.remove("netbox check"));
    assert_eq!(found, table.iter().map(|(name, ..)| (*name).to_owned()).collect());

    without_tables(&db).await;
    let program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let before = program.ok(&["dump", "--with-secrets"]);
    let nowhere = crate::support::folder();
    for (name, arguments, need) in table {
        let arguments = name.split(' ').chain(arguments.iter().copied()).collect::<Vec<_>>();
        // Without anything, in an empty folder where nothing can be made.
        let mut bare = Program::bare(nowhere.path());
        bare.set("PROXBOX_DATABASE_URL", "sqlite://nowhere/none.db?mode=rw").set("PROXBOX_LISTEN", "127.0.0.1:0");
        let output = bare.run(&arguments);
        assert_eq!(output.code == Some(0), need == Nothing, "{name}: {}", output.stderr);
        assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "{name} leaves nothing");
        // Without the key, and with another.
        let mut keyless = Program::new(&db);
        keyless.unset("PROXBOX_SECRET_KEY");
        let mut other = Program::new(&db);
        other.set("PROXBOX_SECRET_KEY", "another key of this program, long enough");
        let mut short = Program::new(&db);
        short.set("PROXBOX_SECRET_KEY", "short");
        for program in [keyless, other, short] {
            let output = program.run_with(&arguments, "a secret\n");
            if need == DatabaseAndKey {
                assert_eq!(output.code, Some(1), "{name}: {}", output.stderr);
                assert!(
                    output.stderr.to_lowercase().contains("key") && output.stdout.is_empty(),
                    "{name}: {}",
                    output.stderr
                );
            } else {
                assert_eq!(output.code, Some(0), "{name}: {}", output.stderr);
            }
        }
        assert!(!program.folder.join("proxbox.key").exists(), "{name}");
    }
    assert_eq!(program.ok(&["dump", "--with-secrets"]), before, "nothing was changed");
}

both!(
    every_mutation_needs_its_permission,
    every_verb_of_rest_needs_its_permission,
    runs_need_their_permission,
    every_route_is_public_or_needs_a_token,
    every_command_needs_what_it_says
);
