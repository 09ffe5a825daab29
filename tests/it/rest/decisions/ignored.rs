//! What is passed over is told, or refused for those who want that (decision 13).
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, Call, ENDPOINTS, NODES, STORAGES, TAGS, get, keys, patch, post, put, refused, text_of};
use crate::support::{TestDb, both};
use serde_json::json;

/// Requests with what is passed over of them, and where strict clients are told so.
fn table() -> Vec<(Call, &'static str, Vec<&'static str>)> {
    let node = |rest: &str| get(&format!("{NODES}{rest}"));
    vec![
        (node("?bogus=1"), "bogus", vec!["bogus"]),
        (node("?bogus=1&name=x&other=&bogus=2"), "bogus,other", vec!["bogus", "other"]),
        (
            node("?name__bogus=1&ip_address__empty=true"),
            "name__bogus,ip_address__empty",
            vec!["ip_address__empty", "name__bogus"],
        ),
        (node("?fields=id,bogus,name"), "bogus", vec!["fields"]),
        (node("?omit=tags,bogus"), "bogus", vec!["omit"]),
        (node("?ordering=name,-bogus,id"), "-bogus", vec!["ordering"]),
        (node("?ordering=bogus,-other&fields=none&a=b"), "a,none,bogus,-other", vec!["a", "fields", "ordering"]),
        (node("1/?name=x"), "name", vec!["name"]),
        (node("1/?fields=id,bogus"), "bogus", vec!["fields"]),
        (node("?%C3%A9%20%2C%22=1"), "%C3%A9%20%2C%22", vec!["é ,\""]),
        (patch(&format!("{NODES}1/"), &json!({"max_cpu": 1, "bogus": 1})), "bogus", vec!["bogus"]),
        (
            put(&format!("{CLUSTERS}1/"), &json!({"endpoint": 1, "name": "y", "mode": "cluster", "x": {}})),
            "x",
            vec!["x"],
        ),
        (patch(&format!("{NODES}1/?p=1"), &json!({"max_cpu": 2, "q2": null})), "p,q2", vec!["p", "q2"]),
        (
            post(CLUSTERS, &json!({"endpoint": 1, "name": "n", "mode": "cluster", "comments": ""})),
            "comments",
            vec!["comments"],
        ),
        (
            post(STORAGES, &json!([{"cluster": 5, "name": "n1"}, {"cluster": 5, "name": "n2", "z": 1, "a": 1}])),
            "a,z",
            vec!["a", "z"],
        ),
        (patch(NODES, &json!([{"id": 1, "max_cpu": 5}, {"id": 999, "max_cpu": 5}])), "999", vec!["id"]),
        (put(STORAGES, &json!([{"id": 998, "cluster": 5, "name": "x"}])), "998", vec!["id"]),
        (Call::new("DELETE", NODES).json(&json!([{"id": 7}, {"id": 997}, {"id": 996}])), "997,996", vec!["id"]),
        (Call::new("DELETE", &format!("{NODES}8/?why=1")), "why", vec!["why"]),
    ]
}

async fn what_is_passed_over_is_told(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (call, names, _) in table() {
        let answer = call.send(&desk.server).await;
        assert!(answer.status.is_success(), "{call:?}: {}", answer.status);
        assert_eq!(text_of(&answer, "x-ignored"), names, "{call:?}");
        assert!(!answer.headers.contains_key("preference-applied"));
    }
}

async fn strict_clients_are_refused(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (call, _, places) in table() {
        for preference in
            ["handling=strict", "respond-async, handling=strict", "handling=\"strict\"; x=1", "Handling=Strict"]
        {
            let call = call.clone().with("prefer", preference);
            let body = refused(&desk, &call, 400).await;
            assert_eq!(keys(&body), places, "{call:?}: {body}");
            let answer = call.send(&desk.server).await;
            assert_eq!(text_of(&answer, "preference-applied"), "handling=strict", "{call:?}");
        }
        let answer = call.clone().with("prefer", "handling=lenient").send(&desk.server).await;
        assert!(answer.status.is_success(), "{call:?}");
    }
}

async fn what_is_known_is_neither_told_nor_refused(db: TestDb) {
    let desk = Desk::new(&db).await;
    let read_only = json!({"id": 5, "url": "u", "display": "d", "created": null, "last_updated": "x", "cpu_usage_percent": 1,
        "memory_usage_percent": {}, "max_cpu": 3});
    let reading = [
        "?limit=1&offset=0&ordering=-name,endpoint__name&fields=id,url&omit=name&brief=1&q=a&format=json",
        "?name__nie=x&tag=prod&tag_id__n=2&created__gte=2020-01-01&endpoint_id=1&start=",
        "?ordering=,name&fields=",
    ];
    for call in [
        get(&format!("{NODES}{}", reading[0])),
        get(&format!("{NODES}{}", reading[2])),
        get(&format!("{NODES}1/?fields=id&format=json")),
        get(&format!("{ENDPOINTS}?domain=x&name=y&ip_address__ic=10&mode=cluster&id=1&q=a")),
        get(&format!("{TAGS}?slug=prod&color=4caf50&name__ic=p&id__gte=1")),
        patch(&format!("{NODES}5/"), &read_only),
        patch(NODES, &json!([read_only])),
    ] {
        let answer = call.clone().with("prefer", "handling=strict").send(&desk.server).await;
        assert_eq!(
            (answer.status.as_u16(), text_of(&answer, "x-ignored")),
            (200, String::new()),
            "{call:?}: {}",
            String::from_utf8_lossy(&answer.bytes)
        );
        assert_eq!(text_of(&answer, "preference-applied"), "handling=strict", "{call:?}");
    }
    assert_eq!(desk.row("proxmox_nodes", 5).await["max_cpu"], 3);
}

async fn the_header_stays_short(db: TestDb) {
    let server = db.server().await;
    let names = |count: usize| (0..count).map(|i| format!("p{i}")).collect::<Vec<_>>();
    let query = names(30).iter().map(|name| format!("{name}=1")).collect::<Vec<_>>().join("&");
    let answer = get(&format!("{NODES}?{query}")).send(&server).await;
    assert_eq!(text_of(&answer, "x-ignored"), names(20).join(","));
    let answer = get(&format!("{NODES}?{}=1", "x".repeat(5_000))).send(&server).await;
    assert!(text_of(&answer, "x-ignored").starts_with("xxx") && text_of(&answer, "x-ignored").len() < 500);
    let body = get(&format!("{NODES}?{query}")).with("prefer", "handling=strict").json_of(&server, 400).await;
    assert_eq!(keys(&body).len(), 30, "a refusal names them all");
}

both!(
    what_is_passed_over_is_told,
    strict_clients_are_refused,
    what_is_known_is_neither_told_nor_refused,
    the_header_stays_short,
);
