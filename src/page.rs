//! One page of a list: how many rows, from where, in which order. GraphQL pages by key (a cursor is a position in the
//! ordering), plain lists and REST by limit and offset.
use crate::entity::Scalar;
use crate::error::{Error, Result};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::DateTime;
use sea_orm::sea_query::{Expr, ExprTrait, NullOrdering, Order};
use sha2::{Digest, Sha256};

/// Rows of a page when the client does not say.
pub const DEFAULT_SIZE: u64 = 50;
/// Rows that a page may hold at most; more is an error, never a silent cut.
pub const LARGEST_SIZE: u64 = 1_000;

/// What a client asks for, unchecked.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    pub first: Option<i64>,
    pub after: Option<String>,
    pub last: Option<i64>,
    pub before: Option<String>,
    pub offset: Option<i64>,
}

/// A checked page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub limit: u64,
    pub offset: u64,
    /// Counts from the end of the list (`last`).
    pub backward: bool,
    pub after: Option<Position>,
    pub before: Option<Position>,
}

/// The values of the ordering's keys at one row; none stands for NULL.
#[derive(Clone, Debug, PartialEq)]
pub struct Position(pub Vec<Option<Scalar>>);

/// What a key of an ordering holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    Bool,
    Int,
    Float,
    Text,
    Time,
}

/// One key of an ordering. The last one of an ordering is the id, so that no two rows are equal.
#[derive(Clone, Debug)]
pub struct Key {
    pub expr: Expr,
    pub ty: KeyType,
    pub nullable: bool,
    pub descending: bool,
    pub nulls_first: bool,
}

/// Identifies an ordering, so that a cursor works only with the one it was made for.
pub type Signature = [u8; 8];

/// The signature of an ordering that is described by a text.
pub fn signature(ordering: &str) -> Signature {
    let digest = Sha256::digest(ordering.as_bytes());
    std::array::from_fn(|i| digest[i])
}

/// A count of rows, 0–1000; `argument` names it in errors.
pub fn size(argument: &'static str, given: Option<i64>) -> Result<u64> {
    match given {
        None => Ok(DEFAULT_SIZE),
        Some(size) => match u64::try_from(size) {
            Err(_) => Err(Error::input("must not be negative").within(argument)),
            Ok(size) if size > LARGEST_SIZE => {
                Err(Error::PageTooLarge { argument, given: size as i64, most: LARGEST_SIZE as i64 })
            }
            Ok(size) => Ok(size),
        },
    }
}

/// No list is longer than there are ids, of 31 bits.
fn skipped(offset: Option<i64>) -> Result<u64> {
    let offset = offset.unwrap_or(0);
    let wrong = || Error::input(format!("is {offset}; it can be 0–{}", i32::MAX)).within("offset");
    u64::try_from(offset).ok().filter(|offset| *offset <= i32::MAX as u64).ok_or_else(wrong)
}

impl Page {
    /// A page of a plain list.
    pub fn plain(limit: Option<i64>, offset: Option<i64>) -> Result<Self> {
        Ok(Self { limit: size("limit", limit)?, offset: skipped(offset)?, ..Self::default() })
    }

    /// The first rows of a list.
    pub fn first(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// A page of a connection over this ordering.
    pub fn new(args: &PageArgs, signature: Signature, keys: &[Key]) -> Result<Self> {
        if args.first.is_some() && args.last.is_some() {
            return Err(Error::input("`first` and `last` exclude each other").within("last"));
        }
        if args.offset.is_some() && (args.after.is_some() || args.before.is_some()) {
            return Err(Error::input("`offset` does not go with a cursor").within("offset"));
        }
        if args.offset.is_some() && args.last.is_some() {
            return Err(Error::input("`offset` counts from the start and does not go with `last`").within("offset"));
        }
        let position = |cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| Position::parse(cursor, signature, keys)).transpose()
        };
        Ok(Self {
            limit: if args.last.is_some() { size("last", args.last)? } else { size("first", args.first)? },
            offset: skipped(args.offset)?,
            backward: args.last.is_some(),
            after: position(&args.after)?,
            before: position(&args.before)?,
        })
    }
}

impl Key {
    /// How the key sorts, from the start or from the end of the list.
    pub fn order(&self, backward: bool) -> (Order, Option<NullOrdering>) {
        let order = if self.descending != backward { Order::Desc } else { Order::Asc };
        let nulls = if self.nulls_first != backward { NullOrdering::First } else { NullOrdering::Last };
        // Without NULLs the plain form lets the databases use an index.
        (order, self.nullable.then_some(nulls))
    }

    fn same(&self, value: Option<&Scalar>) -> Expr {
        match value {
            Some(value) => self.expr.clone().eq(value.clone()),
            None => self.expr.clone().is_null(),
        }
    }

    /// Sorts strictly behind the value; none when nothing can.
    fn behind(&self, value: Option<&Scalar>) -> Option<Expr> {
        let Some(value) = value else {
            return self.nulls_first.then(|| self.expr.clone().is_not_null());
        };
        let expr = self.expr.clone();
        let larger = if self.descending { expr.lt(value.clone()) } else { expr.gt(value.clone()) };
        Some(if self.nullable && !self.nulls_first { larger.or(self.expr.clone().is_null()) } else { larger })
    }

    /// Sorts strictly before the value; none when nothing can.
    fn ahead(&self, value: Option<&Scalar>) -> Option<Expr> {
        let reversed = Self { descending: !self.descending, nulls_first: !self.nulls_first, ..self.clone() };
        reversed.behind(value)
    }
}

/// The rows strictly after the position.
pub fn after(keys: &[Key], position: &Position) -> Expr {
    beyond(keys, position, false)
}

/// The rows strictly before the position.
pub fn before(keys: &[Key], position: &Position) -> Expr {
    beyond(keys, position, true)
}

/// Lexicographic: the first key beyond, or equal and the second beyond, and so on. That the first key does not lie on
/// this side says nothing new, but lets the databases enter an index at the position. `IS TRUE` changes nothing either,
/// but keeps SQLite from looking up the alternatives one by one: it would read and sort all rows beyond for a page.
fn beyond(keys: &[Key], position: &Position, backward: bool) -> Expr {
    let test = if backward { Key::ahead } else { Key::behind };
    let mut whole: Option<Expr> = None;
    for (key, value) in keys.iter().zip(&position.0).rev() {
        let rest = whole.map(|rest| key.same(value.as_ref()).and(rest));
        whole = match (test(key, value.as_ref()), rest) {
            (Some(beyond), Some(rest)) => Some(beyond.or(rest)),
            (beyond, rest) => beyond.or(rest),
        };
    }
    let whole = whole.unwrap_or_else(|| Expr::cust("1 = 0"));
    match (keys, position.0.first()) {
        ([first, _, ..], Some(Some(value))) if !first.nullable => {
            let (expr, value) = (first.expr.clone(), value.clone());
            let entry = if first.descending != backward { expr.lte(value) } else { expr.gte(value) };
            entry.and(whole.is(Expr::Constant(true.into())))
        }
        _ => whole,
    }
}

const NOT_A_CURSOR: Error = Error::Cursor("this is not a cursor of this server");

impl Position {
    /// The cursor of this position: opaque to clients, and bound to the ordering.
    pub fn cursor(&self, signature: Signature) -> String {
        let mut bytes = signature.to_vec();
        for value in &self.0 {
            match value {
                None => bytes.push(b'0'),
                Some(Scalar::Bool(value)) => bytes.extend([b'b', u8::from(*value)]),
                Some(Scalar::Int(value)) => put(&mut bytes, b'i', &value.to_be_bytes()),
                Some(Scalar::Float(value)) => put(&mut bytes, b'f', &value.to_bits().to_be_bytes()),
                Some(Scalar::Time(value)) => put(&mut bytes, b't', &value.timestamp_micros().to_be_bytes()),
                Some(Scalar::Text(value)) => {
                    put(&mut bytes, b's', &(value.len() as u64).to_be_bytes());
                    bytes.extend(value.as_bytes());
                }
            }
        }
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn parse(cursor: &str, signature: Signature, keys: &[Key]) -> Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| NOT_A_CURSOR)?;
        let (own, mut rest) = bytes.split_first_chunk().ok_or(NOT_A_CURSOR)?;
        if *own != signature {
            return Err(Error::Cursor("this cursor belongs to another list or ordering"));
        }
        let values = keys.iter().map(|key| take_value(&mut rest, key)).collect::<Option<Vec<_>>>();
        values.filter(|_| rest.is_empty()).map(Self).ok_or(NOT_A_CURSOR)
    }
}

fn put(bytes: &mut Vec<u8>, tag: u8, value: &[u8; 8]) {
    bytes.push(tag);
    bytes.extend(value);
}

/// The next value of a cursor, if it is one that the key can have: cursors come from clients and may be forged.
fn take_value(rest: &mut &[u8], key: &Key) -> Option<Option<Scalar>> {
    let (tag, value) = rest.split_first()?;
    *rest = value;
    Some(Some(match (tag, key.ty) {
        (b'0', _) if key.nullable => return Some(None),
        (b'b', KeyType::Bool) => {
            let (value, tail) = rest.split_first()?;
            *rest = tail;
            Scalar::Bool(*value != 0)
        }
        (b'i', KeyType::Int) => Scalar::Int(i64::from_be_bytes(take(rest)?)),
        (b'f', KeyType::Float) => {
            Scalar::Float(Some(f64::from_bits(u64::from_be_bytes(take(rest)?))).filter(|value| value.is_finite())?)
        }
        (b't', KeyType::Time) => {
            let time = DateTime::from_timestamp_micros(i64::from_be_bytes(take(rest)?))?;
            Scalar::Time(Some(time).filter(|time| (1..=9999).contains(&chrono::Datelike::year(time)))?)
        }
        (b's', KeyType::Text) => {
            let length = usize::try_from(u64::from_be_bytes(take(rest)?)).ok()?;
            let (text, tail) = rest.split_at_checked(length)?;
            *rest = tail;
            Scalar::Text(String::from_utf8(text.to_vec()).ok().filter(|text| !text.contains('\0'))?)
        }
        _ => return None,
    }))
}

fn take(rest: &mut &[u8]) -> Option<[u8; 8]> {
    let (value, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<Key> {
        [KeyType::Text, KeyType::Float, KeyType::Time, KeyType::Bool, KeyType::Int]
            .map(|ty| Key { expr: Expr::cust("x"), ty, nullable: true, descending: false, nulls_first: false })
            .to_vec()
    }

    #[test]
    fn a_cursor_gives_back_its_position_and_nothing_else_is_one() {
        let ordering = signature("cluster: name");
        let position = Position(vec![
            Some(Scalar::Text("Çlüster \u{1F600}".into())),
            Some(Scalar::Float(0.1 + 0.2)),
            DateTime::from_timestamp_micros(1_775_000_000_123_456).map(Scalar::Time),
            None,
            Some(Scalar::Int(i64::MIN)),
        ]);
        let cursor = position.cursor(ordering);
        assert_eq!(Position::parse(&cursor, ordering, &keys()).ok(), Some(position));
        assert!(Position::parse(&cursor, signature("cluster: id"), &keys()).is_err(), "bound to the ordering");
        assert!(Position::parse(&cursor, ordering, &keys()[..4]).is_err(), "too long");
        for end in 0..cursor.len() {
            assert!(Position::parse(&cursor[..end], ordering, &keys()).is_err(), "cut at {end}");
        }
        for forged in ["", "!", "AAAA", "é"] {
            assert!(Position::parse(forged, ordering, &keys()).is_err(), "{forged}");
        }
    }

    #[test]
    fn wrong_pages_are_refused() {
        let page = |args: PageArgs| Page::new(&args, signature(""), &keys());
        assert_eq!(page(PageArgs::default()).ok(), Some(Page::first(DEFAULT_SIZE)));
        assert!(matches!(page(PageArgs { first: Some(1001), ..Default::default() }), Err(Error::PageTooLarge { .. })));
        let both = PageArgs { first: Some(1), last: Some(1), ..Default::default() };
        let cursor = PageArgs { offset: Some(0), after: Some(String::new()), ..Default::default() };
        let negative = PageArgs { last: Some(-1), ..Default::default() };
        for args in [both, cursor, negative] {
            assert!(matches!(page(args), Err(Error::Input(_))));
        }
    }
}
