//! POST on an endpoint's `sync/`: a run is written down, and goes on in the background.
use super::super::ask::Ask;
use super::super::error::{Refusal, Result};
use super::super::filter::truth;
use super::super::resource::{note_parameters, view};
use super::super::write::{one_object, read_body};
use super::{document, number};
use crate::entity::{Kind, endpoint};
use crate::filter::with_ids;
use crate::principal::Act;
use crate::service::endpoint::disabled;
use crate::service::read;
use axum::Json;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Starts a run.
pub async fn start(ask: &mut Ask, endpoint: &str, body: Body) -> Result<Response> {
    if !ask.principal.may(Kind::Endpoint, Act::View) {
        return Err(Refusal::forbidden());
    }
    let id = number(endpoint)?.ok_or_else(|| Refusal::no_match(Kind::Endpoint))?;
    let view = view::<endpoint::Model>(ask, Act::View);
    let row = read::find::<endpoint::Entity>(&ask.app.db, &view, &with_ids(Kind::Endpoint, &[id])).await?;
    let row = row.ok_or_else(|| Refusal::no_match(Kind::Endpoint))?;
    // Nothing in it means anything, but a client that sends JSON sends at least braces.
    for name in one_object(read_body(ask, body, ask.limits.body).await?)?.into_keys() {
        ask.ignore(&name, &name);
    }
    note_parameters(ask, &["dry_run", "format"]);
    ask.check_ignored()?;
    let given = ask.query.last("dry_run").map(str::trim).filter(|text| !text.is_empty());
    let dry_run = given.map(truth).transpose().map_err(|error| error.within("dry_run"))?.unwrap_or(false);
    if !row.enabled {
        return Err(Refusal::parameter("enabled", disabled(&row)));
    }
    let started = crate::sync::start(&ask.app, &ask.actor(), &[row.id], dry_run).await?;
    let mut documents = document::runs(ask, &started).await?;
    let mut response = (StatusCode::ACCEPTED, Json(documents.pop())).into_response();
    let location = started.first().and_then(|run| document::url(&ask.base, run.id).parse().ok());
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
