//! Proxmox storages.
use super::connection::{Item, Measured, connections, int, plain_list};
use super::error::Result;
use super::filter::{BooleanFilter, DateTimeFilter, IdFilter, IntFilter, StringFilter, TagsFilter, filter_input, on};
use super::group::{group_key, group_object};
use super::key::{natural_key, single};
use super::loader::{KindLoaders, Loaders};
use super::netbox::{NetBoxCluster, NetBoxClusterFilter};
use super::object::tracked_object;
use super::order::order_input;
use super::scalar::{Json, Time};
use super::session;
use crate::entity::{Kind, storage};
use crate::error::Error;
use crate::filter::{Filter, Lookup, field, search, test};
use crate::page::KeyType;
use crate::service::read::Summary;
use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use std::sync::Arc;

tracked_object! {
    /// A storage of Proxmox VE. A text may be null (unknown), which is not the same as empty.
    ProxmoxStorage(storage::Model) {
        /// The NetBox cluster that it belongs to; null only if you may not view it.
        async fn cluster(&self, ctx: &Context<'_>) -> Result<Option<NetBoxCluster>> {
            NetBoxCluster::by_id(session(ctx), self.0.cluster_id).await
        }

        /// Its id in Proxmox.
        async fn name(&self) -> &str {
            &self.0.name
        }

        /// Proxmox's storage plugin, e.g. `dir`, `lvmthin`, `nfs`, `rbd`, `pbs`. Null when unknown.
        async fn storage_type(&self) -> Option<&str> {
            self.0.storage_type.as_deref()
        }

        /// What it may hold, as REST has it: a comma-separated list, e.g. `images,rootdir`.
        async fn content(&self) -> Option<&str> {
            self.0.content.as_deref()
        }

        /// What it may hold: `content`, split.
        async fn content_types(&self) -> Vec<&str> {
            self.0.content_types().collect()
        }

        /// The nodes that may use it, as REST has them: a comma-separated list; null or empty = all.
        async fn nodes(&self) -> Option<&str> {
            self.0.nodes.as_deref()
        }

        /// The nodes that may use it: `nodes`, split; empty = all.
        async fn node_names(&self) -> Vec<&str> {
            self.0.node_names().collect()
        }

        /// Path in the file system (type `dir` and the like). Null when unknown.
        async fn path(&self) -> Option<&str> {
            self.0.path.as_deref()
        }

        /// Whether all nodes see the same content.
        async fn shared(&self) -> bool {
            self.0.shared
        }

        /// Whether Proxmox uses it.
        async fn enabled(&self) -> bool {
            self.0.enabled
        }

        /// Host name or address of the remote server. Null when unknown.
        async fn server(&self) -> Option<&str> {
            self.0.server.as_deref()
        }

        /// TCP port of the remote server; null when unknown.
        async fn port(&self) -> Option<i32> {
            self.0.port
        }

        /// User on the remote server. Null when unknown.
        async fn username(&self) -> Option<&str> {
            self.0.username.as_deref()
        }

        /// Exported path (NFS). Null when unknown.
        async fn export(&self) -> Option<&str> {
            self.0.export.as_deref()
        }

        /// Name of the share (CIFS). Null when unknown.
        async fn share(&self) -> Option<&str> {
            self.0.share.as_deref()
        }

        /// Name of the pool (Ceph, ZFS). Null when unknown.
        async fn pool(&self) -> Option<&str> {
            self.0.pool.as_deref()
        }

        /// Ceph monitors. Null when unknown.
        async fn monhost(&self) -> Option<&str> {
            self.0.monhost.as_deref()
        }

        /// Namespace (PBS, Ceph). Null when unknown.
        async fn namespace(&self) -> Option<&str> {
            self.0.namespace.as_deref()
        }

        /// Datastore (PBS). Null when unknown.
        async fn datastore(&self) -> Option<&str> {
            self.0.datastore.as_deref()
        }

        /// Directory within the storage. Null when unknown.
        async fn subdir(&self) -> Option<&str> {
            self.0.subdir.as_deref()
        }

        /// Where it is mounted. Null when unknown.
        async fn mountpoint(&self) -> Option<&str> {
            self.0.mountpoint.as_deref()
        }

        /// Proxmox's flag that the path is a mount point: `yes`, `1`, or a path. Null when unknown.
        async fn is_mountpoint(&self) -> Option<&str> {
            self.0.is_mountpoint.as_deref()
        }

        /// How disk images are allocated ahead. Null when unknown.
        async fn preallocation(&self) -> Option<&str> {
            self.0.preallocation.as_deref()
        }

        /// Default format of disk images. Null when unknown.
        async fn format(&self) -> Option<&str> {
            self.0.format.as_deref()
        }

        /// Which backups are kept, e.g. `keep-daily=7,keep-weekly=4`. Null when unknown.
        async fn prune_backups(&self) -> Option<&str> {
            self.0.prune_backups.as_deref()
        }

        /// How many protected backups a guest may have; -1 means no limit, null unknown.
        async fn max_protected_backups(&self) -> Option<i32> {
            self.0.max_protected_backups
        }

        /// The whole configuration as Proxmox returned it, its keys in their order.
        async fn raw_config(&self) -> Json {
            Json(self.0.raw_config.0.clone())
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
    /// Which storages. All parts must hold.
    ProxmoxStorageFilter, Kind::Storage, {
        /// REST `?q=`: the text occurs in name, the cluster's name or path, without regard to case; a blank one asks
        /// nothing.
        q: String => |text| search(&text),
        /// Its id.
        id: IdFilter => |filter| filter.of(Kind::Storage),
        /// The NetBox cluster that it belongs to.
        cluster: NetBoxClusterFilter => |filter| on(Kind::Storage, "cluster", filter),
        /// Its name.
        name: StringFilter => |filter| on(Kind::Storage, "name", filter),
        /// Proxmox's storage plugin.
        storage_type: StringFilter => |filter| on(Kind::Storage, "storage_type", filter),
        /// What it may hold, as the comma-separated text; see `contentTypes` for exact tokens.
        content: StringFilter => |filter| on(Kind::Storage, "content", filter),
        /// Holds all of these content types (exact tokens, not substrings).
        content_types: Vec<String> => |types| {
            types.into_iter().map(|part| has_part("content", part)).collect::<crate::error::Result<_>>().map(Filter::All)
        },
        /// Usable from this node name (empty `nodes` means every node).
        usable_from: String => |node| usable_from(node),
        /// Path in the file system.
        path: StringFilter => |filter| on(Kind::Storage, "path", filter),
        /// The nodes that may use it, as the comma-separated text; see `usableFrom` for one of them.
        nodes: StringFilter => |filter| on(Kind::Storage, "nodes", filter),
        /// Whether all nodes see the same content.
        shared: BooleanFilter => |filter| on(Kind::Storage, "shared", filter),
        /// Whether Proxmox uses it.
        enabled: BooleanFilter => |filter| on(Kind::Storage, "enabled", filter),
        /// Host name or address of the remote server.
        server: StringFilter => |filter| on(Kind::Storage, "server", filter),
        /// TCP port of the remote server.
        port: IntFilter => |filter| on(Kind::Storage, "port", filter),
        /// Default format of disk images.
        format: StringFilter => |filter| on(Kind::Storage, "format", filter),
        /// Datastore (PBS).
        datastore: StringFilter => |filter| on(Kind::Storage, "datastore", filter),
        /// Name of the pool.
        pool: StringFilter => |filter| on(Kind::Storage, "pool", filter),
        /// When complete answers of Proxmox first lacked it; `isNull: true` for what is there.
        missing_since: DateTimeFilter => |filter| on(Kind::Storage, "missing_since", filter),
        /// Whether it was missing for so long that it counts as gone.
        stale: BooleanFilter => |filter| on(Kind::Storage, "stale", filter),
        /// When it was made.
        created: DateTimeFilter => |filter| on(Kind::Storage, "created", filter),
        /// When it last changed.
        last_updated: DateTimeFilter => |filter| on(Kind::Storage, "last_updated", filter),
        /// Its tags.
        tags: TagsFilter => |filter| on(Kind::Storage, "tags", filter),
    }
}

fn ask(name: &str, lookup: Lookup) -> crate::error::Result<Filter> {
    let field = field(Kind::Storage, name).ok_or_else(|| Error::Internal(format!("storages have no field {name}")))?;
    test(field, lookup)
}

fn has_part(name: &str, part: String) -> crate::error::Result<Filter> {
    ask(name, Lookup::HasPart(part))
}

fn usable_from(node: String) -> crate::error::Result<Filter> {
    Ok(Filter::Any(vec![has_part("nodes", node)?, ask("nodes", Lookup::NoParts)?]))
}

order_input! {
    /// One key to sort storages by.
    ProxmoxStorageOrder,
    /// What storages can be sorted by.
    ProxmoxStorageOrderField, Kind::Storage, {
        /// The REST id.
        Id = "id",
        /// The name.
        Name = "name",
        /// Proxmox's storage plugin.
        StorageType = "storage_type",
        /// Not shared first.
        Shared = "shared",
        /// Disabled first.
        Enabled = "enabled",
        /// Host name or address of the remote server, as text.
        Server = "server",
        /// When it was made.
        Created = "created",
        /// When it last changed.
        LastUpdated = "last_updated",
        /// Name of the NetBox cluster.
        ClusterName = "cluster__name",
    }
}

natural_key! {
    /// Natural key of a storage.
    ProxmoxStorageKey,
    /// The NetBox cluster that it belongs to: id in either form.
    cluster: Kind::NetBoxCluster
}

impl Item for ProxmoxStorage {
    type Entity = storage::Entity;
    type Model = storage::Model;
    type Filter = ProxmoxStorageFilter;
    type Order = ProxmoxStorageOrder;

    const MEASURED: bool = true;

    fn new(row: Arc<storage::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<storage::Entity> {
        &loaders.storages
    }
}

impl Measured for ProxmoxStorage {
    type Aggregate = ProxmoxStorageAggregate;
    type GroupBy = ProxmoxStorageGroupKey;
    type Group = ProxmoxStorageGroup;
}

/// Figures of a set of storages.
#[derive(Clone, Debug, SimpleObject)]
pub struct ProxmoxStorageAggregate {
    /// How many there are.
    count: i32,
    /// How many Proxmox uses.
    enabled: i32,
    /// How many have the same content on all nodes.
    shared: i32,
}

impl From<Summary> for ProxmoxStorageAggregate {
    fn from(summary: Summary) -> Self {
        let mut flags = summary.flags.into_iter().map(int);
        Self { count: int(summary.count), enabled: flags.next().unwrap_or(0), shared: flags.next().unwrap_or(0) }
    }
}

group_key! {
    /// What storages can be grouped by.
    ProxmoxStorageGroupKey {
        /// The NetBox cluster that they belong to.
        Cluster = "cluster", "cluster_id", Some(Kind::NetBoxCluster), KeyType::Int;
        /// Proxmox's storage plugin.
        StorageType = "storageType", "storage_type", None, KeyType::Text;
        /// Whether all nodes see the same content.
        Shared = "shared", "shared", None, KeyType::Bool;
        /// Whether Proxmox uses them.
        Enabled = "enabled", "enabled", None, KeyType::Bool;
    }
}

group_object! {
    /// Storages that have the key in common.
    ProxmoxStorageGroup(ProxmoxStorageGroupKey, ProxmoxStorageAggregate) {
        /// The NetBox cluster of the group; null when not grouped by it, or if you may not view it.
        cluster: NetBoxCluster = Cluster;
    }
}

connections! {
    /// Lists of Proxmox storages.
    StorageConnections() {
        /// Proxmox storages, by NetBox cluster and name unless `orderBy` says otherwise.
        proxmox_storages: MeasuredConnection<ProxmoxStorage>;
    }
}

/// Single Proxmox storages, and the plain list.
#[derive(Clone, Copy, Debug, Default)]
pub struct StorageFields;

/// Single Proxmox storages, and the plain list.
#[Object]
impl StorageFields {
    /// One Proxmox storage; null if there is none that you may view. Give exactly one of `id` and `by`.
    async fn proxmox_storage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "REST's id, or `ProxmoxStorage:<id>`.")] id: Option<ID>,
        #[graphql(desc = "The natural key.")] by: Option<ProxmoxStorageKey>,
    ) -> Result<Option<ProxmoxStorage>> {
        single(ctx, id, by).await
    }

    /// Proxmox storages as a plain list, for scripts and NetBox habits.
    async fn proxmox_storage_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rows for which this holds; none, null and {} match every row.")] filter: Option<
            ProxmoxStorageFilter,
        >,
        #[graphql(desc = "The keys to sort by, the first one first; the id breaks ties.")] order_by: Option<
            Vec<ProxmoxStorageOrder>,
        >,
        #[graphql(desc = "So many rows: 0–1000, 50 by default.")] limit: Option<i64>,
        #[graphql(desc = "Leave out so many rows at the start.")] offset: Option<i64>,
    ) -> Result<Vec<ProxmoxStorage>> {
        plain_list(ctx, filter, order_by, limit, offset).await
    }
}

/// Queries for Proxmox storages.
#[derive(Clone, Copy, Debug, Default, MergedObject)]
pub struct StorageQuery(StorageFields, StorageConnections);
