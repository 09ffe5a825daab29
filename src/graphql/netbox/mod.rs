//! NetBox's clusters and devices: mirrored, kept by hand, or made for Proxmox clusters without a link.
mod mirror;
mod named;

pub use mirror::NetBoxMirror;

use super::cluster::ProxmoxCluster;
use super::connection::{Connection, Item, connection, connections};
use super::error::Result;
use super::filter::{DateTimeFilter, IdFilter, ReferenceOrigin, StringFilter, filter_input, on, reference_filter};
use super::loader::{KindLoaders, Loaders};
use super::node::ProxmoxNode;
use super::object::resource_object;
use super::order::NoOrder;
use super::scalar::{Time, local_id};
use super::session;
use super::storage::ProxmoxStorage;
use crate::entity::netbox_cluster::SITE;
use crate::entity::{Kind, Scalar, netbox_cluster, netbox_device};
use crate::filter::{Filter, Lookup, field, test};
use crate::page::PageArgs;
use crate::service::read::Relation;
use async_graphql::{Context, ID, Object};
use named::{NetBoxNamed, NetBoxNamedFilter};
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

        /// Its cluster type.
        async fn r#type(&self) -> Option<NetBoxNamed> {
            self.0.cluster_type().map(NetBoxNamed::from)
        }

        /// Its cluster group; null without one.
        async fn group(&self) -> Option<NetBoxNamed> {
            self.0.group().map(NetBoxNamed::from)
        }

        /// The site that it belongs to; null if it belongs to none, or to a place of another type.
        async fn site(&self) -> Option<NetBoxNamed> {
            self.0.site().map(NetBoxNamed::from)
        }

        /// The place that it belongs to, of whatever type; null without one.
        async fn scope(&self) -> Option<NetBoxNamed> {
            self.0.scope().map(NetBoxNamed::from)
        }

        /// Of which type that place is: `dcim.site`, `dcim.region`, `dcim.sitegroup`, `dcim.location`; null without one.
        async fn scope_type(&self) -> Option<&str> {
            self.0.scope_type.as_deref()
        }

        /// Its tenant; null without one.
        async fn tenant(&self) -> Option<NetBoxNamed> {
            self.0.tenant().map(NetBoxNamed::from)
        }

        /// Its status in NetBox: `active`, `planned`, `offline` …; null when it is not known.
        async fn status(&self) -> Option<&str> {
            self.0.status.as_deref()
        }

        /// When NetBox last changed it; null when that is not known.
        async fn netbox_updated(&self) -> Option<Time> {
            self.0.netbox_updated.map(Time)
        }

        /// When a complete sweep of NetBox first lacked it; null while NetBox shows it. The second one in a row removes it.
        async fn missing_since(&self) -> Option<Time> {
            self.0.missing_since.map(Time)
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
        /// Its cluster type.
        r#type: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxCluster, ("type_id", "type_name", Some("type_slug"))),
        /// Its cluster group.
        group: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxCluster, ("group_id", "group_name", Some("group_slug"))),
        /// The site that it belongs to.
        site: NetBoxNamedFilter => of_site,
        /// The place that it belongs to, of whatever type.
        scope: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxCluster, ("scope_id", "scope_name", Some("scope_slug"))),
        /// Of which type that place is, such as `dcim.site`.
        scope_type: StringFilter => |filter| on(Kind::NetBoxCluster, "scope_type", filter),
        /// Its tenant.
        tenant: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxCluster, ("tenant_id", "tenant_name", Some("tenant_slug"))),
        /// Its status in NetBox, such as `active`.
        status: StringFilter => |filter| on(Kind::NetBoxCluster, "status", filter),
        /// When a complete sweep of NetBox first lacked it; `isNull: true` for what is there.
        missing_since: DateTimeFilter => |filter| on(Kind::NetBoxCluster, "missing_since", filter),
    }
}

reference_filter! {
    /// Asks of the NetBox cluster that something is linked to. All parts must hold.
    NetBoxClusterRefFilter, NetBoxClusterFilter
}

/// A site is a scope of this type; any other scope is none.
fn of_site(filter: NetBoxNamedFilter) -> crate::error::Result<Filter> {
    let field = field(Kind::NetBoxCluster, "scope_type");
    let field = field.ok_or_else(|| crate::error::Error::Internal("clusters have no scope".into()))?;
    let is_site = || test(field, Lookup::In(vec![Scalar::Text(SITE.to_owned())]));
    filter.within(Kind::NetBoxCluster, ("scope_id", "scope_name", Some("scope_slug")), is_site)
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

        /// Its site.
        async fn site(&self) -> Option<NetBoxNamed> {
            self.0.site().map(NetBoxNamed::from)
        }

        /// Its role.
        async fn role(&self) -> Option<NetBoxNamed> {
            self.0.role().map(NetBoxNamed::from)
        }

        /// Its tenant; null without one.
        async fn tenant(&self) -> Option<NetBoxNamed> {
            self.0.tenant().map(NetBoxNamed::from)
        }

        /// Its rack; null without one.
        async fn rack(&self) -> Option<NetBoxNamed> {
            self.0.rack().map(NetBoxNamed::from)
        }

        /// The NetBox cluster that it is in; null if it is in none that you may view.
        async fn cluster(&self, ctx: &Context<'_>) -> Result<Option<NetBoxCluster>> {
            match self.0.cluster_id {
                Some(id) => NetBoxCluster::by_id(session(ctx), id).await,
                None => Ok(None),
            }
        }

        /// Its serial number; null without one.
        async fn serial(&self) -> Option<&str> {
            self.0.serial.as_deref()
        }

        /// Its primary IPv4 address, without the length of a prefix; null without one.
        async fn primary_ip4(&self) -> Option<&str> {
            self.0.primary_ip4.as_deref()
        }

        /// Its primary IPv6 address, without the length of a prefix; null without one.
        async fn primary_ip6(&self) -> Option<&str> {
            self.0.primary_ip6.as_deref()
        }

        /// Its status in NetBox: `active`, `planned`, `offline` …; null when it is not known.
        async fn status(&self) -> Option<&str> {
            self.0.status.as_deref()
        }

        /// When NetBox last changed it; null when that is not known.
        async fn netbox_updated(&self) -> Option<Time> {
            self.0.netbox_updated.map(Time)
        }

        /// When a complete sweep of NetBox first lacked it; null while NetBox shows it. The second one in a row removes it.
        async fn missing_since(&self) -> Option<Time> {
            self.0.missing_since.map(Time)
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
        /// Its site.
        site: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxDevice, ("site_id", "site_name", Some("site_slug"))),
        /// Its role.
        role: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxDevice, ("role_id", "role_name", Some("role_slug"))),
        /// Its tenant.
        tenant: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxDevice, ("tenant_id", "tenant_name", Some("tenant_slug"))),
        /// Its rack.
        rack: NetBoxNamedFilter => |filter| filter.of(Kind::NetBoxDevice, ("rack_id", "rack_name", None)),
        /// The NetBox cluster that it is in.
        cluster: NetBoxClusterRefFilter => |filter| on(Kind::NetBoxDevice, "cluster", filter),
        /// Its serial number.
        serial: StringFilter => |filter| on(Kind::NetBoxDevice, "serial", filter),
        /// Its primary IPv4 address; whole addresses are compared in canonical form.
        primary_ip4: StringFilter => |filter| on(Kind::NetBoxDevice, "primary_ip4", filter),
        /// Its primary IPv6 address; whole addresses are compared in canonical form.
        primary_ip6: StringFilter => |filter| on(Kind::NetBoxDevice, "primary_ip6", filter),
        /// Its status in NetBox, such as `active`.
        status: StringFilter => |filter| on(Kind::NetBoxDevice, "status", filter),
        /// When a complete sweep of NetBox first lacked it; `isNull: true` for what is there.
        missing_since: DateTimeFilter => |filter| on(Kind::NetBoxDevice, "missing_since", filter),
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

    /// How it stands with the mirror of NetBox; null if no NetBox is connected, or if you may view nothing of it.
    #[graphql(name = "netboxMirror")]
    async fn netbox_mirror(&self, ctx: &Context<'_>) -> Result<Option<NetBoxMirror>> {
        NetBoxMirror::read(ctx).await
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
