//! Mutations of tags.
use super::fields::mutations;
use super::input::inputs;
use super::payload::payload;
use crate::entity::tag;
use crate::graphql::tag::Tag;

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

mutations! {
    /// Mutations of tags.
    TagMutation on tag::Model: CreateTagInput, UpdateTagInput -> TagPayload {
        /// Makes a tag.
        create_tag;
        /// Changes a tag.
        update_tag;
        /// Deletes a tag. Its objects lose it.
        delete_tag;
    }
}
