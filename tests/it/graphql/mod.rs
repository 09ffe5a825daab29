//! The GraphQL API as its clients see it.
mod auth;
mod changes;
mod cop;
mod cost;
pub mod counts;
mod errors;
mod filters;
mod introspection;
pub mod mutations;
mod nested;
mod pages;
mod queries;
mod schema;
mod scope;
mod sync_runs;
mod told;
mod values;

use crate::support::SEED;
use serde_json::Value;

/// The seed as a document, from which expectations are worked out.
fn seed() -> Value {
    serde_json::from_str(SEED).unwrap()
}

/// The rows of a list of the seed.
fn rows<'a>(seed: &'a Value, list: &str) -> &'a Vec<Value> {
    seed[list].as_array().unwrap()
}

/// The row of a list with this id.
fn row<'a>(seed: &'a Value, list: &str, id: &Value) -> Option<&'a Value> {
    rows(seed, list).iter().find(|row| row["id"] == *id)
}

/// The REST ids of a list of objects, in its order.
#[track_caller]
fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|row| row["databaseId"].as_i64().unwrap()).collect()
}

/// `last_updated` as GraphQL writes it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}
