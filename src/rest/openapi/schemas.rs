//! What bodies and answers look like. Requests are described as they are taken: tolerant of types, as the plugin is.
use super::super::body;
use super::super::field::{Access, Field, Spec, Type};
use super::{resources, schema};
use crate::entity::{Kind, Mode};
use crate::service::rules;
use serde_json::{Map, Value, json};

/// Every schema by its name.
pub fn all() -> Value {
    let mut all = Map::new();
    for (path, spec) in resources() {
        if path == spec.kind.rest_path() {
            of_resource(spec, &mut all);
        }
    }
    for (name, value) in shared().into_iter().chain(super::sync::schemas()) {
        all.insert(name.to_owned(), value);
    }
    Value::Object(all)
}

fn of_resource(spec: &'static Spec, all: &mut Map<String, Value>) {
    let name = spec.kind.type_name();
    let shown = spec.fields.iter().filter(|field| field.is_shown());
    let answer = object(shown.clone().map(|field| (field.name, answer(field))).collect());
    let names = shown.map(|field| field.name).collect::<Vec<_>>();
    let mut whole = answer.clone();
    whole["required"] = json!(names);
    whole["description"] = json!(spec.about);
    let mut part = answer;
    part["description"] = json!(format!("{} What `fields`, `omit` and `brief` leave of it.", spec.about));
    all.insert(name.to_owned(), whole);
    all.insert(format!("{name}Part"), part);
    all.insert(format!("Paginated{name}List"), page(name));
    let written = |verb| spec.fields.iter().filter(move |field| is_written(field, verb));
    for (title, creating, required) in [("Request", true, true), ("Replacement", false, true), ("Patch", false, false)]
    {
        let fields = written(creating);
        let mut body = object(fields.clone().map(|field| (field.name, request(spec.kind, field, creating))).collect());
        if required {
            body["required"] = json!(fields.filter(|field| field.required).map(|field| field.name).collect::<Vec<_>>());
        }
        all.insert(format!("{name}{title}"), body.clone());
        if !creating {
            all.insert(format!("Bulk{name}{title}"), with_id(body));
        }
    }
}

fn is_written(field: &Field, creating: bool) -> bool {
    match field.access {
        Access::Read => false,
        Access::Once => creating,
        Access::Both | Access::Write => true,
    }
}

fn object(properties: Vec<(&str, Value)>) -> Value {
    let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>();
    json!({"type": "object", "properties": properties})
}

/// The same with the id that says which object it is about.
fn with_id(mut body: Value) -> Value {
    body["properties"]["id"] = json!({"anyOf": [{"type": "integer"}, digits(false)]});
    let mut required = body["required"].as_array().cloned().unwrap_or_default();
    required.insert(0, json!("id"));
    body["required"] = Value::Array(required);
    body
}

fn page(name: &str) -> Value {
    json!({
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": ["integer", "null"], "description": "Rows that match; null with `start`."},
            "next": {"type": ["string", "null"], "format": "uri", "description": "The page after this one."},
            "previous": {"type": ["string", "null"], "format": "uri", "description": "The page before this one."},
            "results": {"type": "array", "items": schema(&format!("{name}Part"))},
        },
    })
}

/// A field as answers show it.
fn answer(field: &Field) -> Value {
    let type_of = |ty: &str| if field.nullable { json!([ty, "null"]) } else { json!(ty) };
    let mut value = match field.ty {
        Type::Id => json!({"type": "integer"}),
        Type::Url => json!({"type": "string", "format": "uri"}),
        Type::Display | Type::Text | Type::Secret | Type::Address => json!({"type": type_of("string")}),
        Type::Mode => schema("Mode"),
        Type::Int(..) | Type::BigInt => json!({"type": type_of("integer")}),
        Type::Float => json!({"type": type_of("number")}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Time => json!({"type": "string", "format": "date-time"}),
        Type::Reference(_) if field.nullable => json!({"anyOf": [schema("Nested"), {"type": "null"}]}),
        Type::Reference(_) => schema("Nested"),
        Type::Tags => json!({"type": "array", "items": schema("NestedTag")}),
        Type::CustomFields => json!({"type": "object"}),
        Type::Json => json!({}),
    };
    value["title"] = json!(field.label);
    value["description"] = json!(field.help);
    if matches!(field.access, Access::Read) {
        value["readOnly"] = json!(true);
    }
    value
}

/// A field as bodies give it.
fn request(kind: Kind, field: &Field, creating: bool) -> Value {
    let nullable = field.nullable && !(field.required && creating);
    let mut forms = match field.ty {
        Type::Display | Type::Text | Type::Secret | Type::Id | Type::Url | Type::Time => {
            if field.ty == Type::Id {
                vec![integer(1, i64::from(i32::MAX)), digits(true)]
            } else {
                text(kind, field)
            }
        }
        Type::Mode => vec![json!({"type": "string", "enum": Mode::ALL.map(|(_, value, _)| value)}), schema("Mode")],
        Type::Int(least, most) => vec![integer(least.into(), most.into()), digits(least >= 0)],
        Type::BigInt => vec![integer(i64::MIN, i64::MAX), digits(false)],
        Type::Float => vec![json!({"type": ["number", "boolean"]}), json!({"type": "string", "pattern": NUMBER})],
        Type::Bool => vec![
            json!({"type": "boolean"}),
            json!({"type": "integer", "minimum": 0, "maximum": 1}),
            json!({"type": "string", "pattern": truths()}),
        ],
        Type::Address => address(kind),
        Type::Reference(_) => vec![schema("Reference")],
        Type::Tags => vec![json!({"type": "array", "items": schema("Reference")})],
        Type::CustomFields => vec![json!({"type": "object"})],
        Type::Json => vec![json!({"type": ["object", "array", "string", "number", "boolean"]})],
    };
    if nullable {
        forms.push(json!({"type": "null"}));
    }
    let mut value = match <[Value; 1]>::try_from(forms) {
        Ok([only]) => only,
        Err(forms) => json!({"anyOf": forms}),
    };
    value["title"] = json!(field.label);
    value["description"] = json!(field.help);
    if field.access == Access::Write {
        value["writeOnly"] = json!(true);
    }
    value
}

/// The form of a whole number in a text, of one that is not negative and fits 32 bits, and of any number.
const COUNT: &str = r"^\s*\+?0*[0-9]{1,9}(\.0*)?\s*$";
const DIGITS: &str = r"^\s*[+-]?[0-9]+(\.0*)?\s*$";
const NUMBER: &str = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?\s*$";

fn integer(least: i64, most: i64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// A whole number in a text.
fn digits(counts: bool) -> Value {
    json!({"type": "string", "pattern": if counts { COUNT } else { DIGITS }})
}

/// A text, or a number that is taken for one; a name must not be blank.
fn text(kind: Kind, field: &Field) -> Vec<Value> {
    let pattern = if field.name == "slug" {
        r"^\s*[-\w]+\s*$"
    } else if field.required || field.ty == Type::Display {
        r"^[^\u0000]*\S[^\u0000]*$"
    } else {
        r"^[^\u0000]*$"
    };
    let mut text = json!({"type": "string", "pattern": pattern});
    if let Some(longest) = rules::longest(kind, field.name) {
        text["maxLength"] = json!(longest);
    }
    if field.name == "color" {
        text["pattern"] = json!(r"^\s*[0-9a-f]{6}\s*$");
    }
    let mut forms = vec![text];
    if !matches!(field.name, "slug" | "color") {
        forms.push(json!({"type": "number"}));
    }
    if field.name == "is_mountpoint" {
        forms.push(json!({"type": "boolean"}));
    }
    forms
}

fn address(kind: Kind) -> Vec<Value> {
    let mut forms = vec![json!({"type": "string", "format": "ipv4"}), json!({"type": "string", "format": "ipv6"})];
    if kind == Kind::Endpoint {
        let inner = forms.clone();
        forms.push(json!({
            "type": "object",
            "required": ["address"],
            "properties": {"address": {"anyOf": inner}},
        }));
    }
    forms
}

/// A pattern of the texts that are taken for a truth, in any case.
fn truths() -> String {
    let any_case = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{c}{}]", c.to_ascii_uppercase()),
        false => c.to_string(),
    };
    let words = body::TRUE.into_iter().chain(body::FALSE).map(|word| word.chars().map(any_case).collect::<String>());
    format!("^({})$", words.collect::<Vec<_>>().join("|"))
}

fn shared() -> Vec<(&'static str, Value)> {
    let four = json!({
        "id": {"type": "integer"},
        "url": {"type": "string", "format": "uri"},
        "display": {"type": "string"},
        "name": {"type": ["string", "null"]},
    });
    let mut six = four.clone();
    six["name"] = json!({"type": "string"});
    six["slug"] = json!({"type": "string"});
    six["color"] = json!({"type": "string", "description": "Six hexadecimal digits in lower case."});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let modes = Mode::ALL.map(|(_, value, _)| value);
    let labels = Mode::ALL.map(|(_, _, label)| label);
    vec![
        (
            "Mode",
            json!({
                "type": "object",
                "description": "How a Proxmox VE installation is deployed.",
                "required": ["value"],
                "properties": {
                    "value": {"type": "string", "enum": modes},
                    "label": {"type": "string", "enum": labels},
                },
            }),
        ),
        (
            "Nested",
            json!({
                "type": "object",
                "description": "An object that another one refers to.",
                "required": ["id", "url", "display", "name"],
                "properties": four,
            }),
        ),
        (
            "NestedTag",
            json!({
                "type": "object",
                "description": "A tag that an object carries.",
                "required": ["id", "url", "display", "name", "slug", "color"],
                "properties": six,
            }),
        ),
        (
            "Reference",
            json!({
                "description": "An object by its number, by attributes that only it has, or as answers show it.",
                "anyOf": [integer(1, i64::from(i32::MAX)), digits(true), {"type": "object", "minProperties": 1}],
            }),
        ),
        (
            "Ids",
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {"id": {"anyOf": [{"type": "integer"}, digits(false)]}},
                },
            }),
        ),
        (
            "Detail",
            json!({
                "type": "object",
                "description": "Why the request as a whole is refused.",
                "required": ["detail"],
                "properties": {"detail": {"type": "string"}},
            }),
        ),
        (
            "Errors",
            json!({
                "type": "object",
                "description": "What is wrong, by field or parameter; `__all__` and `non_field_errors` are about the whole.",
                "additionalProperties": {"anyOf": [texts, {"type": "object"}, {"type": "string"}]},
            }),
        ),
        (
            "BulkErrors",
            json!({
                "type": "array",
                "description": "What is wrong with each element, in the order of the request.",
                "items": {"anyOf": [schema("Errors"), texts]},
            }),
        ),
    ]
}
