//! Wrong input of every kind, and the error that it gets.
use super::ids;
use crate::support::{ADMIN, Answer, Server, TestDb, both};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

pub(super) const JSON: &str = "application/json";
pub(super) const GRAPHQL: &str = "application/graphql-response+json";

pub(super) async fn post(server: &Server, accept: &str, body: impl Into<Body>) -> Answer {
    send(server, "POST", "/graphql", &[("accept", accept), ("content-type", JSON)], body).await
}

async fn send(server: &Server, method: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request =
        Request::builder().method(method).uri(uri).header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(body.into()).unwrap()).await
}

/// Refused before execution: no `data`, and a status by the media type.
pub(super) async fn refused(server: &Server, body: &Value, code: &str) {
    for (accept, status) in [(JSON, StatusCode::OK), (GRAPHQL, StatusCode::BAD_REQUEST)] {
        let answer = post(server, accept, body.to_string()).await;
        let shown = body.to_string().chars().take(300).collect::<String>();
        let got = answer.json();
        assert_eq!(answer.status, status, "{shown}\n{got}");
        assert!(got.get("data").is_none(), "{shown}\n{got}");
        assert_eq!(answer.code(), code, "{shown}\n{got}");
        assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with(accept));
    }
}

/// Failed while executing: 200 for both, with `data`, and the path of the field.
async fn failed(server: &Server, body: &Value, code: &str, path: Value) {
    for accept in [JSON, GRAPHQL] {
        let answer = post(server, accept, body.to_string()).await;
        let shown = body.to_string().chars().take(300).collect::<String>();
        let got = answer.json();
        assert_eq!(answer.status, StatusCode::OK, "{shown}\n{got}");
        assert!(got.get("data").is_some(), "{shown}\n{got}");
        assert_eq!((answer.code().as_str(), &got["errors"][0]["path"]), (code, &path), "{shown}\n{got}");
    }
}

pub(super) fn query(text: impl AsRef<str>) -> Value {
    json!({"query": text.as_ref()})
}

async fn values_that_no_row_can_satisfy_are_told_at_their_field(db: TestDb) {
    let server = db.server().await;
    let cursor = |bytes: &[u8]| {
        use base64::Engine;
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)
    };
    let good = server.data("{ proxmoxNodes(first: 1) { pageInfo { endCursor } } }").await;
    let good = good["proxmoxNodes"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    for (root, arguments, code) in [
        // Null operands, at every level.
        ("proxmoxNodes", "filter: {name: null}".to_owned(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {name: {eq: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {name: {in: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {name: {isNull: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {and: null}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {or: [{q: null}]}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {not: null}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {id: {eq: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {maxCpu: {gt: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {memoryUsage: {lte: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {cpuUsagePercent: {ne: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {online: {eq: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {created: {gte: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {tags: {any: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {proxmoxCluster: {is: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {proxmoxCluster: {is: {mode: {in: null}}}}".into(), "BAD_USER_INPUT"),
        ("proxmoxClusters", "filter: {proxmoxNodes: {every: null}}".into(), "BAD_USER_INPUT"),
        ("proxmoxStorages", "filter: {contentTypes: null}".into(), "BAD_USER_INPUT"),
        ("proxmoxStorages", "filter: {usableFrom: null}".into(), "BAD_USER_INPUT"),
        ("netboxClusters", "filter: {origin: null}".into(), "BAD_USER_INPUT"),
        // Ids of another type, or of none.
        ("proxmoxNodes", r#"filter: {id: {eq: "ProxmoxCluster:1"}}"#.into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", r#"filter: {id: {in: [1, "x"]}}"#.into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", r#"filter: {id: {eq: "01"}}"#.into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {id: {eq: 99999999999}}".into(), "BAD_USER_INPUT"),
        // Texts that cannot be asked of a database, and names with blanks.
        ("proxmoxNodes", "filter: {name: {eq: \"a\\u0000\"}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {name: {contains: \"\\u0000\", ignoreCase: true}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {name: {in: [\"a\", \"\\u0000\"], ignoreCase: true}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {q: \"\\u0000\"}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "filter: {tags: {any: [\"\\u0000\"]}}".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", format!("filter: {{q: \"{}\"}}", "ä".repeat(1001)), "BAD_USER_INPUT"),
        ("proxmoxStorages", "filter: {contentTypes: [\"\"]}".into(), "BAD_USER_INPUT"),
        ("proxmoxStorages", "filter: {contentTypes: [\"a,b\"]}".into(), "BAD_USER_INPUT"),
        ("proxmoxStorages", "filter: {usableFrom: \"a b\"}".into(), "BAD_USER_INPUT"),
        // Pages.
        ("proxmoxNodes", "first: 1001".into(), "PAGE_TOO_LARGE"),
        ("proxmoxNodes", "last: 1001".into(), "PAGE_TOO_LARGE"),
        ("tags", "first: 2147483647".into(), "PAGE_TOO_LARGE"),
        ("proxmoxNodes", "first: -1".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "last: -1".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "offset: -1".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", "first: 1, last: 1".into(), "BAD_USER_INPUT"),
        ("proxmoxNodes", format!("offset: 1, after: \"{good}\""), "BAD_USER_INPUT"),
        ("proxmoxNodes", format!("offset: 1, before: \"{good}\""), "BAD_USER_INPUT"),
        ("proxmoxNodes", "offset: 1, last: 1".into(), "BAD_USER_INPUT"),
        // Cursors.
        ("proxmoxNodes", "after: \"\"".into(), "INVALID_CURSOR"),
        ("proxmoxNodes", "before: \"nonsense!\"".into(), "INVALID_CURSOR"),
        ("proxmoxNodes", format!("after: \"{}\"", cursor(b"12345678")), "INVALID_CURSOR"),
        ("proxmoxNodes", format!("after: \"{}\"", &good[..good.len() - 2]), "INVALID_CURSOR"),
        ("proxmoxNodes", format!("after: \"{good}AAAA\""), "INVALID_CURSOR"),
        ("proxmoxStorages", format!("after: \"{good}\""), "INVALID_CURSOR"),
        ("tags", format!("after: \"{good}\""), "INVALID_CURSOR"),
    ] {
        failed(&server, &query(format!("{{ {root}({arguments}) {{ nodes {{ id }} }} }}")), code, json!([root])).await;
    }
}

async fn single_objects_take_one_good_id_or_key(db: TestDb) {
    let server = db.server().await;
    for (question, code) in [
        ("proxmoxCluster", "BAD_USER_INPUT"),
        (r#"proxmoxCluster(id: 1, by: {endpoint: 1, name: "x"})"#, "BAD_USER_INPUT"),
        ("proxmoxCluster(id: null, by: null)", "BAD_USER_INPUT"),
        ("proxmoxCluster(id: \"ProxmoxNode:1\")", "BAD_USER_INPUT"),
        ("proxmoxCluster(id: \"Nonsense:1\")", "BAD_USER_INPUT"),
        ("proxmoxCluster(id: \"\")", "BAD_USER_INPUT"),
        ("proxmoxCluster(id: \"+1\")", "BAD_USER_INPUT"),
        ("proxmoxCluster(id: \"1 \")", "BAD_USER_INPUT"),
        ("proxmoxCluster(id: 2147483648)", "BAD_USER_INPUT"),
        (r#"proxmoxNode(by: {endpoint: "ProxmoxCluster:1", name: "x"})"#, "BAD_USER_INPUT"),
        (r#"proxmoxNode(by: {endpoint: 1, name: "\u0000"})"#, "BAD_USER_INPUT"),
        ("proxmoxStorage", "BAD_USER_INPUT"),
        ("netboxCluster(id: \"ProxmoxCluster:1\")", "BAD_USER_INPUT"),
        ("netboxDevice(id: \"netboxdevice:1\")", "BAD_USER_INPUT"),
        ("proxmoxEndpoint(id: \"x\")", "BAD_USER_INPUT"),
        // Only the global form says which type is meant.
        ("node(id: 1)", "BAD_USER_INPUT"),
        ("node(id: \"1\")", "BAD_USER_INPUT"),
        ("node(id: \"ProxmoxCluster:\")", "BAD_USER_INPUT"),
        ("node(id: \"ProxmoxCluster:1:1\")", "BAD_USER_INPUT"),
    ] {
        let body = query(format!("{{ {question} {{ id }} tags(first: 0) {{ totalCount }} }}"));
        let field = question.split('(').next().unwrap();
        failed(&server, &body, code, json!([field])).await;
        // The field alone is null, and what stands beside it is answered.
        let got = post(&server, JSON, body.to_string()).await.json();
        assert_eq!(got["data"], json!({field: null, "tags": {"totalCount": 3}}), "{question}");
    }
    for (ids, code) in [("[\"Tag:1\", \"1\"]", "BAD_USER_INPUT"), ("[\"Nonsense:1\"]", "BAD_USER_INPUT")] {
        failed(&server, &query(format!("{{ nodes(ids: {ids}) {{ id }} }}")), code, json!(["nodes"])).await;
    }
}

async fn plain_lists_groups_and_search_check_their_sizes(db: TestDb) {
    let server = db.server().await;
    for (question, code, path) in [
        ("proxmoxNodeList(limit: 1001) { id }", "PAGE_TOO_LARGE", json!(["proxmoxNodeList"])),
        ("proxmoxNodeList(limit: -1) { id }", "BAD_USER_INPUT", json!(["proxmoxNodeList"])),
        ("proxmoxNodeList(offset: -1) { id }", "BAD_USER_INPUT", json!(["proxmoxNodeList"])),
        ("proxmoxNodeList(filter: {name: {eq: null}}) { id }", "BAD_USER_INPUT", json!(["proxmoxNodeList"])),
        ("search(q: \"a\", first: 1001) { id }", "PAGE_TOO_LARGE", json!(["search"])),
        ("search(q: \"a\", first: -1) { id }", "BAD_USER_INPUT", json!(["search"])),
        ("search(q: \"\\u0000\") { id }", "BAD_USER_INPUT", json!(["search"])),
        ("proxmoxNodes { groups(by: []) { key } }", "BAD_USER_INPUT", json!(["proxmoxNodes", "groups"])),
        ("proxmoxNodes { groups(by: [ONLINE, ONLINE]) { key } }", "BAD_USER_INPUT", json!(["proxmoxNodes", "groups"])),
        (
            "proxmoxNodes { groups(by: [ONLINE], first: 1001) { key } }",
            "PAGE_TOO_LARGE",
            json!(["proxmoxNodes", "groups"]),
        ),
        (
            "proxmoxNodes { groups(by: [ONLINE], first: -1) { key } }",
            "BAD_USER_INPUT",
            json!(["proxmoxNodes", "groups"]),
        ),
    ] {
        failed(&server, &query(format!("{{ {question} }}")), code, path).await;
    }
}

async fn a_failing_field_is_null_where_it_may_be_and_told_with_its_whole_path(db: TestDb) {
    let server = db.server().await;
    let nested = "proxmoxNodes(first: -1) { totalCount }";
    for (question, data, path) in [
        (
            format!("proxmoxCluster(id: 1) {{ name {nested} }}"),
            json!({"found": null}),
            json!(["found", "proxmoxNodes"]),
        ),
        (
            format!("proxmoxClusters(orderBy: [{{field: ID}}], first: 2) {{ nodes {{ {nested} }} }}"),
            Value::Null,
            json!(["found", "nodes", 0, "proxmoxNodes"]),
        ),
        (
            format!(
                "node(id: \"ProxmoxNode:5\") {{ id ... on ProxmoxNode {{ proxmoxCluster {{ again: {nested} }} }} }}"
            ),
            json!({"found": {"id": "ProxmoxNode:5", "proxmoxCluster": null}}),
            json!(["found", "proxmoxCluster", "again"]),
        ),
    ] {
        let got = server.ask(&format!("{{ found: {question} }}")).await.json();
        assert_eq!(got["data"], data, "{question}");
        assert_eq!(got["errors"][0]["path"], path, "{question}");
        assert!(got["errors"][0]["locations"][0]["line"].is_u64(), "{question}");
    }
    // In a list each element has its own null, error and path.
    let question = format!(
        "{{ proxmoxNodes(filter: {{id: {{in: [5, 9, 12]}}}}, orderBy: [{{field: ID}}]) {{ nodes {{ databaseId proxmoxCluster {{ {nested} }} }} }} }}"
    );
    let got = server.ask(&question).await.json();
    assert_eq!(ids(&got["data"]["proxmoxNodes"]["nodes"]), [5, 9, 12]);
    assert!(
        got["data"]["proxmoxNodes"]["nodes"].as_array().unwrap().iter().all(|node| node["proxmoxCluster"].is_null())
    );
    let mut paths = got["errors"].as_array().unwrap().iter().map(|error| error["path"].to_string()).collect::<Vec<_>>();
    paths.sort();
    let path = |i: i32| json!(["proxmoxNodes", "nodes", i, "proxmoxCluster", "proxmoxNodes"]).to_string();
    assert_eq!(paths, [path(0), path(1)]);
}

/// Documents that do not fit the schema.
pub(super) const MISFITS: [&str; 33] = [
    "{ nope }",
    "{ proxmoxNodes { nodes { nope } } }",
    "{ proxmoxNodes }",
    "{ proxmoxNodes { totalCount { x } } }",
    "{ proxmoxNodes(nope: 1) { totalCount } }",
    "{ proxmoxNodes(first: \"1\") { totalCount } }",
    "{ proxmoxNodes(first: 1.5) { totalCount } }",
    "{ proxmoxNodes(filter: {nope: {eq: 1}}) { totalCount } }",
    "{ proxmoxNodes(filter: {name: {eq: 1}}) { totalCount } }",
    "{ proxmoxNodes(filter: {name: {in: [null]}}) { totalCount } }",
    "{ proxmoxNodes(filter: {id: {gt: 1}}) { totalCount } }",
    "{ proxmoxNodes(filter: {online: {eq: 1}}) { totalCount } }",
    "{ proxmoxNodes(filter: {memoryUsage: {eq: 9223372036854775808}}) { totalCount } }",
    "{ proxmoxNodes(filter: {memoryUsage: {eq: \"1x\"}}) { totalCount } }",
    "{ proxmoxNodes(filter: {memoryUsage: {eq: 1.5}}) { totalCount } }",
    "{ proxmoxNodes(filter: {created: {gt: \"yesterday\"}}) { totalCount } }",
    "{ proxmoxNodes(filter: {created: {gt: 5}}) { totalCount } }",
    "{ proxmoxClusters(filter: {mode: {eq: NOPE}}) { totalCount } }",
    "{ proxmoxClusters(orderBy: [{field: NOPE}]) { totalCount } }",
    "{ proxmoxClusters(orderBy: [{direction: ASC}]) { totalCount } }",
    "{ proxmoxClusters(orderBy: [{field: ID, nulls: MIDDLE}]) { totalCount } }",
    "{ proxmoxClusters { groups { key } } }",
    "{ proxmoxClusters { groups(by: [NOPE]) { key } } }",
    "{ node { id } }",
    "{ nodes(ids: null) { id } }",
    "{ node(id: true) { id } }",
    "{ node(id: \"Tag:1\") { slug } }",
    "{ search { id } }",
    "{ proxmoxCluster(by: {name: \"x\"}) { id } }",
    "{ ...F }",
    "query($a: Nope) { __typename }",
    "query { proxmoxNodes(first: $f) { totalCount } }",
    "mutation { nope }",
];

async fn documents_that_do_not_fit_the_schema_are_not_executed(db: TestDb) {
    let server = db.server().await;
    for text in MISFITS {
        refused(&server, &query(text), "GRAPHQL_VALIDATION_FAILED").await;
    }
}

async fn texts_that_are_no_documents_and_operations_that_are_not_there(db: TestDb) {
    let server = db.server().await;
    for (body, code) in [
        (query(""), "GRAPHQL_PARSE_FAILED"),
        (query("{"), "GRAPHQL_PARSE_FAILED"),
        (query("{ a("), "GRAPHQL_PARSE_FAILED"),
        (query("nonsense"), "GRAPHQL_PARSE_FAILED"),
        (query("{ search(q: \"\"\"open) { id } }"), "GRAPHQL_PARSE_FAILED"),
        (query("\u{0}"), "GRAPHQL_PARSE_FAILED"),
        (query("fragment F on Query { __typename }"), "OPERATION_RESOLUTION_FAILURE"),
        (json!({"query": "query A { __typename } query B { __typename }"}), "OPERATION_RESOLUTION_FAILURE"),
        (
            json!({"query": "query A { __typename } query B { __typename }", "operationName": "C"}),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (json!({"query": "{ __typename }", "operationName": "A"}), "OPERATION_RESOLUTION_FAILURE"),
        (json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}), "PERSISTED_QUERY_NOT_FOUND"),
    ] {
        refused(&server, &body, code).await;
    }
    let both = json!({"query": "query A { a: __typename } query B { b: __typename }", "operationName": "B"});
    assert_eq!(post(&server, JSON, both.to_string()).await.data(), json!({"b": "Query"}));
}

async fn variables_are_checked_before_anything_is_executed(db: TestDb) {
    let server = db.server().await;
    let page = "query($f: Int!) { proxmoxNodes(first: $f) { totalCount } }";
    let filter = "query($filter: ProxmoxNodeFilter) { proxmoxNodes(filter: $filter) { totalCount } }";
    for (text, variables) in [
        (page, json!({})),
        (page, json!({"f": null})),
        (page, json!({"f": "1"})),
        (page, json!({"f": 1.5})),
        (page, json!({"f": 2147483648_i64})),
        ("query($id: ID!) { node(id: $id) { id } }", json!({"id": true})),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({"ids": ["Tag:1", null]})),
        ("query($q: String!) { search(q: $q) { id } }", json!({"q": {}})),
    ] {
        let body = json!({"query": text, "variables": variables});
        refused(&server, &body, "BAD_USER_INPUT").await;
    }
    // A null that the type allows is the resolvers' to refuse.
    let body = json!({"query": filter, "variables": {"filter": {"name": {"eq": null}}}});
    failed(&server, &body, "BAD_USER_INPUT", json!(["proxmoxNodes"])).await;
}

/// A client that leaves out an optional variable means the same as one that leaves out what it stands for.
async fn omitted_variables_are_like_absent_arguments(db: TestDb) {
    let server = db.server().await;
    let text = "query($f: Int, $a: String, $o: [ProxmoxNodeOrder!], $filter: ProxmoxNodeFilter, $l: Int, $id: ID, $offset: Int) {
        proxmoxNodes(first: $f, after: $a, orderBy: $o, filter: $filter, last: $l, offset: $offset) { totalCount nodes { databaseId } }
        proxmoxNodeList(limit: $l, offset: $offset) { databaseId }
        search(q: \"lab\", first: $f) { databaseId }
        groups: proxmoxNodes { groups(by: [ONLINE], first: $f) { key } }
        proxmoxCluster(id: $id, by: {endpoint: 2, name: \"Beta\"}) { databaseId } }";
    let plain = server
        .data(
            "{ proxmoxNodes { totalCount nodes { databaseId } } proxmoxNodeList { databaseId } search(q: \"lab\") { databaseId }
               groups: proxmoxNodes { groups(by: [ONLINE]) { key } }
               proxmoxCluster(by: {endpoint: 2, name: \"Beta\"}) { databaseId } }",
        )
        .await;
    for variables in
        [json!({}), json!({"f": null, "a": null, "o": null, "filter": null, "l": null, "id": null, "offset": null})]
    {
        assert_eq!(server.ask_as(ADMIN, text, variables).await.data(), plain);
    }
    let inside = "query($i: Boolean, $d: SortDirection, $n: NullsPosition, $eq: String, $name: StringFilter, $in: [ID!]) {
        proxmoxNodes(filter: {name: {startsWith: \"lab\", ignoreCase: $i, eq: $eq}, sslFingerprint: $name, id: {in: $in}},
            orderBy: [{field: NETBOX_DEVICE_NAME, direction: $d, nulls: $n}]) { nodes { databaseId } } }";
    let answer = server.ask_as(ADMIN, inside, json!({})).await.data();
    assert_eq!(ids(&answer["proxmoxNodes"]["nodes"]), [5, 6, 7, 8]);
    let given = json!({"i": true, "d": "DESC", "n": "FIRST", "eq": "LAB-01", "in": [5, 6]});
    assert_eq!(ids(&server.ask_as(ADMIN, inside, given).await.data()["proxmoxNodes"]["nodes"]), [5]);
    // Null is not absent: for a filter it is an error.
    assert_eq!(server.ask_as(ADMIN, inside, json!({"eq": null})).await.code(), "BAD_USER_INPUT");
    let nulls = server.ask_as(ADMIN, inside, json!({"i": null, "d": null, "n": null})).await.data();
    assert_eq!(ids(&nulls["proxmoxNodes"]["nodes"]), [5, 6, 7, 8]);
    let default = "query($f: Int = 2) { proxmoxNodes(first: $f) { nodes { databaseId } } }";
    assert_eq!(ids(&server.ask_as(ADMIN, default, json!({})).await.data()["proxmoxNodes"]["nodes"]), [9, 10]);
}

async fn documents_that_are_too_much_are_refused_in_time(db: TestDb) {
    let server = db.server().await;
    let begun = std::time::Instant::now();
    let deep = |levels: usize| {
        let link = "proxmoxCluster { proxmoxNodes(first: 1) { nodes { ";
        format!("{{ proxmoxNode(id: 1) {{ {} id {} }} }}", link.repeat(levels), "} } }".repeat(levels))
    };
    assert!(post(&server, JSON, query(deep(3)).to_string()).await.json().get("errors").is_none(), "11 levels are fine");
    let bomb =
        (0..30).map(|i| format!("fragment F{i} on Query {{ ...F{} ...F{} }}\n", i + 1, i + 1)).collect::<String>();
    let chain = (0..200).map(|i| format!("fragment F{i} on Query {{ ...F{} }}\n", i + 1)).collect::<String>();
    let aliases = |n: usize| (0..n).map(|i| format!("a{i}: __typename ")).collect::<String>();
    for (text, code) in [
        (deep(4), "QUERY_TOO_DEEP"),
        (format!("{{ a(n: {}1{}) }}", "[".repeat(30_000), "]".repeat(30_000)), "QUERY_TOO_DEEP"),
        ("{a".repeat(20_000), "QUERY_TOO_DEEP"),
        ("[".repeat(60_000), "QUERY_TOO_DEEP"),
        (
            format!("{{ proxmoxNodes(filter: {}) {{ totalCount }} }}", "{not: ".repeat(99) + "{}" + &"}".repeat(99)),
            "QUERY_TOO_DEEP",
        ),
        ("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".into(), "QUERY_TOO_DEEP"),
        (
            "{ proxmoxNodes(first: 1000) { nodes { proxmoxCluster { proxmoxNodes { nodes { id } } } } } }".into(),
            "QUERY_TOO_COMPLEX",
        ),
        (
            "{ proxmoxEndpoints(first: 1000) { nodes { tags { id } proxmoxNodes { totalCount } } } }".into(),
            "QUERY_TOO_COMPLEX",
        ),
        (format!("{bomb} fragment F30 on Query {{ __typename }} {{ ...F0 }}"), "QUERY_TOO_COMPLEX"),
        (format!("{{ {} }}", "__typename ".repeat(21)), "QUERY_TOO_COMPLEX"),
        (format!("{{ {} }}", "search(q: 1) ".repeat(400)), "QUERY_TOO_COMPLEX"),
        (format!("{{ {} }}", "__typename ".repeat(500)), "QUERY_TOO_COMPLEX"),
        (format!("{{ proxmoxNodes {{ nodes {{ {} }} }} }}", "id ".repeat(21)), "QUERY_TOO_COMPLEX"),
        (format!("{{ proxmoxNodes {{ totalCount {} }} }}", "@skip(if: false) ".repeat(11)), "QUERY_TOO_COMPLEX"),
        (format!("{{ __typename {} }}", "@aa".repeat(11)), "QUERY_TOO_COMPLEX"),
        (format!("{{ __typename }} #{}", " ".repeat(64 * 1024)), "QUERY_TOO_COMPLEX"),
        (format!("{{ proxmoxNodes {{ nodes {{ {} }} }} }}", aliases(31)), "TOO_MANY_ALIASES"),
        (
            format!(
                "{{ proxmoxNodes {{ nodes {{ ...F ...F ...F ...F }} }} }} fragment F on ProxmoxNode {{ {} }}",
                aliases(8)
            ),
            "TOO_MANY_ALIASES",
        ),
        ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }".into(), "QUERY_TOO_DEEP"),
    ] {
        refused(&server, &query(text), code).await;
    }
    // A long chain of fragments is no bomb.
    let long = format!("{chain} fragment F200 on Query {{ __typename }} {{ ...F0 }}");
    let answer = post(&server, JSON, query(long).to_string()).await.json();
    assert!(
        answer.get("errors").is_none() || answer["errors"][0]["extensions"]["code"] == "QUERY_TOO_DEEP",
        "{answer}"
    );
    assert!(begun.elapsed().as_secs() < 5, "each of these is told at sight");
}

async fn lists_that_are_too_long_are_refused(db: TestDb) {
    let server = db.server().await;
    let ids = |n: usize| (1..=n).map(|id| json!(format!("ProxmoxNode:{id}"))).collect::<Vec<_>>();
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let thousand = server.ask_as(ADMIN, nodes, json!({"ids": ids(1000)})).await.data();
    assert_eq!(thousand["nodes"].as_array().unwrap().iter().filter(|node| !node.is_null()).count(), 14);
    let answer = server.ask_as(ADMIN, nodes, json!({"ids": ids(1001)})).await;
    assert!(["BAD_USER_INPUT", "PAGE_TOO_LARGE"].contains(&answer.code().as_str()), "{}", answer.code());
    let filter = "query($filter: ProxmoxNodeFilter) { proxmoxNodes(filter: $filter) { totalCount } }";
    for (filter_value, fine) in [
        (json!({"id": {"in": (1..=10_000).collect::<Vec<_>>()}}), true),
        (json!({"id": {"in": (1..=10_001).collect::<Vec<_>>()}}), false),
        (json!({"name": {"in": vec!["x"; 10_001]}}), false),
        (json!({"tags": {"any": vec!["x"; 10_001]}}), false),
        (json!({"or": vec![json!({"online": {"eq": true}}); 999]}), true),
        (json!({"or": vec![json!({"online": {"eq": true}}); 1001]}), false),
        (json!({"tags": {"all": vec!["x"; 1001]}}), false),
        ((0..12).fold(json!({}), |inner, _| json!({"not": inner})), true),
        ((0..20).fold(json!({}), |inner, _| json!({"not": inner})), false),
    ] {
        let answer = server.ask_as(ADMIN, filter, json!({"filter": filter_value})).await;
        let shown = filter_value.to_string().chars().take(80).collect::<String>();
        if fine {
            answer.data();
        } else {
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{shown}");
        }
    }
}

async fn requests_that_are_not_graphql_over_http(db: TestDb) {
    let server = db.server().await;
    let fine = query("{ __typename }").to_string();
    let typed = |ty: &'static str| vec![("content-type", ty)];
    let long = format!("{{\"query\": \"{{ __typename }}\", \"x\": \"{}\"}}", "x".repeat(1 << 20));
    for (method, uri, headers, body, status, code) in [
        ("POST", "/graphql", typed(JSON), long.as_str(), 413, "BAD_USER_INPUT"),
        ("POST", "/graphql", vec![("content-type", JSON), ("content-length", "1048577")], &fine, 413, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed("text/plain"), &fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/graphql", typed("application/x-www-form-urlencoded"), &fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/graphql", typed("application/json; charset=latin1"), &fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/graphql", vec![], &fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            "POST",
            "/graphql",
            vec![("content-type", JSON), ("content-encoding", "br")],
            &fine,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "POST",
            "/graphql",
            vec![("content-type", JSON), ("accept", "text/event-stream")],
            &fine,
            406,
            "NOT_ACCEPTABLE",
        ),
        (
            "POST",
            "/graphql",
            vec![("content-type", JSON), ("accept", "application/json;q=0")],
            &fine,
            406,
            "NOT_ACCEPTABLE",
        ),
        ("PUT", "/graphql", typed(JSON), &fine, 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/graphql", vec![], "", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/graphql?query=mutation%7Bx%7D", vec![], "", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/graphql?query=subscription%7Bx%7D", vec![], "", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/graphql", typed(JSON), "", 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), "{", 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), "[]", 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"[{"query": "{ __typename }"}]"#, 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), "\"{ __typename }\"", 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), "{}", 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"{"query": 1}"#, 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"{"query": null}"#, 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"{"query": "{ __typename }", "variables": []}"#, 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"{"query": "{ __typename }", "variables": "{}"}"#, 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"{"query": "{ __typename }", "operationName": 1}"#, 400, "BAD_USER_INPUT"),
        ("POST", "/graphql", typed(JSON), r#"{"query": "{ __typename }", "extensions": 1}"#, 400, "BAD_USER_INPUT"),
        ("GET", "/graphql", vec![], "", 400, "BAD_USER_INPUT"),
        ("GET", "/graphql?query=%7B__typename%7D&variables=x", vec![], "", 400, "BAD_USER_INPUT"),
        ("GET", "/graphql?query=%7B__typename%7D&query=%7Ba%7D", vec![], "", 400, "BAD_USER_INPUT"),
    ] {
        let answer = send(&server, method, uri, &headers, body.to_owned()).await;
        let shown = format!("{method} {uri} {headers:?} {}", body.chars().take(60).collect::<String>());
        assert_eq!(answer.status.as_u16(), status, "{shown}");
        assert_eq!(answer.code(), code, "{shown}");
        assert!(answer.json().get("data").is_none(), "{shown}");
        if status == 405 {
            let allow = if method == "GET" { "POST" } else { "GET, POST" };
            assert_eq!(answer.headers[header::ALLOW], allow, "{shown}");
        }
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json; charset=utf-8", "{shown}");
    }
    let nested = format!(
        "{{\"query\": \"{{ __typename }}\", \"variables\": {{\"a\": {}{}}}}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert_eq!(post(&server, JSON, nested).await.status, 400, "deep JSON ends no process");
}

async fn good_requests_are_answered_in_the_form_asked_for(db: TestDb) {
    let server = db.server().await;
    let fine = query("{ __typename }").to_string();
    for (accept, content) in [
        (vec![], "application/json"),
        (vec![("accept", "*/*")], "application/json"),
        (vec![("accept", GRAPHQL)], GRAPHQL),
        (vec![("accept", "application/json, application/graphql-response+json")], GRAPHQL),
        (vec![("accept", "application/graphql-response+json;q=0.5, application/json")], JSON),
    ] {
        let headers = [accept, vec![("content-type", "application/json; charset=UTF-8")]].concat();
        let answer = send(&server, "POST", "/graphql", &headers, fine.clone()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers[header::CONTENT_TYPE], format!("{content}; charset=utf-8"), "{headers:?}");
        // Compression adds its own.
        assert!(
            answer.headers.get_all(header::VARY).iter().any(|vary| vary
                .to_str()
                .unwrap()
                .to_lowercase()
                .contains("accept"))
        );
        assert_eq!(answer.data(), json!({"__typename": "Query"}));
    }
    let uri = "/graphql?query=query%20A(%24f%3A%20Int)%7Btags(first%3A%24f)%7Bnodes%7BdatabaseId%7D%7D%7D%20query%20B%7Ba%7D\
        &operationName=A&variables=%7B%22f%22%3A1%7D&extensions=%7B%7D&unknown=1";
    let answer = send(&server, "GET", uri, &[], "").await;
    // Both operations of a document are validated; B is not one of this schema.
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    let answer = send(&server, "GET", &uri.replace("query%20B%7Ba%7D", "query%20B%7B__typename%7D"), &[], "").await;
    assert_eq!(answer.data(), json!({"tags": {"nodes": [{"databaseId": 2}]}}));
}

/// What graphql-js sends with all its options on, as tools do.
pub(super) const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef }
      isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

async fn tools_can_introspect(db: TestDb) {
    let server = db.server().await;
    let data = server.data(INTROSPECTION).await;
    let types = data["__schema"]["types"].as_array().unwrap();
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    for name in ["ProxmoxCluster", "ProxmoxNodeFilter", "BigInt", "InventoryRecord", "SortDirection"] {
        assert!(types.iter().any(|ty| ty["name"] == name), "{name}");
    }
    let deprecated = types.iter().find(|ty| ty["name"] == "ProxmoxCluster").unwrap()["fields"].as_array().unwrap();
    assert_eq!(deprecated.iter().find(|field| field["name"] == "nodeCount").unwrap()["isDeprecated"], true);
}

both!(
    values_that_no_row_can_satisfy_are_told_at_their_field,
    single_objects_take_one_good_id_or_key,
    plain_lists_groups_and_search_check_their_sizes,
    a_failing_field_is_null_where_it_may_be_and_told_with_its_whole_path,
    documents_that_do_not_fit_the_schema_are_not_executed,
    texts_that_are_no_documents_and_operations_that_are_not_there,
    variables_are_checked_before_anything_is_executed,
    omitted_variables_are_like_absent_arguments,
    documents_that_are_too_much_are_refused_in_time,
    lists_that_are_too_long_are_refused,
    requests_that_are_not_graphql_over_http,
    good_requests_are_answered_in_the_form_asked_for,
    tools_can_introspect,
);
