//! What the fields of an operation amount to.

use std::collections::HashMap;

use async_graphql_parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql_value::{ConstValue, Value, Variables};

use super::fragments::{Fragments, spreads};
use super::shape::{FieldShape, Page, Rule, SchemaShape, TypeShape};
use super::{DEFAULT_PAGE, MAX_PAGE};

/// How many elements a list of introspection counts for.
const INTROSPECTION_LIST: u64 = 5;
/// Lists of introspection that lead from a type to other types.
const RECURSIVE_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// Lists of introspection that do not.
const PLAIN_LISTS: [&str; 4] = ["types", "directives", "args", "enumValues"];

/// What a selection set amounts to, fragments expanded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Fields of the set itself.
    pub(super) fields: u64,
    pub(super) aliases: u64,
    pub(super) depth: usize,
    pub(super) cost: u64,
    /// Cost that counts once for each element of the page (or bulk) the set stands in. Kept
    /// apart so that a fragment on a connection is summed up once, whatever the page sizes.
    handed_cost: u64,
    /// Depth of introspection.
    pub(super) meta_depth: usize,
    /// Recursive lists of introspection on one path.
    pub(super) meta_lists: usize,
    pub(super) meta_cost: u64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.depth = self.depth.max(other.depth);
        self.cost = self.cost.saturating_add(other.cost);
        self.handed_cost = self.handed_cost.saturating_add(other.handed_cost);
        self.meta_depth = self.meta_depth.max(other.meta_depth);
        self.meta_lists = self.meta_lists.max(other.meta_lists);
        self.meta_cost = self.meta_cost.saturating_add(other.meta_cost);
    }
}

/// Sums up an operation. Fragments are summed up once and used as often as they are spread, so the work is linear in the
/// document. They are summed up in an order that makes recursion from one fragment into the next needless: the stack only
/// holds the nesting within one definition, which the parser bounds. Cyclic spreads count nothing, `@skip` and `@include`
/// count as included, and whatever the schema does not know is left to validation.
pub(super) fn operation_totals<'a>(
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    fragments: &Fragments<'a>,
    variables: &'a Variables,
    shape: &SchemaShape,
) -> Totals {
    let root = &operation.selection_set.node;
    let mut walk = Walk { operation, variables, shape, known: HashMap::new() };
    for name in fragments.bottom_up(spreads(root)) {
        if let Some(fragment) = document.fragments.get(name) {
            let parent = walk.parent(&fragment.node.type_condition.node.on.node);
            let totals = walk.set(&fragment.node.selection_set.node, parent);
            walk.known.insert(name, totals);
        }
    }
    walk.set(root, shape.root(operation.ty).map_or(Parent::Unknown, Parent::Type))
}

/// The type whose fields a selection set selects.
#[derive(Clone, Copy, Debug)]
enum Parent<'a> {
    Type(&'a TypeShape),
    /// One of `__Schema`, `__Type` and their like.
    Introspection,
    Unknown,
}

/// A walk through one operation: variables and their defaults belong to it, and with them the
/// costs of its fragments.
struct Walk<'a> {
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    shape: &'a SchemaShape,
    /// Fragments already summed up.
    known: HashMap<&'a str, Totals>,
}

impl<'a> Walk<'a> {
    fn parent(&self, name: &str) -> Parent<'a> {
        match self.shape.get(name) {
            Some(ty) => Parent::Type(ty),
            None if name.starts_with("__") => Parent::Introspection,
            None => Parent::Unknown,
        }
    }

    fn set(&self, set: &SelectionSet, parent: Parent<'_>) -> Totals {
        let mut totals = Totals::default();
        for item in &set.items {
            totals.add(match &item.node {
                Selection::Field(field) => self.field(&field.node, parent),
                Selection::InlineFragment(inline) => {
                    let set = &inline.node.selection_set.node;
                    match &inline.node.type_condition {
                        Some(condition) => self.set(set, self.parent(&condition.node.on.node)),
                        None => self.set(set, parent),
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.known.get(spread.node.fragment_name.node.as_str()).copied().unwrap_or_default()
                }
            });
        }
        totals
    }

    fn field(&self, field: &Field, parent: Parent<'_>) -> Totals {
        let name = field.name.node.as_str();
        let set = &field.selection_set.node;
        let shape = match parent {
            Parent::Type(ty) => ty.field(name),
            Parent::Introspection | Parent::Unknown => None,
        };
        let is_introspection = matches!(parent, Parent::Introspection) || matches!(name, "__schema" | "__type");
        let inner_parent = match shape {
            _ if is_introspection => Parent::Introspection,
            Some(shape) => self.parent(&shape.ty),
            None => Parent::Unknown,
        };
        let mut totals = self.set(set, inner_parent);
        totals.fields = 1;
        totals.aliases = totals.aliases.saturating_add(u64::from(field.alias.is_some()));
        if name == "__typename" {
            // Clients add it to every level: it is neither a level nor a cost.
        } else if is_introspection {
            let is_recursive = RECURSIVE_LISTS.contains(&name);
            let length = if is_recursive || PLAIN_LISTS.contains(&name) { INTROSPECTION_LIST } else { 1 };
            totals.meta_depth += 1;
            totals.meta_lists += usize::from(is_recursive);
            if !set.items.is_empty() {
                totals.meta_cost = totals.meta_cost.saturating_add(1).saturating_mul(length);
            }
        } else {
            totals.depth += 1;
            (totals.cost, totals.handed_cost) = self.cost(field, shape, totals);
        }
        totals
    }

    /// Cost of a data field, and what of it is due for each element of the page around it.
    fn cost(&self, field: &Field, shape: Option<&FieldShape>, inner: Totals) -> (u64, u64) {
        let element =
            |handed: u64| 1u64.saturating_add(inner.cost).saturating_add(inner.handed_cost.saturating_mul(handed));
        let Some(shape) = shape else {
            let is_leaf = field.selection_set.node.items.is_empty();
            return (if is_leaf { 0 } else { element(DEFAULT_PAGE) }, 0);
        };
        let cost = match &shape.rule {
            Rule::Leaf => 0,
            Rule::Object => element(DEFAULT_PAGE),
            Rule::List(length) => element(DEFAULT_PAGE).saturating_mul(*length),
            Rule::Page(page) => element(DEFAULT_PAGE).saturating_mul(self.page_size(field, page)),
            Rule::Ids => {
                let ids = field.get_argument("ids").map(|ids| self.resolve(&ids.node));
                element(DEFAULT_PAGE).saturating_mul(ids.map_or(0, Given::count))
            }
            Rule::Connection(page) => element(self.page_size(field, page)),
            Rule::Bulk => element(self.bulk_size(field)),
            Rule::Handed => return (0, element(DEFAULT_PAGE)),
        };
        (cost.saturating_add(shape.extra), 0)
    }

    /// The largest page size given: if there are two, the resolver refuses them.
    fn page_size(&self, field: &Field, page: &Page) -> u64 {
        page.arguments
            .iter()
            .filter_map(|name| self.resolve(&field.get_argument(name)?.node).page_size())
            .max()
            .unwrap_or(page.default)
    }

    /// Number of items in the `input` of a bulk mutation.
    fn bulk_size(&self, field: &Field) -> u64 {
        let Some(input) = field.get_argument("input") else { return 0 };
        let input = self.resolve(&input.node);
        let count = |key| match input {
            Given::Literal(Value::Object(object)) => object.get(key).map(|value| self.resolve(value).count()),
            Given::Constant(ConstValue::Object(object)) => object.get(key).map(|value| Given::Constant(value).count()),
            _ => None,
        };
        count("items").or_else(|| count("ids")).unwrap_or_default()
    }

    /// A variable's value or its default; everything else as it is.
    fn resolve<'v>(&'v self, value: &'v Value) -> Given<'v> {
        let Value::Variable(name) = value else { return Given::Literal(value) };
        let default = || {
            let mut definitions = self.operation.variable_definitions.iter();
            let definition = definitions.find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|default| &default.node)
        };
        Given::Constant(self.variables.get(name).or_else(default).unwrap_or(&ConstValue::Null))
    }
}

/// A value of the document or of its variables.
#[derive(Clone, Copy)]
enum Given<'a> {
    Literal(&'a Value),
    Constant(&'a ConstValue),
}

impl Given<'_> {
    /// The value as a page size; `None` if it is no whole number.
    fn page_size(self) -> Option<u64> {
        let (Self::Literal(Value::Number(number)) | Self::Constant(ConstValue::Number(number))) = self else {
            return None;
        };
        match (number.as_u64(), number.as_i64()) {
            (Some(size), _) => Some(size.min(MAX_PAGE)),
            (None, Some(_negative)) => Some(0),
            (None, None) => None,
        }
    }

    /// Elements of the value as a list: a single one stands for a list of one.
    fn count(self) -> u64 {
        match self {
            Self::Literal(Value::List(list)) => list.len() as u64,
            Self::Constant(ConstValue::List(list)) => list.len() as u64,
            Self::Literal(Value::Null) | Self::Constant(ConstValue::Null) => 0,
            Self::Literal(_) | Self::Constant(_) => 1,
        }
    }
}
