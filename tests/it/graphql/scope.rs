//! What one may not view does not exist.
use super::{ids, rows, seed};
use crate::support::{ADMIN, Backend, SEED, Server, TestDb, both, fill};
use proxbox_graphql::db::DbOptions;
use proxbox_graphql::graphql::limits::Limits;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const VIEW_NODES: &str = "2222222222222222222222222222222222222222";
const READ_ONLY: &str = "1111111111111111111111111111111111111111";
const NOBODY: &str = "3333333333333333333333333333333333333333";
const CONSTRAINED: &str = "8888888888888888888888888888888888888888";

/// The seed with a token more that has these permissions.
async fn server(db: &TestDb, permissions: Value) -> (Server, &'static str) {
    const TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let mut seed = seed();
    let token = json!({"name": "asked", "value": TOKEN, "permissions": permissions});
    seed["tokens"].as_array_mut().unwrap().push(token);
    let app = db.open().await;
    fill(&app, &seed.to_string()).await;
    (Server::new(app), TOKEN)
}

fn view(models: &[&str], constraints: Value) -> Value {
    json!({"models": models, "actions": ["view"], "constraints": constraints})
}

async fn ask(server: &Server, token: &str, query: &str) -> Value {
    server.ask_as(token, query, json!({})).await.data()
}

const COUNTS: &str =
    "{ proxmoxEndpoints { totalCount } proxmoxClusters { totalCount aggregate { count } } proxmoxNodes { totalCount }
    proxmoxStorages { totalCount } netboxClusters { totalCount } netboxDevices { totalCount } tags { totalCount } }";

async fn each_token_sees_what_it_may(db: TestDb) {
    let server = db.server().await;
    for (token, expected) in [
        (ADMIN, [3, 5, 14, 25, 6, 12, 3]),
        (READ_ONLY, [3, 5, 14, 25, 6, 12, 3]),
        (VIEW_NODES, [0, 0, 14, 0, 0, 0, 0]),
        (NOBODY, [0; 7]),
        (CONSTRAINED, [0, 0, 0, 8, 0, 0, 0]),
    ] {
        let data = ask(&server, token, COUNTS).await;
        let found = data.as_object().unwrap().values().map(|list| list["totalCount"].as_i64().unwrap());
        assert_eq!(found.collect::<Vec<_>>(), expected, "{token}");
        assert_eq!(data["proxmoxClusters"]["aggregate"]["count"], expected[1]);
    }
}

async fn who_may_view_nodes_only_finds_nothing_behind_them(db: TestDb) {
    let server = db.server().await;
    let data = ask(
        &server,
        VIEW_NODES,
        "{ proxmoxNodes { nodes { name endpoint { id } proxmoxCluster { id } netboxDevice { id } tags { id } } aggregate { count online }
             groups(by: [ENDPOINT]) { key endpoint { id } aggregate { count } }
             both: groups(by: [PROXMOX_CLUSTER, ONLINE]) { key proxmoxCluster { id } aggregate { count } } }
           hidden: proxmoxCluster(id: 1) { id } key: proxmoxCluster(by: {endpoint: 1, name: \"pve-cluster\"}) { id }
           nodeKey: proxmoxNode(by: {endpoint: 1, name: \"pve-node-01\"}) { id } endpoint: proxmoxEndpoint(id: 1) { id }
           cluster: node(id: \"ProxmoxCluster:1\") { id } tag: node(id: \"Tag:1\") { id } seen: node(id: \"ProxmoxNode:1\") { id }
           nodes(ids: [\"ProxmoxNode:2\", \"ProxmoxStorage:1\", \"NetBoxDevice:31\"]) { id }
           search(q: \"lab\") { id tags { id } } proxmoxClusterList { id } proxmoxStorageList { id } }",
    )
    .await;
    let list = &data["proxmoxNodes"];
    for node in list["nodes"].as_array().unwrap() {
        let behind = json!([node["endpoint"], node["proxmoxCluster"], node["netboxDevice"], node["tags"]]);
        assert_eq!(behind, json!([null, null, null, []]), "{}", node["name"]);
    }
    assert_eq!(list["aggregate"], json!({"count": 14, "online": 9}));
    assert_eq!(list["groups"], json!([{"key": {"endpoint": null}, "endpoint": null, "aggregate": {"count": 14}}]));
    let by_truth = json!([
        {"key": {"proxmoxCluster": null, "online": true}, "proxmoxCluster": null, "aggregate": {"count": 9}},
        {"key": {"proxmoxCluster": null, "online": false}, "proxmoxCluster": null, "aggregate": {"count": 5}},
    ]);
    assert_eq!(list["both"], by_truth);
    for hidden in ["hidden", "key", "nodeKey", "endpoint", "cluster", "tag"] {
        assert!(data[hidden].is_null(), "{hidden}");
    }
    assert_eq!(data["seen"]["id"], "ProxmoxNode:1");
    assert_eq!(data["nodes"], json!([{"id": "ProxmoxNode:2"}, null, null]));
    let found = data["search"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap());
    assert_eq!(found.collect::<Vec<_>>(), ["ProxmoxNode:8", "ProxmoxNode:5", "ProxmoxNode:6", "ProxmoxNode:7"]);
    assert_eq!((&data["proxmoxClusterList"], &data["proxmoxStorageList"]), (&json!([]), &json!([])));
    // Without names of endpoints the default order is by the own name.
    let names = list["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect::<Vec<_>>();
    assert!(names.is_sorted(), "{names:?}");
}

async fn filters_cannot_ask_what_is_hidden(db: TestDb) {
    let server = db.server().await;
    let all = (1..=14).collect::<Vec<i64>>();
    for (filter, expected) in [
        ("endpoint: {}", vec![]),
        ("endpoint: {name: {startsWith: \"lab\"}}", vec![]),
        ("not: {endpoint: {name: {startsWith: \"lab\"}}}", all.clone()),
        ("proxmoxCluster: {isNull: true}", all.clone()),
        ("proxmoxCluster: {isNull: false}", vec![]),
        ("proxmoxCluster: {is: {}}", vec![]),
        ("proxmoxCluster: {is: {quorate: {eq: true}}}", vec![]),
        ("netboxDevice: {is: {id: {eq: 31}}}", vec![]),
        ("tags: {any: [\"prod\"]}", vec![]),
        ("tags: {isEmpty: true}", all.clone()),
        ("tags: {none: [\"prod\"]}", all.clone()),
        ("name: {startsWith: \"lab-\"}", vec![5, 6]),
    ] {
        let query = format!(
            "{{ proxmoxNodes(filter: {{{filter}}}, orderBy: [{{field: ID}}]) {{ nodes {{ databaseId }} totalCount aggregate {{ count }} }} }}"
        );
        let list = ask(&server, VIEW_NODES, &query).await["proxmoxNodes"].take();
        assert_eq!(ids(&list["nodes"]), expected, "{filter}");
        assert_eq!(
            (&list["totalCount"], &list["aggregate"]["count"]),
            (&json!(expected.len()), &json!(expected.len())),
            "{filter}"
        );
    }
    // A storage's cluster is found by its name only where one may view it.
    for (token, found) in [(ADMIN, 8), (CONSTRAINED, 0)] {
        let data = ask(&server, token, "{ proxmoxStorages(filter: {q: \"prod-cluster\"}) { totalCount } }").await;
        assert_eq!(data["proxmoxStorages"]["totalCount"], found);
    }
}

async fn some_none_and_every_see_viewable_nodes_only(db: TestDb) {
    let permissions = json!([
        view(&["proxmoxcluster", "proxmoxendpoint"], Value::Null),
        view(&["proxmoxnode"], json!({"online": true}))
    ]);
    let (server, token) = server(&db, permissions).await;
    for (filter, expected) in [
        ("some: {online: {eq: false}}", vec![]),
        ("none: {online: {eq: false}}", vec![1, 2, 3, 4, 5]),
        ("every: {online: {eq: true}}", vec![1, 2, 3, 4, 5]),
        // The only node of 4 is down.
        ("none: {}", vec![4]),
        ("every: {or: []}", vec![4]),
        ("some: {name: {eq: \"pve-node-03\"}}", vec![]),
        ("some: {name: {eq: \"alone-01\"}}", vec![2]),
    ] {
        let query = format!(
            "{{ proxmoxClusterList(filter: {{proxmoxNodes: {{{filter}}}}}, orderBy: [{{field: ID}}]) {{ databaseId }} }}"
        );
        assert_eq!(ids(&ask(&server, token, &query).await["proxmoxClusterList"]), expected, "{filter}");
    }
    let query = "{ proxmoxClusterList(orderBy: [{field: ID}]) { proxmoxNodes { totalCount aggregate { count online } nodes { id } } } }";
    let data = ask(&server, token, query).await;
    let counts = data["proxmoxClusterList"].as_array().unwrap().iter().map(|cluster| {
        let list = &cluster["proxmoxNodes"];
        assert_eq!(list["aggregate"]["count"], list["totalCount"]);
        assert_eq!(list["aggregate"]["online"], list["totalCount"]);
        assert_eq!(list["totalCount"], list["nodes"].as_array().unwrap().len());
        list["totalCount"].as_i64().unwrap()
    });
    assert_eq!(counts.collect::<Vec<_>>(), [2, 4, 2, 0, 2]);
}

/// Order and page by the name of something hidden: it has none.
async fn hidden_names_do_not_order(db: TestDb) {
    let permissions = json!([view(&["proxmoxnode"], Value::Null), view(&["device"], json!({"id__in": [31, 42]}))]);
    let (server, token) = server(&db, permissions).await;
    for (order, expected) in [
        ("{field: NETBOX_DEVICE_NAME}", vec![5, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        ("{field: NETBOX_DEVICE_NAME, direction: DESC}", vec![1, 5, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        ("{field: NETBOX_DEVICE_NAME, nulls: FIRST}", vec![2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 5, 1]),
        ("{field: ENDPOINT_NAME, direction: DESC}", (1..=14).collect()),
        ("{field: PROXMOX_CLUSTER_NAME, nulls: FIRST}, {field: ID, direction: DESC}", (1..=14).rev().collect()),
    ] {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = format!(
                "{{ proxmoxNodes(first: 4, orderBy: [{order}]{cursor}) {{ nodes {{ databaseId }} pageInfo {{ hasNextPage endCursor }} }} }}"
            );
            let list = ask(&server, token, &query).await["proxmoxNodes"].take();
            found.extend(ids(&list["nodes"]));
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
            cursor = format!(", after: {}", list["pageInfo"]["endCursor"]);
        }
        assert_eq!(found, expected, "{order}");
    }
    let cursor = ask(&server, token, "{ proxmoxNodes(first: 1) { pageInfo { endCursor } } }").await;
    let cursor = cursor["proxmoxNodes"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    use base64::Engine;
    let bytes = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("proxmox"), "a cursor names no hidden endpoint");
}

/// The way from a cluster to its endpoint's nodes, or to its NetBox cluster's storages, is closed with what it leads over.
async fn lists_do_not_lead_over_what_is_hidden(db: TestDb) {
    let models = ["proxmoxcluster", "proxmoxnode", "proxmoxstorage"];
    let (server, token) = server(&db, json!([view(&models, Value::Null)])).await;
    let query = "{ proxmoxClusterList(orderBy: [{field: ID}]) { netboxCluster { id } endpoint { id }
        proxmoxNodes { totalCount } proxmoxStorages { totalCount nodes { id } aggregate { count } } } }";
    for (token, nodes, storages) in [(ADMIN, [3, 5, 4, 1, 2], [8, 0, 6, 4, 0]), (token, [3, 1, 4, 1, 2], [0; 5])] {
        let data = ask(&server, token, query).await;
        let list = data["proxmoxClusterList"].as_array().unwrap();
        let counts =
            |name: &str| list.iter().map(|cluster| cluster[name]["totalCount"].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!((counts("proxmoxNodes"), counts("proxmoxStorages")), (nodes.to_vec(), storages.to_vec()), "{token}");
    }
    // By way of the same endpoint a filter would tell as much.
    let query = "{ proxmoxClusterList(filter: {proxmoxNodes: {some: {id: {eq: 14}}}}) { databaseId } }";
    assert_eq!(ids(&ask(&server, token, query).await["proxmoxClusterList"]), Vec::<i64>::new());
    assert_eq!(ids(&ask(&server, ADMIN, query).await["proxmoxClusterList"]), [2]);
}

async fn constraints_are_django_s(db: TestDb) {
    let app = db.open().await;
    let mut seed = seed();
    let cases: Vec<(&str, Value, Vec<i64>)> = vec![
        ("proxmoxnode", json!({"online": true, "max_cpu__gte": 16}), vec![1, 2, 5, 6]),
        ("proxmoxnode", json!([{"online": false, "max_cpu__gte": 64}, {"name": "Zeta"}]), vec![7, 8, 13]),
        ("proxmoxnode", json!({"proxmox_cluster__netbox_cluster__name": "prod-cluster"}), vec![1, 2, 3]),
        ("proxmoxnode", json!({"proxmox_cluster": 5}), vec![9, 10]),
        ("proxmoxnode", json!({"proxmox_cluster_id__in": [2, 4]}), vec![4, 11]),
        ("proxmoxnode", json!({"endpoint__mode": "undefined", "proxmox_cluster__isnull": true}), vec![12, 13]),
        ("proxmoxnode", json!({"netbox_device__isnull": false, "name__istartswith": "LAB"}), vec![5, 6, 7]),
        ("proxmoxnode", json!({"name__iregex": "^NÖDE"}), vec![11]),
        ("proxmoxnode", json!({"tags__slug": "prod"}), vec![2, 5]),
        ("proxmoxnode", json!({"tags__slug__in": ["unicode", "test-env"]}), vec![4, 5, 8, 11]),
        ("proxmoxnode", json!({"name__contains": "%"}), vec![8]),
        ("proxmoxnode", json!({"cpu_usage_percent__lt": 1.0, "node_id": null}), vec![]),
        ("proxmoxnode", json!([]), (1..=14).collect()),
        ("proxmoxnode", json!({}), (1..=14).collect()),
    ];
    let token = |i: usize| format!("{i:a>40}");
    let tokens = seed["tokens"].as_array_mut().unwrap();
    tokens.extend(cases.iter().enumerate().map(|(i, (model, constraints, _))| {
        json!({"name": format!("case {i}"), "value": token(i), "permissions": [view(&[model], constraints.clone())]})
    }));
    // Several permissions add up.
    tokens.push(json!({"name": "sum", "value": token(99), "permissions": [
        view(&["proxmoxnode"], json!({"id": 3})), view(&["proxmoxnode", "tag"], json!({"name": "Zeta"})),
        {"models": ["proxmoxnode"], "actions": ["add", "change", "delete"], "constraints": null},
    ]}));
    fill(&app, &seed.to_string()).await;
    let server = Server::new(app);
    let query = "{ proxmoxNodeList(orderBy: [{field: ID}]) { databaseId } }";
    for (i, (_, constraints, expected)) in cases.iter().enumerate() {
        assert_eq!(ids(&ask(&server, &token(i), query).await["proxmoxNodeList"]), *expected, "{constraints}");
    }
    assert_eq!(ids(&ask(&server, &token(99), query).await["proxmoxNodeList"]), [3, 13]);
}

// ---- Anybody's answers are an admin's where the hidden rows are not there. ----

/// Model in permissions, list of the file, and some constraints with the rows that they allow.
type Choices = (&'static str, &'static str, Vec<(Value, Vec<i64>)>);

fn choices() -> [Choices; 7] {
    [
        (
            "proxmoxendpoint",
            "proxmox_endpoints",
            vec![
                (json!({"mode": "standalone"}), vec![2]),
                (json!({"tags__slug": "test-env"}), vec![3]),
                (json!([{"name__icontains": "PROD"}, {"ip_address__startswith": "2001"}]), vec![1, 3]),
            ],
        ),
        (
            "proxmoxcluster",
            "proxmox_clusters",
            vec![
                (json!({"quorate": true}), vec![1, 5]),
                (json!({"endpoint__name": "lab-proxmox"}), vec![3, 5]),
                (json!({"netbox_cluster__isnull": false}), vec![1, 3, 4]),
                (json!({"mode": "standalone"}), vec![2]),
            ],
        ),
        (
            "proxmoxnode",
            "proxmox_nodes",
            vec![
                (json!({"online": true}), vec![1, 2, 4, 5, 6, 9, 10, 12, 14]),
                (json!([{"support_level": "p"}, {"name__startswith": "pve"}]), vec![1, 2, 3, 5]),
                (json!({"proxmox_cluster__isnull": true}), vec![12, 13, 14]),
                (json!({"endpoint__mode": "standalone"}), vec![5, 6, 7, 8, 9, 10]),
            ],
        ),
        (
            "proxmoxstorage",
            "proxmox_storages",
            vec![
                (json!({"cluster__name": "prod-cluster"}), (1..=8).collect()),
                (json!({"storage_type__in": ["dir", "nfs"]}), vec![2, 3, 9, 15, 16, 17, 18, 19, 20, 21, 23, 25]),
                (json!({"shared": true, "enabled": true}), vec![3, 5, 6, 7, 13, 14, 15, 16]),
            ],
        ),
        (
            "cluster",
            "netbox_clusters",
            vec![(json!({"name__icontains": "CLUSTER"}), vec![1, 2, 5, 6]), (json!({"id": 4}), vec![4])],
        ),
        (
            "device",
            "netbox_devices",
            vec![(json!({"id__lte": 35}), (31..=35).collect()), (json!({"name__isnull": true}), vec![40])],
        ),
        ("tag", "tags", vec![(json!({"slug__in": ["prod", "unicode"]}), vec![1, 3])]),
    ]
}

/// A stand-in for a hidden row that a file cannot do without: one for each row that refers to it, so that it joins
/// nothing. Its name sorts behind all others, as none does.
const STAND_IN: i64 = 1_000;
const LAST_NAME: &str = "\u{10ffff}";

/// The seed without the hidden rows.
fn without_hidden(seen: &BTreeMap<&str, BTreeSet<i64>>) -> Value {
    let mut file = seed();
    let hidden = |list: &str, id: &Value| id.as_i64().is_some_and(|id| !seen[list].contains(&id));
    for list in seen.keys() {
        file[*list].as_array_mut().unwrap().retain(|row| !hidden(list, &row["id"]));
    }
    let mut stand_ins = vec![];
    for (list, column, target, nullable) in [
        ("proxmox_clusters", "endpoint", "proxmox_endpoints", false),
        ("proxmox_clusters", "netbox_cluster", "netbox_clusters", true),
        ("proxmox_nodes", "endpoint", "proxmox_endpoints", false),
        ("proxmox_nodes", "proxmox_cluster", "proxmox_clusters", true),
        ("proxmox_nodes", "netbox_device", "netbox_devices", true),
        ("proxmox_storages", "cluster", "netbox_clusters", false),
    ] {
        for row in file[list].as_array_mut().unwrap() {
            if hidden(target, &row[column]) {
                let id = STAND_IN * (2 + stand_ins.len() as i64);
                row[column] = if nullable { Value::Null } else { json!(id) };
                if !nullable {
                    stand_ins.push((target, id));
                }
            }
        }
    }
    for (list, id) in stand_ins {
        let row = match list {
            "netbox_clusters" => json!({"id": id, "name": LAST_NAME, "display": LAST_NAME}),
            _ => {
                json!({"id": id, "name": LAST_NAME, "domain": format!("e{id}"), "ip_address": null, "mode": "undefined",
                "version": null, "repoid": null, "tls_fingerprint": null, "tags": []})
            }
        };
        file[list].as_array_mut().unwrap().push(row);
    }
    for list in ["proxmox_endpoints", "proxmox_clusters", "proxmox_nodes", "proxmox_storages"] {
        for row in file[list].as_array_mut().unwrap() {
            if let Some(tags) = row["tags"].as_array_mut() {
                tags.retain(|tag| !hidden("tags", tag));
            }
        }
    }
    file
}

/// Takes the stand-ins out of an answer.
fn forget_stand_ins(answer: &mut Value) {
    let stands_in = answer["databaseId"].as_i64().is_some_and(|id| id >= STAND_IN);
    if stands_in {
        *answer = Value::Null;
    }
    match answer {
        Value::Array(list) => list.iter_mut().for_each(forget_stand_ins),
        Value::Object(object) => object.values_mut().for_each(forget_stand_ins),
        _ => {}
    }
}

const QUESTIONS: &[&str] = &[
    "{ proxmoxNodes { totalCount nodes { databaseId name endpoint { databaseId name tags { slug } } proxmoxCluster { databaseId name
        endpoint { databaseId } netboxCluster { databaseId } } netboxDevice { databaseId name } tags { slug } }
        aggregate { count online memoryUsage { min max } memoryUsagePercent cpuUsagePercent { min max } }
        groups(by: [PROXMOX_CLUSTER, ONLINE]) { key proxmoxCluster { databaseId name } aggregate { count } } } }",
    "{ proxmoxClusters { totalCount nodes { databaseId mode endpoint { databaseId name } netboxCluster { databaseId name
        proxmoxStorages { totalCount } proxmoxClusters { totalCount } } tags { slug }
        proxmoxNodes { totalCount nodes { databaseId } aggregate { count } groups(by: [ONLINE]) { key aggregate { count } } }
        proxmoxStorages(first: 2) { totalCount nodes { databaseId cluster { databaseId } } pageInfo { hasNextPage } } }
        aggregate { count quorate nodesCount { sum } } groups(by: [MODE]) { key aggregate { count } } } }",
    "{ proxmoxStorages { totalCount nodes { databaseId cluster { databaseId name proxmoxClusters { nodes { databaseId } } } tags { slug } }
        aggregate { count enabled shared } groups(by: [STORAGE_TYPE, SHARED]) { key aggregate { count } } } }",
    "{ netboxDevices { totalCount nodes { databaseId proxmoxNodes { totalCount nodes { databaseId } } } } tags { totalCount nodes { slug } } }",
    "{ proxmoxEndpoints(filter: {id: {notIn: [STAND_INS]}}) { totalCount nodes { databaseId tags { slug }
        proxmoxClusters { totalCount nodes { databaseId } groups(by: [QUORATE]) { key aggregate { count } } }
        proxmoxNodes { totalCount nodes { databaseId } aggregate { count } } } } }",
    "{ netboxClusters(filter: {id: {notIn: [STAND_INS]}}) { totalCount nodes { databaseId proxmoxClusters { nodes { databaseId } totalCount }
        proxmoxStorages { nodes { databaseId } totalCount aggregate { count } } } } }",
    "{ proxmoxNodeList(filter: {endpoint: {name: {contains: \"prox\"}}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {not: {endpoint: {mode: {eq: CLUSTER}}}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {proxmoxCluster: {isNull: true}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {proxmoxCluster: {is: {netboxCluster: {isNull: true}}}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {not: {netboxDevice: {is: {name: {startsWith: \"lab\"}}}}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {proxmoxCluster: {is: {proxmoxNodes: {some: {online: {eq: false}}}}}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {tags: {none: [\"test-env\"]}}) { databaseId } }",
    "{ proxmoxNodeList(filter: {tags: {isEmpty: true}}) { databaseId } }",
    "{ proxmoxClusterList(filter: {proxmoxNodes: {every: {online: {eq: true}}}}) { databaseId } }",
    "{ proxmoxClusterList(filter: {proxmoxNodes: {none: {memoryUsage: {isNull: true}}}}) { databaseId } }",
    "{ proxmoxClusterList(filter: {proxmoxNodes: {some: {netboxDevice: {isNull: false}}}}) { databaseId } }",
    "{ proxmoxClusterList(filter: {netboxCluster: {isNull: false}}) { databaseId } }",
    "{ proxmoxStorageList(filter: {cluster: {name: {contains: \"lab\"}}}) { databaseId } }",
    "{ proxmoxStorageList(filter: {q: \"cluster\"}) { databaseId } }",
    "{ proxmoxNodeList(orderBy: [{field: PROXMOX_CLUSTER_NAME, direction: DESC}, {field: NETBOX_DEVICE_NAME, nulls: FIRST}]) { databaseId } }",
    "{ proxmoxNodeList(orderBy: [{field: ENDPOINT_NAME}, {field: MEMORY_USAGE, direction: DESC}]) { databaseId } }",
    "{ proxmoxClusterList(orderBy: [{field: NETBOX_CLUSTER_NAME, direction: DESC, nulls: FIRST}]) { databaseId } }",
    "{ proxmoxStorageList(orderBy: [{field: CLUSTER_NAME}, {field: ID, direction: DESC}]) { databaseId } }",
    "{ search(q: \"a\") { databaseId __typename tags { slug } } }",
    "{ search(q: \"cluster\", first: 3) { databaseId } }",
    "{ nodes(ids: [\"ProxmoxNode:1\", \"ProxmoxNode:3\", \"ProxmoxNode:12\", \"ProxmoxCluster:1\", \"ProxmoxCluster:3\", \"ProxmoxEndpoint:1\",
        \"ProxmoxEndpoint:2\", \"ProxmoxStorage:2\", \"ProxmoxStorage:9\", \"NetBoxCluster:1\", \"NetBoxCluster:4\", \"NetBoxDevice:31\", \"NetBoxDevice:40\",
        \"Tag:1\", \"Tag:2\"]) { id } }",
    "{ a: proxmoxCluster(by: {endpoint: 1, name: \"pve-cluster\"}) { id } b: proxmoxNode(by: {endpoint: 2, name: \"lab-01\"}) { id }
        c: proxmoxStorage(by: {cluster: 5, name: \"local\"}) { id } d: proxmoxNode(by: {endpoint: 3, name: \"Zeta\"}) { id } }",
    "{ a: node(id: \"ProxmoxNode:1\") { id } b: node(id: \"ProxmoxCluster:2\") { id } c: node(id: \"ProxmoxEndpoint:3\") { id }
        d: node(id: \"ProxmoxStorage:4\") { id } e: node(id: \"NetBoxCluster:5\") { id } f: node(id: \"NetBoxDevice:31\") { id }
        g: node(id: \"Tag:1\") { id } h: proxmoxNode(id: 7) { name endpoint { databaseId } } i: proxmoxCluster(id: 3) { name }
        j: proxmoxStorage(id: 9) { name cluster { databaseId } } k: proxmoxEndpoint(id: 2) { name } l: netboxCluster(id: 1) { name }
        m: netboxDevice(id: 40) { display } }",
    "{ proxmoxClusters { nodes { databaseId proxmoxNodes(filter: {tags: {any: [\"prod\", \"unicode\"]}}, orderBy: [{field: NETBOX_DEVICE_NAME, direction: DESC}])
        { totalCount nodes { databaseId } aggregate { count } } proxmoxStorages(filter: {cluster: {name: {contains: \"cluster\"}}}) { totalCount nodes { databaseId } } } } }",
    "{ proxmoxStorageList(filter: {tags: {all: [\"prod\"]}}) { databaseId } proxmoxClusterList(filter: {tags: {isEmpty: false}}) { databaseId } }",
    "{ proxmoxNodes(first: 3, offset: 2) { totalCount nodes { databaseId } pageInfo { hasNextPage hasPreviousPage } }
        last: proxmoxStorages(last: 2) { nodes { databaseId } pageInfo { hasNextPage hasPreviousPage } } }",
];

/// Lists that are paged through in both directions.
const PAGED: &[(&str, &str)] = &[
    ("proxmoxNodes", ""),
    ("proxmoxStorages", ""),
    (
        "proxmoxNodes",
        "orderBy: [{field: PROXMOX_CLUSTER_NAME, direction: DESC}, {field: NETBOX_DEVICE_NAME, nulls: FIRST}]",
    ),
    ("proxmoxNodes", "orderBy: [{field: ENDPOINT_NAME}, {field: MEMORY_USAGE, direction: DESC}]"),
    ("proxmoxNodes", "filter: {not: {proxmoxCluster: {is: {quorate: {eq: true}}}}}"),
    ("proxmoxClusters", "orderBy: [{field: NETBOX_CLUSTER_NAME, direction: DESC, nulls: FIRST}]"),
    ("proxmoxStorages", "filter: {q: \"o\"}, orderBy: [{field: CLUSTER_NAME}, {field: SHARED, direction: DESC}]"),
];

/// The ids of a list, read page by page: behind the last cursor, or before the first one.
async fn paged(server: &Server, token: &str, list: &str, arguments: &str, backward: bool) -> Vec<i64> {
    let [size, side, end, more] = match backward {
        false => ["first", "after", "endCursor", "hasNextPage"],
        true => ["last", "before", "startCursor", "hasPreviousPage"],
    };
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = format!(
            "{{ {list}({arguments} {size}: 3 {cursor}) {{ nodes {{ databaseId }} pageInfo {{ {end} {more} }} }} }}"
        );
        let page = ask(server, token, &query).await[list].take();
        let place = if backward { 0 } else { found.len() };
        found.splice(place..place, ids(&page["nodes"]));
        if page["pageInfo"][more] == false {
            return found;
        }
        cursor = format!("{side}: {}", page["pageInfo"][end]);
    }
}

async fn anybody_s_answers_are_an_admin_s_without_the_hidden_rows(db: TestDb) {
    // Each set asks some thirty questions of two servers; the long run has time for more sets.
    let sets_to_try = if std::env::var_os("PROXBOX_TEST_LONG").is_some() { 20 } else { 4 };
    let token = |i: usize| format!("{i:b>40}");
    let (mut file, mut sets) = (seed(), Vec::new());
    // Each set takes another mixture: of each model all rows, none, or those of a constraint.
    let mut random = 7_u64;
    for set in 0..sets_to_try {
        let (mut seen, mut permissions) = (BTreeMap::new(), Vec::new());
        for (model, list, constraints) in choices() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Whole models are the more usual choice, and leave something to see.
            let choice = (random >> 33) as usize % (constraints.len() * 2 + 2);
            let ids = match constraints.get(choice) {
                Some((constraint, ids)) => {
                    permissions.push(view(&[model], constraint.clone()));
                    ids.iter().copied().collect()
                }
                None if choice == constraints.len() => BTreeSet::new(),
                None => {
                    permissions.push(view(&[model], Value::Null));
                    rows(&file, list).iter().map(|row| row["id"].as_i64().unwrap()).collect()
                }
            };
            seen.insert(list, ids);
        }
        let permissions = Value::Array(permissions);
        let new = json!({"name": format!("set {set}"), "value": token(set), "permissions": permissions});
        file["tokens"].as_array_mut().unwrap().push(new);
        sets.push((seen, permissions));
    }
    let app = db.open().await;
    fill(&app, &file.to_string()).await;
    let unlimited = || Limits { cost: u64::MAX, ..Limits::default() };
    let server = Server::limited(app, unlimited());
    for (set, (seen, permissions)) in sets.iter().enumerate() {
        let filtered = without_hidden(seen);
        // What the answers are held against may be on any database.
        let url = format!("sqlite://{}?mode=rwc", db.folder.path().join(format!("set-{set}.db")).display());
        let options = DbOptions { url, connections: 2, statement_timeout: Duration::from_secs(10) };
        let other = TestDb { backend: Backend::Sqlite, options, folder: crate::support::folder() };
        let app = other.open().await;
        fill(&app, &filtered.to_string()).await;
        let admin = Server::limited(app, unlimited());
        let stand_ins = ["proxmox_endpoints", "netbox_clusters"].iter().flat_map(|list| rows(&filtered, list));
        let stand_ins = stand_ins.filter_map(|row| row["id"].as_i64()).filter(|id| *id >= STAND_IN);
        let stand_ins = stand_ins.map(|id| id.to_string()).collect::<Vec<_>>().join(", ");
        for question in QUESTIONS {
            let question = question.replace("STAND_INS", &stand_ins);
            let found = ask(&server, &token(set), &question).await;
            let mut expected = ask(&admin, ADMIN, &question).await;
            forget_stand_ins(&mut expected);
            assert_eq!(found, expected, "\n{question}\nwith {permissions}");
        }
        for (list, arguments) in PAGED {
            let whole = format!("{{ {list}({arguments} first: 1000) {{ nodes {{ databaseId }} }} }}");
            let expected = ids(&ask(&admin, ADMIN, &whole).await[list]["nodes"]);
            for backward in [false, true] {
                let found = paged(&server, &token(set), list, arguments, backward).await;
                assert_eq!(found, expected, "{list} {arguments} backward: {backward}\nwith {permissions}");
            }
        }
    }
}

/// The constraints above allow the rows written beside them; otherwise the comparison would compare something else.
async fn the_choices_are_what_they_say(db: TestDb) {
    let mut file: Value = serde_json::from_str(SEED).unwrap();
    let token = |i: usize| format!("{i:c>40}");
    let cases =
        choices().into_iter().flat_map(|(model, list, cases)| cases.into_iter().map(move |case| (model, list, case)));
    let cases = cases.collect::<Vec<_>>();
    for (i, (model, _, (constraint, _))) in cases.iter().enumerate() {
        let new = json!({"name": format!("case {i}"), "value": token(i), "permissions": [view(&[model], constraint.clone())]});
        file["tokens"].as_array_mut().unwrap().push(new);
    }
    let app = db.open().await;
    fill(&app, &file.to_string()).await;
    let server = Server::new(app);
    for (i, (_, list, (constraint, expected))) in cases.iter().enumerate() {
        let field = super::camel(list);
        let data = ask(&server, &token(i), &format!("{{ {field} {{ nodes {{ databaseId }} }} }}")).await;
        let mut found = ids(&data[&field]["nodes"]);
        found.sort_unstable();
        assert_eq!(found, *expected, "{list} {constraint}");
    }
}

both!(
    each_token_sees_what_it_may,
    who_may_view_nodes_only_finds_nothing_behind_them,
    filters_cannot_ask_what_is_hidden,
    some_none_and_every_see_viewable_nodes_only,
    hidden_names_do_not_order,
    lists_do_not_lead_over_what_is_hidden,
    constraints_are_django_s,
    anybody_s_answers_are_an_admin_s_without_the_hidden_rows,
    the_choices_are_what_they_say,
);
