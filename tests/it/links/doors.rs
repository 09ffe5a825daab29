//! The list of suggestions as GraphQL serves it: arguments, pages, and what it costs.
use super::{AT_FIRST, desk, node, suggested_to};
use crate::service::execute;
use crate::support::{ADMIN, Server, TestDb, both, fill};
use serde_json::{Value, json};

async fn arguments_narrow(db: TestDb) {
    let server = desk(&db, json!([])).await.server;
    for (arguments, places) in [
        ("", &[0, 1, 2, 3, 4][..]),
        ("(type: PROXMOX_CLUSTER)", &[0, 1]),
        ("(type: PROXMOX_NODE)", &[2, 3, 4]),
        ("(exact: true)", &[0, 2, 3, 4]),
        ("(exact: false)", &[1]),
        ("(endpoint: 2)", &[0]),
        ("(endpoint: \"ProxmoxEndpoint:1\", type: PROXMOX_CLUSTER)", &[1]),
        ("(endpoint: 1, exact: true, first: 2)", &[2, 3]),
        ("(endpoint: 99)", &[]),
        ("(type: null, endpoint: null, exact: null, first: 1)", &[0]),
        ("(first: 0)", &[]),
    ] {
        let expected = places.iter().map(|place| AT_FIRST[*place]).collect::<Vec<_>>();
        assert_eq!(suggested_to(&server, ADMIN, arguments).await, expected, "{arguments}");
    }
    for (arguments, code) in [
        ("first: 1001", "PAGE_TOO_LARGE"),
        ("first: -1", "BAD_USER_INPUT"),
        ("after: \"x\"", "INVALID_CURSOR"),
        ("endpoint: \"Tag:1\"", "BAD_USER_INPUT"),
        ("endpoint: \"x\"", "BAD_USER_INPUT"),
    ] {
        let answer = server.ask(&format!("{{ linkSuggestions({arguments}) {{ totalCount }} }}")).await;
        assert_eq!(answer.code(), code, "{arguments}");
    }
}

async fn pages_follow_each_other(db: TestDb) {
    let desk = desk(&db, json!([])).await;
    const PAGE: &str = "totalCount edges { cursor node { object { id } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let objects = ["ProxmoxCluster:2", "ProxmoxCluster:1", "ProxmoxNode:1", "ProxmoxNode:2", "ProxmoxNode:3"];
    for size in 1..=6 {
        let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let data = desk.server.data(&format!("{{ linkSuggestions(first: {size}{after}) {{ {PAGE} }} }}")).await;
            let (edges, info) =
                (data["linkSuggestions"]["edges"].as_array().unwrap(), &data["linkSuggestions"]["pageInfo"]);
            found.extend(edges.iter().map(|edge| edge["node"]["object"]["id"].as_str().unwrap().to_owned()));
            let ends = (&edges[0]["cursor"], &edges[edges.len() - 1]["cursor"]);
            assert_eq!((&info["startCursor"], &info["endCursor"]), ends);
            let total = &data["linkSuggestions"]["totalCount"];
            assert_eq!((&info["hasPreviousPage"], total), (&json!(pages > 0), &json!(5)));
            pages += 1;
            if info["hasNextPage"] == false {
                break;
            }
            after = format!(", after: {}", info["endCursor"]);
        }
        assert_eq!(found, objects, "pages of {size}");
    }
    // A cursor is a place, and stays one when what stood there is linked meanwhile.
    let first = desk.server.data(&format!("{{ linkSuggestions(first: 3) {{ {PAGE} }} }}")).await;
    let cursor = first["linkSuggestions"]["pageInfo"]["endCursor"].clone();
    desk.done("acceptLink", json!({"object": "ProxmoxNode:1", "target": 31})).await;
    let data = desk.server.data(&format!("{{ linkSuggestions(after: {cursor}) {{ {PAGE} }} }}")).await;
    let rest = data["linkSuggestions"]["edges"].as_array().unwrap();
    assert_eq!(rest.iter().map(|edge| &edge["node"]["object"]["id"]).collect::<Vec<_>>(), objects[3..]);
    // And it is one of this list only.
    let other = desk.server.data("{ proxmoxNodes(first: 1) { pageInfo { endCursor } } }").await;
    let other = &other["proxmoxNodes"]["pageInfo"]["endCursor"];
    let answer = desk.server.ask(&format!("{{ linkSuggestions(after: {other}) {{ totalCount }} }}")).await;
    assert_eq!(answer.code(), "INVALID_CURSOR");
}

/// So many nodes of each kind of suggestion, each with two candidates.
fn many(count: i32) -> Value {
    let mut file = super::file(json!([]));
    let device = |id: i32| json!({"id": id, "name": format!("n{}", id % 1000), "display": "n", "cluster": 25});
    let netbox = |id: i32| json!({"id": id, "name": format!("c{}", id % 1000), "display": "c"});
    let cluster = |id: i32| {
        json!({"id": id, "endpoint": 1, "name": format!("c{}", id % 1000), "mode": "cluster", "version": null,
            "netbox_cluster": null})
    };
    for id in 1001..=1000 + count {
        let rows = [
            ("proxmox_nodes", node(id, 1, Some(1), &format!("n{}", id % 1000), "192.0.2.1")),
            ("netbox_devices", device(id)),
            ("netbox_devices", device(id + 1000)),
            ("proxmox_clusters", cluster(id)),
            ("netbox_clusters", netbox(id)),
        ];
        for (list, row) in rows {
            file[list].as_array_mut().unwrap().push(row);
        }
    }
    file
}

async fn the_number_of_statements_does_not_depend_on_rows(db: TestDb) {
    const QUESTION: &str = "{ linkSuggestions(first: 500) { totalCount nodes { type isExact
        object { id tags { slug } ... on ProxmoxNode { endpoint { name } } ... on ProxmoxCluster { endpoint { name } } }
        candidates { score reasons target { id display } } } } }";
    let app = db.open().await;
    fill(&app, &many(200).to_string()).await;
    let limits = proxbox_graphql::graphql::limits::Limits { cost: u64::MAX, ..Default::default() };
    let server = Server::limited(app, limits);
    let count = async |expected: u64| {
        let data = server.data(QUESTION).await;
        assert_eq!(data["linkSuggestions"]["totalCount"], expected);
        server.count(QUESTION).await
    };
    let large = count(405).await;
    // Two clusters and two nodes are left.
    execute(&server.app.db, "UPDATE proxmox_node SET stale = TRUE WHERE id > 2").await;
    execute(&server.app.db, "UPDATE proxmox_cluster SET stale = TRUE WHERE id > 2").await;
    let mut small = count(4).await;
    if small != large {
        // Once a minute the use of the token is noted in the background, which may have fallen between.
        small = count(4).await;
    }
    assert_eq!(small, large);
    let one = server.count("{ linkSuggestions { totalCount } }").await;
    let several = "{ linkSuggestions { totalCount } a: linkSuggestions(exact: true) { totalCount }
        b: linkSuggestions(type: PROXMOX_NODE, first: 1) { nodes { isExact } } }";
    assert_eq!(server.count(several).await, one, "they are found once a request");
}

both!(arguments_narrow, pages_follow_each_other, the_number_of_statements_does_not_depend_on_rows);
