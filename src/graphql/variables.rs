//! The variables of a request, checked before the library sees them.
//!
//! The library notices a missing variable only while it executes (and then gives the error a
//! path, as if a field had failed), and does not look at the values of variables in places it
//! has no use for.

use std::collections::HashSet;

use async_graphql_parser::Pos;
use async_graphql_parser::Positioned;
use async_graphql_parser::types::{
    BaseType, Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type,
};
use async_graphql_value::{ConstValue, Name, Value, Variables};

/// A variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    /// The variable, without `$`.
    pub name: String,
    /// Where the operation defines it.
    pub pos: Pos,
    /// What is wrong, for the client. Texts given by the client are not repeated in it.
    pub message: String,
}

/// Non-null variables that the request leaves out (and that have no default) or sets to null.
#[must_use]
pub fn missing_variables(operation: &OperationDefinition, variables: &Variables) -> Vec<VariableError> {
    operation
        .variable_definitions
        .iter()
        .filter_map(|definition| {
            let (pos, definition) = (definition.pos, &definition.node);
            let (name, ty) = (&definition.name.node, &definition.var_type.node);
            if ty.nullable {
                return None;
            }
            let problem = match variables.get(name) {
                None if definition.default_value.is_none() => "was not provided",
                // Even a default does not help: it only stands in for a value left out.
                Some(ConstValue::Null) => "must not be null",
                _ => return None,
            };
            let message = format!("Variable \"${name}\" of required type \"{ty}\" {problem}.");
            Some(VariableError { name: name.to_string(), pos, message })
        })
        .collect()
}

/// Variables of built-in scalar types (and lists of them) whose values do not coerce. Null and
/// missing values of non-null variables are [`missing_variables`]' to report; other types
/// are the library's.
#[must_use]
pub fn mistyped_variables(operation: &OperationDefinition, variables: &Variables) -> Vec<VariableError> {
    operation
        .variable_definitions
        .iter()
        .filter_map(|definition| {
            let (pos, definition) = (definition.pos, &definition.node);
            let (name, ty) = (&definition.name.node, &definition.var_type.node);
            let value = variables.get(name).filter(|value| **value != ConstValue::Null)?;
            let Mismatch { mut path, problem } = coerce(ty, value).err()?;
            path.reverse();
            let at: String = path.iter().map(|index| format!("[{index}]")).collect();
            let message = format!("Variable \"${name}{at}\" of type \"{ty}\" has a wrong value: {problem}.");
            Some(VariableError { name: name.to_string(), pos, message })
        })
        .collect()
}

struct Mismatch {
    /// Indices into the lists, innermost first.
    path: Vec<usize>,
    problem: String,
}

fn coerce(ty: &Type, value: &ConstValue) -> Result<(), Mismatch> {
    let expected = match (&ty.base, value) {
        (_, ConstValue::Null) if ty.nullable => return Ok(()),
        (_, ConstValue::Null) => "a value",
        (BaseType::List(item), ConstValue::List(values)) => {
            for (index, value) in values.iter().enumerate() {
                coerce(item, value).map_err(|mut mismatch| {
                    mismatch.path.push(index);
                    mismatch
                })?;
            }
            return Ok(());
        }
        // A single value stands for a list of one.
        (BaseType::List(item), single) => return coerce(item, single),
        (BaseType::Named(name), value) => match scalar_mismatch(name, value) {
            Some(expected) => expected,
            None => return Ok(()),
        },
    };
    Err(Mismatch { path: Vec::new(), problem: format!("expected {expected}, got {}", describe(value)) })
}

/// What the scalar expects instead of the value; `None` if the value suits it or if it is not a
/// built-in one.
fn scalar_mismatch(name: &str, value: &ConstValue) -> Option<&'static str> {
    let (suits, expected) = match (name, value) {
        ("Int", ConstValue::Number(number)) => {
            (number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()), "a whole number of 32 bits")
        }
        ("Int", _) => (false, "a whole number"),
        ("Float", value) => (matches!(value, ConstValue::Number(_)), "a number"),
        ("String", value) => (matches!(value, ConstValue::String(_)), "a string"),
        ("Boolean", value) => (matches!(value, ConstValue::Boolean(_)), "true or false"),
        ("ID", ConstValue::Number(number)) => (number.is_i64() || number.is_u64(), "a string or a whole number"),
        ("ID", value) => (matches!(value, ConstValue::String(_)), "a string or a whole number"),
        _ => return None,
    };
    (!suits).then_some(expected)
}

/// The value in a few words. Strings are not shown: they may be secrets put in the wrong place.
fn describe(value: &ConstValue) -> String {
    match value {
        ConstValue::Null => "null".to_owned(),
        ConstValue::Number(number) => number.to_string(),
        ConstValue::Boolean(boolean) => boolean.to_string(),
        ConstValue::String(_) | ConstValue::Binary(_) => "a string".to_owned(),
        ConstValue::Enum(name) => name.to_string(),
        ConstValue::List(_) => "a list".to_owned(),
        ConstValue::Object(_) => "an object".to_owned(),
    }
}

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
    fn finds_missing_variables() {
        let missing = |variables| {
            with("query($a: Int!, $b: [ID!]!, $c: Int, $d: Int! = 1) { a }", variables, |_, operation, variables| {
                missing_variables(operation, &variables).into_iter().map(|e| e.name).collect::<Vec<_>>()
            })
        };
        assert_eq!(missing(json!({})), ["a", "b"]);
        assert_eq!(missing(json!({"a": null, "b": []})), ["a"]);
        assert_eq!(missing(json!({"a": 1, "b": [], "d": null})), ["d"]);
        assert!(missing(json!({"a": 1, "b": 1, "c": null})).is_empty());
        let error = with("query(\n $a: Int!) { a }", json!(null), |_, o, v| missing_variables(o, &v).remove(0));
        assert_eq!(error.message, "Variable \"$a\" of required type \"Int!\" was not provided.");
        assert_eq!((error.pos.line, error.pos.column), (2, 2));
    }

    #[test]
    fn finds_mistyped_variables() {
        let problem = |ty: &str, value: Json| {
            with(&format!("query($v: {ty}) {{ a }}"), json!({ "v": value }), |_, operation, variables| {
                mistyped_variables(operation, &variables).pop().map(|error| error.message)
            })
        };
        for (ty, good) in [
            ("Int", json!(-2_147_483_648)),
            ("Int", json!(null)),
            ("Int!", json!(null)), // reported as missing
            ("Float", json!(1)),
            ("Float!", json!(1.5)),
            ("String", json!("")),
            ("Boolean!", json!(true)),
            ("ID", json!(u64::MAX)),
            ("ID!", json!("x")),
            ("[Int!]!", json!([1, 2])),
            ("[Int!]!", json!(1)),
            ("[[Int]]", json!([[1, null], null, 3])),
            ("Anything", json!({"a": []})),
        ] {
            assert_eq!(problem(ty, good.clone()), None, "{ty} {good}");
        }
        for (ty, bad) in [
            ("Int", json!(2_147_483_648_i64)),
            ("Int", json!(1.0)),
            ("Int", json!("1")),
            ("Int", json!([1])),
            ("Float", json!("1")),
            ("String", json!(1)),
            ("Boolean", json!(0)),
            ("ID", json!(1.5)),
            ("ID", json!(true)),
            ("[ID!]", json!({})),
            ("[Int!]", json!([1, null])),
            ("[[Int]]", json!([[1], ["x"]])),
        ] {
            assert!(problem(ty, bad.clone()).is_some(), "{ty} {bad}");
        }
        assert_eq!(
            problem("[[Int]]", json!([[1], [2, "x"]])).unwrap(),
            "Variable \"$v[1][1]\" of type \"[[Int]]\" has a wrong value: expected a whole number, got a string."
        );
        assert!(!problem("Int", json!("hunter2")).unwrap().contains("hunter2"));
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
