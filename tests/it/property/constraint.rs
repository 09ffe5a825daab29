//! Constraints of permissions: Django's lookups mean what the filter language says.
use super::data;
use super::filters::{agree, moment, pattern, place};
use super::{cases, hold, same};
use crate::support::{TestDb, both};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proxbox_graphql::entity::{Kind, Scalar};
use proxbox_graphql::filter::{Compare, Field, Filter, Lookup, Text, Type, View, constraint, field, fields, test};
use serde_json::{Map, Value, json};

both!(lookups_mean_what_they_say, nonsense_is_refused);

/// A lookup and what it means.
type Meaning = (String, Value, Filter);

fn on(kind: Kind, name: &str, lookup: Lookup) -> Filter {
    test(field(kind, name).unwrap(), lookup).unwrap()
}

/// A value in JSON, and as the language has it.
fn values(ty: Type) -> BoxedStrategy<(Value, Scalar)> {
    let text = |text: String| (json!(text), Scalar::Text(text));
    match ty {
        Type::Text => data::text().prop_map(text).boxed(),
        Type::Address => data::address().prop_map(text).boxed(),
        Type::Id | Type::Int => {
            let form = |(value, written): (i64, bool)| {
                (if written { json!(value.to_string()) } else { json!(value) }, Scalar::Int(value))
            };
            (prop_oneof![0..60i64, data::bytes()], any::<bool>()).prop_map(form).boxed()
        }
        Type::Float | Type::MemoryPercent => {
            data::float().prop_map(|value| (json!(value), Scalar::Float(value))).boxed()
        }
        Type::Bool => any::<bool>().prop_map(|value| (json!(value), Scalar::Bool(value))).boxed(),
        Type::Time => data::time().prop_map(|text| (json!(text), Scalar::Time(moment(&text)))).boxed(),
        Type::Mode => select(vec!["undefined", "standalone", "cluster"]).prop_map(str::to_owned).prop_map(text).boxed(),
        Type::Origin => select(vec!["netbox", "manual", "local"]).prop_map(str::to_owned).prop_map(text).boxed(),
        Type::One(_) | Type::ClusterNodes | Type::Tags => unreachable!("no plain values"),
    }
}

/// Lookups of a plain field, each with its meaning.
fn plain(kind: Kind, of: &'static Field) -> Vec<BoxedStrategy<Meaning>> {
    let name = if of.name == "id" { select(vec!["id", "pk"]) } else { select(vec![of.name]) };
    let ask = move |lookup| test(of, lookup).unwrap();
    let exact = (name.clone(), values(of.ty), any::<bool>()).prop_map(move |(name, (json, value), short)| {
        (if short { name.to_owned() } else { format!("{name}__exact") }, json, ask(Lookup::In(vec![value])))
    });
    let one_of = (name, vec(values(of.ty), 0..4)).prop_map(move |(name, values)| {
        let (json, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        (format!("{name}__in"), json!(json), ask(Lookup::In(values)))
    });
    let null = any::<bool>().prop_map(move |wanted| {
        let null = ask(Lookup::Null);
        (format!("{}__isnull", of.name), json!(wanted), if wanted { null } else { null.negated() })
    });
    let is_null = Just((of.name.to_owned(), Value::Null, ask(Lookup::Null)));
    let mut all = vec![exact.boxed(), one_of.boxed(), null.boxed(), is_null.boxed()];
    if !matches!(of.ty, Type::Bool | Type::Mode | Type::Origin) {
        let how = select(vec![("lt", Compare::Lt), ("lte", Compare::Lte), ("gt", Compare::Gt), ("gte", Compare::Gte)]);
        let compare = (how, values(of.ty)).prop_map(move |((name, how), (json, value))| {
            (format!("{}__{name}", of.name), json, ask(Lookup::Compare(how, value)))
        });
        all.push(compare.boxed());
    }
    if matches!(of.ty, Type::Text | Type::Address) {
        type Way = fn(Text) -> Lookup;
        let ways: [(&str, Way); 3] =
            [("contains", Lookup::Contains), ("startswith", Lookup::StartsWith), ("endswith", Lookup::EndsWith)];
        let search =
            (select(ways.to_vec()), any::<bool>(), data::text()).prop_map(move |((name, way), fold, value)| {
                let i = if fold { "i" } else { "" };
                (format!("{}__{i}{name}", of.name), json!(value), ask(way(Text { value, fold })))
            });
        let regex = (any::<bool>(), pattern()).prop_map(move |(fold, value)| {
            let i = if fold { "i" } else { "" };
            (format!("{}__{i}regex", of.name), json!(value), ask(Lookup::Regex(Text { value, fold })))
        });
        let same = data::text()
            .prop_map(move |text| (format!("{}__iexact", of.name), json!(text), ask(Lookup::InFolded(vec![text]))));
        all.extend([search.boxed(), regex.boxed(), same.boxed()]);
    }
    debug_assert!(field(kind, of.name).is_some());
    all
}

/// Lookups of a kind, over at most so many relations.
fn lookups(kind: Kind, depth: usize) -> BoxedStrategy<Meaning> {
    let mut all = Vec::new();
    for of in fields(kind) {
        match of.ty {
            Type::One(target) => all.extend(related(kind, of, target, depth)),
            Type::Tags => {
                let slug = || select(vec!["prod", "PROD", "lab", "é", "none"]).prop_map(str::to_owned);
                let one = slug().prop_map(move |slug| {
                    ("tags__slug".to_owned(), json!(slug), on(kind, "tags", Lookup::TaggedAny(vec![slug])))
                });
                let any = vec(slug(), 0..3).prop_map(move |slugs| {
                    ("tags__slug__in".to_owned(), json!(slugs), on(kind, "tags", Lookup::TaggedAny(slugs)))
                });
                all.extend([one.boxed(), any.boxed()]);
            }
            Type::ClusterNodes => (),
            _ => all.extend(plain(kind, of)),
        }
    }
    Union::new(all).boxed()
}

fn related(kind: Kind, of: &'static Field, target: Kind, depth: usize) -> Vec<BoxedStrategy<Meaning>> {
    let is = move |inner| test(of, Lookup::Is(Box::new(inner))).unwrap();
    let ids = move |ids: Vec<i64>| is(on(target, "id", Lookup::In(ids.into_iter().map(Scalar::Int).collect())));
    // A cluster's own text `cluster_id` hides the column of the same name.
    let names = [of.name, of.column].into_iter().filter(|name| field(kind, name).is_none_or(|own| own == of));
    let name = select(names.collect::<Vec<_>>());
    let exact = (name.clone(), 0..60i64).prop_map(move |(name, id)| (name.to_owned(), json!(id), ids(vec![id])));
    let one_of =
        (name.clone(), vec(0..60i64, 0..8)).prop_map(move |(name, of)| (format!("{name}__in"), json!(of), ids(of)));
    let null = (name, any::<bool>()).prop_map(move |(name, wanted)| {
        let null = test(of, Lookup::Null).unwrap();
        (format!("{name}__isnull"), json!(wanted), if wanted { null } else { null.negated() })
    });
    let none = Just((of.name.to_owned(), Value::Null, test(of, Lookup::Null).unwrap()));
    let mut all = vec![exact.boxed(), one_of.boxed(), null.boxed(), none.boxed()];
    if depth > 0 {
        let beyond = lookups(target, depth - 1)
            .prop_map(move |(key, json, inner)| (format!("{}__{key}", of.name), json, is(inner)));
        all.extend([beyond.clone().boxed(), beyond.clone().boxed(), beyond.boxed()]);
    }
    all
}

/// An object of lookups: all of them. A repeated key has the last meaning.
fn object(parts: Vec<Meaning>) -> (Value, Filter) {
    let mut json = Map::new();
    let mut filters: Vec<(String, Filter)> = Vec::new();
    for (key, value, filter) in parts {
        json.insert(key.clone(), value);
        filters.retain(|(own, _)| *own != key);
        filters.push((key, filter));
    }
    (Value::Object(json), Filter::All(filters.into_iter().map(|(_, filter)| filter).collect()))
}

fn constraints(kind: Kind) -> BoxedStrategy<(Value, Filter)> {
    let object = vec(lookups(kind, 2), 0..3).prop_map(object).boxed();
    let list = vec(object.clone(), 0..3).prop_map(|parts| {
        let (json, filters): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (json!(json), if filters.is_empty() { Filter::everything() } else { Filter::Any(filters) })
    });
    prop_oneof![3 => object, 1 => list, 1 => Just((Value::Null, Filter::everything()))].boxed()
}

async fn lookups_mean_what_they_say(db: TestDb) {
    let (app, memory) = place(&db).await;
    let asked = Union::new(
        Kind::ALL.map(|kind| constraints(kind).prop_map(move |(json, filter)| (kind, json, filter)).boxed()),
    );
    hold(cases(150), asked, async |(kind, json, wanted)| {
        let parsed = constraint(kind, &json).map_err(|error| TestCaseError::fail(format!("{error}")))?;
        let rows = |filter| memory.matching(kind, filter, &View::everything());
        same(&format!("{kind}: {json}"), rows(&parsed), rows(&wanted))?;
        agree(&app, &memory, kind, &parsed, &View::everything()).await
    });
}

/// Any JSON, with words in it that lookups are made of.
fn any_json() -> BoxedStrategy<Value> {
    let word = select(vec![
        "name",
        "id",
        "pk",
        "tags",
        "slug",
        "cluster",
        "cluster_id",
        "endpoint",
        "netbox_cluster",
        "created",
        "mode",
        "in",
        "isnull",
        "regex",
        "gt",
        "exact",
        "proxmox_nodes",
        "",
        "_",
        "__",
        "é",
        "\0",
    ]);
    let key = vec(word, 0..4).prop_map(|words| words.join("__"));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|value| json!(value)),
        any::<String>().prop_map(Value::from),
        select(vec!["(", "[a", "\0", "2026-01-01T00:00:00Z", "9999999999999999999", "a{99999}"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((key.clone(), inner), 0..4).prop_map(|parts| parts.into_iter().collect::<Value>()),
        ]
    })
    .boxed()
}

async fn nonsense_is_refused(db: TestDb) {
    let (app, memory) = place(&db).await;
    for kind in Kind::ALL {
        for key in [
            "nope",
            "nope__exact",
            "name__nope",
            "name__exact__in",
            "id__regex__x",
            "display",
            "password",
            "token_value",
            "custom_fields",
            "raw_config",
            "tags",
            "tags__name",
            "tags__slug__contains",
            "proxmox_nodes",
            "proxmox_nodes__name",
            "created__year",
            "__name",
            "name__",
            "Name",
            "endpoint__password",
            "endpoint__nope",
            "endpoint_id__name",
            "source",
            "",
        ] {
            let known = key == "name__" && field(kind, "name").is_some();
            let parsed = constraint(kind, &json!({key: "x"}));
            assert_eq!(parsed.is_ok(), known, "{kind}: {key}: {parsed:?}");
        }
        for value in [json!("x"), json!(1), json!(true), json!([1]), json!(["x"]), json!([[]]), json!([{}, null])] {
            assert!(constraint(kind, &value).is_err(), "{kind}: {value}");
        }
        for (key, value) in [
            ("id", json!("x")),
            ("id__in", json!(3)),
            ("id", json!(1.5)),
            ("name", json!(1)),
            ("name__in", json!("x")),
            ("name__isnull", json!("x")),
            ("name__regex", json!("(")),
            ("name__contains", json!("\0")),
            ("name__lt", Value::Null),
        ] {
            assert!(constraint(kind, &json!({key: value})).is_err(), "{kind}: {key}: {value}");
        }
    }
    let asked = (select(Kind::ALL.to_vec()), any_json());
    hold(cases(400), asked, async |(kind, json)| match constraint(kind, &json) {
        Ok(filter) => agree(&app, &memory, kind, &filter, &View::everything()).await,
        Err(_) => Ok(()),
    });
}
