//! The fields that objects of both APIs share, written once.

/// An object that the REST API serves too: its struct, and the fields of `Node` and `RestResource`.
macro_rules! resource_object {
    ($(#[$attribute:meta])* $object:ident($model:ty) { $($fields:tt)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        pub struct $object(pub std::sync::Arc<$model>);

        $(#[$attribute])*
        #[async_graphql::Object]
        impl $object {
            /// Global id: the type and the REST id, e.g. `ProxmoxCluster:1`.
            pub async fn id(&self) -> async_graphql::ID {
                $crate::graphql::scalar::global_id(<$model as $crate::entity::Resource>::KIND, self.0.id)
            }

            /// REST `id`: the integer that the other API knows it by.
            pub async fn database_id(&self) -> i32 {
                self.0.id
            }

            /// REST `url`: where the other API serves it.
            pub async fn url(&self, ctx: &async_graphql::Context<'_>) -> String {
                let kind = <$model as $crate::entity::Resource>::KIND;
                $crate::graphql::session(ctx).url(kind, self.0.id)
            }

            /// REST `display`: what people read where it is named.
            pub async fn display(&self) -> String {
                $crate::entity::Resource::display(&*self.0)
            }

            $($fields)*
        }
    };
}

/// An object of the inventory: besides the fields above those of `InventoryRecord`.
macro_rules! record_object {
    ($(#[$attribute:meta])* $object:ident($model:ty) { $($fields:tt)* }) => {
        $crate::graphql::object::resource_object! {
            $(#[$attribute])*
            $object($model) {
                $($fields)*

                /// Its tags, by name.
                pub async fn tags(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> $crate::graphql::error::Result<Vec<$crate::graphql::tag::Tag>> {
                    let kind = <$model as $crate::entity::Resource>::KIND;
                    let tags = $crate::graphql::session(ctx).loaders().tags_of(kind, self.0.id).await?;
                    Ok(tags.into_iter().map($crate::graphql::tag::Tag).collect())
                }

                /// Values of NetBox's custom fields: an object, as REST has it.
                pub async fn custom_fields(&self) -> $crate::graphql::scalar::Json {
                    $crate::graphql::scalar::Json(self.0.custom_fields.0.clone())
                }

                /// When it was made.
                pub async fn created(&self) -> $crate::graphql::scalar::Time {
                    $crate::graphql::scalar::Time(self.0.created)
                }

                /// When it last changed; strictly later with every change, but untouched by volatile figures.
                pub async fn last_updated(&self) -> $crate::graphql::scalar::Time {
                    $crate::graphql::scalar::Time(self.0.last_updated)
                }
            }
        }
    };
}

/// An object of the inventory whose history can be read.
macro_rules! tracked_object {
    ($(#[$attribute:meta])* $object:ident($model:ty) { $($fields:tt)* }) => {
        $crate::graphql::object::record_object! {
            $(#[$attribute])*
            $object($model) {
                $($fields)*

                /// What changed in it, the oldest change first. Empty without the permission to view changes.
                pub async fn history(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    #[graphql(desc = "So many changes: 0–1000, 50 by default.")] first: Option<i64>,
                    #[graphql(desc = "Only changes behind this position; from the beginning without it.")]
                    after: Option<String>,
                ) -> $crate::graphql::error::Result<$crate::graphql::change::ChangeConnection> {
                    let kind = <$model as $crate::entity::Resource>::KIND;
                    $crate::graphql::change::history(ctx, kind, self.0.id, first, after).await
                }
            }
        }
    };
}

pub(crate) use {record_object, resource_object, tracked_object};
