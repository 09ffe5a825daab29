//! Links to objects that are not mirrored yet.
use super::Scene;
use crate::support::netbox::{CLUSTERS, DEVICES};
use crate::support::{ADMIN, Answer, SEED, Server, TestDb, both, fill};
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

/// The seed, beside a NetBox that has cluster 90 and devices 91 and 92 besides.
async fn beside(db: &TestDb) -> (Scene, Server) {
    let scene = Scene::new(db).await;
    fill(&scene.app, SEED).await;
    scene.world.cluster(90, "brand-new", "DC1", 30);
    scene.world.device(91, Some("new1"), "DC1", 31);
    scene.world.device(92, None, "DC1", 31);
    let server = Server::new(scene.app.clone());
    (scene, server)
}

async fn send(server: &Server, method: Method, path: &str, token: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/plugins/proxbox/{path}"))
        .header(header::HOST, "netbox.example.com")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Token {token}"))
        .body(Body::from(body.to_string()))
        .unwrap();
    server.send(request).await
}

async fn a_patch_reads_through_to_netbox(db: TestDb) {
    let (scene, server) = beside(&db).await;
    let answer = send(&server, Method::PATCH, "clusters/1/", ADMIN, json!({"netbox_cluster": 90})).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    let nested = &answer.json()["netbox_cluster"];
    // Four keys, as ever.
    let keys = nested.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys, ["id", "url", "display", "name"]);
    assert_eq!((&nested["id"], &nested["name"]), (&json!(90), &json!("brand-new")));
    // One question, about one object.
    let asked = scene.world.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with(CLUSTERS) && asked[0].contains("id=90"), "{asked:?}");
    // It is mirrored now: the second time nobody is asked.
    send(&server, Method::PATCH, "clusters/2/", ADMIN, json!({"netbox_cluster": 90})).await;
    assert!(scene.world.asked().is_empty());
    let data = server.data("{ netboxCluster(id: 90) { origin site { name } } }").await;
    assert_eq!(data["netboxCluster"], json!({"origin": "NETBOX", "site": {"name": "DC1"}}));
}

async fn several_may_link_the_same_new_object_at_once(db: TestDb) {
    let (_scene, server) = beside(&db).await;
    let bodies = (1..=8).map(|id| {
        let server = server.clone();
        tokio::spawn(async move {
            let body = json!({"netbox_device": 91});
            let answer = send(&server, Method::PATCH, &format!("nodes/{id}/"), ADMIN, body).await;
            (answer.status, String::from_utf8_lossy(&answer.bytes).into_owned())
        })
    });
    for answer in bodies.collect::<Vec<_>>() {
        let (status, text) = answer.await.unwrap();
        assert_eq!(status, 200, "{text}");
    }
    let linked = server.data("{ netboxDevice(id: 91) { proxmoxNodes { totalCount } } }").await;
    assert_eq!(linked["netboxDevice"]["proxmoxNodes"]["totalCount"], 8);
}

async fn a_wrong_id_is_refused_as_recorded(db: TestDb) {
    let (scene, server) = beside(&db).await;
    let answer = send(&server, Method::PATCH, "clusters/1/", ADMIN, json!({"netbox_cluster": 4711})).await;
    assert_eq!(answer.status, 400);
    let message = "Related object not found using the provided numeric ID: 4711";
    assert_eq!(answer.json(), json!({"netbox_cluster": [message]}));
    assert_eq!(scene.world.asked().len(), 1);
    // Local references and what no id can be are not asked for.
    for id in [json!(1_000_000_005), json!(0), json!(-3)] {
        send(&server, Method::PATCH, "clusters/1/", ADMIN, json!({"netbox_cluster": id})).await;
    }
    assert!(scene.world.asked().is_empty());
}

async fn mutations_and_bulks_read_through_too(db: TestDb) {
    let (scene, server) = beside(&db).await;
    let query =
        "mutation { updateProxmoxNode(input: {id: 1, netboxDevice: 92}) { proxmoxNode { netboxDevice { name display } }
                 userErrors { message } } }";
    let data = server.data(query).await;
    let expected = json!({"netboxDevice": {"name": null, "display": "Dell R740 (92)"}});
    assert_eq!(data["updateProxmoxNode"], json!({"proxmoxNode": expected, "userErrors": []}));
    scene.world.asked();
    let bulk = json!([{"id": 1, "netbox_device": 91}, {"id": 2, "netbox_device": 91}, {"id": 3, "netbox_device": 16}]);
    let answer = send(&server, Method::PATCH, "nodes/", ADMIN, bulk).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    let asked = scene.world.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains("id=16") && asked[0].contains("id=91") && asked[0].starts_with(DEVICES));
    let data = server
        .data("mutation { updateProxmoxNode(input: {id: 1, netboxDevice: 4711}) { userErrors { code path } } }")
        .await;
    let errors = json!([{"code": "REFERENCE_NOT_FOUND", "path": ["netboxDevice"]}]);
    assert_eq!(data["updateProxmoxNode"]["userErrors"], errors);
}

async fn an_accepted_link_reads_through_too(db: TestDb) {
    let (scene, server) = beside(&db).await;
    let accept = async |target: i32| {
        let query = format!(
            "mutation {{ acceptLink(input: {{object: \"ProxmoxNode:1\", target: \"NetBoxDevice:{target}\"}}) {{ userErrors {{ code }} }} }}"
        );
        server.data(&query).await["acceptLink"]["userErrors"].take()
    };
    assert_eq!(accept(91).await, json!([]));
    assert_eq!(scene.world.asked().len(), 1);
    assert_eq!(server.data("{ netboxDevice(id: 91) { name } }").await["netboxDevice"]["name"], "new1");
    assert_eq!(accept(4711).await[0]["code"], "REFERENCE_NOT_FOUND");
}

async fn a_new_storage_may_name_a_new_cluster(db: TestDb) {
    let (_scene, server) = beside(&db).await;
    let answer = send(&server, Method::POST, "storage/", ADMIN, json!({"cluster": 90, "name": "fresh"})).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!(answer.json()["cluster"]["name"], "brand-new");
}

async fn who_may_not_write_makes_nobody_ask(db: TestDb) {
    let (scene, server) = beside(&db).await;
    // A token of the seed that may read only.
    let readonly = crate::support::netbox::token("TOKEN_READONLY");
    let answer = send(&server, Method::PATCH, "clusters/1/", &readonly, json!({"netbox_cluster": 90})).await;
    assert_eq!(answer.status, 403);
    assert!(scene.world.asked().is_empty());
}

async fn a_netbox_that_does_not_answer_refuses_the_link_and_nothing_else(db: TestDb) {
    let (scene, server) = beside(&db).await;
    scene.world.state().instead.insert(CLUSTERS.into(), (0, 500, json!({})));
    let answer = send(&server, Method::PATCH, "clusters/1/", ADMIN, json!({"netbox_cluster": 90})).await;
    assert_eq!(answer.status, 400);
    let answer = send(&server, Method::PATCH, "clusters/1/", ADMIN, json!({"netbox_cluster": 5})).await;
    assert_eq!(answer.status, 200);
}

async fn mirrored_references_are_not_written_by_hand(db: TestDb) {
    let (scene, server) = beside(&db).await;
    scene.full().await;
    let path = "/api/virtualization/clusters/";
    let rest = async |method: Method, path: String, body: Value| {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "netbox.example.com");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, format!("Token {ADMIN}"));
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let new = rest(Method::POST, path.into(), json!({"id": 800, "name": "mine"})).await;
    assert_eq!(new.status, 409);
    assert!(new.json()["detail"].as_str().unwrap().contains("NetBox is connected"), "{}", new.json());
    assert_eq!(rest(Method::PATCH, format!("{path}90/"), json!({"name": "mine"})).await.status, 409);
    assert_eq!(rest(Method::DELETE, format!("{path}90/"), json!({})).await.status, 409);
    let query = "mutation { updateNetboxDevice(input: {id: 91, name: \"mine\"}) { userErrors { code message } } }";
    let errors = server.data(query).await["updateNetboxDevice"]["userErrors"].clone();
    assert_eq!(errors[0]["code"], "CONFLICT");
    let query = "mutation { createNetboxDevice(input: {databaseId: 801, name: \"mine\"}) { userErrors { code } } }";
    assert_eq!(server.data(query).await["createNetboxDevice"]["userErrors"][0]["code"], "CONFLICT");
    // One that was made by hand before, and that NetBox does not know, may go.
    assert_eq!(rest(Method::DELETE, format!("{path}5/"), json!({})).await.status, 204);
}

both! {
    a_patch_reads_through_to_netbox,
    several_may_link_the_same_new_object_at_once,
    a_wrong_id_is_refused_as_recorded,
    mutations_and_bulks_read_through_too,
    an_accepted_link_reads_through_too,
    a_new_storage_may_name_a_new_cluster,
    who_may_not_write_makes_nobody_ask,
    a_netbox_that_does_not_answer_refuses_the_link_and_nothing_else,
    mirrored_references_are_not_written_by_hand,
}
