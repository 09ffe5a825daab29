//! What lists understand beyond the recordings (decisions 2, 7, 8, 9, 12, 18 and 20).
use super::{ids_where, sorted};
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, NODES, STORAGES, get, ids, keys, refused};
use crate::support::{Server, TestDb, both, limits};
use proxbox_graphql::rest::PageSizes;
use serde_json::{Value, json};

async fn relations_have_two_names(db: TestDb) {
    let server = db.server().await;
    let unknown = "Select a valid choice. That choice is not one of the available choices.";
    for (path, list, field, some, nullable) in [
        (CLUSTERS, "proxmox_clusters", "endpoint", [1, 3], false),
        (CLUSTERS, "proxmox_clusters", "netbox_cluster", [5, 1], true),
        (NODES, "proxmox_nodes", "endpoint", [1, 2], false),
        (NODES, "proxmox_nodes", "proxmox_cluster", [1, 3], true),
        (NODES, "proxmox_nodes", "netbox_device", [42, 31], true),
        (STORAGES, "proxmox_storages", "cluster", [5, 2], false),
    ] {
        let of = |wanted: &[Option<i64>]| ids_where(list, |row| wanted.contains(&row[field].as_i64()));
        let others = |wanted: &[Option<i64>]| ids_where(list, |row| !wanted.contains(&row[field].as_i64()));
        let [a, b] = some;
        for name in [format!("{field}_id"), field.to_owned()] {
            let ask = async |query: &str| sorted(ids(&server, &format!("{path}?{}", query.replace('@', &name))).await);
            assert_eq!(ask(&format!("@={a}")).await, of(&[Some(a)]), "{name}");
            assert_eq!(ask(&format!("@={a}&@={b}")).await, of(&[Some(a), Some(b)]), "{name}");
            assert_eq!(ask(&format!("@__n={a}")).await, others(&[Some(a)]), "{name}");
            assert_eq!(ask(&format!("@__n={a}&@__n={b}")).await, others(&[Some(a), Some(b)]), "{name}");
            assert_eq!(ask("@=").await, of(&[]).into_iter().chain(others(&[])).collect::<Vec<_>>(), "{name}");
            for value in ["999", "abc", "1.5", "99999999999999999999"] {
                for suffix in ["", "__n"] {
                    let body = get(&format!("{path}?{name}{suffix}={value}")).json_of(&server, 400).await;
                    assert_eq!(body, json!({format!("{name}{suffix}"): [unknown]}));
                }
            }
            if nullable {
                assert_eq!(ask("@=null").await, of(&[None]), "{name}");
                assert_eq!(ask(&format!("@=null&@={a}")).await, of(&[None, Some(a)]), "{name}");
                assert_eq!(ask("@__n=null").await, others(&[None]), "{name}");
            } else {
                get(&format!("{path}?{name}=null")).json_of(&server, 400).await;
            }
        }
        // Both at once: both hold.
        let query = format!("{path}?{field}={a}&{field}_id={b}");
        assert_eq!(ids(&server, &query).await, [0; 0]);
    }
}

async fn truths_have_many_forms(db: TestDb) {
    let server = db.server().await;
    for (path, list, field) in [
        (CLUSTERS, "proxmox_clusters", "quorate"),
        (NODES, "proxmox_nodes", "online"),
        (NODES, "proxmox_nodes", "local"),
        (STORAGES, "proxmox_storages", "shared"),
        (STORAGES, "proxmox_storages", "enabled"),
    ] {
        let of = |wanted: bool| ids_where(list, |row| row[field] == wanted);
        let ask = async |query: &str| sorted(ids(&server, &format!("{path}?{query}")).await);
        for (truth, forms) in [
            (true, ["true", "TRUE", "1", "yes", "Yes", "on", "oN"]),
            (false, ["false", "False", "0", "no", "NO", "off", "Off"]),
        ] {
            for form in forms {
                assert_eq!(ask(&format!("{field}={form}")).await, of(truth), "{field}={form}");
            }
            assert_eq!(
                ask(&format!("{field}=nonsense-before&{field}={truth}")
                    .replace("nonsense-before", if truth { "0" } else { "1" }))
                .await,
                of(truth)
            );
        }
        assert_eq!(ask(&format!("{field}=")).await, ids_where(list, |_| true));
        for wrong in ["maybe", "2", "-1", "tru", "null", "1.0"] {
            let body = get(&format!("{path}?{field}={wrong}")).json_of(&server, 400).await;
            assert_eq!(keys(&body), [field], "{wrong}");
        }
    }
    for (form, there) in [("yes", true), ("0", false), ("off", false)] {
        let of = ids_where("proxmox_storages", |row| row["path"].as_str().unwrap_or_default().is_empty() == there);
        assert_eq!(sorted(ids(&server, &format!("{STORAGES}?path__empty={form}")).await), of, "{form}");
    }
}

async fn wrong_questions_name_the_parameter(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (query, names) in [
        ("nodes/?name__regex=(", &["name__regex"][..]),
        ("nodes/?name__iregex=%5B", &["name__iregex"]),
        ("nodes/?ip_address__regex=*", &["ip_address__regex"]),
        ("clusters/?mode__regex=(", &["mode__regex"]),
        ("nodes/?ip_address=nonsense", &["ip_address"]),
        ("nodes/?ip_address=10.0.0.0/8", &["ip_address"]),
        ("nodes/?ip_address__n=10.0.0.0/8", &["ip_address__n"]),
        ("storage/?port=abc", &["port"]),
        ("storage/?port__gte=x&shared=x&id=1", &["port__gte", "shared"]),
        ("storage/?cluster__name__regex=(", &["cluster__name__regex"]),
        ("nodes/?created=yesterday", &["created"]),
        ("nodes/?tag=nothing", &["tag"]),
        ("nodes/?tag=prod%00&tag__n=%00", &["tag", "tag__n"]),
        ("nodes/?tag_id=x", &["tag_id"]),
    ] {
        let body = refused(&desk, &get(&format!("/api/plugins/proxbox/{query}")), 400).await;
        assert_eq!(keys(&body), names, "{query}: {body}");
    }
}

async fn format_filters_storages(db: TestDb) {
    let server = db.server().await;
    let all = ids_where("proxmox_storages", |_| true);
    let of = |format: &str| ids_where("proxmox_storages", |row| row["format"] == format);
    assert!(!of("raw").is_empty() && of("raw").len() < all.len());
    for (query, expected) in [
        ("format=raw", of("raw")),
        ("format=qcow2", of("qcow2")),
        ("format=vdi", vec![]),
        ("format__ie=RAW", of("raw")),
        ("format=json", all.clone()),
        ("format=api", all.clone()),
        ("format=json&format=raw", of("raw")),
        ("format=raw&enabled=true", of("raw")),
    ] {
        let answer = get(&format!("{STORAGES}?{query}")).with("prefer", "handling=strict").send(&server).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(answer.headers["content-type"], "application/json", "{query}");
        assert_eq!(sorted(ids(&server, &format!("{STORAGES}?{query}")).await), expected, "{query}");
    }
    // Elsewhere it chooses the form only.
    for path in [NODES, CLUSTERS] {
        assert_eq!(ids(&server, &format!("{path}?format=json")).await, ids(&server, path).await);
    }
}

async fn brief_can_be_switched_off(db: TestDb) {
    let server = db.server().await;
    for (path, brief) in [
        (CLUSTERS, &["display", "id", "name", "url"][..]),
        (NODES, &["display", "id", "name", "online", "url"]),
        (STORAGES, &["cluster", "display", "id", "name", "url"]),
    ] {
        for at in [path.to_owned(), format!("{path}1/")] {
            let shown = async |query: &str| {
                let body = get(&format!("{at}{query}")).json_of(&server, 200).await;
                let row = body.get("results").map_or(&body, |rows| &rows[0]);
                keys(row).into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            let whole = shown("").await;
            assert!(whole.len() > 10);
            for off in ["?brief=false", "?brief=0", "?brief=False", "?brief=", "?brief=true&brief=0"] {
                assert_eq!(shown(off).await, whole, "{off}");
            }
            for on in ["?brief=true", "?brief=1", "?brief=yes", "?brief=0&brief=1"] {
                assert_eq!(shown(on).await, brief, "{on}");
            }
        }
    }
}

/// Follows `next` to the end: the ids, and how many pages there were.
async fn walked(server: &Server, first: &str) -> (Vec<i64>, usize) {
    let (mut ids, mut pages, mut next) = (Vec::new(), 0, Some(first.to_owned()));
    while let Some(target) = next {
        let body = get(&target).json_of(server, 200).await;
        assert_eq!((&body["count"], &body["previous"]), (&Value::Null, &Value::Null), "{target}");
        ids.extend(body["results"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
        next = body["next"].as_str().map(|next| next.strip_prefix("http://proxbox.example.com").unwrap().to_owned());
        pages += 1;
        assert!(pages < 100);
    }
    (ids, pages)
}

async fn pages_can_begin_at_an_id(db: TestDb) {
    let desk = Desk::new(&db).await;
    let server = &desk.server;
    let all = ids_where("proxmox_nodes", |_| true);
    let online = ids_where("proxmox_nodes", |row| row["online"] == true);
    let from = |ids: &[i64], start: i64| ids.iter().copied().filter(|id| *id >= start).collect::<Vec<_>>();
    for (query, expected, pages) in [
        ("?start=0", all.clone(), 1),
        ("?start=0&limit=1", all.clone(), 14),
        ("?start=1&limit=5", all.clone(), 3),
        ("?start=1&limit=14", all.clone(), 1),
        ("?start=6&limit=4", from(&all, 6), 3),
        ("?start=2&limit=3&online=true", from(&online, 2), 3),
        ("?start=15", vec![], 1),
        ("?start=99999999999999999999", vec![], 1),
    ] {
        assert_eq!(walked(server, &format!("{NODES}{query}")).await, (expected, pages), "{query}");
    }
    let body = get(&format!("{NODES}?start=1&limit=2&fields=id")).json_of(server, 200).await;
    assert_eq!(body["next"], "http://proxbox.example.com/api/plugins/proxbox/nodes/?fields=id&limit=2&start=3");
    // A row that is made meanwhile is not missed, one that goes is not awaited.
    desk.made("createProxmoxNode", json!({"endpoint": 1, "name": "later", "ipAddress": "::1"})).await;
    desk.done("deleteProxmoxNode", json!({"id": 3})).await;
    assert_eq!(
        walked(server, &format!("{NODES}?start=3&limit=6")).await.0,
        [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 101]
    );
    for (query, named) in [
        ("?start=abc", "start"),
        ("?start=-1", "start"),
        ("?start=1&offset=2", "start"),
        ("?start=1&ordering=name", "ordering"),
    ] {
        let body = get(&format!("{NODES}{query}")).json_of(server, 400).await;
        assert_eq!(keys(&body), [named], "{query}");
    }
}

async fn pages_are_as_large_as_the_operator_wants(db: TestDb) {
    let app = db.seeded().await;
    let server = |default, largest| {
        let mut limits = limits();
        limits.rest.pages = PageSizes { default, largest };
        Server::within(app.clone(), limits)
    };
    for (default, largest, query, rows, next) in [
        (3, 5, "", 3, Some("limit=3&offset=3")),
        (3, 5, "?limit=4", 4, Some("limit=4&offset=4")),
        (3, 5, "?limit=10", 5, Some("limit=5&offset=5")),
        (3, 5, "?limit=0", 5, Some("limit=5&offset=5")),
        (3, 5, "?limit=-1", 3, Some("limit=3&offset=3")),
        (3, 5, "?limit=x", 3, Some("limit=3&offset=3")),
        // The default is not above the cap either.
        (9, 5, "", 5, Some("limit=5&offset=5")),
        // No cap.
        (3, 0, "", 3, Some("limit=3&offset=3")),
        (3, 0, "?limit=10", 10, Some("limit=10&offset=10")),
        (3, 0, "?limit=0", 14, None),
        (3, 0, "?limit=0&offset=4", 10, None),
        (3, 0, "?limit=99999999999999999999", 14, None),
    ] {
        let body = get(&format!("{NODES}{query}")).json_of(&server(default, largest), 200).await;
        let next = next.map(|next| format!("http://proxbox.example.com{NODES}?{next}"));
        assert_eq!(body["results"].as_array().unwrap().len(), rows, "{default} {largest} {query}");
        assert_eq!(
            (body["count"].as_i64(), body["next"].as_str()),
            (Some(14), next.as_deref()),
            "{default} {largest} {query}"
        );
    }
}

both!(
    relations_have_two_names,
    truths_have_many_forms,
    wrong_questions_name_the_parameter,
    format_filters_storages,
    brief_can_be_switched_off,
    pages_can_begin_at_an_id,
    pages_are_as_large_as_the_operator_wants,
);
