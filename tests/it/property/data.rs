//! Random rows, as a file for `load` has them.
use chrono::{DateTime, SecondsFormat};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proxbox_graphql::entity::Kind;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

/// Every row of a database, by kind.
#[derive(Clone, Debug)]
pub struct World(BTreeMap<Kind, Vec<Value>>);

/// A token that may view some rows of each kind.
pub const SOME: &str = "5555555555555555555555555555555555555555";

/// What a file calls the rows of a kind.
fn list_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => "proxmox_endpoints",
        Kind::Cluster => "proxmox_clusters",
        Kind::Node => "proxmox_nodes",
        Kind::Storage => "proxmox_storages",
        Kind::NetBoxCluster => "netbox_clusters",
        Kind::NetBoxDevice => "netbox_devices",
        Kind::Tag => "tags",
    }
}

/// What refers to what.
pub fn references(kind: Kind) -> &'static [(&'static str, Kind)] {
    match kind {
        Kind::Cluster => &[("endpoint", Kind::Endpoint), ("netbox_cluster", Kind::NetBoxCluster)],
        Kind::Node => {
            &[("endpoint", Kind::Endpoint), ("proxmox_cluster", Kind::Cluster), ("netbox_device", Kind::NetBoxDevice)]
        }
        Kind::Storage => &[("cluster", Kind::NetBoxCluster), ("source", Kind::Cluster)],
        _ => &[],
    }
}

impl World {
    pub fn rows(&self, kind: Kind) -> &[Value] {
        &self.0[&kind]
    }

    /// The row that a reference leads to.
    pub fn row(&self, kind: Kind, id: &Value) -> Option<&Value> {
        self.rows(kind).iter().find(|row| row["id"] == *id)
    }

    /// The values of a field, over all rows that have one.
    pub fn values(&self, kind: Kind, field: &str) -> Vec<Value> {
        self.rows(kind).iter().map(|row| row[field].clone()).filter(|value| !value.is_null()).collect()
    }

    /// The text of a file with these rows, the admin's token and that of [`SOME`].
    pub fn file(&self, seen: &Seen) -> String {
        let lists = self.0.iter().map(|(kind, rows)| (list_name(*kind).to_owned(), json!(rows)));
        let mut file: Map<String, Value> = lists.collect();
        let permission = |kind: Kind| {
            let ids = seen.ids.iter().filter(|(seen, _)| *seen == kind).map(|(_, id)| *id).collect::<Vec<_>>();
            json!({"models": [kind.permission_name()], "actions": ["view"], "constraints": {"id__in": ids}})
        };
        let all = json!([{"models": ["*"], "actions": ["view", "add", "change", "delete"], "constraints": null}]);
        let some = Kind::ALL.map(permission);
        file.insert(
            "tokens".into(),
            json!([
                {"name": "admin", "value": crate::support::ADMIN, "permissions": all},
                {"name": "some", "value": SOME, "permissions": some},
            ]),
        );
        Value::Object(file).to_string()
    }

    /// What is left for somebody who sees these rows only: the rest does not exist, and nothing refers to it.
    pub fn seen(&self, seen: &Seen) -> Self {
        let exists = |kind, id: &Value| id.as_i64().is_some_and(|id| seen.ids.contains(&(kind, id)));
        let mut left = self.0.clone();
        for (kind, rows) in &mut left {
            rows.retain(|row| exists(*kind, &row["id"]));
            for row in rows {
                for (field, target) in references(*kind) {
                    if !exists(*target, &row[*field]) {
                        row[*field] = Value::Null;
                    }
                }
                if let Some(tags) = row.get_mut("tags").and_then(Value::as_array_mut) {
                    tags.retain(|tag| exists(Kind::Tag, tag));
                }
            }
        }
        Self(left)
    }
}

/// The rows that somebody may view.
#[derive(Clone, Debug)]
pub struct Seen {
    ids: HashSet<(Kind, i64)>,
}

impl Seen {
    /// About two thirds of all rows.
    pub fn most_of(world: &World) -> Self {
        let ids = Kind::ALL.into_iter().flat_map(|kind| world.rows(kind).iter().map(move |row| (kind, &row["id"])));
        let ids = ids.map(|(kind, id)| (kind, id.as_i64().unwrap()));
        Self { ids: ids.filter(|(kind, id)| (id * 7 + *kind as i64 * 5) % 9 < 6).collect() }
    }
}

/// What texts are made of: LIKE's and regular expressions' special characters, quotes, letters of either case from
/// several scripts. Left out are the few letters that PostgreSQL folds in its own way, as the documentation says.
pub const ALPHABET: [&str; 34] = [
    "a", "A", "b", "B", "z", "é", "É", "ü", "Ü", "ß", "ω", "Ω", "γ", "Γ", "д", "Д", "日", "本", "😀", "%", "_", "\\",
    "1", "2", "0", " ", "'", "\"", ".", "-", "*", "[", "(", "$",
];

/// A text, often one that others are too.
pub fn text() -> BoxedStrategy<String> {
    let word =
        select(vec!["pve", "PVE", "Pve-1", "a%b", "axb", "n_1", "nx1", r"c\d", "ÜBER", "über", "Über 2", "日本"]);
    let random = vec(select(ALPHABET.to_vec()), 0..5).prop_map(|parts| parts.concat());
    prop_oneof![2 => word.prop_map(str::to_owned), 1 => Just(String::new()), 3 => random].boxed()
}

fn name() -> BoxedStrategy<Value> {
    text().prop_map(|text| if text.trim().is_empty() { json!("same") } else { json!(text) }).boxed()
}

/// A comma-separated list, spaced in every way.
fn list() -> BoxedStrategy<String> {
    let part = select(vec!["images", "backup", "iso", "pve", "pve-1", "é", ""]);
    let comma = select(vec![",", ", ", " ,", ",,", " , "]);
    let items = vec((part, comma), 0..4);
    items.prop_map(|items| items.iter().flat_map(|(part, comma)| [*part, *comma]).collect::<String>()).boxed()
}

pub fn address() -> BoxedStrategy<String> {
    let known = vec!["10.0.0.1", "10.0.0.2", "10.0.0.12", "2001:db8::ff", "::1", "::1.2.3.4", "::ffff:1.2.3.4"];
    prop_oneof![select(known).prop_map(str::to_owned), any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string())]
        .boxed()
}

pub fn int() -> BoxedStrategy<i32> {
    prop_oneof![4 => -3..8i32, 1 => select(vec![i32::MIN, i32::MAX, i32::MAX - 1, 0])].boxed()
}

fn count() -> BoxedStrategy<i32> {
    prop_oneof![4 => 0..5i32, 1 => Just(i32::MAX)].boxed()
}

pub fn bytes() -> BoxedStrategy<i64> {
    let odd = select(vec![0, 1, -1, i64::MAX, i64::MAX - 1, i64::MIN, 1 << 53, (1 << 53) + 1]);
    prop_oneof![2 => 0..6i64, 2 => (1i64 << 30)..(1 << 40), 2 => odd].boxed()
}

/// Quarters, so that sums are exact in any order.
pub fn float() -> BoxedStrategy<f64> {
    prop_oneof![3 => (0..8i32).prop_map(|n| f64::from(n) / 4.0), 1 => (-40_000..40_000i32).prop_map(|n| f64::from(n) / 4.0)]
        .boxed()
}

/// A time with microseconds, in the form of which the texts sort as the times do.
pub fn time() -> BoxedStrategy<String> {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    let second = prop_oneof![
        6 => (1_767_225_600..1_767_225_605i64).boxed(),
        2 => (0..2_000_000_000i64).boxed(),
        1 => select(vec![FIRST, LAST, -1]).boxed(),
    ];
    let micros = select(vec![0, 1, 500_000, 500_001, 999_999]);
    let text = |(second, micros): (i64, u32)| DateTime::from_timestamp(second, micros * 1_000).unwrap();
    (second, micros).prop_map(text).prop_map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true)).boxed()
}

fn json_of<T: Into<Value> + std::fmt::Debug + Clone + 'static>(values: BoxedStrategy<T>) -> BoxedStrategy<Value> {
    values.prop_map(Into::into).boxed()
}

fn nullable<T: Into<Value> + std::fmt::Debug + Clone + 'static>(values: BoxedStrategy<T>) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 3 => json_of(values)].boxed()
}

fn flag() -> BoxedStrategy<Value> {
    json_of(any::<bool>().boxed())
}

fn mode() -> BoxedStrategy<Value> {
    select(vec![json!("undefined"), json!("standalone"), json!("cluster")]).boxed()
}

fn origin() -> BoxedStrategy<Value> {
    select(vec![json!("netbox"), json!("manual"), json!("local")]).boxed()
}

/// The id of the nth row of any list.
fn id(n: usize) -> i64 {
    n as i64 * 3 + 2
}

/// Ids of one of so many rows.
fn reference(rows: usize) -> BoxedStrategy<Value> {
    (0..rows).prop_map(|n| json!(id(n))).boxed()
}

fn maybe(rows: usize) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 2 => reference(rows)].boxed()
}

fn tags() -> BoxedStrategy<Value> {
    let some = proptest::sample::subsequence((0..TAGS).map(id).collect::<Vec<_>>(), 0..=TAGS);
    prop_oneof![Just(json!([])), some.prop_map(|ids| json!(ids))].boxed()
}

const ENDPOINTS: usize = 7;
const NETBOX_CLUSTERS: usize = 6;
const DEVICES: usize = 6;
const CLUSTERS: usize = 16;
const NODES: usize = 45;
const STORAGES: usize = 40;
const TAGS: usize = 5;

/// So many rows with these fields, each with an id.
fn rows(count: usize, fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Vec<Value>> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    vec(values, count)
        .prop_map(move |rows| {
            let row = |(n, values): (usize, Vec<Value>)| {
                let fields = names.iter().map(|name| (*name).to_owned()).zip(values);
                Value::Object([("id".to_owned(), json!(id(n)))].into_iter().chain(fields).collect())
            };
            rows.into_iter().enumerate().map(row).collect()
        })
        .boxed()
}

/// Makes what must be unique so: a repeated name gets the row's id.
fn distinct(rows: &mut [Value], keys: &[&str]) {
    let mut seen = HashSet::new();
    for row in rows {
        let key = |row: &Value| keys.iter().map(|key| row[*key].to_string()).collect::<Vec<_>>();
        if !seen.insert(key(row)) {
            row["name"] = json!(format!("{}-{}", row["name"].as_str().unwrap(), row["id"]));
            seen.insert(key(row));
        }
    }
}

fn recorded(mut fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> Vec<(&'static str, BoxedStrategy<Value>)> {
    fields.extend([("tags", tags()), ("created", json_of(time())), ("last_updated", json_of(time()))]);
    fields
}

/// Random rows of every kind.
pub fn world() -> impl Strategy<Value = World> {
    let endpoints = recorded(vec![
        ("name", name()),
        ("domain", nullable(text())),
        ("ip_address", nullable(address())),
        ("mode", mode()),
        ("enabled", flag()),
    ]);
    let clusters = recorded(vec![
        ("endpoint", reference(ENDPOINTS)),
        ("netbox_cluster", maybe(NETBOX_CLUSTERS)),
        ("name", name()),
        ("cluster_id", json_of(text())),
        ("mode", mode()),
        ("nodes_count", json_of(count())),
        ("quorate", flag()),
        ("version", nullable(int())),
        ("missing_since", nullable(time())),
        ("stale", flag()),
    ]);
    let nodes = recorded(vec![
        ("endpoint", reference(ENDPOINTS)),
        ("proxmox_cluster", maybe(CLUSTERS)),
        ("netbox_device", maybe(DEVICES)),
        ("name", name()),
        ("node_id", nullable(int())),
        ("ip_address", nullable(address())),
        ("online", flag()),
        ("local", flag()),
        ("cpu_usage", nullable(float())),
        ("max_cpu", nullable(int())),
        ("memory_usage", nullable(bytes())),
        ("max_memory", nullable(bytes())),
        ("ssl_fingerprint", json_of(text())),
        ("support_level", json_of(text())),
        ("missing_since", nullable(time())),
        ("stale", flag()),
    ]);
    let storages = recorded(vec![
        ("cluster", reference(NETBOX_CLUSTERS)),
        ("source", maybe(CLUSTERS)),
        ("name", name()),
        ("storage_type", nullable(text())),
        ("content", nullable(list())),
        ("path", nullable(text())),
        ("nodes", nullable(list())),
        ("shared", flag()),
        ("enabled", flag()),
        ("server", nullable(text())),
        ("port", nullable(int())),
        ("pool", nullable(text())),
        ("datastore", nullable(text())),
        ("format", nullable(text())),
        ("missing_since", nullable(time())),
        ("stale", flag()),
    ]);
    let netbox = |name| vec![("name", name), ("display", Just(json!("as shown")).boxed()), ("origin", origin())];
    let tags = vec![("name", name()), ("color", Just(json!("4caf50")).boxed())];
    let all = (
        rows(ENDPOINTS, endpoints),
        rows(CLUSTERS, clusters),
        rows(NODES, nodes),
        rows(STORAGES, storages),
        rows(NETBOX_CLUSTERS, netbox(name())),
        rows(DEVICES, netbox(nullable(text()))),
        rows(TAGS, tags),
    );
    all.prop_map(|(mut endpoints, mut clusters, mut nodes, mut storages, netbox_clusters, devices, mut tags)| {
        distinct(&mut endpoints, &["name"]);
        distinct(&mut clusters, &["endpoint", "name"]);
        distinct(&mut nodes, &["endpoint", "name"]);
        distinct(&mut storages, &["cluster", "name"]);
        distinct(&mut tags, &["name"]);
        // What some tests cannot do without.
        nodes[..3].iter_mut().for_each(|row| row["max_memory"] = json!(i64::MAX));
        storages[0]["server"] = Value::Null;
        storages[1]["server"] = json!("pve");
        for (row, slug) in tags.iter_mut().zip(["prod", "PROD", "lab", "é", "a_b"]) {
            row["slug"] = json!(slug);
        }
        World(BTreeMap::from([
            (Kind::Endpoint, endpoints),
            (Kind::Cluster, clusters),
            (Kind::Node, nodes),
            (Kind::Storage, storages),
            (Kind::NetBoxCluster, netbox_clusters),
            (Kind::NetBoxDevice, devices),
            (Kind::Tag, tags),
        ]))
    })
}
