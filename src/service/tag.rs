//! Tags.
use super::{Fields, Given, Tx, Writable, change, family, rules};
use crate::entity::{Resource, cluster, endpoint, node, storage, tag, tag_assignment};
use crate::error::{Code, Problem, Result};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, ModelTrait, QueryFilter};
use serde_json::json;
use std::str::FromStr;

/// What a client gives of a tag.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub name: Given<String>,
    pub slug: Given<String>,
    pub color: Given<String>,
}

impl Writable for tag::Model {
    type Patch = Patch;

    fn blank(_: DateTime<Utc>) -> Self {
        // NetBox's default colour.
        Self { id: 0, name: String::new(), slug: String::new(), color: "9e9e9e".into() }
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        fields.require("name", &patch.name);
        fields.require("slug", &patch.slug);
        fields.filled("name", &patch.name, &mut self.name);
        fields.ruled("slug", &patch.slug, rules::slug, &mut self.slug);
        fields.ruled("color", &patch.color, rules::color, &mut self.color);
    }

    fn conflict(index: &str) -> Problem {
        let field = if index.contains("slug") { "slug" } else { "name" };
        Problem::new(Code::Conflict, field, format!("tag with this {field} already exists."))
    }

    /// Its objects lose it; each of them gets its change.
    async fn remove(self, tx: &mut Tx) -> Result<()> {
        untag::<endpoint::Entity>(tx, &self).await?;
        untag::<cluster::Entity>(tx, &self).await?;
        untag::<node::Entity>(tx, &self).await?;
        untag::<storage::Entity>(tx, &self).await?;
        family::remove::<tag::Entity>(tx, &[self]).await
    }
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
