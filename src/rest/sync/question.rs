//! What lists of runs can be asked.
use super::super::ask::Ask;
use super::super::body::number_of;
use super::super::error::{Refusal, Result};
use super::super::filter::{not_a_choice, truth, wrong};
use crate::entity::RunState;
use crate::error::Error;
use crate::service::read::sync::RunFilter;
use sea_orm::Iterable;

/// A parameter that filters runs: its name, and one sentence about it.
pub type Filter = (&'static str, &'static str);

/// The parameters that filter runs.
pub const FILTERS: [Filter; 4] = [
    ("endpoint", "Runs of one of these endpoints, by number; they may be deleted."),
    ("endpoint_id", "The same as `endpoint`."),
    ("state", "Runs that stand or ended like one of these."),
    ("dry_run", "Only dry runs, or only real ones."),
];

/// The filter of a query. All that is wrong is told at once.
pub fn filter(ask: &Ask) -> Result<RunFilter> {
    let mut problems = Vec::new();
    let mut note = |name: &str, error: Error| match error.within(name) {
        Error::Input(found) => problems.extend(found),
        other => tracing::error!("a filter of runs: {other}"),
    };
    let mut filter = RunFilter::default();
    for name in ["endpoint", "endpoint_id"] {
        match endpoints(&given(ask, name)) {
            Ok(Some(ids)) => filter.endpoints = Some(both(filter.endpoints.take(), ids)),
            Ok(None) => {}
            Err(error) => note(name, error),
        }
    }
    let states = given(ask, "state").into_iter().map(state).collect::<Result<Vec<_>, _>>();
    match states {
        Ok(states) => filter.states = Some(states).filter(|states| !states.is_empty()),
        Err(error) => note("state", error),
    }
    match given(ask, "dry_run").last().map(|text| truth(text)).transpose() {
        Ok(dry_run) => filter.dry_run = dry_run,
        Err(error) => note("dry_run", error),
    }
    if problems.is_empty() { Ok(filter) } else { Err(Refusal::from(Error::Input(problems))) }
}

/// The values of a parameter that say something.
fn given<'a>(ask: &'a Ask, name: &str) -> Vec<&'a str> {
    ask.query.all(name).into_iter().map(str::trim).filter(|value| !value.is_empty()).collect()
}

/// Numbers of endpoints. One that is not there finds nothing, and is not wrong: runs stay when their endpoint goes. No
/// endpoint has the number 0, nor one past 32 bits, and no run is without one (`null`).
fn endpoints(values: &[&str]) -> Result<Option<Vec<i32>>, Error> {
    let id = |value: &&str| match *value {
        "null" => Some(0),
        value => number_of(value).map(|id| i32::try_from(id).unwrap_or(0)),
    };
    let ids = values.iter().map(id).collect::<Option<Vec<_>>>();
    let ids = ids.ok_or_else(|| wrong("Select a valid choice. That choice is not one of the available choices."))?;
    Ok(Some(ids).filter(|ids| !ids.is_empty()))
}

/// What fits both of two lists, where one may not be given.
fn both(one: Option<Vec<i32>>, other: Vec<i32>) -> Vec<i32> {
    match one {
        Some(one) => other.into_iter().filter(|id| one.contains(id)).collect(),
        None => other,
    }
}

fn state(value: &str) -> Result<RunState, Error> {
    RunState::iter().find(|state| state.value() == value).ok_or_else(|| not_a_choice(value))
}
