//! The verbs, once for every resource: who may, on which rows, and what is answered.
use super::ask::{Ask, Caller};
use super::body::Item;
use super::document::{Document, Related, Shape, url};
use super::error::{Refusal, Result};
use super::field::Spec;
use super::negotiate::{Format, negotiate};
use super::{etag, list, metadata, write};
use crate::error::Error;
use crate::filter::{Filter, View, with_ids};
use crate::principal::Act;
use crate::service::{Writable, last_updated, read};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::ser::SerializeMap;
use std::sync::Arc;

/// A model as REST shows and takes it.
pub trait Resource: Writable {
    /// Its fields.
    fn spec() -> &'static Spec;

    /// The id that a reference holds.
    fn reference(&self, field: &str) -> Option<i32>;

    /// Writes a field of its own: no id, url, display, reference or tags.
    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error>;

    /// What a body gives of it.
    fn patch(item: &mut Item) -> Self::Patch;
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub enum Target {
    List,
    /// The last part of the path, which should be an id.
    One(String),
}

/// The methods of a list and of an object.
const OF_LISTS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const OF_OBJECTS: &str = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";

/// Answers a request about a resource.
pub async fn answer<M: Resource>(caller: Caller, target: Target, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let is_reading = matches!(parts.method, Method::GET | Method::HEAD);
    let format = negotiate(&parts.headers, is_reading && matches!(target, Target::List))?;
    let mut ask = Ask::enter(caller, &parts, format).await?;
    let act = act(&parts.method, &target)?;
    if act.is_some_and(|act| !may::<M>(&ask, act)) {
        return Err(Refusal::forbidden());
    }
    let answered = match target {
        Target::List => of_list::<M>(&mut ask, &parts.method, body).await,
        Target::One(text) => of_one::<M>(&mut ask, &parts.method, &text, body).await,
    };
    let mut response = answered.unwrap_or_else(Refusal::into_response);
    if ask.is_strict() {
        // A refusal above all says that it was this preference that it met.
        response.headers_mut().insert("preference-applied", header::HeaderValue::from_static("handling=strict"));
    } else {
        ask.tell_ignored(&mut response);
    }
    Ok(response)
}

/// What a method does with the model; OPTIONS nothing.
fn act(method: &Method, target: &Target) -> Result<Option<Act>> {
    Ok(Some(match (method, target) {
        (&Method::OPTIONS, _) => return Ok(None),
        (&(Method::GET | Method::HEAD), _) => Act::View,
        (&Method::POST, Target::List) => Act::Add,
        (&(Method::PUT | Method::PATCH), _) => Act::Change,
        (&Method::DELETE, _) => Act::Delete,
        (other, Target::List) => return Err(Refusal::method(other.as_str(), OF_LISTS)),
        (other, Target::One(_)) => return Err(Refusal::method(other.as_str(), OF_OBJECTS)),
    }))
}

fn may<M: Resource>(ask: &Ask, act: Act) -> bool {
    let upserts = act == Act::Add && M::spec().upserts;
    ask.principal.may(M::KIND, act) || (upserts && ask.principal.may(M::KIND, Act::Change))
}

async fn of_list<M: Resource>(ask: &mut Ask, method: &Method, body: Body) -> Result<Response> {
    match *method {
        Method::POST => write::create::<M>(ask, body).await,
        Method::PUT => write::update_many::<M>(ask, super::body::Verb::Replace, body).await,
        Method::PATCH => write::update_many::<M>(ask, super::body::Verb::Update, body).await,
        Method::DELETE => write::delete_many::<M>(ask, body).await,
        Method::OPTIONS => Ok(metadata::of_list::<M>(ask)),
        _ => list::list::<M>(ask).await,
    }
}

async fn of_one<M: Resource>(ask: &mut Ask, method: &Method, text: &str, body: Body) -> Result<Response> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let id = digits.then(|| text.parse::<i32>().ok());
    let act = match *method {
        Method::PUT | Method::PATCH => Act::Change,
        Method::DELETE => Act::Delete,
        _ => Act::View,
    };
    if *method == Method::OPTIONS {
        return Ok(metadata::of_one::<M>(ask));
    }
    // What is no number at all is no address of an object.
    let id = id.ok_or_else(Refusal::not_found)?.ok_or_else(|| Refusal::no_match(M::KIND))?;
    let row = find::<M>(ask, id, act).await?.ok_or_else(|| Refusal::no_match(M::KIND))?;
    match *method {
        Method::PUT => write::update::<M>(ask, &row, super::body::Verb::Replace, body).await,
        Method::PATCH => write::update::<M>(ask, &row, super::body::Verb::Update, body).await,
        Method::DELETE => write::delete::<M>(ask, &row, body).await,
        _ => detail::<M>(ask, row).await,
    }
}

/// Everything but the rows of this kind with which one may not do this: nested objects and relation filters are not
/// restricted, as in NetBox.
pub fn view<M: Resource>(ask: &Ask, act: Act) -> View {
    let scope = ask.principal.scope(M::KIND, act);
    View::of(|kind| if kind == M::KIND { scope.clone() } else { Filter::everything() })
}

/// The object of this id, if one may do this with it.
async fn find<M: Resource>(ask: &Ask, id: i32, act: Act) -> Result<Option<Arc<M>>> {
    Ok(read::find::<M::E>(&ask.app.db, &view::<M>(ask, act), &with_ids(M::KIND, &[id])).await?)
}

async fn detail<M: Resource>(ask: &mut Ask, row: Arc<M>) -> Result<Response> {
    note_parameters(ask, &["fields", "omit", "brief", "format"]);
    let query = ask.query.clone();
    let (shape, unknown) = query.shape(M::spec());
    unknown.iter().for_each(|(parameter, name)| ask.ignore(parameter, name));
    ask.check_ignored()?;
    let (body, tag) = document(ask, &row, &shape).await?;
    if etag::is_known(&ask.headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag), (header::CONTENT_TYPE, Format::Json.media_type().to_owned())], body).into_response())
}

/// Notes the parameters that mean nothing where no list is asked for.
pub fn note_parameters(ask: &mut Ask, known: &[&str]) {
    let unknown = ask.query.names().into_iter().filter(|name| !known.contains(name)).map(str::to_owned);
    for name in unknown.collect::<Vec<_>>() {
        ask.ignore(&name, &name);
    }
}

/// The JSON of an object, and its tag.
pub async fn document<M: Resource>(ask: &Ask, row: &Arc<M>, shape: &Shape) -> Result<(Vec<u8>, String)> {
    let related = Related::load(&ask.app.db, shape, std::slice::from_ref(row)).await?;
    let body = json(&Document { row: row.as_ref(), shape, related: &related, base: &ask.base })?;
    let tag = etag::tag(&version(row.as_ref())?, &body);
    Ok((body, tag))
}

/// The first half of an object's tag: when it changed last, or what it holds where nothing tells the time.
pub fn version<M: Resource>(row: &M) -> Result<String> {
    if let Some(time) = last_updated(row) {
        return Ok(super::document::time(time));
    }
    let shape = Shape::whole(M::spec());
    Ok(etag::hash(&json(&Document { row, shape: &shape, related: &Related::default(), base: "" })?))
}

/// Bytes of JSON.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(value).map_err(|error| Error::Internal(format!("an answer is no JSON: {error}")))?)
}

/// The answer about an object that was written.
pub async fn written<M: Resource>(ask: &Ask, id: i32, created: bool) -> Result<Response> {
    let rows = read::by_ids::<M::E>(&ask.app.db, &View::everything(), &[id]).await?;
    let row = rows.get(&id).ok_or_else(|| Refusal::no_match(M::KIND))?;
    let (body, tag) = document(ask, row, &Shape::whole(M::spec())).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let headers = [(header::ETAG, tag), (header::CONTENT_TYPE, Format::Json.media_type().to_owned())];
    let mut response = (status, headers, body).into_response();
    if let (true, Ok(location)) = (created, url(&ask.base, M::KIND, id).parse()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
