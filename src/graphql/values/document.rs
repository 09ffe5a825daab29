//! The values in a document.

use std::collections::HashSet;
use std::ptr;

use async_graphql_parser::types::{
    Directive, DirectiveLocation, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet, VariableDefinition,
};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{Name, Value};

use super::coerce::{Coercion, Subject};
use super::scope::Scope;
use super::shape::{InputShape, Inputs, OutputType, named};
use super::wrong::{Fault, Wrong, short};

/// An argument as it is written.
type Argument = (Positioned<Name>, Positioned<Value>);

/// Checks all of a document, each operation and fragment once; the variables of the scope belong to this operation.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    scope: &Scope<'_>,
    shape: &InputShape,
    wrong: &mut Wrong,
) {
    let mut walk = Walk { shape, scope: Some(scope), spreads: Vec::new(), wrong };
    walk.operation(operation);
    let mut reached = HashSet::new();
    while let Some(name) = walk.spreads.pop() {
        if let Some(fragment) = document.fragments.get(name).filter(|_| reached.insert(name)) {
            walk.fragment(&fragment.node);
        }
    }
    // The library checks the rest as well, so it may not be what would make it stumble.
    walk.scope = None;
    let operations = document.operations.iter().map(|(_, other)| other);
    let mut others: Vec<_> = operations.filter(|other| !ptr::eq(&raw const other.node, operation)).collect();
    others.sort_by_key(|other| other.pos);
    others.into_iter().for_each(|other| walk.operation(&other.node));
    let fragments = document.fragments.iter().filter(|(name, _)| !reached.contains(name.as_str()));
    let mut fragments: Vec<_> = fragments.map(|(_, fragment)| fragment).collect();
    fragments.sort_by_key(|fragment| fragment.pos);
    fragments.into_iter().for_each(|fragment| walk.fragment(&fragment.node));
}

/// A walk over definitions. Fragments are not followed, so the recursion is as deep as the text nests brackets.
struct Walk<'a, 'w> {
    shape: &'a InputShape,
    /// The variables that may be used; none if they are not known.
    scope: Option<&'a Scope<'a>>,
    /// The fragments that are spread.
    spreads: Vec<&'a str>,
    wrong: &'w mut Wrong,
}

impl<'a> Walk<'a, '_> {
    fn operation(&mut self, operation: &'a OperationDefinition) {
        for Positioned { pos, node: definition } in &operation.variable_definitions {
            self.definition(definition, *pos);
        }
        let location = match operation.ty {
            OperationType::Query => DirectiveLocation::Query,
            OperationType::Mutation => DirectiveLocation::Mutation,
            OperationType::Subscription => DirectiveLocation::Subscription,
        };
        self.directives(&operation.directives, location);
        self.set(&operation.selection_set.node, self.shape.root(operation.ty));
    }

    fn fragment(&mut self, fragment: &'a FragmentDefinition) {
        self.directives(&fragment.directives, DirectiveLocation::FragmentDefinition);
        self.set(&fragment.selection_set.node, self.shape.output(&fragment.type_condition.node.on.node));
    }

    fn definition(&mut self, definition: &'a VariableDefinition, pos: Pos) {
        let (name, ty) = (&definition.name.node, &definition.var_type.node);
        if self.shape.input(named(ty)).is_none() {
            let message = || {
                format!(
                    "Variable \"${}\" cannot be of type \"{}\": it is no input type.",
                    short(name),
                    short(named(ty))
                )
            };
            self.wrong.add(Fault::Document, pos, message);
        } else if let Some(default) = &definition.default_value {
            Coercion::new(self.shape, self.scope, Subject::Default, (name, default.pos), self.wrong)
                .value(ty, &default.node);
        }
        self.directives(&definition.directives, DirectiveLocation::VariableDefinition);
    }

    fn set(&mut self, set: &'a SelectionSet, parent: Option<&'a OutputType>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(&field.node, parent),
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives, DirectiveLocation::InlineFragment);
                    let parent = match &inline.node.type_condition {
                        Some(condition) => self.shape.output(&condition.node.on.node),
                        None => parent,
                    };
                    self.set(&inline.node.selection_set.node, parent);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives, DirectiveLocation::FragmentSpread);
                    self.spreads.push(&spread.node.fragment_name.node);
                }
            }
        }
    }

    /// A field. What it may be, and which arguments it has, is the library's to tell; but that one does not look at
    /// `__typename`.
    fn field(&mut self, field: &'a Field, parent: Option<&'a OutputType>) {
        let shape = parent.and_then(|parent| parent.field(&field.name.node));
        if let Some(shape) = shape {
            self.values(&field.arguments, &shape.arguments);
        } else if field.name.node == "__typename" {
            self.unknown("__typename", &field.arguments, None);
        }
        self.directives(&field.directives, DirectiveLocation::Field);
        self.set(&field.selection_set.node, shape.and_then(|shape| self.shape.output(&shape.ty)));
    }

    /// Directives. The library overlooks those of `__typename` and of variables.
    fn directives(&mut self, directives: &'a [Positioned<Directive>], location: DirectiveLocation) {
        for Positioned { pos, node: directive } in directives {
            let name = format!("@{}", short(&directive.name.node));
            let Some(shape) = self.shape.directive(&directive.name.node) else {
                self.wrong.add(Fault::Document, *pos, || format!("There is no directive \"{name}\"."));
                continue;
            };
            if !shape.locations.contains(&location) {
                self.wrong.add(Fault::Document, *pos, || format!("\"{name}\" does not belong here."));
            }
            self.unknown(&name, &directive.arguments, Some(&shape.arguments));
            self.values(&directive.arguments, &shape.arguments);
            for (argument, place) in shape.arguments.iter().filter(|(_, place)| place.is_required()) {
                if !directive.arguments.iter().any(|(given, _)| given.node == argument.as_str()) {
                    Coercion::new(self.shape, self.scope, Subject::Argument, (argument, *pos), self.wrong)
                        .missing(&place.ty);
                }
            }
        }
    }

    fn unknown(&mut self, owner: &str, given: &[Argument], declared: Option<&Inputs>) {
        for (name, _) in given {
            if !declared.is_some_and(|declared| declared.contains_key(name.node.as_str())) {
                let message = || format!("\"{owner}\" has no argument \"{}\".", short(&name.node));
                self.wrong.add(Fault::Document, name.pos, message);
            }
        }
    }

    fn values(&mut self, given: &'a [Argument], declared: &'a Inputs) {
        for (name, value) in given {
            if let Some((name, place)) = declared.get_key_value(name.node.as_str()) {
                Coercion::new(self.shape, self.scope, Subject::Argument, (name, value.pos), self.wrong)
                    .input(place, &value.node);
            }
        }
    }
}
