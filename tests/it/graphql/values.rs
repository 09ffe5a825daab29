//! Values that do not fit their types: all are found before anything is executed.
use super::errors::{GRAPHQL, JSON, post, query, refused};
use crate::support::{ADMIN, Server, TestDb, both};
use serde_json::{Value, json};

/// The messages of a refusal, each with its code.
async fn told(server: &Server, body: &Value) -> Vec<(String, String)> {
    let answer = post(server, GRAPHQL, body.to_string()).await.json();
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors.iter().map(|error| (text(&error["extensions"]["code"]), text(&error["message"]))).collect()
}

async fn literals(db: TestDb) {
    let server = db.server().await;
    for (arguments, place) in [
        ("filter: \"x\"", "filter"),
        ("filter: [{}]", "filter"),
        ("filter: {nope: {eq: 1}}", "filter"),
        ("filter: {name: \"x\"}", "filter.name"),
        ("filter: {name: {eq: 1}}", "filter.name.eq"),
        ("filter: {name: {eq: NAME}}", "filter.name.eq"),
        ("filter: {name: {in: [null]}}", "filter.name.in[0]"),
        ("filter: {name: {ignoreCase: \"true\"}}", "filter.name.ignoreCase"),
        ("filter: {nodeId: {eq: 2147483648}}", "filter.nodeId.eq"),
        ("filter: {nodeId: {in: [1, \"2\"]}}", "filter.nodeId.in[1]"),
        ("filter: {id: {eq: 1.5}}", "filter.id.eq"),
        ("filter: {id: {eq: 9223372036854775808}}", "filter.id.eq"),
        ("filter: {memoryUsage: {eq: 9223372036854775808}}", "filter.memoryUsage.eq"),
        ("filter: {memoryUsage: {eq: \"1x\"}}", "filter.memoryUsage.eq"),
        ("filter: {created: {gt: \"yesterday\"}}", "filter.created.gt"),
        ("filter: {created: {gt: 5}}", "filter.created.gt"),
        ("filter: {proxmoxCluster: {is: {mode: {eq: \"CLUSTER\"}}}}", "filter.proxmoxCluster.is.mode.eq"),
        ("filter: {proxmoxCluster: {is: {mode: {in: [CLUSTER, NOPE]}}}}", "filter.proxmoxCluster.is.mode.in[1]"),
        ("filter: {and: [{online: {eq: true}}, {not: {or: {online: {eq: 1}}}}]}", "filter.and[1].not.or.online.eq"),
        ("orderBy: [{direction: ASC}]", "orderBy[0].field"),
        ("orderBy: {field: null}", "orderBy.field"),
        ("orderBy: {field: \"NAME\"}", "orderBy.field"),
        ("orderBy: [{field: ID}, {field: ID, nulls: MIDDLE}]", "orderBy[1].nulls"),
        ("first: \"1\"", "first"),
        ("first: 1.0", "first"),
        ("first: 99999999999", "first"),
        ("after: CURSOR", "after"),
    ] {
        for text in [
            format!("{{ proxmoxNodes({arguments}) {{ totalCount }} }}"),
            format!(
                "{{ proxmoxCluster(id: 1) {{ ...F }} }} fragment F on ProxmoxCluster {{ proxmoxNodes({arguments}) {{ totalCount }} }}"
            ),
        ] {
            refused(&server, &query(&text), "GRAPHQL_VALIDATION_FAILED").await;
            let told = told(&server, &query(&text)).await;
            let [(_, message)] = &told[..] else { panic!("{text} {told:?}") };
            assert!(message.starts_with(&format!("Argument \"{place}\" of type \"")), "{text}: {message}");
        }
    }
    for (text, line) in [
        ("{ a: proxmoxNodes { totalCount }\n b: proxmoxNodes(first: \"1\") { totalCount } }", 2),
        ("query(\n$f: Int =\n \"1\") { proxmoxNodes(first: $f) { totalCount } }", 3),
    ] {
        let answer = post(&server, GRAPHQL, query(text).to_string()).await.json();
        assert_eq!(answer["errors"][0]["locations"][0]["line"], line, "{answer}");
    }
}

async fn variables(db: TestDb) {
    let server = db.server().await;
    let filter = "query($filter: ProxmoxNodeFilter) { proxmoxNodes(filter: $filter) { totalCount } }";
    for (value, place) in [
        (json!("x"), ""),
        (json!([{}]), ""),
        (json!({"nope": {}}), ""),
        (json!({"name": "x"}), ".name"),
        (json!({"name": {"eq": 1}}), ".name.eq"),
        (json!({"name": {"in": ["a", null]}}), ".name.in[1]"),
        (json!({"nodeId": {"eq": 2147483648_i64}}), ".nodeId.eq"),
        (json!({"memoryUsage": {"eq": "1.5"}}), ".memoryUsage.eq"),
        (json!({"created": {"gt": "yesterday"}}), ".created.gt"),
        (json!({"proxmoxCluster": {"is": {"mode": {"eq": "NOPE"}}}}), ".proxmoxCluster.is.mode.eq"),
        (json!({"and": [{}, {"not": {"online": {"eq": "true"}}}]}), ".and[1].not.online.eq"),
    ] {
        let body = json!({"query": filter, "variables": {"filter": value}});
        refused(&server, &body, "BAD_USER_INPUT").await;
        let told = told(&server, &body).await;
        let [(_, message)] = &told[..] else { panic!("{body} {told:?}") };
        assert!(message.starts_with(&format!("Variable \"$filter{place}\" of type \"")), "{body}: {message}");
    }
    let order = "query($o: [ProxmoxNodeOrder!]) { proxmoxNodes(orderBy: $o, first: 1) { totalCount } }";
    let cluster = "query($by: ProxmoxClusterKey) { proxmoxCluster(by: $by) { id } }";
    for (text, variables) in [
        (order, json!({"o": [{"direction": "ASC"}]})),
        (order, json!({"o": [{"field": "NAME"}, null]})),
        (order, json!({"o": {"field": "name"}})),
        (cluster, json!({"by": {"name": "x"}})),
        (cluster, json!({"by": {"name": "x", "endpoint": null}})),
        (cluster, json!({"by": {"name": "x", "endpoint": 1.5}})),
        // A null keeps the default out.
        (
            "query($in: String = \"a\") { proxmoxNodes(filter: {name: {in: [$in]}}) { totalCount } }",
            json!({"in": null}),
        ),
    ] {
        refused(&server, &json!({"query": text, "variables": variables}), "BAD_USER_INPUT").await;
    }
    for (text, variables, count) in [
        (filter, json!({"filter": {"proxmoxCluster": {"is": {"mode": {"eq": "CLUSTER"}}}, "q": ""}}), None),
        (
            filter,
            json!({"filter": {"memoryUsage": {"gte": "0"}, "created": {"gt": "2020-01-01T00:00:00+02:00"}}}),
            None,
        ),
        (filter, json!({"filter": {"id": {"in": [5, "ProxmoxNode:6"]}}}), Some(2)),
        (filter, json!({"filter": {"id": {"in": 5}}}), Some(1)),
        (order, json!({"o": {"field": "NAME", "nulls": null}}), None),
    ] {
        let data = server.ask_as(ADMIN, text, variables.clone()).await.data();
        if let Some(count) = count {
            assert_eq!(data["proxmoxNodes"]["totalCount"], count, "{variables}");
        }
    }
}

async fn documents(db: TestDb) {
    let server = db.server().await;
    for text in [
        // Directives.
        "{ __typename @nope }",
        "{ __typename @skip }",
        "{ __typename @skip(if: 1) }",
        "{ __typename(nope: 1) }",
        "{ tags @nope { totalCount } }",
        "{ tags @include(if: \"true\") { totalCount } }",
        "query @nope { __typename }",
        "query($f: Int @nope) { tags(first: $f) { totalCount } }",
        "{ ...F @nope } fragment F on Query { __typename }",
        "{ ...F } fragment F on Query @nope { __typename }",
        // Definitions of variables.
        "query($f: Nope) { __typename }",
        "query($f: [Nope!] = [1]) { __typename }",
        "query($f: ProxmoxNode) { __typename }",
        "query($f: Int = \"1\") { tags(first: $f) { totalCount } }",
        "query($f: ProxmoxNodeFilter = {name: \"x\"}) { proxmoxNodes(filter: $f) { totalCount } }",
        "query($f: ProxmoxMode = \"CLUSTER\") { proxmoxClusters(filter: {mode: {eq: $f}}) { totalCount } }",
        // Variables in places that are not theirs.
        "query($f: String) { tags(first: $f) { totalCount } }",
        "query($f: Int) { proxmoxNodes(filter: {name: {eq: $f}}) { totalCount } }",
        "query($f: String) { proxmoxNodes(filter: {name: {in: [$f]}}) { totalCount } }",
        "query($f: String) { proxmoxNodes(orderBy: {field: $f}) { totalCount } }",
        "query($f: ID) { proxmoxCluster(by: {name: \"x\", endpoint: $f}) { id } }",
        "{ proxmoxNodes(filter: {name: {eq: $f}}) { totalCount } }",
        // Arguments that are not there, or should be.
        "{ tags(nope: 1) { totalCount } }",
        "{ search { id } }",
        "{ __type { name } }",
        "{ __type(name: 5) { name } }",
    ] {
        refused(&server, &query(text), "GRAPHQL_VALIDATION_FAILED").await;
    }
    let text = "query($f: Int, $s: Boolean!, $in: String! = \"a\") { ...F @skip(if: $s) __type(name: \"Tag\") { name } }
        fragment F on Query { tags(first: $f) @include(if: true) { totalCount } proxmoxNodes(filter: {name: {in: [$in]}}) { totalCount } }";
    let answer = server.ask_as(ADMIN, text, json!({"s": true})).await;
    assert_eq!(answer.data(), json!({"__type": {"name": "Tag"}}));
}

/// All that is wrong is told at once, up to a limit, and without the strings that were given.
async fn all_mistakes_and_no_secrets(db: TestDb) {
    let server = db.server().await;
    let text = "query($f: ProxmoxNodeFilter, $g: Int!) { proxmoxNodes(filter: $f, first: $g, after: 1, orderBy: \"hunter2\") { totalCount } }";
    let variables = json!({"f": {"name": "hunter2", "nodeId": {"in": vec!["hunter2"; 50]}}, "g": "hunter2"});
    let told = told(&server, &json!({"query": text, "variables": variables})).await;
    assert_eq!(told.len(), 20);
    assert_eq!(told.iter().filter(|(code, _)| code == "GRAPHQL_VALIDATION_FAILED").count(), 2);
    assert!(told.iter().all(|(_, message)| !message.contains("hunter2")), "{told:?}");
    let text = post(&server, JSON, query("{ search(q: [\"hunter2\"], first: \"hunter2\") { id } }").to_string()).await;
    assert!(!text.json().to_string().contains("hunter2"));
}

both!(literals, variables, documents, all_mistakes_and_no_secrets);
