//! Lists below a parent: which rows belong to which parent.
use crate::entity::Kind;
use crate::filter::{View, compile};
use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, JoinType, Query, SelectStatement};

/// A list that a parent has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    EndpointClusters,
    EndpointNodes,
    NetBoxClusterClusters,
    NetBoxClusterStorages,
    NetBoxDeviceNodes,
    /// The nodes that name the cluster; for a standalone host those of its endpoint too.
    ClusterNodes,
    /// The storages of the linked NetBox cluster, and those whose source is the cluster.
    ClusterStorages,
}

const PARENT: &str = "parent";

impl Relation {
    /// What the list holds.
    pub fn child(self) -> Kind {
        match self {
            Self::EndpointClusters | Self::NetBoxClusterClusters => Kind::Cluster,
            Self::EndpointNodes | Self::NetBoxDeviceNodes | Self::ClusterNodes => Kind::Node,
            Self::NetBoxClusterStorages | Self::ClusterStorages => Kind::Storage,
        }
    }

    /// Narrows a query over the children to those of the parents, and returns the expression of the parent's id.
    pub(super) fn narrow(self, query: &mut SelectStatement, ids: &[i32], backend: DbBackend, view: &View) -> Expr {
        let parent = match self {
            Self::EndpointClusters => column(Kind::Cluster, "endpoint_id"),
            Self::EndpointNodes => column(Kind::Node, "endpoint_id"),
            Self::NetBoxClusterClusters => column(Kind::Cluster, "netbox_cluster_id"),
            Self::NetBoxClusterStorages => column(Kind::Storage, "cluster_id"),
            Self::NetBoxDeviceNodes => column(Kind::Node, "netbox_device_id"),
            Self::ClusterNodes => {
                let standalone = of_parent("mode").eq("standalone");
                let own = column(Kind::Node, "proxmox_cluster_id").equals(parent_column("id"));
                let host = column(Kind::Node, "endpoint_id").equals(parent_column("endpoint_id")).and(standalone);
                join_parent(query, own, viewable(host, "endpoint_id", Kind::Endpoint, backend, view))
            }
            Self::ClusterStorages => {
                let source = column(Kind::Storage, "source_id").equals(parent_column("id"));
                let linked = column(Kind::Storage, "cluster_id").equals(parent_column("netbox_cluster_id"));
                join_parent(query, source, viewable(linked, "netbox_cluster_id", Kind::NetBoxCluster, backend, view))
            }
        };
        query.and_where(parent.clone().is_in(ids.iter().copied()));
        parent
    }
}

fn column(kind: Kind, name: &'static str) -> Expr {
    Expr::col((Alias::new(kind.table()), Alias::new(name)))
}

fn parent_column(name: &'static str) -> (Alias, Alias) {
    (Alias::new(PARENT), Alias::new(name))
}

fn of_parent(name: &'static str) -> Expr {
    Expr::col(parent_column(name))
}

/// A way over a reference of the parent counts only while the object referred to may be viewed.
fn viewable(way: Expr, key: &'static str, kind: Kind, backend: DbBackend, view: &View) -> Expr {
    let Some(scope) = view.scope(kind) else { return way };
    let seen = Query::select()
        .expr(column(kind, "id"))
        .from(Alias::new(kind.table()))
        .and_where(compile(scope, kind, backend, &View::everything()))
        .take();
    way.and(of_parent(key).in_subquery(seen))
}

/// A row that both ways lead to joins once.
fn join_parent(query: &mut SelectStatement, one: Expr, other: Expr) -> Expr {
    let on = Condition::any().add(one).add(other);
    query.join_as(JoinType::InnerJoin, Alias::new(Kind::Cluster.table()), Alias::new(PARENT), on);
    of_parent("id")
}
