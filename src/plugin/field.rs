//! Whose a field is: what an import may do with the value of a row that is on both sides, and what is compared.
use crate::entity::Kind;
use crate::service::generation::VOLATILE;

/// Whose the value of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// What tells the row: the same on both sides, or it would be another row.
    Key,
    /// The id, which clients keep.
    Id,
    /// When it was made and changed.
    Time,
    /// Where the secrets of an endpoint go. Never taken for an endpoint that is here: they would go elsewhere.
    Way,
    /// A link that an operator made. Filled in where there is none.
    Link,
    /// An object of which every key is an operator's. Filled in where a key has no value.
    Custom,
    /// What Proxmox tells. Taken when the plugin knows it later.
    Observed,
    /// The same, and changes all the time.
    Figure,
    /// The plugin has no such thing.
    Ours,
}

/// Whose this column is.
pub fn owner(kind: Kind, column: &str) -> Owner {
    match (kind, column) {
        (_, "id") => Owner::Id,
        (_, "created" | "last_updated") => Owner::Time,
        (_, "custom_fields") => Owner::Custom,
        (_, "name") | (Kind::Cluster | Kind::Node, "endpoint_id") | (Kind::Storage, "cluster_id") => Owner::Key,
        (Kind::Endpoint, "domain" | "ip_address" | "port" | "username" | "token_name" | "verify_ssl") => Owner::Way,
        (Kind::Endpoint, "mode" | "version" | "repoid") => Owner::Observed,
        (Kind::Cluster, "netbox_cluster_id") | (Kind::Node, "netbox_device_id") => Owner::Link,
        (_, "metrics_at" | "missing_since" | "stale" | "source_id" | "local_cluster_id") => Owner::Ours,
        (Kind::Cluster | Kind::Node | Kind::Storage, column) if VOLATILE.contains(&column) => Owner::Figure,
        (Kind::Cluster | Kind::Node | Kind::Storage, _) => Owner::Observed,
        _ => Owner::Ours,
    }
}
