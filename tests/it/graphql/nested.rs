//! Lists below a parent, figures, groups; and that no way through the schema leads to a secret.
use super::{ids, seed};
use crate::support::{ADMIN, Server, TestDb, both};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, TypeKind, TypeSystemDefinition};
use proxbox_graphql::graphql::limits::Limits;
use proxbox_graphql::graphql::{schema, sdl};
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn each_parent_has_its_own_rows(db: TestDb) {
    let server = db.server().await;
    for (parents, child, expected) in [
        ("proxmoxEndpoints", "proxmoxClusters", json!({"1": [2, 1], "2": [5, 3], "3": [4]})),
        (
            "proxmoxEndpoints",
            "proxmoxNodes",
            json!({"1": [14, 4, 1, 2, 3], "2": [9, 10, 8, 5, 6, 7], "3": [11, 13, 12]}),
        ),
        // The standalone one (2) lists its endpoint's nodes.
        (
            "proxmoxClusters",
            "proxmoxNodes",
            json!({"1": [1, 2, 3], "2": [14, 4, 1, 2, 3], "3": [8, 5, 6, 7], "4": [11], "5": [9, 10]}),
        ),
        (
            "proxmoxClusters",
            "proxmoxStorages",
            json!({"1": [5, 6, 4, 2, 1, 3, 7, 8], "2": [], "3": [12, 14, 13, 9, 11, 10], "4": [22, 21, 24, 23], "5": []}),
        ),
        ("netboxClusters", "proxmoxClusters", json!({"1": [3], "2": [], "3": [], "4": [4], "5": [1], "6": []})),
        (
            "netboxClusters",
            "proxmoxStorages",
            json!({"1": [12, 14, 13, 9, 11, 10], "2": [17, 18, 16, 15, 25], "3": [20, 19], "4": [22, 21, 24, 23],
                "5": [5, 6, 4, 2, 1, 3, 7, 8], "6": []}),
        ),
        (
            "netboxDevices",
            "proxmoxNodes",
            json!({"31": [5], "32": [6], "33": [7], "34": [], "35": [], "36": [], "37": [], "38": [11], "39": [],
                "40": [12], "41": [2], "42": [1]}),
        ),
    ] {
        let query = format!(
            "{{ {parents}(first: 20) {{ nodes {{ databaseId
                all: {child} {{ nodes {{ databaseId }} totalCount aggregate {{ count }} edges {{ node {{ databaseId }} }} }}
                page: {child}(first: 1, offset: 1, orderBy: [{{field: ID, direction: DESC}}]) {{
                    nodes {{ databaseId }} totalCount pageInfo {{ hasNextPage hasPreviousPage }} }}
                some: {child}(filter: {{id: {{in: [1, 2, 3]}}}}, first: 1) {{ nodes {{ databaseId }} totalCount aggregate {{ count }} }}
            }} }} }}"
        );
        let data = server.data(&query).await;
        let parents_found = data[parents]["nodes"].as_array().unwrap();
        assert_eq!(parents_found.len(), expected.as_object().unwrap().len());
        for parent in parents_found {
            let expected = expected[parent["databaseId"].to_string()].as_array().unwrap();
            let expected = expected.iter().map(|id| id.as_i64().unwrap()).collect::<Vec<_>>();
            let place = format!("{parents} {} {child}", parent["databaseId"]);
            let all = &parent["all"];
            assert_eq!(ids(&all["nodes"]), expected, "{place}");
            assert_eq!(
                (&all["totalCount"], &all["aggregate"]["count"]),
                (&json!(expected.len()), &json!(expected.len()))
            );
            assert_eq!(all["edges"].as_array().unwrap().len(), expected.len(), "{place}");
            let mut descending = expected.clone();
            descending.sort_unstable_by(|a, b| b.cmp(a));
            let page = &parent["page"];
            assert_eq!(ids(&page["nodes"]), descending.iter().copied().skip(1).take(1).collect::<Vec<_>>(), "{place}");
            assert_eq!(page["totalCount"], expected.len());
            let flags = json!({"hasNextPage": expected.len() > 2, "hasPreviousPage": !expected.is_empty()});
            assert_eq!(page["pageInfo"], flags, "{place}");
            let some = expected.iter().copied().filter(|id| (1..=3).contains(id)).collect::<Vec<_>>();
            assert_eq!(ids(&parent["some"]["nodes"]), some.iter().copied().take(1).collect::<Vec<_>>(), "{place}");
            assert_eq!(parent["some"]["totalCount"], some.len(), "{place}");
            assert_eq!(parent["some"]["aggregate"]["count"], some.len(), "{place}");
        }
    }
}

/// Storages that a sync brought stand under their cluster even while it is linked to no NetBox cluster.
async fn storages_of_a_cluster_are_the_linked_ones_and_its_own(db: TestDb) {
    let app = db.open().await;
    let mut seed = seed();
    // 9 belongs to the NetBox cluster that cluster 3 is linked to, and comes from cluster 5; 1 both ways from cluster 1.
    for (id, source) in [(9, 5), (19, 5), (1, 1)] {
        seed["proxmox_storages"][id - 1]["source"] = json!(source);
    }
    crate::support::fill(&app, &seed.to_string()).await;
    let server = Server::new(app);
    let query = "{ proxmoxClusterList(orderBy: [{field: ID}]) { proxmoxStorages(orderBy: [{field: ID}]) {
        nodes { databaseId } totalCount aggregate { count } } } }";
    let data = server.data(query).await;
    let lists = data["proxmoxClusterList"].as_array().unwrap().iter().map(|cluster| {
        let list = &cluster["proxmoxStorages"];
        assert_eq!(list["totalCount"], list["aggregate"]["count"]);
        assert_eq!(list["totalCount"], list["nodes"].as_array().unwrap().len());
        ids(&list["nodes"])
    });
    let expected: [&[i64]; 5] = [&[1, 2, 3, 4, 5, 6, 7, 8], &[], &[9, 10, 11, 12, 13, 14], &[21, 22, 23, 24], &[9, 19]];
    assert_eq!(lists.collect::<Vec<_>>(), expected);
}

async fn figures_are_those_of_all_matching_rows(db: TestDb) {
    let server = db.server().await;
    let data = server
        .data(
            "{ proxmoxClusters(first: 1) { aggregate { count quorate nodesCount { min max avg sum } } }
               proxmoxStorages(first: 1) { aggregate { count enabled shared } }
               lab: proxmoxNodes(first: 1, filter: {endpoint: {id: {eq: 2}}}) { aggregate { count online
                 cpuUsagePercent { min max } maxCpu { min max avg sum } memoryUsage { min max sum } memoryUsagePercent } }
               two: proxmoxNodes(filter: {id: {in: [1, 2, 3, 7]}}) { aggregate { count online
                 cpuUsagePercent { min max avg sum } maxCpu { avg } maxMemory { min max avg sum } memoryUsagePercent } }
               none: proxmoxNodes(filter: {or: []}) { aggregate { count online
                 cpuUsagePercent { min max avg sum } maxCpu { min max avg sum } memoryUsagePercent } } }",
        )
        .await;
    assert_eq!(
        data["proxmoxClusters"]["aggregate"],
        json!({"count": 5, "quorate": 2, "nodesCount": {"min": 0, "max": 2147483647, "avg": 429496731.0, "sum": 2147483655.0}})
    );
    assert_eq!(data["proxmoxStorages"]["aggregate"], json!({"count": 25, "enabled": 23, "shared": 10}));
    let lab = &data["lab"]["aggregate"];
    assert_eq!((&lab["count"], &lab["online"]), (&json!(6), &json!(4)));
    assert_eq!(lab["cpuUsagePercent"], json!({"min": 1e-7, "max": 1e16}));
    assert_eq!(lab["maxCpu"], json!({"min": 4, "max": 64, "avg": 28.0, "sum": 168.0}));
    // The sum passes 64 bits.
    assert_eq!((&lab["memoryUsage"]["min"], &lab["memoryUsage"]["max"]), (&json!(1), &json!(i64::MAX)));
    assert_eq!(lab["memoryUsage"]["sum"], json!(i64::MAX as f64 + 112_742_891_521.0));
    // Over the rows that have both: 5, 6, 9, 10.
    let (used, all) = (1.0 + 2147483648.0 + 3221225472.0 + i64::MAX as f64, 3.0 + 7516192768.0 + i64::MAX as f64);
    assert_eq!(lab["memoryUsagePercent"], json!(used / all * 100.0));
    let two = json!({
        "count": 4, "online": 2,
        "cpuUsagePercent": {"min": 0.0, "max": 100.0, "avg": 37.5, "sum": 112.5},
        "maxCpu": {"avg": 128.0 / 3.0},
        "maxMemory": {"min": 68719476736_i64, "max": 68719476736_i64, "avg": 68719476736.0, "sum": 137438953472.0},
        "memoryUsagePercent": 12.5,
    });
    assert_eq!(data["two"]["aggregate"], two);
    let nothing = json!({"min": null, "max": null, "avg": null, "sum": null});
    let none =
        json!({"count": 0, "online": 0, "cpuUsagePercent": nothing, "maxCpu": nothing, "memoryUsagePercent": null});
    assert_eq!(data["none"]["aggregate"], none);
}

async fn groups_are_by_size_then_key(db: TestDb) {
    let server = db.server().await;
    for (question, expected) in [
        (
            "proxmoxStorages { groups(by: [STORAGE_TYPE], first: 4) { key aggregate { count } } }",
            json!([[{"storageType": "dir"}, 8], [{"storageType": "nfs"}, 4], [{"storageType": "iscsi"}, 2], [{"storageType": "lvmthin"}, 2]]),
        ),
        (
            "proxmoxStorages(first: 0) { groups(by: [CLUSTER]) { key aggregate { count } } }",
            json!([[{"cluster": 5}, 8], [{"cluster": 1}, 6], [{"cluster": 2}, 5], [{"cluster": 4}, 4], [{"cluster": 3}, 2]]),
        ),
        (
            "proxmoxStorages(filter: {id: {in: [3, 4, 8, 1]}}) { groups(by: [SHARED, ENABLED]) { key aggregate { count } } }",
            json!([[{"shared": true, "enabled": false}, 2], [{"shared": false, "enabled": true}, 1], [{"shared": true, "enabled": true}, 1]]),
        ),
        (
            "proxmoxClusters { groups(by: [MODE]) { key aggregate { count } } }",
            json!([[{"mode": "CLUSTER"}, 3], [{"mode": "STANDALONE"}, 1], [{"mode": "UNDEFINED"}, 1]]),
        ),
        (
            "proxmoxClusters { groups(by: [QUORATE, ENDPOINT]) { key aggregate { count } } }",
            json!([
                [{"quorate": false, "endpoint": 1}, 1], [{"quorate": false, "endpoint": 2}, 1],
                [{"quorate": false, "endpoint": 3}, 1], [{"quorate": true, "endpoint": 1}, 1],
                [{"quorate": true, "endpoint": 2}, 1]
            ]),
        ),
        (
            "proxmoxNodes { groups(by: [PROXMOX_CLUSTER]) { key aggregate { count } } }",
            json!([
                [{"proxmoxCluster": 3}, 4], [{"proxmoxCluster": 1}, 3], [{"proxmoxCluster": null}, 3],
                [{"proxmoxCluster": 5}, 2], [{"proxmoxCluster": 2}, 1], [{"proxmoxCluster": 4}, 1]
            ]),
        ),
        (
            "proxmoxNodes(filter: {online: {eq: true}}) { groups(by: [SUPPORT_LEVEL, ONLINE], first: 2) { key aggregate { count } } }",
            json!([[{"supportLevel": "", "online": true}, 6], [{"supportLevel": "b", "online": true}, 1]]),
        ),
        ("proxmoxNodes(filter: {or: []}) { groups(by: [ENDPOINT]) { key aggregate { count } } }", json!([])),
        ("proxmoxNodes { groups(by: [ENDPOINT], first: 0) { key aggregate { count } } }", json!([])),
    ] {
        let data = server.data(&format!("{{ found: {question} }}")).await;
        let found = data["found"]["groups"].as_array().unwrap().iter();
        let found: Value = found.map(|group| json!([group["key"], group["aggregate"]["count"]])).collect();
        assert_eq!(found, expected, "{question}");
    }
}

async fn groups_lead_to_what_they_have_in_common(db: TestDb) {
    let query = "{ proxmoxEndpoint(id: 1) { proxmoxNodes { groups(by: [PROXMOX_CLUSTER]) {
            key endpoint { name } proxmoxCluster { name } aggregate { count maxCpu { sum } } } } }
        proxmoxStorages { groups(by: [CLUSTER], first: 1) { cluster { name } } }
        proxmoxClusters { groups(by: [ENDPOINT], first: 1) { key endpoint { name } } } }";
    let data = db.server().await.data(query).await;
    let expected = json!([
        {"key": {"proxmoxCluster": 1}, "endpoint": null, "proxmoxCluster": {"name": "pve-cluster"},
            "aggregate": {"count": 3, "maxCpu": {"sum": 64.0}}},
        {"key": {"proxmoxCluster": 2}, "endpoint": null, "proxmoxCluster": {"name": "alone"},
            "aggregate": {"count": 1, "maxCpu": {"sum": 8.0}}},
        {"key": {"proxmoxCluster": null}, "endpoint": null, "proxmoxCluster": null,
            "aggregate": {"count": 1, "maxCpu": {"sum": 1.0}}},
    ]);
    assert_eq!(data["proxmoxEndpoint"]["proxmoxNodes"]["groups"], expected);
    assert_eq!(data["proxmoxStorages"]["groups"][0]["cluster"]["name"], "prod-cluster");
    assert_eq!(
        data["proxmoxClusters"]["groups"][0],
        json!({"key": {"endpoint": 1}, "endpoint": {"name": "prod-proxmox"}})
    );
}

/// The plain fields of each type of the schema.
fn leaves() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut leaf = vec!["String", "Int", "Float", "Boolean", "ID"].into_iter().map(str::to_owned).collect::<Vec<_>>();
    let definitions = parse_schema(sdl(&schema())).unwrap().definitions;
    let types = || {
        definitions.iter().filter_map(|d| if let TypeSystemDefinition::Type(ty) = d { Some(&ty.node) } else { None })
    };
    leaf.extend(
        types().filter(|ty| matches!(ty.kind, TypeKind::Scalar | TypeKind::Enum(_))).map(|ty| ty.name.node.to_string()),
    );
    for ty in types() {
        let TypeKind::Object(object) = &ty.kind else { continue };
        let plain = object.fields.iter().filter(|field| {
            let mut ty = &field.node.ty.node.base;
            while let BaseType::List(inner) = ty {
                ty = &inner.base;
            }
            matches!(ty, BaseType::Named(name) if leaf.contains(&name.to_string()))
        });
        found.insert(ty.name.node.to_string(), plain.map(|field| field.node.name.node.to_string()).collect());
    }
    found
}

async fn no_field_tells_a_secret(db: TestDb) {
    const SECRET: &str = "a very secret value";
    let app = db.open().await;
    // The seed's own secrets are partly as short as "v"; these cannot occur by chance.
    let mut seed = seed();
    for (i, endpoint) in seed["proxmox_endpoints"].as_array_mut().unwrap().iter_mut().enumerate() {
        endpoint["password"] = json!(format!("{SECRET} {i}"));
        endpoint["token_value"] = json!(format!("{SECRET} token {i}"));
    }
    crate::support::fill(&app, &seed.to_string()).await;
    let server = Server::limited(app, Limits { cost: u64::MAX, ..Limits::default() });
    let leaves = leaves();
    let mut texts = String::new();
    for (root, ty) in [
        ("proxmoxEndpoints", "ProxmoxEndpoint"),
        ("proxmoxClusters", "ProxmoxCluster"),
        ("proxmoxNodes", "ProxmoxNode"),
        ("proxmoxStorages", "ProxmoxStorage"),
        ("netboxClusters", "NetBoxCluster"),
        ("netboxDevices", "NetBoxDevice"),
        ("tags", "Tag"),
    ] {
        let answer =
            server.ask(&format!("{{ {root} {{ nodes {{ {} }} edges {{ cursor }} }} }}", leaves[ty].join(" "))).await;
        answer.data();
        texts += &String::from_utf8(answer.bytes).unwrap();
    }
    let endpoint = leaves["ProxmoxEndpoint"].join(" ");
    for query in [
        format!(
            "{{ proxmoxNodes {{ nodes {{ endpoint {{ {endpoint} }} }} groups(by: [ENDPOINT]) {{ key endpoint {{ {endpoint} }} }} }} }}"
        ),
        format!("{{ node(id: \"ProxmoxEndpoint:1\") {{ ... on ProxmoxEndpoint {{ {endpoint} }} }} }}"),
        format!("{{ search(q: \"{SECRET}\") {{ id display customFields }} }}"),
    ] {
        let answer = server.ask(&query).await;
        answer.data();
        texts += &String::from_utf8(answer.bytes).unwrap();
    }
    assert!(texts.contains("\"hasPassword\":true") && texts.contains("root@pam"), "the walk saw the endpoints");
    for secret in [SECRET, ADMIN, "abcdefghijklmnopqrstuvwxyz0123456789ABCD"] {
        assert!(!texts.contains(secret), "{secret} is told");
    }
    let names = leaves.values().flatten().map(|name| name.to_lowercase());
    let telling = names.filter(|name| ["password", "secret", "tokenvalue"].iter().any(|word| name.contains(word)));
    assert_eq!(telling.collect::<Vec<_>>(), ["haspassword"]);
}

both!(
    each_parent_has_its_own_rows,
    storages_of_a_cluster_are_the_linked_ones_and_its_own,
    figures_are_those_of_all_matching_rows,
    groups_are_by_size_then_key,
    groups_lead_to_what_they_have_in_common,
    no_field_tells_a_secret,
);
