//! What becomes of rows that changed, that did not fit, or whose id is taken.
use super::lists::{Lists, cluster, endpoint, node, small, storage, tag};
use super::{compare, dump, import, log, there};
use crate::support::{TestDb, both, fill};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Kind, cluster as clusters, endpoint as endpoints, node as nodes, storage as storages};
use proxbox_graphql::plugin::{Report, Scope, There};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

/// The small installation with its endpoint's own rows changed so.
fn small_with(change: impl Fn(&mut Value)) -> There {
    let kinds = [Kind::Endpoint, Kind::Cluster, Kind::Node, Kind::Storage];
    let rows =
        kinds.into_iter().zip(small()).flat_map(|(kind, (_, rows))| rows.into_iter().map(move |row| (kind, row)));
    let rows = rows.map(|(kind, mut row)| {
        row["kind"] = json!(kind.table());
        change(&mut row);
        row.as_object_mut().unwrap().remove("kind");
        (kind, row)
    });
    there(&rows.collect::<Vec<_>>())
}

fn is(row: &Value, kind: Kind, id: i64) -> bool {
    row["kind"] == kind.table() && row["id"] == id
}

async fn node_row(app: &App, id: i32) -> nodes::Model {
    nodes::Entity::find_by_id(id).one(&app.db.read).await.unwrap().unwrap()
}

async fn what_is_newer_there_is_taken(db: TestDb) {
    let here = db.open().await;
    import(&here, &small_with(|_| ()), false).await;
    let later = small_with(|row| {
        if is(row, Kind::Node, 1) {
            row["online"] = json!(false);
            row["last_updated"] = json!("2026-03-01T00:00:00Z");
        }
        // Not newer: what is here counts.
        if is(row, Kind::Node, 2) {
            row["online"] = json!(false);
        }
        // Figures alone leave the time of the row alone.
        if is(row, Kind::Node, 3) {
            row["cpu_usage"] = json!(99.0);
            row["last_updated"] = json!("2026-03-01T00:00:00Z");
        }
    });
    let done = import(&here, &later, false).await;
    let counts = done.of(Kind::Node);
    assert_eq!((counts.new, counts.changed, counts.same, counts.conflicts), (0, 2, 1, 0), "{done:#?}");
    let (one, two, three) = (node_row(&here, 1).await, node_row(&here, 2).await, node_row(&here, 3).await);
    assert_eq!((one.online, two.online), (false, true));
    assert_eq!(one.last_updated.to_rfc3339(), "2026-03-01T00:00:00+00:00");
    assert_eq!(three.cpu_usage, Some(99.0));
    assert_eq!(three.last_updated.to_rfc3339(), "2026-02-01T00:00:00+00:00");
    let unlike = &compare(&here, &later, Scope::default()).await.kinds[2].unlike;
    assert_eq!(unlike.len(), 1);
    assert_eq!((unlike[0].place.id, unlike[0].differences[0].field.as_str()), (Some(2), "online"));
    let before = log(&here).await;
    assert_eq!(import(&here, &later, false).await.revision, None);
    assert_eq!(log(&here).await, before);
}

async fn what_operators_own_is_filled_in_and_never_replaced(db: TestDb) {
    let here = db.open().await;
    let plain = small_with(|row| {
        if is(row, Kind::Node, 1) {
            row["custom_fields"] = json!({"mine": "here", "empty": null});
        }
        if is(row, Kind::Cluster, 1) {
            row["tags"] = json!([tag(1, "here")]);
        }
    });
    import(&here, &plain, false).await;
    let more = small_with(|row| {
        if is(row, Kind::Node, 1) {
            row["custom_fields"] = json!({"mine": "there", "empty": 1, "new": {"a": [1]}});
            row["netbox_device"] = json!({"id": 42, "name": "d", "display": "d"});
        }
        if is(row, Kind::Node, 2) {
            row["tags"] = json!([tag(2, "there")]);
        }
        if is(row, Kind::Cluster, 1) {
            row["tags"] = json!([tag(1, "here"), tag(2, "there")]);
            row["netbox_cluster"] = json!({"id": 6, "name": "nc-6", "display": "nc-6"});
        }
        if is(row, Kind::Cluster, 2) {
            row["netbox_cluster"] = json!({"id": 7, "name": "nc-7", "display": "nc-7"});
        }
        // Never for an endpoint that is here: a secret would go elsewhere.
        if is(row, Kind::Endpoint, 1) {
            row["port"] = json!(443);
            row["verify_ssl"] = json!(false);
            row["version"] = json!("9.0");
            row["last_updated"] = json!("2026-03-01T00:00:00Z");
        }
    });
    let done = import(&here, &more, false).await;
    let mut told = done.conflicts.iter().map(|one| {
        let difference = &one.difference;
        format!("{} {:?} {} {} {}", one.place.kind, one.place.id, difference.field, difference.there, difference.here)
    });
    let mut told = told.by_ref().collect::<Vec<_>>();
    told.sort();
    assert_eq!(
        told,
        [
            "Proxmox cluster Some(1) netbox_cluster \"nc-6\" \"nc-5\"",
            "Proxmox cluster Some(1) tags [\"here\",\"there\"] [\"here\"]",
            "Proxmox endpoint Some(1) port 443 8006",
            "Proxmox endpoint Some(1) verify_ssl false true",
            "Proxmox node Some(1) custom_fields.mine \"there\" \"here\"",
        ]
    );
    let one = node_row(&here, 1).await;
    assert_eq!(one.custom_fields.0, json!({"mine": "here", "empty": 1, "new": {"a": [1]}}));
    assert_eq!(one.netbox_device_id, Some(42));
    let rows = clusters::Entity::find().order_by_asc(clusters::Column::Id).all(&here.db.read).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.netbox_cluster_id).collect::<Vec<_>>(), [Some(5), Some(7)]);
    let endpoint = endpoints::Entity::find().one(&here.db.read).await.unwrap().unwrap();
    assert_eq!((endpoint.port, endpoint.verify_ssl, endpoint.version.as_deref()), (8006, true, Some("9.0")));
    assert!(dump(&here).await.contains("\"there\""), "the tag is made, since a node carries it");
    let before = log(&here).await;
    assert_eq!(import(&here, &more, false).await.revision, None);
    assert_eq!(log(&here).await, before);
}

/// Other objects that have the ids of the small installation's rows.
const OTHERS: &str = r#"{
    "tags": [{"id": 1, "name": "other", "slug": "other", "color": "4caf50"}],
    "netbox_clusters": [{"id": 5, "name": "nc-5", "display": "nc-5"}],
    "proxmox_endpoints": [{"id": 1, "name": "two", "domain": "two.example.com", "mode": "cluster"}],
    "proxmox_clusters": [{"id": 2, "endpoint": 1, "name": "other", "mode": "cluster"}],
    "proxmox_storages": [{"id": 9, "cluster": 5, "name": "s2"}],
    "next_id": 20
}"#;

async fn a_taken_id_refuses_the_import_or_gets_another(db: TestDb) {
    let here = db.open().await;
    fill(&here, OTHERS).await;
    let read = small_with(|row| {
        if is(row, Kind::Node, 1) {
            row["tags"] = json!([tag(1, "fresh")]);
        }
    });
    let before = (log(&here).await, dump(&here).await);
    let refused = import(&here, &read, false).await;
    let taken =
        |report: &Report| report.collisions.iter().map(|one| (one.place.kind, one.place.id)).collect::<Vec<_>>();
    assert_eq!(taken(&refused), [(Kind::Tag, Some(1)), (Kind::Endpoint, Some(1)), (Kind::Cluster, Some(2))]);
    assert_eq!((refused.collisions[1].holder.as_str(), refused.revision), ("two (two.example.com)", None));
    assert_eq!((log(&here).await, dump(&here).await), before, "nothing is changed");
    let done = import(&here, &read, true).await;
    assert!(done.is_whole() && done.revision.is_some(), "{done:#?}");
    let ids = done.renumbered.iter().map(|one| (one.place.kind, one.id)).collect::<Vec<_>>();
    assert_eq!(ids, [(Kind::Tag, 20), (Kind::Endpoint, 20), (Kind::Cluster, 20)]);
    // What refers to them follows, and what is here under another id stays.
    assert_eq!((node_row(&here, 1).await.endpoint_id, node_row(&here, 1).await.proxmox_cluster_id), (20, Some(1)));
    let s2 = storages::Entity::find().all(&here.db.read).await.unwrap();
    let mut s2 = s2.iter().map(|row| (row.id, row.name.as_str())).collect::<Vec<_>>();
    s2.sort_unstable();
    assert_eq!(s2, [(1, "s1"), (3, "s1"), (9, "s2")]);
    let before = log(&here).await;
    assert_eq!(import(&here, &read, true).await.revision, None);
    assert_eq!((import(&here, &read, false).await.collisions, log(&here).await), (vec![], before));
    let by_id = compare(&here, &read, Scope { ids: true, ..Scope::default() }).await;
    assert_eq!(by_id.kinds[0].unlike[0].differences[0].field, "id");
}

async fn what_does_not_fit_is_left_out_with_its_reasons(db: TestDb) {
    let here = db.open().await;
    let mut lists = small();
    lists[0].1.push(json!({"id": 7, "name": "", "mode": "weird", "port": 99999}));
    lists[1].1.push(cluster(3, 7, "below one that does not fit", None));
    lists[1].1.push(cluster(4, 1, "c1", None));
    lists[2].1.push(node(4, 1, Some(3), "n4"));
    lists[2].1.push(json!({"id": 5, "name": "n5", "endpoint": {"id": 1}, "max_cpu": "many", "cpu_usage": []}));
    let mut long = storage(4, 5, "s4");
    long["path"] = json!("x".repeat(256));
    long["cluster"]["name"] = json!("");
    lists[3].1.push(long);
    lists[3].1.push(storage(5, 2_000_000_000, "s5"));
    lists[3].1.push(json!({"id": 6, "name": "s6"}));
    let mut tagged = storage(7, 5, "s7");
    tagged["tags"] = json!([{"id": 1, "name": "N", "slug": "no slug", "color": "red"}, tag(2, "ok")]);
    lists[3].1.push(tagged);
    let stand = Lists::new(&lists).stand().await;
    let done = import(&here, &stand.read().await.unwrap(), false).await;
    let told = done.left_out.iter().map(|row| {
        let fields = row.problems.iter().map(|problem| problem.path.join(".")).collect::<Vec<_>>().join(",");
        format!("{} {:?} {fields}", row.place.kind, row.place.id)
    });
    let mut told = told.collect::<Vec<_>>();
    told.sort();
    assert_eq!(
        told,
        [
            "Proxmox cluster Some(3) endpoint",
            "Proxmox cluster Some(4) name",
            "Proxmox endpoint Some(7) name",
            "Proxmox node Some(4) proxmox_cluster",
            "Proxmox node Some(5) cpu_usage,max_cpu",
            "Proxmox storage Some(4) path",
            "Proxmox storage Some(5) netbox_cluster.id",
            "Proxmox storage Some(6) cluster",
            "tag Some(1) slug",
        ],
        "{:#?}",
        done.left_out
    );
    let counts = done.of(Kind::Storage);
    assert_eq!((counts.read, counts.new, counts.left_out), (7, 4, 3));
    assert_eq!(done.of(Kind::Tag).new, 1);
    let before = log(&here).await;
    let again = import(&here, &stand.read().await.unwrap(), false).await;
    assert_eq!((again.left_out.len(), again.revision, log(&here).await), (9, None, before));
}

async fn a_secret_is_neither_stored_nor_told(db: TestDb) {
    let here = db.open().await;
    let mut lists = small();
    lists[0].1[0]["password"] = json!("canary-pw");
    lists[0].1[0]["token_value"] = json!("canary-token");
    lists[0]
        .1
        .push(json!({"id": 2, "name": "bad", "password": "canary-pw", "token_value": ["canary-token"], "port": "x"}));
    lists[0].1.push({
        let mut row = endpoint(3, "by password");
        row["token_name"] = json!("");
        row
    });
    let stand = Lists::new(&lists).stand().await;
    let done = import(&here, &stand.read().await.unwrap(), false).await;
    assert!(!format!("{done:?}").contains("canary"), "{done:#?}");
    let rows = endpoints::Entity::find().all(&here.db.read).await.unwrap();
    assert!(rows.iter().all(|row| row.password.is_none() && row.token_value.is_none() && row.enabled));
    assert!(!dump(&here).await.contains("canary"));
    let needed = done.secrets.iter().map(|one| (one.id, one.by_token)).collect::<Vec<_>>();
    assert_eq!(needed, [(1, true), (3, false)]);
}

async fn a_storage_is_kept_by_the_one_cluster_that_is_linked(db: TestDb) {
    let here = db.open().await;
    let read = small_with(|row| {
        if is(row, Kind::Cluster, 2) {
            row["netbox_cluster"] = json!({"id": 6, "name": "nc-6", "display": "nc-6"});
        }
    });
    import(&here, &read, false).await;
    let sources = async |app: &App| {
        let rows = storages::Entity::find().order_by_asc(storages::Column::Id).all(&app.db.read).await.unwrap();
        rows.into_iter().map(|row| row.source_id).collect::<Vec<_>>()
    };
    assert_eq!(sources(&here).await, [Some(1), Some(1), Some(2)]);
}

async fn of_two_linked_clusters_none_keeps_the_storages(db: TestDb) {
    let here = db.open().await;
    let read = small_with(|row| {
        if is(row, Kind::Cluster, 2) {
            row["netbox_cluster"] = json!({"id": 5, "name": "nc-5", "display": "nc-5"});
        }
    });
    import(&here, &read, false).await;
    let rows = storages::Entity::find().all(&here.db.read).await.unwrap();
    assert!(rows.iter().all(|row| row.source_id.is_none()));
}

both!(
    what_is_newer_there_is_taken,
    what_operators_own_is_filled_in_and_never_replaced,
    a_taken_id_refuses_the_import_or_gets_another,
    what_does_not_fit_is_left_out_with_its_reasons,
    a_secret_is_neither_stored_nor_told,
    a_storage_is_kept_by_the_one_cluster_that_is_linked,
    of_two_linked_clusters_none_keeps_the_storages,
);
