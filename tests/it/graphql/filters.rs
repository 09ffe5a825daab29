//! Every operand of every filter, on the seed: the ids that match, worked out by hand.
use super::ids;
use crate::support::{Server, TestDb, both};

/// The ids of the rows that match, ascending; each filter is asked of the connection, its count and its figures.
async fn check(server: &Server, field: &str, cases: &[(&str, &[i64])]) {
    for (filter, expected) in cases {
        let measured = matches!(field, "proxmoxClusters" | "proxmoxNodes" | "proxmoxStorages");
        let aggregate = if measured { "aggregate { count }" } else { "" };
        let query = format!("{{ {field}(filter: {{{filter}}}) {{ nodes {{ databaseId }} totalCount {aggregate} }} }}");
        let data = server.data(&query).await;
        let list = &data[field];
        let mut found = ids(&list["nodes"]);
        found.sort_unstable();
        assert_eq!(found, *expected, "{field} {filter}");
        assert_eq!(list["totalCount"], expected.len(), "{field} {filter}");
        assert!(!measured || list["aggregate"]["count"] == expected.len(), "{field} {filter}");
    }
}

async fn texts(db: TestDb) {
    let server = db.server().await;
    let cases: &[(&str, &[i64])] = &[
        (r#"name: {eq: "lab-01"}"#, &[5]),
        (r#"name: {eq: "LAB-01"}"#, &[]),
        (r#"name: {eq: "LAB-01", ignoreCase: true}"#, &[5]),
        (r#"name: {eq: "NÖDE-ÜNÏ", ignoreCase: true}"#, &[11]),
        (r#"name: {eq: "node-uni", ignoreCase: true}"#, &[]),
        (r#"name: {ne: "lab-01"}"#, &[1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        (r#"name: {ne: "LAB-01", ignoreCase: true}"#, &[1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        (r#"name: {in: ["Zeta", "beta-2", "nobody"]}"#, &[10, 13]),
        (r#"name: {in: ["ZETA", "nöde-ünï"], ignoreCase: true}"#, &[11, 13]),
        ("name: {in: []}", &[]),
        (r#"name: {notIn: ["Zeta", "beta-2"], startsWith: "b"}"#, &[9]),
        ("name: {notIn: [], startsWith: \"b\"}", &[9, 10]),
        (r#"name: {contains: "b-0"}"#, &[5, 6]),
        (r#"name: {contains: "%"}"#, &[8]),
        (r#"name: {contains: "_"}"#, &[7]),
        (r#"name: {contains: "\\"}"#, &[14]),
        (r#"name: {contains: "'\""}"#, &[14]),
        (r#"name: {contains: "ÖDE", ignoreCase: true}"#, &[11]),
        (r#"name: {contains: "ÖDE"}"#, &[]),
        (r#"name: {startsWith: "lab"}"#, &[5, 6, 7, 8]),
        (r#"name: {startsWith: "LAB_", ignoreCase: true}"#, &[7]),
        (r#"name: {endsWith: "ï"}"#, &[11]),
        (r#"name: {endsWith: "ETA", ignoreCase: true}"#, &[13]),
        // By bytes: capitals before small letters, and those before umlauts.
        (r#"name: {gt: "lab_03"}"#, &[1, 2, 3, 12]),
        (r#"name: {gte: "lab_03"}"#, &[1, 2, 3, 7, 12]),
        (r#"name: {lt: "Zeta"}"#, &[11]),
        (r#"name: {lte: "Zeta"}"#, &[11, 13]),
        (r#"name: {gt: "STANDALONE", ignoreCase: true}"#, &[12, 13]),
        (r#"name: {contains: "lab", endsWith: "1"}"#, &[5]),
        ("name: {}", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        ("name: {isNull: true}", &[]),
        (r#"sslFingerprint: {isEmpty: false, startsWith: "AB"}"#, &[1, 2, 8, 11]),
        (r#"sslFingerprint: {contains: "é", ignoreCase: true}"#, &[11]),
        ("supportLevel: {isEmpty: false}", &[2, 4, 5, 7]),
    ];
    check(&server, "proxmoxNodes", cases).await;
    let storages: &[(&str, &[i64])] = &[
        // A missing value is not empty, and compares with nothing.
        ("nodes: {isEmpty: true}", &[1, 2]),
        ("content: {isNull: false, isEmpty: true}", &[19]),
        ("storageType: {isNull: true}", &[24]),
        ("storageType: {ne: \"dir\", notIn: [\"nfs\", \"pbs\"]}", &[1, 4, 5, 6, 10, 11, 12, 13, 14, 22, 24]),
        ("not: {storageType: {gte: \"\"}}", &[24]),
        ("server: {eq: \"pbs.example.com\", ignoreCase: true}", &[7, 8]),
        ("datastore: {eq: \"store1\"}", &[7]),
        ("pool: {contains: \"ÄN\", ignoreCase: true}", &[22]),
        ("format: {in: [\"raw\", \"qcow2\"]}", &[3, 9, 12]),
        ("path: {endsWith: \"_50%\"}", &[19]),
        ("path: {eq: \"C:\\\\temp\\\\x\"}", &[20]),
        ("name: {contains: \"ß\"}", &[21]),
        ("name: {contains: \"ss\", ignoreCase: true}", &[]),
        ("name: {startsWith: \"spëicher\", ignoreCase: true}", &[21, 22]),
    ];
    check(&server, "proxmoxStorages", storages).await;
}

async fn numbers_and_truths(db: TestDb) {
    let server = db.server().await;
    let nodes: &[(&str, &[i64])] = &[
        ("nodeId: {eq: 2}", &[2, 6, 10]),
        ("nodeId: {ne: 2, lt: 4}", &[1, 3, 5, 7, 11, 13]),
        ("nodeId: {ne: 2}", &[1, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14]),
        ("nodeId: {in: [-1, 0, 2147483647]}", &[11, 13, 14]),
        ("nodeId: {notIn: [1, 2, 3, 4, 10]}", &[4, 11, 12, 13, 14]),
        ("nodeId: {gt: 4}", &[9, 14]),
        ("nodeId: {gte: 4}", &[8, 9, 14]),
        ("nodeId: {lt: 0}", &[13]),
        ("nodeId: {lte: 0}", &[11, 13]),
        ("nodeId: {isNull: true}", &[4, 12]),
        ("not: {nodeId: {gt: 0}}", &[4, 11, 12, 13]),
        ("maxCpu: {eq: 0}", &[13]),
        ("memoryUsage: {eq: 9223372036854775807}", &[10]),
        (r#"memoryUsage: {eq: "9223372036854775807"}"#, &[10]),
        ("memoryUsage: {eq: 9223372036854775806}", &[]),
        ("memoryUsage: {gt: 9223372036854775806}", &[10]),
        ("memoryUsage: {in: [0, 1, 2]}", &[2, 5, 14]),
        ("memoryUsage: {notIn: [0, 1], lt: 3}", &[14]),
        ("memoryUsage: {gte: 17179869184, lte: 107374182400}", &[1, 7]),
        ("memoryUsage: {ne: 1, isNull: true}", &[3, 8, 13]),
        ("maxMemory: {isNull: false, lt: 1}", &[6, 13]),
        ("cpuUsagePercent: {eq: 12.5}", &[1]),
        ("cpuUsagePercent: {eq: 0.30000000000000004}", &[5]),
        ("cpuUsagePercent: {gt: 99.99999}", &[7, 10]),
        ("cpuUsagePercent: {gte: 99.99999}", &[4, 7, 10]),
        ("cpuUsagePercent: {lt: 0}", &[14]),
        ("cpuUsagePercent: {lte: 0}", &[2, 14]),
        ("cpuUsagePercent: {ne: 100, gt: 50}", &[4, 10]),
        ("cpuUsagePercent: {isNull: true}", &[3, 8, 13]),
        ("memoryUsagePercent: {gte: 50}", &[4, 10, 12, 14]),
        ("memoryUsagePercent: {eq: 25}", &[1]),
        ("memoryUsagePercent: {isNull: true}", &[3, 6, 7, 8, 13]),
        ("memoryUsagePercent: {lt: 100, gt: 30}", &[5, 9, 12]),
        ("online: {eq: false}", &[3, 7, 8, 11, 13]),
        ("online: {ne: false}, local: {eq: true}", &[2, 4, 5]),
        ("local: {isNull: true}", &[]),
    ];
    check(&server, "proxmoxNodes", nodes).await;
    let clusters: &[(&str, &[i64])] = &[
        ("nodesCount: {gte: 4}", &[3, 5]),
        ("version: {eq: 0}", &[3]),
        ("version: {lt: 0}", &[5]),
        ("version: {isNull: false}", &[1, 3, 5]),
        ("quorate: {eq: true}", &[1, 5]),
        ("mode: {eq: CLUSTER}", &[1, 3, 5]),
        ("mode: {ne: CLUSTER}", &[2, 4]),
        ("mode: {in: [UNDEFINED, STANDALONE]}", &[2, 4]),
        ("mode: {in: []}", &[]),
        ("mode: {notIn: [UNDEFINED, CLUSTER]}", &[2]),
        ("clusterId: {isEmpty: true}", &[2, 4]),
        ("clusterId: {startsWith: \"abc\", ignoreCase: true}", &[1, 5]),
    ];
    check(&server, "proxmoxClusters", clusters).await;
    check(
        &server,
        "proxmoxStorages",
        &[
            ("port: {in: [0, 8007]}", &[7, 8, 14]),
            ("shared: {eq: true}, enabled: {eq: false}", &[4, 8]),
            ("content: {eq: \"iso\"}", &[9, 21]),
        ],
    )
    .await;
}

async fn times(db: TestDb) {
    let server = db.server().await;
    let cases: &[(&str, &[i64])] = &[
        (r#"lastUpdated: {eq: "2026-04-02T01:00:00.001Z"}"#, &[2]),
        (r#"lastUpdated: {eq: "2026-04-02T03:00:00.001+02:00"}"#, &[2]),
        (r#"lastUpdated: {eq: "2026-04-02T01:00:00.001000999Z"}"#, &[2]),
        (r#"lastUpdated: {eq: "2026-04-02T01:00:00Z"}"#, &[]),
        (r#"lastUpdated: {ne: "2026-04-02T01:00:00.001Z"}"#, &[1, 3, 4, 5]),
        (r#"lastUpdated: {gt: "2026-04-02T03:00:00.003Z"}"#, &[5]),
        (r#"lastUpdated: {gte: "2026-04-02T03:00:00.003Z"}"#, &[4, 5]),
        (r#"created: {lt: "2026-01-02T01:00:00Z"}"#, &[1]),
        (r#"created: {lte: "2026-01-02T01:00:00Z", isNull: false}"#, &[1, 2]),
        ("created: {isNull: true}", &[]),
    ];
    check(&server, "proxmoxClusters", cases).await;
}

async fn ids_in_both_forms(db: TestDb) {
    let server = db.server().await;
    let cases: &[(&str, &[i64])] = &[
        ("id: {eq: 3}", &[3]),
        ("id: {eq: \"3\"}", &[3]),
        ("id: {eq: \"ProxmoxCluster:3\"}", &[3]),
        ("id: {ne: \"ProxmoxCluster:3\"}", &[1, 2, 4, 5]),
        ("id: {in: [1, \"2\", \"ProxmoxCluster:3\", 999]}", &[1, 2, 3]),
        ("id: {in: []}", &[]),
        ("id: {notIn: [1, \"ProxmoxCluster:2\"]}", &[3, 4, 5]),
        ("id: {notIn: []}", &[1, 2, 3, 4, 5]),
        ("id: {}", &[1, 2, 3, 4, 5]),
    ];
    check(&server, "proxmoxClusters", cases).await;
}

async fn addresses_compare_in_canonical_form(db: TestDb) {
    let server = db.server().await;
    let cases: &[(&str, &[i64])] = &[
        (r#"ipAddress: {eq: "2001:db8::ff"}"#, &[12]),
        (r#"ipAddress: {eq: "2001:0DB8:0:0::00FF"}"#, &[12]),
        (r#"ipAddress: {in: ["2001:db8:0:0:0:0:0:1", "fd00:0::10"]}"#, &[9, 11]),
        (r#"ipAddress: {notIn: ["2001:db8:0:0:0:0:0:1"], startsWith: "2001"}"#, &[12]),
        (r#"ipAddress: {eq: "10.0.0.10"}"#, &[1]),
        (r#"ipAddress: {eq: "::ffff:10.0.0.10"}"#, &[14]),
        (r#"ipAddress: {startsWith: "192.168.1."}"#, &[5, 6, 7]),
        (r#"ipAddress: {contains: "::"}"#, &[9, 10, 11, 12, 14]),
    ];
    check(&server, "proxmoxNodes", cases).await;
    check(&server, "proxmoxEndpoints", &[(r#"ipAddress: {eq: "2001:db8:0::5"}"#, &[3])]).await;
}

async fn contents_nodes_and_tags(db: TestDb) {
    let server = db.server().await;
    let everywhere: &[i64] = &[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];
    let all = (1..=25).collect::<Vec<_>>();
    let cases: &[(&str, &[i64])] = &[
        (r#"contentTypes: ["iso"]"#, &[2, 3, 6, 9, 21]),
        (r#"contentTypes: ["images", "iso"]"#, &[3]),
        (r#"contentTypes: ["image"]"#, &[]),
        ("contentTypes: []", &all),
        (r#"usableFrom: "pve-node-02""#, &all),
        (r#"usableFrom: "pve-node-0""#, everywhere),
        (r#"tags: {any: ["prod", "unicode"]}"#, &[2, 3, 21]),
        (r#"tags: {all: ["prod", "test-env"]}"#, &[3]),
        (r#"tags: {all: [], any: ["prod"]}"#, &[2, 3]),
        ("tags: {any: []}", &[]),
        (r#"tags: {none: ["prod"], isEmpty: false}"#, &[18, 21]),
        (r#"tags: {none: ["prod", "no-such-tag"], any: ["test-env"]}"#, &[18]),
        ("tags: {isEmpty: false}", &[2, 3, 18, 21]),
    ];
    check(&server, "proxmoxStorages", cases).await;
    check(&server, "proxmoxClusters", &[("tags: {isEmpty: true}", &[1, 5]), ("tags: {none: []}", &[1, 2, 3, 4, 5])])
        .await;
    check(&server, "proxmoxNodes", &[(r#"tags: {any: ["unicode"]}"#, &[8, 11])]).await;
    check(&server, "proxmoxEndpoints", &[(r#"tags: {all: ["unicode", "test-env"]}"#, &[3])]).await;
}

async fn relations(db: TestDb) {
    let server = db.server().await;
    let clusters: &[(&str, &[i64])] = &[
        (r#"endpoint: {name: {startsWith: "lab"}}"#, &[3, 5]),
        (r#"endpoint: {tags: {any: ["unicode"]}}"#, &[4]),
        ("endpoint: {}", &[1, 2, 3, 4, 5]),
        ("netboxCluster: {isNull: true}", &[2, 5]),
        ("netboxCluster: {isNull: false}", &[1, 3, 4]),
        ("netboxCluster: {is: {}}", &[1, 3, 4]),
        (r#"netboxCluster: {is: {name: {eq: "prod-cluster"}}}"#, &[1]),
        (r#"netboxCluster: {is: {id: {in: [1, "NetBoxCluster:4"]}}}"#, &[3, 4]),
        ("netboxCluster: {is: {origin: MANUAL}}", &[1, 3, 4]),
        ("netboxCluster: {is: {origin: LOCAL}}", &[]),
        (r#"not: {netboxCluster: {is: {name: {eq: "prod-cluster"}}}}"#, &[2, 3, 4, 5]),
        (r#"netboxCluster: {is: {name: {eq: "prod-cluster"}}, isNull: true}"#, &[]),
        // The nodes of the standalone one are those of endpoint 1: 1, 2, 3, 4 and 14.
        ("proxmoxNodes: {some: {nodeId: {eq: 2147483647}}}", &[2]),
        ("proxmoxNodes: {some: {online: {eq: false}}}", &[1, 2, 3, 4]),
        ("proxmoxNodes: {none: {online: {eq: false}}}", &[5]),
        ("proxmoxNodes: {every: {online: {eq: true}}}", &[5]),
        ("proxmoxNodes: {every: {id: {ne: 1}}}", &[3, 4, 5]),
        ("proxmoxNodes: {some: {}}", &[1, 2, 3, 4, 5]),
        ("proxmoxNodes: {none: {}}", &[]),
        ("proxmoxNodes: {every: {or: []}}", &[]),
        (r#"proxmoxNodes: {some: {name: {eq: "lab-01"}}, every: {nodeId: {lt: 5}}}"#, &[3]),
        (r#"proxmoxNodes: {some: {netboxDevice: {is: {name: {contains: "ger", ignoreCase: true}}}}}"#, &[4]),
    ];
    check(&server, "proxmoxClusters", clusters).await;
    let nodes: &[(&str, &[i64])] = &[
        ("proxmoxCluster: {isNull: true}", &[12, 13, 14]),
        ("proxmoxCluster: {is: {quorate: {eq: true}}}", &[1, 2, 3, 9, 10]),
        ("proxmoxCluster: {is: {mode: {eq: STANDALONE}}}", &[4]),
        ("proxmoxCluster: {is: {netboxCluster: {isNull: true}}}", &[4, 9, 10]),
        ("netboxDevice: {isNull: false}", &[1, 2, 5, 6, 7, 11, 12]),
        ("netboxDevice: {is: {name: {isNull: true}}}", &[12]),
        ("netboxDevice: {is: {name: {gt: \"l\", lt: \"m\"}}}", &[5, 6, 7]),
        ("netboxDevice: {is: {id: {eq: \"NetBoxDevice:42\"}, origin: MANUAL}}", &[1]),
        ("endpoint: {mode: {eq: UNDEFINED}, domain: {isNull: false}, enabled: {eq: true}}", &[11, 12, 13]),
        ("endpoint: {id: {eq: \"ProxmoxEndpoint:1\"}}", &[1, 2, 3, 4, 14]),
    ];
    check(&server, "proxmoxNodes", nodes).await;
    let storages: &[(&str, &[i64])] = &[
        (r#"cluster: {name: {contains: "ÜNÏ", ignoreCase: true}}"#, &[21, 22, 23, 24]),
        ("cluster: {id: {in: [3, 4]}}", &[19, 20, 21, 22, 23, 24]),
        ("not: {cluster: {id: {notIn: [3]}}}", &[19, 20]),
    ];
    check(&server, "proxmoxStorages", storages).await;
}

async fn and_or_not_and_q(db: TestDb) {
    let server = db.server().await;
    let clusters: &[(&str, &[i64])] = &[
        ("", &[1, 2, 3, 4, 5]),
        ("and: []", &[1, 2, 3, 4, 5]),
        ("or: []", &[]),
        ("not: {}", &[]),
        ("not: {or: []}", &[1, 2, 3, 4, 5]),
        ("or: [{id: {eq: 1}}, {quorate: {eq: false}, id: {in: [1, 4]}}]", &[1, 4]),
        ("and: [{mode: {eq: CLUSTER}}, {quorate: {eq: true}}], id: {ne: 1}", &[5]),
        ("or: [{mode: {eq: STANDALONE}}, {version: {lt: 0}}], quorate: {eq: true}", &[5]),
        ("not: {version: {gt: 0}}", &[2, 3, 4, 5]),
        ("not: {not: {version: {gt: 0}}}", &[1]),
        ("not: {and: [{quorate: {eq: true}}, {version: {gt: 0}}]}", &[2, 3, 4, 5]),
        (r#"q: "ABC""#, &[1, 5]),
        (r#"q: " lab_01% ""#, &[3]),
        (r#"q: "  ""#, &[1, 2, 3, 4, 5]),
        (r#"not: {q: "abc"}"#, &[2, 3, 4]),
    ];
    check(&server, "proxmoxClusters", clusters).await;
    check(&server, "proxmoxNodes", &[(r#"q: "FD00""#, &[9, 10]), (r#"q: "ab:cd""#, &[1, 2, 11])]).await;
    check(&server, "proxmoxStorages", &[(r#"q: "EDGE""#, &[19, 20]), (r#"q: "/mnt/dr_""#, &[15])]).await;
    check(
        &server,
        "netboxClusters",
        &[
            (r#"or: [{id: {eq: 6}}, {name: {startsWith: "lab"}}]"#, &[1, 6]),
            ("not: {id: {in: [1, 2, 3]}}, origin: MANUAL", &[4, 5, 6]),
            ("origin: NETBOX", &[]),
        ],
    )
    .await;
    check(
        &server,
        "netboxDevices",
        &[
            ("name: {isNull: true}", &[40]),
            (r#"and: [{name: {contains: "%"}}]"#, &[37]),
            (r#"name: {ne: "lab-01"}, id: {in: [31, 40]}"#, &[40]),
        ],
    )
    .await;
    check(
        &server,
        "proxmoxEndpoints",
        &[
            ("domain: {isNull: true}", &[2]),
            ("or: [{mode: {eq: CLUSTER}}, {name: {contains: \"東\"}}]", &[1, 3]),
            ("not: {enabled: {eq: true}}", &[]),
            ("id: {ne: 1}", &[2, 3]),
        ],
    )
    .await;
}

/// `null` and `{}` are no filter at all; what a list filters never depends on the page.
async fn no_filter_is_everything(db: TestDb) {
    let server = db.server().await;
    for argument in ["", "(filter: null)", "(filter: {})", "(first: 1)"] {
        let data =
            server.data(&format!("{{ proxmoxClusters{argument} {{ totalCount aggregate {{ count }} }} }}")).await;
        assert_eq!(data["proxmoxClusters"]["totalCount"], 5, "{argument}");
        assert_eq!(data["proxmoxClusters"]["aggregate"]["count"], 5, "{argument}");
    }
}

both!(
    texts,
    numbers_and_truths,
    times,
    ids_in_both_forms,
    addresses_compare_in_canonical_form,
    contents_nodes_and_tags,
    relations,
    and_or_not_and_q,
    no_filter_is_everything,
);
