//! What the walker must know of the schema.

use std::collections::{HashMap, HashSet};

use async_graphql_parser::types::{BaseType, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition};
use async_graphql_parser::{Error, parse_schema};
use async_graphql_value::ConstValue;

use super::{DEFAULT_PAGE, MAX_PAGE};

/// Cost on top of the fields of a connection that run a statement of their own.
const STATEMENT_COST: u64 = 10;
const STATEMENT_FIELDS: [&str; 3] = ["totalCount", "aggregate", "groups"];
/// How many elements a list without a page counts for.
const LIST_LENGTH: u64 = 5;
/// As above, of the lists that are longer and whose elements lead to connections: candidates of a suggestion, and runs
/// of all endpoints.
const LONGER_LISTS: [(&str, u64); 2] = [("candidates", 10), ("syncRuns", MAX_PAGE)];
/// Arguments that set a page size.
const PAGE_ARGUMENTS: [&str; 3] = ["first", "last", "limit"];

/// The fields of a schema, each with the rule of its cost. Read once, at start.
#[derive(Clone, Debug)]
pub struct SchemaShape {
    types: HashMap<String, TypeShape>,
    query: String,
    mutation: String,
    subscription: String,
}

/// The fields of an object or interface; a union has none.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeShape {
    fields: HashMap<String, FieldShape>,
}

#[derive(Clone, Debug)]
pub(super) struct FieldShape {
    /// The type, without list and non-null wrappers.
    pub(super) ty: String,
    pub(super) rule: Rule,
    /// Cost on top, counted once.
    pub(super) extra: u64,
}

/// How often the cost of a field's element counts.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// A scalar, an enum or a list of them: no cost.
    Leaf,
    /// Once.
    Object,
    /// A list without arguments: so many times.
    List(u64),
    /// A list with a page size.
    Page(Page),
    /// A list of the objects asked for in the argument `ids`.
    Ids,
    /// Once, and hands its page size to the `Handed` lists directly inside.
    Connection(Page),
    /// Once, and hands the number of the items given in `input` to the `Handed` list inside.
    Bulk,
    /// A list as long as the field around it says.
    Handed,
}

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) arguments: Vec<&'static str>,
    pub(super) default: u64,
}

impl Page {
    fn of(field: &FieldDefinition) -> Self {
        let sizes = || {
            PAGE_ARGUMENTS.into_iter().filter_map(|name| {
                let argument = field.arguments.iter().find(|argument| argument.node.name.node == name)?;
                Some((name, argument.node.default_value.as_ref()))
            })
        };
        let default = sizes().find_map(|(_, default)| match &default?.node {
            ConstValue::Number(number) => number.as_u64(),
            _ => None,
        });
        Self {
            arguments: sizes().map(|(name, _)| name).collect(),
            default: default.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE),
        }
    }
}

impl SchemaShape {
    /// Reads the schema's own SDL.
    ///
    /// # Errors
    /// The SDL does not parse.
    pub fn from_sdl(sdl: &str) -> Result<Self, Error> {
        let document = parse_schema(sdl)?;
        let mut shape = Self {
            types: HashMap::new(),
            query: "Query".to_owned(),
            mutation: "Mutation".to_owned(),
            subscription: "Subscription".to_owned(),
        };
        let mut definitions = Vec::new();
        let mut composite = HashSet::new();
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    for (root, given) in [
                        (&mut shape.query, &schema.node.query),
                        (&mut shape.mutation, &schema.node.mutation),
                        (&mut shape.subscription, &schema.node.subscription),
                    ] {
                        if let Some(name) = given {
                            *root = name.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Type(ty) => {
                    let fields: &[_] = match &ty.node.kind {
                        TypeKind::Object(object) => &object.fields,
                        TypeKind::Interface(interface) => &interface.fields,
                        TypeKind::Union(_) => &[],
                        TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => continue,
                    };
                    composite.insert(ty.node.name.node.as_str());
                    definitions.push((ty.node.name.node.as_str(), fields));
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        for (name, fields) in definitions {
            // Extensions of a type add to it.
            let ty = shape.types.entry(name.to_owned()).or_default();
            for field in fields {
                ty.fields.insert(field.node.name.node.to_string(), field_shape(name, &field.node, &composite));
            }
        }
        shape.mark_bulk_payloads();
        Ok(shape)
    }

    /// A mutation whose payload lists `results` answers one for each item of its input.
    fn mark_bulk_payloads(&mut self) {
        let Some(mutation) = self.types.get(&self.mutation) else { return };
        let mut mutation = mutation.clone();
        for field in mutation.fields.values_mut().filter(|field| matches!(field.rule, Rule::Object)) {
            let results = self.types.get_mut(&field.ty).and_then(|payload| payload.fields.get_mut("results"));
            if let Some(results) = results.filter(|results| matches!(results.rule, Rule::List(_) | Rule::Handed)) {
                results.rule = Rule::Handed;
                field.rule = Rule::Bulk;
            }
        }
        self.types.insert(self.mutation.clone(), mutation);
    }

    pub(super) fn get(&self, name: &str) -> Option<&TypeShape> {
        self.types.get(name)
    }

    pub(super) fn root(&self, operation: OperationType) -> Option<&TypeShape> {
        self.get(match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        })
    }
}

impl TypeShape {
    pub(super) fn field(&self, name: &str) -> Option<&FieldShape> {
        self.fields.get(name)
    }
}

fn field_shape(parent: &str, field: &FieldDefinition, composite: &HashSet<&str>) -> FieldShape {
    let name = field.name.node.as_str();
    let (ty, is_list) = unwrapped(&field.ty.node);
    let in_connection = parent.ends_with("Connection");
    let page = Page::of(field);
    let rule = if !composite.contains(ty) {
        Rule::Leaf
    } else if is_list {
        if in_connection && matches!(name, "edges" | "nodes") {
            Rule::Handed
        } else if field.arguments.iter().any(|argument| argument.node.name.node == "ids") {
            Rule::Ids
        } else if page.arguments.is_empty() {
            let longer = LONGER_LISTS.iter().find(|(list, _)| *list == name);
            Rule::List(longer.map_or(LIST_LENGTH, |(_, length)| *length))
        } else {
            Rule::Page(page)
        }
    } else if ty.ends_with("Connection") {
        Rule::Connection(page)
    } else {
        Rule::Object
    };
    let extra = if in_connection && STATEMENT_FIELDS.contains(&name) { STATEMENT_COST } else { 0 };
    FieldShape { ty: ty.to_owned(), rule, extra }
}

fn unwrapped(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(item) => (unwrapped(item).0, true),
    }
}
