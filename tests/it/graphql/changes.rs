//! The change log as clients read it: the feed, the histories, and who sees what of them.
use super::seed;
use crate::support::{ADMIN, Server, TestDb, both, fill};
use proxbox_graphql::service::Actor;
use proxbox_graphql::service::token::{self, NewToken, random_value};
use serde_json::{Value, json};

const CHANGE: &str = "position at actor requestId kind type id databaseId changed before after
    record { __typename id display }";

/// What a mutation answers; it must succeed.
async fn mutate(server: &Server, mutation: &str) -> Value {
    let data = server.data(&format!("mutation {{ done: {mutation} }}")).await["done"].take();
    assert_eq!(data["userErrors"], json!([]), "{mutation}");
    data
}

/// The changes that a question finds.
async fn found(server: &Server, token: &str, arguments: &str) -> Vec<Value> {
    let question = format!("{{ changes{arguments} {{ nodes {{ {CHANGE} }} }} }}");
    let data = server.ask_as(token, &question, json!({})).await.data();
    data["changes"]["nodes"].as_array().unwrap().clone()
}

fn texts<'a>(changes: &'a [Value], field: &str) -> Vec<&'a str> {
    changes.iter().map(|change| change[field].as_str().unwrap()).collect()
}

async fn positions(server: &Server, arguments: &str) -> Vec<String> {
    texts(&found(server, ADMIN, arguments).await, "position").into_iter().map(str::to_owned).collect()
}

async fn code(server: &Server, selection: &str) -> String {
    server.ask(&format!("{{ {selection} }}")).await.code()
}

/// The seed, and some changes of several models: 2 a tag, 3 a storage, 4 two nodes, 5 the storage, 6 its deletion.
async fn changed(db: &TestDb) -> Server {
    let server = db.server().await;
    for mutation in [
        "createTag(input: {name: \"New\", slug: \"new\"}) { userErrors { code } }",
        "createProxmoxStorage(input: {cluster: 1, name: \"mine\", tags: [\"new\"]}) { userErrors { code } }",
        "updateProxmoxNodes(input: {items: [{id: 2, maxCpu: 99}, {id: 1, maxCpu: 98, tags: []}]}) { userErrors: results { userErrors { code } } }",
        "upsertProxmoxStorage(input: {cluster: 1, name: \"mine\", path: \"/x\"}) { userErrors { code } }",
        "deleteProxmoxStorage(input: {id: $mine}) { userErrors { code } }",
    ] {
        let mine = server.data("{ proxmoxStorage(by: {cluster: 1, name: \"mine\"}) { databaseId } }").await;
        let mutation = mutation.replace("$mine", &mine["proxmoxStorage"]["databaseId"].to_string());
        let done = server.data(&format!("mutation {{ done: {mutation} }}")).await;
        assert!(!done["done"]["userErrors"].to_string().contains("code"), "{done}");
    }
    server
}

async fn the_feed_tells_everything_in_order(db: TestDb) {
    let server = changed(&db).await;
    let all = found(&server, ADMIN, "").await;
    assert_eq!(texts(&all, "position"), ["1.0", "2.0", "3.0", "4.0", "4.1", "5.0", "6.0"]);
    assert_eq!(texts(&all, "kind"), ["LOADED", "CREATED", "CREATED", "UPDATED", "UPDATED", "UPDATED", "DELETED"]);
    let loaded = &all[0];
    assert_eq!(
        json!([loaded["type"], loaded["id"], loaded["databaseId"], loaded["record"]]),
        json!([null, null, null, null])
    );
    assert_eq!((&loaded["after"]["proxmox_nodes"], &loaded["requestId"]), (&json!(14), &Value::Null));
    assert_eq!(
        (&all[1]["type"], &all[1]["before"], &all[1]["after"]["slug"], &all[1]["record"]["display"]),
        (&json!("TAG"), &Value::Null, &json!("new"), &json!("New"))
    );
    let node = &all[3];
    assert_eq!(
        (&node["type"], &node["id"], &node["databaseId"]),
        (&json!("PROXMOX_NODE"), &json!("ProxmoxNode:2"), &json!(2))
    );
    assert_eq!((&node["changed"], &node["after"]["max_cpu"]), (&json!(["max_cpu"]), &json!(99)));
    assert_ne!(node["before"]["max_cpu"], 99);
    assert_eq!(
        node["record"],
        json!({"__typename": "ProxmoxNode", "id": "ProxmoxNode:2", "display": node["after"]["name"]})
    );
    assert_eq!(all[4]["after"]["tags"], json!([]));
    // The storage is gone: its changes stay, and lead to nothing.
    for change in [&all[2], &all[5], &all[6]] {
        assert_eq!((&change["type"], &change["record"]), (&json!("PROXMOX_STORAGE"), &Value::Null));
        assert_eq!(change["id"], all[2]["id"]);
    }
    assert_eq!(all[2]["after"]["tags"], json!(["new"]));
    assert_eq!((&all[5]["before"], &all[5]["after"]["path"]), (&all[2]["after"], &json!("/x")));
    assert_eq!((&all[6]["before"], &all[6]["after"]), (&all[5]["after"], &Value::Null));
    for (after, count) in [("0.0", 7), ("1.0", 6), ("4.0", 3), ("4.1", 2), ("6.0", 0)] {
        let rest = found(&server, ADMIN, &format!("(after: \"{after}\")")).await;
        assert_eq!(rest[..], all[7 - count..], "after {after}");
    }
}

async fn changes_tell_who_made_them_by_which_request(db: TestDb) {
    let server = db.server().await;
    let answer = server
        .ask(
            "mutation { createTags: createTag(input: {name: \"a\", slug: \"a\"}) { userErrors { code } }
            b: createTag(input: {name: \"b\", slug: \"b\"}) { userErrors { code } } }",
        )
        .await;
    let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    server.data("mutation { deleteTag(input: {id: 1}) { deletedId } }").await;
    let changes = found(&server, ADMIN, "(after: \"1.0\")").await;
    assert_eq!((&changes[0]["requestId"], &changes[1]["requestId"]), (&json!(id), &json!(id)));
    // A deletion changes those that carried the tag too: one request, one revision.
    let deletion = &changes[2..];
    assert!(deletion.len() > 2);
    for (ordinal, change) in deletion.iter().enumerate() {
        assert_eq!(change["position"], format!("4.{ordinal}"));
        assert_eq!(change["requestId"], deletion[0]["requestId"]);
        assert_ne!(change["requestId"], json!(id));
    }
    assert!(texts(&changes, "actor").iter().all(|actor| *actor == "token:admin"), "{changes:?}");
}

async fn each_part_of_the_filter_narrows(db: TestDb) {
    let server = changed(&db).await;
    let times = found(&server, ADMIN, "").await;
    let at = |i: usize| times[i]["at"].clone();
    let mine = times[2]["id"].clone();
    for (filter, expected) in [
        ("{}".to_owned(), &["1.0", "2.0", "3.0", "4.0", "4.1", "5.0", "6.0"][..]),
        ("{types: [TAG]}".into(), &["2.0"]),
        ("{types: [TAG, PROXMOX_NODE]}".into(), &["2.0", "4.0", "4.1"]),
        ("{types: []}".into(), &[]),
        ("{kinds: [LOADED]}".into(), &["1.0"]),
        ("{kinds: [UPDATED, DELETED]}".into(), &["4.0", "4.1", "5.0", "6.0"]),
        ("{kinds: []}".into(), &[]),
        (format!("{{ids: [{mine}]}}"), &["3.0", "5.0", "6.0"]),
        (format!("{{ids: [{mine}, \"ProxmoxNode:1\"]}}"), &["3.0", "4.1", "5.0", "6.0"]),
        // The same number of another type is another object.
        ("{ids: [\"ProxmoxCluster:1\", \"Tag:2\"]}".into(), &[]),
        ("{ids: []}".into(), &[]),
        ("{actor: \"token:admin\"}".into(), &["2.0", "3.0", "4.0", "4.1", "5.0", "6.0"]),
        ("{actor: \"cli\"}".into(), &["1.0"]),
        ("{actor: \"token\"}".into(), &[]),
        ("{actor: \"TOKEN:ADMIN\"}".into(), &[]),
        (format!("{{since: {}}}", at(5)), &["5.0", "6.0"]),
        (format!("{{until: {}}}", at(2)), &["1.0", "2.0"]),
        (format!("{{since: {}, until: {}}}", at(1), at(3)), &["2.0", "3.0"]),
        (format!("{{since: {}, until: {}}}", at(3), at(3)), &[]),
        ("{since: \"2099-01-01T00:00:00Z\"}".into(), &[]),
        ("{until: \"2020-01-01T00:00:00+02:00\"}".into(), &[]),
        ("{types: [PROXMOX_STORAGE], kinds: [DELETED, CREATED], actor: \"token:admin\"}".into(), &["3.0", "6.0"]),
    ] {
        assert_eq!(positions(&server, &format!("(filter: {filter})")).await, expected, "{filter}");
        let behind = expected.iter().filter(|position| **position > "4.0").copied().collect::<Vec<_>>();
        assert_eq!(positions(&server, &format!("(filter: {filter}, after: \"4.0\")")).await, behind, "{filter}");
    }
    assert_eq!(positions(&server, "(filter: null)").await.len(), 7);
}

async fn wrong_filters_are_refused(db: TestDb) {
    let server = db.server().await;
    let ids = |count: usize| (0..count).map(|id| format!("\"Tag:{id}\" ")).collect::<String>();
    for filter in [
        "{types: null}".to_owned(),
        "{kinds: null}".into(),
        "{ids: null}".into(),
        "{actor: null}".into(),
        "{since: null}".into(),
        "{until: null}".into(),
        "{ids: [1]}".into(),
        "{ids: [\"1\"]}".into(),
        "{ids: [\"Change:1\"]}".into(),
        "{ids: [\"ProxmoxNode:\"]}".into(),
        "{ids: [\"proxmoxnode:1\"]}".into(),
        format!("{{ids: [{}]}}", ids(1001)),
    ] {
        assert_eq!(
            code(&server, &format!("changes(filter: {filter}) {{ nodes {{ id }} }}")).await,
            "BAD_USER_INPUT",
            "{filter:.80}"
        );
    }
    assert_eq!(positions(&server, &format!("(filter: {{ids: [{}]}})", ids(1000))).await, [""; 0]);
}

const MALFORMED: [&str; 16] = [
    "",
    "1",
    "1.",
    ".0",
    "1.0.0",
    "01.0",
    "1.00",
    "+1.0",
    "-1.0",
    "1.-1",
    "1.0 ",
    " 1.0",
    "1,0",
    "1.x",
    "9223372036854775808.0",
    "1.2147483648",
];

async fn positions_must_be_of_this_log(db: TestDb) {
    let server = changed(&db).await;
    for (field, close) in [("changes", ""), ("proxmoxNode(id: 1) { history", " }")] {
        let ask = async |after: &str| {
            server.ask(&format!("{{ {field}(after: {}) {{ nodes {{ position }} }}{close} }}", json!(after))).await
        };
        for after in MALFORMED {
            assert_eq!(ask(after).await.code(), "INVALID_CURSOR", "{field} {after:?}");
        }
        for after in ["7.0", "9223372036854775807.2147483647"] {
            assert_eq!(ask(after).await.code(), "RESUME_EXPIRED", "{field} {after}");
        }
        for after in ["0.0", "4.7", "6.0", "6.2147483647"] {
            ask(after).await.data();
        }
    }
    // Cursors of lists are none of these.
    let data = server.data("{ proxmoxNodes(first: 1) { pageInfo { endCursor } } }").await;
    let cursor = &data["proxmoxNodes"]["pageInfo"]["endCursor"];
    assert_eq!(code(&server, &format!("changes(after: {cursor}) {{ nodes {{ id }} }}")).await, "INVALID_CURSOR");
}

async fn the_size_of_a_stretch_is_bounded(db: TestDb) {
    let server = changed(&db).await;
    for (field, close) in [("changes", ""), ("proxmoxNode(id: 1) { history", " }")] {
        let ask = async |first: i64| {
            let selection = "{ nodes { position } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
            server.ask(&format!("{{ list: {field}(first: {first}) {selection}{close} }}")).await
        };
        assert_eq!(ask(1001).await.code(), "PAGE_TOO_LARGE");
        assert_eq!(ask(-1).await.code(), "BAD_USER_INPUT");
        ask(1000).await.data();
        let mut none = ask(0).await.data()["list"].take();
        if !close.is_empty() {
            none = none["history"].take();
        }
        let page = json!({"hasNextPage": true, "hasPreviousPage": false, "startCursor": null, "endCursor": null});
        assert_eq!(none, json!({"nodes": [], "edges": [], "pageInfo": page}), "{field}");
    }
}

/// Whatever is asked and from wherever, the flags tell whether there is more of the same before and behind.
async fn flags_are_honest(db: TestDb) {
    let server = changed(&db).await;
    let mut asked = 0;
    for (field, close, filter) in [
        ("changes", "", ""),
        ("changes", "", "filter: {types: [PROXMOX_STORAGE]}, "),
        ("changes", "", "filter: {kinds: [UPDATED]}, "),
        ("changes", "", "filter: {types: []}, "),
        ("proxmoxNode(id: 1) { history", " }", ""),
        ("proxmoxNode(id: 3) { history", " }", ""),
    ] {
        let ask = async |rest: &str| {
            let selection = "{ nodes { position } edges { cursor node { position } }
                pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
            let mut data =
                server.data(&format!("{{ list: {field}({filter}{rest}) {selection}{close} }}")).await["list"].take();
            if close.is_empty() { data } else { data["history"].take() }
        };
        let order = |position: &str| {
            let (revision, ordinal) = position.split_once('.').unwrap();
            (revision.parse::<i64>().unwrap(), ordinal.parse::<i64>().unwrap())
        };
        let whole = ask("first: 1000").await;
        let all = texts(whole["nodes"].as_array().unwrap(), "position").into_iter().map(order).collect::<Vec<_>>();
        for after in ["0.0", "1.0", "2.0", "3.0", "3.9", "4.0", "4.1", "5.0", "6.0", "6.9"] {
            for first in 0..=4 {
                let page = ask(&format!("first: {first}, after: \"{after}\"")).await;
                let (before, behind): (Vec<_>, Vec<_>) = all.iter().copied().partition(|one| *one <= order(after));
                let nodes = page["nodes"].as_array().unwrap();
                let found = texts(nodes, "position");
                let expected = behind.iter().take(first).copied().collect::<Vec<_>>();
                assert_eq!(
                    found.iter().map(|one| order(one)).collect::<Vec<_>>(),
                    expected,
                    "{field} {filter} {after}"
                );
                let info = json!({
                    "hasNextPage": behind.len() > first, "hasPreviousPage": !before.is_empty(),
                    "startCursor": found.first(), "endCursor": found.last(),
                });
                assert_eq!(page["pageInfo"], info, "{field} {filter} {after}, {first}");
                let edges = page["edges"].as_array().unwrap();
                assert_eq!(texts(edges, "cursor"), found);
                assert!(edges.iter().zip(nodes).all(|(edge, node)| edge["node"] == *node));
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 300);
}

async fn histories_are_the_feed_of_one_object(db: TestDb) {
    let server = db.server().await;
    for id in [1, 2, 1, 3, 1] {
        for ty in ["Cluster", "Node", "Storage"] {
            let mark = rand::random_range(0..u32::MAX);
            let update = format!(
                "updateProxmox{ty}(input: {{id: {id}, customFields: {{mark: {mark}}}}}) {{ userErrors {{ code }} }}"
            );
            mutate(&server, &update).await;
        }
    }
    for ty in ["Cluster", "Node", "Storage"] {
        for rest in ["", "first: 1, ", "first: 2, "] {
            for after in ["1.0", "5.0", "16.0"] {
                let history = format!(
                    "history({rest}after: \"{after}\") {{ nodes {{ {CHANGE} }} pageInfo {{ hasNextPage hasPreviousPage }} }}"
                );
                let question = format!(
                    "{{ list: proxmox{ty}List(orderBy: [{{field: ID}}]) {{ id {history} }} one: proxmox{ty}(id: 1) {{ {history} }} }}"
                );
                let data = server.data(&question).await;
                assert_eq!(data["one"]["history"], data["list"][0]["history"]);
                for row in data["list"].as_array().unwrap().iter().take(5) {
                    let filter = format!("(filter: {{ids: [{}]}}, {rest}after: \"{after}\")", row["id"]);
                    let feed = server.data(&format!("{{ changes{filter} {{ nodes {{ {CHANGE} }} pageInfo {{ hasNextPage hasPreviousPage }} }} }}")).await;
                    assert_eq!(row["history"], feed["changes"], "{} {rest} {after}", row["id"]);
                }
                let all = data["list"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["history"]["nodes"].as_array().unwrap().len());
                let all = all.collect::<Vec<_>>();
                assert!(all.len() > 3 && all[3..].iter().all(|count| *count == 0));
                if after == "1.0" {
                    assert_eq!(
                        all[..3],
                        if rest.is_empty() { [3, 1, 1] } else { [if rest.contains('1') { 1 } else { 2 }, 1, 1] }
                    );
                }
            }
        }
    }
}

/// The seed with tokens that have these permissions.
async fn with_tokens(db: &TestDb, all: &[Value]) -> (Server, Vec<String>) {
    let mut file = seed();
    let values = (0..all.len()).map(|i| format!("{i:d>40}")).collect::<Vec<_>>();
    for (value, permissions) in values.iter().zip(all) {
        let token = json!({"name": format!("asks {value}"), "value": value, "permissions": permissions});
        file["tokens"].as_array_mut().unwrap().push(token);
    }
    let app = db.open().await;
    fill(&app, &file.to_string()).await;
    (Server::new(app), values)
}

fn view(models: &[&str], constraints: Value) -> Value {
    json!({"models": models, "actions": ["view"], "constraints": constraints})
}

const MODELS: [&str; 7] =
    ["proxmoxendpoint", "proxmoxcluster", "proxmoxnode", "proxmoxstorage", "cluster", "device", "tag"];

async fn everybody_sees_the_changes_of_what_they_may_view(db: TestDb) {
    let changes = view(&["change"], Value::Null);
    let (server, tokens) = with_tokens(
        &db,
        &[
            json!([view(&MODELS, Value::Null)]),
            json!([changes, view(&MODELS, Value::Null)]),
            json!([changes, view(&["proxmoxnode"], json!({"online": true}))]),
            json!([changes, view(&["proxmoxnode"], Value::Null)]),
            json!([changes]),
            json!([
                changes,
                view(&["proxmoxnode"], json!({"id__in": [1, 3]})),
                view(&["proxmoxendpoint"], json!({"id": 1})),
                view(&["tag"], json!({"slug": "prod"})),
                view(&["proxmoxstorage"], Value::Null)
            ]),
            json!([{"models": ["change"], "actions": ["add", "change", "delete"]}, view(&MODELS, Value::Null)]),
        ],
    )
    .await;
    for mutation in [
        "updateProxmoxNode(input: {id: 1, tags: [\"prod\", \"unicode\"], maxCpu: 7}) { userErrors { code } }",
        "updateProxmoxNode(input: {id: 3, maxCpu: 7, online: false}) { userErrors { code } }",
        "updateProxmoxNode(input: {id: 2, maxCpu: 7}) { userErrors { code } }",
        "deleteProxmoxNode(input: {id: 12}) { userErrors { code } }",
        "updateProxmoxNode(input: {id: 2, online: false}) { userErrors { code } }",
        "updateProxmoxStorage(input: {id: 1, path: \"/new\"}) { userErrors { code } }",
        "deleteProxmoxStorage(input: {id: 9}) { userErrors { code } }",
    ] {
        mutate(&server, mutation).await;
    }
    let all = ["1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "8.0"];
    for (i, expected) in [
        &[][..],
        &all,
        // Node 2 is down by now; 12 was up, but who knows today?
        &["1.0", "2.0"],
        &["1.0", "2.0", "3.0", "4.0", "5.0", "6.0"],
        &["1.0"],
        &["1.0", "2.0", "3.0", "7.0", "8.0"],
        &[],
    ]
    .into_iter()
    .enumerate()
    {
        let seen = found(&server, &tokens[i], "").await;
        assert_eq!(texts(&seen, "position"), expected, "{i}");
        // The flags tell nothing of what is hidden either.
        let question = "{ end: changes(after: \"8.0\") { pageInfo { hasNextPage hasPreviousPage } }
            changes(first: 1, after: \"1.0\") { pageInfo { hasNextPage hasPreviousPage } } }";
        let data = server.ask_as(&tokens[i], question, json!({})).await.data();
        assert_eq!(
            data["end"]["pageInfo"],
            json!({"hasNextPage": false, "hasPreviousPage": !expected.is_empty()}),
            "{i}"
        );
        assert_eq!(data["changes"]["pageInfo"]["hasNextPage"], expected.len() > 2, "{i}");
        let question = "{ proxmoxNode(id: 1) { history { nodes { position } } } }";
        let node = server.ask_as(&tokens[i], question, json!({})).await.data()["proxmoxNode"].take();
        let history = if expected.contains(&"2.0") { json!([{"position": "2.0"}]) } else { json!([]) };
        assert!(node.is_null() && i == 4 || node["history"]["nodes"] == history, "{i} {node}");
        // Of a whole file only who sees all is told the counts.
        if let Some(loaded) = seen.first() {
            assert_eq!(loaded["after"].is_object(), i == 1, "{i}");
        }
    }
    // What one may not view is in no document.
    let of_node_1 = async |i: usize| found(&server, &tokens[i], "(filter: {ids: [\"ProxmoxNode:1\"]})").await.remove(0);
    let whole = of_node_1(1).await;
    assert!(
        ["endpoint", "proxmox_cluster", "netbox_device"].iter().all(|name| whole["after"][name].is_i64()),
        "{whole}"
    );
    assert_eq!(whole["after"]["tags"], json!(["prod", "unicode"]));
    let mut expected = whole.clone();
    for document in ["before", "after"] {
        for name in ["endpoint", "proxmox_cluster", "netbox_device"] {
            expected[document][name] = Value::Null;
        }
        expected[document]["tags"] = json!([]);
    }
    assert_eq!((of_node_1(2).await, of_node_1(3).await), (expected.clone(), expected.clone()));
    for document in ["before", "after"] {
        expected[document]["endpoint"] = json!(1);
        let tags = whole[document]["tags"].as_array().unwrap().iter().filter(|slug| **slug == "prod");
        expected[document]["tags"] = tags.cloned().collect();
    }
    assert_eq!(of_node_1(5).await, expected);
    // A storage's NetBox cluster and its source are references too.
    let of_storage =
        async |i: usize| found(&server, &tokens[i], "(filter: {ids: [\"ProxmoxStorage:9\"]})").await.remove(0);
    let (whole, cut) = (of_storage(1).await, of_storage(5).await);
    assert!(whole["before"]["cluster"].is_i64() && whole["before"].get("source").is_some());
    assert_eq!((&cut["before"]["cluster"], &cut["before"]["source"]), (&Value::Null, &Value::Null));
}

/// Tokens are no business of clients, but their changes have numbers too.
async fn changes_of_tokens_are_in_no_feed(db: TestDb) {
    let server = db.server().await;
    let mut tx = server.app.begin(Actor::operator()).await.unwrap();
    let new = NewToken {
        name: "canary".into(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions: Vec::new(),
    };
    token::create(&mut tx, &server.app.pepper, new, &random_value(false)).await.unwrap();
    assert_eq!(tx.commit().await.unwrap(), Some(2));
    mutate(&server, "createTag(input: {name: \"x\", slug: \"x\"}) { userErrors { code } }").await;
    assert_eq!(positions(&server, "").await, ["1.0", "3.0"]);
    assert_eq!(positions(&server, "(after: \"1.0\", first: 1)").await, ["3.0"]);
    assert_eq!(positions(&server, "(after: \"2.0\")").await, ["3.0"]);
    let data = server
        .data("{ changes(filter: {actor: \"cli\"}, after: \"1.0\") { nodes { id } pageInfo { hasNextPage } } }")
        .await;
    assert_eq!(data["changes"], json!({"nodes": [], "pageInfo": {"hasNextPage": false}}));
}

/// No secret is in any document; that one was replaced is told.
async fn secrets_are_named_and_not_told(db: TestDb) {
    let server = db.server().await;
    for password in ["\"canary-1\"", "\"canary-2\"", "null"] {
        mutate(
            &server,
            &format!("updateProxmoxEndpoint(input: {{id: 1, password: {password}}}) {{ userErrors {{ code }} }}"),
        )
        .await;
    }
    let changes = found(&server, ADMIN, "(after: \"1.0\")").await;
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert!(!json!(changes).to_string().contains("canary"));
    assert_eq!(changes[1]["changed"], json!(["password"]));
    assert_eq!(json!([changes[0]["after"]["has_password"], changes[2]["after"]["has_password"]]), json!([true, false]));
}

both!(
    the_feed_tells_everything_in_order,
    changes_tell_who_made_them_by_which_request,
    each_part_of_the_filter_narrows,
    wrong_filters_are_refused,
    positions_must_be_of_this_log,
    the_size_of_a_stretch_is_bounded,
    flags_are_honest,
    histories_are_the_feed_of_one_object,
    everybody_sees_the_changes_of_what_they_may_view,
    changes_of_tokens_are_in_no_feed,
    secrets_are_named_and_not_told,
);
