//! What lists and objects can be asked by parameters.
use super::super::field::{Spec, Type};
use super::super::filter::{self, About, Parameter};
use crate::entity::Mode;
use crate::service::read::sort_fields;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static COMMON: LazyLock<Map<String, Value>> = LazyLock::new(common);

/// The parameters that many operations have.
fn common() -> Map<String, Value> {
    let number = json!({"type": ["integer", "string"]});
    let text = json!({"type": "string"});
    let all = [
        (
            "limit",
            "Rows of the page; 0 and more than the cap are the cap. What is no number counts as not given.",
            number.clone(),
        ),
        ("offset", "Rows that are skipped. What is no number counts as 0.", number),
        (
            "start",
            "The first id of the page, in the order of ids; `count` is null then. Not together with `offset` or \
             `ordering`.",
            json!({"type": "integer", "minimum": 0}),
        ),
        ("fields", "The fields to show, separated by commas. Goes before `omit` and `brief`.", text.clone()),
        ("omit", "The fields to leave out, separated by commas. Goes before `brief`.", text.clone()),
        ("brief", "Show the short form; off for `false`, `0` and nothing.", text.clone()),
        (
            "q",
            "Text that occurs in one of the fields that are searched, without regard to case.",
            json!({
                "type": "string",
                "maxLength": 1000,
                "pattern": r"^[^\u0000]*$",
            }),
        ),
    ];
    let mut common = all
        .into_iter()
        .map(|(name, about, schema)| (name.to_owned(), parameter(name, about, schema)))
        .collect::<Map<String, Value>>();
    common.insert("format".into(), parameter("format", "`json` and `api` are taken and change nothing.", text.clone()));
    common.insert(
        "id".into(),
        json!({
            "name": "id",
            "in": "path",
            "required": true,
            "description": "The number of the object.",
            "schema": {"type": "integer"},
        }),
    );
    for (key, name, about) in [
        ("prefer", "Prefer", "`handling=strict` refuses unknown names instead of passing them over."),
        ("if-match", "If-Match", "An ETag: refuse with 412 unless the object is still of that time; `*` is any."),
        ("if-none-match", "If-None-Match", "An ETag: answer 304 if nothing changed since."),
    ] {
        let header = json!({"name": name, "in": "header", "description": about, "schema": text});
        common.insert(key.into(), header);
    }
    common
}

/// A parameter of the query.
pub fn parameter(name: &str, about: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": about, "schema": schema})
}

/// Some of the common parameters. They stand in each operation: pynetbox, for one, follows no references.
pub fn named(names: &[&str]) -> Vec<Value> {
    names.iter().filter_map(|name| COMMON.get(*name).cloned()).collect()
}

/// All parameters of a list.
pub fn of_list(spec: &Spec) -> Vec<Value> {
    let common = ["limit", "offset", "start", "fields", "omit", "brief", "q", "if-none-match", "prefer"];
    let mut all = named(&common);
    all.push(ordering(spec));
    let filters = filter::parameters(spec);
    // A storage has a field of this name, which filters.
    if !filters.iter().any(|filter| filter.name == "format") {
        all.extend(named(&["format"]));
    }
    all.extend(filters.iter().map(of_filter));
    all
}

fn ordering(spec: &Spec) -> Value {
    let names = sort_fields(spec.kind).iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
    let about = format!(
        "Keys separated by commas, `-` in front of one for descending. NULLs are the largest; the id completes every \
         order. Keys: {names}; a relation's name is its object's name."
    );
    parameter("ordering", &about, json!({"type": "string"}))
}

fn of_filter(filter: &Parameter) -> Value {
    let item = match filter::value_type(filter) {
        Type::Id => json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": NUMBER}]}),
        Type::Bool => json!({"type": "string", "pattern": BOOLEAN}),
        Type::Time => json!({
            "description": "ISO 8601; without a zone UTC.",
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
        }),
        Type::Mode => json!({"type": "string", "enum": Mode::ALL.map(|(_, value, _)| value)}),
        _ => json!({"type": "string", "pattern": r"^[^\u0000]*$"}),
    };
    json!({
        "name": filter.name,
        "in": "query",
        "description": about(filter),
        "style": "form",
        "explode": true,
        "schema": {"type": "array", "items": item},
    })
}

/// A whole number, `null` where it may be missing, or nothing.
pub const NUMBER: &str = r"^\s*([+-]?[0-9]+(\.0*)?|null)?\s*$";

/// The truths of a query, in any case, or nothing.
pub const BOOLEAN: &str =
    r"^\s*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF]|0|1)?\s*$";

fn about(filter: &Parameter) -> String {
    let what = match filter.about {
        About::Field(field) => format!("`{}`", field.name),
        About::Through(field, inner) => format!("the `{}` of `{}`", inner.name, field.name),
        About::Tag => "the slugs of its tags".into(),
        About::TagId => "the ids of its tags".into(),
    };
    let all = matches!(filter.about, About::Tag | About::TagId);
    let how = match filter.suffix {
        "" if all => "hold all of these; `null` = none at all",
        "n" if all => "hold none of these",
        "" => "is one of these; `null` where it may be missing",
        "n" => "is none of these",
        "ic" => "contains one of these, without regard to case",
        "nic" => "contains none of these, without regard to case",
        "isw" => "starts with one of these, without regard to case",
        "nisw" => "starts with none of these, without regard to case",
        "iew" => "ends with one of these, without regard to case",
        "niew" => "ends with none of these, without regard to case",
        "ie" => "is one of these, without regard to case",
        "nie" => "is none of these, without regard to case",
        "regex" => "fits one of these regular expressions (Rust's syntax)",
        "iregex" => "fits one of these regular expressions, without regard to case",
        "empty" => "is missing or empty, or is not",
        "lt" => "is less than one of these",
        "lte" => "is at most one of these",
        "gt" => "is greater than one of these",
        _ => "is at least one of these",
    };
    format!("Rows of which {what} {how}.")
}
