//! Single objects, whole lists and search over the seed.
use super::{camel, ids, row, rows, seed};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

/// Type, field of one, list, list of the seed, REST route.
const KINDS: [(&str, &str, &str, &str, &str); 7] = [
    (
        "ProxmoxEndpoint",
        "proxmoxEndpoint",
        "proxmoxEndpoints",
        "proxmox_endpoints",
        "plugins/proxbox/endpoints/proxmox",
    ),
    ("ProxmoxCluster", "proxmoxCluster", "proxmoxClusters", "proxmox_clusters", "plugins/proxbox/clusters"),
    ("ProxmoxNode", "proxmoxNode", "proxmoxNodes", "proxmox_nodes", "plugins/proxbox/nodes"),
    ("ProxmoxStorage", "proxmoxStorage", "proxmoxStorages", "proxmox_storages", "plugins/proxbox/storage"),
    ("NetBoxCluster", "netboxCluster", "netboxClusters", "netbox_clusters", "virtualization/clusters"),
    ("NetBoxDevice", "netboxDevice", "netboxDevices", "netbox_devices", "dcim/devices"),
    ("Tag", "", "tags", "tags", "extras/tags"),
];

async fn objects_are_found_by_either_form_of_their_id(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (ty, field, _, list, route) in KINDS {
        for row in rows(&seed, list) {
            let id = row["id"].as_i64().unwrap();
            let expected = json!({
                "__typename": ty,
                "id": format!("{ty}:{id}"),
                "databaseId": id,
                "url": format!("http://proxbox.example.com/api/{route}/{id}/"),
            });
            let mut questions = vec![format!("node(id: \"{ty}:{id}\")")];
            if !field.is_empty() {
                questions.extend(
                    ["{}", "\"{}\""].map(|form| format!("{field}(id: {})", form.replace("{}", &id.to_string()))),
                );
                questions.push(format!("{field}(id: \"{ty}:{id}\")"));
            }
            for question in questions {
                let query =
                    format!("{{ found: {question} {{ __typename id ... on RestResource {{ databaseId url }} }} }}");
                assert_eq!(server.data(&query).await["found"], expected, "{question}");
            }
        }
        for nothing in [format!("node(id: \"{ty}:999\")"), format!("{field}(id: 999)")] {
            if !nothing.starts_with('(') {
                let data = server.data(&format!("{{ found: {nothing} {{ id }} }}")).await;
                assert_eq!(data, json!({"found": null}), "{nothing}");
            }
        }
    }
}

async fn display_is_what_rest_shows(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (_, _, field, list, _) in KINDS {
        let data = server.data(&format!("{{ {field}(first: 100) {{ nodes {{ databaseId display }} }} }}")).await;
        let shown = data[field]["nodes"].as_array().unwrap();
        assert_eq!(shown.len(), rows(&seed, list).len());
        for object in shown {
            let row = row(&seed, list, &object["databaseId"]).unwrap();
            let host = ["ip_address", "domain"].iter().find_map(|key| row[key].as_str());
            let expected = match (list, row["display"].as_str(), host) {
                ("proxmox_endpoints", _, Some(host)) => format!("{} ({host})", row["name"].as_str().unwrap()),
                (_, Some(display), _) => display.to_owned(),
                _ => row["name"].as_str().unwrap().to_owned(),
            };
            assert_eq!(object["display"], *expected, "{list}");
        }
    }
}

async fn nodes_come_in_the_order_asked_with_null_for_what_is_not_there(db: TestDb) {
    let query = r#"{ nodes(ids: ["ProxmoxNode:3", "Tag:2", "ProxmoxNode:999", "ProxmoxEndpoint:3", "ProxmoxNode:3",
        "ProxmoxStorage:25", "NetBoxDevice:40", "NetBoxCluster:4", "ProxmoxCluster:5", "Tag:0"]) { id __typename } }"#;
    let data = db.server().await.data(query).await;
    let found = data["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str()).collect::<Vec<_>>();
    let expected = [
        Some("ProxmoxNode:3"),
        Some("Tag:2"),
        None,
        Some("ProxmoxEndpoint:3"),
        Some("ProxmoxNode:3"),
        Some("ProxmoxStorage:25"),
        Some("NetBoxDevice:40"),
        Some("NetBoxCluster:4"),
        Some("ProxmoxCluster:5"),
        None,
    ];
    assert_eq!(found, expected);
}

async fn natural_keys_find_exactly_their_object(db: TestDb) {
    let server = db.server().await;
    for (question, expected) in [
        (r#"proxmoxCluster(by: {endpoint: 2, name: "Beta"})"#, Some(5)),
        (r#"proxmoxCluster(by: {endpoint: "ProxmoxEndpoint:3", name: "Çlüster_50%"})"#, Some(4)),
        (r#"proxmoxNode(by: {endpoint: "1", name: "abc\\def'\"q"})"#, Some(14)),
        (r#"proxmoxStorage(by: {cluster: 5, name: "local"})"#, Some(2)),
        (r#"proxmoxStorage(by: {cluster: "NetBoxCluster:1", name: "local"})"#, Some(9)),
        // Another's parent, another case, a pattern, blanks: no match.
        (r#"proxmoxCluster(by: {endpoint: 1, name: "Beta"})"#, None),
        (r#"proxmoxCluster(by: {endpoint: 2, name: "beta"})"#, None),
        (r#"proxmoxNode(by: {endpoint: 2, name: "lab%"})"#, None),
        (r#"proxmoxNode(by: {endpoint: 2, name: "lab-01 "})"#, None),
        (r#"proxmoxStorage(by: {cluster: 999, name: "local"})"#, None),
    ] {
        let data = server.data(&format!("{{ found: {question} {{ databaseId }} }}")).await;
        assert_eq!(data["found"]["databaseId"].as_i64(), expected, "{question}");
    }
}

/// The columns whose value GraphQL gives as it is, by the seed's list.
fn columns(list: &str) -> &'static [&'static str] {
    match list {
        "proxmox_endpoints" => &[
            "name",
            "domain",
            "ip_address",
            "port",
            "version",
            "repoid",
            "username",
            "token_name",
            "verify_ssl",
            "custom_fields",
        ],
        "proxmox_clusters" => &["name", "cluster_id", "nodes_count", "quorate", "version", "custom_fields"],
        "proxmox_nodes" => &[
            "name",
            "node_id",
            "online",
            "local",
            "cpu_usage",
            "max_cpu",
            "memory_usage",
            "max_memory",
            "ssl_fingerprint",
            "support_level",
            "custom_fields",
        ],
        "proxmox_storages" => &[
            "name",
            "storage_type",
            "content",
            "path",
            "nodes",
            "shared",
            "enabled",
            "server",
            "port",
            "username",
            "export",
            "share",
            "pool",
            "monhost",
            "namespace",
            "datastore",
            "subdir",
            "mountpoint",
            "is_mountpoint",
            "preallocation",
            "format",
            "prune_backups",
            "max_protected_backups",
            "raw_config",
            "custom_fields",
        ],
        "tags" => &["name", "slug", "color"],
        _ => &["name"],
    }
}

async fn every_column_reads_as_it_was_stored(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (_, _, field, list, _) in KINDS {
        let columns = columns(list);
        let names = columns.iter().map(|name| camel(name)).collect::<Vec<_>>();
        let query = format!("{{ {field}(first: 100) {{ nodes {{ databaseId {} }} }} }}", names.join(" "));
        let data = server.data(&query).await;
        for object in data[field]["nodes"].as_array().unwrap() {
            let row = row(&seed, list, &object["databaseId"]).unwrap();
            for (column, name) in columns.iter().zip(&names) {
                // As text, so that the order of keys and each digit count.
                assert_eq!(object[name].to_string(), row[column].to_string(), "{list} {} {column}", row["id"]);
            }
        }
    }
}

async fn numbers_beyond_2_to_the_53_are_exact(db: TestDb) {
    let answer = db.server().await.ask("{ proxmoxNode(id: 10) { memoryUsage maxMemory memoryUsagePercent } }").await;
    let text = String::from_utf8(answer.bytes).unwrap();
    assert!(text.contains(r#""memoryUsage":9223372036854775807,"#), "{text}");
}

async fn times_are_rest_s(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (_, _, field, list, _) in &KINDS[..4] {
        let data = server.data(&format!("{{ {field} {{ nodes {{ databaseId created lastUpdated }} }} }}")).await;
        for object in data[field]["nodes"].as_array().unwrap() {
            let row = row(&seed, list, &object["databaseId"]).unwrap();
            for (name, column) in [("created", "created"), ("lastUpdated", "last_updated")] {
                // Microseconds are there only when they are not zero.
                assert_eq!(object[name], *row[column].as_str().unwrap().replace(".000000", ""), "{list}");
            }
        }
    }
}

async fn derived_fields_follow_from_the_stored_ones(db: TestDb) {
    let server = db.server().await;
    let data = server
        .data(
            "{ proxmoxClusterList { databaseId mode modeLabel nodeCount }
               proxmoxEndpoints { nodes { databaseId mode hasToken hasPassword enabled tlsFingerprint } }
               proxmoxNodeList { databaseId ipAddress cpuUsagePercent memoryUsagePercent }
               netboxClusters { nodes { origin } } netboxDevices { nodes { origin } } }",
        )
        .await;
    assert_eq!(
        data["proxmoxClusterList"][4],
        json!({"databaseId": 4, "mode": "UNDEFINED", "modeLabel": "Undefined", "nodeCount": 0})
    );
    assert_eq!(data["proxmoxClusterList"][2]["modeLabel"], "Standalone");
    assert_eq!(data["proxmoxClusterList"][0]["modeLabel"], "Cluster");
    // "" is no secret.
    let endpoint = |id: i64, mode: &str, token: bool, password: bool| json!({"databaseId": id, "mode": mode, "hasToken": token, "hasPassword": password, "enabled": true, "tlsFingerprint": null});
    let expected = [
        endpoint(2, "STANDALONE", false, false),
        endpoint(1, "CLUSTER", true, true),
        endpoint(3, "UNDEFINED", true, false),
    ];
    assert_eq!(data["proxmoxEndpoints"]["nodes"], json!(expected));
    let node = |id: i64| {
        let list = data["proxmoxNodeList"].as_array().unwrap();
        list.iter().find(|node| node["databaseId"] == id).unwrap().clone()
    };
    for (id, percent) in
        [(1, Some(25.0)), (2, Some(0.0)), (3, None), (6, None), (7, None), (10, Some(100.0)), (14, Some(200.0))]
    {
        assert_eq!(node(id)["memoryUsagePercent"].as_f64(), percent, "node {id}");
    }
    assert_eq!(node(5)["memoryUsagePercent"], json!(1.0 / 3.0 * 100.0), "unrounded");
    assert_eq!(node(4)["cpuUsagePercent"], json!(99.99999));
    assert_eq!(node(12)["ipAddress"], "2001:db8::ff", "canonical");
    assert_eq!(node(14)["ipAddress"], "::ffff:10.0.0.10", "a file's address is not unpacked");
    for list in ["netboxClusters", "netboxDevices"] {
        assert!(data[list]["nodes"].as_array().unwrap().iter().all(|row| row["origin"] == "MANUAL"), "{list}");
    }
    let data = server.data("{ proxmoxStorageList { databaseId contentTypes nodeNames } }").await;
    let storage = |id: i64| {
        let list = data["proxmoxStorageList"].as_array().unwrap();
        list.iter().find(|storage| storage["databaseId"] == id).unwrap().clone()
    };
    assert_eq!(storage(2)["contentTypes"], json!(["iso", "vztmpl", "backup"]));
    assert_eq!(storage(24)["contentTypes"], json!([]));
    assert_eq!(storage(3)["nodeNames"], json!(["pve-node-01", "pve-node-02"]));
    assert_eq!(storage(1)["nodeNames"], json!([]));
}

/// REST's default orders, written down by hand.
async fn lists_without_a_wish_are_in_rest_s_order(db: TestDb) {
    let server = db.server().await;
    for (field, expected) in [
        ("proxmoxEndpoints", vec![2, 1, 3]),
        ("proxmoxClusters", vec![5, 3, 2, 1, 4]),
        ("proxmoxNodes", vec![9, 10, 8, 5, 6, 7, 14, 4, 1, 2, 3, 11, 13, 12]),
        (
            "proxmoxStorages",
            vec![17, 18, 16, 15, 25, 20, 19, 12, 14, 13, 9, 11, 10, 5, 6, 4, 2, 1, 3, 7, 8, 22, 21, 24, 23],
        ),
        ("netboxClusters", vec![2, 3, 6, 1, 5, 4]),
        // By bytes, a capital first, and the device without a name last.
        ("netboxDevices", vec![38, 34, 35, 37, 36, 31, 32, 33, 42, 41, 39, 40]),
        ("tags", vec![2, 1, 3]),
    ] {
        let data = server
            .data(&format!("{{ {field} {{ nodes {{ databaseId }} edges {{ node {{ databaseId }} }} totalCount }} }}"))
            .await;
        let list = &data[field];
        assert_eq!(ids(&list["nodes"]), expected, "{field}");
        let edges = list["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect::<Value>();
        assert_eq!(edges, list["nodes"], "{field}");
        assert_eq!(list["totalCount"], expected.len(), "{field}");
        if let Some(plain) =
            field.strip_suffix('s').filter(|_| matches!(field, "proxmoxClusters" | "proxmoxNodes" | "proxmoxStorages"))
        {
            let data = server.data(&format!("{{ {plain}List {{ databaseId }} }}")).await;
            assert_eq!(ids(&data[format!("{plain}List")]), expected, "{plain}List");
        }
    }
}

async fn plain_lists_take_limit_and_offset(db: TestDb) {
    let server = db.server().await;
    for (arguments, expected) in [
        ("limit: 2", vec![5, 3]),
        ("limit: 2, offset: 2", vec![2, 1]),
        ("offset: 4", vec![4]),
        ("offset: 5", vec![]),
        ("limit: 0", vec![]),
        ("limit: 1000, filter: {quorate: {eq: true}}", vec![5, 1]),
        ("orderBy: [{field: ID, direction: DESC}], limit: 3, offset: 1", vec![4, 3, 2]),
    ] {
        let data = server.data(&format!("{{ proxmoxClusterList({arguments}) {{ databaseId }} }}")).await;
        assert_eq!(ids(&data["proxmoxClusterList"]), expected, "{arguments}");
    }
}

async fn references_and_tags_are_those_of_the_row(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (field, list, references) in [
        ("proxmoxEndpoints", "proxmox_endpoints", &[][..]),
        ("proxmoxClusters", "proxmox_clusters", &[("endpoint", "endpoint"), ("netboxCluster", "netbox_cluster")]),
        (
            "proxmoxNodes",
            "proxmox_nodes",
            &[("endpoint", "endpoint"), ("proxmoxCluster", "proxmox_cluster"), ("netboxDevice", "netbox_device")],
        ),
        ("proxmoxStorages", "proxmox_storages", &[("cluster", "cluster")]),
    ] {
        let asked: String = references.iter().map(|(name, _)| format!("{name} {{ databaseId }} ")).collect();
        let query = format!("{{ {field} {{ nodes {{ databaseId tags {{ databaseId slug }} {asked} }} }} }}");
        for object in server.data(&query).await[field]["nodes"].as_array().unwrap() {
            let row = row(&seed, list, &object["databaseId"]).unwrap();
            for (name, column) in references {
                let expected = if row[column].is_null() { Value::Null } else { json!({"databaseId": row[column]}) };
                assert_eq!(object[name], expected, "{list} {} {name}", row["id"]);
            }
            // By name: "Test Env", "prod", "Ünïcode".
            let mut expected =
                row["tags"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect::<Vec<_>>();
            expected.sort_by_key(|id| [2, 1, 3].iter().position(|tag| tag == id));
            assert_eq!(ids(&object["tags"]), expected, "{list} {}", row["id"]);
        }
    }
}

async fn search_finds_clusters_then_nodes_then_storages_by_name(db: TestDb) {
    let server = db.server().await;
    for (text, first, expected) in [
        ("lab", "", vec!["C3", "N8", "N5", "N6", "N7", "S12", "S14", "S13", "S9", "S11", "S10"]),
        ("LAB", ", first: 3", vec!["C3", "N8", "N5"]),
        ("lab", ", first: 0", vec![]),
        ("abc", "", vec!["C5", "C1", "N14"]),
        ("LÜSTER", "", vec!["C4", "S22", "S21", "S24", "S23"]),
        ("ünï", "", vec!["N11", "S22", "S21", "S24", "S23"]),
        ("192.168.1.1", "", vec!["N5", "N7"]),
        ("ab:cd:é", "", vec!["N11"]),
        ("%", "", vec!["C3", "C4", "N8", "S17", "S20", "S19"]),
        ("\\\\", "", vec!["N14", "S20"]),
        ("drxnfs", "", vec!["S16"]),
        ("dr_", "", vec!["S15"]),
        ("  alone  ", "", vec!["C2", "N4", "N12"]),
        ("nothing has this", "", vec![]),
    ] {
        let query = format!("{{ search(q: \"{text}\"{first}) {{ __typename id tags {{ id }} created }} }}");
        let data = server.data(&query).await;
        let found = data["search"].as_array().unwrap().iter().map(|record| {
            record["id"]
                .as_str()
                .unwrap()
                .strip_prefix("Proxmox")
                .unwrap()
                .replace("luster:", "")
                .replace("ode:", "")
                .replace("torage:", "")
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
    }
    let everything = server.data("{ search(q: \" \") { id } }").await;
    assert_eq!(everything["search"].as_array().unwrap().len(), 5 + 14 + 25, "a blank text asks nothing");
}

/// By name over the whole kind, not by parent and name as the lists are.
async fn search_orders_each_kind_by_name(db: TestDb) {
    let data = db.server().await.data("{ search(q: \"\") { databaseId __typename } }").await;
    let seed = seed();
    let mut expected = Vec::new();
    for list in ["proxmox_clusters", "proxmox_nodes", "proxmox_storages"] {
        let mut rows = rows(&seed, list).clone();
        rows.sort_by_key(|row| (row["name"].as_str().unwrap().to_owned(), row["id"].as_i64()));
        expected.extend(rows.iter().map(|row| row["id"].as_i64().unwrap()));
    }
    assert_eq!(ids(&data["search"]), expected);
}

both!(
    objects_are_found_by_either_form_of_their_id,
    display_is_what_rest_shows,
    nodes_come_in_the_order_asked_with_null_for_what_is_not_there,
    natural_keys_find_exactly_their_object,
    every_column_reads_as_it_was_stored,
    numbers_beyond_2_to_the_53_are_exact,
    times_are_rest_s,
    derived_fields_follow_from_the_stored_ones,
    lists_without_a_wish_are_in_rest_s_order,
    plain_lists_take_limit_and_offset,
    references_and_tags_are_those_of_the_row,
    search_finds_clusters_then_nodes_then_storages_by_name,
    search_orders_each_kind_by_name,
);
