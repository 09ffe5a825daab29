//! Proxmox nodes: the hypervisors.
use super::cluster::{ProxmoxCluster, ProxmoxClusterFilter};
use super::connection::{BigIntStats, FloatStats, Item, Measured, connections, int, plain_list};
use super::endpoint::{ProxmoxEndpoint, ProxmoxEndpointFilter};
use super::error::Result;
use super::filter::{
    BigIntFilter, BooleanFilter, DateTimeFilter, FilterInput, FloatFilter, IdFilter, IntFilter, Operand, Parts,
    StringFilter, TagsFilter, filter_input, on, reference_filter,
};
use super::group::{group_key, group_object};
use super::key::{natural_key, single};
use super::loader::{KindLoaders, Loaders};
use super::netbox::{NetBoxDevice, NetBoxDeviceFilter};
use super::object::tracked_object;
use super::order::order_input;
use super::scalar::{BigInt, Time};
use super::session;
use crate::entity::{Kind, node};
use crate::filter::{Field, Filter, Lookup, search, test};
use crate::page::KeyType;
use crate::service::read::Summary;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, MergedObject, Object, SimpleObject};
use std::sync::Arc;

tracked_object! {
    /// A Proxmox VE hypervisor node.
    ProxmoxNode(node::Model) {
        /// The endpoint that shows it. Null only if you may not view it.
        async fn endpoint(&self, ctx: &Context<'_>) -> Result<Option<ProxmoxEndpoint>> {
            ProxmoxEndpoint::by_id(session(ctx), self.0.endpoint_id).await
        }

        /// The cluster that it is a member of; null for a standalone host, or if you may not view it.
        async fn proxmox_cluster(&self, ctx: &Context<'_>) -> Result<Option<ProxmoxCluster>> {
            match self.0.proxmox_cluster_id {
                Some(id) => ProxmoxCluster::by_id(session(ctx), id).await,
                None => Ok(None),
            }
        }

        /// The NetBox device that it is linked to; null if it is linked to none that you may view.
        async fn netbox_device(&self, ctx: &Context<'_>) -> Result<Option<NetBoxDevice>> {
            match self.0.netbox_device_id {
                Some(id) => NetBoxDevice::by_id(session(ctx), id).await,
                None => Ok(None),
            }
        }

        /// Its name in Proxmox.
        async fn name(&self) -> &str {
            &self.0.name
        }

        /// Proxmox-assigned number (not this object's `id`); null when unknown.
        async fn node_id(&self) -> Option<i32> {
            self.0.node_id
        }

        /// IPv4 or IPv6 address for its management, in canonical form; null when unknown.
        async fn ip_address(&self) -> Option<&str> {
            self.0.ip_address.as_deref()
        }

        /// Whether it was up when last seen.
        async fn online(&self) -> bool {
            self.0.online
        }

        /// Whether it is the node that answers at the endpoint.
        async fn local(&self) -> bool {
            self.0.local
        }

        /// CPU usage as stored; the same as `cpuUsagePercent`.
        async fn cpu_usage(&self) -> Option<f64> {
            self.0.cpu_usage
        }

        /// CPU usage in percent (0–100); null when unknown.
        async fn cpu_usage_percent(&self) -> Option<f64> {
            self.0.cpu_usage
        }

        /// CPU threads; null when unknown.
        async fn max_cpu(&self) -> Option<i32> {
            self.0.max_cpu
        }

        /// Used memory in bytes; null when unknown.
        async fn memory_usage(&self) -> Option<BigInt> {
            self.0.memory_usage.map(BigInt)
        }

        /// Used memory in percent of all, unrounded; null when a figure is missing or the size is 0.
        async fn memory_usage_percent(&self) -> Option<f64> {
            self.0.memory_usage_percent()
        }

        /// Memory in bytes; null when unknown.
        async fn max_memory(&self) -> Option<BigInt> {
            self.0.max_memory.map(BigInt)
        }

        /// Fingerprint of its TLS certificate; empty when unknown.
        async fn ssl_fingerprint(&self) -> &str {
            &self.0.ssl_fingerprint
        }

        /// Level of its Proxmox subscription: `c`, `b`, `s`, `p`, or empty without one.
        async fn support_level(&self) -> &str {
            &self.0.support_level
        }

        /// When complete answers of Proxmox first lacked it; null while it is there. Nothing is deleted by itself.
        async fn missing_since(&self) -> Option<Time> {
            self.0.missing_since.map(Time)
        }

        /// Whether it was missing for so long that it counts as gone: by default in three complete answers and for a day.
        async fn stale(&self) -> bool {
            self.0.stale
        }
    }
}

filter_input! {
    /// Which Proxmox nodes. All parts must hold.
    ProxmoxNodeFilter, Kind::Node, {
        /// REST `?q=`: the text occurs in name, ipAddress or sslFingerprint, without regard to case; a blank one asks
        /// nothing.
        q: String => |text| search(&text),
        /// Its id.
        id: IdFilter => |filter| filter.of(Kind::Node),
        /// The endpoint that shows it.
        endpoint: ProxmoxEndpointFilter => |filter| on(Kind::Node, "endpoint", filter),
        /// The cluster that it is a member of.
        proxmox_cluster: ProxmoxClusterRefFilter => |filter| on(Kind::Node, "proxmox_cluster", filter),
        /// The NetBox device that it is linked to.
        netbox_device: NetBoxDeviceRefFilter => |filter| on(Kind::Node, "netbox_device", filter),
        /// Its name.
        name: StringFilter => |filter| on(Kind::Node, "name", filter),
        /// Proxmox-assigned number.
        node_id: IntFilter => |filter| on(Kind::Node, "node_id", filter),
        /// Its address; whole addresses are compared in canonical form.
        ip_address: StringFilter => |filter| on(Kind::Node, "ip_address", filter),
        /// Whether it was up when last seen.
        online: BooleanFilter => |filter| on(Kind::Node, "online", filter),
        /// Whether it is the node that answers at the endpoint.
        local: BooleanFilter => |filter| on(Kind::Node, "local", filter),
        /// CPU usage in percent.
        cpu_usage_percent: FloatFilter => |filter| on(Kind::Node, "cpu_usage_percent", filter),
        /// CPU threads.
        max_cpu: IntFilter => |filter| on(Kind::Node, "max_cpu", filter),
        /// Used memory in bytes.
        memory_usage: BigIntFilter => |filter| on(Kind::Node, "memory_usage", filter),
        /// Used memory in percent of all.
        memory_usage_percent: FloatFilter => |filter| on(Kind::Node, "memory_usage_percent", filter),
        /// Memory in bytes.
        max_memory: BigIntFilter => |filter| on(Kind::Node, "max_memory", filter),
        /// Fingerprint of its TLS certificate.
        ssl_fingerprint: StringFilter => |filter| on(Kind::Node, "ssl_fingerprint", filter),
        /// Level of its Proxmox subscription.
        support_level: StringFilter => |filter| on(Kind::Node, "support_level", filter),
        /// When complete answers of Proxmox first lacked it; `isNull: true` for what is there.
        missing_since: DateTimeFilter => |filter| on(Kind::Node, "missing_since", filter),
        /// Whether it was missing for so long that it counts as gone.
        stale: BooleanFilter => |filter| on(Kind::Node, "stale", filter),
        /// When it was made.
        created: DateTimeFilter => |filter| on(Kind::Node, "created", filter),
        /// When it last changed.
        last_updated: DateTimeFilter => |filter| on(Kind::Node, "last_updated", filter),
        /// Its tags.
        tags: TagsFilter => |filter| on(Kind::Node, "tags", filter),
    }
}

reference_filter! {
    /// Asks of the Proxmox cluster that something belongs to. All parts must hold.
    ProxmoxClusterRefFilter, ProxmoxClusterFilter
}

reference_filter! {
    /// Asks of the NetBox device that something is linked to. All parts must hold.
    NetBoxDeviceRefFilter, NetBoxDeviceFilter
}

/// Asks of the nodes of a cluster. All parts must hold.
#[derive(Clone, Debug, InputObject)]
pub struct ProxmoxNodeListFilter {
    /// There is a node for which this holds.
    some: MaybeUndefined<Box<ProxmoxNodeFilter>>,
    /// There is no node for which this holds.
    none: MaybeUndefined<Box<ProxmoxNodeFilter>>,
    /// It holds for every node; also when there is no node at all.
    every: MaybeUndefined<Box<ProxmoxNodeFilter>>,
}

impl Operand for ProxmoxNodeListFilter {
    fn on(self, field: &'static Field) -> crate::error::Result<Filter> {
        let some = |filter: Filter| test(field, Lookup::Is(Box::new(filter)));
        let mut parts = Parts::default();
        parts.add("some", self.some, |nodes| some(nodes.into_filter()?))?;
        parts.add("none", self.none, |nodes| Ok(some(nodes.into_filter()?)?.negated()))?;
        parts.add("every", self.every, |nodes| Ok(some(nodes.into_filter()?.negated())?.negated()))?;
        Ok(parts.all())
    }
}

order_input! {
    /// One key to sort Proxmox nodes by.
    ProxmoxNodeOrder,
    /// What Proxmox nodes can be sorted by.
    ProxmoxNodeOrderField, Kind::Node, {
        /// The REST id.
        Id = "id",
        /// The name.
        Name = "name",
        /// Proxmox-assigned number.
        NodeId = "node_id",
        /// The address, as text.
        IpAddress = "ip_address",
        /// Offline first.
        Online = "online",
        /// CPU usage in percent.
        CpuUsage = "cpu_usage",
        /// CPU threads.
        MaxCpu = "max_cpu",
        /// Used memory in bytes.
        MemoryUsage = "memory_usage",
        /// Used memory in percent of all.
        MemoryUsagePercent = "memory_usage_percent",
        /// Memory in bytes.
        MaxMemory = "max_memory",
        /// When it was made.
        Created = "created",
        /// When it last changed.
        LastUpdated = "last_updated",
        /// Name of the endpoint.
        EndpointName = "endpoint__name",
        /// Name of the Proxmox cluster.
        ProxmoxClusterName = "proxmox_cluster__name",
        /// Name of the linked NetBox device.
        NetboxDeviceName = "netbox_device__name",
    }
}

natural_key! {
    /// Natural key of a Proxmox node.
    ProxmoxNodeKey,
    /// The endpoint that shows it: id in either form.
    endpoint: Kind::Endpoint
}

impl Item for ProxmoxNode {
    type Entity = node::Entity;
    type Model = node::Model;
    type Filter = ProxmoxNodeFilter;
    type Order = ProxmoxNodeOrder;

    const MEASURED: bool = true;

    fn new(row: Arc<node::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<node::Entity> {
        &loaders.nodes
    }
}

impl Measured for ProxmoxNode {
    type Aggregate = ProxmoxNodeAggregate;
    type GroupBy = ProxmoxNodeGroupKey;
    type Group = ProxmoxNodeGroup;
}

/// Figures of a set of Proxmox nodes.
#[derive(Clone, Debug, SimpleObject)]
pub struct ProxmoxNodeAggregate {
    /// How many there are.
    count: i32,
    /// How many were up when last seen.
    online: i32,
    /// CPU usage in percent.
    cpu_usage_percent: FloatStats,
    /// CPU threads.
    max_cpu: BigIntStats,
    /// Used memory in bytes.
    memory_usage: BigIntStats,
    /// Memory in bytes.
    max_memory: BigIntStats,
    /// Used memory in percent of all, over the nodes that have both figures; null without any.
    memory_usage_percent: Option<f64>,
}

impl From<Summary> for ProxmoxNodeAggregate {
    fn from(summary: Summary) -> Self {
        let mut numbers = summary.numbers.into_iter();
        Self {
            count: int(summary.count),
            online: int(summary.flags.first().copied().unwrap_or(0)),
            cpu_usage_percent: numbers.next().map(FloatStats::from).unwrap_or_default(),
            max_cpu: numbers.next().map(BigIntStats::from).unwrap_or_default(),
            memory_usage: numbers.next().map(BigIntStats::from).unwrap_or_default(),
            max_memory: numbers.next().map(BigIntStats::from).unwrap_or_default(),
            memory_usage_percent: summary.share,
        }
    }
}

group_key! {
    /// What Proxmox nodes can be grouped by.
    ProxmoxNodeGroupKey {
        /// The endpoint that shows them.
        Endpoint = "endpoint", "endpoint_id", Some(Kind::Endpoint), KeyType::Int;
        /// The cluster that they are members of.
        ProxmoxCluster = "proxmoxCluster", "proxmox_cluster_id", Some(Kind::Cluster), KeyType::Int;
        /// Whether they were up when last seen.
        Online = "online", "online", None, KeyType::Bool;
        /// Level of their Proxmox subscription.
        SupportLevel = "supportLevel", "support_level", None, KeyType::Text;
    }
}

group_object! {
    /// Proxmox nodes that have the key in common.
    ProxmoxNodeGroup(ProxmoxNodeGroupKey, ProxmoxNodeAggregate) {
        /// The endpoint of the group; null when not grouped by it, or if you may not view it.
        endpoint: ProxmoxEndpoint = Endpoint;
        /// The cluster of the group; null when not grouped by it, for standalone hosts, or if you may not view it.
        proxmox_cluster: ProxmoxCluster = ProxmoxCluster;
    }
}

connections! {
    /// Lists of Proxmox nodes.
    NodeConnections() {
        /// Proxmox nodes, by endpoint and name unless `orderBy` says otherwise.
        proxmox_nodes: MeasuredConnection<ProxmoxNode>;
    }
}

/// Single Proxmox nodes, and the plain list.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeFields;

/// Single Proxmox nodes, and the plain list.
#[Object]
impl NodeFields {
    /// One Proxmox node; null if there is none that you may view. Give exactly one of `id` and `by`.
    async fn proxmox_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "REST's id, or `ProxmoxNode:<id>`.")] id: Option<ID>,
        #[graphql(desc = "The natural key.")] by: Option<ProxmoxNodeKey>,
    ) -> Result<Option<ProxmoxNode>> {
        single(ctx, id, by).await
    }

    /// Proxmox nodes as a plain list, for scripts and NetBox habits.
    async fn proxmox_node_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rows for which this holds; none, null and {} match every row.")] filter: Option<
            ProxmoxNodeFilter,
        >,
        #[graphql(desc = "The keys to sort by, the first one first; the id breaks ties.")] order_by: Option<
            Vec<ProxmoxNodeOrder>,
        >,
        #[graphql(desc = "So many rows: 0–1000, 50 by default.")] limit: Option<i64>,
        #[graphql(desc = "Leave out so many rows at the start.")] offset: Option<i64>,
    ) -> Result<Vec<ProxmoxNode>> {
        plain_list(ctx, filter, order_by, limit, offset).await
    }
}

/// Queries for Proxmox nodes.
#[derive(Clone, Copy, Debug, Default, MergedObject)]
pub struct NodeQuery(NodeFields, NodeConnections);
