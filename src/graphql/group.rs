//! Groups: what rows are grouped by, and how the key of a group is told.
use crate::entity::Scalar;
use crate::service::read::GroupKey;
use serde_json::{Value, json};

/// A key as clients see it: its name in camelCase, and its values as GraphQL has them.
pub trait NamedKey: Copy + Into<GroupKey> {
    /// The field's name.
    fn name(self) -> &'static str;
}

/// `{"storageType": "dir"}`: only the parts that were asked for. Enums by name, relations by REST id.
pub fn key_document<K: NamedKey>(by: &[K], values: &[Option<Scalar>]) -> Value {
    let part = |(key, value): (&K, &Option<Scalar>)| {
        let value = match value {
            None => Value::Null,
            Some(Scalar::Bool(value)) => json!(value),
            Some(Scalar::Int(value)) => json!(value),
            Some(Scalar::Float(value)) => json!(value),
            Some(Scalar::Text(value)) if key.name() == "mode" => json!(value.to_uppercase()),
            Some(Scalar::Text(value)) => json!(value),
            Some(Scalar::Time(value)) => json!(value),
        };
        (key.name().to_owned(), value)
    };
    Value::Object(by.iter().zip(values).map(part).collect())
}

/// The id that a group has in common for one of its keys.
pub fn id_of<K: NamedKey + PartialEq>(by: &[K], values: &[Option<Scalar>], key: K) -> Option<i32> {
    let value = by.iter().zip(values).find(|(own, _)| **own == key).map(|(_, value)| value)?;
    match value {
        Some(Scalar::Int(id)) => i32::try_from(*id).ok(),
        _ => None,
    }
}

/// The enum of what a kind can be grouped by: name for clients, column, kind referred to, type.
macro_rules! group_key {
    (
        $(#[$attribute:meta])*
        $key:ident {
            $( $(#[$value_attribute:meta])* $value:ident = $name:literal, $column:literal, $target:expr, $ty:expr; )*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
        pub enum $key {
            $( $(#[$value_attribute])* $value, )*
        }

        impl From<$key> for $crate::service::read::GroupKey {
            fn from(key: $key) -> Self {
                match key {
                    $( $key::$value => Self { column: $column, target: $target, ty: $ty }, )*
                }
            }
        }

        impl $crate::graphql::group::NamedKey for $key {
            fn name(self) -> &'static str {
                match self {
                    $( Self::$value => $name, )*
                }
            }
        }
    };
}

/// The object of a group: its key, the objects that the key refers to, and its figures.
macro_rules! group_object {
    (
        $(#[$attribute:meta])*
        $group:ident($key:ident, $aggregate:ident) {
            $( $(#[$field_attribute:meta])* $field:ident: $object:ident = $by:ident; )*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        pub struct $group($crate::graphql::connection::GroupRow<$key>);

        impl From<$crate::graphql::connection::GroupRow<$key>> for $group {
            fn from(row: $crate::graphql::connection::GroupRow<$key>) -> Self {
                Self(row)
            }
        }

        $(#[$attribute])*
        #[async_graphql::Object]
        impl $group {
            /// What the rows have in common: only the parts that were asked for, e.g. `{"storageType": "dir"}`. Enums by
            /// name, relations by `databaseId`.
            async fn key(&self) -> $crate::graphql::scalar::Json {
                let $crate::graphql::connection::GroupRow { by, group } = &self.0;
                $crate::graphql::scalar::Json($crate::graphql::group::key_document(by, &group.key))
            }

            $(
                $(#[$field_attribute])*
                async fn $field(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> $crate::graphql::error::Result<Option<$object>> {
                    let $crate::graphql::connection::GroupRow { by, group } = &self.0;
                    match $crate::graphql::group::id_of(by, &group.key, $key::$by) {
                        Some(id) => {
                            <$object as $crate::graphql::connection::Item>::by_id($crate::graphql::session(ctx), id).await
                        }
                        None => Ok(None),
                    }
                }
            )*

            /// Figures of the group.
            async fn aggregate(&self) -> $aggregate {
                self.0.group.summary.clone().into()
            }
        }
    };
}

pub(crate) use {group_key, group_object};
