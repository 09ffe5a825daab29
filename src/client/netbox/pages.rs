//! Lists, page by page: by cursor where NetBox has one (4.6 and newer), else by offset in the order of the ids.
use super::NetBox;
use crate::client::body::has_nul;
use crate::client::failure::{Class, Failure, line};
use chrono::{DateTime, SecondsFormat, Utc};
use form_urlencoded::Serializer;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{HashSet, VecDeque};
use std::fmt;

pub(super) const CLUSTERS: &str = "api/virtualization/clusters/";
pub(super) const DEVICES: &str = "api/dcim/devices/";

/// Rows of a page; NetBox gives no more, and some are set to give less.
const ROWS: u64 = 1_000;
/// Pages of a list. More means that something goes in circles.
const MOST_PAGES: usize = 2_000;
/// Ids in one call: they stand in its address.
const IDS: usize = 100;
/// The most characters of why a row is odd.
const LONGEST_REASON: usize = 200;

/// Which objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those that were changed at this time or later.
    Since(DateTime<Utc>),
    /// Those of these ids that are there, asked for by 100 a call.
    Ids(Vec<i32>),
}

/// Some rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Rows that could not be read.
    pub odd: Vec<Odd>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// As it came, if it is a number at all.
    pub id: Option<i64>,
    /// For people: one line of at most 200 characters.
    pub reason: String,
}

type Pairs = Vec<(&'static str, String)>;

/// A walk through a list. Rows that change while it goes on may come twice.
pub struct Pages<'a, T> {
    netbox: &'a NetBox,
    route: String,
    /// What is still to be asked, first what is being asked.
    queries: VecDeque<Pairs>,
    at: Position,
    /// Calls of the present query.
    calls: usize,
    /// The ids that came.
    seen: HashSet<i64>,
    /// How many rows the present query has: the most that was ever said.
    count: u64,
    /// How many rows the queries before have.
    before: u64,
    read: fn(Value) -> Result<T, String>,
}

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// At this id.
    Id(i64),
    /// After this many rows, of which so many are asked for.
    Offset { offset: u64, limit: u64 },
}

const FIRST: Position = Position::Id(0);

impl<T> fmt::Debug for Pages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("route", &self.route).field("at", &self.at).finish_non_exhaustive()
    }
}

impl<'a, T> Pages<'a, T> {
    pub(super) fn new(
        netbox: &'a NetBox,
        route: &str,
        query: Pairs,
        which: Which,
        read: fn(Value) -> Result<T, String>,
    ) -> Self {
        let (at, seen) = (FIRST, HashSet::new());
        let queries = queries(&query, which);
        Self { netbox, route: route.to_owned(), queries, at, calls: 0, seen, count: 0, before: 0, read }
    }

    /// The next page; none at the end. After a failure the same page is asked for again.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, Failure> {
        let Some(query) = self.queries.front().cloned() else { return Ok(None) };
        let mut listing = self.ask(&query).await?;
        if self.at == FIRST && listing.count.is_some() && listing.next.is_some() {
            // It knows no cursors, and its own order is no safe one to walk in.
            self.at = Position::Offset { offset: 0, limit: ROWS };
            listing = self.ask(&query).await?;
        }
        let next = self.following(&listing)?;
        self.count = self.count.max(listing.count.unwrap_or_default());
        self.seen.extend(listing.rows.iter().filter_map(id));
        match next {
            Some(next) => self.at = next,
            None => self.finish(),
        }
        Ok(Some(self.page(listing.rows)))
    }

    /// Whether the walk came to its end and saw as many rows as NetBox said there are. Rows without an id do not count.
    pub fn is_complete(&self) -> bool {
        self.queries.is_empty() && self.seen.len() as u64 >= self.before
    }

    async fn ask(&mut self, query: &Pairs) -> Result<Listing, Failure> {
        if self.calls >= MOST_PAGES {
            return Err(self.broken(&format!("the list has more than {MOST_PAGES} pages")));
        }
        let place = match self.at {
            Position::Id(start) => vec![("limit", ROWS.to_string()), ("start", start.to_string())],
            Position::Offset { offset, limit } => {
                vec![("ordering", "id".into()), ("limit", limit.to_string()), ("offset", offset.to_string())]
            }
        };
        let query = Serializer::new(String::new()).extend_pairs(query).extend_pairs(place).finish();
        let Some(value) = self.netbox.ask(&self.route, &query).await? else {
            return Err(self.strange("there is no such list (404)").with_status(404));
        };
        self.calls += 1;
        Listing::read(value).map_err(|why| self.strange(why))
    }

    /// Where the page after this one begins; none if it is the last.
    fn following(&self, listing: &Listing) -> Result<Option<Position>, Failure> {
        let Some(next) = &listing.next else { return Ok(None) };
        let stuck = || self.broken("the list goes in circles");
        match self.at {
            Position::Id(start) => {
                let last = listing.rows.iter().filter_map(id).max().filter(|last| *last >= start);
                let next = last.and_then(|last| last.checked_add(1)).ok_or_else(stuck)?;
                Ok(Some(Position::Id(next)))
            }
            Position::Offset { offset, limit } => {
                let next = position(next, limit).filter(|(next, _)| *next > offset && !listing.rows.is_empty());
                let (offset, limit) = next.ok_or_else(stuck)?;
                Ok(Some(Position::Offset { offset, limit }))
            }
        }
    }

    /// Goes on to the next query, if there is one.
    fn finish(&mut self) {
        self.queries.pop_front();
        self.before += std::mem::take(&mut self.count);
        (self.at, self.calls) = (FIRST, 0);
    }

    fn page(&self, rows: Vec<Value>) -> Page<T> {
        let mut page = Page { rows: Vec::with_capacity(rows.len()), odd: Vec::new() };
        for row in rows {
            let id = id(&row);
            // PostgreSQL cannot store it, and without it a name might be another's.
            let read = if has_nul(&row) { Err("it has null characters".into()) } else { (self.read)(row) };
            match read {
                Ok(row) => page.rows.push(row),
                Err(reason) => page.odd.push(Odd { id, reason: line(&reason, LONGEST_REASON) }),
            }
        }
        page
    }

    fn broken(&self, why: &str) -> Failure {
        self.netbox.failed(&self.route, Failure::new(Class::Protocol, why))
    }

    fn strange(&self, why: &str) -> Failure {
        self.netbox.strange(&self.route, why)
    }
}

/// A page as it came.
struct Listing {
    /// Null where NetBox pages by cursor.
    count: Option<u64>,
    next: Option<String>,
    rows: Vec<Value>,
}

impl Listing {
    fn read(mut value: Value) -> Result<Self, &'static str> {
        let count = value.get("count").and_then(Value::as_u64);
        let next = value.get("next").and_then(Value::as_str).map(str::to_owned);
        match value.get_mut("results").map(Value::take) {
            Some(Value::Array(rows)) => Ok(Self { count, next, rows }),
            _ => Err("the answer is JSON, but not NetBox' (no `results`)"),
        }
    }
}

/// What is to be asked for these objects, in one query or several.
fn queries(query: &Pairs, which: Which) -> VecDeque<Pairs> {
    let with = |more: Pairs| query.iter().cloned().chain(more).collect::<Pairs>();
    match which {
        Which::All => VecDeque::from([query.clone()]),
        Which::Since(time) => {
            let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
            VecDeque::from([with(vec![("last_updated__gte", time)])])
        }
        Which::Ids(mut ids) => {
            ids.sort_unstable();
            ids.dedup();
            let asked = |ids: &[i32]| with(ids.iter().map(|id| ("id", id.to_string())).collect());
            ids.chunks(IDS).map(asked).collect()
        }
    }
}

/// Offset and limit of a link. Its host is of no interest: behind proxies it is often another, and the token is not for
/// it.
fn position(next: &str, limit: u64) -> Option<(u64, u64)> {
    let query = next.split_once('?')?.1.split('#').next()?;
    let pairs = form_urlencoded::parse(query.as_bytes()).collect::<Vec<_>>();
    let number = |name| pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<u64>().ok());
    Some((number("offset")?, number("limit").unwrap_or(limit).clamp(1, ROWS)))
}

fn id(row: &Value) -> Option<i64> {
    row.get("id").and_then(Value::as_i64)
}

/// Any row that serde can read.
pub(super) fn from_json<T: DeserializeOwned>(row: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(row).map_err(|error| error.to_string())
}
