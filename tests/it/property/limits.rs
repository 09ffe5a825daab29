//! What the limits count of a GraphQL document, against plain code that expands every fragment.
use super::{Verdict, cases, hold, same};
use async_graphql_parser::parse_query;
use async_graphql_parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql_value::Variables;
use proptest::collection::vec;
use proptest::prelude::*;
use proxbox_graphql::graphql::limits::{Limits, SchemaShape, measure, scan};
use serde_json::Value;
use std::collections::BTreeMap;

/// No limits, so that everything is counted.
const NONE: Limits = Limits {
    depth: usize::MAX,
    cost: u64::MAX,
    aliases: usize::MAX,
    root_fields: usize::MAX,
    selections: u64::MAX,
    repeats: usize::MAX,
    directives: usize::MAX,
    text_bytes: usize::MAX,
    tokens: usize::MAX,
    nesting: 60,
};

/// Fragments that a document has; they spread only those with larger numbers, so that none spreads itself.
const FRAGMENTS: usize = 5;

/// A selection set as the bytes decide; with none left it ends.
fn set(bytes: &mut std::slice::Iter<'_, u8>, depth: usize, first_fragment: usize) -> String {
    let mut text = "{ __typename ".to_owned();
    while let Some(byte) = bytes.next() {
        let name = ["name", "nodes", "proxmoxNodes", "x"][usize::from(byte / 8 % 4)];
        let directives = "@skip(if: false) ".repeat(usize::from(byte / 32 % 3));
        match byte % 8 {
            0 => break,
            1 => text += &format!("a{byte}: {name} {directives}"),
            2 | 3 if depth > 0 => text += &format!("{name} {directives}{} ", set(bytes, depth - 1, first_fragment)),
            4 if depth > 0 => text += &format!("... {directives}{} ", set(bytes, depth - 1, first_fragment)),
            5 if first_fragment < FRAGMENTS => {
                let fragment = first_fragment + usize::from(byte / 8) % (FRAGMENTS - first_fragment);
                text += &format!("...F{fragment} {directives}");
            }
            6 => text += "...Gone ",
            _ => text += &format!("{name} {directives}"),
        }
    }
    text + "}"
}

fn document(bytes: &[u8]) -> String {
    let mut bytes = bytes.iter();
    let operation = format!("query {}", set(&mut bytes, 5, 0));
    let fragments = (0..FRAGMENTS).map(|i| format!("fragment F{i} on Query {} ", set(&mut bytes, 3, i + 1)));
    fragments.fold(operation, |text, fragment| text + " " + &fragment)
}

/// The same, plainly: what there is once every fragment stands where it is spread.
#[derive(Default)]
struct Counted {
    selections: u64,
    aliases: u64,
    depth: u64,
    repeats: u64,
}

impl Counted {
    /// Counts what stands at one place; the number of its fields.
    fn place(&mut self, document: &ExecutableDocument, sets: &[&SelectionSet], depth: u64) -> u64 {
        let mut fields = BTreeMap::<String, Vec<&SelectionSet>>::new();
        for set in sets {
            self.set(document, set, depth, &mut fields);
        }
        for sets in fields.values() {
            self.repeats = self.repeats.max(sets.len() as u64);
            self.place(document, sets, depth + 1);
        }
        fields.values().map(|sets| sets.len() as u64).sum()
    }

    fn set<'a>(
        &mut self,
        document: &'a ExecutableDocument,
        set: &'a SelectionSet,
        depth: u64,
        fields: &mut BTreeMap<String, Vec<&'a SelectionSet>>,
    ) {
        for item in &set.items {
            self.selections += 1;
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    self.aliases += u64::from(field.alias.is_some());
                    if field.name.node != "__typename" {
                        self.depth = self.depth.max(depth);
                    }
                    fields.entry(field.response_key().to_string()).or_default().push(&field.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.set(document, &inline.node.selection_set.node, depth, fields),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.set(document, &fragment.node.selection_set.node, depth, fields);
                    }
                }
            }
        }
    }
}

fn check(shape: &SchemaShape, bytes: &[u8]) -> Verdict {
    let text = document(bytes);
    scan(&text, &NONE).unwrap();
    let document = parse_query(&text).unwrap();
    let (_, operation) = document.operations.iter().next().unwrap();
    let mut counted = Counted::default();
    let root_fields = counted.place(&document, &[&operation.node.selection_set.node], 1);
    let measured = measure(&document, &Variables::default(), shape, &NONE).unwrap();
    let cost = serde_json::to_value(measured.cost(&operation.node, &NONE).unwrap()).unwrap();
    let of = |name: &str| cost[name]["requested"].clone();
    let found = ["selections", "aliases", "depth", "repeats", "rootFields"].map(of);
    let Counted { selections, aliases, depth, repeats } = counted;
    same(&text, found, [selections, aliases, depth, repeats, root_fields].map(Value::from))?;
    // Under a limit of one less than there is it is refused, and under just that not.
    let limits = Limits { selections, repeats: repeats as usize, root_fields: root_fields as usize, ..NONE };
    same(
        &text,
        measure(&document, &Variables::default(), shape, &limits).map(|it| it.check(&limits).is_ok()),
        Ok(true),
    )?;
    let fewer = Limits { selections: selections - 1, ..NONE };
    same(&text, measure(&document, &Variables::default(), shape, &fewer).is_err(), true)?;
    let fewer = Limits { repeats: repeats as usize - 1, ..NONE };
    same(&text, measured.check(&fewer).is_err(), true)
}

#[test]
fn what_is_counted_is_what_there_is_with_every_fragment_expanded() {
    let shape = SchemaShape::from_sdl(include_str!("../../../schema.graphql")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        hold(cases(500), vec(any::<u8>(), 0..150), async |bytes| check(&shape, &bytes));
    });
}
