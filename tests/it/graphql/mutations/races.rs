//! Many clients at once: nothing is lost, nothing is made twice, and nobody meets an error of the database.
use super::{Desk, told, told_each};
use crate::service::number;
use crate::support::{TestDb, both};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Sends so many mutations at once; their payloads.
async fn at_once(desk: &Arc<Desk>, count: usize, ask: impl Fn(usize) -> (&'static str, Value)) -> Vec<Value> {
    let tasks = (0..count).map(|i| {
        let (desk, (name, input)) = (desk.clone(), ask(i));
        tokio::spawn(async move { desk.ask(name, input).await })
    });
    let mut payloads = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        payloads.push(task.await.unwrap());
    }
    payloads
}

async fn one_of_many_upserts_creates(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    let revision = desk.revision().await;
    let payloads = at_once(&desk, 64, |i| {
        (
            "upsertProxmoxStorage",
            json!({"cluster": 6, "name": "raced", "port": i, "customFields": {format!("k{i}"): i}}),
        )
    })
    .await;
    for payload in &payloads {
        assert_eq!(told(payload), [""; 0]);
    }
    assert_eq!(payloads.iter().filter(|payload| payload["created"] == true).count(), 1);
    let ids = payloads.iter().map(|payload| payload["object"]["databaseId"].as_i64().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 1);
    let count = "SELECT COUNT(*) FROM proxmox_storage WHERE name = 'raced'";
    assert_eq!(number(&desk.server.app.db, count).await, 1);
    let row = desk.row("proxmox_storages", ids.into_iter().next().unwrap()).await;
    assert_eq!(row["custom_fields"].as_object().unwrap().len(), 64, "{row}");
    // Each has its change and its revision, and each change begins where the one before ended.
    let changes = desk.changes(revision, "token:admin").await;
    assert_eq!(changes.len(), 64);
    for pair in changes.windows(2) {
        assert_eq!(pair[0].after, pair[1].before);
        assert_eq!(pair[0].revision + 1, pair[1].revision);
        let time = |i: usize| pair[i].after.as_ref().unwrap().0["last_updated"].as_str().unwrap().to_owned();
        assert!(time(0) < time(1));
    }
}

async fn one_of_many_creations_wins(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    let new = json!({"endpoint": 1, "name": "raced", "ipAddress": "::1", "tags": ["prod"]});
    let payloads = at_once(&desk, 32, |_| ("createProxmoxNode", new.clone())).await;
    let refused = payloads.iter().filter(|payload| payload["created"] == false).map(told).collect::<Vec<_>>();
    assert_eq!(refused, vec![["CONFLICT name"]; 31]);
}

/// Eight fields of eight rows, a client each.
async fn patches_of_other_fields_all_survive(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    let fields = ["content", "path", "server", "export", "share", "pool", "monhost", "subdir"];
    let payloads = at_once(&desk, 64, |i| {
        let (row, field) = (i / 8 + 1, fields[i % 8]);
        let mut input = json!({"id": row, "customFields": {format!("of {field}"): i}});
        input[field] = json!(format!("{field} of {row}"));
        ("updateProxmoxStorage", input)
    })
    .await;
    payloads.iter().for_each(|payload| assert_eq!(told(payload), [""; 0]));
    for id in 1..=8 {
        let row = desk.row("proxmox_storages", id).await;
        for field in fields {
            assert_eq!(row[field], format!("{field} of {id}"));
            assert!(row["custom_fields"][format!("of {field}")].is_number());
        }
    }
}

async fn tags_given_at_once_are_those_of_one_of_them(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    let tags = |i: usize| [json!(["prod"]), json!(["test-env", "unicode"]), json!([])][i % 3].clone();
    let payloads = at_once(&desk, 24, |i| ("updateProxmoxNode", json!({"id": 1, "tags": tags(i)}))).await;
    payloads.iter().for_each(|payload| assert_eq!(told(payload), [""; 0]));
    let found = desk.row("proxmox_nodes", 1).await["tags"].clone();
    assert!([json!([1]), json!([2, 3]), json!([])].contains(&found), "{found}");
}

/// With the lock, reading and writing is one step.
async fn sixty_four_counters_count_to_sixty_four(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    let first = desk.row("proxmox_clusters", 1).await["nodes_count"].as_i64().unwrap();
    let tasks = (0..64).map(|_| {
        let desk = desk.clone();
        tokio::spawn(async move {
            loop {
                let read = desk.server.data("{ proxmoxCluster(id: 1) { nodesCount lastUpdated } }").await;
                let read = &read["proxmoxCluster"];
                let count = read["nodesCount"].as_i64().unwrap() + 1;
                let input = json!({"id": 1, "nodesCount": count, "ifLastUpdated": read["lastUpdated"]});
                let told = told(&desk.ask("updateProxmoxCluster", input).await);
                if told.is_empty() {
                    return;
                }
                assert_eq!(told, ["STALE ifLastUpdated"]);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(desk.row("proxmox_clusters", 1).await["nodes_count"], first + 64);
}

async fn rows_in_opposite_orders_do_not_block_each_other(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    for round in 0..3 {
        let payloads = at_once(&desk, 8, |i| {
            let mut items = (1..=14).map(|id| json!({"id": id, "maxCpu": round * 100 + i})).collect::<Vec<_>>();
            if i % 2 == 1 {
                items.reverse();
            }
            ("updateProxmoxNodes", json!({"items": items}))
        })
        .await;
        for payload in &payloads {
            assert_eq!((told_each(payload).concat(), &payload["succeeded"]), (vec![], &json!(14)));
        }
        let file = desk.file().await;
        let cpus = file["proxmox_nodes"].as_array().unwrap().iter().map(|row| row["max_cpu"].as_i64());
        assert_eq!(cpus.collect::<BTreeSet<_>>().len(), 1, "all of one client");
        // New rows too.
        let payloads = at_once(&desk, 8, |i| {
            let item = |n: usize| json!({"cluster": 6, "name": format!("{round} {n}"), "port": i});
            let items =
                if i % 2 == 0 { (0..9).map(item).collect::<Vec<_>>() } else { (0..9).rev().map(item).collect() };
            ("upsertProxmoxStorages", json!({"items": items}))
        })
        .await;
        let results = payloads.iter().flat_map(|payload| payload["results"].as_array().unwrap());
        let created = results.map(|result| {
            assert_eq!(told(result), [""; 0]);
            usize::from(result["created"] == true)
        });
        assert_eq!(created.sum::<usize>(), 9);
    }
}

/// Whoever writes below an endpoint that goes finds it gone, and nothing of theirs stays behind.
async fn an_endpoint_goes_while_others_write_below_it(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    for round in 0..4 {
        let endpoint = desk.made("createProxmoxEndpoint", json!({"name": format!("e{round}"), "domain": "d"})).await;
        let cluster = json!({"endpoint": endpoint, "name": "c", "mode": "CLUSTER"});
        let cluster = desk.made("createProxmoxCluster", cluster).await;
        let mut nodes = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let node = json!({"endpoint": endpoint, "name": name, "ipAddress": "::1", "proxmoxCluster": cluster});
            nodes.push(desk.made("createProxmoxNode", node).await);
        }
        let payloads = at_once(&desk, 32, |i| match i % 8 {
            7 if i == 15 => ("deleteProxmoxEndpoint", json!({"id": endpoint})),
            0 | 4 => (
                "createProxmoxNode",
                json!({"endpoint": endpoint, "name": format!("n{i}"), "ipAddress": "::1", "tags": ["prod"]}),
            ),
            1 => {
                ("updateProxmoxNode", json!({"id": nodes[i % 4], "tags": [(if i < 16 { "prod" } else { "unicode" })]}))
            }
            // A node of another endpoint, in the cluster that goes.
            2 => ("updateProxmoxNode", json!({"id": 1 + i / 8, "proxmoxCluster": cluster})),
            3 => ("updateProxmoxCluster", json!({"id": cluster, "nodesCount": i, "tags": ["test-env"]})),
            5 => ("updateProxmoxNode", json!({"id": nodes[i / 8], "maxCpu": i})),
            6 => ("deleteProxmoxNode", json!({"id": nodes[i / 8]})),
            _ => ("upsertProxmoxCluster", json!({"endpoint": endpoint, "name": "c", "mode": "CLUSTER", "version": i})),
        })
        .await;
        let allowed = ["REFERENCE_NOT_FOUND", "NOT_FOUND id"];
        for told in payloads.iter().flat_map(told) {
            assert!(allowed.iter().any(|allowed| told.starts_with(allowed)), "{told}");
        }
        assert_eq!(told(&payloads[15]), [""; 0]);
        let db = &desk.server.app.db;
        for table in ["proxmox_node", "proxmox_cluster"] {
            let left = format!("SELECT COUNT(*) FROM {table} WHERE endpoint_id = {endpoint}");
            assert_eq!(number(db, &left).await, 0);
            let orphans = format!(
                "SELECT COUNT(*) FROM tag_assignment WHERE object_type = '{table}' \
                 AND object_id NOT IN (SELECT id FROM {table})"
            );
            assert_eq!(number(db, &orphans).await, 0, "a tag of a {table} that is gone");
        }
    }
    // Each deletion shows its row as the change before left it.
    let mut last = std::collections::HashMap::new();
    for change in desk.changes(1, "token:admin").await {
        let object = (change.object_type.clone(), change.object_id);
        if let Some(before) = last.insert(object.clone(), change.after.clone()) {
            assert_eq!(before, change.before, "{object:?} in {}", change.revision);
        }
    }
}

async fn a_tag_goes_while_objects_get_it(db: TestDb) {
    let desk = Arc::new(Desk::new(&db).await);
    let payloads = at_once(&desk, 16, |i| match i {
        5 => ("deleteTag", json!({"id": 3})),
        _ => ("updateProxmoxNode", json!({"id": i % 14 + 1, "tags": ["unicode"]})),
    })
    .await;
    for (i, payload) in payloads.iter().enumerate() {
        let told = told(payload);
        assert!(told.is_empty() || (i != 5 && told == ["REFERENCE_NOT_FOUND tags.0"]), "{i}: {told:?}");
    }
    assert_eq!(number(&desk.server.app.db, "SELECT COUNT(*) FROM tag_assignment WHERE tag_id = 3").await, 0);
}

both!(
    one_of_many_upserts_creates,
    one_of_many_creations_wins,
    patches_of_other_fields_all_survive,
    tags_given_at_once_are_those_of_one_of_them,
    sixty_four_counters_count_to_sixty_four,
    rows_in_opposite_orders_do_not_block_each_other,
    an_endpoint_goes_while_others_write_below_it,
    a_tag_goes_while_objects_get_it,
);
