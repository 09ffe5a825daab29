//! What mutations answer.
use crate::entity::Kind;
use crate::error::{Code, Error, Problem};
use crate::graphql::connection::Item;
use crate::graphql::error::{Failure, Result, camel};
use crate::graphql::session;
use crate::service::batch::{Done, Effect, Mode};
use async_graphql::{Context, Enum, SimpleObject};

/// What kind of wrong something is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// A value is missing, null or blank where one is needed.
    Required,
    /// A value has the wrong form.
    Invalid,
    /// A text has too many characters.
    TooLong,
    /// A number is too large or too small.
    OutOfRange,
    /// The object to be changed is not there, or you may not view it.
    NotFound,
    /// Another object has a value that must be unique.
    Conflict,
    /// The input refers to an object that is not there.
    ReferenceNotFound,
    /// The object was changed since `ifLastUpdated`.
    Stale,
    /// You may not do this, or not with this object as it was or would be.
    Forbidden,
    /// The endpoint is disabled, and so not contacted.
    Disabled,
}

/// Something that you can put right. Nothing was changed where there is one.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What kind of wrong it is.
    code: UserErrorCode,
    /// What is wrong, for people.
    message: String,
    /// Where in `input`, e.g. `["items", "2", "name"]`; empty for the whole.
    path: Vec<String>,
}

/// What becomes of the other items when one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum BulkMode {
    /// Nothing is changed unless every item succeeds. All are tried, so that all errors are told at once.
    AllOrNothing,
    /// Items that succeed stay; those that fail change nothing.
    BestEffort,
}

impl From<BulkMode> for Mode {
    fn from(mode: BulkMode) -> Self {
        match mode {
            BulkMode::AllOrNothing => Self::AllOrNothing,
            BulkMode::BestEffort => Self::BestEffort,
        }
    }
}

impl UserError {
    /// Something about one field of the input.
    pub(super) fn at(code: UserErrorCode, message: String, field: &str) -> Self {
        Self { code, message, path: vec![field.to_owned()] }
    }

    /// What the caller is told of an error; one that is not theirs is the request's. `at` is where the item stands in
    /// the input, and `creates` whether it is a new object, whose id is called otherwise.
    pub(super) fn all(error: Error, at: &[String], creates: bool) -> Result<Vec<Self>> {
        let told = |code, message, step: Option<&str>| {
            let path = at.iter().cloned().chain(step.map(str::to_owned)).collect();
            Ok(vec![Self { code, message, path }])
        };
        match error {
            Error::Input(problems) => Ok(problems.into_iter().map(|problem| Self::of(problem, at, creates)).collect()),
            // The id of a deletion in bulk is the item itself.
            Error::NotFound(message) => {
                told(UserErrorCode::NotFound, message, Some("id").filter(|_| at.first().is_none_or(|at| at != "ids")))
            }
            Error::Stale(message) => told(UserErrorCode::Stale, message, Some("ifLastUpdated")),
            Error::Forbidden(message) => told(UserErrorCode::Forbidden, message, None),
            Error::Conflict(message) => told(UserErrorCode::Conflict, message, None),
            other => Err(Failure::from(other)),
        }
    }

    fn of(problem: Problem, at: &[String], creates: bool) -> Self {
        let step = |step: String| if creates && step == "id" { "databaseId".to_owned() } else { camel(&step) };
        let path = at.iter().cloned().chain(problem.path.into_iter().map(step)).collect();
        let code = match problem.code {
            Code::Required => UserErrorCode::Required,
            Code::Invalid => UserErrorCode::Invalid,
            Code::TooLong => UserErrorCode::TooLong,
            Code::OutOfRange => UserErrorCode::OutOfRange,
            Code::Conflict | Code::KeyTaken => UserErrorCode::Conflict,
            Code::ReferenceNotFound => UserErrorCode::ReferenceNotFound,
        };
        Self { code, message: problem.message, path }
    }
}

/// What became of one item.
#[derive(Clone, Debug)]
pub struct Slot {
    pub(super) done: Option<Done>,
    pub(super) errors: Vec<UserError>,
}

/// What became of a mutation of one object.
#[derive(Clone, Debug)]
pub struct Single {
    pub(super) slot: Slot,
    pub(super) client_mutation_id: Option<String>,
}

/// What became of a mutation of several.
#[derive(Clone, Debug)]
pub struct Bulk {
    pub(super) kind: Kind,
    pub(super) slots: Vec<Slot>,
    pub(super) effects: Vec<Effect>,
    pub(super) client_mutation_id: Option<String>,
}

impl Slot {
    /// The object as it is after the mutation, as far as one may view it.
    pub(super) async fn object<T: Item>(&self, ctx: &Context<'_>) -> Result<Option<T>> {
        match self.done {
            Some(done) => T::by_id(session(ctx), done.id).await,
            None => Ok(None),
        }
    }

    pub(super) fn created(&self) -> bool {
        self.done.is_some_and(|done| done.created)
    }
}

impl Bulk {
    pub(super) fn succeeded(&self) -> usize {
        self.slots.iter().filter(|slot| slot.done.is_some()).count()
    }

    pub(super) fn failed(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.errors.is_empty()).count()
    }
}

/// The payload of mutations of one object.
macro_rules! payload {
    ($payload:ident: $object:ident in $field:ident) => {
        /// What became of the object.
        #[derive(Clone, Debug)]
        pub struct $payload($crate::graphql::mutation::payload::Single);

        /// What became of the object.
        #[async_graphql::Object]
        impl $payload {
            /// The object as it is now; null when nothing was done, or if you may not view it.
            async fn $field(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> $crate::graphql::error::Result<Option<$object>> {
                self.0.slot.object(ctx).await
            }

            /// Whether the object is new: false when an upsert updated, and when nothing was done.
            async fn created(&self) -> bool {
                self.0.slot.created()
            }

            /// What you can put right; empty when it was done.
            async fn user_errors(&self) -> &[$crate::graphql::mutation::payload::UserError] {
                &self.0.slot.errors
            }

            /// The `clientMutationId` of the input.
            async fn client_mutation_id(&self) -> Option<&str> {
                self.0.client_mutation_id.as_deref()
            }
        }
    };
}

/// The payload of mutations of several objects.
macro_rules! bulk_payload {
    ($payload:ident, $item:ident: $object:ident in $field:ident) => {
        /// What became of several objects.
        #[derive(Clone, Debug)]
        pub struct $payload($crate::graphql::mutation::payload::Bulk);

        /// What became of several objects.
        #[async_graphql::Object]
        impl $payload {
            /// What became of each item, in the order of the input.
            async fn results(&self) -> Vec<$item> {
                let slots = self.0.slots.iter().cloned().enumerate();
                slots.map(|(index, slot)| $item { index, slot }).collect()
            }

            /// Items that were done: with `ALL_OR_NOTHING` all or none.
            async fn succeeded(&self) -> usize {
                self.0.succeeded()
            }

            /// Items with errors.
            async fn failed(&self) -> usize {
                self.0.failed()
            }

            /// The `clientMutationId` of the input.
            async fn client_mutation_id(&self) -> Option<&str> {
                self.0.client_mutation_id.as_deref()
            }
        }

        /// What became of one item.
        #[derive(Clone, Debug)]
        pub struct $item {
            index: usize,
            slot: $crate::graphql::mutation::payload::Slot,
        }

        /// What became of one item.
        #[async_graphql::Object]
        impl $item {
            /// Its place in the input, from 0.
            async fn index(&self) -> usize {
                self.index
            }

            /// The object as it is now; null when nothing was done, or if you may not view it.
            async fn $field(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> $crate::graphql::error::Result<Option<$object>> {
                self.slot.object(ctx).await
            }

            /// Whether the object is new: false when an upsert updated, and when nothing was done.
            async fn created(&self) -> bool {
                self.slot.created()
            }

            /// What you can put right with this item.
            async fn user_errors(&self) -> &[$crate::graphql::mutation::payload::UserError] {
                &self.slot.errors
            }
        }
    };
}

pub(super) use {bulk_payload, payload};
