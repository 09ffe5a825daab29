//! Lists of runs, and of the changes of one, in the plugin's envelope.
use super::super::ask::Ask;
use super::super::error::Result;
use super::super::resource::note_parameters;
use super::question::{FILTERS, filter};
use super::{PATH, document, find};
use crate::service::read::sync::{self, Start};
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The page that a list is asked for.
#[derive(Clone, Copy, Debug)]
struct Page {
    limit: u64,
    offset: u64,
}

/// Reads the page; what is passed over is noted, and refused where the client wants it so.
fn page(ask: &mut Ask, filters: &[&str]) -> Result<Page> {
    let known = [&["limit", "offset", "format"][..], filters].concat();
    note_parameters(ask, &known);
    ask.check_ignored()?;
    let (limit, offset) = ask.query.window(ask.limits.pages);
    Ok(Page { limit, offset })
}

fn envelope(ask: &Ask, url: &str, Page { limit, offset }: Page, count: i64, results: &[Value]) -> Response {
    let (next, previous) = ask.query.neighbours(url, limit, offset, u64::try_from(count).unwrap_or(0));
    Json(json!({"count": count, "next": next, "previous": previous, "results": results})).into_response()
}

/// The list of runs, the newest first.
pub async fn runs(ask: &mut Ask) -> Result<Response> {
    let page = page(ask, &FILTERS.map(|(name, _)| name))?;
    let filter = filter(ask)?;
    let (db, view) = (&ask.app.db, ask.principal.view());
    let count = sync::count_runs(db, view, &filter).await?;
    let found = sync::runs(db, view, &filter, Start::Offset(page.offset), page.limit).await?;
    let results = document::runs(ask, &found.rows).await?;
    Ok(envelope(ask, &format!("{}{PATH}", ask.base), page, count, &results))
}

/// The changes of a run, in its order.
pub async fn changes(ask: &mut Ask, text: &str) -> Result<Response> {
    let run = find(ask, text).await?;
    let page = page(ask, &[])?;
    let (db, view) = (&ask.app.db, ask.principal.view());
    let count = sync::count_changes(db, view, &[run.id], None).await?.get(&run.id).copied().unwrap_or(0);
    let found = sync::changes_at(db, view, run.id, page.offset, page.limit).await?;
    let results = found.iter().map(document::of_change).collect::<Vec<_>>();
    Ok(envelope(ask, &format!("{}changes/", document::url(&ask.base, run.id)), page, count, &results))
}
