use super::{Listed, Object, address_of, listed, named, strange, text_of};
use crate::client::failure::Failure;
use crate::client::proxmox::scalar::int;
use serde_json::Value;

/// `GET /cluster/config/join`: the members of a cluster as they are configured, seen or not.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinInfo {
    /// The cluster's name, if corosync's configuration tells it.
    pub cluster_name: Option<String>,
    /// The node that answered.
    pub preferred_node: Option<String>,
    pub nodes: Vec<JoinNode>,
    /// Why items were left out, one line each.
    pub skipped: Vec<String>,
}

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinNode {
    pub name: String,
    pub nodeid: Option<i64>,
    /// In canonical form, without brackets.
    pub pve_addr: Option<String>,
    /// SHA-256 of the certificate that the node serves.
    pub pve_fp: Option<String>,
}

impl JoinInfo {
    pub(in crate::client::proxmox) fn read(data: Value) -> Result<Self, Failure> {
        let Value::Object(mut data) = data else { return Err(strange("an object", &data)) };
        let list = data.get_mut("nodelist").map(Value::take).unwrap_or_default();
        let Listed { items, skipped } = listed(list, node)?;
        let totem = data.get("totem").and_then(Value::as_object);
        Ok(Self {
            cluster_name: totem.and_then(|totem| text_of(totem, "cluster_name")),
            preferred_node: text_of(&data, "preferred_node"),
            nodes: items,
            skipped,
        })
    }
}

fn node(item: Object) -> Result<JoinNode, &'static str> {
    Ok(JoinNode {
        name: named(&item, "name")?,
        nodeid: item.get("nodeid").and_then(int),
        pve_addr: address_of(&item, "pve_addr"),
        pve_fp: text_of(&item, "pve_fp"),
    })
}
