//! Lists below a parent: which rows belong to which parent.
use super::one_of;
use crate::entity::Kind;
use crate::filter::{View, compile};
use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, Query, SelectStatement, UnionType};

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
            Self::ClusterNodes | Self::ClusterStorages => return self.join_pairs(query, ids, backend, view),
        };
        query.and_where(one_of(parent.clone(), ids, backend));
        parent
    }
}

fn column(kind: Kind, name: &'static str) -> Expr {
    Expr::col((Alias::new(kind.table()), Alias::new(name)))
}

const PAIR: &str = "pair";

impl Relation {
    /// Two ways lead from a cluster to its children. A join over both at once, by OR, may become quadratic; so each way
    /// gives its pairs of ids by an index, and a child that both ways lead to counts once.
    fn join_pairs(self, query: &mut SelectStatement, ids: &[i32], backend: DbBackend, view: &View) -> Expr {
        let child = self.child();
        let pairs = |child_key, parent_key| {
            let mut pairs = Query::select();
            pairs
                .expr_as(column(Kind::Cluster, "id"), Alias::new("parent_id"))
                .expr_as(column(child, "id"), Alias::new("child_id"))
                .from(Alias::new(Kind::Cluster.table()))
                .inner_join(
                    Alias::new(child.table()),
                    column(child, child_key).equals((Alias::new(Kind::Cluster.table()), Alias::new(parent_key))),
                )
                .and_where(one_of(column(Kind::Cluster, "id"), ids, backend));
            pairs
        };
        let (own, other) = match self {
            Self::ClusterStorages => {
                let linked = pairs("cluster_id", "netbox_cluster_id");
                (
                    pairs("source_id", "id"),
                    only_viewable(linked, "netbox_cluster_id", Kind::NetBoxCluster, backend, view),
                )
            }
            _ => {
                let mut host = pairs("endpoint_id", "endpoint_id");
                host.and_where(column(Kind::Cluster, "mode").eq("standalone"));
                (pairs("proxmox_cluster_id", "id"), only_viewable(host, "endpoint_id", Kind::Endpoint, backend, view))
            }
        };
        let mut both = own;
        both.union(UnionType::Distinct, other);
        let of_pair = |name: &'static str| (Alias::new(PAIR), Alias::new(name));
        let same = column(child, "id").equals(of_pair("child_id"));
        query.join_subquery(JoinType::InnerJoin, both, Alias::new(PAIR), same);
        Expr::col(of_pair("parent_id"))
    }
}

/// A way over a reference of the cluster counts only while the object referred to may be viewed.
fn only_viewable(
    mut pairs: SelectStatement,
    key: &'static str,
    kind: Kind,
    backend: DbBackend,
    view: &View,
) -> SelectStatement {
    if let Some(scope) = view.scope(kind) {
        let seen = Query::select()
            .expr(column(kind, "id"))
            .from(Alias::new(kind.table()))
            .and_where(compile(scope, kind, backend, &View::everything()))
            .take();
        pairs.and_where(column(Kind::Cluster, key).in_subquery(seen));
    }
    pairs
}
