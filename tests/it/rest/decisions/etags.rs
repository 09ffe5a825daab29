//! Entity tags, and requests that depend on them (decision 14).
use crate::graphql::mutations::Desk;
use crate::rest::{
    CLUSTERS, Call, DEVICES, ENDPOINTS, LISTS, NETBOX_CLUSTERS, NODES, STORAGES, TAGS, delete, get, patch, post, put,
    refused, text_of,
};
use crate::support::{ADMIN, Server, TestDb, both};
use serde_json::json;

/// May do everything with the storages of prod-cluster, and sees nothing else.
const CONSTRAINED: &str = "8888888888888888888888888888888888888888";
const READ_ONLY: &str = "1111111111111111111111111111111111111111";

async fn tag(server: &Server, call: Call) -> String {
    let answer = call.send(server).await;
    assert!(answer.status.is_success(), "{}", answer.status);
    text_of(&answer, "etag")
}

/// The two halves of a tag.
fn halves(tag: &str) -> (String, String) {
    let inner = tag.strip_prefix("W/\"").unwrap().strip_suffix('"').unwrap();
    let (first, second) = inner.rsplit_once('.').unwrap();
    (first.to_owned(), second.to_owned())
}

async fn an_object_is_known_by_its_time_and_its_body(db: TestDb) {
    let desk = Desk::new(&db).await;
    let server = &desk.server;
    for path in [ENDPOINTS, CLUSTERS, NODES, STORAGES] {
        let target = format!("{path}1/");
        let whole = get(&target).send(server).await;
        let (time, hash) = halves(&text_of(&whole, "etag"));
        assert_eq!(time, whole.json()["last_updated"].as_str().unwrap(), "{path}");
        let (same_time, other_hash) = halves(&tag(server, get(&format!("{target}?fields=id"))).await);
        assert_eq!((&same_time, other_hash == hash), (&time, false), "{path}");
        assert_eq!(tag(server, get(&target)).await, text_of(&whole, "etag"), "it holds");
        assert_eq!(tag(server, Call::new("HEAD", &target)).await, text_of(&whole, "etag"), "HEAD");
        // A write answers with the tag that a GET would give.
        let written = patch(&target, &json!({"custom_fields": {"mark": 1}})).send(server).await;
        let now = tag(server, get(&target)).await;
        assert_eq!(text_of(&written, "etag"), now);
        assert_ne!(halves(&now).0, time);
        // One that changes nothing leaves it.
        patch(&target, &json!({"custom_fields": {"mark": 1}})).json_of(server, 200).await;
        assert_eq!(tag(server, get(&target)).await, now);
    }
    // What is shown around it belongs to the body.
    let before = halves(&tag(server, get(&format!("{NODES}1/"))).await);
    patch(&format!("{DEVICES}42/"), &json!({"name": "renamed", "display": "renamed"})).json_of(server, 200).await;
    let after = halves(&tag(server, get(&format!("{NODES}1/"))).await);
    assert_eq!((&after.0, after.1 == before.1), (&before.0, false));
}

async fn what_one_has_is_not_sent_again(db: TestDb) {
    let server = db.server().await;
    for path in LISTS {
        let first = get(path).json_of(&server, 200).await["results"][0]["id"].clone();
        for target in [path.to_owned(), format!("{path}{first}/"), format!("{path}?limit=1&fields=id")] {
            let current = tag(&server, get(&target)).await;
            for given in [current.clone(), current.replace("W/", ""), format!("\"x\", {current}"), "*".into()] {
                for method in ["GET", "HEAD"] {
                    let answer = Call::new(method, &target).with("if-none-match", &given).send(&server).await;
                    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0), "{method} {target} {given}");
                    assert_eq!(text_of(&answer, "etag"), current);
                    assert_eq!(text_of(&answer, "api-version"), "4.5");
                }
            }
            for given in ["\"x\"", "W/\"1.2\"", "nonsense"] {
                let answer = get(&target).with("if-none-match", given).send(&server).await;
                assert_eq!(answer.status, 200, "{target} {given}");
            }
        }
    }
}

async fn who_is_late_changes_nothing(db: TestDb) {
    let desk = Desk::new(&db).await;
    let server = &desk.server;
    // Path, a change, and another one that came before it.
    for (target, change, earlier) in [
        // What goes with an endpoint before the endpoint.
        (format!("{STORAGES}1/"), json!({"port": 1}), json!({"port": 2})),
        (format!("{NODES}1/"), json!({"max_cpu": 1}), json!({"max_cpu": 2})),
        (format!("{CLUSTERS}1/"), json!({"version": 1}), json!({"version": 2})),
        (format!("{ENDPOINTS}1/"), json!({"port": 1}), json!({"port": 2})),
        (format!("{NETBOX_CLUSTERS}6/"), json!({"name": "a"}), json!({"name": "b"})),
        (format!("{DEVICES}39/"), json!({"name": "a"}), json!({"name": "b"})),
        (format!("{TAGS}1/"), json!({"color": "000001"}), json!({"color": "000002"})),
    ] {
        let old = get(&target).send(server).await;
        let mut whole = old.json();
        change.as_object().unwrap().iter().for_each(|(key, value)| whole[key] = value.clone());
        let stale = text_of(&old, "etag");
        patch(&target, &earlier).json_of(server, 200).await;
        for wrong in [stale.clone(), "\"x\"".into(), format!("{stale}, \"y\"")] {
            for call in [patch(&target, &change), put(&target, &whole), delete(&target)] {
                let body = refused(&desk, &call.with("if-match", &wrong), 412).await;
                assert!(body["detail"].is_string(), "{body}");
            }
        }
        // Whoever has seen the change goes on; another selection of fields is the same version.
        let current = tag(server, get(&target)).await;
        patch(&target, &change).with("if-match", &current).json_of(server, 200).await;
        if target.contains("proxbox") {
            let other = tag(server, get(&format!("{target}?fields=id"))).await;
            patch(&target, &earlier).with("if-match", &other).json_of(server, 200).await;
        }
        let current = tag(server, get(&target)).await;
        put(&target, &whole).with("if-match", &format!("\"x\", {current}")).json_of(server, 200).await;
        patch(&target, &earlier).with("if-match", "*").json_of(server, 200).await;
        let current = tag(server, get(&target)).await;
        // What is wrong otherwise goes before, and so does who one is.
        refused(&desk, &patch(&target, &change).by(READ_ONLY).with("if-match", &stale), 403).await;
        refused(
            &desk,
            &delete(&target.replace("1/", "99/").replace("6/", "99/").replace("39/", "99/")).with("if-match", &stale),
            404,
        )
        .await;
        delete(&target).with("if-match", &current).json_of(server, 204).await;
        get(&target).json_of(server, 404).await;
    }
}

async fn lists_are_known_by_the_revision_and_the_question(db: TestDb) {
    let desk = Desk::new(&db).await;
    let server = &desk.server;
    let mut seen = Vec::new();
    for query in ["", "?limit=1", "?limit=1&offset=1", "?name=local", "?fields=id", "?ordering=id", "?ordering=-id"] {
        let current = tag(server, get(&format!("{STORAGES}{query}"))).await;
        assert_eq!(halves(&current).0, desk.revision().await.to_string());
        assert_eq!(tag(server, get(&format!("{STORAGES}{query}"))).await, current, "it holds");
        assert_eq!(tag(server, Call::new("HEAD", &format!("{STORAGES}{query}"))).await, current, "HEAD");
        assert!(!seen.contains(&current), "{query}");
        seen.push(current);
    }
    for call in [
        get(STORAGES).by(CONSTRAINED),
        get(NODES),
        get(STORAGES).with("accept", "text/csv"),
        get(STORAGES).with("accept", "application/x-ndjson"),
        get(STORAGES).instead("host", "elsewhere.example.com"),
    ] {
        let current = tag(server, call.clone()).await;
        assert!(!seen.contains(&current), "{call:?}");
        seen.push(current);
    }
    // Any write, whatever it is of: names stand in nested objects.
    for call in [
        post(TAGS, &json!({"name": "n", "slug": "n"})),
        patch(&format!("{NETBOX_CLUSTERS}5/"), &json!({"name": "renamed"})),
        patch(&format!("{STORAGES}1/"), &json!({"port": 1})),
        delete(&format!("{NODES}1/")),
    ] {
        let before = tag(server, get(STORAGES)).await;
        assert!(call.send(server).await.status.is_success());
        assert_ne!(tag(server, get(STORAGES)).await, before, "{call:?}");
        assert_eq!(get(STORAGES).with("if-none-match", &before).send(server).await.status, 200);
    }
    let before = tag(server, get(STORAGES)).await;
    patch(&format!("{STORAGES}1/"), &json!({"port": 1})).json_of(server, 200).await;
    assert_eq!(tag(server, get(STORAGES)).await, before, "nothing was changed");
    assert_eq!(tag(server, get(STORAGES).by(ADMIN)).await, before);
}

both!(
    an_object_is_known_by_its_time_and_its_body,
    what_one_has_is_not_sent_again,
    who_is_late_changes_nothing,
    lists_are_known_by_the_revision_and_the_question,
);
