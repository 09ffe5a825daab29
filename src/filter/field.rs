//! What can be asked of each model: one table of fields a model.
use super::Lookup;
use crate::entity::{Kind, Mode, Origin, Scalar, address};

/// A field that filters and constraints may name.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// As REST names it; GraphQL uses it in camelCase.
    pub name: &'static str,
    pub ty: Type,
    /// The column it stands for; the foreign key, for a relation to one object.
    pub column: &'static str,
}

/// What kind of value a field holds, which decides how it can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Id,
    Text,
    /// Text that holds an IP address in its canonical form.
    Address,
    Int,
    Float,
    Bool,
    Time,
    /// Text of a closed list.
    Mode,
    Origin,
    /// Used memory in percent, computed from two columns.
    MemoryPercent,
    /// A reference to one object.
    One(Kind),
    /// The nodes of a Proxmox cluster: those that name it, and for a standalone host those of its endpoint.
    ClusterNodes,
    Tags,
}

impl Type {
    /// Whether a field of this type can be looked at in this way, with operands of this type.
    pub(super) fn takes(self, lookup: &Lookup) -> bool {
        use Lookup as L;
        match (self, lookup) {
            (Self::One(_), L::Null | L::Is(_)) | (Self::ClusterNodes, L::Is(_)) => true,
            (Self::Tags, L::Tagged | L::TaggedAny(_)) => true,
            (Self::One(_) | Self::ClusterNodes | Self::Tags, _) => false,
            (_, L::In(values)) => values.iter().all(|value| self.holds(value)),
            (Self::Bool | Self::Mode | Self::Origin, L::Compare(..)) => false,
            (_, L::Compare(_, value)) => self.holds(value),
            (_, L::Null) => true,
            (Self::Text | Self::Address, L::InFolded(_) | L::CompareFolded(..) | L::Empty) => true,
            (Self::Text | Self::Address, L::Contains(_) | L::StartsWith(_) | L::EndsWith(_) | L::Regex(_)) => true,
            (Self::Text, L::HasPart(_) | L::NoParts) => true,
            _ => false,
        }
    }

    fn holds(self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Text | Self::Address, Scalar::Text(_))
            | (Self::Id | Self::Int, Scalar::Int(_))
            | (Self::Float | Self::MemoryPercent, Scalar::Float(_))
            | (Self::Bool, Scalar::Bool(_))
            | (Self::Time, Scalar::Time(_)) => true,
            (Self::Mode, Scalar::Text(text)) => Mode::parse(text).is_some(),
            (Self::Origin, Scalar::Text(text)) => Origin::ALL.iter().any(|(_, value)| value == text),
            _ => false,
        }
    }

    /// Addresses are stored canonical, so whole addresses are compared in that form.
    pub(super) fn normalised(self, lookup: Lookup) -> Lookup {
        let canonical = |value| match value {
            Scalar::Text(text) => Scalar::Text(address::canonical(&text).unwrap_or(text)),
            other => other,
        };
        match (self, lookup) {
            (Self::Address, Lookup::In(values)) => Lookup::In(values.into_iter().map(canonical).collect()),
            (_, lookup) => lookup,
        }
    }
}

const fn plain(name: &'static str, ty: Type) -> Field {
    Field { name, ty, column: name }
}

const fn one(name: &'static str, column: &'static str, target: Kind) -> Field {
    Field { name, ty: Type::One(target), column }
}

const ID: Field = plain("id", Type::Id);
const NAME: Field = plain("name", Type::Text);
const TAGS: Field = Field { name: "tags", ty: Type::Tags, column: "id" };
const CREATED: Field = plain("created", Type::Time);
const LAST_UPDATED: Field = plain("last_updated", Type::Time);
const MISSING_SINCE: Field = plain("missing_since", Type::Time);
const STALE: Field = plain("stale", Type::Bool);

static ENDPOINT: [Field; 9] = [
    ID,
    NAME,
    plain("domain", Type::Text),
    plain("ip_address", Type::Address),
    plain("mode", Type::Mode),
    plain("enabled", Type::Bool),
    TAGS,
    CREATED,
    LAST_UPDATED,
];

static CLUSTER: [Field; 15] = [
    ID,
    one("endpoint", "endpoint_id", Kind::Endpoint),
    one("netbox_cluster", "netbox_cluster_id", Kind::NetBoxCluster),
    NAME,
    plain("cluster_id", Type::Text),
    plain("mode", Type::Mode),
    plain("nodes_count", Type::Int),
    plain("quorate", Type::Bool),
    plain("version", Type::Int),
    Field { name: "proxmox_nodes", ty: Type::ClusterNodes, column: "id" },
    MISSING_SINCE,
    STALE,
    TAGS,
    CREATED,
    LAST_UPDATED,
];

static NODE: [Field; 21] = [
    ID,
    one("endpoint", "endpoint_id", Kind::Endpoint),
    one("proxmox_cluster", "proxmox_cluster_id", Kind::Cluster),
    one("netbox_device", "netbox_device_id", Kind::NetBoxDevice),
    NAME,
    plain("node_id", Type::Int),
    plain("ip_address", Type::Address),
    plain("online", Type::Bool),
    plain("local", Type::Bool),
    Field { name: "cpu_usage_percent", ty: Type::Float, column: "cpu_usage" },
    plain("max_cpu", Type::Int),
    plain("memory_usage", Type::Int),
    plain("memory_usage_percent", Type::MemoryPercent),
    plain("max_memory", Type::Int),
    plain("ssl_fingerprint", Type::Text),
    plain("support_level", Type::Text),
    MISSING_SINCE,
    STALE,
    TAGS,
    CREATED,
    LAST_UPDATED,
];

static STORAGE: [Field; 19] = [
    ID,
    one("cluster", "cluster_id", Kind::NetBoxCluster),
    NAME,
    plain("storage_type", Type::Text),
    plain("content", Type::Text),
    plain("path", Type::Text),
    plain("nodes", Type::Text),
    plain("shared", Type::Bool),
    plain("enabled", Type::Bool),
    plain("server", Type::Text),
    plain("port", Type::Int),
    plain("format", Type::Text),
    plain("datastore", Type::Text),
    plain("pool", Type::Text),
    MISSING_SINCE,
    STALE,
    TAGS,
    CREATED,
    LAST_UPDATED,
];

const ORIGIN: Field = plain("origin", Type::Origin);
const STATUS: Field = plain("status", Type::Text);

static NETBOX_CLUSTER: [Field; 18] = [
    ID,
    NAME,
    ORIGIN,
    plain("type_id", Type::Int),
    plain("type_name", Type::Text),
    plain("type_slug", Type::Text),
    plain("group_id", Type::Int),
    plain("group_name", Type::Text),
    plain("group_slug", Type::Text),
    plain("tenant_id", Type::Int),
    plain("tenant_name", Type::Text),
    plain("tenant_slug", Type::Text),
    plain("scope_type", Type::Text),
    plain("scope_id", Type::Int),
    plain("scope_name", Type::Text),
    plain("scope_slug", Type::Text),
    STATUS,
    MISSING_SINCE,
];

static NETBOX_DEVICE: [Field; 20] = [
    ID,
    NAME,
    ORIGIN,
    plain("site_id", Type::Int),
    plain("site_name", Type::Text),
    plain("site_slug", Type::Text),
    plain("role_id", Type::Int),
    plain("role_name", Type::Text),
    plain("role_slug", Type::Text),
    plain("tenant_id", Type::Int),
    plain("tenant_name", Type::Text),
    plain("tenant_slug", Type::Text),
    plain("rack_id", Type::Int),
    plain("rack_name", Type::Text),
    one("cluster", "cluster_id", Kind::NetBoxCluster),
    plain("serial", Type::Text),
    plain("primary_ip4", Type::Address),
    plain("primary_ip6", Type::Address),
    STATUS,
    MISSING_SINCE,
];

static TAG: [Field; 4] = [ID, NAME, plain("slug", Type::Text), plain("color", Type::Text)];

/// Every field of a kind that can be asked for.
pub fn fields(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Endpoint => &ENDPOINT,
        Kind::Cluster => &CLUSTER,
        Kind::Node => &NODE,
        Kind::Storage => &STORAGE,
        Kind::NetBoxCluster => &NETBOX_CLUSTER,
        Kind::NetBoxDevice => &NETBOX_DEVICE,
        Kind::Tag => &TAG,
    }
}

/// The field of a kind by its REST name.
pub fn field(kind: Kind, name: &str) -> Option<&'static Field> {
    fields(kind).iter().find(|field| field.name == name)
}

/// The fields that `?q=` looks at; a storage's cluster counts by its name, besides.
pub fn search_fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Endpoint => &["name", "domain"],
        Kind::Cluster => &["name", "cluster_id"],
        Kind::Node => &["name", "ip_address", "ssl_fingerprint"],
        Kind::Storage => &["name", "path"],
        Kind::NetBoxCluster | Kind::NetBoxDevice | Kind::Tag => &["name"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_begins_with_the_id() {
        for kind in Kind::ALL {
            assert_eq!(fields(kind)[0], ID, "{kind}");
        }
    }
}
