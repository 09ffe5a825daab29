//! GET on a list: the question, its page, and the answer in the form that is asked for.
use super::ask::Ask;
use super::document::{Document, Related, Shape};
use super::error::Result;
use super::negotiate::Format;
use super::query::{From, Page};
use super::resource::{Resource, json, view};
use super::{etag, filter, stream};
use crate::filter::{Filter, View, from_id};
use crate::principal::Act;
use crate::service::read::{self, Listing, Parents, ROOT, Sort, sort_field};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// What a list is asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub view: View,
    pub listing: Listing,
    pub shape: Shape,
    page: Page,
}

/// A page in the plugin's envelope.
#[derive(Serialize)]
#[serde(bound = "")]
struct Envelope<'a, M: Resource> {
    count: Option<u64>,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<Document<'a, M>>,
}

/// Answers a list.
pub async fn list<M: Resource>(ask: &mut Ask) -> Result<Response> {
    let question = question::<M>(ask).await?;
    // Before the rows are read, so that a change meanwhile makes the tag old and not wrong.
    let tag = tag::<M>(ask, &question).await?;
    if etag::is_known(&ask.headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let mut response = match ask.format {
        Format::Json => whole::<M>(ask, &question).await?,
        format => stream::stream::<M>(ask, question, format).await?,
    };
    if let Some(tag) = etag::header_value(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Reads the question; everything wrong with it is told before any row is read.
async fn question<M: Resource>(ask: &mut Ask) -> Result<Question> {
    let (spec, query) = (M::spec(), ask.query.clone());
    let (mut filter, unknown) = filter::filter(&ask.app.db, spec, &query).await?;
    unknown.iter().for_each(|name| ask.ignore(name, name));
    let (shape, unknown) = query.shape(spec);
    unknown.iter().for_each(|(parameter, name)| ask.ignore(parameter, name));
    let (mut ordering, unknown) = query.ordering(spec);
    unknown.iter().for_each(|name| ask.ignore("ordering", name));
    let page = query.page(ask.limits.pages)?;
    ask.check_ignored()?;
    if let From::Start(start) = page.from {
        filter = Filter::All(vec![filter, from_id(M::KIND, start)]);
        let by = sort_field(M::KIND, "id").map(|by| Sort { by, descending: false, nulls_first: false });
        ordering = read::Ordering::new(M::KIND, by.into_iter().collect());
    }
    let offset = if let From::Offset(offset) = page.from { offset } else { 0 };
    let page_of_rows = crate::page::Page { offset, ..crate::page::Page::first(page.limit.unwrap_or(ALL)) };
    let listing = Listing { filter, ordering, page: page_of_rows, unread: shape.unread(spec) };
    Ok(Question { view: view::<M>(ask, Act::View), listing, shape, page })
}

/// As many rows as no table holds.
const ALL: u64 = u32::MAX as u64;

/// The tag of a list: its revision, and a hash of everything else that decides about the answer.
async fn tag<M: Resource>(ask: &Ask, question: &Question) -> Result<String> {
    let revision = read::revision(&ask.app.db).await?;
    let scope = question.view.scope(M::KIND);
    let asked = format!("{} {:?} {:?} {:?} {scope:?}", ask.base, M::KIND, ask.format, ask.query);
    Ok(etag::tag(&revision.to_string(), asked.as_bytes()))
}

/// A page as JSON.
async fn whole<M: Resource>(ask: &Ask, question: &Question) -> Result<Response> {
    let db = &ask.app.db;
    let Question { view, listing, shape, page } = question;
    let count = match page.from {
        From::Offset(_) => {
            let counts = read::counts(db, view, M::KIND, &listing.filter, Parents::Root).await?;
            Some(u64::try_from(counts.get(&ROOT).copied().unwrap_or(0)).unwrap_or(0))
        }
        From::Start(_) => None,
    };
    let found = read::pages::<M::E>(db, view, listing, Parents::Root).await?.remove(&ROOT);
    let (rows, more) = found.map_or_else(Default::default, |page| (page.rows, page.more));
    let rows = rows.into_iter().map(|keyed| keyed.row).collect::<Vec<Arc<M>>>();
    let related = Related::load(db, shape, &rows).await?;
    let url = format!("{}{}", ask.base, M::KIND.rest_path());
    let (next, previous) = match (page.limit, page.from, count) {
        (Some(limit), From::Offset(offset), Some(count)) => ask.query.neighbours(&url, limit, offset, count),
        (Some(limit), From::Start(_), _) if more => {
            (rows.last().map(|row| ask.query.after(&url, limit, row.id())), None)
        }
        _ => (None, None),
    };
    let results = rows.iter().map(|row| Document { row: row.as_ref(), shape, related: &related, base: &ask.base });
    let body = json(&Envelope { count, next, previous, results: results.collect() })?;
    Ok(([(header::CONTENT_TYPE, Format::Json.media_type())], body).into_response())
}
