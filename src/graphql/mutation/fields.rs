//! The mutations that models have, written once.

/// Make, change and delete one object.
macro_rules! mutations {
    (
        $(#[$holder_attribute:meta])*
        $holder:ident on $model:ty: $create_input:ident, $update_input:ident -> $payload:ident {
            $(#[$create_attribute:meta])* $create:ident;
            $(#[$update_attribute:meta])* $update:ident;
            $(#[$delete_attribute:meta])* $delete:ident;
        }
    ) => {
        $(#[$holder_attribute])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $holder;

        $(#[$holder_attribute])*
        #[async_graphql::Object]
        impl $holder {
            $(#[$create_attribute])*
            async fn $create(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "The new object.")] input: $create_input,
            ) -> $crate::graphql::error::Result<$payload> {
                use $crate::graphql::mutation::{Twin, create};
                create(ctx, input, Twin::Refuse).await.map($payload)
            }

            $(#[$update_attribute])*
            async fn $update(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "Which object, and what changes.")] input: $update_input,
            ) -> $crate::graphql::error::Result<$payload> {
                $crate::graphql::mutation::update(ctx, input).await.map($payload)
            }

            $(#[$delete_attribute])*
            async fn $delete(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "Which object.")] input: $crate::graphql::mutation::delete::DeleteInput,
            ) -> $crate::graphql::error::Result<$crate::graphql::mutation::delete::DeletePayload> {
                $crate::graphql::mutation::delete::delete::<$model>(ctx, input).await
            }
        }
    };
}

/// What models with a natural key have besides: upserts, and several objects at once.
macro_rules! bulk_mutations {
    (
        $(#[$holder_attribute:meta])*
        $holder:ident on $model:ty: $create_input:ident, $update_input:ident -> $payload:ident, $bulk_payload:ident;
        $(#[$creates_attribute:meta])* $creates_input:ident,
        $(#[$updates_attribute:meta])* $updates_input:ident {
            $(#[$upsert_attribute:meta])* $upsert:ident;
            $(#[$create_all_attribute:meta])* $create_all:ident;
            $(#[$upsert_all_attribute:meta])* $upsert_all:ident;
            $(#[$update_all_attribute:meta])* $update_all:ident;
            $(#[$delete_all_attribute:meta])* $delete_all:ident;
        }
    ) => {
        $(#[$creates_attribute])*
        #[derive(async_graphql::InputObject)]
        pub struct $creates_input {
            /// The objects, in their order; at most 1000.
            items: Vec<$create_input>,
            /// What becomes of the others when one fails.
            #[graphql(default_with = "Some(crate::graphql::mutation::payload::BulkMode::AllOrNothing)")]
            mode: Option<$crate::graphql::mutation::payload::BulkMode>,
            /// Comes back in the payload, for the client's own use.
            client_mutation_id: Option<String>,
        }

        $(#[$updates_attribute])*
        #[derive(async_graphql::InputObject)]
        pub struct $updates_input {
            /// The changes, in their order; at most 1000.
            items: Vec<$update_input>,
            /// What becomes of the others when one fails.
            #[graphql(default_with = "Some(crate::graphql::mutation::payload::BulkMode::AllOrNothing)")]
            mode: Option<$crate::graphql::mutation::payload::BulkMode>,
            /// Comes back in the payload, for the client's own use.
            client_mutation_id: Option<String>,
        }

        $(#[$holder_attribute])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $holder;

        $(#[$holder_attribute])*
        #[async_graphql::Object]
        impl $holder {
            $(#[$upsert_attribute])*
            async fn $upsert(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "The object as it shall be.")] input: $create_input,
            ) -> $crate::graphql::error::Result<$payload> {
                use $crate::graphql::mutation::{Twin, create};
                create(ctx, input, Twin::Update).await.map($payload)
            }

            $(#[$create_all_attribute])*
            async fn $create_all(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "The new objects.")] input: $creates_input,
            ) -> $crate::graphql::error::Result<$bulk_payload> {
                use $crate::graphql::mutation::{Twin, create_all};
                let $creates_input { items, mode, client_mutation_id } = input;
                create_all(ctx, items, Twin::Refuse, mode, client_mutation_id).await.map($bulk_payload)
            }

            $(#[$upsert_all_attribute])*
            async fn $upsert_all(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "The objects as they shall be.")] input: $creates_input,
            ) -> $crate::graphql::error::Result<$bulk_payload> {
                use $crate::graphql::mutation::{Twin, create_all};
                let $creates_input { items, mode, client_mutation_id } = input;
                create_all(ctx, items, Twin::Update, mode, client_mutation_id).await.map($bulk_payload)
            }

            $(#[$update_all_attribute])*
            async fn $update_all(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "Which objects, and what changes.")] input: $updates_input,
            ) -> $crate::graphql::error::Result<$bulk_payload> {
                let $updates_input { items, mode, client_mutation_id } = input;
                $crate::graphql::mutation::update_all(ctx, items, mode, client_mutation_id).await.map($bulk_payload)
            }

            $(#[$delete_all_attribute])*
            async fn $delete_all(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "Which objects.")] input: $crate::graphql::mutation::delete::DeleteManyInput,
            ) -> $crate::graphql::error::Result<$crate::graphql::mutation::delete::DeleteBulkPayload> {
                $crate::graphql::mutation::delete::delete_all::<$model>(ctx, input).await
            }
        }
    };
}

pub(super) use {bulk_mutations, mutations};
