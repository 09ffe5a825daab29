use std::fmt;

/// The kinds of resources that have an identity in both APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Endpoint,
    Cluster,
    Node,
    Storage,
    NetBoxCluster,
    NetBoxDevice,
    Tag,
}

impl Kind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 7] =
        [Self::Endpoint, Self::Cluster, Self::Node, Self::Storage, Self::NetBoxCluster, Self::NetBoxDevice, Self::Tag];

    /// The table that holds the rows; also the object type in `tag_assignment` and `change`.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Endpoint => "proxmox_endpoint",
            Self::Cluster => "proxmox_cluster",
            Self::Node => "proxmox_node",
            Self::Storage => "proxmox_storage",
            Self::NetBoxCluster => "netbox_cluster",
            Self::NetBoxDevice => "netbox_device",
            Self::Tag => "tag",
        }
    }

    /// The GraphQL type, and the first half of a global id.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Endpoint => "ProxmoxEndpoint",
            Self::Cluster => "ProxmoxCluster",
            Self::Node => "ProxmoxNode",
            Self::Storage => "ProxmoxStorage",
            Self::NetBoxCluster => "NetBoxCluster",
            Self::NetBoxDevice => "NetBoxDevice",
            Self::Tag => "Tag",
        }
    }

    /// The model's name in a token's permissions, as NetBox spells it.
    pub const fn permission_name(self) -> &'static str {
        match self {
            Self::Endpoint => "proxmoxendpoint",
            Self::Cluster => "proxmoxcluster",
            Self::Node => "proxmoxnode",
            Self::Storage => "proxmoxstorage",
            Self::NetBoxCluster => "cluster",
            Self::NetBoxDevice => "device",
            Self::Tag => "tag",
        }
    }

    /// The REST list route, below the server's root.
    pub const fn rest_path(self) -> &'static str {
        match self {
            Self::Endpoint => "/api/plugins/proxbox/endpoints/proxmox/",
            Self::Cluster => "/api/plugins/proxbox/clusters/",
            Self::Node => "/api/plugins/proxbox/nodes/",
            Self::Storage => "/api/plugins/proxbox/storage/",
            Self::NetBoxCluster => "/api/virtualization/clusters/",
            Self::NetBoxDevice => "/api/dcim/devices/",
            Self::Tag => "/api/extras/tags/",
        }
    }
}

impl fmt::Display for Kind {
    /// The kind as an error message names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "Proxmox endpoint",
            Self::Cluster => "Proxmox cluster",
            Self::Node => "Proxmox node",
            Self::Storage => "Proxmox storage",
            Self::NetBoxCluster => "NetBox cluster",
            Self::NetBoxDevice => "NetBox device",
            Self::Tag => "tag",
        })
    }
}
