//! The number of statements does not grow with the number of rows.
use super::{CLUSTERS, DEVICES, ENDPOINTS, LISTS, NETBOX_CLUSTERS, NODES, STORAGES, TAGS, get};
use crate::graphql::counts::server;
use crate::support::{Server, TestDb, both};

/// How many statements a list sends, authentication included.
async fn count(server: &Server, target: &str, accept: &str) -> usize {
    let call = get(target).with("accept", accept);
    server.statements_of(async || assert_eq!(call.send(server).await.status, 200, "{target}")).await
}

/// Questions that many rows answer, whatever the resource; and those that only some understand.
fn questions(path: &str) -> Vec<&'static str> {
    let mut all = vec![
        "",
        "name__ic=0",
        "name__niew=nothing",
        "id__gte=1&id__lt=100000",
        "name__regex=.",
        "brief=true",
        "fields=id",
        "omit=name",
        "ordering=-name",
        "start=1",
        "offset=1",
        "unknown=1",
    ];
    if [ENDPOINTS, CLUSTERS, NODES, STORAGES].contains(&path) {
        all.extend([
            "q=0",
            "tag__n=tag-1",
            "tag_id__n=1",
            "created__gte=2020-01-01",
            "fields=tags",
            "ordering=created",
        ]);
    }
    all.extend(match path {
        CLUSTERS => &["endpoint__n=1", "netbox_cluster_id__n=1&quorate=true", "ordering=-endpoint,netbox_cluster"][..],
        NODES => &["endpoint__n=1&proxmox_cluster__n=1", "netbox_device_id__n=null", "ordering=netbox_device__name"],
        STORAGES => &["cluster_id__n=1", "cluster__name__ic=nb", "cluster__name__nie=x", "ordering=cluster,-port"],
        _ => &[],
    });
    all
}

async fn lists_do_not_ask_once_a_row(db: TestDb) {
    let server = server(&db, 60).await;
    // The first use of a token is noted in the background; that must not count.
    get(TAGS).json_of(&server, 200).await;
    let mut asked = 0;
    for path in LISTS {
        for query in questions(path) {
            for accept in ["application/json", "application/x-ndjson"] {
                let ask = async || {
                    let few = count(&server, &format!("{path}?limit=2&{query}"), accept).await;
                    (few, count(&server, &format!("{path}?limit=50&{query}"), accept).await)
                };
                let (mut few, mut many) = ask().await;
                if few != many {
                    // Once a minute the use of the token is noted, which may have fallen between.
                    (few, many) = ask().await;
                }
                assert_eq!(few, many, "statements of {path}?{query} as {accept}");
                assert!((2..=12).contains(&few), "{few} statements of {path}?{query}");
                asked += 1;
            }
        }
    }
    assert!(asked > 150, "{asked}");
}

/// The rows behind the answers are really more.
async fn the_questions_have_many_answers(db: TestDb) {
    let server = server(&db, 60).await;
    for path in [CLUSTERS, NODES, STORAGES, ENDPOINTS, NETBOX_CLUSTERS, DEVICES, TAGS] {
        for query in questions(path) {
            let body = get(&format!("{path}?limit=50&{query}")).json_of(&server, 200).await;
            assert!(body["results"].as_array().unwrap().len() >= 25, "{path}?{query}: {body}");
        }
    }
}

both!(lists_do_not_ask_once_a_row, the_questions_have_many_answers);
