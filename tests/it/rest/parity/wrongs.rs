//! The same wrong input names the same fields in both APIs.
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, ENDPOINTS, NODES, STORAGES, TAGS, keys, patch, post, refused};
use crate::support::{TestDb, both};
use serde_json::{Map, Value, json};

/// A field wrong in itself: model, path, the field as REST names it, and the value. The names of the two differ in form
/// only; values are those that both can read.
fn table() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let long = |n: usize| json!("x".repeat(n));
    let (cluster, node, storage) = (("ProxmoxCluster", CLUSTERS), ("ProxmoxNode", NODES), ("ProxmoxStorage", STORAGES));
    let mut table = Vec::new();
    let mut add = |(model, path): (&'static str, &'static str), field, value| table.push((model, path, field, value));
    for model in [cluster, node, storage] {
        for value in [json!(""), json!("   "), json!(null), long(256), json!("a\u{0}b")] {
            add(model, "name", value);
        }
        for value in [json!(["nothing"]), json!(["prod", "nothing"]), json!(null)] {
            add(model, "tags", value);
        }
        for value in [json!([]), json!("x"), json!(1), json!(null), json!({"a": "\u{0}"}), json!({"\u{0}": 1})] {
            add(model, "custom_fields", value);
        }
    }
    for model in [cluster, node] {
        for value in [json!(999), json!(0), json!(-1), json!(null)] {
            add(model, "endpoint", value);
        }
    }
    for (model, field) in [(cluster, "netbox_cluster"), (node, "proxmox_cluster"), (node, "netbox_device")] {
        for value in [json!(999), json!(-5), json!(i32::MAX)] {
            add(model, field, value);
        }
    }
    for value in [json!(-1), json!(i32::MIN), json!(null)] {
        add(cluster, "nodes_count", value);
    }
    add(cluster, "cluster_id", long(256));
    add(cluster, "cluster_id", json!(null));
    add(cluster, "mode", json!(null));
    add(cluster, "quorate", json!(null));
    for value in ["10.0.0.256", "10.0.0.0/8", "host", "", "fe80::1%eth0", "1.2.3"] {
        add(node, "ip_address", json!(value));
    }
    for field in ["online", "local", "ssl_fingerprint", "support_level"] {
        add(node, field, json!(null));
    }
    add(node, "ssl_fingerprint", long(256));
    for value in [json!(999), json!(null)] {
        add(storage, "cluster", value);
    }
    for (field, length) in [
        ("storage_type", 101),
        ("content", 256),
        ("path", 256),
        ("server", 256),
        ("monhost", 513),
        ("preallocation", 51),
        ("format", 101),
        ("prune_backups", 513),
        ("username", 256),
        ("is_mountpoint", 256),
    ] {
        add(storage, field, long(length));
        add(storage, field, json!("\u{0}"));
    }
    add(storage, "port", json!(-1));
    add(storage, "nodes", json!("n\u{0}"));
    for value in [json!({"a": ["\u{0}"]}), json!({"\u{0}": {}})] {
        add(storage, "raw_config", value);
    }
    for field in ["shared", "enabled"] {
        add(storage, field, json!(null));
    }
    let endpoint = ("ProxmoxEndpoint", ENDPOINTS);
    for (field, value) in [
        ("name", json!("")),
        ("name", long(256)),
        ("domain", json!("not a host")),
        ("domain", json!("http://x/")),
        ("ip_address", json!("nonsense")),
        ("port", json!(0)),
        ("port", json!(65_536)),
        ("username", json!("")),
        ("token_name", json!(null)),
        ("verify_ssl", json!(null)),
        ("password", json!("")),
        ("tags", json!(["nothing"])),
    ] {
        add(endpoint, field, value);
    }
    for (field, value) in [
        ("name", json!("")),
        ("name", long(101)),
        ("slug", json!("a b")),
        ("slug", json!("")),
        ("slug", json!("prod")),
        ("name", json!("prod")),
        ("color", json!("red")),
        ("color", json!("ABCDEF")),
    ] {
        add(("Tag", TAGS), field, value);
    }
    table
}

/// What a new one of a model needs, with GraphQL's names and forms.
fn least(model: &str) -> Value {
    match model {
        "ProxmoxCluster" => json!({"endpoint": 1, "name": "new", "mode": "CLUSTER"}),
        "ProxmoxNode" => json!({"endpoint": 1, "name": "new", "ipAddress": "::1"}),
        "ProxmoxStorage" => json!({"cluster": 5, "name": "new"}),
        "ProxmoxEndpoint" => json!({"name": "new", "domain": "new.example.com", "mode": "CLUSTER"}),
        _ => json!({"name": "new", "slug": "new"}),
    }
}

fn snake(name: &str) -> String {
    name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

/// The same with REST's names and forms.
fn body(input: &Value) -> Value {
    let value = |name: &str, value: &Value| match (name, value) {
        ("mode", Value::String(mode)) => json!(mode.to_lowercase()),
        ("tags", Value::Array(slugs)) => slugs.iter().map(|slug| json!({"slug": slug})).collect(),
        _ => value.clone(),
    };
    let pairs = input.as_object().unwrap().iter().map(|(name, given)| (snake(name), value(name, given)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The fields that GraphQL names, as REST writes them; also those that its types refuse before anything is done.
async fn named_by_graphql(desk: &Desk, mutation: &str, input: &Value) -> Vec<String> {
    let answer =
        desk.send(crate::support::ADMIN, &crate::graphql::mutations::document(mutation), json!({"input": input})).await;
    let answer = answer.json();
    let mut names = match answer.get("errors") {
        // What a type refuses stands in the message only, as `$input.name`.
        Some(errors) => errors
            .as_array()
            .unwrap()
            .iter()
            .map(|error| {
                let message = error["message"].as_str().unwrap();
                let field = message.split_once("$input.").unwrap_or_else(|| panic!("{message}")).1;
                snake(field.split('"').next().unwrap())
            })
            .collect::<Vec<_>>(),
        None => {
            let errors = answer["data"]["payload"]["userErrors"].as_array().unwrap();
            errors.iter().map(|error| snake(error["path"][0].as_str().unwrap_or_default())).collect::<Vec<_>>()
        }
    };
    names.sort();
    names.dedup();
    names
}

async fn the_same_wrong_input_names_the_same_field(db: TestDb) {
    let desk = Desk::new(&db).await;
    let table = table();
    assert!(table.len() > 120);
    let mut wrong = Vec::new();
    for (model, path, field, value) in table {
        let mut new = least(model);
        new[camel(field)] = value.clone();
        let mut change = json!({camel(field): value});
        let of_rest = [
            refused(&desk, &post(path, &body(&new)), 400).await,
            refused(&desk, &patch(&format!("{path}2/"), &body(&change)), 400).await,
        ];
        change["id"] = json!(2);
        for (told, (verb, input)) in of_rest.iter().zip([("create", &new), ("update", &change)]) {
            let mark = desk.mark().await;
            let graphql = named_by_graphql(&desk, &format!("{verb}{model}"), input).await;
            assert_eq!(desk.mark().await, mark, "{verb}{model}({input})");
            if keys(told) != [field] || graphql != [field] {
                wrong
                    .push(format!("{verb}{model} {field} = {}: REST {told}, GraphQL {graphql:?}", input[camel(field)]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What must be unique together is told of the whole in REST, of the name in GraphQL; what is missing by its name.
async fn missing_fields_and_taken_keys(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, path, taken) in [("ProxmoxCluster", CLUSTERS, "pve-cluster"), ("ProxmoxNode", NODES, "pve-node-01")] {
        let mut input = least(model);
        input["name"] = json!(taken);
        assert_eq!(keys(&refused(&desk, &post(path, &body(&input)), 400).await), ["__all__"]);
        assert_eq!(named_by_graphql(&desk, &format!("create{model}"), &input).await, ["name"]);
        let rename = json!({"name": taken});
        assert_eq!(keys(&refused(&desk, &patch(&format!("{path}2/"), &rename), 400).await), ["__all__"]);
        assert_eq!(
            named_by_graphql(&desk, &format!("update{model}"), &json!({"id": 2, "name": taken})).await,
            ["name"]
        );
    }
    // Several at once are all told.
    let new = json!({"endpoint": 999, "name": "", "mode": "CLUSTER", "nodesCount": -1, "tags": ["nothing"]});
    let expected = ["endpoint", "name", "nodes_count", "tags"];
    let told = refused(&desk, &post(CLUSTERS, &body(&new)), 400).await;
    assert_eq!(
        (keys(&told), named_by_graphql(&desk, "createProxmoxCluster", &new).await),
        (expected.to_vec(), expected.map(str::to_owned).to_vec())
    );
}

both!(the_same_wrong_input_names_the_same_field, missing_fields_and_taken_keys);
