//! POST, PUT, PATCH and DELETE: bodies become operations of the one way to write, its results the plugin's answers.
use super::ask::Ask;
use super::body::{self, Body as Given, Element, Fields, Item, Verb};
use super::document::{Document, Related, Shape};
use super::error::{Refusal, Result, fields};
use super::negotiate::Format;
use super::related::{Known, resolve};
use super::resource::{Resource, json, note_parameters, version, view, written};
use super::{etag, field::Access};
use crate::error::Error;
use crate::filter::{View, with_ids};
use crate::principal::Act;
use crate::service::batch::{Done, Mode, Operation};
use crate::service::read::{self, Listing, Ordering, Parents, ROOT};
use crate::service::{last_updated, rules};
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Objects of one bulk request at most: what one transaction does in the time that a request has.
const MOST: usize = 10_000;

/// The body of a request, of so many bytes at most, read as far as its outer form.
pub async fn read_body(ask: &Ask, body: Body, limit: usize) -> Result<Given> {
    let bytes = ask.body(body, limit).await?;
    body::parse(&bytes).map_err(|error| Refusal::detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {error}")))
}

/// What stands where an object should.
fn no_object(element: &Element) -> Option<Value> {
    match element {
        Element::Object(_) => None,
        Element::Null => Some(json!({"non_field_errors": ["No data provided"]})),
        Element::Other(ty) => {
            let message = format!("Invalid data. Expected a dictionary, but got {ty}.");
            Some(json!({"non_field_errors": [message]}))
        }
    }
}

/// The fields of a body that must be one object.
pub fn one_object(body: Given) -> Result<Fields> {
    match body {
        Given::One(Element::Object(fields)) => Ok(fields),
        Given::One(other) => Err(Refusal::wrong(no_object(&other).unwrap_or_default())),
        Given::Many(_) => {
            Err(Refusal::wrong(json!({"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]})))
        }
    }
}

/// The elements of a body that must be a list.
fn list(body: Given) -> Result<Vec<Element>> {
    let ty = match body {
        Given::Many(elements) => return within_bounds(elements),
        Given::One(Element::Object(_)) => "dict",
        Given::One(Element::Null) => "NoneType",
        Given::One(Element::Other(ty)) => ty,
    };
    let message = format!("Expected a list of items but got type \"{ty}\".");
    Err(Refusal::wrong(json!({"non_field_errors": [message]})))
}

fn within_bounds(elements: Vec<Element>) -> Result<Vec<Element>> {
    if elements.len() <= MOST {
        return Ok(elements);
    }
    let message = format!("A request may hold at most {MOST} objects; this one holds {}.", elements.len());
    Err(Refusal::wrong(json!({"non_field_errors": [message]})))
}

/// Reads the fields of an object, and what they refer to.
async fn item<M: Resource>(ask: &mut Ask, verb: Verb, fields: Fields, known: &mut Known) -> Result<Item> {
    let mut item = Item::new(M::spec(), verb, fields);
    let unknown = item.unknown().map(str::to_owned).collect::<Vec<_>>();
    unknown.iter().for_each(|name| ask.ignore(name, name));
    resolve(&ask.app.db, &mut item, known).await?;
    Ok(item)
}

/// An operation of what could be read, with what could not.
fn operation<M: Resource>(mut item: Item, make: impl FnOnce(M::Patch) -> Operation<M::Patch>) -> Operation<M::Patch> {
    let patch = M::patch(&mut item);
    let problems = item.problems();
    let whole = make(patch);
    if problems.is_empty() { whole } else { Operation::Partial(Box::new(whole), problems) }
}

fn creation<M: Resource>(patch: M::Patch) -> Operation<M::Patch> {
    if M::spec().upserts { Operation::Upsert(patch) } else { Operation::Create(patch) }
}

/// POST on a list: one object, or a list of them.
pub async fn create<M: Resource>(ask: &mut Ask, body: Body) -> Result<Response> {
    note_parameters(ask, &["format"]);
    let mut known = Known::new();
    match read_body(ask, body, ask.limits.bulk_body).await? {
        Given::Many(elements) => create_many::<M>(ask, within_bounds(elements)?).await,
        one => {
            let item = item::<M>(ask, Verb::Create, one_object(one)?, &mut known).await?;
            ask.check_ignored()?;
            let done = write_one::<M>(ask, operation::<M>(item, creation::<M>)).await?;
            written::<M>(ask, done.id, done.created).await
        }
    }
}

async fn write_one<M: Resource>(ask: &Ask, operation: Operation<M::Patch>) -> Result<Done> {
    let mut outcome = ask.app.write::<M>(ask.actor(), &[operation], Mode::AllOrNothing).await?;
    match outcome.results.pop() {
        Some(Ok(done)) => Ok(done),
        Some(Err(Error::NotFound(_))) => Err(Refusal::no_match(M::KIND)),
        Some(Err(error)) => Err(error.into()),
        None => Err(Error::Internal("an operation without a result".into()).into()),
    }
}

async fn create_many<M: Resource>(ask: &mut Ask, elements: Vec<Element>) -> Result<Response> {
    let (mut known, mut operations, mut unread) = (Known::new(), Vec::new(), Vec::new());
    for element in elements {
        unread.push(element_problem(&element));
        operations.push(match element {
            Element::Object(fields) => {
                let item = item::<M>(ask, Verb::Create, fields, &mut known).await?;
                operation::<M>(item, creation::<M>)
            }
            _ => Operation::Unreadable(&[Act::Add], Vec::new()),
        });
    }
    ask.check_ignored()?;
    let outcome = ask.app.write::<M>(ask.actor(), &operations, Mode::AllOrNothing).await?;
    if !outcome.stays {
        return Err(aligned(unread, outcome.results)?);
    }
    let done = outcome.results.into_iter().collect::<Result<Vec<_>, Error>>()?;
    let ids = done.iter().map(|done| done.id).collect::<Vec<_>>();
    let rows = read::by_ids::<M::E>(&ask.app.db, &View::everything(), &ids).await?;
    // In the order of the request; an object that was written twice stands there twice.
    let rows = ids.iter().filter_map(|id| rows.get(id).cloned()).collect::<Vec<_>>();
    let all_old = !done.is_empty() && done.iter().all(|done| !done.created);
    let status = if all_old { StatusCode::OK } else { StatusCode::CREATED };
    many::<M>(ask, status, &rows).await
}

/// What is wrong with an element that is no object, as an element of the answer.
fn element_problem(element: &Element) -> Option<Value> {
    match element {
        Element::Null => Some(json!(["This field may not be null."])),
        other => no_object(other),
    }
}

/// The refusal of a bulk: a list in the order of the request, with what is wrong with each.
fn aligned(unread: Vec<Option<Value>>, results: Vec<Result<Done, Error>>) -> Result<Refusal> {
    let mut list = Vec::new();
    for (unread, result) in unread.into_iter().zip(results) {
        list.push(match (unread, result) {
            (Some(problem), _) => problem,
            (None, Ok(_)) => json!({}),
            (None, Err(Error::Input(problems))) => fields(&problems),
            (None, Err(error)) => return Err(error.into()),
        });
    }
    Ok(Refusal::wrong(Value::Array(list)))
}

async fn many<M: Resource>(ask: &Ask, status: StatusCode, rows: &[Arc<M>]) -> Result<Response> {
    let shape = Shape::whole(M::spec());
    let related = Related::load(&ask.app.db, &shape, rows).await?;
    let documents =
        rows.iter().map(|row| Document { row: row.as_ref(), shape: &shape, related: &related, base: &ask.base });
    let body = json(&documents.collect::<Vec<_>>())?;
    Ok((status, [(header::CONTENT_TYPE, Format::Json.media_type())], body).into_response())
}

/// PUT and PATCH on an object.
pub async fn update<M: Resource>(ask: &mut Ask, row: &M, verb: Verb, body: Body) -> Result<Response> {
    note_parameters(ask, &["format"]);
    // The time goes along: what changes between here and the write is noticed there.
    let if_last_updated = etag::must_match(&ask.headers, &version(row)?)?.then(|| last_updated(row)).flatten();
    let fields = one_object(read_body(ask, body, ask.limits.body).await?)?;
    let item = item::<M>(ask, verb, fields, &mut Known::new()).await?;
    ask.check_ignored()?;
    let id = row.id();
    let done =
        write_one::<M>(ask, operation::<M>(item, |patch| Operation::Update { id, if_last_updated, patch })).await?;
    written::<M>(ask, done.id, false).await
}

/// DELETE on an object. A body says nothing, but must be an object if there is one.
pub async fn delete<M: Resource>(ask: &mut Ask, row: &M, body: Body) -> Result<Response> {
    note_parameters(ask, &["format"]);
    ask.check_ignored()?;
    let if_last_updated = etag::must_match(&ask.headers, &version(row)?)?.then(|| last_updated(row)).flatten();
    one_object(read_body(ask, body, ask.limits.body).await?)?;
    write_one::<M>(ask, Operation::Delete { id: row.id(), if_last_updated }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The ids of a bulk, aligned with its elements, or the list of what is wrong with them.
fn ids(elements: &[Element]) -> Result<Vec<i64>> {
    let read = |element: &Element| -> Result<i64, Value> {
        let Element::Object(fields) = element else { return Err(element_problem(element).unwrap_or_default()) };
        let told = |problem: crate::error::Problem| json!({"id": [problem.message]});
        let Some(raw) = fields.get("id") else { return Err(told(rules::required("id"))) };
        let value = serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
        let number = match &value {
            Value::Null => return Err(told(rules::not_null("id"))),
            Value::String(text) => body::number_of(text),
            Value::Number(_) => body::number_of(raw.get()),
            _ => None,
        };
        let end = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        number.map(end).ok_or_else(|| json!({"id": ["A valid integer is required."]}))
    };
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    for element in elements {
        match read(element) {
            Ok(id) => {
                ids.push(id);
                problems.push(json!({}));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if ids.len() == elements.len() { Ok(ids) } else { Err(Refusal::wrong(Value::Array(problems))) }
}

/// Which of these ids are of objects with which one may do this; the others are passed over.
async fn reachable<M: Resource>(ask: &mut Ask, ids: &[i64], act: Act) -> Result<HashSet<i64>> {
    let small = ids.iter().filter_map(|id| i32::try_from(*id).ok()).collect::<Vec<_>>();
    let filter = with_ids(M::KIND, &small);
    let found = read::ids(&ask.app.db, &view::<M>(ask, act), M::KIND, &filter, ids.len() as u64).await?;
    let found = found.into_iter().map(i64::from).collect::<HashSet<_>>();
    for id in ids.iter().filter(|id| !found.contains(id)) {
        ask.ignore("id", &id.to_string());
    }
    Ok(found)
}

/// PUT and PATCH on a list: all or nothing.
pub async fn update_many<M: Resource>(ask: &mut Ask, verb: Verb, body: Body) -> Result<Response> {
    note_parameters(ask, &["format"]);
    let elements = list(read_body(ask, body, ask.limits.bulk_body).await?)?;
    let ids = ids(&elements)?;
    let reachable = reachable::<M>(ask, &ids, Act::Change).await?;
    let (mut known, mut operations) = (Known::new(), Vec::new());
    for (element, id) in elements.into_iter().zip(&ids) {
        let (Element::Object(mut fields), true) = (element, reachable.contains(id)) else { continue };
        let Ok(id) = i32::try_from(*id) else { continue };
        // It says which object; it is no change of it.
        if M::spec().field("id").is_some_and(|field| field.access == Access::Once) {
            fields.remove("id");
        }
        let item = item::<M>(ask, verb, fields, &mut known).await?;
        operations.push(operation::<M>(item, |patch| Operation::Update { id, if_last_updated: None, patch }));
    }
    ask.check_ignored()?;
    let outcome = ask.app.write::<M>(ask.actor(), &operations, Mode::AllOrNothing).await?;
    for result in outcome.results {
        result?;
    }
    let rows = ordered::<M>(ask, &reachable).await?;
    many::<M>(ask, StatusCode::OK, &rows).await
}

/// These objects in the model's default order.
async fn ordered<M: Resource>(ask: &Ask, ids: &HashSet<i64>) -> Result<Vec<Arc<M>>> {
    let ids = ids.iter().filter_map(|id| i32::try_from(*id).ok()).collect::<Vec<_>>();
    let listing = Listing {
        filter: with_ids(M::KIND, &ids),
        ordering: Ordering::new(M::KIND, Vec::new()),
        page: crate::page::Page::first(ids.len() as u64),
        unread: Vec::new(),
    };
    let mut pages = read::pages::<M::E>(&ask.app.db, &View::everything(), &listing, Parents::Root).await?;
    Ok(pages.remove(&ROOT).map_or_else(Vec::new, |page| page.rows.into_iter().map(|keyed| keyed.row).collect()))
}

/// DELETE on a list: all or nothing.
pub async fn delete_many<M: Resource>(ask: &mut Ask, body: Body) -> Result<Response> {
    note_parameters(ask, &["format"]);
    let elements = list(read_body(ask, body, ask.limits.bulk_body).await?)?;
    let ids = ids(&elements)?;
    let reachable = reachable::<M>(ask, &ids, Act::Delete).await?;
    ask.check_ignored()?;
    let mut seen = HashSet::new();
    let wanted = ids.into_iter().filter(|id| reachable.contains(id) && seen.insert(*id));
    let wanted = wanted.filter_map(|id| i32::try_from(id).ok());
    let operations = wanted.map(|id| Operation::Delete { id, if_last_updated: None }).collect::<Vec<_>>();
    let outcome = ask.app.write::<M>(ask.actor(), &operations, Mode::AllOrNothing).await?;
    for result in outcome.results {
        result?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
