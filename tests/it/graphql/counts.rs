//! The number of statements does not grow with the number of rows: for every field of every type, by the schema itself.
use crate::support::{SEED, Server, TestDb, both, fill};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use proxbox_graphql::graphql::limits::Limits;
use proxbox_graphql::graphql::{schema, sdl};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many endpoints, clusters, devices and so on, three nodes and two storages each. Every reference is there: a query
/// whose rows all lack one rightly sends a statement less.
fn topology(n: usize) -> Value {
    let of = |count: usize, make: &dyn Fn(usize) -> Value| (1..=count).map(make).collect::<Value>();
    let tags = |i: usize| json!([i % n + 1, (i + 1) % n + 1]);
    let seed: Value = serde_json::from_str(SEED).unwrap();
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
        "tokens": seed["tokens"],
    })
}

async fn server(db: &TestDb, n: usize) -> Server {
    let app = db.open().await;
    fill(&app, &topology(n).to_string()).await;
    // Many of these questions are more than a client may ask at once.
    Server::limited(app, Limits { cost: u64::MAX, depth: 50, aliases: 100, ..Limits::default() })
}

/// A field: its type without wrappers, and the enum of its argument `by`.
struct Field {
    name: String,
    ty: String,
    by: Option<String>,
}

/// The schema as far as selections need it.
struct Shape {
    objects: BTreeMap<String, Vec<Field>>,
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
    fn new() -> Self {
        let mut shape = Self { objects: BTreeMap::new(), enums: BTreeMap::new() };
        for definition in parse_schema(sdl(&schema())).unwrap().definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.node.to_string();
            match ty.node.kind {
                TypeKind::Object(ty) => {
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

    /// The fields that are no objects, which send no statement of their own.
    fn leaves(&self, ty: &str) -> String {
        let leaves = self.fields(ty).filter(|field| !self.objects.contains_key(&field.ty));
        leaves.map(|field| field.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Selections of an object that together hold every field, down to objects so many levels below.
    fn of_object(&self, ty: &str, levels: usize) -> Vec<String> {
        let mut found = vec![self.leaves(ty)].into_iter().filter(|leaves| !leaves.is_empty()).collect::<Vec<_>>();
        for field in self.fields(ty).filter(|field| self.objects.contains_key(&field.ty)) {
            if field.ty.ends_with("Connection") {
                let arguments =
                    ["(first: 3)", "(last: 2)", "(first: 1, offset: 1)", "(orderBy: [{field: ID}], first: 2)"];
                let arguments = if levels > 1 { &arguments[..] } else { &arguments[..1] };
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
    fn of_connection(&self, ty: &str, levels: usize) -> Vec<String> {
        let mut found = Vec::new();
        for field in self.fields(ty) {
            let parts = match (field.name.as_str(), &field.by) {
                (_, None) if !self.objects.contains_key(&field.ty) => vec![String::new()],
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

const ROOTS: [(&str, &str); 7] = [
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
    let mut counts = (server.count(few).await, server.count(many).await);
    if counts.0 != counts.1 {
        // Once a minute the use of the token is noted in the background, which may have fallen between.
        counts = (server.count(few).await, server.count(many).await);
    }
    assert!(counts.0 == counts.1, "{} statements for few rows, {} for many: {many}", counts.0, counts.1);
}

async fn no_field_of_any_type_asks_once_a_row(db: TestDb) {
    let (server, shape) = (server(&db, 60).await, Shape::new());
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

/// The walk must reach every type that the queries lead to.
#[test]
fn the_walk_reaches_every_type() {
    let shape = Shape::new();
    let text = ROOTS.iter().flat_map(|(_, ty)| shape.of_object(ty, 2)).collect::<Vec<_>>().join("\n");
    for (ty, fields) in shape.objects.iter().filter(|(ty, _)| !ty.ends_with("Query") && *ty != "Query") {
        for field in fields.iter().filter(|_| {
            !matches!(
                ty.as_str(),
                "NetBoxClusterConnection" | "NetBoxDeviceConnection" | "ProxmoxEndpointConnection" | "TagConnection"
            )
        }) {
            assert!(text.contains(&field.name), "{ty}.{}", field.name);
        }
    }
}

async fn flags_of_nested_pages_are_asked_once(db: TestDb) {
    let (server, shape) = (server(&db, 60).await, Shape::new());
    for (root, ty) in ROOTS {
        for field in shape.fields(ty).filter(|field| field.ty.ends_with("Connection")) {
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
    flags_of_nested_pages_are_asked_once,
    objects_by_id_and_search_ask_once_a_kind,
    filters_and_orderings_cost_no_statement,
    totals_figures_and_groups_cost_only_when_selected,
    large_pages_ask_no_more_than_small_ones,
);
