//! The variables that a document may use.

use std::collections::HashMap;

use async_graphql_parser::types::{BaseType, OperationDefinition, Type, VariableDefinition};
use async_graphql_value::{ConstValue, Variables};

/// The variables of an operation, with the values that came with the request.
pub(super) struct Scope<'a> {
    defined: HashMap<&'a str, &'a VariableDefinition>,
    given: &'a Variables,
}

impl<'a> Scope<'a> {
    pub(super) fn of(operation: &'a OperationDefinition, given: &'a Variables) -> Self {
        let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
        Self { defined: definitions.map(|definition| (definition.name.node.as_str(), definition)).collect(), given }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a VariableDefinition> {
        self.defined.get(name).copied()
    }

    /// Whether the request says null, which a default does not make good.
    pub(super) fn is_null(&self, name: &str) -> bool {
        matches!(self.given.get(name), Some(ConstValue::Null))
    }
}

/// Whether a variable may stand in a place of this type. One that may be null may stand where null is forbidden if a
/// default steps in for it: its own, or that of the place.
pub(super) fn fits(variable: &VariableDefinition, place: &Type, place_has_default: bool) -> bool {
    let has_default = variable.default_value.as_ref().is_some_and(|default| default.node != ConstValue::Null);
    let ty = &variable.var_type.node;
    (!ty.nullable || place.nullable || has_default || place_has_default) && same_base(&ty.base, &place.base)
}

fn same_base(given: &BaseType, wanted: &BaseType) -> bool {
    match (given, wanted) {
        (BaseType::Named(given), BaseType::Named(wanted)) => given == wanted,
        (BaseType::List(given), BaseType::List(wanted)) => {
            (!given.nullable || wanted.nullable) && same_base(&given.base, &wanted.base)
        }
        _ => false,
    }
}
