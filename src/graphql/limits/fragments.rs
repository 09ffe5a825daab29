//! Which fragments lead where, and how much there is once they are expanded.

use std::collections::{HashMap, HashSet};

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};

/// Which fragments each fragment spreads.
pub(super) struct Fragments<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> Fragments<'a> {
    pub(super) fn of(document: &'a ExecutableDocument) -> Self {
        Self(
            document
                .fragments
                .iter()
                .map(|(name, fragment)| (name.as_str(), spreads(&fragment.node.selection_set.node)))
                .collect(),
        )
    }

    /// The fragments that can be reached from the roots, each after those it spreads (as far as
    /// cycles allow). Without recursion: a chain of fragments can be as long as the document.
    pub(super) fn bottom_up(&self, roots: Vec<&'a str>) -> Vec<&'a str> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        let mut path: Vec<(&str, usize)> = Vec::new();
        for root in roots {
            if seen.insert(root) {
                path.push((root, 0));
            }
            while let Some((name, next)) = path.last_mut() {
                match self.0.get(name).and_then(|spreads| spreads.get(*next)) {
                    Some(spread) => {
                        *next += 1;
                        if seen.insert(spread) {
                            path.push((spread, 0));
                        }
                    }
                    None => {
                        order.push(*name);
                        path.pop();
                    }
                }
            }
        }
        order
    }
}

/// The fragments spread anywhere in a selection set.
pub(super) fn spreads(set: &SelectionSet) -> Vec<&str> {
    fn collect<'a>(set: &'a SelectionSet, found: &mut Vec<&'a str>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => collect(&field.node.selection_set.node, found),
                Selection::InlineFragment(inline) => collect(&inline.node.selection_set.node, found),
                Selection::FragmentSpread(spread) => found.push(&spread.node.fragment_name.node),
            }
        }
    }
    let mut found = Vec::new();
    collect(set, &mut found);
    found
}

/// Selections of each operation after expanding the fragments. Cyclic spreads count nothing.
pub(super) fn expanded_selections<'a>(
    document: &'a ExecutableDocument,
    operations: &[&'a Positioned<OperationDefinition>],
    fragments: &Fragments<'a>,
) -> Vec<u64> {
    fn count(set: &SelectionSet, known: &HashMap<&str, u64>) -> u64 {
        set.items.iter().fold(0, |sum: u64, item| {
            let inside = match &item.node {
                Selection::Field(field) => count(&field.node.selection_set.node, known),
                Selection::InlineFragment(inline) => count(&inline.node.selection_set.node, known),
                Selection::FragmentSpread(spread) => {
                    known.get(spread.node.fragment_name.node.as_str()).copied().unwrap_or_default()
                }
            };
            sum.saturating_add(1).saturating_add(inside)
        })
    }
    let roots = operations.iter().flat_map(|operation| spreads(&operation.node.selection_set.node)).collect();
    let mut known = HashMap::new();
    for name in fragments.bottom_up(roots) {
        if let Some(fragment) = document.fragments.get(name) {
            let selections = count(&fragment.node.selection_set.node, &known);
            known.insert(name, selections);
        }
    }
    operations.iter().map(|operation| count(&operation.node.selection_set.node, &known)).collect()
}
