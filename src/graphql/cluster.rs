//! Proxmox clusters: what this server's users mean by "cluster" unless they say "NetBox cluster".
use super::connection::{BigIntStats, Item, Measured, connections, int, plain_list};
use super::endpoint::{ProxmoxEndpoint, ProxmoxEndpointFilter};
use super::error::Result;
use super::filter::{
    BooleanFilter, DateTimeFilter, IdFilter, IntFilter, ProxmoxMode, ProxmoxModeFilter, StringFilter, TagsFilter,
    filter_input, on,
};
use super::group::{group_key, group_object};
use super::key::{natural_key, single};
use super::loader::{KindLoaders, Loaders};
use super::netbox::{NetBoxCluster, NetBoxClusterRefFilter};
use super::node::{ProxmoxNode, ProxmoxNodeListFilter};
use super::object::tracked_object;
use super::order::order_input;
use super::scalar::Time;
use super::session;
use super::storage::ProxmoxStorage;
use crate::entity::{Kind, cluster};
use crate::filter::search;
use crate::page::KeyType;
use crate::service::read::{Relation, Summary};
use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use std::sync::Arc;

tracked_object! {
    /// A Proxmox VE cluster, or a standalone host, as one endpoint shows it.
    ProxmoxCluster(cluster::Model) {
        /// The endpoint that shows it. Null only if you may not view it.
        async fn endpoint(&self, ctx: &Context<'_>) -> Result<Option<ProxmoxEndpoint>> {
            ProxmoxEndpoint::by_id(session(ctx), self.0.endpoint_id).await
        }

        /// The NetBox cluster that it is linked to; null if it is linked to none that you may view.
        async fn netbox_cluster(&self, ctx: &Context<'_>) -> Result<Option<NetBoxCluster>> {
            match self.0.netbox_cluster_id {
                Some(id) => NetBoxCluster::by_id(session(ctx), id).await,
                None => Ok(None),
            }
        }

        /// Its name in Proxmox.
        async fn name(&self) -> &str {
            &self.0.name
        }

        /// Proxmox's own cluster identifier (a string; not a key of this API); empty when unknown.
        async fn cluster_id(&self) -> &str {
            &self.0.cluster_id
        }

        /// How it is deployed.
        async fn mode(&self) -> ProxmoxMode {
            self.0.mode.into()
        }

        /// REST `mode.label`: the mode as people read it.
        async fn mode_label(&self) -> &str {
            self.0.mode.label()
        }

        /// Members as Proxmox reports them; `proxmoxNodes.totalCount` counts the rows held here.
        async fn nodes_count(&self) -> i32 {
            self.0.nodes_count
        }

        /// The same as `nodesCount`.
        #[graphql(deprecation = "Alias of nodesCount, kept for REST parity.")]
        async fn node_count(&self) -> i32 {
            self.0.nodes_count
        }

        /// Whether enough members see each other to decide things (corosync).
        async fn quorate(&self) -> bool {
            self.0.quorate
        }

        /// Version of the corosync configuration; null when unknown.
        async fn version(&self) -> Option<i32> {
            self.0.version
        }

        /// When complete answers of Proxmox first lacked it; null while it is there. Nothing is deleted by itself.
        async fn missing_since(&self) -> Option<Time> {
            self.0.missing_since.map(Time)
        }

        /// Whether it was missing for so long that it counts as gone: by default in three complete answers and for a day.
        async fn stale(&self) -> bool {
            self.0.stale
        }

        #[graphql(flatten)]
        async fn lists(&self) -> ClusterLists {
            ClusterLists(self.0.id)
        }
    }
}

connections! {
    /// What belongs to a Proxmox cluster.
    ClusterLists(i32) {
        /// Its nodes; for a standalone host those of its endpoint.
        proxmox_nodes: MeasuredConnection<ProxmoxNode> = Relation::ClusterNodes;
        /// Storages of the linked NetBox cluster, and those whose source is this cluster (under a local reference while
        /// unlinked).
        proxmox_storages: MeasuredConnection<ProxmoxStorage> = Relation::ClusterStorages;
    }
}

filter_input! {
    /// Which Proxmox clusters. All parts must hold.
    ProxmoxClusterFilter, Kind::Cluster, {
        /// REST `?q=`: the text occurs in name or clusterId, without regard to case; a blank one asks nothing.
        q: String => |text| search(&text),
        /// Its id.
        id: IdFilter => |filter| filter.of(Kind::Cluster),
        /// The endpoint that shows it.
        endpoint: ProxmoxEndpointFilter => |filter| on(Kind::Cluster, "endpoint", filter),
        /// The NetBox cluster that it is linked to.
        netbox_cluster: NetBoxClusterRefFilter => |filter| on(Kind::Cluster, "netbox_cluster", filter),
        /// Its name.
        name: StringFilter => |filter| on(Kind::Cluster, "name", filter),
        /// Proxmox's own identifier.
        cluster_id: StringFilter => |filter| on(Kind::Cluster, "cluster_id", filter),
        /// How it is deployed.
        mode: ProxmoxModeFilter => |filter| on(Kind::Cluster, "mode", filter),
        /// Members as Proxmox reports them.
        nodes_count: IntFilter => |filter| on(Kind::Cluster, "nodes_count", filter),
        /// Whether it has a quorum.
        quorate: BooleanFilter => |filter| on(Kind::Cluster, "quorate", filter),
        /// Version of the corosync configuration.
        version: IntFilter => |filter| on(Kind::Cluster, "version", filter),
        /// When complete answers of Proxmox first lacked it; `isNull: true` for what is there.
        missing_since: DateTimeFilter => |filter| on(Kind::Cluster, "missing_since", filter),
        /// Whether it was missing for so long that it counts as gone.
        stale: BooleanFilter => |filter| on(Kind::Cluster, "stale", filter),
        /// When it was made.
        created: DateTimeFilter => |filter| on(Kind::Cluster, "created", filter),
        /// When it last changed.
        last_updated: DateTimeFilter => |filter| on(Kind::Cluster, "last_updated", filter),
        /// The nodes that `proxmoxNodes` lists.
        proxmox_nodes: ProxmoxNodeListFilter => |filter| on(Kind::Cluster, "proxmox_nodes", filter),
        /// Its tags.
        tags: TagsFilter => |filter| on(Kind::Cluster, "tags", filter),
    }
}

order_input! {
    /// One key to sort Proxmox clusters by.
    ProxmoxClusterOrder,
    /// What Proxmox clusters can be sorted by.
    ProxmoxClusterOrderField, Kind::Cluster, {
        /// The REST id.
        Id = "id",
        /// The name.
        Name = "name",
        /// Proxmox's own identifier.
        ClusterId = "cluster_id",
        /// The mode by its REST value: cluster, standalone, undefined.
        Mode = "mode",
        /// Members as Proxmox reports them.
        NodesCount = "nodes_count",
        /// Without a quorum first.
        Quorate = "quorate",
        /// Version of the corosync configuration.
        Version = "version",
        /// When it was made.
        Created = "created",
        /// When it last changed.
        LastUpdated = "last_updated",
        /// Name of the endpoint.
        EndpointName = "endpoint__name",
        /// Name of the linked NetBox cluster.
        NetboxClusterName = "netbox_cluster__name",
    }
}

natural_key! {
    /// Natural key of a Proxmox cluster.
    ProxmoxClusterKey,
    /// The endpoint that shows it: id in either form.
    endpoint: Kind::Endpoint
}

impl Item for ProxmoxCluster {
    type Entity = cluster::Entity;
    type Model = cluster::Model;
    type Filter = ProxmoxClusterFilter;
    type Order = ProxmoxClusterOrder;

    const MEASURED: bool = true;

    fn new(row: Arc<cluster::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<cluster::Entity> {
        &loaders.clusters
    }
}

impl Measured for ProxmoxCluster {
    type Aggregate = ProxmoxClusterAggregate;
    type GroupBy = ProxmoxClusterGroupKey;
    type Group = ProxmoxClusterGroup;
}

/// Figures of a set of Proxmox clusters.
#[derive(Clone, Debug, SimpleObject)]
pub struct ProxmoxClusterAggregate {
    /// How many there are.
    count: i32,
    /// How many have a quorum.
    quorate: i32,
    /// Members as Proxmox reports them.
    nodes_count: BigIntStats,
}

impl From<Summary> for ProxmoxClusterAggregate {
    fn from(summary: Summary) -> Self {
        let mut numbers = summary.numbers.into_iter().map(BigIntStats::from);
        Self {
            count: int(summary.count),
            quorate: int(summary.flags.first().copied().unwrap_or(0)),
            nodes_count: numbers.next().unwrap_or_default(),
        }
    }
}

group_key! {
    /// What Proxmox clusters can be grouped by.
    ProxmoxClusterGroupKey {
        /// The endpoint that shows them.
        Endpoint = "endpoint", "endpoint_id", Some(Kind::Endpoint), KeyType::Int;
        /// How they are deployed.
        Mode = "mode", "mode", None, KeyType::Text;
        /// Whether they have a quorum.
        Quorate = "quorate", "quorate", None, KeyType::Bool;
    }
}

group_object! {
    /// Proxmox clusters that have the key in common.
    ProxmoxClusterGroup(ProxmoxClusterGroupKey, ProxmoxClusterAggregate) {
        /// The endpoint of the group; null when not grouped by it, or if you may not view it.
        endpoint: ProxmoxEndpoint = Endpoint;
    }
}

connections! {
    /// Lists of Proxmox clusters.
    ClusterConnections() {
        /// Proxmox clusters, by endpoint and name unless `orderBy` says otherwise.
        proxmox_clusters: MeasuredConnection<ProxmoxCluster>;
    }
}

/// Single Proxmox clusters, and the plain list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClusterFields;

/// Single Proxmox clusters, and the plain list.
#[Object]
impl ClusterFields {
    /// One Proxmox cluster; null if there is none that you may view. Give exactly one of `id` and `by`.
    async fn proxmox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "REST's id, or `ProxmoxCluster:<id>`.")] id: Option<ID>,
        #[graphql(desc = "The natural key.")] by: Option<ProxmoxClusterKey>,
    ) -> Result<Option<ProxmoxCluster>> {
        single(ctx, id, by).await
    }

    /// Proxmox clusters as a plain list, for scripts and NetBox habits.
    async fn proxmox_cluster_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rows for which this holds; none, null and {} match every row.")] filter: Option<
            ProxmoxClusterFilter,
        >,
        #[graphql(desc = "The keys to sort by, the first one first; the id breaks ties.")] order_by: Option<
            Vec<ProxmoxClusterOrder>,
        >,
        #[graphql(desc = "So many rows: 0–1000, 50 by default.")] limit: Option<i64>,
        #[graphql(desc = "Leave out so many rows at the start.")] offset: Option<i64>,
    ) -> Result<Vec<ProxmoxCluster>> {
        plain_list(ctx, filter, order_by, limit, offset).await
    }
}

/// Queries for Proxmox clusters.
#[derive(Clone, Copy, Debug, Default, MergedObject)]
pub struct ClusterQuery(ClusterFields, ClusterConnections);
