//! Runs of sync: starting one, and reading what they saw and changed. They are no resource: nobody writes them by hand.
mod document;
mod list;
mod question;
mod start;

pub use document::{CHANGE, Field, RUN};
pub use question::FILTERS;

use super::ask::{Ask, Caller};
use super::error::{Refusal, Result};
use super::negotiate::negotiate;
use super::resource::note_parameters;
use crate::entity::{RunStage, sync_run};
use crate::principal::Act;
use crate::service::read::sync;
use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The list of runs.
pub const PATH: &str = "/api/plugins/proxbox/sync-runs/";

/// What a path leads to, with the number in it as it stands there.
#[derive(Clone, Debug)]
pub enum Target {
    /// Starting a run of this endpoint.
    Start(String),
    Runs,
    Run(String),
    /// The changes of this run.
    Changes(String),
}

/// Answers a request about runs.
pub async fn answer(caller: Caller, target: Target, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let format = negotiate(&parts.headers, false)?;
    let mut ask = Ask::enter(caller, &parts, format).await?;
    let answered = dispatch(&mut ask, &parts.method, target, body).await?;
    let mut response = answered.unwrap_or_else(Refusal::into_response);
    if ask.is_strict() {
        response.headers_mut().insert("preference-applied", header::HeaderValue::from_static("handling=strict"));
    } else {
        ask.tell_ignored(&mut response);
    }
    Ok(response)
}

/// Who may not ask at all is refused before anything of the question is looked at.
async fn dispatch(ask: &mut Ask, method: &Method, target: Target, body: Body) -> Result<Result<Response>> {
    let (act, methods) = match target {
        Target::Start(_) => (Act::Add, "POST, OPTIONS"),
        _ => (Act::View, "GET, HEAD, OPTIONS"),
    };
    let allowed = match *method {
        Method::OPTIONS => return Ok(Ok(metadata(&target))),
        Method::POST => act == Act::Add,
        Method::GET | Method::HEAD => act == Act::View,
        _ => false,
    };
    if !allowed {
        return Err(Refusal::method(method.as_str(), methods));
    }
    if !ask.principal.may_with_runs(act) {
        return Err(Refusal::forbidden());
    }
    Ok(match target {
        Target::Start(endpoint) => start::start(ask, &endpoint, body).await,
        Target::Runs => list::runs(ask).await,
        Target::Run(run) => one(ask, &run).await,
        Target::Changes(run) => list::changes(ask, &run).await,
    })
}

/// What OPTIONS tells: nothing can be written but what starts a run.
fn metadata(target: &Target) -> Response {
    let (name, description) = match target {
        Target::Start(_) => {
            ("Sync", "Starts a run of sync of the endpoint; `?dry_run=true` only tells what would change.")
        }
        Target::Runs => ("Sync run List", "Runs of sync, the newest first."),
        Target::Run(_) => ("Sync run Instance", "A run of sync."),
        Target::Changes(_) => ("Sync change List", "What a run changed, or in a dry run would change."),
    };
    let json = ["application/json"];
    Json(json!({"name": name, "description": description, "renders": json, "parses": json})).into_response()
}

/// The number in a path; none for one that no row can have. What is no number at all is no address.
fn number(text: &str) -> Result<Option<i32>> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(text.parse().ok()),
        false => Err(Refusal::not_found()),
    }
}

/// The run of this number, if it may be viewed.
async fn find(ask: &Ask, text: &str) -> Result<sync_run::Model> {
    let found = match number(text)? {
        Some(id) => sync::run(&ask.app.db, ask.principal.view(), id).await?,
        None => None,
    };
    found.ok_or_else(|| Refusal::detail(StatusCode::NOT_FOUND, "No SyncRun matches the given query."))
}

async fn one(ask: &mut Ask, text: &str) -> Result<Response> {
    let run = find(ask, text).await?;
    note_parameters(ask, &["format"]);
    ask.check_ignored()?;
    let mut runs = document::runs(ask, &[run]).await?;
    Ok(Json(runs.pop()).into_response())
}

/// How many stages there are.
const STAGES: usize = RunStage::ALL.len();
