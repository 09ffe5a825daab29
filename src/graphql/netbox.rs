//! NetBox's clusters and devices, as far as Proxmox objects refer to them.
use super::cluster::ProxmoxCluster;
use super::connection::{Connection, Item, connection, connections};
use super::error::Result;
use super::filter::{IdFilter, ReferenceOrigin, StringFilter, filter_input, on};
use super::loader::{KindLoaders, Loaders};
use super::node::ProxmoxNode;
use super::object::resource_object;
use super::order::NoOrder;
use super::scalar::local_id;
use super::session;
use super::storage::ProxmoxStorage;
use crate::entity::{Kind, netbox_cluster, netbox_device};
use crate::page::PageArgs;
use crate::service::read::Relation;
use async_graphql::{Context, ID, Object};
use std::sync::Arc;

resource_object! {
    /// NetBox `virtualization.Cluster` — **not** a Proxmox cluster.
    NetBoxCluster(netbox_cluster::Model) {
        /// Its name in NetBox.
        async fn name(&self) -> &str {
            &self.0.name
        }

        /// Where the reference comes from.
        async fn origin(&self) -> ReferenceOrigin {
            self.0.origin.into()
        }

        #[graphql(flatten)]
        async fn lists(&self) -> NetBoxClusterLists {
            NetBoxClusterLists(self.0.id)
        }
    }
}

connections! {
    /// What belongs to a NetBox cluster.
    NetBoxClusterLists(i32) {
        /// The Proxmox clusters that are linked to it.
        proxmox_clusters: MeasuredConnection<ProxmoxCluster> = Relation::NetBoxClusterClusters;
        /// The storages that belong to it.
        proxmox_storages: MeasuredConnection<ProxmoxStorage> = Relation::NetBoxClusterStorages;
    }
}

filter_input! {
    /// Which NetBox clusters. All parts must hold.
    NetBoxClusterFilter, Kind::NetBoxCluster, {
        /// Its id.
        id: IdFilter => |filter| filter.of(Kind::NetBoxCluster),
        /// Its name.
        name: StringFilter => |filter| on(Kind::NetBoxCluster, "name", filter),
        /// Where the reference comes from.
        origin: ReferenceOrigin => |filter| on(Kind::NetBoxCluster, "origin", filter),
    }
}

impl Item for NetBoxCluster {
    type Entity = netbox_cluster::Entity;
    type Model = netbox_cluster::Model;
    type Filter = NetBoxClusterFilter;
    type Order = NoOrder;

    fn new(row: Arc<netbox_cluster::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<netbox_cluster::Entity> {
        &loaders.netbox_clusters
    }
}

resource_object! {
    /// NetBox `dcim.Device`.
    NetBoxDevice(netbox_device::Model) {
        /// Its name in NetBox, which allows devices without one.
        async fn name(&self) -> Option<&str> {
            self.0.name.as_deref()
        }

        /// Where the reference comes from.
        async fn origin(&self) -> ReferenceOrigin {
            self.0.origin.into()
        }

        #[graphql(flatten)]
        async fn lists(&self) -> NetBoxDeviceLists {
            NetBoxDeviceLists(self.0.id)
        }
    }
}

connections! {
    /// What belongs to a NetBox device.
    NetBoxDeviceLists(i32) {
        /// The Proxmox nodes that are linked to it.
        proxmox_nodes: MeasuredConnection<ProxmoxNode> = Relation::NetBoxDeviceNodes;
    }
}

filter_input! {
    /// Which NetBox devices. All parts must hold.
    NetBoxDeviceFilter, Kind::NetBoxDevice, {
        /// Its id.
        id: IdFilter => |filter| filter.of(Kind::NetBoxDevice),
        /// Its name.
        name: StringFilter => |filter| on(Kind::NetBoxDevice, "name", filter),
        /// Where the reference comes from.
        origin: ReferenceOrigin => |filter| on(Kind::NetBoxDevice, "origin", filter),
    }
}

impl Item for NetBoxDevice {
    type Entity = netbox_device::Entity;
    type Model = netbox_device::Model;
    type Filter = NetBoxDeviceFilter;
    type Order = NoOrder;

    fn new(row: Arc<netbox_device::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<netbox_device::Entity> {
        &loaders.netbox_devices
    }
}

/// Queries for NetBox's objects.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetBoxQuery;

/// Queries for NetBox's objects.
#[Object]
impl NetBoxQuery {
    /// One NetBox cluster; null if there is none that you may view.
    #[graphql(name = "netboxCluster")]
    async fn netbox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "NetBox's id, or `NetBoxCluster:<id>`.")] id: ID,
    ) -> Result<Option<NetBoxCluster>> {
        NetBoxCluster::by_id(session(ctx), local_id(&id, Kind::NetBoxCluster)?).await
    }

    /// One NetBox device; null if there is none that you may view.
    async fn netbox_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "NetBox's id, or `NetBoxDevice:<id>`.")] id: ID,
    ) -> Result<Option<NetBoxDevice>> {
        NetBoxDevice::by_id(session(ctx), local_id(&id, Kind::NetBoxDevice)?).await
    }

    /// The NetBox clusters that are known here, by name.
    #[allow(clippy::too_many_arguments)]
    async fn netbox_clusters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rows for which this holds; none, null and {} match every row.")] filter: Option<
            NetBoxClusterFilter,
        >,
        #[graphql(desc = "So many rows from the start, or behind `after`: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`: 0–1000; not with `first`.")] last: Option<i64>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Leave out so many rows at the start; not with a cursor or `last`.")] offset: Option<i64>,
    ) -> Result<Connection<NetBoxCluster>> {
        connection(ctx, None, filter, None, PageArgs { first, after, last, before, offset })
    }

    /// The NetBox devices that are known here, by name.
    #[allow(clippy::too_many_arguments)]
    async fn netbox_devices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rows for which this holds; none, null and {} match every row.")] filter: Option<
            NetBoxDeviceFilter,
        >,
        #[graphql(desc = "So many rows from the start, or behind `after`: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`: 0–1000; not with `first`.")] last: Option<i64>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Leave out so many rows at the start; not with a cursor or `last`.")] offset: Option<i64>,
    ) -> Result<Connection<NetBoxDevice>> {
        connection(ctx, None, filter, None, PageArgs { first, after, last, before, offset })
    }
}
