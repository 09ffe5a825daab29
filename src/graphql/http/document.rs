//! The document of a request: parsing, and what must hold of its operation before execution.
use std::collections::HashSet;

use async_graphql_parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use async_graphql_parser::{Error as ParseError, Positioned, parse_query};
use axum::http::Method;

use super::super::limits::{Limits, scan};
use super::super::report::coded;
use super::answer::Refused;

pub(super) fn parse(query: &str, limits: &Limits) -> Result<ExecutableDocument, Refused> {
    scan(query, limits)?;
    parse_query(query).map_err(|error| {
        let (code, message) = match &error {
            // The text shows the line, too, which may be all of the document.
            ParseError::Syntax { message, .. } => {
                let reason = message.rsplit_once("\n  = ").map_or(message.as_str(), |(_, reason)| reason);
                ("GRAPHQL_PARSE_FAILED", format!("Syntax error: {reason}."))
            }
            ParseError::RecursionLimitExceeded => {
                ("QUERY_TOO_DEEP", "The query's selections are nested too deeply.".to_owned())
            }
            ParseError::MissingOperation => {
                ("OPERATION_RESOLUTION_FAILURE", "The document has no operation.".to_owned())
            }
            // Well-formed, but with names that clash.
            other => ("GRAPHQL_VALIDATION_FAILED", format!("Invalid document: {other}.")),
        };
        let mut refused = coded(code, message, None);
        refused.locations = error.positions().collect();
        Refused::request(vec![refused])
    })
}

/// The operation to execute.
pub(super) fn select<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Refused> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next(),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        _ => None,
    };
    operation.map(|operation| &operation.node).ok_or_else(|| {
        Refused::operation(match name {
            None => "The document has several operations: name one of them in `operationName`.",
            Some(_) => "The document has no operation of the name in `operationName`.",
        })
    })
}

/// Only queries may be sent by GET: a link must not change anything.
pub(super) fn permit(ty: OperationType, method: &Method) -> Result<(), Refused> {
    match (ty, method) {
        (OperationType::Query, _) => Ok(()),
        (_, &Method::GET) => Err(Refused::method("POST", "Only queries can be sent by GET: use POST.")),
        (OperationType::Mutation, _) => Ok(()),
        (OperationType::Subscription, _) => {
            Err(Refused::operation("Subscriptions are not available over plain HTTP requests."))
        }
    }
}

/// Refuses a mutation that selects a field twice under one name. The specification
/// merges such selections, but the library executes each.
pub(super) fn select_once(document: &ExecutableDocument, operation: &OperationDefinition) -> Result<(), Refused> {
    let (mut keys, mut spreads) = (HashSet::new(), HashSet::new());
    let mut sets = vec![&operation.selection_set.node];
    while let Some(set) = sets.pop() {
        for Positioned { pos, node } in &set.items {
            let (new, name) = match node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    (field.node.name.node == "__typename" || keys.insert(key), key)
                }
                Selection::InlineFragment(inline) => {
                    sets.push(&inline.node.selection_set.node);
                    continue;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let new = spreads.insert(name);
                    if let Some(fragment) = document.fragments.get(name).filter(|_| new) {
                        sets.push(&fragment.node.selection_set.node);
                    }
                    (new, name.as_str())
                }
            };
            if !new {
                let message = format!(
                    "\"{name}\" is selected more than once at the root of the mutation. Select it once, or use aliases to execute it several times."
                );
                return Err(Refused::request(vec![coded("GRAPHQL_VALIDATION_FAILED", message, Some(*pos))]));
            }
        }
    }
    Ok(())
}
