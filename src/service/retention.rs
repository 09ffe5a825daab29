//! How long the change log is kept. The oldest changes go first and in order, so that one position tells what is gone.
use super::Tx;
use crate::entity::change::{Column, Entity, Position};
use crate::entity::setting;
use crate::error::Result;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

const PRUNED: &str = "changes_pruned_to";

/// The last change that is gone; none while all are there.
pub async fn pruned_to(connection: &impl ConnectionTrait) -> Result<Option<Position>> {
    let row = setting::Entity::find_by_id(PRUNED).one(connection).await?;
    Ok(row.and_then(|row| row.value.parse().ok()))
}

/// Removes the oldest changes from before a time, at most so many; returns how many. This is no change itself.
pub async fn prune(tx: &Tx, before: DateTime<Utc>, most: u64) -> Result<u64> {
    let oldest = Entity::find()
        .select_only()
        .columns([Column::Revision, Column::Ordinal, Column::At])
        .order_by_asc(Column::Revision)
        .order_by_asc(Column::Ordinal)
        .limit(most)
        .into_tuple::<(i64, i32, DateTime<Utc>)>()
        .all(tx.connection())
        .await?;
    // Clocks of several servers differ: a younger change keeps those behind it a little longer.
    let Some((revision, ordinal, _)) = oldest.into_iter().take_while(|(.., at)| *at < before).last() else {
        return Ok(0);
    };
    let same = Column::Revision.eq(revision).and(Column::Ordinal.lte(ordinal));
    let gone = Condition::any().add(Column::Revision.lt(revision)).add(same);
    let removed = Entity::delete_many().filter(gone).exec(tx.connection()).await?.rows_affected;
    let position = Position { revision, ordinal }.to_string();
    let row = setting::ActiveModel { name: Set(PRUNED.to_owned()), value: Set(position) };
    let replace = OnConflict::column(setting::Column::Name).update_column(setting::Column::Value).to_owned();
    setting::Entity::insert(row).on_conflict(replace).exec_without_returning(tx.connection()).await?;
    Ok(removed)
}
