//! The limits of GraphQL requests.
//!
//! The library's own limits count introspection, run only after fragments have been expanded,
//! and its parser overflows the stack on deeply nested values. So a request passes through here
//! twice: [`scan()`] looks at the text before it is parsed, and [`measure`] at the parsed document
//! before it is validated. Both take time linear in the request, whatever it would expand to.

mod fragments;
mod measured;
mod repeats;
mod scan;
mod shape;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;

pub use measured::{Cost, Measured, measure};
pub use scan::scan;
pub use shape::SchemaShape;

/// Levels of fields below (and with) `__schema` or `__type`. The standard introspection query
/// has 15, so the limit for data cannot serve.
pub const INTROSPECTION_DEPTH: usize = 20;
/// How many of the recursive lists of introspection (`fields`, `inputFields`, `interfaces`,
/// `possibleTypes`) may lie on one path: each multiplies the answer by the size of the schema.
pub const INTROSPECTION_LISTS: usize = 2;
/// Cost of introspection, counted apart from the data (every list as 5 elements). The standard
/// query costs about a quarter. It does not follow [`Limits::cost`]: an operator who
/// lowers that one must not lose GraphiQL.
pub const INTROSPECTION_COST: u64 = 10_000;
/// Page size that counts where the request names none and the schema has no other default.
pub const DEFAULT_PAGE: u64 = 50;
/// Page size that counts at most: resolvers refuse larger ones with an error of their own.
pub const MAX_PAGE: u64 = 1_000;

/// Limits of one GraphQL request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of fields in the data, introspection aside. Default 12.
    pub depth: usize,
    /// Cost of an operation: an object 1, a list its page size times its element. Default 10 000.
    pub cost: u64,
    /// Aliased fields of an operation, fragments expanded. Default 30.
    pub aliases: usize,
    /// Fields at the root of an operation, fragments expanded. Default 20.
    pub root_fields: usize,
    /// Selections (fields, spreads, inline fragments) of all operations, fragments expanded.
    /// Default 5 000.
    pub selections: u64,
    /// Selections of one field under one name at one place, fragments expanded. Default 20.
    pub repeats: usize,
    /// Directives of one field, fragment, operation or variable. Default 10.
    pub directives: usize,
    /// Size of the query text in bytes. Default 65 536 (64 KiB).
    pub text_bytes: usize,
    /// Lexical tokens of the query text; comments, commas and blanks are none. Default 2 000.
    pub tokens: usize,
    /// Open brackets (`{`, `[`, `(`) at any place of the query text. Default 100; the parser
    /// needs stack in proportion.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 12,
            cost: 10_000,
            aliases: 30,
            root_fields: 20,
            selections: 5_000,
            repeats: 20,
            directives: 10,
            text_bytes: 64 * 1024,
            tokens: 2_000,
            nesting: 100,
        }
    }
}

/// What is too deep in a [`Refusal::TooDeep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Open brackets of the text.
    Brackets,
    /// Fields of the data.
    Data,
    /// Fields below `__schema` and `__type`.
    Introspection,
    /// Recursive lists of introspection inside one another.
    IntrospectionLists,
}

/// What there is too much of in a [`Refusal::TooComplex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Bytes of the query text.
    TextBytes,
    /// Tokens of the query text.
    Tokens,
    /// Selections, fragments expanded.
    Selections,
    /// Selections of one field at one place, fragments expanded.
    Repeats,
    /// Directives at one place.
    Directives,
    /// Fields at the root, fragments expanded.
    RootFields,
    /// Cost of the data.
    Cost,
    /// Cost of the introspection.
    IntrospectionCost,
}

/// Why a request is refused. The text ([`Display`](fmt::Display)) is meant for the client: it
/// names the limit and the way below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something is nested too deeply.
    TooDeep {
        /// What is.
        what: Depth,
        /// How deep it is, where it was counted to the end.
        actual: Option<usize>,
        /// How deep it may be.
        limit: usize,
    },
    /// The request asks for too much.
    TooComplex {
        /// Of what.
        what: Measure,
        /// How much there is, where it was counted to the end.
        actual: Option<u64>,
        /// How much there may be.
        limit: u64,
    },
    /// Too many aliased fields.
    TooManyAliases {
        /// Aliased fields, fragments expanded.
        actual: u64,
        /// How many there may be.
        limit: usize,
    },
    /// A block string without an end. A syntax error, but one the library's parser takes for an
    /// empty string followed by something else (so what follows would escape [`scan()`]).
    UnterminatedString {
        /// Line of the opening quotes, from 1.
        line: usize,
        /// Column of the opening quotes in characters, from 1.
        column: usize,
    },
}

impl Refusal {
    /// The value for the error's `extensions.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooDeep { .. } => "QUERY_TOO_DEEP",
            Self::TooComplex { .. } => "QUERY_TOO_COMPLEX",
            Self::TooManyAliases { .. } => "TOO_MANY_ALIASES",
            Self::UnterminatedString { .. } => "GRAPHQL_PARSE_FAILED",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep { what, actual, limit } => {
                let (unit, hint) = match what {
                    Depth::Brackets => {
                        ("nested brackets", "Move nested input values into variables, or nest fewer of them.")
                    }
                    Depth::Data => ("levels of fields", "Start nearer to the objects you need, or split the query."),
                    Depth::Introspection => (
                        "levels of introspection fields",
                        "Ask for fewer levels of `ofType`, or for single types with `__type`.",
                    ),
                    Depth::IntrospectionLists => (
                        "introspection lists (`fields`, `inputFields`, `interfaces`, `possibleTypes`) inside one another",
                        "Ask for the inner types with `__type` instead.",
                    ),
                };
                match actual {
                    Some(actual) => write!(f, "The query has {actual} {unit}")?,
                    None => write!(f, "The query has too many {unit}")?,
                }
                write!(f, "; at most {limit} are allowed. {hint}")
            }
            Self::TooComplex { what, actual, limit } => {
                let (unit, hint) = match what {
                    Measure::TextBytes => ("bytes of text", "Move input values into variables, or split the query."),
                    Measure::Tokens => {
                        ("tokens", "Move input values into variables, use fragments, or split the query.")
                    }
                    Measure::Selections => (
                        "selections once its fragments are expanded",
                        "Spread fewer fragments inside fragments, or split the query.",
                    ),
                    Measure::Repeats => {
                        ("selections of one field at one place once its fragments are expanded", "Select it once.")
                    }
                    Measure::Directives => ("directives at one place", "Each of them once is enough."),
                    Measure::RootFields => (
                        "fields at its root once its fragments are expanded",
                        "Ask for lists instead of single objects, or split the query.",
                    ),
                    Measure::Cost => (
                        "points of cost",
                        "An object costs 1, a list its page size (`first`, 50 by default) times its element: ask for smaller pages, or for fewer objects in each row.",
                    ),
                    Measure::IntrospectionCost => {
                        ("points of introspection cost", "Nest fewer lists, or ask for single types with `__type`.")
                    }
                };
                match actual {
                    Some(actual) => write!(f, "The query has {actual} {unit}")?,
                    None => write!(f, "The query has too many {unit}")?,
                }
                write!(f, "; at most {limit} are allowed. {hint}")
            }
            Self::TooManyAliases { actual, limit } => write!(
                f,
                "The query has {actual} aliased fields once its fragments are expanded; at most {limit} are allowed. \
                 Ask for lists instead of many single objects, or split the query."
            ),
            Self::UnterminatedString { line, column } => write!(
                f,
                "Syntax error: the block string that begins at line {line}, column {column} has no end (`\"\"\"`)."
            ),
        }
    }
}

impl std::error::Error for Refusal {}
