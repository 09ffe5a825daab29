//! Writing what NetBox told of its clusters and devices, and what complete sweeps lacked.
use super::answer::Mirrored;
use crate::db::Db;
use crate::entity::{Origin, Resource};
use crate::error::Result;
use crate::service::write::column;
use crate::service::{Tx, Writable, generation};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Complete sweeps in a row that must lack an object before it counts as deleted: permissions filter NetBox's lists
/// without a word, so that one proves nothing.
pub const SWEEPS: i32 = 2;
/// The most percent of the objects of a kind that may count as deleted without the operator's word.
pub const MOST_DELETED: usize = 30;

/// What became of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Objects that NetBox told of.
    pub seen: usize,
    pub created: usize,
    pub changed: usize,
    /// What cannot be kept, and why.
    pub odd: Vec<String>,
}

/// Keeps what NetBox told: new rows are made, others follow. References that were made by hand become mirrored ones.
pub async fn keep<M: Mirrored>(tx: &mut Tx, answers: &[M::Answer]) -> Result<Kept> {
    let mut kept = Kept { seen: answers.len(), ..Kept::default() };
    let mut told = BTreeMap::new();
    for answer in answers {
        match M::told(answer) {
            Ok(row) => drop(told.insert(row.id(), row)),
            Err(problem) => {
                let (id, field) = (M::id_of(answer), problem.path.join("."));
                kept.odd.push(format!("{} {id}: {field}: {}", M::KIND, problem.message));
            }
        }
    }
    let ids = told.keys().copied().collect::<Vec<_>>();
    // Two may be told of the same new object at the same time.
    tx.take_turn(M::KIND).await?;
    // Not locked: nearly all of them stay as they are, and those that change are looked at again.
    let stored = M::E::find().filter(column::<M>("id")?.is_in(ids)).all(tx.connection()).await?;
    let mut stored = stored.into_iter().map(|row| (row.id(), row)).collect::<HashMap<_, _>>();
    let (mut new, mut pairs) = (Vec::new(), Vec::new());
    for (id, row) in told {
        match stored.remove(&id) {
            None => new.push(row),
            Some(before) if before != row => pairs.push((before, row)),
            Some(_) => {}
        }
    }
    (kept.created, kept.changed) = (new.len(), pairs.len());
    generation::make(tx, &new).await?;
    generation::change(tx, &pairs).await?;
    Ok(kept)
}

/// What a complete sweep means for the rows.
#[derive(Debug)]
pub struct Absences<M> {
    /// Rows before and after: those that are missing now, or there again.
    pub marks: Vec<(M, M)>,
    /// Rows that count as deleted.
    pub gone: Vec<M>,
    /// How many rows are missing and not gone yet.
    pub missing: usize,
    /// How many count as deleted, and stay until the operator says so.
    pub held: usize,
    /// References made by hand that NetBox does not show. They stay.
    pub unknown: Vec<i32>,
}

/// What becomes of the rows of a kind when a complete sweep saw these ids. `now` is when it began.
pub fn absences<M: Mirrored>(
    rows: Vec<M>,
    seen: &HashSet<i32>,
    now: chrono::DateTime<chrono::Utc>,
    delete_many: bool,
) -> Absences<M> {
    let mut found = Absences { marks: Vec::new(), gone: Vec::new(), missing: 0, held: 0, unknown: Vec::new() };
    let mirrored = rows.iter().filter(|row| row.origin() == Origin::Netbox).count();
    let mut gone = Vec::new();
    for before in rows {
        let is_seen = seen.contains(&before.id());
        match before.origin() {
            Origin::Local => continue,
            Origin::Manual if !is_seen => found.unknown.push(before.id()),
            Origin::Manual | Origin::Netbox => {}
        }
        if before.origin() == Origin::Manual {
            continue;
        }
        let mut after = before.clone();
        let (since, missed) = after.absence();
        if is_seen {
            (*since, *missed) = (None, 0);
        } else {
            since.get_or_insert(now);
            *missed = (*missed + 1).min(SWEEPS);
            if *missed >= SWEEPS {
                gone.push((before, after));
                continue;
            }
            found.missing += 1;
        }
        if before != after {
            found.marks.push((before, after));
        }
    }
    if gone.len() * 100 > mirrored * MOST_DELETED && !delete_many {
        found.held = gone.len();
        found.marks.extend(gone.into_iter().filter(|(before, after)| before != after));
    } else {
        found.gone = gone.into_iter().map(|(before, _)| before).collect();
    }
    found
}

/// Writes what a complete sweep means. Rows that changed meanwhile are met (`Contention`).
pub async fn mark<M: Mirrored>(tx: &mut Tx, found: &Absences<M>) -> Result<()> {
    generation::change(tx, &found.marks).await?;
    if found.gone.is_empty() {
        return Ok(());
    }
    generation::unchanged(tx, &found.gone).await?;
    M::remove_all(tx, &found.gone).await
}

/// All rows of a kind.
pub async fn rows<M: Mirrored>(db: &Db) -> Result<Vec<M>> {
    Ok(M::E::find().all(&db.read).await?)
}

/// Of these ids, those of which there is no row.
pub async fn unknown<M: Writable>(db: &Db, ids: &[i32]) -> Result<Vec<i32>> {
    let mut missing = Vec::new();
    for ids in ids.chunks(1_000) {
        let found = M::E::find().filter(column::<M>("id")?.is_in(ids.iter().copied())).all(&db.read).await?;
        let found = found.iter().map(Resource::id).collect::<HashSet<_>>();
        missing.extend(ids.iter().filter(|id| !found.contains(id)));
    }
    Ok(missing)
}

/// Whether one of these rows is mirrored.
pub async fn are_mirrored<M: Writable>(db: &Db, ids: &[i32]) -> Result<bool> {
    for ids in ids.chunks(1_000) {
        let rows = M::E::find().filter(column::<M>("id")?.is_in(ids.iter().copied()));
        if rows.filter(column::<M>("origin")?.eq(Origin::Netbox)).count(&db.read).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
