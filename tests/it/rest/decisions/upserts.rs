//! POST of a storage that is there already (decision 1), as far as it goes beyond the recordings.
use crate::graphql::mutations::Desk;
use crate::rest::{STORAGES, get, keys, post, refused, text_of};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

async fn several_apply_in_their_order(db: TestDb) {
    let desk = Desk::new(&db).await;
    let revision = desk.revision().await;
    let body = json!([
        {"cluster": 5, "name": "new", "port": 1},
        {"cluster": 5, "name": "local", "port": 2, "tags": [{"slug": "prod"}]},
        {"cluster": 5, "name": " new ", "port": 3, "custom_fields": {"a": 1}},
        {"cluster": 1, "name": "new", "port": 4},
        {"cluster": 5, "name": "New", "port": 5},
    ]);
    let made = post(STORAGES, &body).json_of(&desk.server, 201).await;
    let of = |field: &str| made.as_array().unwrap().iter().map(|row| row[field].clone()).collect::<Value>();
    // The third changes what the first made, and both show what is left in the end.
    assert_eq!(of("id"), json!([101, 2, 101, 102, 103]));
    assert_eq!(of("port"), json!([3, 2, 3, 4, 5]));
    assert_eq!(made[0], made[2]);
    assert_eq!(made[0]["custom_fields"], json!({"a": 1}));
    assert_eq!(desk.revision().await, revision + 1, "one transaction");
    let log = desk.log(revision).await;
    assert_eq!(log.len(), 5, "{log:?}");
    assert_eq!(
        (&*log[0], &*log[2]),
        ("created proxmox_storage 101", "updated proxmox_storage 101: port, custom_fields")
    );
}

async fn the_status_tells_whether_anything_is_new(db: TestDb) {
    let desk = Desk::new(&db).await;
    let old = |name: &str, port: i64| json!({"cluster": 5, "name": name, "port": port});
    for (body, status) in [
        (json!([]), 201),
        (json!([old("local", 1)]), 200),
        (json!([old("local", 2), old("local-lvm", 2), old("local", 3)]), 200),
        (json!([old("local", 2), old("new", 2)]), 201),
        (json!([old("newer", 2), old("newer", 3)]), 201),
        (json!([old("new", 4)]), 200),
    ] {
        let answer = post(STORAGES, &body).send(&desk.server).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        assert_eq!(answer.json().as_array().unwrap().len(), body.as_array().unwrap().len());
    }
    let answer = post(STORAGES, &old("single", 1)).send(&desk.server).await;
    assert_eq!((answer.status.as_u16(), text_of(&answer, "location").is_empty()), (201, false));
    let answer = post(STORAGES, &old("single", 2)).send(&desk.server).await;
    assert_eq!((answer.status.as_u16(), text_of(&answer, "location")), (200, String::new()));
    let state = desk.state().await;
    post(STORAGES, &old("single", 2)).json_of(&desk.server, 200).await;
    assert_eq!(desk.state().await, state, "the same again changes nothing");
}

async fn what_is_not_named_stays(db: TestDb) {
    let desk = Desk::new(&db).await;
    let target = format!("{STORAGES}3/");
    let mut expected = get(&target).json_of(&desk.server, 200).await;
    for given in [
        json!({"custom_fields": {"owner": "x"}, "tags": [{"slug": "prod"}], "raw_config": {"a": 1}}),
        json!({"port": 1}),
        json!({"raw_config": {"b": 2}, "tags": [], "custom_fields": {"more": null}}),
    ] {
        let mut body = given.clone();
        (body["cluster"], body["name"]) = (json!(5), json!("nfs-share"));
        let shown = post(STORAGES, &body).json_of(&desk.server, 200).await;
        for (key, value) in given.as_object().unwrap() {
            match key.as_str() {
                "custom_fields" => value.as_object().unwrap().iter().for_each(|(k, v)| expected[key][k] = v.clone()),
                "tags" => expected[key] = shown["tags"].clone(),
                _ => expected[key] = value.clone(),
            }
        }
        let slugs = shown["tags"].as_array().unwrap().iter().map(|tag| tag["slug"].clone()).collect::<Value>();
        if let Some(tags) = given.get("tags") {
            assert_eq!(slugs, tags.as_array().unwrap().iter().map(|tag| tag["slug"].clone()).collect::<Value>());
        }
        expected["last_updated"] = shown["last_updated"].clone();
        assert_eq!(shown, expected);
    }
}

async fn one_that_fails_stops_all(db: TestDb) {
    let desk = Desk::new(&db).await;
    let good = json!({"cluster": 5, "name": "local", "port": 9});
    let body = json!([good, {"cluster": 5, "name": "x", "port": -1}, {"cluster": 999, "name": ""}, 5, null]);
    let told = refused(&desk, &post(STORAGES, &body), 400).await;
    let named = told.as_array().unwrap().iter().map(|one| one.as_object().map(|_| keys(one))).collect::<Vec<_>>();
    let expected =
        [Some(vec![]), Some(vec!["port"]), Some(vec!["cluster", "name"]), Some(vec!["non_field_errors"]), None];
    assert_eq!(named, expected, "{told}");
}

/// New ones need `add`, changed ones `change`.
async fn each_half_needs_its_permission(db: TestDb) {
    let token = |action: &str| format!("{action:0<40}");
    let tokens = ["add", "change"].map(|action| {
        (
            token(action),
            json!([{"models": ["*"], "actions": ["view"]}, {"models": ["proxmoxstorage"], "actions": [action]}]),
        )
    });
    let desk = Desk::with_tokens(&db, &tokens).await;
    let of = |name: &str| json!({"cluster": 5, "name": name, "port": 7});
    for (action, may, may_not) in [("add", &of("new"), &of("local")), ("change", &of("local"), &of("newer"))] {
        for body in [may_not.clone(), json!([may_not]), json!([may, may_not]), json!([may_not, may])] {
            refused(&desk, &post(STORAGES, &body).by(&token(action)), 403).await;
        }
        let status = if action == "add" { 201 } else { 200 };
        post(STORAGES, &json!([may])).by(&token(action)).json_of(&desk.server, status).await;
    }
}

both!(
    several_apply_in_their_order,
    the_status_tells_whether_anything_is_new,
    what_is_not_named_stays,
    one_that_fails_stops_all,
    each_half_needs_its_permission,
);
