//! How much errors tell, and what they do not.
use super::errors::{JSON, post, query};
use crate::service;
use crate::support::{TestDb, both};
use serde_json::json;

async fn a_mistake_that_is_made_often_is_told_once(db: TestDb) {
    let server = db.server().await;
    let told = async |text: String| post(&server, JSON, query(text).to_string()).await;
    for (text, places) in [
        (format!("{{ __typename {} }}", "@aa".repeat(10)), 10),
        (format!("{{ proxmoxNodes {{ totalCount {} }} }}", "@aa ".repeat(10)), 10),
        (format!("{{ {} }}", "nope ".repeat(15)), 15),
        (format!("{{ proxmoxNodes {{ nodes {{ {} }} }} }}", "... { nope } ".repeat(20)), 20),
        (format!("{{ a: tags {{ {0} }} b: tags {{ {0} }} }}", "nope ".repeat(20)), 20),
    ] {
        let got = told(text.clone()).await.json();
        let errors = got["errors"].as_array().unwrap();
        assert_eq!((errors.len(), errors[0]["locations"].as_array().unwrap().len()), (1, places), "{text}: {got}");
    }
    let many =
        told(format!("{{ proxmoxNodes {{ {} }} }}", (0..500).map(|i| format!("no{i} ")).collect::<String>())).await;
    assert_eq!(many.json()["errors"].as_array().unwrap().len(), 20);
    // Long names are not told with every mistake.
    let variables = (0..490).map(|i| format!("$v{i}: Int ")).collect::<String>();
    let long = told(format!("query {}({variables}) {{ __typename }}", "x".repeat(50_000))).await;
    assert_eq!(long.code(), "GRAPHQL_VALIDATION_FAILED");
    assert!(long.bytes.len() < 20_000, "{}", long.bytes.len());
}

async fn what_fails_inside_stays_inside(db: TestDb) {
    let server = db.server().await;
    service::execute(&server.app.db, "ALTER TABLE proxmox_node RENAME TO canary").await;
    let update =
        "mutation { updateProxmoxNode(input: {id: 5, maxCpu: 1}) { userErrors { message } proxmoxNode { id } } }";
    for text in [
        "{ proxmoxNodes { nodes { id } } }",
        "{ proxmoxNodes { totalCount aggregate { count } } }",
        "{ proxmoxClusters { nodes { proxmoxNodes { totalCount } } } }",
        "{ node(id: \"ProxmoxNode:5\") { id } }",
        "{ search(q: \"a\") { id } }",
        update,
    ] {
        let answer = server.ask(text).await;
        let got = answer.json();
        let id = answer.headers["x-request-id"].to_str().unwrap();
        let errors = got["errors"].as_array().unwrap();
        for error in errors {
            assert_eq!(error["extensions"], json!({"code": "INTERNAL_SERVER_ERROR", "requestId": id}), "{text}");
            assert_eq!(error["message"], "the server failed; its log tells more under the request's id", "{text}");
        }
        let told = got.to_string().to_lowercase();
        for inside in ["canary", "proxmox_node", "sql", "select", "relation", "table", ".rs", ".db", "/"] {
            assert!(!told.contains(inside), "{text}: {inside} in {told}");
        }
    }
}

both!(a_mistake_that_is_made_often_is_told_once, what_fails_inside_stays_inside);
