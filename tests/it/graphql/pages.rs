//! Orderings and paging, against the seed sorted in memory.
use super::{ids, row, rows, seed};
use crate::support::{Server, TestDb, both};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::net::IpAddr;

/// A field to order by, and where its value stands: a column, or `reference.list` for the name of what it refers to.
type Field = (&'static str, &'static str);

const ORDERS: [(&str, &str, &[Field]); 4] = [
    (
        "proxmoxEndpoints",
        "proxmox_endpoints",
        &[("ID", "id"), ("NAME", "name"), ("MODE", "mode"), ("CREATED", "created"), ("LAST_UPDATED", "last_updated")],
    ),
    (
        "proxmoxClusters",
        "proxmox_clusters",
        &[
            ("ID", "id"),
            ("NAME", "name"),
            ("CLUSTER_ID", "cluster_id"),
            ("MODE", "mode"),
            ("NODES_COUNT", "nodes_count"),
            ("QUORATE", "quorate"),
            ("VERSION", "version"),
            ("CREATED", "created"),
            ("LAST_UPDATED", "last_updated"),
            ("ENDPOINT_NAME", "endpoint.proxmox_endpoints"),
            ("NETBOX_CLUSTER_NAME", "netbox_cluster.netbox_clusters"),
        ],
    ),
    (
        "proxmoxNodes",
        "proxmox_nodes",
        &[
            ("ID", "id"),
            ("NAME", "name"),
            ("NODE_ID", "node_id"),
            ("IP_ADDRESS", "ip_address"),
            ("ONLINE", "online"),
            ("CPU_USAGE", "cpu_usage"),
            ("MAX_CPU", "max_cpu"),
            ("MEMORY_USAGE", "memory_usage"),
            ("MEMORY_USAGE_PERCENT", "memory_usage_percent"),
            ("MAX_MEMORY", "max_memory"),
            ("CREATED", "created"),
            ("LAST_UPDATED", "last_updated"),
            ("ENDPOINT_NAME", "endpoint.proxmox_endpoints"),
            ("PROXMOX_CLUSTER_NAME", "proxmox_cluster.proxmox_clusters"),
            ("NETBOX_DEVICE_NAME", "netbox_device.netbox_devices"),
        ],
    ),
    (
        "proxmoxStorages",
        "proxmox_storages",
        &[
            ("ID", "id"),
            ("NAME", "name"),
            ("STORAGE_TYPE", "storage_type"),
            ("SHARED", "shared"),
            ("ENABLED", "enabled"),
            ("SERVER", "server"),
            ("CREATED", "created"),
            ("LAST_UPDATED", "last_updated"),
            ("CLUSTER_NAME", "cluster.netbox_clusters"),
        ],
    ),
];

/// What a row is ordered by; null for no value.
fn value(seed: &Value, of: &Value, column: &str) -> Value {
    match (column, column.split_once('.')) {
        (_, Some((reference, list))) => row(seed, list, &of[reference]).map_or(Value::Null, |row| row["name"].clone()),
        ("memory_usage_percent", _) => match (of["memory_usage"].as_f64(), of["max_memory"].as_f64()) {
            (Some(used), Some(all)) if all != 0.0 => json!(used / all),
            _ => Value::Null,
        },
        ("ip_address", _) => json!(of[column].as_str().map(|text| text.parse::<IpAddr>().unwrap().to_string())),
        _ => of[column].clone(),
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().unwrap().total_cmp(&b.as_f64().unwrap()),
        },
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        // By bytes; times as texts of one form.
        (a, b) => a.as_str().unwrap().cmp(b.as_str().unwrap()),
    }
}

/// One wish: column, descending, NULLs first.
type Wish = (&'static str, bool, bool);

/// The ids of a list in an ordering, the id breaking ties.
fn sorted(seed: &Value, list: &str, wishes: &[Wish]) -> Vec<i64> {
    let mut all = rows(seed, list).iter().collect::<Vec<_>>();
    all.sort_by(|a, b| {
        let each = wishes.iter().map(|(column, descending, nulls_first)| {
            let (a, b) = (value(seed, a, column), value(seed, b, column));
            match (a.is_null(), b.is_null()) {
                (true, true) => Ordering::Equal,
                (false, false) if *descending => compare(&b, &a),
                (false, false) => compare(&a, &b),
                (a, _) => {
                    if a == *nulls_first {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
            }
        });
        each.fold(Ordering::Equal, Ordering::then).then(a["id"].as_i64().cmp(&b["id"].as_i64()))
    });
    all.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn every_field_orders_in_both_directions_with_nulls_at_either_end(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (root, list, fields) in ORDERS {
        for (field, column) in fields {
            for (wish, descending, nulls_first) in [
                ("", false, false),
                (", direction: ASC", false, false),
                (", direction: DESC", true, false),
                (", nulls: LAST", false, false),
                (", nulls: FIRST", false, true),
                (", direction: DESC, nulls: FIRST", true, true),
            ] {
                let query = format!("{{ {root}(orderBy: [{{field: {field}{wish}}}]) {{ nodes {{ databaseId }} }} }}");
                let found = ids(&server.data(&query).await[root]["nodes"]);
                assert_eq!(found, sorted(&seed, list, &[(column, descending, nulls_first)]), "{root} {field}{wish}");
            }
        }
    }
}

/// Orderings with ties and NULLs in every place.
fn mixed() -> Vec<(&'static str, &'static str, String, Vec<Wish>)> {
    let name = |column: &str, fields: &[Field]| fields.iter().find(|field| field.1 == column).unwrap().0;
    let mut found = Vec::new();
    for (root, list, wishes) in [
        (0, "proxmox_endpoints", vec![("mode", true, false)]),
        (1, "proxmox_clusters", vec![("version", false, true), ("quorate", true, false)]),
        (1, "proxmox_clusters", vec![("netbox_cluster.netbox_clusters", true, false), ("name", false, false)]),
        (2, "proxmox_nodes", vec![]),
        (2, "proxmox_nodes", vec![("max_cpu", true, true), ("memory_usage", false, false)]),
        (2, "proxmox_nodes", vec![("online", false, false), ("node_id", true, false), ("id", true, false)]),
        (2, "proxmox_nodes", vec![("memory_usage_percent", false, false)]),
        (2, "proxmox_nodes", vec![("netbox_device.netbox_devices", false, true), ("cpu_usage", true, true)]),
        (2, "proxmox_nodes", vec![("proxmox_cluster.proxmox_clusters", true, false), ("last_updated", true, false)]),
        (3, "proxmox_storages", vec![("server", false, false), ("shared", true, false)]),
        (3, "proxmox_storages", vec![("storage_type", true, true), ("cluster.netbox_clusters", false, false)]),
    ] {
        let each = wishes.iter().map(|(column, descending, nulls_first)| {
            let direction = if *descending { "DESC" } else { "ASC" };
            let nulls = if *nulls_first { "FIRST" } else { "LAST" };
            format!("{{field: {}, direction: {direction}, nulls: {nulls}}}", name(column, ORDERS[root].2))
        });
        let order = each.collect::<Vec<_>>().join(", ");
        // Without a wish: the default order.
        let wishes = if wishes.is_empty() {
            vec![("endpoint.proxmox_endpoints", false, false), ("name", false, false)]
        } else {
            wishes
        };
        found.push((ORDERS[root].0, list, order, wishes));
    }
    found
}

async fn page(server: &Server, root: &str, order: &str, arguments: &str) -> (Vec<i64>, Value) {
    let query = format!(
        "{{ {root}(orderBy: [{order}]{arguments}) {{ nodes {{ databaseId }} edges {{ cursor }} totalCount
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let mut list = server.data(&query).await[root].take();
    let info = list["pageInfo"].take();
    assert_eq!(list["edges"][0]["cursor"], info["startCursor"]);
    assert_eq!(
        list["edges"].as_array().unwrap().last().map_or(Value::Null, |edge| edge["cursor"].clone()),
        info["endCursor"]
    );
    (ids(&list["nodes"]), info)
}

async fn pages_in_either_direction_add_up_with_honest_flags(db: TestDb) {
    let (server, seed) = (db.server().await, seed());
    for (root, list, order, wishes) in mixed() {
        let expected = sorted(&seed, list, &wishes);
        for size in [1, 3, 100] {
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let (page, info) = page(&server, root, &order, &format!(", first: {size}{cursor}")).await;
                assert_eq!(info["hasPreviousPage"], !found.is_empty(), "{root} {order}");
                found.extend(page);
                assert_eq!(info["hasNextPage"], found.len() < expected.len(), "{root} {order}");
                if info["hasNextPage"] == false {
                    break;
                }
                cursor = format!(", after: {}", info["endCursor"]);
            }
            assert_eq!(found, expected, "{root} {order} forward by {size}");
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let (mut page, info) = page(&server, root, &order, &format!(", last: {size}{cursor}")).await;
                assert_eq!(info["hasNextPage"], !found.is_empty(), "{root} {order}");
                page.extend(found);
                found = page;
                assert_eq!(info["hasPreviousPage"], found.len() < expected.len(), "{root} {order}");
                if info["hasPreviousPage"] == false {
                    break;
                }
                cursor = format!(", before: {}", info["startCursor"]);
            }
            assert_eq!(found, expected, "{root} {order} backward by {size}");
        }
    }
}

async fn flags_tell_what_lies_outside_the_page(db: TestDb) {
    let server = db.server().await;
    let (all, _) = page(&server, "proxmoxNodes", "{field: ID}", "").await;
    let (_, first) = page(&server, "proxmoxNodes", "{field: ID}", ", first: 1").await;
    let (_, fourth) = page(&server, "proxmoxNodes", "{field: ID}", ", first: 1, offset: 3").await;
    let (_, last) = page(&server, "proxmoxNodes", "{field: ID}", ", last: 1").await;
    let (first, fourth, last) = (&first["startCursor"], &fourth["startCursor"], &last["startCursor"]);
    for (arguments, expected, previous, next) in [
        (format!("after: {first}, before: {fourth}"), &all[1..3], true, true),
        (format!("after: {first}, before: {fourth}, first: 1"), &all[1..2], true, true),
        (format!("after: {first}, before: {fourth}, last: 1"), &all[2..3], true, true),
        (format!("after: {last}"), &[], true, false),
        (format!("before: {first}"), &[], false, true),
        (format!("before: {first}, last: 2"), &[], false, true),
        (format!("after: {last}, last: 2"), &[], true, false),
        (format!("after: {fourth}, before: {first}"), &[], true, true),
        ("first: 0".into(), &[], false, true),
        ("last: 0".into(), &[], true, false),
        ("offset: 2, first: 2".into(), &all[2..4], true, true),
        ("offset: 14".into(), &[], true, false),
        ("offset: 1000000".into(), &[], true, false),
        ("last: 1000".into(), &all[..], false, false),
        // A cursor whose row the filter leaves out still says where to go on.
        (format!("after: {first}, filter: {{id: {{in: [3, 4]}}}}"), &all[2..4], false, false),
        (format!("after: {fourth}, filter: {{id: {{in: [3, 6]}}}}"), &all[5..6], true, false),
    ] {
        let (found, info) = page(&server, "proxmoxNodes", "{field: ID}", &format!(", {arguments}")).await;
        assert_eq!(found, expected, "{arguments}");
        assert_eq!((&info["hasPreviousPage"], &info["hasNextPage"]), (&json!(previous), &json!(next)), "{arguments}");
    }
    // Of an empty list nothing lies outside.
    let (found, info) = page(&server, "proxmoxNodes", "{field: ID}", ", offset: 3, filter: {or: []}").await;
    let nothing = json!({"hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null});
    assert_eq!((found, info), (vec![], nothing));
}

/// A cursor of one parent's list is a place in the ordering, and so means the same in another's.
async fn nested_lists_page_by_cursor(db: TestDb) {
    let server = db.server().await;
    let query =
        "{ proxmoxEndpoint(id: 1) { proxmoxNodes(first: 2, orderBy: [{field: ID}]) { pageInfo { endCursor } } } }";
    let cursor = server.data(query).await["proxmoxEndpoint"]["proxmoxNodes"]["pageInfo"]["endCursor"].take();
    let query = format!(
        "{{ proxmoxEndpoints {{ nodes {{ databaseId
            proxmoxNodes(first: 2, after: {cursor}, orderBy: [{{field: ID}}]) {{ nodes {{ databaseId }}
                pageInfo {{ hasNextPage hasPreviousPage }} }} }} }} }}"
    );
    for (endpoint, expected, next, previous) in
        [(1, vec![3, 4], true, true), (2, vec![5, 6], true, false), (3, vec![11, 12], true, false)]
    {
        let data = server.data(&query).await;
        let parents = data["proxmoxEndpoints"]["nodes"].as_array().unwrap();
        let list = &parents.iter().find(|parent| parent["databaseId"] == endpoint).unwrap()["proxmoxNodes"];
        assert_eq!(ids(&list["nodes"]), expected);
        assert_eq!(list["pageInfo"], json!({"hasNextPage": next, "hasPreviousPage": previous}), "{endpoint}");
    }
}

async fn lists_without_order_page_too(db: TestDb) {
    let server = db.server().await;
    for root in ["netboxClusters", "netboxDevices", "tags"] {
        let query = |arguments: &str| {
            format!("{{ {root}({arguments}) {{ nodes {{ databaseId }} pageInfo {{ hasNextPage endCursor }} }} }}")
        };
        let whole = ids(&server.data(&query("first: 1000")).await[root]["nodes"]);
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let list = server.data(&query(&format!("first: 2{cursor}"))).await[root].take();
            found.extend(ids(&list["nodes"]));
            cursor = format!(", after: {}", list["pageInfo"]["endCursor"]);
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(found, whole, "{root}");
        assert_eq!(ids(&server.data(&query("last: 2")).await[root]["nodes"]), whole[whole.len() - 2..], "{root}");
        assert_eq!(ids(&server.data(&query("offset: 1, first: 2")).await[root]["nodes"]), whole[1..3], "{root}");
    }
}

async fn a_cursor_belongs_to_its_ordering(db: TestDb) {
    let server = db.server().await;
    let (_, info) = page(&server, "proxmoxNodes", "{field: NAME}", ", first: 1").await;
    let cursor = &info["endCursor"];
    // What comes to the same ordering takes it.
    for order in [
        "{field: NAME, direction: ASC, nulls: LAST}",
        "{field: NAME}, {field: ID}",
        "{field: NAME}, {field: NAME, direction: DESC}",
    ] {
        page(&server, "proxmoxNodes", order, &format!(", after: {cursor}")).await;
    }
    for (root, order) in [
        ("proxmoxNodes", ""),
        ("proxmoxNodes", "{field: NAME, direction: DESC}"),
        ("proxmoxNodes", "{field: NAME, nulls: FIRST}"),
        ("proxmoxNodes", "{field: NAME}, {field: ID, direction: DESC}"),
        ("proxmoxNodes", "{field: IP_ADDRESS}"),
        ("proxmoxStorages", "{field: NAME}"),
    ] {
        for side in ["after", "before"] {
            let answer =
                server.ask(&format!("{{ {root}(orderBy: [{order}], {side}: {cursor}) {{ totalCount }} }}")).await;
            assert_eq!(answer.code(), "INVALID_CURSOR", "{root} {order} {side}");
        }
    }
}

both!(
    every_field_orders_in_both_directions_with_nulls_at_either_end,
    pages_in_either_direction_add_up_with_honest_flags,
    flags_tell_what_lies_outside_the_page,
    nested_lists_page_by_cursor,
    lists_without_order_page_too,
    a_cursor_belongs_to_its_ordering,
);
