//! The filter language in memory: the same answers as the databases give, for events and as the tests' yardstick.
use super::{Compare, Filter, Lookup, Test, Text, Type, View, fold, search_fields};
use crate::entity::{Kind, Mode, Scalar, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag};
use sea_orm::{EntityTrait, ModelTrait};
use std::str::FromStr;

/// A row of any kind.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    Endpoint(&'a endpoint::Model),
    Cluster(&'a cluster::Model),
    Node(&'a node::Model),
    Storage(&'a storage::Model),
    NetBoxCluster(&'a netbox_cluster::Model),
    NetBoxDevice(&'a netbox_device::Model),
    Tag(&'a tag::Model),
}

/// The rows that a filter over relations needs besides the one it is asked about.
pub trait Graph {
    /// The row with this id.
    fn row(&self, kind: Kind, id: i32) -> Option<Row<'_>>;
    /// Every node whose Proxmox cluster or whose endpoint is the given one; the caller picks.
    fn nodes(&self) -> Vec<&node::Model>;
    /// The tags of an object.
    fn tags(&self, kind: Kind, id: i32) -> Vec<&tag::Model>;
}

/// Whether the filter holds for the row, as somebody with this view sees it.
pub fn matches(filter: &Filter, row: Row<'_>, graph: &dyn Graph, view: &View) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| matches(part, row, graph, view)),
        Filter::Any(parts) => parts.iter().any(|part| matches(part, row, graph, view)),
        Filter::Not(part) => !matches(part, row, graph, view),
        Filter::Test(test) => holds(test, row, graph, view),
        Filter::Search(text) => found(text, row, graph, view),
    }
}

/// Whether the row exists for somebody with this view.
fn viewable(row: Row<'_>, graph: &dyn Graph, view: &View) -> bool {
    view.scope(row.kind()).is_none_or(|scope| matches(scope, row, graph, &View::everything()))
}

fn found(text: &str, row: Row<'_>, graph: &dyn Graph, view: &View) -> bool {
    let needle = fold::fold(text);
    let contains = |row: Row<'_>, name| text_of(row, name).is_some_and(|text| fold::fold(&text).contains(&needle));
    if search_fields(row.kind()).iter().any(|name| contains(row, name)) {
        return true;
    }
    matches!(row, Row::Storage(storage) if graph.row(Kind::NetBoxCluster, storage.cluster_id)
        .is_some_and(|cluster| viewable(cluster, graph, view) && contains(cluster, "name")))
}

fn holds(test: &Test, row: Row<'_>, graph: &dyn Graph, view: &View) -> bool {
    let Test { field, lookup } = test;
    match field.ty {
        Type::One(target) => {
            let id = match row.value(field.column) {
                Some(Scalar::Int(id)) => i32::try_from(id).ok(),
                _ => None,
            };
            let related = id.and_then(|id| graph.row(target, id)).filter(|row| viewable(*row, graph, view));
            match lookup {
                Lookup::Is(inner) => related.is_some_and(|row| matches(inner, row, graph, view)),
                _ => related.is_none(),
            }
        }
        Type::ClusterNodes => {
            let (Row::Cluster(cluster), Lookup::Is(inner)) = (row, lookup) else { return false };
            let endpoint = graph.row(Kind::Endpoint, cluster.endpoint_id);
            let standalone = cluster.mode == Mode::Standalone && endpoint.is_some_and(|row| viewable(row, graph, view));
            graph
                .nodes()
                .into_iter()
                .filter(|node| {
                    node.proxmox_cluster_id == Some(cluster.id) || standalone && node.endpoint_id == cluster.endpoint_id
                })
                .map(Row::Node)
                .any(|node| viewable(node, graph, view) && matches(inner, node, graph, view))
        }
        Type::Tags => graph
            .tags(row.kind(), row.id())
            .into_iter()
            .filter(|tag| viewable(Row::Tag(tag), graph, view))
            .any(|tag| !matches!(lookup, Lookup::TaggedAny(slugs) if !slugs.contains(&tag.slug))),
        Type::MemoryPercent => {
            let Row::Node(node) = row else { return false };
            scalar(node.memory_usage_percent().map(Scalar::Float), lookup)
        }
        _ => scalar(row.value(field.column), lookup),
    }
}

fn scalar(value: Option<Scalar>, lookup: &Lookup) -> bool {
    let value = match (value, lookup) {
        (None, lookup) => return matches!(lookup, Lookup::Null | Lookup::NoParts),
        (Some(_), Lookup::Null) => return false,
        (Some(value), _) => value,
    };
    match (lookup, &value) {
        (Lookup::In(values), value) => values.iter().any(|operand| value.compare(operand).is_some_and(|o| o.is_eq())),
        (Lookup::Compare(how, operand), value) => value.compare(operand).is_some_and(|order| ordered(*how, order)),
        (lookup, Scalar::Text(text)) => text_holds(text, lookup),
        _ => false,
    }
}

fn text_holds(text: &str, lookup: &Lookup) -> bool {
    match lookup {
        Lookup::InFolded(values) => values.iter().any(|operand| fold::compare(text, operand).is_eq()),
        Lookup::CompareFolded(how, operand) => ordered(*how, fold::compare(text, operand)),
        Lookup::Contains(needle) => with(text, needle, |text, needle| text.contains(needle)),
        Lookup::StartsWith(needle) => with(text, needle, |text, needle| text.starts_with(needle)),
        Lookup::EndsWith(needle) => with(text, needle, |text, needle| text.ends_with(needle)),
        Lookup::Regex(pattern) => regex::RegexBuilder::new(&pattern.value)
            .case_insensitive(pattern.fold)
            .build()
            .is_ok_and(|regex| regex.is_match(text)),
        Lookup::Empty => text.is_empty(),
        Lookup::HasPart(part) => text.replace(' ', "").split(',').any(|own| own == part),
        Lookup::NoParts => text.chars().all(|c| c == ' ' || c == ','),
        _ => false,
    }
}

fn with(text: &str, needle: &Text, test: fn(&str, &str) -> bool) -> bool {
    if needle.fold { test(&fold::fold(text), &fold::fold(&needle.value)) } else { test(text, &needle.value) }
}

fn ordered(how: Compare, order: std::cmp::Ordering) -> bool {
    match how {
        Compare::Lt => order.is_lt(),
        Compare::Lte => order.is_le(),
        Compare::Gt => order.is_gt(),
        Compare::Gte => order.is_ge(),
    }
}

fn text_of(row: Row<'_>, column: &str) -> Option<String> {
    match row.value(column) {
        Some(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

impl Row<'_> {
    /// The kind of the row.
    pub fn kind(self) -> Kind {
        match self {
            Self::Endpoint(_) => Kind::Endpoint,
            Self::Cluster(_) => Kind::Cluster,
            Self::Node(_) => Kind::Node,
            Self::Storage(_) => Kind::Storage,
            Self::NetBoxCluster(_) => Kind::NetBoxCluster,
            Self::NetBoxDevice(_) => Kind::NetBoxDevice,
            Self::Tag(_) => Kind::Tag,
        }
    }

    fn id(self) -> i32 {
        match self {
            Self::Endpoint(row) => row.id,
            Self::Cluster(row) => row.id,
            Self::Node(row) => row.id,
            Self::Storage(row) => row.id,
            Self::NetBoxCluster(row) => row.id,
            Self::NetBoxDevice(row) => row.id,
            Self::Tag(row) => row.id,
        }
    }

    /// The value of a column; none for NULL.
    pub fn value(self, column: &str) -> Option<Scalar> {
        match self {
            Self::Endpoint(row) => value_of(row, column),
            Self::Cluster(row) => value_of(row, column),
            Self::Node(row) => value_of(row, column),
            Self::Storage(row) => value_of(row, column),
            Self::NetBoxCluster(row) => value_of(row, column),
            Self::NetBoxDevice(row) => value_of(row, column),
            Self::Tag(row) => value_of(row, column),
        }
    }
}

fn value_of<M>(row: &M, column: &str) -> Option<Scalar>
where
    M: ModelTrait,
    <M::Entity as EntityTrait>::Column: FromStr,
{
    let column = <M::Entity as EntityTrait>::Column::from_str(column).ok()?;
    Scalar::of(row.get(column))
}
