//! Endpoints: their secrets are written and never read, and never travel by an edit.
use super::{Desk, document, told};
use crate::service::{dumped, stolen};
use crate::support::canary::forms;
use crate::support::{ADMIN, TestDb, both};
use proxbox_graphql::entity::endpoint;
use proxbox_graphql::secret::Place;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// Password and token of an endpoint, opened at their places.
async fn secrets(desk: &Desk, id: i64) -> (Option<String>, Option<String>) {
    let app = &desk.server.app;
    let row = endpoint::Entity::find_by_id(id as i32).one(&app.db.read).await.unwrap().unwrap();
    let open = |sealed: &Option<String>, column| {
        let place = Place { table: "proxmox_endpoint", row: &id.to_string(), column };
        let opened = app.sealer.open(sealed.as_deref()?, place).unwrap();
        Some(String::from_utf8(opened.expose_secret().clone()).unwrap())
    };
    (open(&row.password, "password"), open(&row.token_value, "token_value"))
}

fn some(password: &str, token: &str) -> (Option<String>, Option<String>) {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (text(password), text(token))
}

async fn an_endpoint_is_made_changed_and_deleted(db: TestDb) {
    let desk = Desk::new(&db).await;
    let revision = desk.revision().await;
    let id = desk.made("createProxmoxEndpoint", json!({"name": " bare ", "ipAddress": "::FFFF:10.0.0.7"})).await;
    let row = desk.row("proxmox_endpoints", id).await;
    let expected = json!({"name": "bare", "domain": null, "ipAddress": "10.0.0.7", "port": 8006, "mode": "undefined",
        "version": null, "repoid": null, "username": "root@pam", "tokenName": "", "verifySsl": true,
        "tlsFingerprint": null, "enabled": true, "tags": [], "customFields": {}});
    super::holds(&row, &expected);
    let full = json!({"name": "full", "domain": "d.example.com", "ipAddress": "2001:DB8::1", "port": 443, "mode": "CLUSTER",
        "version": "8.4", "repoid": "abc", "username": "u@pve", "tokenName": "t", "verifySsl": false, "enabled": false,
        "tags": ["unicode"], "customFields": {"a": [1]}});
    let mut input = full.clone();
    (input["password"], input["tokenValue"]) = (json!("pw"), json!("tok"));
    input["tlsFingerprint"] = json!("ab:".repeat(31) + "CD");
    let id = desk.made("createProxmoxEndpoint", input).await;
    let mut row = desk.row("proxmox_endpoints", id).await;
    assert_eq!(row["tls_fingerprint"], "AB:".repeat(31) + "CD");
    row["ip_address"] = json!("2001:DB8::1");
    super::holds(&row, &full);
    assert_eq!(secrets(&desk, id).await, some("pw", "tok"));
    let shown = desk.server.data(&format!("{{ proxmoxEndpoint(id: {id}) {{ hasPassword hasToken }} }}")).await;
    assert_eq!(shown["proxmoxEndpoint"], json!({"hasPassword": true, "hasToken": true}));
    desk.done("updateProxmoxEndpoint", json!({"id": id, "name": "else", "version": null, "tags": []})).await;
    let row = desk.row("proxmox_endpoints", id).await;
    assert_eq!(json!([row["name"], row["version"], row["repoid"], row["tags"]]), json!(["else", null, "abc", []]));
    let changes = desk.changes(revision, "token:admin").await;
    assert_eq!(changes.last().unwrap().after.as_ref().unwrap().0, desk.document_of("proxmox_endpoints", id).await);
    let payload = desk.done("deleteProxmoxEndpoint", json!({"id": id})).await;
    assert_eq!(payload["deletedId"], format!("ProxmoxEndpoint:{id}"));
    assert_eq!(desk.log(revision).await.last().unwrap(), &format!("deleted proxmox_endpoint {id}"));
}

/// What decides where a secret goes drops it, unless it is sent again; each one for itself.
async fn a_secret_does_not_travel_by_an_edit(db: TestDb) {
    let desk = Desk::new(&db).await;
    let update = async |input: Value| {
        let mut input = input;
        input["id"] = json!(1);
        desk.done("updateProxmoxEndpoint", input).await
    };
    let start = json!({"domain": "a.example.com", "ipAddress": "192.0.2.1", "port": 8006, "verifySsl": true,
        "tlsFingerprint": null, "password": "p", "tokenValue": "t"});
    for moving in [
        json!({"domain": "b.example.com"}),
        json!({"domain": null}),
        json!({"ipAddress": "192.0.2.2"}),
        json!({"ipAddress": null}),
        json!({"port": 8007}),
        json!({"verifySsl": false}),
        json!({"tlsFingerprint": "a".repeat(64)}),
        json!({"domain": "b.example.com", "name": "moved", "customFields": {"a": 1}}),
    ] {
        for (sent, expected) in [
            (json!({}), some("", "")),
            (json!({"password": "p2"}), some("p2", "")),
            (json!({"tokenValue": "t2"}), some("", "t2")),
            (json!({"password": "p", "tokenValue": "t"}), some("p", "t")),
            (json!({"password": null, "tokenValue": "t3"}), some("", "t3")),
        ] {
            update(start.clone()).await;
            assert_eq!(secrets(&desk, 1).await, some("p", "t"));
            let mut input = moving.clone();
            input.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
            let revision = desk.revision().await;
            update(input.clone()).await;
            assert_eq!(secrets(&desk, 1).await, expected, "{input}");
            // The log tells that one went, and that one was replaced.
            let changes = desk.changes(revision, "token:admin").await;
            let changed = changes[0].changed.0.as_array().unwrap();
            assert_eq!(changed.contains(&json!("has_password")), expected.0.is_none(), "{changed:?}");
            assert_eq!(changed.contains(&json!("password")), expected.0.is_some());
            assert_eq!(changed.contains(&json!("token_value")), expected.1.is_some());
        }
    }
    update(start.clone()).await;
    for staying in [
        json!({"name": "n", "enabled": false, "username": "x@pam", "tokenName": "n", "mode": "CLUSTER", "version": "9",
            "repoid": "r", "tags": ["unicode"], "customFields": {"b": 2}}),
        // The same way in other words.
        json!({"domain": " a.example.com ", "ipAddress": "::ffff:192.0.2.1", "port": 8006, "verifySsl": true, "tlsFingerprint": null}),
        json!({"tokenValue": "t"}),
    ] {
        update(staying).await;
        assert_eq!(secrets(&desk, 1).await, some("p", "t"));
    }
    // The same secret sent again counts as changed, or one could try it out.
    let (revision, row) = (desk.revision().await, desk.row("proxmox_endpoints", 1).await);
    update(json!({"password": "p"})).await;
    assert_eq!(desk.log(revision).await, ["updated proxmox_endpoint 1: password"]);
    assert_ne!(desk.row("proxmox_endpoints", 1).await["last_updated"], row["last_updated"]);
    update(json!({"password": null})).await;
    assert_eq!(secrets(&desk, 1).await, some("", "t"));
    update(json!({"tokenValue": null})).await;
    assert_eq!(secrets(&desk, 1).await, some("", ""));
    let state = desk.state().await;
    update(json!({"password": null, "tokenValue": null})).await;
    assert_eq!(desk.state().await, state);
    // A refused change drops nothing.
    update(start).await;
    desk.refused("updateProxmoxEndpoint", json!({"id": 1, "domain": "c.example.com", "port": 0, "password": "q"}))
        .await;
    assert_eq!(secrets(&desk, 1).await, some("p", "t"));
}

async fn secrets_come_out_nowhere(db: TestDb) {
    let (password, token) = ("canary-password-of-a-mutation", "canary-token-of-a-mutation");
    let (loaded, loaded_token, api) =
        ("canary-password-loaded", "canary-token-loaded", "Canary0Api0Token".repeat(3)[..40].to_owned());
    let mut seed = super::super::seed();
    seed["proxmox_endpoints"][0]["password"] = json!(loaded);
    seed["proxmox_endpoints"][0]["token_value"] = json!(loaded_token);
    let everything = json!([{"models": ["*"], "actions": ["view", "add", "change", "delete"]}]);
    seed["tokens"].as_array_mut().unwrap().push(json!({"name": "c", "value": api, "permissions": everything}));
    let app = db.open().await;
    crate::support::fill(&app, &seed.to_string()).await;
    let desk = Desk { server: crate::support::Server::new(app) };
    let both = json!({"password": password, "tokenValue": token});
    let with = |more: Value| {
        let mut input = both.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"input": input})
    };
    let (create, update) = (document("createProxmoxEndpoint"), document("updateProxmoxEndpoint"));
    let mut answers = Vec::new();
    for (query, variables, fine) in [
        (&create, with(json!({"name": "c", "domain": "c.example.com"})), true),
        (&create, with(json!({"name": "c", "domain": "c.example.com"})), false),
        (&update, with(json!({"id": 2})), true),
        (&update, with(json!({"id": 2, "tokenName": "x".repeat(300), "port": 0})), false),
        (&update, with(json!({"id": 99})), false),
        (&update, with(json!({"id": 2, "nope": 1})), false),
        (&update, with(json!({"id": 2, "ifLastUpdated": "2020-01-01T00:00:00Z"})), false),
        (&update, json!({"input": {"id": 2, "password": [password]}}), false),
        (&update, json!({"input": {"id": 2, "tokenValue": {"a": token}}}), false),
        (&update, json!({"input": {"id": 2, "password": format!("{password}\0"), "tokenName": "a\0"}}), false),
        (&update, json!({"input": password}), false),
    ] {
        let answer = desk.send(&api, query, variables.clone()).await;
        let body = String::from_utf8(answer.bytes.clone()).unwrap();
        assert_eq!(body.contains("\"userErrors\":[]"), fine, "{variables} {body}");
        answers.push(body);
    }
    for query in [
        format!("mutation {{ updateProxmoxEndpoint(input: {{id: 2, password: {password:?}, tokenValue: {token:?}, port: -1}}) {{ userErrors {{ message }} }} }}"),
        format!("mutation {{ updateProxmoxEndpoint(input: {{id: 2, password: [{password:?}]}}) {{ userErrors {{ message }} }} }}"),
        format!("mutation {{ updateProxmoxEndpoint(input: {{id: 2, password: {{a: {token:?}}}}}) {{ userErrors {{ message }} }} }}"),
        "{ proxmoxEndpoints { nodes { id name hasPassword hasToken } } changes(first: 100) { nodes { changed before after } } }".into(),
        "{ __schema { types { name inputFields { name } fields { name } } } }".into(),
    ] {
        let answer = desk.send(&api, &query, json!({})).await;
        assert!(query.starts_with("mutation") || answer.json().get("errors").is_none(), "{query}: {:#}", answer.json());
        answers.push(String::from_utf8(answer.bytes).unwrap());
    }
    assert!(answers.iter().any(|answer| answer.contains("has_password")), "the log was asked");
    desk.server.app.tasks.close();
    desk.server.app.tasks.wait().await;
    let places = [
        ("an answer", answers.concat()),
        ("a dump", dumped(&desk.server.app, false).await),
        ("a dump with secrets", dumped(&desk.server.app, true).await),
        ("the database", stolen(&db, &desk.server.app).await),
    ];
    for (place, text) in places {
        for secret in [password, token, loaded, loaded_token, &api] {
            for form in forms(secret) {
                assert!(!text.contains(&form), "{place} holds {secret} as {form}");
            }
        }
    }
    // They are there, all the same.
    assert_eq!(secrets(&desk, 1).await, some(loaded, loaded_token));
    assert_eq!(secrets(&desk, 2).await, some(password, token));
    assert_eq!(told(&desk.ask_as(ADMIN, "updateProxmoxEndpoint", json!({"id": 2})).await), [""; 0]);
}

both!(an_endpoint_is_made_changed_and_deleted, a_secret_does_not_travel_by_an_edit, secrets_come_out_nowhere);
