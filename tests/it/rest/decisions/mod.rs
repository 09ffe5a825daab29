//! Where this API is on purpose not what the plugin does, or more: there are no recordings of that.
mod addresses;
mod bodies;
mod endpoints;
mod etags;
mod ignored;
mod lists;
mod metadata;
mod references;
mod roundtrips;
mod upserts;

use crate::support::SEED;
use serde_json::Value;

/// The seed as a document, from which expectations are worked out.
fn seed() -> Value {
    serde_json::from_str(SEED).unwrap()
}

/// The ids of a list of the seed of which this holds, sorted.
fn ids_where(list: &str, holds: impl Fn(&Value) -> bool) -> Vec<i64> {
    let seed = seed();
    let rows = seed[list].as_array().unwrap().iter().filter(|row| holds(row));
    let mut ids = rows.map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>();
    ids.sort_unstable();
    ids
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids
}
