//! Several operations on rows of one model in one transaction; a single one is a batch of one.
use super::tx::Savepoint;
use super::{Tx, Writable, create, delete, refuse, update, upsert};
use crate::entity::{Action, Kind};
use crate::error::{Error, Problem, Result};
use crate::principal::Act;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};

/// What to do with one row.
#[derive(Clone, Debug)]
pub enum Operation<P> {
    Create(P),
    Upsert(P),
    Update {
        id: i32,
        if_last_updated: Option<DateTime<Utc>>,
        patch: P,
    },
    Delete {
        id: i32,
        if_last_updated: Option<DateTime<Utc>>,
    },
    /// The door could not read it; told in its place, to those who may do one of these.
    Unreadable(&'static [Act], Vec<Problem>),
    /// The door could not read some of its fields: it is never done, but what else is wrong with it is told too.
    Partial(Box<Self>, Vec<Problem>),
}

/// What becomes of the others when one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is changed at all. All are tried, so that everything wrong is told at once.
    AllOrNothing,
    /// The others stay.
    BestEffort,
}

/// What a successful operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub id: i32,
    /// Whether the row is new.
    pub created: bool,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of the operations.
    pub results: Vec<Result<Done>>,
    /// What went with the deleted rows or was detached from them, by kind; not these rows themselves.
    pub effects: Vec<Effect>,
    /// Whether what was done is to stay; else every row is as it was.
    pub stays: bool,
}

/// Rows of one kind that a deletion touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    pub kind: Kind,
    pub deleted: usize,
    /// Still there, but without their reference.
    pub detached: usize,
}

impl Outcome {
    /// How many operations failed.
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| result.is_err()).count()
    }
}

/// Runs the operations in order. What concerns the caller's input stands in the results; an error means that nothing
/// may be committed.
pub async fn run<M: Writable>(tx: &mut Tx, operations: &[Operation<M::Patch>], mode: Mode) -> Result<Outcome> {
    if operations.len() > 1 {
        tx.take_turn(M::KIND).await?;
    }
    let noted = tx.noted();
    let mut outcome = Outcome::default();
    for operation in operations {
        let result = match operations {
            [_] => one::<M>(tx, operation).await,
            _ => apart::<M>(tx, operation).await?,
        };
        match result {
            Err(error) if !error.is_the_callers() => return Err(error),
            result => outcome.results.push(result),
        }
    }
    let deleted = operations.iter().filter_map(|operation| match operation {
        Operation::Delete { id, .. } => Some(*id),
        _ => None,
    });
    outcome.stays = outcome.failed() == 0 || (mode == Mode::BestEffort && operations.len() > 1);
    if outcome.stays {
        outcome.effects = effects(tx, noted, M::KIND, &deleted.collect());
    }
    Ok(outcome)
}

/// One of several: what it did is undone when it fails.
async fn apart<M: Writable>(tx: &mut Tx, operation: &Operation<M::Patch>) -> Result<Result<Done>> {
    let mark = tx.savepoint(Savepoint::Operation).await?;
    let result = one::<M>(tx, operation).await;
    match &result {
        Ok(_) => tx.release(mark).await?,
        // A transaction that met others is at its end: the savepoint may be gone.
        Err(error) if error.is_the_callers() => tx.roll_back_to(mark).await?,
        Err(_) => {}
    }
    Ok(result)
}

async fn one<M: Writable>(tx: &mut Tx, operation: &Operation<M::Patch>) -> Result<Done> {
    match operation {
        Operation::Create(patch) => Ok(Done { id: create::<M>(tx, patch).await?.id(), created: true }),
        Operation::Upsert(patch) => {
            let (row, created) = upsert::<M>(tx, patch).await?;
            Ok(Done { id: row.id(), created })
        }
        Operation::Update { id, if_last_updated, patch } => {
            update::<M>(tx, *id, *if_last_updated, patch).await?;
            Ok(Done { id: *id, created: false })
        }
        Operation::Delete { id, if_last_updated } => {
            delete::<M>(tx, *id, *if_last_updated).await?;
            Ok(Done { id: *id, created: false })
        }
        Operation::Unreadable(acts, problems) => {
            tx.must_may_one(M::KIND, acts)?;
            Err(Error::Input(problems.clone()))
        }
        Operation::Partial(operation, problems) => Err(refuse::<M>(tx, operation, problems.clone()).await),
    }
}

/// What happened to other rows than those that were to be deleted. A row that was detached first and went then counts
/// as deleted only.
fn effects(tx: &Tx, noted: usize, kind: Kind, asked: &HashSet<i32>) -> Vec<Effect> {
    if asked.is_empty() {
        return Vec::new();
    }
    let mut touched: BTreeMap<(Kind, i32), Action> = BTreeMap::new();
    for (table, id, action) in tx.noted_since(noted) {
        let Some(touched_kind) = Kind::ALL.into_iter().find(|kind| kind.table() == table) else { continue };
        if touched_kind != kind || !asked.contains(&id) {
            let entry = touched.entry((touched_kind, id)).or_insert(action);
            if action == Action::Deleted {
                *entry = action;
            }
        }
    }
    let of = |kind: Kind| {
        let count = |deleted: bool| {
            touched.iter().filter(|((of, _), action)| *of == kind && (**action == Action::Deleted) == deleted).count()
        };
        Effect { kind, deleted: count(true), detached: count(false) }
    };
    Kind::ALL.into_iter().map(of).filter(|effect| effect.deleted + effect.detached > 0).collect()
}
