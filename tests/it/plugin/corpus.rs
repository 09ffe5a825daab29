//! After the move both sides answer every read of the recorded corpus alike, and as it was recorded.
use super::{ALL, compare, dump, import, log, seeded_stand, server};
use crate::rest::golden::{cases, report, tokens};
use crate::rest::openapi::document;
use crate::support::{SEED, TestDb, both, fill};
use futures_util::stream::{self, StreamExt};
use proxbox_graphql::entity::Kind;
use serde_json::{Value, json};

/// What comes by other ways: tokens by hand, and the references to NetBox that no row has by the mirror.
fn beforehand() -> String {
    let seed: Value = serde_json::from_str(SEED).unwrap();
    let lists = ["tokens", "netbox_clusters", "netbox_devices"].map(|list| (list.to_owned(), seed[list].clone()));
    Value::Object(lists.into_iter().collect()).to_string()
}

async fn both_sides_answer_every_read_alike(db: TestDb) {
    let (there, stand) = seeded_stand(&db).await;
    let here = db.open().await;
    fill(&here, &beforehand()).await;
    let read = stand.read().await.unwrap();
    let done = import(&here, &read, false).await;
    assert!(done.is_whole(), "{done:#?}");
    let (old, new) = (server(&there), server(&here));
    let (tokens, cases, document) = (tokens(), cases(), document(&new).await);
    let asked = cases.iter().filter(|case| !case.writes()).map(async |case| {
        if let Some(why) = case.run(&new, &tokens, &document).await {
            return Some(why);
        }
        let (a, b) = (case.request.call(&tokens).send(&old).await, case.request.call(&tokens).send(&new).await);
        let alike = a.status == b.status && a.bytes == b.bytes;
        (!alike).then(|| format!("{}: {} {}", case.id, case.request.method, case.request.path))
    });
    let told = stream::iter(asked).buffered(8).collect::<Vec<_>>().await;
    report(&told.iter().flatten().cloned().collect::<Vec<_>>(), told.len(), 1_100);
    let compared = compare(&here, &read, ALL).await;
    assert!(compared.is_alike(), "{compared:#?}");
}

async fn an_empty_database_is_filled_once(db: TestDb) {
    let (there, stand) = seeded_stand(&db).await;
    let here = db.open().await;
    let read = stand.read().await.unwrap();
    let before = log(&here).await;
    let done = import(&here, &read, false).await;
    let new = |kind| done.of(kind).new;
    assert_eq!([Kind::Endpoint, Kind::Cluster, Kind::Node, Kind::Storage, Kind::Tag].map(new), [3, 5, 14, 25, 3]);
    assert_eq!(done.references, [(Kind::NetBoxCluster, 5), (Kind::NetBoxDevice, 7)]);
    assert_eq!(log(&here).await, (before.0 + 1, before.1 + 3 + 5 + 14 + 25 + 3 + 5 + 7), "a change record each");
    // The rows are those of the other side, but for what the plugin does not tell.
    let file = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let (a, b) = (file(dump(&there).await), file(dump(&here).await));
    for list in ["tags", "proxmox_endpoints", "proxmox_clusters", "proxmox_nodes"] {
        assert_eq!(a[list], b[list], "{list}");
    }
    let without_source = |file: &Value| {
        let mut rows = file["proxmox_storages"].clone();
        rows.as_array_mut().unwrap().iter_mut().for_each(|row| row["source"] = json!(null));
        rows
    };
    assert_eq!(without_source(&a), without_source(&b));
    assert_eq!(b["netbox_clusters"][0]["origin"], "manual");
    // The second time there is nothing to do, and nothing is done.
    let (before, rows) = (log(&here).await, dump(&here).await);
    let again = import(&here, &read, false).await;
    assert_eq!((again.revision, again.of(Kind::Storage).same), (None, 25));
    assert_eq!((log(&here).await, dump(&here).await), (before, rows));
}

async fn the_next_rows_get_the_next_ids(db: TestDb) {
    let (_there, stand) = seeded_stand(&db).await;
    let here = db.open().await;
    crate::support::token(&here, crate::support::ADMIN).await;
    import(&here, &stand.read().await.unwrap(), false).await;
    let made = server(&here)
        .data(
            "mutation { createTag(input: {name: \"new\", slug: \"new\"}) { tag { databaseId } userErrors { code } } }",
        )
        .await;
    assert_eq!(made["createTag"]["tag"]["databaseId"], 4, "{made:#}");
}

both!(both_sides_answer_every_read_alike, an_empty_database_is_filled_once, the_next_rows_get_the_next_ids);
