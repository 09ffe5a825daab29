//! What a deletion takes along: foreign keys are RESTRICT, so every child is removed or detached here, a change each.
use super::{Tx, change};
use crate::entity::{Kind, Resource, link_decision, tag, tag_assignment};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// Keys bound in one statement.
const CHUNK: usize = 1_000;

/// The rows whose column refers to one of these ids, by id. They are locked: what others are writing to them meanwhile
/// is in what the log says of them, and no tag is given to a row that goes.
pub(super) async fn referring<E>(tx: &Tx, column: E::Column, ids: &[i32]) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let mut rows = Vec::new();
    for ids in ids.chunks(CHUNK) {
        let mut query = E::find().filter(column.is_in(ids.iter().copied())).lock_exclusive();
        for key in E::PrimaryKey::iter() {
            query = query.order_by_asc(key.into_column());
        }
        rows.extend(query.all(tx.connection()).await?);
    }
    rows.sort_by_key(Resource::id);
    Ok(rows)
}

/// Removes rows with their tags, and what was decided about their links.
pub(super) async fn remove<E>(tx: &mut Tx, rows: &[E::Model]) -> Result<()>
where
    E: EntityTrait,
    E::Model: Resource + ModelTrait<Entity = E>,
    E::Column: FromStr,
{
    let kind = E::Model::KIND;
    let tags = tags(tx, kind, rows).await?;
    let id = column::<E>("id")?;
    for rows in rows.chunks(CHUNK) {
        let ids = rows.iter().map(Resource::id).collect::<Vec<_>>();
        tag_assignment::Entity::delete_many()
            .filter(tag_assignment::Column::ObjectType.eq(kind.table()))
            .filter(tag_assignment::Column::ObjectId.is_in(ids.clone()))
            .exec(tx.connection())
            .await?;
        if matches!(kind, Kind::Cluster | Kind::Node) {
            link_decision::Entity::delete_many()
                .filter(link_decision::Column::ObjectType.eq(kind.table()))
                .filter(link_decision::Column::ObjectId.is_in(ids.clone()))
                .exec(tx.connection())
                .await?;
        }
        E::delete_many().filter(id.is_in(ids)).exec(tx.connection()).await?;
    }
    for row in rows {
        tx.deleted(kind, row.id(), change::document(row, tags.get(&row.id()).map_or(&[], Vec::as_slice)));
    }
    Ok(())
}

/// Gives rows a later `last_updated`; returns the time of each.
pub(super) async fn stamp<E>(tx: &Tx, rows: &[E::Model]) -> Result<HashMap<i32, DateTime<Utc>>>
where
    E: EntityTrait,
    E::Model: Resource + ModelTrait<Entity = E>,
    E::Column: FromStr,
{
    let (id, last_updated) = (column::<E>("id")?, column::<E>("last_updated")?);
    // Nearly always one group: only a row from the future needs a later time than now.
    let mut by_time: BTreeMap<_, Vec<i32>> = BTreeMap::new();
    for row in rows {
        let time = match row.get(last_updated) {
            sea_orm::Value::ChronoDateTimeUtc(Some(time)) => tx.after(time),
            _ => tx.now(),
        };
        by_time.entry(time).or_default().push(row.id());
    }
    for (time, ids) in &by_time {
        for ids in ids.chunks(CHUNK) {
            E::update_many()
                .col_expr(last_updated, Expr::value(*time))
                .filter(id.is_in(ids.iter().copied()))
                .exec(tx.connection())
                .await?;
        }
    }
    Ok(by_time.into_iter().flat_map(|(time, ids)| ids.into_iter().map(move |id| (id, time))).collect())
}

/// Points a reference of these rows somewhere else, or nowhere.
pub(super) async fn refer<E>(tx: &mut Tx, rows: &[E::Model], name: &str, target: Option<i32>) -> Result<()>
where
    E: EntityTrait,
    E::Model: Resource + ModelTrait<Entity = E>,
    E::Column: FromStr,
{
    let kind = E::Model::KIND;
    let tags = tags(tx, kind, rows).await?;
    let (id, reference) = (column::<E>("id")?, column::<E>(name)?);
    let times = stamp::<E>(tx, rows).await?;
    for row in rows {
        let before = change::document(row, tags.get(&row.id()).map_or(&[], Vec::as_slice));
        let mut after = before.clone();
        after[change::reference_name(kind, name)] = target.map_or(Value::Null, |id| json!(id));
        after["last_updated"] = json!(times.get(&row.id()).copied().map(change::timestamp));
        tx.updated(kind, row.id(), before, after);
    }
    for rows in rows.chunks(CHUNK) {
        E::update_many()
            .col_expr(reference, Expr::value(target))
            .filter(id.is_in(rows.iter().map(Resource::id)))
            .exec(tx.connection())
            .await?;
    }
    Ok(())
}

fn column<E: EntityTrait>(name: &str) -> Result<E::Column>
where
    E::Column: FromStr,
{
    E::Column::from_str(name).map_err(|_| Error::Internal(format!("no column {name}")))
}

/// The slugs of the tags of these rows, in order.
pub(super) async fn tags<M: Resource>(tx: &Tx, kind: Kind, rows: &[M]) -> Result<HashMap<i32, Vec<String>>> {
    let mut found: HashMap<i32, Vec<String>> = HashMap::new();
    if !change::has_tags(kind) {
        return Ok(found);
    }
    for rows in rows.chunks(CHUNK) {
        let pairs = tag_assignment::Entity::find()
            .find_also_related(tag::Entity)
            .filter(tag_assignment::Column::ObjectType.eq(kind.table()))
            .filter(tag_assignment::Column::ObjectId.is_in(rows.iter().map(Resource::id)))
            .order_by_asc(tag::Column::Slug)
            .all(tx.connection())
            .await?;
        for (assignment, tag) in pairs {
            found.entry(assignment.object_id).or_default().extend(tag.map(|tag| tag.slug));
        }
    }
    Ok(found)
}
