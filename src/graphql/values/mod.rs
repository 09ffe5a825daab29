//! The values of a request against the types of the schema, before anything is executed.
//!
//! The library looks at them only in part, and notices the rest while it executes: by then a mutation has done what
//! stands before the mistake. So everything that is given is checked here: the literals and defaults of the document,
//! and the values of the variables.

mod coerce;
mod document;
mod given;
mod omitted;
mod scalar;
mod scope;
mod shape;
#[cfg(test)]
mod tests;
mod wrong;

pub use omitted::null_omitted;
pub use shape::InputShape;

use async_graphql::ServerError;
use async_graphql_parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql_value::Variables;

use coerce::{Coercion, Subject};
use scope::Scope;
use shape::named;
use wrong::Wrong;

/// Checks every value of the document and of the variables of the operation that is going to be executed. Linear in
/// their size: each operation and fragment is visited once, and each value.
///
/// # Errors
/// What is wrong, the document's mistakes first, as far as it is worth telling. Texts given by the client are not
/// repeated in it.
pub fn check_values(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    shape: &InputShape,
) -> Result<(), Vec<ServerError>> {
    let mut wrong = Wrong::default();
    document::check(document, operation, &Scope::of(operation, variables), shape, &mut wrong);
    check_variables(operation, variables, shape, &mut wrong);
    wrong.into_result()
}

fn check_variables(operation: &OperationDefinition, variables: &Variables, shape: &InputShape, wrong: &mut Wrong) {
    for definition in &operation.variable_definitions {
        let (pos, definition) = (definition.pos, &definition.node);
        let (name, ty) = (&definition.name.node, &definition.var_type.node);
        if shape.input(named(ty)).is_none() {
            // The document's mistake, which is told already.
            continue;
        }
        let mut coercion = Coercion::new(shape, None, Subject::Variable, (name, pos), wrong);
        match variables.get(name) {
            Some(value) => coercion.value(ty, value),
            None if !ty.nullable && definition.default_value.is_none() => coercion.missing(ty),
            None => {}
        }
    }
}
