//! Ordering inputs: a list keeps the client's order, and the id always breaks ties.
use crate::entity::Kind;
use crate::error::Error;
use crate::service::read::{Sort, sort_field};
use async_graphql::Enum;

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SortDirection {
    /// The smallest first; text by its bytes, false before true.
    Asc,
    /// The largest first.
    Desc,
}

/// Where rows without a value go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum NullsPosition {
    /// Before all values, in either direction.
    First,
    /// Behind all values, in either direction.
    Last,
}

/// An input that says how to sort.
pub trait OrderInput: Send {
    /// The wish that it stands for.
    fn into_sort(self) -> Result<Sort, Error>;
}

/// For lists that have one order only.
#[derive(Debug)]
pub enum NoOrder {}

impl OrderInput for NoOrder {
    fn into_sort(self) -> Result<Sort, Error> {
        match self {}
    }
}

/// The wish of an ordering input; a test holds its names against the fields there are.
pub fn sort(
    kind: Kind,
    name: &str,
    direction: Option<SortDirection>,
    nulls: Option<NullsPosition>,
) -> Result<Sort, Error> {
    let by = sort_field(kind, name).ok_or_else(|| Error::Internal(format!("a {kind} is not sorted by {name}")))?;
    let (descending, nulls_first) = (direction == Some(SortDirection::Desc), nulls == Some(NullsPosition::First));
    Ok(Sort { by, descending, nulls_first })
}

/// An ordering input and its enum of fields; each field is named as REST's `ordering` names it.
macro_rules! order_input {
    (
        $(#[$attribute:meta])*
        $input:ident, $(#[$fields_attribute:meta])* $fields:ident, $kind:expr,
        { $( $(#[$field_attribute:meta])* $field:ident = $name:literal, )* }
    ) => {
        $(#[$fields_attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
        pub enum $fields {
            $( $(#[$field_attribute])* $field, )*
        }

        $(#[$attribute])*
        #[derive(Clone, Debug, async_graphql::InputObject)]
        pub struct $input {
            /// What to sort by.
            field: $fields,
            /// Which way.
            #[graphql(default_with = "Some(super::order::SortDirection::Asc)")]
            direction: Option<$crate::graphql::order::SortDirection>,
            /// Where rows without a value go.
            #[graphql(default_with = "Some(super::order::NullsPosition::Last)")]
            nulls: Option<$crate::graphql::order::NullsPosition>,
        }

        impl $crate::graphql::order::OrderInput for $input {
            fn into_sort(self) -> Result<$crate::service::read::Sort, $crate::error::Error> {
                let name = match self.field {
                    $( $fields::$field => $name, )*
                };
                $crate::graphql::order::sort($kind, name, self.direction, self.nulls)
            }
        }
    };
}

pub(crate) use order_input;
