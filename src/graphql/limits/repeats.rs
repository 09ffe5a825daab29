//! What stands at one place too often.

use std::collections::HashMap;

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};

/// How often at most a field is selected under one name at one place, fragments expanded: the client gets one value, but
/// each is resolved. Fields of one name are one place further down, as in the answer.
///
/// `selections` are those of the set, fragments expanded. More are only found if fragments spread themselves, which is
/// left to validation. So the work is linear in them.
pub(super) fn most_repeated(document: &ExecutableDocument, root: &SelectionSet, selections: u64) -> u64 {
    let (mut most, mut seen) = (0, 0);
    let mut places = vec![vec![root]];
    while let Some(mut sets) = places.pop() {
        let mut fields: HashMap<&str, (u64, Vec<&SelectionSet>)> = HashMap::new();
        while let Some(set) = sets.pop() {
            for item in &set.items {
                seen += 1;
                if seen > selections {
                    return most;
                }
                match &item.node {
                    Selection::Field(field) => {
                        let (times, inside) = fields.entry(&field.node.response_key().node).or_default();
                        *times += 1;
                        inside.push(&field.node.selection_set.node);
                    }
                    Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                    Selection::FragmentSpread(spread) => {
                        let fragment = document.fragments.get(&spread.node.fragment_name.node);
                        sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                    }
                }
            }
        }
        for (times, inside) in fields.into_values() {
            most = most.max(times);
            places.push(inside);
        }
    }
    most
}

/// How many directives at most stand at one field, fragment, spread, operation or variable.
pub(super) fn most_directives(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter().map(|(_, operation)| {
        let operation = &operation.node;
        let variables = operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        at_and_in(&operation.directives, &operation.selection_set.node).max(variables.max().unwrap_or_default())
    });
    let fragments = document.fragments.values().map(|fragment| {
        let fragment = &fragment.node;
        at_and_in(&fragment.directives, &fragment.selection_set.node)
    });
    operations.chain(fragments).max().unwrap_or_default()
}

fn at_and_in(directives: &[Positioned<Directive>], set: &SelectionSet) -> usize {
    let inside = set.items.iter().map(|item| match &item.node {
        Selection::Field(field) => at_and_in(&field.node.directives, &field.node.selection_set.node),
        Selection::InlineFragment(inline) => at_and_in(&inline.node.directives, &inline.node.selection_set.node),
        Selection::FragmentSpread(spread) => spread.node.directives.len(),
    });
    directives.len().max(inside.max().unwrap_or_default())
}
