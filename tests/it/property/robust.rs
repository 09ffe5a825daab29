//! Whatever a client sends, the server does not fail: no question is answered with an internal error.
use super::data;
use super::graphql::Place;
use super::{Verdict, cases, hold};
use crate::support::{ADMIN, Answer, TestDb, both};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

both!(no_text_breaks_a_question, no_forged_cursor_breaks_a_page, no_bytes_break_the_door, numbers_of_any_size);

fn unharmed(answer: &Answer, what: &str) -> Verdict {
    let text = String::from_utf8_lossy(&answer.bytes);
    if answer.status == StatusCode::INTERNAL_SERVER_ERROR || text.contains("INTERNAL_SERVER_ERROR") {
        return Err(TestCaseError::fail(format!("{} {text}\n{what}", answer.status)));
    }
    Ok(())
}

/// Texts that break things elsewhere.
fn nasty() -> BoxedStrategy<String> {
    let known = select(vec![
        "\0",
        "a\0b",
        "%",
        "_",
        "\\",
        "\\\\",
        "'",
        "\"",
        "';--",
        "(",
        "[",
        "[a",
        "a{9999}",
        "(?P<n>",
        "*",
        "+",
        "?",
        "^$",
        "|",
        "\\d",
        "\\x",
        "(?i)",
        "$1",
        "?",
        "\u{feff}",
        "\u{fffd}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{202e}",
        "e\u{301}",
        "İ",
        "ı",
        "ẞ",
        "ſ",
        "K",
        "ς",
        "\r\n",
        "\t",
        "ǅ",
        "ﬁ",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "1e400",
        "-0",
        "NaN",
        "ProxmoxNode:1",
        "ProxmoxNode:",
        ":1",
        "ProxmoxNode:99999999999",
        "-1",
        "2147483648",
        "0x1",
        "null",
        "{}",
        "\u{1b}[0m",
    ]);
    let long =
        (select(vec!["a", "É", "😀", "[", "\\", "(", "İ", " "]), select(vec![255usize, 999, 1_000, 1_001, 40_000]));
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        2 => any::<String>(),
        2 => data::text(),
        1 => long.prop_map(|(part, times)| part.repeat(times)),
        1 => vec(any::<u8>(), 0..40).prop_map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes)),
    ]
    .boxed()
}

/// Questions with a text `$s` in every sort of place.
fn places() -> BoxedStrategy<String> {
    let plain = [
        "query($s: String!) { search(q: $s) { __typename } }",
        "query($s: String!) { proxmoxNodes(after: $s) { totalCount nodes { id } } }",
        "query($s: String!) { proxmoxStorages(before: $s, last: 3) { nodes { id } pageInfo { hasNextPage } } }",
        "query($s: String!) { proxmoxClusters(filter: {q: $s}) { totalCount } }",
        "query($s: String!) { proxmoxStorages(filter: {q: $s}) { totalCount } }",
        "query($s: String!) { proxmoxStorages(filter: {contentTypes: [$s]}) { totalCount } }",
        "query($s: String!) { proxmoxStorages(filter: {usableFrom: $s}) { totalCount } }",
        "query($s: String!) { proxmoxStorages(filter: {tags: {any: [$s], all: [$s], none: [$s]}}) { totalCount } }",
        "query($s: DateTime!) { proxmoxNodes(filter: {created: {gt: $s}}) { totalCount } }",
        "query($s: BigInt!) { proxmoxNodes(filter: {maxMemory: {gt: $s}}) { totalCount } }",
        "query($s: ID!) { node(id: $s) { id } }",
        "query($s: ID!) { nodes(ids: [$s, $s]) { id } }",
        "query($s: ID!) { proxmoxNode(id: $s) { id } }",
        "query($s: ID!) { proxmoxEndpoint(id: $s) { id } }",
        "query($s: ID!) { netboxCluster(id: $s) { id } }",
        "query($s: ID!) { proxmoxNodes(filter: {id: {in: [$s]}}) { totalCount } }",
        "query($s: ID!) { proxmoxNode(by: {endpoint: $s, name: \"x\"}) { id } }",
        "query($s: String!) { proxmoxNode(by: {endpoint: 2, name: $s}) { id } }",
        "query($s: String!) { proxmoxStorage(by: {cluster: 2, name: $s}) { id } }",
        "query($s: Int!) { proxmoxNodes(first: $s) { totalCount } }",
        "query($s: ProxmoxMode!) { proxmoxClusters(filter: {mode: {eq: $s}}) { totalCount } }",
        "query($s: ProxmoxNodeFilter!) { proxmoxNodes(filter: $s) { totalCount } }",
    ];
    let fields = select(vec![
        ("proxmoxNodes", "name"),
        ("proxmoxNodes", "ipAddress"),
        ("proxmoxNodes", "sslFingerprint"),
        ("proxmoxStorages", "path"),
        ("proxmoxClusters", "clusterId"),
        ("proxmoxEndpoints", "domain"),
        ("netboxClusters", "name"),
        ("netboxDevices", "name"),
    ]);
    let operators = vec!["eq", "ne", "gt", "gte", "lt", "lte", "contains", "startsWith", "endsWith"];
    let operands = (fields, select(operators), any::<bool>()).prop_map(|((list, field), how, fold)| {
        let part = format!(
            "{field}: {{{how}: $s, ignoreCase: {fold}}}, not: {{{field}: {{in: [$s, \"x\"], ignoreCase: {fold}}}}}"
        );
        format!("query($s: String!) {{ {list}(filter: {{{part}}}) {{ totalCount }} }}")
    });
    prop_oneof![select(plain.to_vec()).prop_map(str::to_owned), operands].boxed()
}

async fn no_text_breaks_a_question(db: TestDb) {
    let place = Place::new(&db).await;
    hold(cases(150), (places(), nasty()), async |(query, text)| {
        let answer = place.server.ask_as(ADMIN, &query, json!({"s": text})).await;
        let code = answer.json()["errors"][0]["extensions"]["code"].clone();
        assert!(answer.json()["errors"].is_null() || code.is_string(), "an error has a code: {}", answer.json());
        unharmed(&answer, &format!("{query} with {:?}", &text.chars().take(80).collect::<String>()))
    });
}

async fn no_forged_cursor_breaks_a_page(db: TestDb) {
    let place = Place::new(&db).await;
    let lists = [
        (
            "proxmoxNodes",
            "NODE_ID IP_ADDRESS ONLINE CPU_USAGE MAX_MEMORY MEMORY_USAGE_PERCENT CREATED ENDPOINT_NAME ID",
        ),
        ("proxmoxStorages", "STORAGE_TYPE SHARED SERVER LAST_UPDATED CLUSTER_NAME ID"),
        ("proxmoxClusters", "MODE NODES_COUNT VERSION QUORATE NETBOX_CLUSTER_NAME ID"),
    ];
    let mut genuine = Vec::new();
    for (list, keys) in lists {
        for key in keys.split(' ') {
            let query = |page: &str| {
                format!(
                    "{{ {list}(orderBy: [{{field: {key}}}], {page}) {{ totalCount pageInfo {{ endCursor hasPreviousPage }} }} }}"
                )
            };
            for first in [1, 20] {
                let data = place.ask(0, &query(&format!("first: {first}")), json!({})).await;
                let cursor = data[list]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
                genuine.push((query("first: 3, after: \"CURSOR\""), BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap()));
            }
        }
    }
    let change = (any::<Index>(), select(vec![0u8, 1, 0x7f, 0x80, 0xff, 0xf0, b'0', b's', b'i', b'f']), any::<bool>());
    let forged = (select(genuine), vec(change, 1..8));
    hold(cases(150), forged, async |((query, mut bytes), changes)| {
        for (at, byte, cut) in changes {
            // The first bytes tell the ordering; a cursor of another one is refused anyway.
            let at = 8 + at.index(bytes.len() - 8);
            if cut && bytes.len() > 12 {
                bytes.remove(at);
            } else {
                bytes[at] = byte;
            }
        }
        let query = query.replace("CURSOR", &BASE64_URL_SAFE_NO_PAD.encode(&bytes));
        let answer = place.server.ask_as(ADMIN, &query, json!({})).await;
        unharmed(&answer, &format!("{query} {bytes:?}"))?;
        let code = &answer.json()["errors"][0]["extensions"]["code"];
        if code.is_null() || code == "INVALID_CURSOR" {
            Ok(())
        } else {
            Err(TestCaseError::fail(format!("{code}: {query}")))
        }
    });
}

async fn send(place: &Place, body: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/graphql")
        .header(header::HOST, "proxbox.example.com")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
        .body(Body::from(body))
        .unwrap();
    place.server.send(request).await
}

async fn no_bytes_break_the_door(db: TestDb) {
    let place = Place::new(&db).await;
    let piece = prop_oneof![
        vec(any::<u8>(), 0..6),
        select(vec![
            r"\ud800",
            r"\udc00",
            r"\ud83d\ude00",
            r"\u0000",
            r"\uFFFF",
            r#"\""#,
            r"\\",
            r"\x",
            "\n",
            "é",
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            "(",
            ")",
            "#",
            "...",
            "$s",
            "@skip",
            "!",
            "\"\"\"",
            "name",
            "filter",
            "0",
            "-",
            "1e9",
            "\u{feff}",
            "&",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let bytes = vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    hold(cases(150), (bytes, 0..4u8), async |(bytes, place_of)| {
        let around: (&str, &str) = match place_of {
            0 => ("", ""),
            1 => (r#"{"query":"query($s: String!) { search(q: $s) { __typename } }","variables":{"s":""#, r#""}}"#),
            2 => (r#"{"query":"{ search(q: \""#, r#"\") { __typename } }"}"#),
            _ => (r#"{"query":"{ proxmoxNodes("#, r#") { totalCount } }"}"#),
        };
        let body = [around.0.as_bytes(), &bytes, around.1.as_bytes()].concat();
        let answer = send(&place, body.clone()).await;
        unharmed(&answer, &String::from_utf8_lossy(&body))?;
        let answered: Value = answer.json();
        let told = answered["data"].is_object() || answered["errors"][0]["extensions"]["code"].is_string();
        if told { Ok(()) } else { Err(TestCaseError::fail(format!("neither data nor a code: {answered}"))) }
    });
}

async fn numbers_of_any_size(db: TestDb) {
    let place = Place::new(&db).await;
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|value| json!(value)),
        select(vec![
            json!(i64::MIN),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(i32::MIN),
            json!(2_147_483_648i64),
            json!(1e308)
        ]),
        select(vec![
            json!(1001),
            json!(1000),
            json!(-1),
            json!(0),
            json!(-0.0),
            json!(null),
            json!(5e-324),
            json!(1.0)
        ]),
    ];
    let places = select(vec![
        "query($n: Int) { proxmoxNodes(first: $n) { totalCount nodes { id } } }",
        "query($n: Int) { proxmoxNodes(last: $n) { totalCount pageInfo { hasNextPage hasPreviousPage } } }",
        "query($n: Int) { proxmoxNodes(offset: $n) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }",
        "query($n: Int) { proxmoxEndpoints { nodes { proxmoxNodes(offset: $n, first: 1000) { nodes { id } } } } }",
        "query($n: Int) { proxmoxNodeList(limit: 3, offset: $n) { id } }",
        "query($n: Int) { proxmoxNodeList(limit: $n) { id } }",
        "query($n: Int) { proxmoxNodes { groups(by: [ONLINE], first: $n) { key } } }",
        "query($n: Int) { search(q: \"a\", first: $n) { id } }",
        "query($n: Int!) { proxmoxNodes(filter: {nodeId: {lte: $n, ne: $n}}) { totalCount } }",
        "query($n: BigInt!) { proxmoxNodes(filter: {memoryUsage: {gte: $n, notIn: [$n]}}) { totalCount } }",
        "query($n: Float!) { proxmoxNodes(filter: {memoryUsagePercent: {lt: $n}, cpuUsagePercent: {ne: $n}}) { totalCount } }",
        "query($n: ID!) { proxmoxNode(id: $n) { id } }",
    ]);
    hold(cases(120), (places, number), async |(query, number)| {
        let answer = place.server.ask_as(ADMIN, query, json!({"n": number})).await;
        unharmed(&answer, &format!("{query} with {number}"))
    });
}
