//! Constraints of permissions, as NetBox writes them: Django lookups over the fields of a model.
use super::{Compare, Field, Filter, Lookup, Text, Type, field, fields, test};
use crate::entity::{Kind, Scalar, parse_time};
use crate::error::{Error, Result};
use serde_json::Value;

/// The filter of a constraint: an object is AND, a list of objects OR, null or an empty one no constraint.
pub fn constraint(kind: Kind, value: &Value) -> Result<Filter> {
    match value {
        Value::Null => Ok(Filter::everything()),
        Value::Array(any) if any.is_empty() => Ok(Filter::everything()),
        Value::Array(any) => {
            let parts = any.iter().enumerate().map(|(i, part)| all(kind, part).map_err(|e| e.within(i.to_string())));
            parts.collect::<Result<_>>().map(Filter::Any)
        }
        value => all(kind, value),
    }
}

fn all(kind: Kind, value: &Value) -> Result<Filter> {
    let Value::Object(lookups) = value else {
        return Err(Error::input("must be an object of lookups, or a list of such objects"));
    };
    let parts = lookups.iter().map(|(key, operand)| lookup(kind, key, operand).map_err(|error| error.within(key)));
    parts.collect::<Result<_>>().map(Filter::All)
}

/// `name__icontains`, `cluster__name`, `endpoint_id__in` …: relations first, then a field, then how to look at it.
fn lookup(kind: Kind, key: &str, operand: &Value) -> Result<Filter> {
    let (name, rest) = key.split_once("__").unwrap_or((key, ""));
    let (field, by_id) = named(kind, name).ok_or_else(|| unknown(kind, name))?;
    let Type::One(target) = field.ty else {
        return scalar(field, if rest.is_empty() { "exact" } else { rest }, operand);
    };
    match rest {
        "isnull" => null(field, operand),
        "" | "exact" if operand.is_null() => test(field, Lookup::Null),
        "" | "exact" | "in" => is(field, lookup(target, if rest == "in" { "id__in" } else { "id" }, operand)?),
        _ if by_id => Err(unsupported(name, rest)),
        _ => is(field, lookup(target, rest, operand)?),
    }
}

/// A field by its name, `pk` or a relation's `…_id`; tells whether it was the latter.
fn named(kind: Kind, name: &str) -> Option<(&'static Field, bool)> {
    if name == "pk" {
        return field(kind, "id").map(|field| (field, false));
    }
    let plain = field(kind, name).filter(|field| !matches!(field.ty, Type::ClusterNodes));
    plain.map(|field| (field, false)).or_else(|| {
        let column = fields(kind).iter().find(|field| matches!(field.ty, Type::One(_)) && field.column == name);
        column.map(|field| (field, true))
    })
}

fn is(field: &'static Field, inner: Filter) -> Result<Filter> {
    test(field, Lookup::Is(Box::new(inner)))
}

fn null(field: &'static Field, operand: &Value) -> Result<Filter> {
    let is_null = test(field, Lookup::Null)?;
    match operand {
        Value::Bool(true) => Ok(is_null),
        Value::Bool(false) => Ok(is_null.negated()),
        _ => Err(Error::input("must be true or false")),
    }
}

fn scalar(field: &'static Field, how: &str, operand: &Value) -> Result<Filter> {
    if field.ty == Type::Tags {
        return tags(field, how, operand);
    }
    let compare = |how| value(field, operand).map(|value| Lookup::Compare(how, value));
    let text = |fold| match operand {
        Value::String(value) => Ok(Text { value: value.clone(), fold }),
        _ => Err(Error::input("must be a text")),
    };
    let lookup = match how {
        "isnull" => return null(field, operand),
        "exact" | "iexact" if operand.is_null() => Lookup::Null,
        "exact" => Lookup::In(vec![value(field, operand)?]),
        "in" => match operand {
            Value::Array(values) => Lookup::In(values.iter().map(|one| value(field, one)).collect::<Result<_>>()?),
            _ => return Err(Error::input("must be a list")),
        },
        "iexact" => Lookup::InFolded(vec![text(true)?.value]),
        "lt" => compare(Compare::Lt)?,
        "lte" => compare(Compare::Lte)?,
        "gt" => compare(Compare::Gt)?,
        "gte" => compare(Compare::Gte)?,
        "contains" => Lookup::Contains(text(false)?),
        "icontains" => Lookup::Contains(text(true)?),
        "startswith" => Lookup::StartsWith(text(false)?),
        "istartswith" => Lookup::StartsWith(text(true)?),
        "endswith" => Lookup::EndsWith(text(false)?),
        "iendswith" => Lookup::EndsWith(text(true)?),
        "regex" => Lookup::Regex(text(false)?),
        "iregex" => Lookup::Regex(text(true)?),
        other => return Err(unsupported(field.name, other)),
    };
    test(field, lookup)
}

/// `tags__slug` is the one way into tags that constraints have.
fn tags(field: &'static Field, how: &str, operand: &Value) -> Result<Filter> {
    let slugs = match (how, operand) {
        ("slug" | "slug__exact", Value::String(slug)) => vec![slug.clone()],
        ("slug__in", Value::Array(slugs)) => {
            let slugs = slugs.iter().map(|slug| slug.as_str().map(str::to_owned));
            slugs.collect::<Option<_>>().ok_or_else(|| Error::input("must be a list of slugs"))?
        }
        _ => return Err(unsupported("tags", how)),
    };
    test(field, Lookup::TaggedAny(slugs))
}

fn value(field: &Field, operand: &Value) -> Result<Scalar> {
    let wrong = |wanted: &str| Error::input(format!("must be {wanted}"));
    match field.ty {
        Type::Id | Type::Int => {
            let number = operand.as_i64().or_else(|| operand.as_str().and_then(|text| text.trim().parse().ok()));
            number.map(Scalar::Int).ok_or_else(|| wrong("a whole number"))
        }
        Type::Float | Type::MemoryPercent => operand.as_f64().map(Scalar::Float).ok_or_else(|| wrong("a number")),
        Type::Bool => operand.as_bool().map(Scalar::Bool).ok_or_else(|| wrong("true or false")),
        Type::Time => {
            let time = operand.as_str().and_then(parse_time);
            time.map(Scalar::Time).ok_or_else(|| wrong("an RFC 3339 time"))
        }
        _ => operand.as_str().map(|text| Scalar::Text(text.to_owned())).ok_or_else(|| wrong("a text")),
    }
}

fn unknown(kind: Kind, name: &str) -> Error {
    Error::input(format!("a {kind} has no filterable field `{name}`"))
}

fn unsupported(name: &str, how: &str) -> Error {
    Error::input(format!("`{name}` has no lookup `{how}`"))
}
