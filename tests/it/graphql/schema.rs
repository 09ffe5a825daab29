//! The schema: committed, described throughout, and of the names that were agreed on.
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use proxbox_graphql::graphql::{schema, sdl};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    let committed = include_str!("../../../schema.graphql");
    assert!(
        committed == sdl(&schema()),
        "schema.graphql differs from the code; `cargo run -- schema > schema.graphql` writes it anew"
    );
}

async fn introspect() -> Value {
    let query = "{ __schema {
        types { kind name description
            fields(includeDeprecated: true) { name description args { name description } }
            inputFields { name description }
            enumValues(includeDeprecated: true) { name description } }
        directives { name description args { name description } }
    } }";
    let answer = schema().execute(query).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    answer.data.into_json().unwrap()["__schema"].take()
}

/// The paths of all elements below this one that lack a description.
fn undescribed(element: &Value, path: &str, found: &mut Vec<String>) {
    let path = format!("{path}.{}", element["name"].as_str().unwrap());
    if element["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
        found.push(path.clone());
    }
    for part in ["fields", "inputFields", "enumValues", "args"] {
        element[part].as_array().into_iter().flatten().for_each(|part| undescribed(part, &path, found));
    }
}

#[tokio::test]
async fn every_element_has_a_description() {
    let schema = introspect().await;
    let mut found = Vec::new();
    for list in ["types", "directives"] {
        for element in schema[list].as_array().unwrap() {
            // What is built into GraphQL is not ours to describe.
            let name = element["name"].as_str().unwrap();
            if name != "ID" && !name.starts_with("__") {
                undescribed(element, "", &mut found);
            }
        }
    }
    assert!(found.is_empty(), "without description: {found:#?}");
}

/// What was agreed on, in one line a type; the connections, edges, groups and statistics follow their pattern.
const AGREED: &str = include_str!("agreed.graphql");

/// Each element of a schema as `Type.field(arguments): Type`, regardless of order.
fn elements(sdl: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for definition in parse_schema(sdl).unwrap().definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let own = found.entry(ty.node.name.node.to_string()).or_default();
        let default = |value: Option<String>| value.map(|value| format!(" = {value}")).unwrap_or_default();
        match ty.node.kind {
            TypeKind::Scalar | TypeKind::Union(_) => {}
            TypeKind::Enum(ty) => own.extend(ty.values.iter().map(|value| value.node.value.node.to_string())),
            TypeKind::InputObject(ty) => own.extend(ty.fields.iter().map(|field| {
                let given = field.node.default_value.as_ref().map(|value| value.node.to_string());
                format!("{}: {}{}", field.node.name.node, field.node.ty.node, default(given))
            })),
            TypeKind::Object(_) | TypeKind::Interface(_) => {
                let (fields, implements) = match ty.node.kind {
                    TypeKind::Object(ty) => (ty.fields, ty.implements),
                    TypeKind::Interface(ty) => (ty.fields, ty.implements),
                    _ => unreachable!(),
                };
                own.extend(implements.iter().map(|name| format!("implements {}", name.node)));
                own.extend(fields.iter().map(|field| {
                    let field = &field.node;
                    let arguments = field.arguments.iter();
                    let arguments: BTreeSet<_> = arguments
                        .map(|argument| format!("{}: {}", argument.node.name.node, argument.node.ty.node))
                        .collect();
                    format!("{}{arguments:?}: {}", field.name.node, field.ty.node)
                }));
            }
        }
    }
    found
}

#[test]
fn names_and_types_are_those_agreed_on() {
    let (agreed, built) = (elements(AGREED), elements(&sdl(&schema())));
    for (ty, agreed) in &agreed {
        let built = built.get(ty).unwrap_or_else(|| panic!("there is no type {ty}"));
        let missing: Vec<_> = agreed.difference(built).collect();
        let new: Vec<_> = built.difference(agreed).collect();
        assert!(missing.is_empty() && new.is_empty(), "{ty} lacks {missing:#?} and has besides {new:#?}");
    }
    let new: Vec<_> = built.keys().filter(|ty| !agreed.contains_key(*ty)).collect();
    assert!(new.is_empty(), "types that nobody agreed on: {new:?}");
}
