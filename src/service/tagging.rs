//! Which tags an object carries.
use super::Tx;
use crate::entity::{Kind, tag, tag_assignment};
use crate::error::{Code, Error, Problem, Result};
use crate::principal::Act;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use std::collections::BTreeMap;

/// The slugs among these that no tag has.
pub(super) async fn unknown(tx: &Tx, wanted: &[String]) -> Result<Vec<Problem>> {
    let known = ids(tx, wanted.iter()).await?;
    let missing = wanted.iter().enumerate().filter(|(_, slug)| !known.contains_key(*slug));
    let problems = missing.map(|(i, slug)| {
        let slug = slug.chars().take(100).collect::<String>();
        let message = format!("there is no tag with the slug `{slug}`");
        Problem { code: Code::ReferenceNotFound, path: vec!["tags".into(), i.to_string()], message }
    });
    Ok(problems.collect())
}

async fn ids(tx: &Tx, slugs: impl Iterator<Item = &String>) -> Result<BTreeMap<String, i32>> {
    // PostgreSQL cannot even be asked for a text with NUL, which no tag has.
    let slugs = slugs.map(String::as_str).filter(|slug| !slug.contains('\0'));
    let query = tag::Entity::find().filter(tag::Column::Slug.is_in(slugs));
    Ok(query.all(tx.connection()).await?.into_iter().map(|row| (row.slug, row.id)).collect())
}

/// Gives an object these tags, by slug, instead of those it carries; tags that the writer may not view stay. Returns
/// what it carries then, in order.
pub(super) async fn replace(
    tx: &Tx,
    kind: Kind,
    object: i32,
    current: &[String],
    wanted: &[String],
) -> Result<Vec<String>> {
    let known = ids(tx, current.iter().chain(wanted)).await?;
    let (mut stay, mut gone) = (Vec::new(), Vec::new());
    for slug in current {
        let Some(id) = known.get(slug).copied() else { continue };
        if wanted.contains(slug) || !tx.in_scope(Kind::Tag, id, Act::View).await? {
            stay.push(slug.clone());
        } else {
            gone.push(id);
        }
    }
    if !gone.is_empty() {
        tag_assignment::Entity::delete_many()
            .filter(tag_assignment::Column::ObjectType.eq(kind.table()))
            .filter(tag_assignment::Column::ObjectId.eq(object))
            .filter(tag_assignment::Column::TagId.is_in(gone))
            .exec(tx.connection())
            .await?;
    }
    let new = known.iter().filter(|(slug, _)| wanted.contains(slug) && !current.contains(slug));
    let new = new.map(|(slug, id)| (slug.clone(), *id)).collect::<Vec<_>>();
    if !new.is_empty() {
        let assign = |id: i32| tag_assignment::ActiveModel {
            object_type: Set(kind.table().to_owned()),
            object_id: Set(object),
            tag_id: Set(id),
        };
        let rows = new.iter().map(|(_, id)| assign(*id)).collect::<Vec<_>>();
        let stored = tag_assignment::Entity::insert_many(rows).exec_without_returning(tx.connection()).await;
        // Somebody tagged the object, or took a tag away, at the same time.
        stored.map_err(|error| if error.sql_err().is_some() { Error::Contention } else { error.into() })?;
    }
    stay.extend(new.into_iter().map(|(slug, _)| slug));
    stay.sort();
    Ok(stay)
}
