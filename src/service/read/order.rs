//! Orderings: which fields each kind sorts by, and the keys that an ordering becomes in SQL.
use crate::entity::Kind;
use crate::filter::{View, compile, memory_percent};
use crate::page::{Key, KeyType, Signature, signature};
use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, JoinType, SelectStatement};

/// One wish of an ordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: &'static SortField,
    pub descending: bool,
    /// NULLs come first; the default is last, in both directions.
    pub nulls_first: bool,
}

/// A field to sort by.
#[derive(Debug, PartialEq, Eq)]
pub struct SortField {
    /// As REST names it, a relation's name by `__`.
    pub name: &'static str,
    source: Source,
    ty: KeyType,
    nullable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Column(&'static str),
    MemoryPercent,
    /// The name of the object that this column refers to.
    Related(&'static str, Kind),
}

const fn field(name: &'static str, ty: KeyType, nullable: bool) -> SortField {
    SortField { name, source: Source::Column(name), ty, nullable }
}

const fn related(name: &'static str, column: &'static str, kind: Kind) -> SortField {
    SortField { name, source: Source::Related(column, kind), ty: KeyType::Text, nullable: true }
}

/// The same where the object and its name are always there.
const fn parent(name: &'static str, column: &'static str, kind: Kind) -> SortField {
    SortField { nullable: false, ..related(name, column, kind) }
}

const ID: SortField = field("id", KeyType::Int, false);
const NAME: SortField = field("name", KeyType::Text, false);
const CREATED: SortField = field("created", KeyType::Time, false);
const LAST_UPDATED: SortField = field("last_updated", KeyType::Time, false);

/// A text that may be NULL.
const fn text(name: &'static str) -> SortField {
    field(name, KeyType::Text, true)
}

static ENDPOINT: [SortField; 13] = [
    ID,
    NAME,
    text("ip_address"),
    text("domain"),
    field("port", KeyType::Int, false),
    field("mode", KeyType::Text, false),
    text("version"),
    text("repoid"),
    field("username", KeyType::Text, false),
    field("token_name", KeyType::Text, false),
    field("verify_ssl", KeyType::Bool, false),
    CREATED,
    LAST_UPDATED,
];

static CLUSTER: [SortField; 11] = [
    ID,
    NAME,
    field("cluster_id", KeyType::Text, false),
    field("mode", KeyType::Text, false),
    field("nodes_count", KeyType::Int, false),
    field("quorate", KeyType::Bool, false),
    field("version", KeyType::Int, true),
    CREATED,
    LAST_UPDATED,
    parent("endpoint__name", "endpoint_id", Kind::Endpoint),
    related("netbox_cluster__name", "netbox_cluster_id", Kind::NetBoxCluster),
];

static NODE: [SortField; 18] = [
    ID,
    NAME,
    field("node_id", KeyType::Int, true),
    text("ip_address"),
    field("online", KeyType::Bool, false),
    field("local", KeyType::Bool, false),
    field("cpu_usage", KeyType::Float, true),
    field("max_cpu", KeyType::Int, true),
    field("memory_usage", KeyType::Int, true),
    SortField { name: "memory_usage_percent", source: Source::MemoryPercent, ty: KeyType::Float, nullable: true },
    field("max_memory", KeyType::Int, true),
    field("ssl_fingerprint", KeyType::Text, false),
    field("support_level", KeyType::Text, false),
    CREATED,
    LAST_UPDATED,
    parent("endpoint__name", "endpoint_id", Kind::Endpoint),
    related("proxmox_cluster__name", "proxmox_cluster_id", Kind::Cluster),
    related("netbox_device__name", "netbox_device_id", Kind::NetBoxDevice),
];

static STORAGE: [SortField; 27] = [
    ID,
    NAME,
    text("storage_type"),
    text("content"),
    text("path"),
    text("nodes"),
    field("shared", KeyType::Bool, false),
    field("enabled", KeyType::Bool, false),
    text("server"),
    field("port", KeyType::Int, true),
    text("username"),
    text("export"),
    text("share"),
    text("pool"),
    text("monhost"),
    text("namespace"),
    text("datastore"),
    text("subdir"),
    text("mountpoint"),
    text("is_mountpoint"),
    text("preallocation"),
    text("format"),
    text("prune_backups"),
    field("max_protected_backups", KeyType::Int, true),
    CREATED,
    LAST_UPDATED,
    parent("cluster__name", "cluster_id", Kind::NetBoxCluster),
];

static NETBOX_CLUSTER: [SortField; 2] = [ID, NAME];
static DEVICE: [SortField; 2] = [ID, text("name")];
static TAG: [SortField; 4] = [ID, NAME, field("slug", KeyType::Text, false), field("color", KeyType::Text, false)];

/// The fields that a kind can be sorted by.
pub fn sort_fields(kind: Kind) -> &'static [SortField] {
    match kind {
        Kind::Endpoint => &ENDPOINT,
        Kind::Cluster => &CLUSTER,
        Kind::Node => &NODE,
        Kind::Storage => &STORAGE,
        Kind::NetBoxCluster => &NETBOX_CLUSTER,
        Kind::NetBoxDevice => &DEVICE,
        Kind::Tag => &TAG,
    }
}

/// The field of a kind by its name.
pub fn sort_field(kind: Kind, name: &str) -> Option<&'static SortField> {
    sort_fields(kind).iter().find(|field| field.name == name)
}

/// REST's default order: by the parent's name, then by name; where there is no parent by name.
fn default_order(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Cluster | Kind::Node => &["endpoint__name", "name"],
        Kind::Storage => &["cluster__name", "name"],
        Kind::Endpoint | Kind::NetBoxCluster | Kind::NetBoxDevice | Kind::Tag => &["name"],
    }
}

/// An ordering of a kind, completed by the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordering {
    kind: Kind,
    sorts: Vec<Sort>,
}

impl Ordering {
    /// The ordering of these wishes, or the default one when there are none.
    pub fn new(kind: Kind, mut sorts: Vec<Sort>) -> Self {
        let plain = |by| Sort { by, descending: false, nulls_first: false };
        if sorts.is_empty() {
            sorts = default_order(kind).iter().filter_map(|name| sort_field(kind, name)).map(plain).collect();
        }
        // What is already ordered by a field cannot be ordered by it again, and behind the id nothing is left to order.
        let mut seen = Vec::new();
        sorts.retain(|sort| {
            !seen.contains(&ID.name) && !seen.contains(&sort.by.name) && {
                seen.push(sort.by.name);
                true
            }
        });
        if !seen.contains(&ID.name) {
            sorts.extend(sort_field(kind, ID.name).map(plain));
        }
        Self { kind, sorts }
    }

    /// Identifies the ordering in cursors.
    pub fn signature(&self) -> Signature {
        let mut text = self.kind.table().to_owned();
        for Sort { by, descending, nulls_first } in &self.sorts {
            text += &format!(" {} {descending} {nulls_first}", by.name);
        }
        signature(&text)
    }

    /// The keys in SQL. A related object outside the view has no name.
    pub fn keys(&self, backend: DbBackend, view: &View) -> Vec<Key> {
        self.sorts.iter().map(|sort| sort.key(self.kind, backend, view)).collect()
    }

    /// Joins the tables whose names are sorted by.
    pub(super) fn join(&self, query: &mut SelectStatement, backend: DbBackend, view: &View) {
        for sort in &self.sorts {
            if let Source::Related(column, target) = sort.by.source {
                let same = Expr::col((Alias::new(self.kind.table()), Alias::new(column)))
                    .equals((Alias::new(target.table()), Alias::new("id")));
                let scope = view.scope(target).map(|scope| compile(scope, target, backend, &View::everything()));
                let on = Condition::all().add(same).add_option(scope);
                // An inner join lets the databases walk along an index on the names; an outer one sorts everything.
                let join = if sort.nullable(view) { JoinType::LeftJoin } else { JoinType::InnerJoin };
                query.join(join, Alias::new(target.table()), on);
            }
        }
    }
}

impl Sort {
    /// Whether rows may lack the key: objects outside the view have no name.
    fn nullable(&self, view: &View) -> bool {
        let hidden = matches!(self.by.source, Source::Related(_, target) if view.scope(target).is_some());
        self.by.nullable || hidden
    }

    fn key(&self, kind: Kind, backend: DbBackend, view: &View) -> Key {
        let column = |kind: Kind, name| Expr::col((Alias::new(kind.table()), Alias::new(name)));
        Key {
            expr: match self.by.source {
                Source::Column(name) => column(kind, name),
                Source::MemoryPercent => memory_percent(backend),
                Source::Related(_, target) => column(target, "name"),
            },
            ty: self.by.ty,
            nullable: self.nullable(view),
            descending: self.descending,
            nulls_first: self.nulls_first,
        }
    }
}
