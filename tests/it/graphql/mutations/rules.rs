//! What a value must be, in each model, and which code and place tells it.
use super::{Desk, models, told};
use crate::support::{ADMIN, TestDb, both};
use serde_json::{Value, json};

/// A text of so many characters, each of them several bytes.
fn text(count: usize) -> String {
    "é".repeat(count)
}

/// The limits of texts, as the plugin has them: characters, not bytes.
async fn texts_have_the_plugin_s_lengths(db: TestDb) {
    let desk = Desk::new(&db).await;
    let storage = [
        ("storageType", 100),
        ("content", 255),
        ("path", 255),
        ("server", 255),
        ("username", 255),
        ("export", 255),
        ("share", 255),
        ("pool", 255),
        ("monhost", 512),
        ("namespace", 255),
        ("datastore", 255),
        ("subdir", 255),
        ("mountpoint", 255),
        ("isMountpoint", 255),
        ("preallocation", 50),
        ("format", 100),
        ("pruneBackups", 512),
        ("name", 255),
    ];
    let node = [("name", 255), ("sslFingerprint", 255), ("supportLevel", 100)];
    let cluster = [("name", 255), ("clusterId", 255)];
    let endpoint =
        [("name", 255), ("domain", 255), ("version", 255), ("repoid", 255), ("username", 255), ("tokenName", 255)];
    for (model, list, fields) in [
        ("ProxmoxStorage", "proxmox_storages", &storage[..]),
        ("ProxmoxNode", "proxmox_nodes", &node),
        ("ProxmoxCluster", "proxmox_clusters", &cluster),
        ("ProxmoxEndpoint", "proxmox_endpoints", &endpoint),
        ("Tag", "tags", &[("name", 100), ("slug", 100)]),
        ("NetboxCluster", "netbox_clusters", &[("name", 255), ("display", 512)]),
    ] {
        let update = format!("update{model}");
        let mut long = json!({"id": 1});
        for (field, most) in fields {
            // Blanks around it do not count.
            let fits = text(*most);
            desk.done(&update, json!({"id": 1, *field: format!(" {fits}\t")})).await;
            let row = desk.row(list, 1).await;
            assert!(
                row.as_object().unwrap().iter().any(|(name, value)| super::camel(name) == *field && *value == *fits),
                "{field}"
            );
            long[*field] = json!(text(most + 1));
        }
        // Everything wrong is told at once, in the order of the fields.
        let mut told = desk.refused(&update, long).await;
        let mut expected = fields.iter().map(|(field, _)| format!("TOO_LONG {field}")).collect::<Vec<_>>();
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
        let mut nul = json!({"id": 1});
        fields.iter().for_each(|(field, _)| nul[*field] = json!("a\0b"));
        let told = desk.refused(&update, nul).await;
        for (field, _) in fields {
            assert!(told.contains(&format!("INVALID {field}")), "{field}: {told:?}");
        }
    }
    // The one text without a limit.
    desk.done("updateProxmoxStorage", json!({"id": 1, "nodes": text(20_000)})).await;
    assert_eq!(desk.refused("updateProxmoxStorage", json!({"id": 1, "nodes": "\0"})).await, ["INVALID nodes"]);
}

/// What is refused, and how it is told.
async fn what_is_wrong_is_told_at_its_place(db: TestDb) {
    let desk = Desk::new(&db).await;
    let long = "9".repeat(25);
    let cases = [
        ("updateProxmoxCluster", json!({"nodesCount": -1}), vec!["OUT_OF_RANGE nodesCount"]),
        ("updateProxmoxCluster", json!({"name": ""}), vec!["REQUIRED name"]),
        ("updateProxmoxCluster", json!({"name": " \n\u{2003}"}), vec!["REQUIRED name"]),
        ("updateProxmoxCluster", json!({"endpoint": "99"}), vec!["REFERENCE_NOT_FOUND endpoint"]),
        ("updateProxmoxCluster", json!({"netboxCluster": 99}), vec!["REFERENCE_NOT_FOUND netboxCluster"]),
        ("updateProxmoxCluster", json!({"endpoint": "ProxmoxNode:1"}), vec!["INVALID endpoint"]),
        (
            "updateProxmoxCluster",
            json!({"endpoint": "one", "netboxCluster": "ProxmoxCluster:1"}),
            vec!["INVALID endpoint", "INVALID netboxCluster"],
        ),
        ("updateProxmoxCluster", json!({"endpoint": "+1"}), vec!["INVALID endpoint"]),
        ("updateProxmoxCluster", json!({"endpoint": long}), vec!["INVALID endpoint"]),
        ("updateProxmoxCluster", json!({"id": "ProxmoxNode:1"}), vec!["INVALID id"]),
        (
            "updateProxmoxCluster",
            json!({"id": "NetBoxCluster:1", "endpoint": ""}),
            vec!["INVALID id", "INVALID endpoint"],
        ),
        ("updateProxmoxCluster", json!({"id": "99"}), vec!["NOT_FOUND id"]),
        (
            "updateProxmoxCluster",
            json!({"tags": ["prod", "no", "unicode", "neither"]}),
            vec!["REFERENCE_NOT_FOUND tags.1", "REFERENCE_NOT_FOUND tags.3"],
        ),
        ("updateProxmoxCluster", json!({"tags": ["Prod"]}), vec!["REFERENCE_NOT_FOUND tags.0"]),
        ("updateProxmoxCluster", json!({"tags": ["prod\0"]}), vec!["REFERENCE_NOT_FOUND tags.0"]),
        ("updateProxmoxCluster", json!({"tags": ["Test Env"]}), vec!["REFERENCE_NOT_FOUND tags.0"]),
        ("updateProxmoxCluster", json!({"customFields": []}), vec!["INVALID customFields"]),
        ("updateProxmoxCluster", json!({"customFields": "a"}), vec!["INVALID customFields"]),
        ("updateProxmoxCluster", json!({"customFields": {"a": [{"b": "\0"}]}}), vec!["INVALID customFields"]),
        ("updateProxmoxCluster", json!({"customFields": {"a\0": 1}}), vec!["INVALID customFields"]),
        (
            "updateProxmoxCluster",
            json!({"name": "", "nodesCount": -7, "endpoint": 99, "tags": ["no"], "customFields": 1, "version": null}),
            vec![
                "REQUIRED name",
                "OUT_OF_RANGE nodesCount",
                "INVALID customFields",
                "REFERENCE_NOT_FOUND endpoint",
                "REFERENCE_NOT_FOUND tags.0",
            ],
        ),
        ("updateProxmoxCluster", json!({"name": "alone"}), vec!["CONFLICT name"]),
        ("updateProxmoxCluster", json!({"name": " alone "}), vec!["CONFLICT name"]),
        ("updateProxmoxCluster", json!({"id": 3, "endpoint": 2, "name": "Beta"}), vec!["CONFLICT name"]),
        (
            "createProxmoxCluster",
            json!({"id": null, "endpoint": 1, "name": "alone", "mode": "CLUSTER"}),
            vec!["CONFLICT name"],
        ),
        (
            "createProxmoxCluster",
            json!({"id": null, "endpoint": 99, "name": "", "mode": "CLUSTER"}),
            vec!["REQUIRED name", "REFERENCE_NOT_FOUND endpoint"],
        ),
        ("updateProxmoxNode", json!({"name": "pve-node-02"}), vec!["CONFLICT name"]),
        (
            "createProxmoxNode",
            json!({"id": null, "endpoint": 1, "name": "pve-node-02", "ipAddress": "::1"}),
            vec!["CONFLICT name"],
        ),
        (
            "updateProxmoxNode",
            json!({"proxmoxCluster": 99, "netboxDevice": "NetBoxDevice:99"}),
            vec!["REFERENCE_NOT_FOUND proxmoxCluster", "REFERENCE_NOT_FOUND netboxDevice"],
        ),
        ("updateProxmoxNode", json!({"proxmoxCluster": "NetBoxCluster:1"}), vec!["INVALID proxmoxCluster"]),
        ("updateProxmoxStorage", json!({"port": -1}), vec!["OUT_OF_RANGE port"]),
        ("updateProxmoxStorage", json!({"name": "local"}), vec!["CONFLICT name"]),
        ("createProxmoxStorage", json!({"id": null, "cluster": 5, "name": "local"}), vec!["CONFLICT name"]),
        ("updateProxmoxStorage", json!({"rawConfig": {"a": ["b\0"]}}), vec!["INVALID rawConfig"]),
        ("updateProxmoxStorage", json!({"rawConfig": "\0"}), vec!["INVALID rawConfig"]),
        ("updateProxmoxStorage", json!({"cluster": "ProxmoxCluster:1"}), vec!["INVALID cluster"]),
        ("updateProxmoxStorage", json!({"cluster": 99}), vec!["REFERENCE_NOT_FOUND cluster"]),
        ("updateProxmoxEndpoint", json!({"port": 0}), vec!["OUT_OF_RANGE port"]),
        ("updateProxmoxEndpoint", json!({"port": 65_536}), vec!["OUT_OF_RANGE port"]),
        ("updateProxmoxEndpoint", json!({"port": -8006}), vec!["OUT_OF_RANGE port"]),
        ("updateProxmoxEndpoint", json!({"domain": null}), vec!["REQUIRED domain"]),
        ("updateProxmoxEndpoint", json!({"domain": " ", "ipAddress": null}), vec!["REQUIRED domain"]),
        ("updateProxmoxEndpoint", json!({"domain": "https://a"}), vec!["INVALID domain"]),
        ("updateProxmoxEndpoint", json!({"domain": "a:8006"}), vec!["INVALID domain"]),
        ("updateProxmoxEndpoint", json!({"domain": "a b"}), vec!["INVALID domain"]),
        ("updateProxmoxEndpoint", json!({"domain": "user@a"}), vec!["INVALID domain"]),
        ("updateProxmoxEndpoint", json!({"username": " "}), vec!["REQUIRED username"]),
        (
            "updateProxmoxEndpoint",
            json!({"password": "", "tokenValue": ""}),
            vec!["REQUIRED password", "REQUIRED tokenValue"],
        ),
        ("updateProxmoxEndpoint", json!({"tlsFingerprint": "AA:BB"}), vec!["INVALID tlsFingerprint"]),
        ("updateProxmoxEndpoint", json!({"tlsFingerprint": "g".repeat(64)}), vec!["INVALID tlsFingerprint"]),
        ("createProxmoxEndpoint", json!({"id": null, "name": "x"}), vec!["REQUIRED domain"]),
        (
            "createProxmoxEndpoint",
            json!({"id": null, "name": "prod-proxmox", "domain": "proxmox.example.com"}),
            vec!["CONFLICT name"],
        ),
        ("createTag", json!({"id": null, "name": "x", "slug": "prod"}), vec!["CONFLICT slug"]),
        ("createTag", json!({"id": null, "name": "prod", "slug": "x"}), vec!["CONFLICT name"]),
        (
            "createTag",
            json!({"id": null, "name": "", "slug": "a b", "color": "FFFFFF"}),
            vec!["REQUIRED name", "INVALID slug", "INVALID color"],
        ),
        ("updateTag", json!({"slug": "unicode"}), vec!["CONFLICT slug"]),
        ("updateTag", json!({"name": "Test Env"}), vec!["CONFLICT name"]),
        ("updateTag", json!({"color": "12345"}), vec!["INVALID color"]),
        ("updateTag", json!({"color": null}), vec!["REQUIRED color"]),
        ("updateTag", json!({"slug": ""}), vec!["REQUIRED slug"]),
        ("createNetboxCluster", json!({"id": null, "databaseId": 1, "name": "x"}), vec!["CONFLICT databaseId"]),
        (
            "createNetboxCluster",
            json!({"id": null, "databaseId": 0, "name": ""}),
            vec!["OUT_OF_RANGE databaseId", "REQUIRED name"],
        ),
        ("createNetboxDevice", json!({"id": null, "databaseId": -1}), vec!["OUT_OF_RANGE databaseId"]),
        ("createNetboxDevice", json!({"id": null, "databaseId": 31, "name": null}), vec!["CONFLICT databaseId"]),
        ("updateNetboxDevice", json!({"id": 31, "name": ""}), vec!["REQUIRED name"]),
        ("updateNetboxCluster", json!({"display": null}), vec!["REQUIRED display"]),
    ];
    for (mutation, mut input, expected) in cases {
        match input.get("id") {
            Some(Value::Null) => drop(input.as_object_mut().unwrap().remove("id")),
            Some(_) => {}
            None => input["id"] = json!(1),
        }
        assert_eq!(desk.refused(mutation, input.clone()).await, expected, "{mutation} {input}");
    }
}

async fn extremes_are_stored_exactly(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, list, values) in [
        ("ProxmoxCluster", "proxmox_clusters", json!({"nodesCount": i32::MAX, "version": i32::MIN})),
        ("ProxmoxCluster", "proxmox_clusters", json!({"nodesCount": 0, "version": i32::MAX})),
        (
            "ProxmoxNode",
            "proxmox_nodes",
            json!({"nodeId": i32::MIN, "maxCpu": i32::MAX, "memoryUsage": i64::MAX, "maxMemory": i64::MIN, "cpuUsage": 1e300}),
        ),
        (
            "ProxmoxNode",
            "proxmox_nodes",
            json!({"nodeId": -1, "maxCpu": 0, "memoryUsage": 9_007_199_254_740_993_i64, "maxMemory": -1, "cpuUsage": -0.1}),
        ),
        ("ProxmoxNode", "proxmox_nodes", json!({"cpuUsage": 0.0, "memoryUsage": 0})),
        ("ProxmoxStorage", "proxmox_storages", json!({"port": i32::MAX, "maxProtectedBackups": i32::MIN})),
        ("ProxmoxStorage", "proxmox_storages", json!({"port": 0, "maxProtectedBackups": -1})),
        ("ProxmoxEndpoint", "proxmox_endpoints", json!({"port": 1})),
        ("ProxmoxEndpoint", "proxmox_endpoints", json!({"port": 65_535})),
    ] {
        let mut input = values.clone();
        input["id"] = json!(1);
        desk.done(&format!("update{model}"), input).await;
        let row = desk.row(list, 1).await;
        super::holds(&row, &values);
    }
    // BigInt comes as a text too.
    desk.done("updateProxmoxNode", json!({"id": 1, "memoryUsage": "9223372036854775807"})).await;
    assert_eq!(desk.row("proxmox_nodes", 1).await["memory_usage"], i64::MAX);
    // What no Int or BigInt is does not get that far.
    for (mutation, field, value) in [
        ("updateProxmoxStorage", "port", json!(2_147_483_648_i64)),
        ("updateProxmoxCluster", "version", json!(-2_147_483_649_i64)),
        ("updateProxmoxNode", "memoryUsage", json!("9223372036854775808")),
        ("updateProxmoxNode", "maxCpu", json!("1")),
        ("updateProxmoxNode", "maxCpu", json!(1.5)),
    ] {
        let state = desk.state().await;
        let answer = desk.send(ADMIN, &super::document(mutation), json!({"input": {"id": 1, field: value}})).await;
        assert!(answer.json().get("data").is_none_or(Value::is_null));
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{field} {value}");
        assert_eq!(desk.state().await, state);
    }
}

async fn addresses_have_one_form(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (mutation, list) in [("updateProxmoxNode", "proxmox_nodes"), ("updateProxmoxEndpoint", "proxmox_endpoints")] {
        for (given, stored) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.2\n", "192.0.2.2"),
            ("2001:DB8:0:0::00FF", "2001:db8::ff"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("::FFFF:102:305", "1.2.3.5"),
            ("::1", "::1"),
            ("255.255.255.255", "255.255.255.255"),
        ] {
            desk.done(mutation, json!({"id": 1, "ipAddress": given})).await;
            assert_eq!(desk.row(list, 1).await["ip_address"], stored, "{given}");
        }
        for given in [
            "",
            " ",
            "10.0.0.1/24",
            "::1/64",
            "010.0.0.1",
            "10.0.0",
            "256.0.0.1",
            "host.example.com",
            "[::1]",
            "fe80::1%eth0",
            "10.0.0.1:8006",
            "1",
            "::g",
            "10.0.0.1 10.0.0.2",
            "\0",
        ] {
            assert_eq!(
                desk.refused(mutation, json!({"id": 1, "ipAddress": given})).await,
                ["INVALID ipAddress"],
                "{given}"
            );
        }
    }
    let new = |address: &str| json!({"endpoint": 1, "name": address, "ipAddress": address});
    assert_eq!(desk.refused("createProxmoxNode", new("10.0.0.1/8")).await, ["INVALID ipAddress"]);
    let id = desk.made("createProxmoxNode", new("::FFFF:10.0.0.9")).await;
    assert_eq!(desk.row("proxmox_nodes", id).await["ip_address"], "10.0.0.9");
}

async fn the_plugin_s_words_are_used(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (mutation, input, message) in [
        ("updateProxmoxCluster", json!({"id": 1, "name": ""}), "This field may not be blank."),
        ("updateProxmoxCluster", json!({"id": 1, "name": null}), "This field may not be null."),
        (
            "updateProxmoxCluster",
            json!({"id": 1, "name": text(256)}),
            "Ensure this field has no more than 255 characters.",
        ),
        (
            "updateProxmoxCluster",
            json!({"id": 1, "nodesCount": -1}),
            "Ensure this value is greater than or equal to 0.",
        ),
        (
            "updateProxmoxEndpoint",
            json!({"id": 1, "port": 65_536}),
            "Ensure this value is less than or equal to 65535.",
        ),
        ("updateProxmoxNode", json!({"id": 1, "ipAddress": "x"}), "Enter a valid IPv4 or IPv6 address."),
        ("updateProxmoxNode", json!({"id": 1, "name": "a\0"}), "Null characters are not allowed."),
        (
            "updateProxmoxNode",
            json!({"id": 1, "endpoint": 99}),
            "Related object not found using the provided numeric ID: 99",
        ),
    ] {
        assert_eq!(desk.ask(mutation, input.clone()).await["userErrors"][0]["message"], message, "{input}");
    }
}

/// Any JSON, with its keys in order and its numbers as they came.
async fn raw_config_is_any_json(db: TestDb) {
    let desk = Desk::new(&db).await;
    for text in [
        r#"{"z":1,"a":{"y":[1.0,2,1e5],"b":null},"ü":"\"\\"}"#,
        r#"[]"#,
        r#""text""#,
        "17",
        "false",
        r#"[{"b":1,"a":2}]"#,
        "{}",
        r#"{"":{"":""}}"#,
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let mut input = json!({"id": 1, "rawConfig": value});
        desk.done("updateProxmoxStorage", input.clone()).await;
        let row = desk.row("proxmox_storages", 1).await;
        assert_eq!(row["raw_config"].to_string(), value.to_string());
        let shown = desk.server.data("{ proxmoxStorage(id: 1) { rawConfig } }").await;
        assert_eq!(shown["proxmoxStorage"]["rawConfig"].to_string(), value.to_string());
        // Within a list it comes the same way.
        input["rawConfig"] = json!([value]);
        desk.done("updateProxmoxStorages", json!({"items": [input]})).await;
        assert_eq!(desk.row("proxmox_storages", 1).await["raw_config"].to_string(), json!([value]).to_string());
    }
    assert_eq!(desk.refused("updateProxmoxStorage", json!({"id": 1, "rawConfig": null})).await, ["REQUIRED rawConfig"]);
}

/// Rules hold for new rows as for old ones, one by one as in bulk.
async fn rules_hold_at_every_door(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, _, input) in models() {
        let mut wrong = input.clone();
        wrong["name"] = json!(text(256));
        wrong["tags"] = json!(["nope"]);
        let expected = ["TOO_LONG name", "REFERENCE_NOT_FOUND tags.0"];
        for verb in ["create", "upsert"] {
            assert_eq!(desk.refused(&format!("{verb}{model}"), wrong.clone()).await, expected);
            let state = desk.state().await;
            let payload = desk.ask(&format!("{verb}{model}s"), json!({"items": [wrong]})).await;
            assert_eq!(told(&payload["results"][0]), ["TOO_LONG items.0.name", "REFERENCE_NOT_FOUND items.0.tags.0"]);
            assert_eq!(desk.state().await, state);
        }
    }
}

both!(
    texts_have_the_plugin_s_lengths,
    what_is_wrong_is_told_at_its_place,
    extremes_are_stored_exactly,
    addresses_have_one_form,
    the_plugin_s_words_are_used,
    raw_config_is_any_json,
    rules_hold_at_every_door,
);
