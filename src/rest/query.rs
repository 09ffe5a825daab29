//! The query string: its parameters, the page it asks for, and the addresses of the pages around it.
use super::body::whole_of;
use super::document::Shape;
use super::error::{Refusal, Result};
use super::field::{Field, Spec};
use crate::service::read::{Ordering, Sort, sort_field};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The parameters of a query string, in its order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

/// The size of pages, as the operator set it.
#[derive(Clone, Copy, Debug)]
pub struct PageSizes {
    /// Rows when the client does not say.
    pub default: u64,
    /// Rows at most; 0 = no cap.
    pub largest: u64,
}

/// What a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows at most; none = all of them.
    pub limit: Option<u64>,
    pub from: From,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Offset(u64),
    /// At this id, in the order of ids; the rows are not counted then.
    Start(i64),
}

/// Names that every list knows besides its filters.
pub const COMMON: [&str; 9] = ["limit", "offset", "start", "ordering", "fields", "omit", "brief", "q", "format"];

impl Query {
    /// Reads a query string as browsers and Python write it.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The names, each once, in the order of the query.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (name, _) in &self.0 {
            if !names.contains(&name.as_str()) {
                names.push(name.as_str());
            }
        }
        names
    }

    /// Every value of a parameter.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The last value of a parameter, which wins where one is wanted.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The same query with some parameters set, or taken out, sorted by name.
    fn with(&self, changes: &[(&str, Option<String>)]) -> String {
        let kept = self.0.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let mut pairs = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        pairs.extend(changes.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
        pairs.sort_by_key(|(name, _)| *name);
        let pairs = pairs.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The page that is asked for. What cannot be read is the default, but for `start`.
    pub fn page(&self, sizes: PageSizes) -> Result<Page> {
        Ok(Page { limit: self.limit(sizes), from: self.from()? })
    }

    fn limit(&self, PageSizes { default, largest }: PageSizes) -> Option<u64> {
        let capped = |limit| if largest == 0 { limit } else { std::cmp::min(limit, largest) };
        match self.last("limit").and_then(whole_of) {
            Some(0) => (largest > 0).then_some(largest),
            Some(limit) if limit > 0 => Some(capped(u64::try_from(limit).unwrap_or(u64::MAX).min(MOST))),
            _ => Some(capped(default)),
        }
    }

    /// The rows that a list shows that is only paged by number: how many at most, and how many are skipped.
    pub fn window(&self, sizes: PageSizes) -> (u64, u64) {
        (self.limit(sizes).unwrap_or(MOST), self.offset())
    }

    fn offset(&self) -> u64 {
        let offset = self.last("offset").and_then(whole_of).and_then(|offset| u64::try_from(offset).ok());
        offset.unwrap_or(0).min(MOST)
    }

    fn from(&self) -> Result<From> {
        let Some(start) = self.last("start") else {
            return Ok(From::Offset(self.offset()));
        };
        let Some(start) = whole_of(start).filter(|start| *start >= 0) else {
            return Err(Refusal::parameter("start", "Invalid 'start' parameter: must be a non-negative integer."));
        };
        if self.last("offset").is_some() {
            return Err(Refusal::parameter("start", "'start' and 'offset' are mutually exclusive."));
        }
        if self.last("ordering").is_some() {
            let message = "Ordering cannot be specified in conjunction with cursor-based pagination.";
            return Err(Refusal::parameter("ordering", message));
        }
        Ok(From::Start(i64::try_from(start).unwrap_or(i64::MAX)))
    }

    /// The order of a list, and the keys that mean nothing.
    pub fn ordering(&self, spec: &Spec) -> (Ordering, Vec<&str>) {
        let mut unknown = Vec::new();
        let mut sorts = Vec::new();
        for key in self.last("ordering").into_iter().flat_map(|keys| keys.split(',')).map(str::trim) {
            let (name, descending) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
            // A relation sorts by the name of its object.
            let by = sort_field(spec.kind, name).or_else(|| sort_field(spec.kind, &format!("{name}__name")));
            match by {
                // PostgreSQL's way, which the plugin has: NULLs are the largest.
                Some(by) => sorts.push(Sort { by, descending, nulls_first: descending }),
                None if key.is_empty() => {}
                None => unknown.push(key),
            }
        }
        (Ordering::new(spec.kind, sorts), unknown)
    }

    /// The fields that answers show, and the names that mean nothing, each with the parameter that it stands in.
    /// `fields` goes before `omit`, and that before `brief`.
    pub fn shape(&self, spec: &'static Spec) -> (Shape, Vec<(&'static str, &str)>) {
        let names = |parameter: &str| {
            let text = self.last(parameter).filter(|text| !text.is_empty())?;
            Some(text.split(',').collect::<Vec<_>>())
        };
        let unknown = |parameter: &'static str| {
            let known = |name: &str| spec.field(name).is_some_and(Field::is_shown);
            let names = names(parameter).unwrap_or_default().into_iter();
            names.filter(move |name| !known(name)).map(move |name| (parameter, name))
        };
        let unknown = unknown("fields").chain(unknown("omit")).collect();
        let Shape(all) = Shape::whole(spec);
        if let Some(wanted) = names("fields") {
            let shown = all.into_iter().filter(|field| wanted.contains(&field.name)).collect();
            return (Shape(shown), unknown);
        }
        if let Some(unwanted) = names("omit") {
            let shown = all.into_iter().filter(|field| !unwanted.contains(&field.name)).collect();
            return (Shape(shown), unknown);
        }
        let off = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "" | "false" | "0");
        let brief = self.last("brief").is_some_and(|value| !off(value));
        let shown = all.into_iter().filter(|field| !brief || spec.brief.contains(&field.name));
        (Shape(shown.collect()), unknown)
    }

    /// The addresses of the pages after and before this one, as the plugin builds them; `url` is that of the list.
    pub fn neighbours(&self, url: &str, limit: u64, offset: u64, count: u64) -> (Option<String>, Option<String>) {
        let at = |offset: u64| {
            let offset = (offset > 0).then(|| offset.to_string());
            format!("{url}?{}", self.with(&[("limit", Some(limit.to_string())), ("offset", offset)]))
        };
        let next = (offset.saturating_add(limit) < count).then(|| at(offset + limit));
        (next, (offset > 0).then(|| at(offset.saturating_sub(limit))))
    }

    /// The address of the page after one that ends at this id.
    pub fn after(&self, url: &str, limit: u64, last: i32) -> String {
        let start = (i64::from(last) + 1).to_string();
        format!("{url}?{}", self.with(&[("limit", Some(limit.to_string())), ("start", Some(start))]))
    }
}

/// More rows than any table holds, and few enough to add to.
const MOST: u64 = u32::MAX as u64;

/// A text as Python's `urlencode` writes it.
fn quoted(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b' ');
    utf8_percent_encode(text, KEPT).to_string().replace(' ', "+")
}
