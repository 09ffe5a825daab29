//! From inputs to patches: absent keeps, null clears.
use crate::entity::{Kind, Mode};
use crate::error::{Code, Error, Problem};
use crate::graphql::filter::ProxmoxMode;
use crate::graphql::scalar::{BigInt, Json, local_id};
use crate::service::{Given, Writable};
use async_graphql::{ID, MaybeUndefined};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;

/// The id of an object, when it must have changed last, and what is given.
pub type Change<M> = (i32, Option<DateTime<Utc>>, <M as Writable>::Patch);

/// An input that makes an object.
pub trait CreateInput<M: Writable>: Send {
    /// What it gives.
    fn patch(self) -> Result<M::Patch, Vec<Problem>>;
    /// What the client calls this mutation.
    fn client_mutation_id(&mut self) -> Option<String>;
}

/// An input that changes an object.
pub trait UpdateInput<M: Writable>: Send {
    /// Which object, unless it was changed since, and what it gives.
    fn read(self) -> Result<Change<M>, Vec<Problem>>;
    /// What the client calls this mutation.
    fn client_mutation_id(&mut self) -> Option<String>;
}

/// The id of an object that is to be changed, in either form.
pub fn id(given: &ID, kind: Kind, problems: &mut Vec<Problem>) -> i32 {
    local_id(given, kind).unwrap_or_else(|error| {
        refuse(error, "id", problems);
        0
    })
}

/// A reference to an object, in either form.
pub fn reference(field: &str, given: MaybeUndefined<ID>, kind: Kind, problems: &mut Vec<Problem>) -> Given<i32> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(id) => match local_id(&id, kind) {
            Ok(id) => Some(Some(id)),
            Err(error) => {
                refuse(error, field, problems);
                None
            }
        },
    }
}

fn refuse(error: Error, field: &str, problems: &mut Vec<Problem>) {
    match error.within(field) {
        Error::Input(found) => problems.extend(found),
        other => problems.push(Problem::new(Code::Invalid, field, other.to_string())),
    }
}

/// A value as the service takes it.
pub trait Stored<T> {
    /// The same value.
    fn stored(self) -> T;
}

impl<T> Stored<T> for T {
    fn stored(self) -> T {
        self
    }
}

impl Stored<i64> for i32 {
    fn stored(self) -> i64 {
        self.into()
    }
}

impl Stored<i64> for BigInt {
    fn stored(self) -> i64 {
        self.0
    }
}

impl Stored<Value> for Json {
    fn stored(self) -> Value {
        self.0
    }
}

impl Stored<Mode> for ProxmoxMode {
    fn stored(self) -> Mode {
        self.into()
    }
}

impl Stored<SecretString> for String {
    fn stored(self) -> SecretString {
        self.into()
    }
}

/// A field of a patch.
pub fn given<A: Stored<B>, B>(value: MaybeUndefined<A>) -> Given<B> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value.stored())),
    }
}

/// Tags, by slug.
pub type Slugs = Vec<String>;

/// The two inputs of a model: what a new object needs is required there, and optional in a change of it.
///
/// `new` is for fields that only a new object has, each with its name in the patch; `lock` for models that tell when
/// they last changed.
macro_rules! inputs {
    (
        $model:ty,
        $(#[$create_attribute:meta])* $create:ident,
        $(#[$update_attribute:meta])* $update:ident,
        new { $( $(#[$new_attribute:meta])* $new:ident: $new_ty:ty = $new_name:ident; )* }
        lock { $( $(#[$lock_attribute:meta])* $lock:ident; )* }
        required { $( $(#[$required_attribute:meta])* $required:ident: $required_ty:ident $(of $required_kind:expr)?; )* }
        optional { $( $(#[$attribute:meta])* $field:ident: $ty:ident $(of $kind:expr)?; )* }
    ) => {
        $(#[$create_attribute])*
        #[derive(async_graphql::InputObject)]
        pub struct $create {
            $( $(#[$new_attribute])* $new: $new_ty, )*
            $( $(#[$required_attribute])* $required: $required_ty, )*
            $( $(#[$attribute])* $field: async_graphql::MaybeUndefined<$ty>, )*
            /// Comes back in the payload, for the client's own use.
            client_mutation_id: Option<String>,
        }

        $(#[$update_attribute])*
        #[derive(async_graphql::InputObject)]
        pub struct $update {
            /// Which one: its id in either form.
            id: async_graphql::ID,
            $( $(#[$lock_attribute])* $lock: Option<$crate::graphql::scalar::Time>, )*
            $( $(#[$required_attribute])* $required: async_graphql::MaybeUndefined<$required_ty>, )*
            $( $(#[$attribute])* $field: async_graphql::MaybeUndefined<$ty>, )*
            /// Comes back in the payload, for the client's own use.
            client_mutation_id: Option<String>,
        }

        impl $crate::graphql::mutation::input::CreateInput<$model> for $create {
            fn patch(self) -> Result<<$model as $crate::service::Writable>::Patch, Vec<$crate::error::Problem>> {
                use async_graphql::MaybeUndefined::Value;
                type Patch = <$model as $crate::service::Writable>::Patch;
                #[allow(unused_mut)]
                let mut problems = Vec::new();
                let patch = Patch {
                    $( $new_name: $crate::graphql::mutation::input::field!(problems, $new, Value(self.$new)), )*
                    $( $required: $crate::graphql::mutation::input::field!(
                        problems, $required, Value(self.$required) $(, $required_kind)?
                    ), )*
                    $( $field: $crate::graphql::mutation::input::field!(problems, $field, self.$field $(, $kind)?), )*
                };
                if problems.is_empty() { Ok(patch) } else { Err(problems) }
            }

            fn client_mutation_id(&mut self) -> Option<String> {
                self.client_mutation_id.take()
            }
        }

        impl $crate::graphql::mutation::input::UpdateInput<$model> for $update {
            fn read(
                self,
            ) -> Result<$crate::graphql::mutation::input::Change<$model>, Vec<$crate::error::Problem>> {
                type Patch = <$model as $crate::service::Writable>::Patch;
                let kind = <$model as $crate::entity::Resource>::KIND;
                let mut problems = Vec::new();
                let id = $crate::graphql::mutation::input::id(&self.id, kind, &mut problems);
                let if_last_updated: [Option<$crate::graphql::scalar::Time>; _] = [$( self.$lock )*];
                let if_last_updated = if_last_updated.into_iter().flatten().next().map(|time| time.0);
                #[allow(clippy::needless_update)]
                let patch = Patch {
                    $( $required: $crate::graphql::mutation::input::field!(
                        problems, $required, self.$required $(, $required_kind)?
                    ), )*
                    $( $field: $crate::graphql::mutation::input::field!(problems, $field, self.$field $(, $kind)?), )*
                    ..Default::default()
                };
                if problems.is_empty() { Ok((id, if_last_updated, patch)) } else { Err(problems) }
            }

            fn client_mutation_id(&mut self) -> Option<String> {
                self.client_mutation_id.take()
            }
        }
    };
}

/// One field of a patch.
macro_rules! field {
    ($problems:ident, $field:ident, $value:expr) => {
        $crate::graphql::mutation::input::given($value)
    };
    ($problems:ident, $field:ident, $value:expr, $kind:expr) => {
        $crate::graphql::mutation::input::reference(stringify!($field), $value, $kind, &mut $problems)
    };
}

pub(super) use {field, inputs};
