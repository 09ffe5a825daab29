//! Single objects of the three models: by id, or by their natural key.
use super::connection::Item;
use super::error::{Failure, Result};
use super::scalar::local_id;
use super::{Session, session};
use crate::entity::{Kind, Resource, Scalar};
use crate::filter::{Filter, Lookup, field, test};
use crate::service::read;
use async_graphql::{Context, ID};

/// A natural key: a name that is unique below a parent.
pub trait NaturalKey: Send {
    /// The field that refers to the parent, the parent's kind, its id, and the name.
    fn parts(self) -> (&'static str, Kind, ID, String);
}

/// The object that exactly one of `id` and `by` names.
pub async fn single<T: Item>(ctx: &Context<'_>, id: Option<ID>, by: Option<impl NaturalKey>) -> Result<Option<T>> {
    let kind = T::Model::KIND;
    match (id, by) {
        (Some(id), None) => T::by_id(session(ctx), local_id(&id, kind)?).await,
        (None, Some(by)) => find(session(ctx), key_filter(kind, by)?).await,
        _ => Err(Failure::input("give exactly one of `id` and `by`")),
    }
}

async fn find<T: Item>(session: &Session, filter: Filter) -> Result<Option<T>> {
    let row = read::find::<T::Entity>(&session.app.db, session.principal.view(), &filter).await?;
    Ok(row.map(T::new))
}

fn key_filter(kind: Kind, key: impl NaturalKey) -> Result<Filter> {
    let (reference, parent_kind, parent, name) = key.parts();
    let unknown = || crate::error::Error::Internal(format!("{kind} has no such key"));
    let parent = Scalar::Int(local_id(&parent, parent_kind)?.into());
    let parent = test(field(parent_kind, "id").ok_or_else(unknown)?, Lookup::In(vec![parent]))?;
    let parent = test(field(kind, reference).ok_or_else(unknown)?, Lookup::Is(Box::new(parent)))?;
    let name = test(field(kind, "name").ok_or_else(unknown)?, Lookup::In(vec![Scalar::Text(name)]));
    Ok(Filter::All(vec![parent, name.map_err(|error| error.within("name").within("by"))?]))
}

/// The input of a natural key.
macro_rules! natural_key {
    ($(#[$attribute:meta])* $input:ident, $(#[$parent_attribute:meta])* $parent:ident: $kind:expr) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, async_graphql::InputObject)]
        pub struct $input {
            $(#[$parent_attribute])*
            $parent: async_graphql::ID,
            /// Its name, exactly.
            name: String,
        }

        impl $crate::graphql::key::NaturalKey for $input {
            fn parts(self) -> (&'static str, $crate::entity::Kind, async_graphql::ID, String) {
                (stringify!($parent), $kind, self.$parent, self.name)
            }
        }
    };
}

pub(crate) use natural_key;
