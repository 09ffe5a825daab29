//! The variables that a request leaves out.

use std::collections::HashSet;

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql_value::{ConstValue, Name, Value, Variables};

/// Sets the variables the request leaves out to null where that makes no difference to the
/// resolvers: nullable ones without default that are used only as whole arguments. (The
/// library cannot evaluate such arguments while a variable is absent.) Inside input objects
/// absent and null differ (keep, clear), so variables used there stay absent.
pub fn null_omitted(document: &ExecutableDocument, operation: &OperationDefinition, variables: &mut Variables) {
    let mut uses = Uses::default();
    uses.directives(&operation.directives);
    uses.set(&operation.selection_set.node);
    // All fragments, spread or not: at worst a variable stays absent.
    for fragment in document.fragments.values() {
        uses.directives(&fragment.node.directives);
        uses.set(&fragment.node.selection_set.node);
    }
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let name = &definition.name.node;
        if definition.var_type.node.nullable
            && definition.default_value.is_none()
            && uses.whole.contains(name)
            && !uses.nested.contains(name)
        {
            variables.entry(name.clone()).or_insert(ConstValue::Null);
        }
    }
}

/// Where variables are used. Fragments are not followed, so the recursion is as deep as
/// the text nests brackets.
#[derive(Default)]
struct Uses<'a> {
    whole: HashSet<&'a Name>,
    nested: HashSet<&'a Name>,
}

impl<'a> Uses<'a> {
    fn set(&mut self, set: &'a SelectionSet) {
        for item in &set.items {
            self.directives(item.node.directives());
            match &item.node {
                Selection::Field(field) => {
                    self.arguments(&field.node.arguments);
                    self.set(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) {
        for directive in directives {
            self.arguments(&directive.node.arguments);
        }
    }

    fn arguments(&mut self, arguments: &'a [(Positioned<Name>, Positioned<Value>)]) {
        for (_, value) in arguments {
            match &value.node {
                Value::Variable(name) => {
                    self.whole.insert(name);
                }
                value => self.nested(value),
            }
        }
    }

    fn nested(&mut self, value: &'a Value) {
        match value {
            Value::Variable(name) => {
                self.nested.insert(name);
            }
            Value::List(values) => values.iter().for_each(|value| self.nested(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.nested(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use async_graphql_parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;

    fn with<T>(
        query: &str,
        variables: Json,
        run: impl FnOnce(&ExecutableDocument, &OperationDefinition, Variables) -> T,
    ) -> T {
        let document = parse_query(query).unwrap();
        let operation = document.operations.iter().next().unwrap().1.node.clone();
        run(&document, &operation, Variables::from_json(variables))
    }

    #[test]
    fn nulls_only_whole_arguments() {
        let after = |query: &str, variables| {
            with(query, variables, |document, operation, mut variables| {
                null_omitted(document, operation, &mut variables);
                serde_json::to_value(variables).unwrap()
            })
        };
        let query = "query($whole: Int, $given: Int, $default: Int = 1, $both: Int, $list: Int, $required: Int!, $unused: Int) {
            a(x: $whole, y: $default, z: $both, v: $required, w: $given) { ...F }
        } fragment F on A { b(input: {n: $both}, l: [$list]) }";
        assert_eq!(after(query, json!({"given": 3})), json!({"whole": null, "given": 3}));
        assert_eq!(
            after("query($f: Int) { ...F } fragment F on Q { a { ... on B { b(first: $f) } } }", json!({})),
            json!({"f": null})
        );
    }
}
