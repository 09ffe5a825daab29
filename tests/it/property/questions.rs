//! Random filters as GraphQL takes them.
use super::data::{self, World, references};
use super::oracle::{SortKey, Ty, fields, sort_fields};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proxbox_graphql::entity::Kind;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

type Values = BoxedStrategy<Value>;

/// An object of some of these parts, none of them included.
fn parts(all: Vec<(&'static str, Values)>, most: usize) -> Values {
    let one = all.into_iter().map(|(name, value)| value.prop_map(move |value| (name, value)).boxed());
    let one = proptest::strategy::Union::new(one.collect::<Vec<_>>());
    vec(one, 0..=most)
        .prop_map(|parts| Value::Object(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
        .boxed()
}

fn list(value: &Values) -> Values {
    vec(value.clone(), 0..4).prop_map(Value::Array).boxed()
}

/// A value to ask for: one that a row has, or another one.
fn known(world: &World, kind: Kind, field: &str, other: Values) -> Values {
    let values = world.values(kind, field);
    if values.is_empty() { other } else { prop_oneof![3 => select(values), 1 => other].boxed() }
}

/// A part of a text, in either case.
pub fn piece(texts: Vec<String>) -> BoxedStrategy<String> {
    let cut =
        (select(texts), any::<proptest::sample::Index>(), 0..4usize, 0..4u8).prop_map(|(text, from, length, how)| {
            let chars = text.chars().collect::<Vec<_>>();
            let from = if chars.is_empty() { 0 } else { from.index(chars.len()) };
            let piece = chars.into_iter().skip(from).take(length).collect::<String>();
            match how {
                0 => piece.to_uppercase(),
                1 => piece.to_lowercase(),
                _ => piece,
            }
        });
    prop_oneof![3 => cut, 1 => data::text()].boxed()
}

pub fn texts(world: &World, kind: Kind, field: &str) -> Vec<String> {
    let values = world.values(kind, field);
    values.iter().filter_map(Value::as_str).map(str::to_owned).chain([String::new()]).collect()
}

fn operand(world: &World, kind: Kind, field: &str, ty: Ty) -> Values {
    let flag = any::<bool>().prop_map(Value::from).boxed();
    let (value, lists, orders) = match ty {
        Ty::Text => {
            let pieces = piece(texts(world, kind, field)).prop_map(Value::from).boxed();
            (known(world, kind, field, pieces), true, true)
        }
        Ty::Int => (known(world, kind, field, data::int().prop_map(Value::from).boxed()), true, true),
        Ty::BigInt => {
            let value = known(world, kind, field, data::bytes().prop_map(Value::from).boxed());
            let written = value.clone().prop_map(|value| json!(value.to_string()));
            (prop_oneof![value, written].boxed(), true, true)
        }
        Ty::Float => {
            let percent = world.rows(kind).iter().map(|row| super::oracle::value(row, field));
            let percent = percent.filter(|value| !value.is_null()).collect::<Vec<_>>();
            (prop_oneof![select(percent), data::float().prop_map(Value::from)].boxed(), false, true)
        }
        Ty::Bool => (flag.clone(), false, false),
        Ty::Time => (known(world, kind, field, data::time().prop_map(Value::from).boxed()), false, true),
        Ty::Mode => (select(vec![json!("UNDEFINED"), json!("STANDALONE"), json!("CLUSTER")]).boxed(), true, false),
    };
    let mut all = vec![("eq", value.clone()), ("ne", value.clone())];
    if lists {
        all.extend([("in", list(&value)), ("notIn", list(&value))]);
    }
    if orders {
        all.extend(["gt", "gte", "lt", "lte"].map(|name| (name, value.clone())));
    }
    if ty != Ty::Mode {
        all.push(("isNull", flag.clone()));
    }
    if ty == Ty::Text {
        let pieces = piece(texts(world, kind, field)).prop_map(Value::from).boxed();
        all.extend(["contains", "startsWith", "endsWith"].map(|name| (name, pieces.clone())));
        all.extend([("isEmpty", flag.clone()), ("ignoreCase", flag)]);
    }
    parts(all, 2)
}

fn id(world: &World, kind: Kind) -> Values {
    let number =
        prop_oneof![4 => select(world.values(kind, "id")), 1 => select(vec![json!(0), json!(-1), json!(i32::MAX)])];
    let form = move |(number, form): (Value, u8)| match form {
        0 => number,
        1 => json!(number.to_string()),
        _ => json!(format!("{}:{number}", kind.type_name())),
    };
    let id = (number, 0..3u8).prop_map(form).boxed();
    parts(vec![("eq", id.clone()), ("ne", id.clone()), ("in", list(&id)), ("notIn", list(&id))], 2)
}

fn tags(world: &World) -> Values {
    let mut slugs = world.values(Kind::Tag, "slug");
    slugs.push(json!("unknown"));
    let slugs = list(&select(slugs).boxed());
    let flag = any::<bool>().prop_map(Value::from).boxed();
    parts(vec![("all", slugs.clone()), ("any", slugs.clone()), ("none", slugs), ("isEmpty", flag)], 2)
}

/// Filters of every kind, nested no deeper than this.
pub fn questions(world: &World, depth: usize) -> HashMap<Kind, Values> {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Tag);
    let mut level = HashMap::new();
    for depth in 0..=depth {
        let next =
            kinds.clone().map(|kind| (kind, question(world, kind, if depth == 0 { None } else { Some(&level) })));
        level = next.collect::<HashMap<_, _>>();
    }
    level
}

fn question(world: &World, kind: Kind, inner: Option<&HashMap<Kind, Values>>) -> Values {
    let mut all = vec![("id", id(world, kind))];
    all.extend(fields(kind).iter().map(|(name, field, ty)| (*name, operand(world, kind, field, *ty))));
    if matches!(kind, Kind::NetBoxCluster | Kind::NetBoxDevice) {
        all.push(("origin", select(vec![json!("NETBOX"), json!("MANUAL"), json!("LOCAL")]).boxed()));
    } else {
        all.push(("tags", tags(world)));
    }
    if matches!(kind, Kind::Cluster | Kind::Node | Kind::Storage) {
        all.push(("q", piece(texts(world, kind, "name")).prop_map(Value::from).boxed()));
    }
    if kind == Kind::Storage {
        let part = select(vec!["images", "backup", "iso", "pve", "é", "none"]).prop_map(Value::from).boxed();
        all.extend([("contentTypes", list(&part)), ("usableFrom", part)]);
    }
    let plain = parts(all, 2);
    let Some(inner) = inner else { return plain };
    let flag = any::<bool>().prop_map(Value::from).boxed();
    let mut nested = vec![("and", list(&inner[&kind])), ("or", list(&inner[&kind])), ("not", inner[&kind].clone())];
    for (field, target) in references(kind) {
        let target = inner[target].clone();
        let asked = parts(vec![("is", target.clone()), ("isNull", flag.clone())], 2);
        match *field {
            "netbox_cluster" => nested.push(("netboxCluster", asked)),
            "proxmox_cluster" => nested.push(("proxmoxCluster", asked)),
            "netbox_device" => nested.push(("netboxDevice", asked)),
            "endpoint" => nested.push(("endpoint", target)),
            "cluster" => nested.push(("cluster", target)),
            _ => (),
        }
    }
    if kind == Kind::Cluster {
        let nodes = &inner[&Kind::Node];
        let some = ["some", "none", "every"].map(|name| (name, nodes.clone())).to_vec();
        nested.push(("proxmoxNodes", parts(some, 2)));
    }
    let merged = (plain.clone(), parts(nested, 2)).prop_map(|(plain, nested)| {
        let both = [plain, nested].into_iter().flat_map(|part| part.as_object().cloned().unwrap_or_default());
        Value::Object(both.collect::<Map<_, _>>())
    });
    prop_oneof![1 => plain, 2 => merged].boxed()
}

/// Random orderings of a kind; none stands for the default one.
pub fn orderings(kind: Kind) -> BoxedStrategy<Vec<SortKey>> {
    let key = (select(sort_fields(kind).to_vec()), any::<bool>(), any::<bool>());
    let key = key.prop_map(|((name, field), descending, nulls_first)| SortKey { name, field, descending, nulls_first });
    vec(key, 0..4).boxed()
}

/// An ordering as GraphQL takes it.
pub fn order_by(keys: &[SortKey]) -> Value {
    let key = |key: &SortKey| {
        let direction = if key.descending { "DESC" } else { "ASC" };
        json!({"field": key.name, "direction": direction, "nulls": if key.nulls_first { "FIRST" } else { "LAST" }})
    };
    keys.iter().map(key).collect()
}
