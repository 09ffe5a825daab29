//! Writing what a run of sync found: many rows of a model at once, each with a change of its own, but for figures that
//! change all the time.
use super::write::{Row, column, store};
use super::{Tx, Writable, change, family};
use crate::entity::{Kind, Resource};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait, QueryFilter,
    Value,
};
use std::collections::{BTreeMap, HashMap};

/// Columns that change all the time: they leave `last_updated` alone, and are told in one record for all rows.
pub const VOLATILE: [&str; 3] = ["cpu_usage", "memory_usage", "metrics_at"];

/// Rows written by one statement; SQLite binds at most 32 766 values.
const CHUNK: usize = 500;

/// Makes these rows; returns them as they are stored, with their ids, in the same order.
pub async fn make<M: Writable>(tx: &mut Tx, rows: &[M]) -> Result<Vec<M>> {
    let mut made = Vec::with_capacity(rows.len());
    for rows in rows.chunks(CHUNK) {
        let new = rows.iter().map(|row| fresh(tx, row)).collect::<Result<Vec<_>>>()?;
        let stored = M::E::insert_many(new).exec_with_returning(tx.connection()).await?;
        made.extend(in_order(rows, stored)?);
    }
    for row in &made {
        tx.created(M::KIND, row.id(), change::document(row, &[]));
    }
    Ok(made)
}

fn fresh<M: Writable>(tx: &Tx, row: &M) -> Result<<M as Row>::Active> {
    let mut row = row.clone();
    for name in ["created", "last_updated"] {
        if let Ok(column) = column::<M>(name) {
            row.set(column, tx.now().into());
        }
    }
    let mut active = row.into_active_model().reset_all();
    if <<M::E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::auto_increment() {
        active.not_set(column::<M>("id")?);
    }
    Ok(active)
}

/// No database promises to return rows in the order in which they were given. Two new rows never agree in all columns but
/// an id that the database gives, since their natural keys differ.
fn in_order<M: Writable>(given: &[M], stored: Vec<M>) -> Result<Vec<M>> {
    let numbered = <<M::E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::auto_increment();
    let own = if numbered { &["id", "created", "last_updated"][..] } else { &["created", "last_updated"] };
    let key = |row: &M| {
        let columns = <M::E as EntityTrait>::Column::iter().filter(|column| !own.contains(&column.as_str()));
        format!("{:?}", columns.map(|column| row.get(column)).collect::<Vec<_>>())
    };
    let mut by_key = stored.into_iter().map(|row| (key(&row), row)).collect::<HashMap<_, _>>();
    let found = given.iter().map(|row| by_key.remove(&key(row)));
    found.collect::<Option<Vec<_>>>().ok_or_else(|| Error::Internal("a new row came back as another one".into()))
}

/// Changes these rows from what they were to what they are to be; if one is no longer what it was, somebody else was
/// faster (`Contention`). Only columns that differ are written.
pub async fn change<M: Writable>(tx: &mut Tx, rows: &[(M, M)]) -> Result<()> {
    let befores = rows.iter().map(|(before, _)| before.clone()).collect::<Vec<_>>();
    unchanged::<M>(tx, &befores).await?;
    let tags = family::tags(tx, M::KIND, &befores).await?;
    let mut alike: BTreeMap<String, (M, M, Vec<i32>)> = BTreeMap::new();
    let mut measured = 0;
    for (before, after) in rows {
        let is_lasting = is_lasting(before, after);
        let after = if is_lasting { stamped(tx, before, after)? } else { after.clone() };
        if !is_lasting {
            measured += 1;
        } else {
            let tags = tags.get(&before.id()).map_or(&[][..], Vec::as_slice);
            tx.updated(M::KIND, before.id(), change::document(before, tags), change::document(&after, tags));
        }
        let same = alike.entry(differing(before, &after)).or_insert_with(|| (before.clone(), after, Vec::new()));
        same.2.push(before.id());
    }
    for (_, (before, after, ids)) in alike {
        write(tx, &before, after, &ids).await?;
    }
    tx.measured(M::KIND, measured);
    Ok(())
}

/// Refuses to write over what somebody else wrote meanwhile. The rows are locked.
pub(super) async fn unchanged<M: Writable>(tx: &Tx, rows: &[M]) -> Result<()> {
    let key = <M::E as EntityTrait>::PrimaryKey::iter().next().map(PrimaryKeyToColumn::into_column);
    let key = key.ok_or_else(|| Error::Internal("a table without a key".into()))?;
    let ids = rows.iter().map(Resource::id).collect::<Vec<_>>();
    let stored = family::referring::<M::E>(tx, key, &ids).await?;
    let stored = stored.into_iter().map(|row| (row.id(), row)).collect::<HashMap<_, _>>();
    if rows.iter().all(|row| stored.get(&row.id()) == Some(row)) { Ok(()) } else { Err(Error::Contention) }
}

fn last_updated<M: Writable>(row: &M) -> Option<DateTime<Utc>> {
    super::last_updated(row)
}

/// Whether anything but volatile figures changed.
fn is_lasting<M: Writable>(before: &M, after: &M) -> bool {
    <M::E as EntityTrait>::Column::iter()
        .any(|column| !VOLATILE.contains(&column.as_str()) && before.get(column) != after.get(column))
}

/// The row with its time, for models that tell.
fn stamped<M: Writable>(tx: &Tx, before: &M, after: &M) -> Result<M> {
    let mut after = after.clone();
    if let Some(stored) = last_updated(before) {
        after.set(column::<M>("last_updated")?, tx.after(stored).into());
    }
    Ok(after)
}

/// What would be written, as a text to compare by: rows that change alike are written by one statement.
fn differing<M: Writable>(before: &M, after: &M) -> String {
    format!("{:?}", changed(before, after))
}

fn changed<M: Writable>(before: &M, after: &M) -> Vec<(<M::E as EntityTrait>::Column, Value)> {
    let columns = <M::E as EntityTrait>::Column::iter();
    columns
        .filter(|column| before.get(*column) != after.get(*column))
        .map(|column| (column, after.get(column)))
        .collect()
}

async fn write<M: Writable>(tx: &Tx, before: &M, after: M, ids: &[i32]) -> Result<()> {
    if let [_] = ids {
        return store(tx, before, after).await.map(drop);
    }
    let id = column::<M>("id")?;
    for ids in ids.chunks(CHUNK) {
        let mut update = M::E::update_many().filter(id.is_in(ids.iter().copied()));
        for (column, value) in changed(before, &after) {
            update = update.col_expr(column, Expr::value(value));
        }
        update.exec(tx.connection()).await?;
    }
    Ok(())
}

/// Removes these rows of which nothing depends.
pub async fn remove<M: Writable>(tx: &mut Tx, rows: &[M]) -> Result<()> {
    debug_assert!(matches!(M::KIND, Kind::Node | Kind::Storage));
    family::remove::<M::E>(tx, rows).await
}
