//! Mutations of tags.
use super::delete::{DeleteInput, DeletePayload, delete};
use super::input::inputs;
use super::payload::payload;
use super::{Twin, create, update};
use crate::entity::tag;
use crate::graphql::error::Result;
use crate::graphql::tag::Tag;
use async_graphql::{Context, Object};

inputs! {
    tag::Model,
    /// A new tag.
    CreateTagInput,
    /// A change of a tag: what is absent stays, null clears.
    UpdateTagInput,
    new {}
    lock {}
    required {
        /// What people read: 1–100 characters, unique.
        name: String;
        /// The name in filters and inputs: 1–100 letters, digits, `-` and `_`, unique.
        slug: String;
    }
    optional {
        /// Six hexadecimal digits in lower case, `rrggbb`; `9e9e9e` for a new tag.
        color: String;
    }
}

payload!(TagPayload: Tag in tag);

/// Mutations of tags.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagMutation;

/// Mutations of tags.
#[Object]
impl TagMutation {
    /// Makes a tag.
    async fn create_tag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new tag.")] input: CreateTagInput,
    ) -> Result<TagPayload> {
        create(ctx, input, Twin::Refuse).await.map(TagPayload)
    }

    /// Changes a tag.
    async fn update_tag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateTagInput,
    ) -> Result<TagPayload> {
        update(ctx, input).await.map(TagPayload)
    }

    /// Deletes a tag. Its objects lose it.
    async fn delete_tag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteInput,
    ) -> Result<DeletePayload> {
        delete::<tag::Model>(ctx, input).await
    }
}
