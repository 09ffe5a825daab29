//! The number of statements does not grow with the number of rows: for every field of every type, by the schema itself.
use crate::support::{ADMIN, SEED, Server, TestDb, both, fill, runs};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use proxbox_graphql::entity::{RunState, cluster, node, storage, sync_state};
use proxbox_graphql::graphql::limits::Limits;
use proxbox_graphql::graphql::{schema, sdl};
use proxbox_graphql::service::batch::{Mode, Operation};
use proxbox_graphql::service::{self, Actor, Writable, sync_run};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The token of somebody who may view all rows, but of no model whatever may come: what a change refers to must be
/// looked up for them.
const RESTRICTED: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// So many endpoints, clusters, devices and so on, three nodes and two storages each. Every reference is there: a query
/// whose rows all lack one rightly sends a statement less.
fn topology(n: usize) -> Value {
    let of = |count: usize, make: &dyn Fn(usize) -> Value| (1..=count).map(make).collect::<Value>();
    let tags = |i: usize| json!([i % n + 1, (i + 1) % n + 1]);
    let seed: Value = serde_json::from_str(SEED).unwrap();
    let mut tokens = seed["tokens"].clone();
    tokens.as_array_mut().unwrap().push(json!({"name": "restricted", "value": RESTRICTED, "permissions": [
        {"models": ["proxmoxendpoint", "proxmoxcluster", "proxmoxnode", "proxmoxstorage", "cluster", "device", "tag"],
         "actions": ["view"], "constraints": {"id__lte": 10_000}},
        {"models": ["change", "syncrun"], "actions": ["view"]},
    ]}));
    json!({
        "tags": of(n, &|i| json!({"id": i, "name": format!("tag {i:05}"), "slug": format!("tag-{i}"), "color": "9e9e9e"})),
        "netbox_clusters": of(n, &|i| json!({"id": i, "name": format!("nb {i:05}"), "display": format!("nb {i:05}")})),
        "netbox_devices": of(n, &|i| json!({"id": i, "name": format!("device {i:05}"), "display": format!("device {i:05}")})),
        "proxmox_endpoints": of(n, &|i| json!({
            "id": i, "name": format!("endpoint {i:05}"), "domain": format!("e{i}.example.com"), "ip_address": null,
            "mode": "cluster", "version": "8.2.4", "repoid": null, "tls_fingerprint": null, "tags": tags(i),
        })),
        // Standalone ones list their nodes in another way.
        "proxmox_clusters": of(n, &|i| json!({
            "id": i, "endpoint": i, "netbox_cluster": i, "name": format!("cluster {i:05}"), "version": i,
            "mode": if i % 2 == 0 { "standalone" } else { "cluster" }, "quorate": true, "nodes_count": 3, "tags": tags(i),
        })),
        "proxmox_nodes": of(3 * n, &|i| {
            let parent = (i - 1) / 3 + 1;
            json!({
                "id": i, "endpoint": parent, "proxmox_cluster": parent, "netbox_device": (i - 1) % n + 1,
                "name": format!("node {i:05}"), "node_id": i, "ip_address": "10.0.0.1", "online": true,
                "cpu_usage": 1.5, "max_cpu": 8, "memory_usage": i, "max_memory": 2 * i, "tags": tags(i),
            })
        }),
        "proxmox_storages": of(2 * n, &|i| {
            let parent = (i - 1) / 2 + 1;
            json!({
                "id": i, "cluster": parent, "source": parent, "name": format!("storage {i:05}"), "storage_type": "dir",
                "content": "iso", "path": null, "nodes": null, "server": null, "port": null, "username": null,
                "export": null, "share": null, "pool": null, "monhost": null, "namespace": null, "datastore": null,
                "subdir": null, "mountpoint": null, "is_mountpoint": null, "preallocation": null, "format": null,
                "prune_backups": null, "max_protected_backups": null, "tags": tags(i),
            })
        }),
        "tokens": tokens,
    })
}

/// A server on a topology of so many.
pub async fn server(db: &TestDb, n: usize) -> Server {
    let app = db.open().await;
    fill(&app, &topology(n).to_string()).await;
    // Many of these questions are more than a client may ask at once.
    let limits = Limits { cost: u64::MAX, depth: 50, aliases: 5_000, selections: 1 << 20, ..Limits::default() };
    Server::limited(app, Limits { text_bytes: 1 << 20, tokens: 1 << 20, ..limits })
}

/// A server whose rows have a history of two changes each, as far as pages of 50 lead to them.
async fn changed(db: &TestDb) -> Server {
    let server = server(db, 60).await;
    for mark in 1..=2 {
        let custom_fields = || Some(Some(json!({"mark": mark})));
        write::<cluster::Model>(&server, 60, || service::cluster::Patch {
            custom_fields: custom_fields(),
            ..Default::default()
        })
        .await;
        write::<node::Model>(&server, 150, || service::node::Patch {
            custom_fields: custom_fields(),
            ..Default::default()
        })
        .await;
        write::<storage::Model>(&server, 60, || service::storage::Patch {
            custom_fields: custom_fields(),
            ..Default::default()
        })
        .await;
    }
    server
}

/// Changes so many rows of a model.
async fn write<M: Writable>(server: &Server, rows: i32, patch: impl Fn() -> M::Patch) {
    let update = |id| Operation::Update { id, if_last_updated: None, patch: patch() };
    let operations = (1..=rows).map(update).collect::<Vec<_>>();
    let outcome = server.app.write::<M>(Actor::operator(), &operations, Mode::AllOrNothing).await.unwrap();
    assert_eq!(outcome.failed(), 0);
}

/// A field: its type without wrappers, and the enum of its argument `by`.
struct Field {
    name: String,
    ty: String,
    by: Option<String>,
}

/// The schema as far as selections need it.
pub struct Shape {
    objects: BTreeMap<String, Vec<Field>>,
    interfaces: BTreeMap<String, Vec<String>>,
    enums: BTreeMap<String, Vec<String>>,
}

fn named(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => named(inner),
    }
}

fn field(field: &FieldDefinition) -> Field {
    let by = field.arguments.iter().find(|argument| argument.node.name.node == "by");
    Field { name: field.name.node.to_string(), ty: named(&field.ty.node), by: by.map(|by| named(&by.node.ty.node)) }
}

impl Shape {
    pub fn new() -> Self {
        let mut shape = Self { objects: BTreeMap::new(), interfaces: BTreeMap::new(), enums: BTreeMap::new() };
        for definition in parse_schema(sdl(&schema())).unwrap().definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.node.to_string();
            match ty.node.kind {
                TypeKind::Object(ty) => {
                    for interface in &ty.implements {
                        shape.interfaces.entry(interface.node.to_string()).or_default().push(name.clone());
                    }
                    shape.objects.insert(name, ty.fields.iter().map(|own| field(&own.node)).collect());
                }
                TypeKind::Enum(ty) => {
                    shape.enums.insert(name, ty.values.iter().map(|value| value.node.value.to_string()).collect());
                }
                _ => {}
            }
        }
        shape
    }

    fn fields(&self, ty: &str) -> impl Iterator<Item = &Field> {
        self.objects[ty].iter()
    }

    fn leads_on(&self, field: &Field) -> bool {
        self.objects.contains_key(&field.ty) || self.interfaces.contains_key(&field.ty)
    }

    /// What to select of an interface: of each type that has it the fields that are no objects, and one that is.
    fn of_interface(&self, name: &str) -> String {
        let parts = self.interfaces[name].iter().map(|ty| {
            let tags = if self.fields(ty).any(|field| field.name == "tags") { "tags { slug }" } else { "" };
            // Fields of the same name have other types elsewhere.
            let leaves = self.leaves(ty);
            let leaves = leaves.split(' ').map(|leaf| format!("{ty}_{leaf}: {leaf} ")).collect::<String>();
            format!("... on {ty} {{ {leaves}{tags} }}")
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// The fields that are no objects, which send no statement of their own.
    pub fn leaves(&self, ty: &str) -> String {
        let leaves = self.fields(ty).filter(|field| !self.leads_on(field));
        leaves.map(|field| field.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Selections of an object that together hold every field, down to objects so many levels below.
    pub fn of_object(&self, ty: &str, levels: usize) -> Vec<String> {
        let mut found = vec![self.leaves(ty)].into_iter().filter(|leaves| !leaves.is_empty()).collect::<Vec<_>>();
        for field in self.fields(ty).filter(|field| self.leads_on(field)) {
            if self.interfaces.contains_key(&field.ty) {
                found.push(format!("{} {{ {} }}", field.name, self.of_interface(&field.ty)));
            } else if field.ty.ends_with("Connection") {
                let arguments = match field.ty.as_str() {
                    "ChangeConnection" => &["(first: 3)", "(first: 1, after: \"2.0\")"][..],
                    "SyncChangeConnection" => &["(first: 3)", "(first: 0)"],
                    _ => &["(first: 3)", "(last: 2)", "(first: 1, offset: 1)", "(orderBy: [{field: ID}], first: 2)"],
                };
                let arguments = if levels > 1 { arguments } else { &arguments[..1] };
                for (i, arguments) in arguments.iter().enumerate() {
                    let parts = self.of_connection(&field.ty, if i == 0 { levels } else { 1 });
                    found.extend(parts.into_iter().map(|part| format!("{}{arguments} {{ {part} }}", field.name)));
                }
            } else if levels > 0 {
                found.extend(
                    self.of_object(&field.ty, levels - 1)
                        .into_iter()
                        .map(|part| format!("{} {{ {part} }}", field.name)),
                );
            }
        }
        found
    }

    /// The same of a connection; at the lowest level all in one.
    pub fn of_connection(&self, ty: &str, levels: usize) -> Vec<String> {
        let mut found = Vec::new();
        for field in self.fields(ty) {
            let parts = match (field.name.as_str(), &field.by) {
                (_, None) if !self.leads_on(field) => vec![String::new()],
                ("nodes", _) => self.of_object(&field.ty, levels.saturating_sub(1)),
                _ => self.of_object(&field.ty, usize::from(levels > 1)),
            };
            let keys = field
                .by
                .as_ref()
                .map_or(vec![String::new()], |by| self.enums[by].iter().map(|key| format!("(by: [{key}])")).collect());
            for (i, key) in keys.iter().enumerate() {
                for (j, part) in parts.iter().enumerate() {
                    let part = if part.is_empty() { String::new() } else { format!(" {{ {part} }}") };
                    // Named apart, so that they can stand in one selection.
                    let alias =
                        if keys.len() * parts.len() > 1 { format!("{}{i}_{j}: ", field.name) } else { String::new() };
                    found.push(format!("{alias}{}{key}{part}", field.name));
                }
            }
        }
        if levels > 1 { found } else { vec![found.join(" ")] }
    }
}

pub const ROOTS: [(&str, &str); 7] = [
    ("proxmoxEndpoints", "ProxmoxEndpoint"),
    ("proxmoxClusters", "ProxmoxCluster"),
    ("proxmoxNodes", "ProxmoxNode"),
    ("proxmoxStorages", "ProxmoxStorage"),
    ("netboxClusters", "NetBoxCluster"),
    ("netboxDevices", "NetBoxDevice"),
    ("tags", "Tag"),
];

/// Holds the statements of a question about few rows against those of one about many.
async fn same(server: &Server, few: &str, many: &str) {
    same_as(server, ADMIN, few, many).await;
}

async fn same_as(server: &Server, token: &str, few: &str, many: &str) {
    let count = async || (server.count_as(token, few).await, server.count_as(token, many).await);
    let mut counts = count().await;
    if counts.0 != counts.1 {
        // Once a minute the use of the token is noted in the background, which may have fallen between.
        counts = count().await;
    }
    assert!(counts.0 == counts.1, "{} statements for few rows, {} for many: {many}", counts.0, counts.1);
}

async fn no_field_of_any_type_asks_once_a_row(db: TestDb) {
    let (server, shape) = (changed(&db).await, Shape::new());
    // Every type is a root here, so one level reaches every field; two also see how they mix.
    let levels = if std::env::var_os("PROXBOX_TEST_LONG").is_some() { 2 } else { 1 };
    let mut asked = 0;
    for (root, ty) in ROOTS {
        for selection in shape.of_object(ty, levels) {
            let question = |first: usize| format!("{{ {root}(first: {first}) {{ nodes {{ {selection} }} }} }}");
            same(&server, &question(2), &question(50)).await;
            asked += 1;
        }
    }
    assert!(asked > 25, "the schema was walked: {asked} selections");
}

/// The walk must reach every type that the queries lead to; what only mutations lead to are payloads around them.
#[test]
fn the_walk_reaches_every_type() {
    let shape = Shape::new();
    let feeds = [("ChangeConnection", 2), ("SyncRunConnection", 3), ("LinkSuggestionConnection", 3)];
    let feeds = feeds.into_iter().flat_map(|(ty, levels)| shape.of_connection(ty, levels));
    let text = ROOTS.iter().flat_map(|(_, ty)| shape.of_object(ty, 2)).chain(feeds).collect::<Vec<_>>().join("\n");
    let mut reached = BTreeSet::new();
    let mut next = vec!["Query".to_owned()];
    while let Some(ty) = next.pop() {
        next.extend(shape.interfaces.get(&ty).into_iter().flatten().cloned());
        if reached.insert(ty.clone()) {
            next.extend(shape.objects.get(&ty).into_iter().flatten().map(|field| field.ty.clone()));
        }
    }
    for (ty, fields) in shape.objects.iter().filter(|(ty, _)| reached.contains(*ty) && *ty != "Query") {
        for field in fields.iter().filter(|_| {
            !matches!(
                ty.as_str(),
                "NetBoxClusterConnection"
                    | "NetBoxDeviceConnection"
                    | "ProxmoxEndpointConnection"
                    | "TagConnection"
                    // There is one, or none.
                    | "NetBoxMirror"
                    | "NetBoxMirrorError"
            )
        }) {
            assert!(text.contains(&field.name), "{ty}.{}", field.name);
        }
    }
    for ty in shape.objects.keys().filter(|ty| !reached.contains(*ty) && *ty != "Mutation") {
        let payload = ty.ends_with("Payload") || ty.ends_with("BulkItem");
        assert!(payload || ["UserError", "DeletionEffect"].contains(&ty.as_str()), "{ty} is nowhere asked for");
    }
}

/// The feed, also for whom every reference and tag in a document must be looked up.
async fn the_feed_asks_once_a_page(db: TestDb) {
    let (server, shape) = (changed(&db).await, Shape::new());
    let selections = shape.of_connection("ChangeConnection", 2);
    for token in [ADMIN, RESTRICTED] {
        for ty in ["PROXMOX_CLUSTER", "PROXMOX_NODE", "PROXMOX_STORAGE"] {
            for after in ["", ", after: \"3.1\""] {
                let question = |first: usize| {
                    let arguments = format!("filter: {{types: [{ty}]}}, first: {first}{after}");
                    format!("{{ changes({arguments}) {{ {} }} }}", selections.join(" "))
                };
                same_as(&server, token, &question(2), &question(50)).await;
            }
        }
        for (root, after) in ["proxmoxClusters", "proxmoxNodes", "proxmoxStorages"].into_iter().zip(2..) {
            let question = |first: usize| {
                let history = format!("history(first: 1, after: \"{after}.60\") {{ {} }}", selections.join(" "));
                format!("{{ {root}(first: {first}) {{ nodes {{ {history} }} }} }}")
            };
            same_as(&server, token, &question(2), &question(50)).await;
        }
    }
}

/// Runs of sync with their changes, and how it stands with each endpoint, also for whom every reference in a change must
/// be looked up.
async fn runs_ask_once_a_page(db: TestDb) {
    let (server, shape) = (server(&db, 60).await, Shape::new());
    for endpoint in 1..=60 {
        let run = runs::put(&server.app, runs::blank(endpoint, "e", RunState::Succeeded)).await;
        runs::many_steps(&server.app, run, 4).await;
        let state = sync_run::blank(endpoint);
        runs::put_state(&server.app, sync_state::Model { last_state: Some(RunState::Partial), ..state }).await;
    }
    let selections = shape.of_connection("SyncRunConnection", 3);
    for token in [ADMIN, RESTRICTED] {
        for selection in &selections {
            let question = |first: usize| format!("{{ syncRuns(first: {first}) {{ {selection} }} }}");
            same_as(&server, token, &question(2), &question(50)).await;
        }
        let question = |first: usize| {
            let selection = "lastSync nextSync state lastError { class message }";
            format!("{{ proxmoxEndpoints(first: {first}) {{ nodes {{ {selection} }} }} }}")
        };
        same_as(&server, token, &question(2), &question(50)).await;
    }
    // One statement for all endpoints, whatever is asked of their sync.
    let bare = server.count("{ proxmoxEndpoints { nodes { name } } }").await;
    assert_eq!(server.count("{ proxmoxEndpoints { nodes { lastSync nextSync state } } }").await, bare + 1);
}

/// Suggestions of links: the topology's own links cleared, and NetBox's names made those of Proxmox.
async fn link_suggestions_ask_once_a_page(db: TestDb) {
    let (server, shape) = (server(&db, 60).await, Shape::new());
    for sql in [
        "UPDATE proxmox_cluster SET netbox_cluster_id = NULL",
        "UPDATE proxmox_node SET netbox_device_id = NULL",
        "UPDATE netbox_cluster SET name = replace(name, 'nb', 'cluster')",
        "UPDATE netbox_device SET name = replace(name, 'device', 'node')",
    ] {
        crate::service::execute(&server.app.db, sql).await;
    }
    for token in [ADMIN, RESTRICTED] {
        for selection in shape.of_connection("LinkSuggestionConnection", 3) {
            for ty in ["PROXMOX_CLUSTER", "PROXMOX_NODE"] {
                let question =
                    |first: usize| format!("{{ linkSuggestions(type: {ty}, first: {first}) {{ {selection} }} }}");
                same_as(&server, token, &question(2), &question(50)).await;
            }
        }
    }
}

/// What a bulk mutation answers is read at once: nested fields cost the same for many items as for few.
async fn payloads_do_not_ask_once_an_item(db: TestDb) {
    let (server, shape) = (changed(&db).await, Shape::new());
    let mut mark = 10;
    for model in ["ProxmoxCluster", "ProxmoxNode", "ProxmoxStorage"] {
        let field = model.replacen('P', "p", 1);
        let parts = shape.of_object(model, 1).into_iter().enumerate();
        let nested = parts.map(|(i, part)| format!("r{i}: results {{ {field} {{ {part} }} }} ")).collect::<String>();
        for bulk in ["update", "upsert", "create"] {
            let mut statements = async |items: usize, nested: &str| {
                let given = (1..=items).map(|i| {
                    mark += 1;
                    let name = match bulk {
                        "update" => format!("id: {i}"),
                        "upsert" => format!("name: \"{} {i:05}\"", model[7..].to_lowercase()),
                        _ => format!("name: \"new {mark}\", tags: [\"tag-1\"]"),
                    };
                    let parent = match (bulk, model) {
                        ("update", _) => String::new(),
                        (_, "ProxmoxCluster") => format!(", endpoint: {i}, mode: CLUSTER"),
                        (_, "ProxmoxNode") => format!(", endpoint: {}, ipAddress: \"10.0.0.2\"", (i - 1) / 3 + 1),
                        _ => format!(", cluster: {}", (i - 1) / 2 + 1),
                    };
                    format!("{{{name}{parent}, customFields: {{mark: {mark}}}}}")
                });
                let input = format!("items: [{}]", given.collect::<Vec<_>>().join(", "));
                let mutation = format!("mutation {{ {bulk}{model}s(input: {{{input}}}) {{ succeeded {nested} }} }}");
                server.count(&mutation).await
            };
            let mut reading = async |items: usize| {
                let plain = statements(items, "results { index created userErrors { code } }").await;
                statements(items, &nested).await - plain
            };
            let (mut few, mut many) = (reading(2).await, reading(50).await);
            if few != many {
                (few, many) = (reading(2).await, reading(50).await);
            }
            assert_eq!(few, many, "statements to read what {bulk}{model}s answers");
            assert!(few > 3, "something is read: {few}");
        }
    }
}

async fn flags_of_nested_pages_are_asked_once(db: TestDb) {
    let (server, shape) = (server(&db, 60).await, Shape::new());
    for (root, ty) in ROOTS {
        let lists = shape.fields(ty).filter(|field| field.ty.ends_with("Connection"));
        // Of histories see the feed.
        for field in lists.filter(|field| field.ty != "ChangeConnection") {
            let name = &field.name;
            let first = server
                .data(&format!(
                    "{{ {root}(first: 1) {{ nodes {{ {name}(first: 1) {{ pageInfo {{ endCursor }} }} }} }} }}"
                ))
                .await;
            let cursor = &first[root]["nodes"][0][name]["pageInfo"]["endCursor"];
            assert!(cursor.is_string());
            for arguments in [
                format!("first: 1, after: {cursor}"),
                format!("last: 1, before: {cursor}"),
                format!("first: 1, after: {cursor}, before: {cursor}"),
                format!("last: 1, after: {cursor}, before: {cursor}"),
                "offset: 1, first: 1".to_owned(),
                "offset: 100".to_owned(),
            ] {
                let question = |first: usize| {
                    format!(
                        "{{ {root}(first: {first}) {{ nodes {{ {name}({arguments}) {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }} }}"
                    )
                };
                same(&server, &question(2), &question(50)).await;
            }
        }
    }
}

async fn objects_by_id_and_search_ask_once_a_kind(db: TestDb) {
    let server = server(&db, 60).await;
    let inside = "id ... on InventoryRecord { tags { name } }
        ... on ProxmoxCluster { endpoint { name } proxmoxNodes(first: 2) { totalCount nodes { name netboxDevice { name } } } }
        ... on ProxmoxNode { proxmoxCluster { name } endpoint { name } }
        ... on ProxmoxStorage { cluster { name proxmoxClusters { totalCount } } }";
    for ty in
        ["ProxmoxEndpoint", "ProxmoxCluster", "ProxmoxNode", "ProxmoxStorage", "NetBoxCluster", "NetBoxDevice", "Tag"]
    {
        let question = |n: usize| {
            let ids = (1..=n).map(|id| format!("\"{ty}:{id}\" ")).collect::<String>();
            format!("{{ nodes(ids: [{ids}]) {{ {inside} }} }}")
        };
        same(&server, &question(2), &question(50)).await;
    }
    let mixed = |n: usize| {
        let ids = (1..=n)
            .map(|id| format!("\"ProxmoxNode:{id}\" \"ProxmoxCluster:{id}\" \"ProxmoxStorage:{id}\" \"Tag:{id}\" "));
        format!("{{ nodes(ids: [{}]) {{ {inside} }} }}", ids.collect::<String>())
    };
    same(&server, &mixed(2), &mixed(50)).await;
    for text in ["cluster", "node", "storage"] {
        let question = |n: usize| format!("{{ search(q: \"{text}\", first: {n}) {{ {inside} }} }}");
        same(&server, &question(2), &question(50)).await;
    }
}

/// Filters and orderings over relations are part of the one statement.
async fn filters_and_orderings_cost_no_statement(db: TestDb) {
    let server = server(&db, 60).await;
    let plain = server.count("{ proxmoxNodes { nodes { id } } }").await;
    for arguments in [
        "filter: {proxmoxCluster: {is: {netboxCluster: {is: {name: {contains: \"nb\"}}}}}}",
        "filter: {tags: {any: [\"tag-1\", \"tag-2\"], none: [\"tag-3\"]}}",
        "filter: {proxmoxCluster: {is: {proxmoxNodes: {every: {online: {eq: true}}}}}}",
        "orderBy: [{field: ENDPOINT_NAME}, {field: PROXMOX_CLUSTER_NAME}, {field: NETBOX_DEVICE_NAME, direction: DESC}]",
    ] {
        let question = format!("{{ proxmoxNodes({arguments}) {{ nodes {{ id }} }} }}");
        assert_eq!(server.count(&question).await, plain, "{question}");
    }
}

async fn totals_figures_and_groups_cost_only_when_selected(db: TestDb) {
    let server = server(&db, 60).await;
    let nothing = server.count("{ __typename }").await;
    for (outside, close) in [("", ""), ("proxmoxEndpoints { nodes { ", " } } ")] {
        let count = async |selection: &str| {
            server.count(&format!("{{ {outside}proxmoxNodes {{ {selection} }}{close} }}")).await
        };
        let parents = if outside.is_empty() { nothing } else { nothing + 1 };
        for (selection, statements) in [
            ("__typename", 0),
            ("nodes { id }", 1),
            ("nodes { id } edges { cursor node { name } }", 1),
            ("nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor }", 1),
            ("totalCount", 1),
            ("aggregate { count maxCpu { sum } }", 1),
            ("groups(by: [ONLINE]) { key aggregate { count } }", 1),
            ("nodes { id } totalCount", 2),
            ("nodes { id } totalCount aggregate { count }", 3),
            ("nodes { id } totalCount aggregate { count } groups(by: [ONLINE]) { key }", 4),
            ("groups(by: [ENDPOINT]) { key endpoint { name } }", 2),
        ] {
            assert_eq!(count(selection).await - parents, statements, "{outside} {selection}");
        }
    }
}

/// Enough rows for several batches of everything that is loaded in batches.
async fn large_pages_ask_no_more_than_small_ones(db: TestDb) {
    let server = server(&db, 1000).await;
    for (root, selection) in [
        (
            "proxmoxClusterList(limit: $n)",
            "endpoint { name tags { name } } netboxCluster { name } tags { name } proxmoxNodes(first: 2) { totalCount nodes { name } }",
        ),
        (
            "proxmoxNodes(first: $n)",
            "nodes { tags { name } endpoint { name } netboxDevice { name proxmoxNodes(first: 1) { nodes { name } } } }",
        ),
        // Two thousand parents of the inner fields.
        (
            "proxmoxClusters(first: $n)",
            "nodes { proxmoxNodes(first: 2) { pageInfo { hasNextPage } nodes { tags { name } endpoint { name }
                netboxDevice { name proxmoxNodes { totalCount } } } } }",
        ),
        (
            "proxmoxEndpoints(first: $n)",
            "nodes { proxmoxClusters(first: 1) { aggregate { count } groups(by: [MODE]) { key } } }",
        ),
        (
            "netboxClusters(first: $n)",
            "nodes { proxmoxStorages(first: 2) { nodes { tags { slug } cluster { name } } } }",
        ),
    ] {
        let question = |n: &str| format!("{{ {} {{ {selection} }} }}", root.replace("$n", n));
        same(&server, &question("2"), &question("1000")).await;
    }
}

both!(
    no_field_of_any_type_asks_once_a_row,
    the_feed_asks_once_a_page,
    runs_ask_once_a_page,
    link_suggestions_ask_once_a_page,
    payloads_do_not_ask_once_an_item,
    flags_of_nested_pages_are_asked_once,
    objects_by_id_and_search_ask_once_a_kind,
    filters_and_orderings_cost_no_statement,
    totals_figures_and_groups_cost_only_when_selected,
    large_pages_ask_no_more_than_small_ones,
);
