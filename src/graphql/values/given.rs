//! One view of the two kinds of values: those with variables in them, and those without.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql_value::{ConstValue, Name, Value};

use super::wrong::short;

/// A value of a document or of a request's variables.
pub(super) trait Given: Sized {
    /// What it is.
    fn view(&self) -> View<'_, Self>;
}

/// What a value is.
pub(super) enum View<'a, V> {
    Null,
    Variable(&'a Name),
    List(&'a [V]),
    Object(&'a IndexMap<Name, V>),
    /// Everything else.
    Leaf(Cow<'a, ConstValue>),
}

impl Given for ConstValue {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Null,
            Self::List(items) => View::List(items),
            Self::Object(fields) => View::Object(fields),
            leaf => View::Leaf(Cow::Borrowed(leaf)),
        }
    }
}

impl Given for Value {
    fn view(&self) -> View<'_, Self> {
        let leaf = match self {
            Self::Null => return View::Null,
            Self::Variable(name) => return View::Variable(name),
            Self::List(items) => return View::List(items),
            Self::Object(fields) => return View::Object(fields),
            Self::Number(number) => ConstValue::Number(number.clone()),
            Self::String(text) => ConstValue::String(text.clone()),
            Self::Boolean(boolean) => ConstValue::Boolean(*boolean),
            Self::Binary(bytes) => ConstValue::Binary(bytes.clone()),
            Self::Enum(name) => ConstValue::Enum(name.clone()),
        };
        View::Leaf(Cow::Owned(leaf))
    }
}

impl<V> View<'_, V> {
    /// The value in a few words. Strings are not shown: they may be secrets put in the wrong place.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Variable(name) => format!("the variable \"${}\"", short(name)),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
            Self::Leaf(leaf) => match &**leaf {
                ConstValue::Number(number) => number.to_string(),
                ConstValue::Boolean(boolean) => boolean.to_string(),
                ConstValue::Enum(name) => short(name).into_owned(),
                _ => "a string".to_owned(),
            },
        }
    }
}
