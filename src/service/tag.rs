//! Tags.
use super::{Tx, change, family};
use crate::entity::{Resource, cluster, endpoint, node, storage, tag, tag_assignment};
use crate::error::{Error, Result};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, ModelTrait, QueryFilter};
use serde_json::json;
use std::str::FromStr;

/// Removes a tag, from its objects too; each of them gets its change.
pub async fn delete(tx: &mut Tx, id: i32) -> Result<()> {
    let row = tag::Entity::find_by_id(id).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no tag {id}")))?;
    untag::<endpoint::Entity>(tx, &row).await?;
    untag::<cluster::Entity>(tx, &row).await?;
    untag::<node::Entity>(tx, &row).await?;
    untag::<storage::Entity>(tx, &row).await?;
    family::remove::<tag::Entity>(tx, &[row]).await
}

async fn untag<E>(tx: &mut Tx, tag: &tag::Model) -> Result<()>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult + ModelTrait<Entity = E>,
    E::Column: FromStr,
{
    let kind = E::Model::KIND;
    let of_tag = tag_assignment::Column::ObjectType.eq(kind.table()).and(tag_assignment::Column::TagId.eq(tag.id));
    let assigned = tag_assignment::Entity::find().filter(of_tag.clone()).all(tx.connection()).await?;
    let ids = assigned.iter().map(|row| row.object_id).collect::<Vec<_>>();
    let Ok(id) = E::Column::from_str("id") else { return Ok(()) };
    let rows = family::referring::<E>(tx, id, &ids).await?;
    let tags = family::tags(tx, kind, &rows).await?;
    let times = family::stamp::<E>(tx, &rows).await?;
    for row in &rows {
        let before = change::document(row, tags.get(&row.id()).map_or(&[], Vec::as_slice));
        let mut after = before.clone();
        let left = tags.get(&row.id()).into_iter().flatten().filter(|slug| **slug != tag.slug);
        after["tags"] = json!(left.collect::<Vec<_>>());
        after["last_updated"] = json!(times.get(&row.id()).copied().map(change::timestamp));
        tx.updated(kind, row.id(), before, after);
    }
    tag_assignment::Entity::delete_many().filter(of_tag).exec(tx.connection()).await?;
    Ok(())
}
