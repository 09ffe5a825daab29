//! What a token may not do is refused, and changes nothing.
use super::{Desk, models, told, told_each};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

const READ_ONLY: &str = "1111111111111111111111111111111111111111";
const VIEW_NODES: &str = "2222222222222222222222222222222222222222";
const NOBODY: &str = "3333333333333333333333333333333333333333";
/// May do everything with the storages of prod-cluster, and sees nothing else.
const CONSTRAINED: &str = "8888888888888888888888888888888888888888";

fn token(i: usize) -> String {
    format!("{i:b>40}")
}

fn view_all() -> Value {
    json!({"models": ["*"], "actions": ["view"]})
}

async fn without_the_permission_nothing_is_looked_at(db: TestDb) {
    let desk = Desk::new(&db).await;
    for who in [READ_ONLY, VIEW_NODES, NOBODY] {
        for (model, _, input) in models() {
            let mut wrong = input.clone();
            wrong["name"] = json!("");
            for input in [input, wrong] {
                for verb in ["create", "upsert"] {
                    assert_eq!(desk.refused_as(who, &format!("{verb}{model}"), input.clone()).await, ["FORBIDDEN"]);
                    let items = json!({"items": [input, input], "mode": "BEST_EFFORT"});
                    let payload = desk.ask_as(who, &format!("{verb}{model}s"), items).await;
                    assert_eq!(told_each(&payload), [["FORBIDDEN items.0"], ["FORBIDDEN items.1"]]);
                }
            }
            // Whether it is there, and whether what is given is sound, is nobody's business.
            for input in [json!({"id": 1}), json!({"id": 99}), json!({"id": 1, "name": "", "tags": ["no"]})] {
                assert_eq!(desk.refused_as(who, &format!("update{model}"), input).await, ["FORBIDDEN"]);
            }
            for id in [1, 99] {
                assert_eq!(desk.refused_as(who, &format!("delete{model}"), json!({"id": id})).await, ["FORBIDDEN"]);
            }
        }
    }
}

/// Constraints hold for the row before and after.
async fn constraints_hold_before_and_after(db: TestDb) {
    let desk = Desk::new(&db).await;
    let ask = async |name: &str, input: Value| told(&desk.ask_as(CONSTRAINED, name, input).await);
    // Storages 1–4 are prod-cluster's (5); others are not there for this token.
    let other =
        desk.file().await["proxmox_storages"].as_array().unwrap().iter().find(|row| row["cluster"] != 5).unwrap()["id"]
            .clone();
    for (name, input, expected) in [
        ("updateProxmoxStorage", json!({"id": 1, "cluster": 6}), "FORBIDDEN"),
        ("updateProxmoxStorage", json!({"id": other, "port": 1}), "NOT_FOUND id"),
        ("updateProxmoxStorage", json!({"id": other, "cluster": 5}), "NOT_FOUND id"),
        ("deleteProxmoxStorage", json!({"id": other}), "NOT_FOUND id"),
        ("deleteProxmoxStorage", json!({"id": 999}), "NOT_FOUND id"),
        ("createProxmoxStorage", json!({"cluster": 1, "name": "x"}), "FORBIDDEN"),
        ("upsertProxmoxStorage", json!({"cluster": 1, "name": "x"}), "FORBIDDEN"),
    ] {
        assert_eq!(desk.refused_as(CONSTRAINED, name, input).await, [expected], "{name}");
    }
    // What is outside cannot be taken over by its key either.
    let row = desk.row("proxmox_storages", other.as_i64().unwrap()).await;
    let twin = json!({"cluster": row["cluster"], "name": row["name"], "port": 4});
    assert_eq!(desk.refused_as(CONSTRAINED, "upsertProxmoxStorage", twin).await, ["FORBIDDEN"]);
    assert_eq!(ask("updateProxmoxStorage", json!({"id": 1, "port": 1})).await, [""; 0]);
    assert_eq!(ask("createProxmoxStorage", json!({"cluster": 5, "name": "x"})).await, [""; 0]);
    assert_eq!(ask("upsertProxmoxStorage", json!({"cluster": 5, "name": "x", "port": 9})).await, [""; 0]);
    assert_eq!(ask("deleteProxmoxStorage", json!({"id": 2})).await, [""; 0]);

    let items = json!([{"id": 1, "port": 2}, {"id": 3, "cluster": 6}, {"id": other, "port": 3}, {"id": 4, "port": 4}]);
    let expected: Vec<Vec<String>> =
        vec![vec![], vec!["FORBIDDEN items.1".into()], vec!["NOT_FOUND items.2.id".into()], vec![]];
    let state = desk.state().await;
    let payload = desk.ask_as(CONSTRAINED, "updateProxmoxStorages", json!({"items": items})).await;
    assert_eq!((told_each(&payload), &payload["succeeded"]), (expected.clone(), &json!(0)));
    assert_eq!(desk.state().await, state);
    let input = json!({"items": items, "mode": "BEST_EFFORT"});
    let payload = desk.ask_as(CONSTRAINED, "updateProxmoxStorages", input).await;
    assert_eq!((told_each(&payload), &payload["succeeded"]), (expected, &json!(2)));
    assert_eq!(desk.row("proxmox_storages", 3).await["cluster"], 5);
    let payload = desk.ask_as(CONSTRAINED, "deleteProxmoxStorages", json!({"ids": [1, other]})).await;
    assert_eq!(
        (told_each(&payload), &payload["succeeded"]),
        (vec![vec![], vec!["NOT_FOUND ids.1".to_owned()]], &json!(0))
    );
    assert!(desk.row("proxmox_storages", 1).await.is_object());
}

/// Constraints of each action for itself, and over relations and tags.
async fn each_action_has_its_own_rows(db: TestDb) {
    let permissions = [
        json!([view_all(), {"models": ["proxmoxnode"], "actions": ["change"], "constraints": {"online": true}}]),
        json!([view_all(), {"models": ["proxmoxnode"], "actions": ["delete"], "constraints": {"endpoint__name": "lab-proxmox"}}]),
        json!([view_all(), {"models": ["proxmoxnode"], "actions": ["add", "change"], "constraints": {"tags__slug": "prod"}}]),
        json!([{"models": ["proxmoxnode"], "actions": ["view", "change"], "constraints": {"id": 1}}]),
    ];
    let tokens = permissions.into_iter().enumerate().map(|(i, one)| (token(i), one)).collect::<Vec<_>>();
    let desk = Desk::with_tokens(&db, &tokens).await;
    let (update, create) = ("updateProxmoxNode", "createProxmoxNode");
    let new = |tags: &[&str]| json!({"endpoint": 1, "name": format!("of {tags:?}"), "ipAddress": "::1", "tags": tags});
    for (who, name, input, expected) in [
        (0, update, json!({"id": 3, "maxCpu": 1}), "FORBIDDEN"),
        (0, update, json!({"id": 3, "online": true}), "FORBIDDEN"),
        (0, update, json!({"id": 1, "online": false}), "FORBIDDEN"),
        (0, update, json!({"id": 1, "maxCpu": 3}), ""),
        (0, "deleteProxmoxNode", json!({"id": 1}), "FORBIDDEN"),
        (1, "deleteProxmoxNode", json!({"id": 1}), "FORBIDDEN"),
        (1, "deleteProxmoxNode", json!({"id": 5}), ""),
        (1, update, json!({"id": 6}), "FORBIDDEN"),
        (2, update, json!({"id": 1, "tags": ["prod"]}), "FORBIDDEN"),
        (2, update, json!({"id": 2, "tags": []}), "FORBIDDEN"),
        (2, update, json!({"id": 2, "tags": ["unicode", "prod"]}), ""),
        (2, create, new(&["unicode"]), "FORBIDDEN"),
        (2, create, new(&["prod"]), ""),
        (3, update, json!({"id": 2, "maxCpu": 1}), "NOT_FOUND id"),
        (3, update, json!({"id": 1, "maxCpu": 4}), ""),
    ] {
        if expected.is_empty() {
            let payload = desk.ask_as(&token(who), name, input.clone()).await;
            assert_eq!(told(&payload), [""; 0], "{who} {name} {input}");
        } else {
            assert_eq!(desk.refused_as(&token(who), name, input.clone()).await, [expected], "{who} {name} {input}");
        }
    }
}

/// Upsert needs `add` for what is new and `change` for what is there.
async fn upsert_needs_the_permission_of_what_it_does(db: TestDb) {
    let models_of = ["proxmoxcluster", "proxmoxnode", "proxmoxstorage"];
    let only = |action: &str| json!([view_all(), {"models": models_of, "actions": [action]}]);
    let blind = json!([{"models": models_of, "actions": ["add", "change"]}]);
    let tokens = [(token(0), only("add")), (token(1), only("change")), (token(2), blind)];
    let desk = Desk::with_tokens(&db, &tokens).await;
    for (model, list, input) in models() {
        let upsert = format!("upsert{model}");
        assert_eq!(desk.refused_as(&token(1), &upsert, input.clone()).await, ["FORBIDDEN"], "new");
        let payload = desk.ask_as(&token(0), &upsert, input.clone()).await;
        assert_eq!((told(&payload).len(), &payload["created"]), (0, &json!(true)));
        let id = payload["object"]["databaseId"].as_i64().unwrap();
        assert_eq!(desk.refused_as(&token(0), &upsert, input.clone()).await, ["FORBIDDEN"], "there");
        let mut changed = input.clone();
        changed["tags"] = json!([]);
        let payload = desk.ask_as(&token(1), &upsert, changed).await;
        assert_eq!((told(&payload).len(), &payload["created"]), (0, &json!(false)));
        assert_eq!(desk.row(list, id).await["tags"], json!([]));
        // Mixed in bulk.
        let mut new = input.clone();
        new["name"] = json!("newer");
        let input = json!({"items": [new, input], "mode": "BEST_EFFORT"});
        let payload = desk.ask_as(&token(0), &format!("{upsert}s"), input).await;
        assert_eq!(told_each(&payload), [vec![], vec!["FORBIDDEN items.1".to_owned()]]);
        assert_eq!(payload["results"][0]["created"], true);
        // Who may not view it makes it, and does not see it.
        let mut unseen = new;
        unseen["name"] = json!("unseen");
        let payload = desk.ask_as(&token(2), &format!("create{model}"), unseen.clone()).await;
        assert_eq!((told(&payload).len(), &payload["created"], &payload["object"]), (0, &json!(true), &Value::Null));
        unseen["name"] = json!("unseen too");
        let payload = desk.ask_as(&token(2), &format!("create{model}s"), json!({"items": [unseen]})).await;
        assert_eq!((&payload["succeeded"], &payload["results"][0]["created"]), (&json!(1), &json!(true)));
        assert!(payload["results"][0]["object"].is_null());
        assert_eq!(desk.refused_as(&token(2), &format!("update{model}"), json!({"id": id})).await, ["NOT_FOUND id"]);
    }
}

/// Tags that one may not view stay when others are replaced.
async fn hidden_tags_stay(db: TestDb) {
    let permissions = json!([
        {"models": ["proxmoxnode"], "actions": ["view", "change"]},
        {"models": ["tag"], "actions": ["view"], "constraints": {"slug": "unicode"}},
    ]);
    let desk = Desk::with_tokens(&db, &[(token(0), permissions)]).await;
    let payload = desk.ask_as(&token(0), "updateProxmoxNode", json!({"id": 2, "tags": ["unicode"]})).await;
    assert_eq!(told(&payload), [""; 0]);
    assert_eq!(desk.row("proxmox_nodes", 2).await["tags"], json!([1, 3]));
    desk.ask_as(&token(0), "updateProxmoxNode", json!({"id": 2, "tags": []})).await;
    assert_eq!(desk.row("proxmox_nodes", 2).await["tags"], json!([1]));
}

both!(
    without_the_permission_nothing_is_looked_at,
    constraints_hold_before_and_after,
    each_action_has_its_own_rows,
    upsert_needs_the_permission_of_what_it_does,
    hidden_tags_stay,
);
