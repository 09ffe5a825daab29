use super::{Listed, Object, address_of, listed, named, text_of};
use crate::client::failure::Failure;
use crate::client::proxmox::scalar::{flag, int};
use serde_json::Value;

/// `GET /cluster/status`.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// None on a standalone host, and on one that has not met its cluster since it started.
    pub cluster: Option<ClusterItem>,
    pub nodes: Vec<StatusNode>,
    /// Why items were left out, one line each.
    pub skipped: Vec<String>,
}

/// The cluster as the asked node sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterItem {
    pub name: String,
    /// Members, those that are offline too.
    pub nodes: Option<i64>,
    pub quorate: Option<bool>,
    /// Of corosync's configuration.
    pub version: Option<i64>,
}

/// A node as the asked one sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusNode {
    pub name: String,
    /// 0 outside of a cluster.
    pub nodeid: Option<i64>,
    /// In canonical form, without brackets. Absent for an offline node that has not been seen since this one started.
    pub ip: Option<String>,
    pub online: Option<bool>,
    /// Whether it is the one that answered.
    pub local: Option<bool>,
    /// Of the subscription: empty, `c`, `b`, `s` or `p`.
    pub level: Option<String>,
}

/// An item of either kind.
enum Item {
    Cluster(ClusterItem),
    Node(StatusNode),
}

impl Status {
    pub(in crate::client::proxmox) fn read(data: Value) -> Result<Self, Failure> {
        let Listed { items, mut skipped } = listed(data, item)?;
        let (mut cluster, mut nodes) = (None, Vec::new());
        for item in items {
            match item {
                Item::Cluster(_) if cluster.is_some() => skipped.push("a second cluster".into()),
                Item::Cluster(item) => cluster = Some(item),
                Item::Node(item) => nodes.push(item),
            }
        }
        Ok(Self { cluster, nodes, skipped })
    }
}

fn item(item: Object) -> Result<Item, &'static str> {
    let name = named(&item, "name")?;
    let int = |key| int(item.get(key)?);
    let flag = |key| flag(item.get(key)?);
    match item.get("type").and_then(Value::as_str) {
        Some("cluster") => Ok(Item::Cluster(ClusterItem {
            name,
            nodes: int("nodes"),
            quorate: flag("quorate"),
            version: int("version"),
        })),
        Some("node") => Ok(Item::Node(StatusNode {
            name,
            nodeid: int("nodeid"),
            ip: address_of(&item, "ip"),
            online: flag("online"),
            local: flag("local"),
            level: text_of(&item, "level"),
        })),
        _ => Err("it is neither a cluster nor a node"),
    }
}
