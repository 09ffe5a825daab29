//! What a document amounts to, against the limits.

use async_graphql_parser::Pos;
use async_graphql_parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql_value::Variables;
use serde::Serialize;

use super::fragments::{Fragments, expanded_selections};
use super::repeats::{most_directives, most_repeated};
use super::shape::SchemaShape;
use super::walk::{Totals, operation_totals};
use super::{Depth, INTROSPECTION_COST, INTROSPECTION_DEPTH, INTROSPECTION_LISTS, Limits, Measure, Refusal};

/// What a document amounts to.
#[derive(Debug)]
pub struct Measured {
    /// Of all operations together.
    selections: u64,
    directives: u64,
    operations: Vec<Operation>,
}

#[derive(Debug)]
struct Operation {
    /// Where its selections begin, by which it is known.
    pos: Pos,
    repeats: u64,
    totals: Totals,
}

/// Measures every operation of a parsed document, in time linear in the document and in its limited selections.
///
/// # Errors
/// More selections than the limit allows, which bounds the work of the rest.
pub fn measure(
    document: &ExecutableDocument,
    variables: &Variables,
    shape: &SchemaShape,
    limits: &Limits,
) -> Result<Measured, Refusal> {
    let fragments = Fragments::of(document);
    let mut operations: Vec<_> = document.operations.iter().map(|(_, operation)| operation).collect();
    // Named operations come from a hash map; the answer should not depend on its order.
    operations.sort_by_key(|operation| operation.pos);

    let expanded = expanded_selections(document, &operations, &fragments);
    let selections = expanded.iter().fold(0, |sum: u64, one| sum.saturating_add(*one));
    at_most(Measure::Selections, selections, limits.selections)?;
    let measured = operations.into_iter().zip(expanded).map(|(operation, selections)| {
        let set = &operation.node.selection_set;
        Operation {
            pos: set.pos,
            repeats: most_repeated(document, &set.node, selections),
            totals: operation_totals(document, &operation.node, &fragments, variables, shape),
        }
    });
    Ok(Measured { selections, directives: most_directives(document) as u64, operations: measured.collect() })
}

impl Measured {
    /// Whether an operation asks for the schema.
    pub fn introspects(&self) -> bool {
        self.operations.iter().any(|operation| operation.totals.meta_depth > 0)
    }

    /// # Errors
    /// The first limit passed.
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        at_most(Measure::Directives, self.directives, limits.directives as u64)?;
        for Operation { repeats, totals, .. } in &self.operations {
            at_most(Measure::Repeats, *repeats, limits.repeats as u64)?;
            if totals.aliases > limits.aliases as u64 {
                return Err(Refusal::TooManyAliases { actual: totals.aliases, limit: limits.aliases });
            }
            at_most(Measure::RootFields, totals.fields, limits.root_fields as u64)?;
            for (what, actual, limit) in [
                (Depth::Data, totals.depth, limits.depth),
                (Depth::Introspection, totals.meta_depth, INTROSPECTION_DEPTH),
                (Depth::IntrospectionLists, totals.meta_lists, INTROSPECTION_LISTS),
            ] {
                if actual > limit {
                    return Err(Refusal::TooDeep { what, actual: Some(actual), limit });
                }
            }
            at_most(Measure::Cost, totals.cost, limits.cost)?;
            at_most(Measure::IntrospectionCost, totals.meta_cost, INTROSPECTION_COST)?;
        }
        Ok(())
    }

    /// What an operation of the document costs, for its client.
    pub fn cost(&self, operation: &OperationDefinition, limits: &Limits) -> Option<Cost> {
        let Operation { repeats, totals, .. } =
            self.operations.iter().find(|one| one.pos == operation.selection_set.pos)?;
        let share = |requested: u64, limit: usize| Share { requested, limit: limit as u64 };
        Some(Cost {
            cost: Share { requested: totals.cost, limit: limits.cost },
            introspection: Share { requested: totals.meta_cost, limit: INTROSPECTION_COST },
            depth: share(totals.depth as u64, limits.depth),
            aliases: share(totals.aliases, limits.aliases),
            root_fields: share(totals.fields, limits.root_fields),
            selections: Share { requested: self.selections, limit: limits.selections },
            repeats: share(*repeats, limits.repeats),
            directives: share(self.directives, limits.directives),
        })
    }
}

fn at_most(what: Measure, actual: u64, limit: u64) -> Result<(), Refusal> {
    if actual <= limit {
        return Ok(());
    }
    // A saturated sum is no number to show.
    let actual = Some(actual).filter(|actual| *actual != u64::MAX);
    Err(Refusal::TooComplex { what, actual, limit })
}

/// What an operation costs, as `extensions.cost` tells it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    #[serde(flatten)]
    cost: Share,
    introspection: Share,
    depth: Share,
    aliases: Share,
    root_fields: Share,
    selections: Share,
    repeats: Share,
    directives: Share,
}

/// How much is asked for, and how much may be.
#[derive(Clone, Copy, Debug, Serialize)]
struct Share {
    requested: u64,
    limit: u64,
}
