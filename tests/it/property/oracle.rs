//! The yardstick of the GraphQL properties: plain code over the rows of a file, which shares nothing with the server.
use super::data::World;
use proxbox_graphql::entity::Kind;
use serde_json::{Value, json};
use std::cmp::Ordering;

/// A field of a filter: how GraphQL calls it, where the row has it, and what it holds.
pub type Field = (&'static str, &'static str, Ty);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    Text,
    Int,
    BigInt,
    Float,
    Bool,
    Time,
    Mode,
}

/// The plain fields that filters of a kind know.
pub fn fields(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Endpoint => &[
            ("name", "name", Ty::Text),
            ("domain", "domain", Ty::Text),
            ("ipAddress", "ip_address", Ty::Text),
            ("mode", "mode", Ty::Mode),
            ("enabled", "enabled", Ty::Bool),
        ],
        Kind::Cluster => &[
            ("name", "name", Ty::Text),
            ("clusterId", "cluster_id", Ty::Text),
            ("mode", "mode", Ty::Mode),
            ("nodesCount", "nodes_count", Ty::Int),
            ("quorate", "quorate", Ty::Bool),
            ("version", "version", Ty::Int),
            ("missingSince", "missing_since", Ty::Time),
            ("stale", "stale", Ty::Bool),
            ("created", "created", Ty::Time),
            ("lastUpdated", "last_updated", Ty::Time),
        ],
        Kind::Node => &[
            ("name", "name", Ty::Text),
            ("nodeId", "node_id", Ty::Int),
            ("ipAddress", "ip_address", Ty::Text),
            ("online", "online", Ty::Bool),
            ("local", "local", Ty::Bool),
            ("cpuUsagePercent", "cpu_usage", Ty::Float),
            ("maxCpu", "max_cpu", Ty::Int),
            ("memoryUsage", "memory_usage", Ty::BigInt),
            ("memoryUsagePercent", PERCENT, Ty::Float),
            ("maxMemory", "max_memory", Ty::BigInt),
            ("sslFingerprint", "ssl_fingerprint", Ty::Text),
            ("supportLevel", "support_level", Ty::Text),
            ("missingSince", "missing_since", Ty::Time),
            ("stale", "stale", Ty::Bool),
            ("created", "created", Ty::Time),
            ("lastUpdated", "last_updated", Ty::Time),
        ],
        Kind::Storage => &[
            ("name", "name", Ty::Text),
            ("storageType", "storage_type", Ty::Text),
            ("content", "content", Ty::Text),
            ("path", "path", Ty::Text),
            ("nodes", "nodes", Ty::Text),
            ("shared", "shared", Ty::Bool),
            ("enabled", "enabled", Ty::Bool),
            ("server", "server", Ty::Text),
            ("port", "port", Ty::Int),
            ("format", "format", Ty::Text),
            ("datastore", "datastore", Ty::Text),
            ("pool", "pool", Ty::Text),
            ("missingSince", "missing_since", Ty::Time),
            ("stale", "stale", Ty::Bool),
            ("created", "created", Ty::Time),
            ("lastUpdated", "last_updated", Ty::Time),
        ],
        Kind::NetBoxCluster | Kind::NetBoxDevice | Kind::Tag => &[("name", "name", Ty::Text)],
    }
}

const PERCENT: &str = "memory percent";

/// The value of a row, the computed one too.
pub fn value(row: &Value, field: &str) -> Value {
    if field != PERCENT {
        return row[field].clone();
    }
    match (row["memory_usage"].as_i64(), row["max_memory"].as_i64()) {
        (Some(used), Some(all)) if all != 0 => json!(used as f64 / all as f64 * 100.0),
        _ => Value::Null,
    }
}

/// Orders two values of one field, neither of them null.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(x), Value::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x.as_f64().partial_cmp(&y.as_f64()).unwrap(),
        },
        _ => panic!("{a} and {b} have no order"),
    }
}

fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

impl World {
    /// Whether a GraphQL filter holds for a row.
    pub fn holds(&self, kind: Kind, filter: &Value, row: &Value) -> bool {
        filter.as_object().unwrap().iter().all(|(name, asked)| self.part_holds(kind, name, asked, row))
    }

    fn part_holds(&self, kind: Kind, name: &str, asked: &Value, row: &Value) -> bool {
        if let Some((_, field, ty)) = fields(kind).iter().find(|field| field.0 == name) {
            return operand_holds(*ty, asked, &value(row, field));
        }
        let refers = |field: &str, target| self.row(target, &row[field]);
        let list = || asked.as_array().unwrap();
        let parts = |field: &str| {
            let text = row[field].as_str().unwrap_or_default();
            let parts = text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty());
            parts.map(Value::from).collect::<Vec<_>>()
        };
        match name {
            "and" => list().iter().all(|part| self.holds(kind, part, row)),
            "or" => list().iter().any(|part| self.holds(kind, part, row)),
            "not" => !self.holds(kind, asked, row),
            "q" => self.found(kind, asked.as_str().unwrap(), row),
            "id" => operand_holds(Ty::Int, &numbers(asked), &row["id"]),
            "tags" => self.tags_hold(asked, row),
            "endpoint" => refers("endpoint", Kind::Endpoint).is_some_and(|row| self.holds(Kind::Endpoint, asked, row)),
            "cluster" => {
                refers("cluster", Kind::NetBoxCluster).is_some_and(|row| self.holds(Kind::NetBoxCluster, asked, row))
            }
            "netboxCluster" => self.reference_holds(Kind::NetBoxCluster, asked, &row["netbox_cluster"]),
            "proxmoxCluster" => self.reference_holds(Kind::Cluster, asked, &row["proxmox_cluster"]),
            "netboxDevice" => self.reference_holds(Kind::NetBoxDevice, asked, &row["netbox_device"]),
            "contentTypes" => list().iter().all(|part| parts("content").contains(part)),
            "usableFrom" => parts("nodes").is_empty() || parts("nodes").contains(asked),
            "proxmoxNodes" => {
                let of_row = self.rows(Kind::Node).iter().filter(|node| CLUSTER_NODES.joins(row, node));
                let nodes = of_row.collect::<Vec<_>>();
                let holds = |filter: &Value, node: &&Value| self.holds(Kind::Node, filter, node);
                asked.as_object().unwrap().iter().all(|(how, filter)| match how.as_str() {
                    "some" => nodes.iter().any(|node| holds(filter, node)),
                    "none" => !nodes.iter().any(|node| holds(filter, node)),
                    _ => nodes.iter().all(|node| holds(filter, node)),
                })
            }
            "origin" => row["origin"].as_str().unwrap().to_uppercase() == asked.as_str().unwrap(),
            other => panic!("no field {other}"),
        }
    }

    fn reference_holds(&self, target: Kind, asked: &Value, id: &Value) -> bool {
        let row = self.row(target, id);
        asked.as_object().unwrap().iter().all(|(how, asked)| match how.as_str() {
            "is" => row.is_some_and(|row| self.holds(target, asked, row)),
            _ => row.is_none() == asked.as_bool().unwrap(),
        })
    }

    fn tags_hold(&self, asked: &Value, row: &Value) -> bool {
        let tags = row["tags"].as_array().unwrap();
        let slugs = tags.iter().map(|id| &self.row(Kind::Tag, id).unwrap()["slug"]).collect::<Vec<_>>();
        asked.as_object().unwrap().iter().all(|(how, asked)| {
            let named = || asked.as_array().unwrap().iter();
            match how.as_str() {
                "all" => named().all(|slug| slugs.contains(&slug)),
                "any" => named().any(|slug| slugs.contains(&slug)),
                "none" => !named().any(|slug| slugs.contains(&slug)),
                _ => slugs.is_empty() == asked.as_bool().unwrap(),
            }
        })
    }

    fn found(&self, kind: Kind, text: &str, row: &Value) -> bool {
        let needle = fold(text.trim());
        let fields: &[&str] = match kind {
            Kind::Cluster => &["name", "cluster_id"],
            Kind::Node => &["name", "ip_address", "ssl_fingerprint"],
            _ => &["name", "path"],
        };
        let contains = |value: &Value| value.as_str().is_some_and(|text| fold(text).contains(&needle));
        let cluster = || self.row(Kind::NetBoxCluster, &row["cluster"]);
        needle.is_empty()
            || fields.iter().any(|field| contains(&row[*field]))
            || kind == Kind::Storage && cluster().is_some_and(|cluster| contains(&cluster["name"]))
    }

    /// The rows that match, of one parent or of nobody.
    pub fn matching(&self, list: &List, filter: &Value, parent: Option<&Value>) -> Vec<&Value> {
        let below = |row: &&Value| parent.is_none_or(|parent| list.joins(parent, row));
        self.rows(list.kind).iter().filter(below).filter(|row| self.holds(list.kind, filter, row)).collect()
    }

    /// Compares two rows by these keys, and then by their ids.
    pub fn order(&self, kind: Kind, keys: &[SortKey], a: &Value, b: &Value) -> Ordering {
        let by = |key: &SortKey| {
            let of = |row: &Value| match key.field.split_once("__") {
                None => value(row, key.field),
                Some((field, name)) => {
                    let (_, target) = super::data::references(kind).iter().find(|(own, _)| *own == field).unwrap();
                    self.row(*target, &row[field]).map_or(Value::Null, |row| row[name].clone())
                }
            };
            let (a, b) = (of(a), of(b));
            let nulls = if key.nulls_first { Ordering::Less } else { Ordering::Greater };
            match (a.is_null(), b.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => nulls,
                (false, true) => nulls.reverse(),
                (false, false) if key.descending => compare(&b, &a),
                (false, false) => compare(&a, &b),
            }
        };
        let id = |row: &Value| row["id"].as_i64();
        keys.iter().map(by).find(|order| order.is_ne()).unwrap_or_else(|| id(a).cmp(&id(b)))
    }
}

/// Ids of either form as numbers.
fn numbers(asked: &Value) -> Value {
    match asked {
        Value::Object(parts) => parts.iter().map(|(how, ids)| (how.clone(), numbers(ids))).collect(),
        Value::Array(ids) => ids.iter().map(numbers).collect(),
        Value::String(id) => json!(id.rsplit(':').next().unwrap().parse::<i64>().unwrap()),
        id => id.clone(),
    }
}

/// Whether all parts of an operand hold. A missing value fails every comparison, and so passes every negated one.
fn operand_holds(ty: Ty, asked: &Value, value: &Value) -> bool {
    let folding = asked["ignoreCase"] == true;
    let form = |value: &Value| match (ty, value) {
        (Ty::Text, Value::String(text)) if folding => json!(fold(text)),
        (Ty::Mode, Value::String(mode)) => json!(mode.to_lowercase()),
        (Ty::BigInt, Value::String(digits)) => json!(digits.parse::<i64>().unwrap()),
        (Ty::Float, value) => json!(value.as_f64()),
        (_, value) => value.clone(),
    };
    let own = Some(value).filter(|value| !value.is_null()).map(form);
    let order = |operand: &Value| own.as_ref().map(|own| compare(own, &form(operand)));
    let same = |operand: &Value| order(operand).is_some_and(Ordering::is_eq);
    let one_of = |operands: &Value| operands.as_array().unwrap().iter().any(same);
    let text = |operand: &Value, test: fn(&str, &str) -> bool| match (&own, form(operand)) {
        (Some(Value::String(own)), Value::String(operand)) => test(own, &operand),
        _ => false,
    };
    asked.as_object().unwrap().iter().all(|(how, operand)| match how.as_str() {
        "eq" => same(operand),
        "ne" => !same(operand),
        "in" => one_of(operand),
        "notIn" => !one_of(operand),
        "gt" => order(operand).is_some_and(Ordering::is_gt),
        "gte" => order(operand).is_some_and(Ordering::is_ge),
        "lt" => order(operand).is_some_and(Ordering::is_lt),
        "lte" => order(operand).is_some_and(Ordering::is_le),
        "contains" => text(operand, |own, operand| own.contains(operand)),
        "startsWith" => text(operand, |own, operand| own.starts_with(operand)),
        "endsWith" => text(operand, |own, operand| own.ends_with(operand)),
        "isNull" => value.is_null() == operand.as_bool().unwrap(),
        "isEmpty" => (value == "") == operand.as_bool().unwrap(),
        "ignoreCase" => true,
        other => panic!("no operator {other}"),
    })
}

/// One key of an ordering.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// GraphQL's name of it, and the row's.
    pub name: &'static str,
    pub field: &'static str,
    pub descending: bool,
    pub nulls_first: bool,
}

/// What a kind can be sorted by.
pub fn sort_fields(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Cluster => &[
            ("ID", "id"),
            ("NAME", "name"),
            ("CLUSTER_ID", "cluster_id"),
            ("MODE", "mode"),
            ("NODES_COUNT", "nodes_count"),
            ("QUORATE", "quorate"),
            ("VERSION", "version"),
            ("CREATED", "created"),
            ("LAST_UPDATED", "last_updated"),
            ("ENDPOINT_NAME", "endpoint__name"),
            ("NETBOX_CLUSTER_NAME", "netbox_cluster__name"),
        ],
        Kind::Node => &[
            ("ID", "id"),
            ("NAME", "name"),
            ("NODE_ID", "node_id"),
            ("IP_ADDRESS", "ip_address"),
            ("ONLINE", "online"),
            ("CPU_USAGE", "cpu_usage"),
            ("MAX_CPU", "max_cpu"),
            ("MEMORY_USAGE", "memory_usage"),
            ("MEMORY_USAGE_PERCENT", PERCENT),
            ("MAX_MEMORY", "max_memory"),
            ("CREATED", "created"),
            ("LAST_UPDATED", "last_updated"),
            ("ENDPOINT_NAME", "endpoint__name"),
            ("PROXMOX_CLUSTER_NAME", "proxmox_cluster__name"),
            ("NETBOX_DEVICE_NAME", "netbox_device__name"),
        ],
        _ => &[
            ("ID", "id"),
            ("NAME", "name"),
            ("STORAGE_TYPE", "storage_type"),
            ("SHARED", "shared"),
            ("ENABLED", "enabled"),
            ("SERVER", "server"),
            ("CREATED", "created"),
            ("LAST_UPDATED", "last_updated"),
            ("CLUSTER_NAME", "cluster__name"),
        ],
    }
}

/// How lists are ordered when nobody says how.
pub fn default_order(kind: Kind) -> Vec<SortKey> {
    let parent = if kind == Kind::Storage { "cluster__name" } else { "endpoint__name" };
    let key = |field| SortKey { name: "", field, descending: false, nulls_first: false };
    vec![key(parent), key("name")]
}

/// A list of GraphQL: its field, what it holds, and below which parents.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub field: &'static str,
    pub kind: Kind,
    /// The parents' root field and kind.
    pub below: Option<(&'static str, Kind)>,
    /// Which field of the row names the parent.
    key: &'static str,
    /// A second way to a parent: a field of both that must be the same, and whether for standalone hosts only.
    shared: Option<(&'static str, &'static str, bool)>,
}

const fn list(field: &'static str, kind: Kind, below: Option<(&'static str, Kind)>, key: &'static str) -> List {
    List { field, kind, below, key, shared: None }
}

const ENDPOINTS: Option<(&str, Kind)> = Some(("proxmoxEndpoints", Kind::Endpoint));
const CLUSTERS: Option<(&str, Kind)> = Some(("proxmoxClusters", Kind::Cluster));
const NETBOX_CLUSTERS: Option<(&str, Kind)> = Some(("netboxClusters", Kind::NetBoxCluster));
const DEVICES: Option<(&str, Kind)> = Some(("netboxDevices", Kind::NetBoxDevice));

/// The nodes of a cluster; a standalone host has those of its endpoint.
const CLUSTER_NODES: List = List {
    shared: Some(("endpoint", "endpoint", true)),
    ..list("proxmoxNodes", Kind::Node, CLUSTERS, "proxmox_cluster")
};
const CLUSTER_STORAGES: List = List {
    shared: Some(("netbox_cluster", "cluster", false)),
    ..list("proxmoxStorages", Kind::Storage, CLUSTERS, "source")
};

/// Every list that can be ordered and measured.
pub const LISTS: [List; 10] = [
    list("proxmoxClusters", Kind::Cluster, None, ""),
    list("proxmoxNodes", Kind::Node, None, ""),
    list("proxmoxStorages", Kind::Storage, None, ""),
    list("proxmoxClusters", Kind::Cluster, ENDPOINTS, "endpoint"),
    list("proxmoxNodes", Kind::Node, ENDPOINTS, "endpoint"),
    list("proxmoxClusters", Kind::Cluster, NETBOX_CLUSTERS, "netbox_cluster"),
    list("proxmoxStorages", Kind::Storage, NETBOX_CLUSTERS, "cluster"),
    list("proxmoxNodes", Kind::Node, DEVICES, "netbox_device"),
    CLUSTER_NODES,
    CLUSTER_STORAGES,
];

impl List {
    /// Whether the row is in the parent's list.
    fn joins(&self, parent: &Value, row: &Value) -> bool {
        row[self.key] == parent["id"]
            || self.shared.is_some_and(|(parents, rows, standalone)| {
                !parent[parents].is_null()
                    && parent[parents] == row[rows]
                    && (!standalone || parent["mode"] == "standalone")
            })
    }

    /// A query for something of the list, of every parent at once; `$f` is the filter.
    pub fn query(&self, variables: &str, arguments: &str, selection: &str) -> String {
        let kind = self.kind.type_name();
        let list = format!("list: {}(filter: $f {arguments}) {{ {selection} }}", self.field);
        let whole = match self.below {
            None => list,
            Some((field, _)) => format!("parents: {field}(first: 1000) {{ nodes {{ databaseId {list} }} }}"),
        };
        format!("query($f: {kind}Filter {variables}) {{ {whole} }}")
    }

    /// The lists of an answer, each with its parent.
    pub fn answers<'a>(&self, world: &'a World, data: &'a Value) -> Vec<(Option<&'a Value>, &'a Value)> {
        let Some((_, kind)) = self.below else { return vec![(None, &data["list"])] };
        let nodes = data["parents"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), world.rows(kind).len(), "every parent that may be viewed, and no other");
        nodes.iter().map(|node| (Some(world.row(kind, &node["databaseId"]).unwrap()), &node["list"])).collect()
    }
}
