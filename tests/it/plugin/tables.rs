//! Plan and comparison as tables: what is there, what is here, what comes of it. No database.
use super::lists::{cluster, endpoint, node, reference, storage, tag};
use super::there;
use chrono::{DateTime, Utc};
use proxbox_graphql::entity::{Kind, Resource};
use proxbox_graphql::plugin::{Owner, Plan, Scope, compare, owner, plan};
use proxbox_graphql::service::import::Here;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// What is here after such rows were imported.
fn here(rows: &[(Kind, Value)]) -> Here {
    let Plan { writes, report } = plan(&there(rows), &Here::default(), false, now());
    assert!(report.is_whole(), "{report:#?}");
    let mut here = Here { tags: writes.tags, ..Here::default() };
    here.netbox_clusters = writes.netbox_clusters.into_iter().map(|row| (row.id, row.display)).collect();
    here.netbox_devices = writes.netbox_devices.into_iter().map(|row| (row.id, row.display)).collect();
    macro_rules! take {
        ($($list:ident),*) => {
            $(for step in writes.$list {
                here.tagged.insert((kind_of(&step.after), step.after.id), step.tags);
                here.$list.push(step.after);
            })*
        };
    }
    take!(endpoints, clusters, nodes, storages);
    here
}

fn kind_of<M: Resource>(_: &M) -> Kind {
    M::KIND
}

fn base() -> Vec<(Kind, Value)> {
    vec![
        (Kind::Endpoint, endpoint(1, "one")),
        (Kind::Cluster, cluster(1, 1, "c1", None)),
        (Kind::Node, node(1, 1, Some(1), "n1")),
        (Kind::Storage, storage(1, 5, "s1")),
    ]
}

/// The base with one field of the first row of a kind changed, and perhaps later.
fn with(kind: Kind, field: &str, value: Value, later: bool) -> Vec<(Kind, Value)> {
    let mut rows = base();
    let (_, row) = rows.iter_mut().find(|(of, _)| *of == kind).unwrap();
    row[field] = value;
    if later {
        row["last_updated"] = json!("2026-03-01T00:00:00Z");
    }
    rows
}

#[test]
fn each_field_has_its_owner() {
    let table = [
        (Kind::Node, "online", json!(false), Owner::Observed),
        (Kind::Node, "node_id", json!(7), Owner::Observed),
        (Kind::Node, "cpu_usage", json!(1.5), Owner::Figure),
        (Kind::Node, "memory_usage", json!(7), Owner::Figure),
        (Kind::Node, "netbox_device", json!({"id": 4, "name": "d", "display": "d"}), Owner::Link),
        (Kind::Node, "custom_fields", json!({"a": 1}), Owner::Custom),
        (Kind::Cluster, "netbox_cluster", reference(6), Owner::Link),
        (Kind::Cluster, "quorate", json!(false), Owner::Observed),
        (Kind::Storage, "path", json!("/y"), Owner::Observed),
        (Kind::Storage, "raw_config", json!({"b": 1}), Owner::Observed),
        (Kind::Endpoint, "version", json!("9"), Owner::Observed),
        (Kind::Endpoint, "port", json!(1), Owner::Way),
        (Kind::Endpoint, "username", json!("x@pve"), Owner::Way),
        (Kind::Endpoint, "domain", json!("other.example.com"), Owner::Way),
        (Kind::Endpoint, "verify_ssl", json!(false), Owner::Way),
    ];
    let here = here(&base());
    for (kind, field, value, whose) in table {
        let column = match field {
            "netbox_device" => "netbox_device_id",
            "netbox_cluster" => "netbox_cluster_id",
            other => other,
        };
        assert_eq!(owner(kind, column), whose, "{field}");
        for later in [false, true] {
            let Plan { report, .. } = plan(&there(&with(kind, field, value.clone(), later)), &here, false, now());
            let counts = report.of(kind);
            let taken = match whose {
                Owner::Observed | Owner::Figure => later,
                Owner::Link | Owner::Custom => true,
                _ => false,
            };
            assert_eq!((counts.changed, counts.same), (usize::from(taken), usize::from(!taken)), "{field} {later}");
            assert_eq!(counts.conflicts, usize::from(whose == Owner::Way), "{field} {later}");
            let compared = compare(&there(&with(kind, field, value.clone(), later)), &here, Scope::default());
            assert_eq!(compared.is_alike(), whose == Owner::Figure, "{field}");
        }
    }
}

#[test]
fn the_order_of_keys_and_tags_is_nobodys() {
    let mut rows = with(Kind::Storage, "raw_config", json!({"a": 1, "b": 2}), false);
    rows[3].1["tags"] = json!([tag(1, "a"), tag(2, "b")]);
    let here = here(&rows);
    rows[3].1["raw_config"] = json!({"b": 2, "a": 1});
    rows[3].1["tags"] = json!([tag(2, "b"), tag(1, "a")]);
    rows[3].1["last_updated"] = json!("2026-03-01T00:00:00Z");
    let Plan { report, writes } = plan(&there(&rows), &here, false, now());
    assert!(writes.is_empty() && report.of(Kind::Storage).same == 1, "{writes:#?}");
    assert!(compare(&there(&rows), &here, Scope::default()).is_alike());
    assert!(!compare(&there(&rows), &here, Scope { times: true, ..Scope::default() }).is_alike());
}

#[test]
fn the_host_tells_endpoints_of_one_name_apart() {
    let mut other = endpoint(2, "one");
    other["ip_address"] = json!(null);
    other["domain"] = json!("one.example.com");
    let rows = [(Kind::Endpoint, endpoint(1, "one")), (Kind::Endpoint, other)];
    let here = here(&rows);
    assert_eq!(here.endpoints.len(), 2);
    // An address as text is the same as NetBox's object.
    let mut text = endpoint(1, "one");
    text["ip_address"] = json!("192.0.2.1");
    let compared = compare(&there(&[(Kind::Endpoint, text), rows[1].clone()]), &here, Scope::default());
    assert!(compared.is_alike(), "{compared:#?}");
}

#[test]
fn rows_of_one_side_only_are_told() {
    let here = here(&base());
    let mut rows = base();
    rows.retain(|(kind, _)| *kind != Kind::Node);
    rows.push((Kind::Node, node(1, 1, Some(1), "renamed")));
    rows.push((Kind::Cluster, cluster(8, 1, "c8", None)));
    let compared = compare(&there(&rows), &here, Scope::default());
    let names =
        |places: &[proxbox_graphql::plugin::Place]| places.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&compared.kinds[1].only_there), names(&compared.kinds[1].only_here)),
        (vec!["c8".into()], vec![])
    );
    assert_eq!(
        (names(&compared.kinds[2].only_there), names(&compared.kinds[2].only_here)),
        (vec!["renamed".to_owned()], vec!["n1".to_owned()])
    );
    // References are told by their names.
    let rows = with(Kind::Cluster, "netbox_cluster", reference(6), false);
    let compared = compare(&there(&rows), &here, Scope::default());
    let difference = &compared.kinds[1].unlike[0].differences[0];
    assert_eq!(
        (difference.field.as_str(), &difference.there, &difference.here),
        ("netbox_cluster", &json!("nc-6"), &json!(null))
    );
}

#[test]
fn a_tag_whose_name_is_taken_is_told_and_its_rows_stay() {
    let mut rows = base();
    rows[2].1["tags"] = json!([{"id": 1, "name": "T", "slug": "here", "color": "4caf50"}]);
    let here = here(&rows);
    rows[2].1["tags"] = json!([]);
    rows[3].1["tags"] = json!([{"id": 2, "name": "T", "slug": "there", "color": "4CAF50"}, tag(3, "fine")]);
    let Plan { report, writes } = plan(&there(&rows), &here, false, now());
    assert_eq!(
        report.left_out.iter().map(|row| (row.place.kind, row.place.id)).collect::<Vec<_>>(),
        [(Kind::Tag, Some(2))]
    );
    assert_eq!(writes.storages[0].tags.keys().collect::<Vec<_>>(), ["fine"]);
    assert_eq!(
        report.of(Kind::Tag),
        proxbox_graphql::plugin::Counts { read: 2, new: 1, left_out: 1, ..Default::default() }
    );
}

#[test]
fn what_is_no_row_is_told() {
    let rows = [
        json!("no row"),
        json!({"id": "x", "name": "n"}),
        json!({"name": "n"}),
        json!({"id": 0}),
        json!({"id": i32::MAX}),
    ];
    let there = there(&rows.map(|row| (Kind::Node, row)));
    let fields = there.left_out.iter().map(|row| row.problems[0].path.join(".")).collect::<Vec<_>>();
    assert_eq!((there.nodes.len(), fields), (0, ["", "id", "id", "id", "id"].map(String::from).to_vec()));
}
