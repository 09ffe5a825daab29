//! Tags.
use super::connection::{Connection, Item, connection};
use super::error::Result;
use super::filter::NoFilter;
use super::loader::{KindLoaders, Loaders};
use super::object::resource_object;
use super::order::NoOrder;
use crate::entity::tag;
use crate::page::PageArgs;
use async_graphql::{Context, Object};
use std::sync::Arc;

resource_object! {
    /// A label, as NetBox knows it.
    Tag(tag::Model) {
        /// What people read.
        async fn name(&self) -> &str {
            &self.0.name
        }

        /// The name in filters and inputs: letters, digits, `-` and `_`.
        async fn slug(&self) -> &str {
            &self.0.slug
        }

        /// Six hexadecimal digits, `rrggbb`.
        async fn color(&self) -> &str {
            &self.0.color
        }
    }
}

impl Item for Tag {
    type Entity = tag::Entity;
    type Model = tag::Model;
    type Filter = NoFilter;
    type Order = NoOrder;

    fn new(row: Arc<tag::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<tag::Entity> {
        &loaders.tags
    }
}

/// Queries for tags.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagQuery;

/// Queries for tags.
#[Object]
impl TagQuery {
    /// All tags, by name.
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many rows from the start, or behind `after`: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many rows from the end, or before `before`: 0–1000; not with `first`.")] last: Option<i64>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Leave out so many rows at the start; not with a cursor or `last`.")] offset: Option<i64>,
    ) -> Result<Connection<Tag>> {
        connection(ctx, None, None, None, PageArgs { first, after, last, before, offset })
    }
}
