//! The endpoint resource (decision 21), sentence by sentence.
use super::ids_where;
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, Call, ENDPOINTS, delete, get, ids, keys, patch, post, put, refused};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

const FIELDS: [&str; 17] = [
    "id",
    "url",
    "display",
    "name",
    "ip_address",
    "domain",
    "port",
    "mode",
    "version",
    "repoid",
    "username",
    "token_name",
    "verify_ssl",
    "tags",
    "custom_fields",
    "created",
    "last_updated",
];

fn new() -> Value {
    json!({"name": "new", "mode": "cluster", "domain": "new.example.com"})
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().shift_remove(field);
    body
}

async fn it_shows_its_fields_and_takes_the_rest_s_defaults(db: TestDb) {
    let desk = Desk::new(&db).await;
    let made = post(ENDPOINTS, &new()).json_of(&desk.server, 201).await;
    assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), FIELDS, "in this order");
    let expected = json!({
        "id": 101, "url": "http://proxbox.example.com/api/plugins/proxbox/endpoints/proxmox/101/",
        "display": "new (new.example.com)", "name": "new", "ip_address": null, "domain": "new.example.com", "port": 8006,
        "mode": {"value": "cluster", "label": "Cluster"}, "version": null, "repoid": null, "username": "root@pam",
        "token_name": "", "verify_ssl": false, "tags": [], "custom_fields": {},
        "created": made["created"], "last_updated": made["last_updated"],
    });
    assert_eq!(made, expected);
    // GraphQL verifies unless told otherwise; both doors keep what is there.
    let other = desk.made("createProxmoxEndpoint", json!({"name": "g", "domain": "g.example.com"})).await;
    assert_eq!(get(&format!("{ENDPOINTS}{other}/")).json_of(&desk.server, 200).await["verify_ssl"], true);
    let renamed = patch(&format!("{ENDPOINTS}{other}/"), &json!({"name": "h"})).json_of(&desk.server, 200).await;
    assert_eq!(renamed["verify_ssl"], true);
    let body = with(with(new(), "name", json!("v")), "verify_ssl", json!(true));
    assert_eq!(post(ENDPOINTS, &body).json_of(&desk.server, 201).await["verify_ssl"], true);
}

async fn a_new_one_needs_a_name_a_mode_and_a_host(db: TestDb) {
    let desk = Desk::new(&db).await;
    let wrong = [
        (without(new(), "name"), "name"),
        (without(new(), "mode"), "mode"),
        (without(new(), "domain"), "domain"),
        (with(new(), "domain", json!(null)), "domain"),
        (with(new(), "name", json!(" ")), "name"),
        (with(new(), "name", json!("x".repeat(256))), "name"),
        (with(new(), "mode", json!("bogus")), "mode"),
        (with(new(), "domain", json!("not a host")), "domain"),
        (with(new(), "ip_address", json!("10.0.0.300")), "ip_address"),
        (with(new(), "ip_address", json!({"address": "nonsense"})), "ip_address"),
        (with(new(), "port", json!(0)), "port"),
        (with(new(), "port", json!(65_536)), "port"),
        (with(new(), "port", json!("x")), "port"),
        (with(new(), "port", json!(null)), "port"),
        (with(new(), "verify_ssl", json!("maybe")), "verify_ssl"),
        (with(new(), "username", json!("")), "username"),
        (with(new(), "password", json!("")), "password"),
        (with(new(), "tags", json!(["prod"])), "tags"),
    ];
    for (body, field) in &wrong {
        assert_eq!(keys(&refused(&desk, &post(ENDPOINTS, body), 400).await), [*field], "{body}");
        let told = refused(&desk, &post(ENDPOINTS, &json!([new(), body])), 400).await;
        assert_eq!((&told[0], keys(&told[1])), (&json!({}), vec![*field]), "{body}");
    }
    for (i, host) in
        [json!({"ip_address": "10.0.0.9"}), json!({"ip_address": {"address": "10.0.0.9"}}), json!({"domain": "a.b"})]
            .into_iter()
            .enumerate()
    {
        let mut body = json!({"name": format!("n{i}"), "mode": "undefined", "port": if i == 0 { 1 } else { 65_535 }});
        host.as_object().unwrap().iter().for_each(|(key, value)| body[key] = value.clone());
        let made = post(ENDPOINTS, &body).json_of(&desk.server, 201).await;
        assert_eq!(made["display"], format!("n{i} ({})", if i < 2 { "10.0.0.9" } else { "a.b" }));
        assert_eq!(made["port"], body["port"]);
    }
    // Neither may it lose its host later.
    let target = format!("{ENDPOINTS}1/");
    assert_eq!(keys(&refused(&desk, &patch(&target, &json!({"domain": null})), 400).await), ["domain"]);
    let both = json!({"domain": null, "ip_address": "10.1.1.1"});
    assert_eq!(patch(&target, &both).json_of(&desk.server, 200).await["display"], "prod-proxmox (10.1.1.1)");
    assert_eq!(keys(&refused(&desk, &put(&target, &json!({"domain": "x.y"})), 400).await), ["mode", "name"]);
}

/// The address goes before the domain, here and where it is nested.
async fn its_display_names_the_host(db: TestDb) {
    let desk = Desk::new(&db).await;
    let displays = ["prod-proxmox (proxmox.example.com)", "lab-proxmox (10.0.0.5)", "Édge-Prøxmox 東京 (2001:db8::5)"];
    for (id, display) in (1..).zip(displays) {
        assert_eq!(get(&format!("{ENDPOINTS}{id}/")).json_of(&desk.server, 200).await["display"], display);
        let list = get(&format!("{CLUSTERS}?endpoint={id}&limit=1")).json_of(&desk.server, 200).await;
        let nested = &list["results"][0]["endpoint"];
        assert_eq!((&nested["display"], keys(nested)), (&json!(display), vec!["display", "id", "name", "url"]));
        get(nested["url"].as_str().unwrap().strip_prefix("http://proxbox.example.com").unwrap())
            .json_of(&desk.server, 200)
            .await;
    }
}

async fn name_and_host_are_unique_together(db: TestDb) {
    let desk = Desk::new(&db).await;
    let same = json!({"name": "prod-proxmox", "mode": "cluster", "domain": "proxmox.example.com"});
    let told = refused(&desk, &post(ENDPOINTS, &same), 400).await;
    assert!(told.is_object() && keys(&told).len() == 1, "{told}");
    let elsewhere = with(same.clone(), "domain", json!("other.example.com"));
    let id = post(ENDPOINTS, &elsewhere).json_of(&desk.server, 201).await["id"].clone();
    post(ENDPOINTS, &with(same, "name", json!("other"))).json_of(&desk.server, 201).await;
    refused(&desk, &patch(&format!("{ENDPOINTS}{id}/"), &json!({"domain": "proxmox.example.com"})), 400).await;
}

async fn lists_are_filtered(db: TestDb) {
    let server = db.server().await;
    for (query, expected) in [
        ("id=1&id=3", vec![1, 3]),
        ("name=lab-proxmox", vec![2]),
        ("name__ic=PROXMOX", vec![1, 2]),
        ("domain=edge.example.org", vec![3]),
        ("domain__isw=PROX", vec![1]),
        ("domain=null", vec![2]),
        ("ip_address=10.0.0.5", vec![2]),
        ("ip_address=2001:DB8:0::5", vec![3]),
        ("mode=cluster", vec![1]),
        ("mode=cluster&mode=undefined", vec![1, 3]),
        ("q=EXAMPLE", vec![1, 3]),
        ("q=lab", vec![2]),
        ("q=10.0.0", vec![]),
        ("tag=prod", vec![1]),
        ("tag=test-env&tag=unicode", vec![3]),
    ] {
        assert_eq!(super::sorted(ids(&server, &format!("{ENDPOINTS}?{query}")).await), expected, "{query}");
    }
    assert_eq!(super::sorted(ids(&server, ENDPOINTS).await), ids_where("proxmox_endpoints", |_| true));
    for query in ["mode=bogus", "ip_address=x", "id=x"] {
        get(&format!("{ENDPOINTS}?{query}")).json_of(&server, 400).await;
    }
}

/// Whatever is sent, no answer holds a secret, nor does the log of changes.
async fn secrets_are_written_and_never_read(db: TestDb) {
    const SECRETS: [&str; 4] = ["canary-password", "canary-token", "canary-later", "s3cret"];
    let desk = Desk::new(&db).await;
    let revision = desk.revision().await;
    let body = with(with(new(), "password", json!("canary-password")), "token_value", json!("canary-token"));
    let target = format!("{ENDPOINTS}101/");
    for (call, status) in [
        (post(ENDPOINTS, &body), 201),
        (get(&target), 200),
        (get(&format!("{target}?fields=id,password,token_value")), 200),
        (get(&format!("{ENDPOINTS}?ordering=password&fields=name,password,token_value")), 200),
        (get(&format!("{ENDPOINTS}?password=canary-password&password__ic=canary")), 200),
        (get(ENDPOINTS).with("accept", "text/csv"), 200),
        (get(ENDPOINTS).with("accept", "application/x-ndjson"), 200),
        (Call::new("OPTIONS", ENDPOINTS), 200),
        (patch(&target, &json!({"password": "canary-later"})), 200),
        (put(&target, &body), 200),
        (patch(ENDPOINTS, &json!([{"id": 101, "token_value": "canary-later"}])), 200),
        (patch(&target, &json!({"password": "canary-later", "port": 0})), 400),
        (patch(&target, &json!({"password": ["canary-later"]})), 400),
        (post(ENDPOINTS, &with(body.clone(), "name", json!(""))), 400),
        (post(ENDPOINTS, &json!([body])), 400),
        (delete(&target), 204),
    ] {
        let answer = call.send(&desk.server).await;
        let text = format!("{} {:?}", String::from_utf8_lossy(&answer.bytes), answer.headers);
        assert_eq!(answer.status.as_u16(), status, "{call:?}: {text}");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{call:?}: {text}");
        }
        if status == 200 && answer.headers["content-type"] == "application/json" && !text.contains("\"actions\"") {
            assert!(!text.contains("\"password\"") && !text.contains("\"token_value\""), "{text}");
        }
    }
    let log = desk.changes(revision, "token:admin").await;
    assert!(log.len() > 4);
    assert!(SECRETS.iter().all(|secret| !format!("{log:?}").contains(secret)), "{log:?}");
    // A filter by a secret must not be one: what was found is everything.
    assert_eq!(ids(&desk.server, &format!("{ENDPOINTS}?password=x")).await.len(), 3);
}

async fn a_secret_can_be_taken_back(db: TestDb) {
    let desk = Desk::new(&db).await;
    let kept = async || desk.document_of("proxmox_endpoints", 1).await;
    let shown = async || {
        let row = kept().await;
        (row["has_password"] == true, row["has_token"] == true)
    };
    assert_eq!(shown().await, (true, true));
    patch(&format!("{ENDPOINTS}1/"), &json!({"password": null})).json_of(&desk.server, 200).await;
    assert_eq!(shown().await, (false, true));
    patch(&format!("{ENDPOINTS}1/"), &json!({"password": "again", "username": "x@pve"}))
        .json_of(&desk.server, 200)
        .await;
    assert_eq!(shown().await, (true, true));
    // They do not follow to another host.
    patch(&format!("{ENDPOINTS}1/"), &json!({"domain": "elsewhere.example.com"})).json_of(&desk.server, 200).await;
    assert_eq!(shown().await, (false, false));
}

both!(
    it_shows_its_fields_and_takes_the_rest_s_defaults,
    a_new_one_needs_a_name_a_mode_and_a_host,
    its_display_names_the_host,
    name_and_host_are_unique_together,
    lists_are_filtered,
    secrets_are_written_and_never_read,
    a_secret_can_be_taken_back,
);
