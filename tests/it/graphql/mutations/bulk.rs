//! Several at once: all or nothing, or each for itself.
use super::{Desk, document, models, told_each};
use crate::support::{ADMIN, TestDb, both};
use serde_json::{Value, json};

fn named(input: &Value, name: &str) -> Value {
    let mut input = input.clone();
    input["name"] = json!(name);
    input
}

/// Whether each result has an object.
fn objects(payload: &Value) -> Vec<bool> {
    payload["results"].as_array().unwrap().iter().map(|result| !result["object"].is_null()).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

async fn one_failure_fails_all_unless_told_otherwise(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (model, list, input) in models() {
        let items = json!([named(&input, "one"), named(&input, ""), named(&input, "two"), named(&input, "one")]);
        for verb in ["create", "upsert"] {
            let state = desk.state().await;
            let mutation = format!("{verb}{model}s");
            let failed = if verb == "create" { 2 } else { 1 };
            let mut expected = vec![none(), vec!["REQUIRED items.1.name".to_owned()], none(), none()];
            if verb == "create" {
                expected[3] = vec!["CONFLICT items.3.name".to_owned()];
            }
            for mode in [json!({}), json!({"mode": null}), json!({"mode": "ALL_OR_NOTHING"})] {
                let mut given = mode;
                given["items"] = items.clone();
                given["clientMutationId"] = json!("c");
                let payload = desk.ask(&mutation, given).await;
                assert_eq!(told_each(&payload), expected);
                assert_eq!(objects(&payload), [false; 4]);
                let counts = ["succeeded", "failed", "clientMutationId"].map(|key| payload[key].clone());
                assert_eq!(json!(counts), json!([0, failed, "c"]));
                assert!(payload["results"].as_array().unwrap().iter().all(|result| result["created"] == false));
                assert_eq!(desk.state().await, state);
            }
        }
        let revision = desk.revision().await;
        let payload = desk.ask(&format!("create{model}s"), json!({"items": items, "mode": "BEST_EFFORT"})).await;
        let expected = [none(), vec!["REQUIRED items.1.name".into()], none(), vec!["CONFLICT items.3.name".into()]];
        assert_eq!(told_each(&payload), expected);
        assert_eq!(
            (objects(&payload), &payload["succeeded"], &payload["failed"]),
            (vec![true, false, true, false], &json!(2), &json!(2))
        );
        let ids = [0, 2].map(|i| payload["results"][i]["object"]["databaseId"].as_i64().unwrap());
        for (id, name) in ids.into_iter().zip(["one", "two"]) {
            super::holds(&desk.row(list, id).await, &named(&input, name));
        }
        // One transaction: one revision, a change each.
        let table = &list[..list.len() - 1];
        assert_eq!(desk.log(revision).await, ids.map(|id| format!("created {table} {id}")));
        assert_eq!(desk.revision().await, revision + 1);

        // A later item updates what an earlier one made.
        let mut again = named(&input, "three");
        again["tags"] = json!([]);
        let items = json!([named(&input, " three "), again, named(&input, "one")]);
        let payload = desk.done(&format!("upsert{model}s"), json!({"items": items})).await;
        let results = payload["results"].as_array().unwrap();
        let created = results.iter().map(|result| result["created"].clone()).collect::<Vec<_>>();
        assert_eq!((json!(created), &payload["succeeded"]), (json!([true, false, false]), &json!(3)));
        assert_eq!(results[0]["object"], results[1]["object"]);
        assert_eq!(results[2]["object"]["databaseId"], ids[0]);
        let three = results[0]["object"]["databaseId"].as_i64().unwrap();
        assert_eq!(desk.row(list, three).await["tags"], json!([]));

        // Updates and deletions.
        let [one, two] = ids;
        let items = json!([{"id": one, "name": "x"}, {"id": two, "name": "x"}, {"id": 99_999, "name": "y"},
            {"id": one, "customFields": {"seen": true}}, {"id": "Tag:1"}, {"id": two, "tags": ["prod", "nope"]}]);
        let expected = [
            none(),
            vec!["CONFLICT items.1.name".into()],
            vec!["NOT_FOUND items.2.id".into()],
            none(),
            vec!["INVALID items.4.id".into()],
            vec!["REFERENCE_NOT_FOUND items.5.tags.1".into()],
        ];
        let state = desk.state().await;
        let payload = desk.ask(&format!("update{model}s"), json!({"items": items})).await;
        assert_eq!((told_each(&payload), objects(&payload)), (expected.to_vec(), vec![false; 6]));
        assert_eq!((&payload["succeeded"], &payload["failed"]), (&json!(0), &json!(4)));
        assert_eq!(desk.state().await, state);
        let payload = desk.ask(&format!("update{model}s"), json!({"items": items, "mode": "BEST_EFFORT"})).await;
        assert_eq!((told_each(&payload), &payload["succeeded"]), (expected.to_vec(), &json!(2)));
        let row = desk.row(list, one).await;
        assert_eq!((&row["name"], &row["custom_fields"]["seen"]), (&json!("x"), &json!(true)));
        assert_eq!(desk.row(list, two).await["name"], "two");

        let ids = json!([format!("{model}:{one}"), "99999", two, one, "Tag:1"]);
        let expected = [
            none(),
            vec!["NOT_FOUND ids.1".into()],
            none(),
            vec!["NOT_FOUND ids.3".into()],
            vec!["INVALID ids.4".into()],
        ];
        let state = desk.state().await;
        let delete = format!("delete{model}s");
        let payload = desk.ask(&delete, json!({"ids": ids})).await;
        assert_eq!(
            (told_each(&payload), &payload["succeeded"], &payload["failed"]),
            (expected.to_vec(), &json!(0), &json!(3))
        );
        assert!(payload["results"].as_array().unwrap().iter().all(|result| result["deletedId"].is_null()));
        assert_eq!((&payload["effects"], desk.state().await), (&json!([]), state));
        let revision = desk.revision().await;
        let payload = desk.ask(&delete, json!({"ids": ids, "mode": "BEST_EFFORT", "clientMutationId": "d"})).await;
        assert_eq!((told_each(&payload), &payload["succeeded"]), (expected.to_vec(), &json!(2)));
        let gone = payload["results"].as_array().unwrap().iter().map(|result| result["deletedId"].clone());
        let expected = json!([format!("{model}:{one}"), null, format!("{model}:{two}"), null, null]);
        assert_eq!((json!(gone.collect::<Vec<_>>()), &payload["clientMutationId"]), (expected, &json!("d")));
        assert_eq!(desk.log(revision).await, [one, two].map(|id| format!("deleted {table} {id}")));
    }
}

/// A bulk of one, of none, of most, and of too many.
async fn any_number_up_to_a_thousand(db: TestDb) {
    let desk = Desk::new(&db).await;
    let state = desk.state().await;
    for (mutation, list) in [
        ("createProxmoxNodes", "items"),
        ("upsertProxmoxStorages", "items"),
        ("updateProxmoxClusters", "items"),
        ("deleteProxmoxNodes", "ids"),
    ] {
        for mode in ["ALL_OR_NOTHING", "BEST_EFFORT"] {
            let payload = desk.done(mutation, json!({list: [], "mode": mode})).await;
            assert_eq!((&payload["results"], &payload["succeeded"]), (&json!([]), &json!(0)));
        }
    }
    // Alone it fails in either mode, and changes nothing.
    for mode in ["ALL_OR_NOTHING", "BEST_EFFORT"] {
        let payload = desk.ask("updateProxmoxClusters", json!({"items": [{"id": 1, "name": ""}], "mode": mode})).await;
        assert_eq!(told_each(&payload), [["REQUIRED items.0.name"]]);
        assert_eq!((&payload["succeeded"], &payload["failed"]), (&json!(0), &json!(1)));
    }
    let many = |count: usize| (0..count).map(|i| json!(i + 1_000)).collect::<Vec<_>>();
    let ids = json!({"input": {"ids": many(1_001)}});
    let answer = desk.send(ADMIN, &document("deleteProxmoxNodes"), ids).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    let payload = desk.ask("deleteProxmoxNodes", json!({"ids": many(1_000)})).await;
    assert_eq!(payload["failed"], 1_000);
    assert_eq!(desk.state().await, state);
}

/// What failed leaves nothing, not even what it had done before it failed: here the tags, which a constraint minds.
async fn a_failed_item_leaves_nothing_of_its_own(db: TestDb) {
    let token = "b".repeat(40);
    let permissions = json!([
        {"models": ["*"], "actions": ["view"]},
        {"models": ["proxmoxnode"], "actions": ["add", "change"], "constraints": {"online": true}},
    ]);
    let desk = Desk::with_tokens(&db, &[(token.clone(), permissions)]).await;
    let items = json!([
        {"id": 1, "maxCpu": 77},
        {"id": 2, "online": false, "tags": ["unicode"], "maxCpu": 78},
        {"id": 2, "maxCpu": 79},
    ]);
    let before = desk.row("proxmox_nodes", 2).await;
    let revision = desk.revision().await;
    let input = json!({"items": items, "mode": "BEST_EFFORT"});
    let payload = desk.ask_as(&token, "updateProxmoxNodes", input).await;
    assert_eq!(told_each(&payload), [none(), vec!["FORBIDDEN items.1".to_owned()], none()]);
    let mut after = desk.row("proxmox_nodes", 2).await;
    assert_eq!(after["max_cpu"], 79);
    (after["max_cpu"], after["last_updated"]) = (before["max_cpu"].clone(), before["last_updated"].clone());
    assert_eq!(after, before);
    let changes = desk.changes(revision, &format!("token:holder of {token}")).await;
    let log = changes.iter().map(super::short).collect::<Vec<_>>();
    assert_eq!(log, ["updated proxmox_node 1: max_cpu", "updated proxmox_node 2: max_cpu"]);
}

both!(
    one_failure_fails_all_unless_told_otherwise,
    any_number_up_to_a_thousand,
    a_failed_item_leaves_nothing_of_its_own
);
