//! The one filter language. GraphQL inputs, permissions' constraints and (later) REST query strings become this tree;
//! only [`compile()`] turns it into SQL, and [`matches()`] answers the same question for a row in memory.
//!
//! Tests are two-valued: a test on NULL is false, so `Not` holds for it (as Django's `exclude`, unlike SQL's NOT).
//! A test over a relation is an IN subquery, never a join: no duplicate rows, and paging by key stays right.

mod compile;
mod constraint;
mod field;
pub mod fold;
mod matches;

pub use compile::{compile, memory_percent};
pub(crate) use compile::{not, sql};
pub use constraint::constraint;
pub use field::{Field, Type, field, fields, search_fields};
pub use matches::{Graph, Row, matches};

use crate::entity::{Kind, Scalar};
use crate::error::{Error, Result};

/// A question about one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All hold; none given: every row.
    All(Vec<Self>),
    /// At least one holds; none given: no row.
    Any(Vec<Self>),
    /// Does not hold, or cannot be told.
    Not(Box<Self>),
    /// One field looked at in one way. Made by [`test()`] only, which refuses what does not fit together.
    Test(Test),
    /// REST's `?q=`: the text occurs, without regard to case, in one of the model's search fields.
    Search(String),
}

/// A field and how to look at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    field: &'static Field,
    lookup: Lookup,
}

/// What a text is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub value: String,
    /// Compare without case; folds Unicode letters one by one.
    pub fold: bool,
}

/// How a comparison goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// Ways to look at a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// Equal to one of these values (text with case).
    In(Vec<Scalar>),
    /// Smaller or larger than a value (text by bytes).
    Compare(Compare, Scalar),
    /// Equal to one of these texts without regard to case.
    InFolded(Vec<String>),
    /// Smaller or larger than a text, both folded.
    CompareFolded(Compare, String),
    Contains(Text),
    StartsWith(Text),
    EndsWith(Text),
    /// A regular expression in Rust's syntax.
    Regex(Text),
    /// Whether there is no value, or no (viewable) related object.
    Null,
    /// Whether the text is "" (not NULL).
    Empty,
    /// A related object (one of them, for a list) for which the filter holds.
    Is(Box<Filter>),
    /// The comma-separated list names this part.
    HasPart(String),
    /// The comma-separated list names no part at all, or is NULL.
    NoParts,
    /// Carries at least one of these tags, by slug.
    TaggedAny(Vec<String>),
    /// Carries a tag at all.
    Tagged,
}

/// How large a filter may be: more tests than anyone writes by hand, fewer than a database chokes on.
const MOST_TERMS: usize = 1_000;
/// Operands in all `in` lists together; SQLite binds at most 32 766 values a statement.
const MOST_OPERANDS: usize = 10_000;
/// How deep `and`, `or`, `not` and relations may nest.
const MOST_NESTING: usize = 16;
/// A folded text becomes a pattern of character classes on SQLite, which costs memory for each letter.
const LONGEST_PATTERN: usize = 1_000;

impl Filter {
    /// Holds for every row.
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Holds for no row.
    pub const fn nothing() -> Self {
        Self::Any(Vec::new())
    }

    /// Negation.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether it plainly holds for every row.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(all) if all.iter().all(Self::is_everything))
    }

    /// Refuses a filter that is too large to ask a database.
    pub fn check_size(&self) -> Result<()> {
        let (mut terms, mut operands) = (0, 0);
        self.measure(1, &mut terms, &mut operands)?;
        match () {
            () if terms > MOST_TERMS => {
                Err(Error::input(format!("the filter has {terms} conditions; at most {MOST_TERMS} are allowed")))
            }
            () if operands > MOST_OPERANDS => {
                Err(Error::input(format!("the filter lists {operands} values; at most {MOST_OPERANDS} are allowed")))
            }
            () => Ok(()),
        }
    }

    fn measure(&self, depth: usize, terms: &mut usize, operands: &mut usize) -> Result<()> {
        if depth > MOST_NESTING {
            return Err(Error::input(format!("the filter nests deeper than {MOST_NESTING} levels")));
        }
        *terms += 1;
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().try_for_each(|part| part.measure(depth + 1, terms, operands))
            }
            Self::Not(part) => part.measure(depth + 1, terms, operands),
            Self::Test(test) => match &test.lookup {
                Lookup::Is(inner) => inner.measure(depth + 1, terms, operands),
                Lookup::In(values) => {
                    *operands += values.len();
                    Ok(())
                }
                Lookup::InFolded(values) | Lookup::TaggedAny(values) => {
                    *operands += values.len();
                    Ok(())
                }
                _ => Ok(()),
            },
            Self::Search(_) => Ok(()),
        }
    }
}

/// A test of one field, refused when the two do not fit or an operand cannot be asked of a database.
pub fn test(field: &'static Field, lookup: Lookup) -> Result<Filter> {
    if !field.ty.takes(&lookup) {
        return Err(Error::input(format!("`{}` cannot be looked at in this way", field.name)));
    }
    check_texts(&lookup)?;
    Ok(Filter::Test(Test { field, lookup: field.ty.normalised(lookup) }))
}

/// The object has one of these ids.
pub fn with_ids(kind: Kind, ids: &[i32]) -> Filter {
    id(kind, Lookup::In(ids.iter().map(|id| Scalar::Int((*id).into())).collect()))
}

/// The object's id is this one or a larger one.
pub fn from_id(kind: Kind, start: i64) -> Filter {
    id(kind, Lookup::Compare(Compare::Gte, Scalar::Int(start)))
}

/// A test of the id, which every table of fields begins with.
fn id(kind: Kind, lookup: Lookup) -> Filter {
    Filter::Test(Test { field: &fields(kind)[0], lookup })
}

/// The text occurs in a search field; surrounding blanks do not count, and a blank text asks nothing.
pub fn search(text: &str) -> Result<Filter> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Filter::everything());
    }
    check_pattern(text)?;
    Ok(Filter::Search(text.to_owned()))
}

fn check_texts(lookup: &Lookup) -> Result<()> {
    match lookup {
        Lookup::In(values) => values.iter().try_for_each(check_scalar),
        Lookup::Compare(_, value) => check_scalar(value),
        Lookup::InFolded(values) | Lookup::TaggedAny(values) => values.iter().try_for_each(|text| check_text(text)),
        Lookup::CompareFolded(_, text) => check_text(text),
        Lookup::Contains(text) | Lookup::StartsWith(text) | Lookup::EndsWith(text) => {
            if text.fold {
                check_pattern(&text.value)
            } else {
                check_text(&text.value)
            }
        }
        Lookup::Regex(text) => {
            check_pattern(&text.value)?;
            regex::Regex::new(&text.value)
                .map(drop)
                .map_err(|error| Error::input(format!("not a regular expression: {error}")))
        }
        Lookup::HasPart(part) if part.is_empty() || part.contains([',', ' ']) => {
            Err(Error::input("must be one name, without blanks and commas"))
        }
        Lookup::HasPart(part) => check_text(part),
        Lookup::Null | Lookup::Empty | Lookup::Is(_) | Lookup::NoParts | Lookup::Tagged => Ok(()),
    }
}

fn check_scalar(value: &Scalar) -> Result<()> {
    match value {
        Scalar::Text(text) => check_text(text),
        Scalar::Float(value) if !value.is_finite() => Err(Error::input("must be a finite number")),
        _ => Ok(()),
    }
}

/// PostgreSQL cannot hold NUL in a text, so no row can match it and asking would fail.
fn check_text(text: &str) -> Result<()> {
    if text.contains('\0') { Err(Error::input("must not contain the character U+0000")) } else { Ok(()) }
}

fn check_pattern(text: &str) -> Result<()> {
    if text.chars().count() > LONGEST_PATTERN {
        return Err(Error::input(format!("must not be longer than {LONGEST_PATTERN} characters")));
    }
    check_text(text)
}

/// What somebody may view: a filter for each kind of resource. Everything outside does not exist for them.
#[derive(Clone, Debug, Default)]
pub struct View {
    filters: [Option<Filter>; Kind::ALL.len()],
}

impl View {
    /// Everything is viewable.
    pub const fn everything() -> Self {
        Self { filters: [const { None }; Kind::ALL.len()] }
    }

    /// A view made of one filter a kind.
    pub fn of(scope: impl Fn(Kind) -> Filter) -> Self {
        Self { filters: Kind::ALL.map(|kind| Some(scope(kind)).filter(|filter| !filter.is_everything())) }
    }

    /// The filter of a kind; none when all of it is viewable.
    pub fn scope(&self, kind: Kind) -> Option<&Filter> {
        self.filters[kind as usize].as_ref()
    }
}
