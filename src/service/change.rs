//! What the change log says about an object: its document, under REST's names, never with a secret.
use crate::entity::{Kind, Resource};
use crate::filter::{Type, fields};
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{EntityTrait, IdenStatic, Iterable, ModelTrait, Value as Cell};
use serde_json::{Map, Value, json};

/// The document of a row: references as ids, tags as slugs, and of a secret only whether there is one.
pub fn document<M: ModelTrait + Resource>(row: &M, tags: &[String]) -> Value {
    let mut document = Map::new();
    for column in <M::Entity as EntityTrait>::Column::iter() {
        let (name, value) = entry(M::KIND, column.as_str(), row.get(column));
        document.insert(name, value);
    }
    if has_tags(M::KIND) {
        document.insert("tags".into(), json!(tags));
    }
    Value::Object(document)
}

/// Whether objects of this kind carry tags.
pub fn has_tags(kind: Kind) -> bool {
    matches!(kind, Kind::Endpoint | Kind::Cluster | Kind::Node | Kind::Storage)
}

fn entry(kind: Kind, column: &str, value: Cell) -> (String, Value) {
    match (kind, column) {
        (Kind::Endpoint, "password") => ("has_password".into(), is_there(value)),
        (Kind::Endpoint, "token_value") => ("has_token".into(), is_there(value)),
        (_, "custom_fields" | "raw_config") => (column.to_owned(), parsed(value)),
        _ => (reference_name(kind, column).to_owned(), plain(value)),
    }
}

/// `endpoint_id` is `endpoint` to clients, and so on.
pub fn reference_name(kind: Kind, column: &str) -> &str {
    match (kind, column) {
        (Kind::Storage, "source_id") => return "source",
        (Kind::Cluster, "local_cluster_id") => return "local_cluster",
        _ => {}
    }
    let reference = fields(kind).iter().find(|field| matches!(field.ty, Type::One(_)) && field.column == column);
    reference.map_or(column, |field| field.name)
}

/// The references in a document of this kind, and what they refer to.
pub fn references(kind: Kind) -> impl Iterator<Item = (&'static str, Kind)> {
    let fields = fields(kind).iter().filter_map(|field| match field.ty {
        Type::One(target) => Some((field.name, target)),
        _ => None,
    });
    // Those that nobody filters by.
    let others = match kind {
        Kind::Storage => Some(("source", Kind::Cluster)),
        Kind::Cluster => Some(("local_cluster", Kind::NetBoxCluster)),
        _ => None,
    };
    fields.chain(others)
}

fn is_there(value: Cell) -> Value {
    json!(matches!(value, Cell::String(Some(_))))
}

fn parsed(value: Cell) -> Value {
    match value {
        Cell::String(Some(text)) => serde_json::from_str(&text).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

fn plain(value: Cell) -> Value {
    match value {
        Cell::Bool(value) => json!(value),
        Cell::Int(value) => json!(value),
        Cell::BigInt(value) => json!(value),
        Cell::Double(value) => json!(value),
        Cell::String(value) => json!(value),
        Cell::ChronoDateTimeUtc(value) => value.map_or(Value::Null, |time| json!(timestamp(time))),
        _ => Value::Null,
    }
}

/// RFC 3339 in UTC with microseconds, as files and change records have it.
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
