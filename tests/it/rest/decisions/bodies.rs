//! Bodies that the plugin stumbles over, flags, and custom fields (decisions 8, 11 and 19).
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, Call, NODES, STORAGES, get, keys, patch, post, put, refused};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

/// A body as it stands, whatever it is.
fn raw(method: &str, target: &str, body: &str) -> Call {
    Call::new(method, target).with("content-type", "application/json").bytes(body)
}

async fn what_no_database_takes_is_named(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (method, target, body, names) in [
        ("POST", CLUSTERS, r#"{"endpoint": {"id": "abc"}, "name": "x", "mode": "cluster"}"#, &["endpoint"][..]),
        ("PATCH", "/api/plugins/proxbox/clusters/1/", r#"{"netbox_cluster": {"id": "abc"}}"#, &["netbox_cluster"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"ip_address": "nonsense"}"#, &["ip_address"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"ip_address": "10.0.0.0/8"}"#, &["ip_address"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"cpu_usage": "NaN"}"#, &["cpu_usage"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"cpu_usage": "-inf"}"#, &["cpu_usage"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"tags": [{"id": "abc"}]}"#, &["tags"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"name": "a\u0000b"}"#, &["name"]),
        ("PATCH", "/api/plugins/proxbox/nodes/1/", r#"{"custom_fields": {"a": ["\u0000"]}}"#, &["custom_fields"]),
        ("PATCH", "/api/plugins/proxbox/storage/1/", r#"{"raw_config": {"a": {"b": ["x\u0000"]}}}"#, &["raw_config"]),
        ("PATCH", "/api/plugins/proxbox/storage/1/", r#"{"raw_config": {"a\u0000": 1}}"#, &["raw_config"]),
        ("PATCH", "/api/plugins/proxbox/storage/1/", r#"{"path": "\u0000"}"#, &["path"]),
        ("PATCH", "/api/plugins/proxbox/clusters/1/", r#"[{"name": "x"}]"#, &["non_field_errors"]),
        ("PUT", "/api/plugins/proxbox/clusters/1/", "[]", &["non_field_errors"]),
        ("DELETE", "/api/plugins/proxbox/clusters/1/", "[]", &["non_field_errors"]),
    ] {
        let body = refused(&desk, &raw(method, target, body), 400).await;
        assert_eq!(keys(&body), names, "{method} {target}: {body}");
    }
}

async fn no_json_is_no_body(db: TestDb) {
    let desk = Desk::new(&db).await;
    let nested = |depth: usize| format!("{{\"raw_config\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
    for body in [r#"{"cpu_usage": NaN}"#, r#"{"name": Infinity}"#, &nested(128), &nested(100_000), "{", "\u{feff}{}"] {
        let told = refused(&desk, &raw("PATCH", "/api/plugins/proxbox/storage/1/", body), 400).await;
        assert_eq!(keys(&told), ["detail"]);
        let list = format!("[{{\"id\": 1}}, {body}]");
        let told = refused(&desk, &raw("PATCH", STORAGES, &list), 400).await;
        assert_eq!(keys(&told), ["detail"]);
    }
    let answer = raw("PATCH", "/api/plugins/proxbox/storage/1/", &nested(100)).send(&desk.server).await;
    assert_eq!(answer.status, 200);
    let told = refused(&desk, &raw("PATCH", "/api/plugins/proxbox/storage/1/", &" ".repeat((1 << 20) + 1)), 413).await;
    assert_eq!(keys(&told), ["detail"]);
}

async fn the_same_key_twice_in_one_request_is_a_conflict(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (path, rest) in [(CLUSTERS, json!({"mode": "cluster"})), (NODES, json!({"ip_address": "10.0.0.1"}))] {
        let new = |name: &str| {
            let mut body = rest.clone();
            body["endpoint"] = json!(1);
            body["name"] = json!(name);
            body
        };
        let body = refused(&desk, &post(path, &json!([new("a"), new("b"), new(" a ")])), 400).await;
        assert_eq!((&body[0], &body[1], keys(&body[2])), (&json!({}), &json!({}), vec!["__all__"]), "{body}");
        assert_eq!(body.as_array().unwrap().len(), 3);
        assert_eq!(
            post(path, &json!([new("a"), new("b")])).json_of(&desk.server, 201).await.as_array().unwrap().len(),
            2
        );
    }
}

async fn a_flag_is_a_text(db: TestDb) {
    let desk = Desk::new(&db).await;
    let target = "/api/plugins/proxbox/storage/1/";
    for (given, stored) in [
        (json!(true), json!("1")),
        (json!(false), json!("0")),
        (json!("true"), json!("true")),
        (json!("/mnt/x"), json!("/mnt/x")),
        (json!(1), json!("1")),
        (json!(""), json!("")),
        (json!(null), json!(null)),
    ] {
        let body = patch(target, &json!({"is_mountpoint": given})).json_of(&desk.server, 200).await;
        assert_eq!(body["is_mountpoint"], stored, "{given}");
        let body = post(STORAGES, &json!({"cluster": 5, "name": format!("of {given}"), "is_mountpoint": given}));
        let made = body.json_of(&desk.server, 201).await;
        assert_eq!(made["is_mountpoint"], stored, "{given}");
        let bulk = json!([{"id": 2, "is_mountpoint": given}]);
        assert_eq!(patch(STORAGES, &bulk).json_of(&desk.server, 200).await[0]["is_mountpoint"], stored, "{given}");
    }
    for wrong in [json!({}), json!([true])] {
        let body = refused(&desk, &patch(target, &json!({"is_mountpoint": wrong})), 400).await;
        assert_eq!(keys(&body), ["is_mountpoint"]);
    }
    // Other texts are no flags.
    assert_eq!(keys(&refused(&desk, &patch(target, &json!({"path": true})), 400).await), ["path"]);
}

async fn custom_fields_are_merged(db: TestDb) {
    let desk = Desk::new(&db).await;
    for path in [CLUSTERS, NODES, STORAGES, super::super::ENDPOINTS] {
        let target = format!("{path}1/");
        let mut expected = get(&target).json_of(&desk.server, 200).await["custom_fields"].clone();
        for given in
            [json!({"a": 1, "b": [1, {"c": null}]}), json!({"b": null}), json!({}), json!({"a": {"deep": true}})]
        {
            for (key, value) in given.as_object().unwrap() {
                expected[key] = value.clone();
            }
            let body = patch(&target, &json!({"custom_fields": given})).json_of(&desk.server, 200).await;
            assert_eq!(body["custom_fields"], expected, "{path}");
        }
        let mut whole = get(&target).json_of(&desk.server, 200).await;
        whole["custom_fields"] = json!({"z": "put"});
        expected["z"] = json!("put");
        assert_eq!(put(&target, &whole).json_of(&desk.server, 200).await["custom_fields"], expected, "{path}");
        for wrong in [json!([]), json!("x"), json!(1), json!(null)] {
            let body = refused(&desk, &patch(&target, &json!({"custom_fields": wrong})), 400).await;
            assert_eq!(keys(&body), ["custom_fields"], "{path} {wrong}");
        }
        let answer = get(&format!("{path}?cf_z=put")).send(&desk.server).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["x-ignored"]), (200, &"cf_z".parse().unwrap()));
    }
}

/// What was sent as a configuration comes back in its order.
async fn configurations_keep_their_order(db: TestDb) {
    let desk = Desk::new(&db).await;
    let text = r#"{"cluster":5,"name":"new","raw_config":{"z":1,"a":{"y":2.50,"b":[]},"m":12345678901234567}}"#;
    let made = raw("POST", STORAGES, text).json_of(&desk.server, 201).await;
    assert_eq!(made["raw_config"].to_string(), r#"{"z":1,"a":{"y":2.5,"b":[]},"m":12345678901234567}"#);
    let order = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let again = get(&format!("{STORAGES}101/")).json_of(&desk.server, 200).await;
    assert_eq!(order(&again["raw_config"]), ["z", "a", "m"]);
}

both!(
    what_no_database_takes_is_named,
    no_json_is_no_body,
    the_same_key_twice_in_one_request_is_a_conflict,
    a_flag_is_a_text,
    custom_fields_are_merged,
    configurations_keep_their_order,
);
