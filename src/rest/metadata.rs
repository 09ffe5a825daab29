//! OPTIONS: what clients read of a resource's fields, in the form of the plugin's framework.
use super::ask::Ask;
use super::field::{Access, Field, Type};
use super::resource::Resource;
use crate::entity::{Kind, Mode};
use crate::principal::Act;
use crate::service::rules;
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The metadata of a list.
pub fn of_list<M: Resource>(ask: &Ask) -> Response {
    let may = ask.principal.may(M::KIND, Act::Add);
    about::<M>("List", may.then_some("POST"))
}

/// The metadata of an object.
pub fn of_one<M: Resource>(ask: &Ask) -> Response {
    let may = ask.principal.may(M::KIND, Act::Change);
    about::<M>("Instance", may.then_some("PUT"))
}

fn about<M: Resource>(what: &str, action: Option<&str>) -> Response {
    let spec = M::spec();
    let mut body = json!({
        "name": format!("{} {what}", spec.title),
        "description": spec.about,
        "renders": ["application/json", "text/csv", "application/x-ndjson"],
        "parses": ["application/json"],
    });
    if let Some(action) = action {
        let fields = spec.fields.iter().map(|field| (field.name.to_owned(), entry(spec.kind, field)));
        body["actions"] = json!({action: fields.collect::<Map<_, _>>()});
    }
    Json(body).into_response()
}

fn entry(kind: Kind, field: &Field) -> Value {
    let mut entry = json!({
        "type": type_name(field.ty),
        "required": field.required,
        "read_only": field.access == Access::Read,
        "label": field.label,
        "help_text": field.help,
    });
    match field.ty {
        Type::Text | Type::Secret => {
            if let Some(longest) = rules::longest(kind, field.name) {
                entry["max_length"] = json!(longest);
            }
        }
        Type::Int(least, most) => {
            entry["min_value"] = json!(least);
            entry["max_value"] = json!(most);
        }
        Type::Mode => {
            let choices = Mode::ALL.map(|(_, value, label)| json!({"value": value, "display": label}));
            entry["choices"] = json!(choices);
        }
        Type::Reference(_) => entry["children"] = nested(&["id", "url", "display", "name"]),
        Type::Tags => {
            let child = nested(&["id", "url", "display", "name", "slug", "color"]);
            entry["child"] = json!({"type": "nested object", "required": true, "read_only": false, "children": child});
        }
        _ => {}
    }
    entry
}

fn nested(names: &[&str]) -> Value {
    let fields = names.iter().map(|name| {
        let ty = if *name == "id" { "integer" } else { "string" };
        ((*name).to_owned(), json!({"type": ty, "required": false, "read_only": matches!(*name, "url" | "display")}))
    });
    Value::Object(fields.collect())
}

/// The framework's name of a type.
fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Id | Type::Int(..) | Type::BigInt => "integer",
        Type::Url | Type::Display | Type::Text | Type::Secret | Type::Address => "string",
        Type::Mode => "choice",
        Type::Float => "float",
        Type::Bool => "boolean",
        Type::Time => "datetime",
        Type::Reference(_) => "nested object",
        Type::Tags => "list",
        Type::CustomFields | Type::Json => "field",
    }
}
