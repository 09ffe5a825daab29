//! Lists as CSV or NDJSON: a page at a time in the order of the list, so that memory stays flat and no transaction
//! lasts longer than a page. Without `limit` everything is sent.
use super::ask::Ask;
use super::document::{Document, Related};
use super::error::Result;
use super::list::Question;
use super::negotiate::Format;
use super::resource::{Resource, json};
use crate::app::App;
use crate::error::Error;
use crate::service::read::{self, Parents, ROOT};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{StreamExt, iter, try_unfold};
use serde_json::Value;

/// Rows of a page.
const STEP: u64 = 1_000;

/// Where a stream is.
struct State {
    app: App,
    question: Question,
    format: Format,
    base: String,
    /// Rows that are still wanted; none = all.
    left: Option<u64>,
    begun: bool,
    done: bool,
}

/// Begins a stream. Its first part is read within the time of the request, so that what fails at once is told as an
/// error. An error behind it cuts the connection, so that nobody takes a part for the whole.
pub async fn stream<M: Resource>(ask: &Ask, question: Question, format: Format) -> Result<Response> {
    let wanted = ask.query.last("limit").is_some().then_some(question.listing.page.limit);
    let base = ask.base.clone();
    let state = State { app: ask.app.clone(), question, format, base, left: wanted, begun: false, done: false };
    let (first, state) = state.step::<M>().await?;
    let others = try_unfold(state, async |state| {
        if state.done {
            return Ok(None);
        }
        state.step::<M>().await.map(Some).inspect_err(|error| tracing::warn!("a stream was cut: {error}"))
    });
    let body = Body::from_stream(iter([Ok(first)]).chain(others));
    let mut response = ([(header::CONTENT_TYPE, format.media_type())], body).into_response();
    if format == Format::Csv {
        let name = M::KIND.rest_path().trim_end_matches('/').rsplit('/').next().unwrap_or("list");
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
    }
    Ok(response)
}

impl State {
    /// The next part, when the client has taken the last one.
    async fn step<M: Resource>(mut self) -> Result<(Bytes, Self), Error> {
        let listing = &mut self.question.listing;
        listing.page.limit = self.left.map_or(STEP, |left| left.min(STEP));
        let found = read::pages::<M::E>(&self.app.db, &self.question.view, listing, Parents::Root).await?;
        let page = found.into_iter().find(|(parent, _)| *parent == ROOT).map(|(_, page)| page);
        let (rows, more) = page.map_or_else(Default::default, |page| (page.rows, page.more));
        self.left = self.left.map(|left| left.saturating_sub(rows.len() as u64));
        self.done = !more || self.left == Some(0);
        if let Some(last) = rows.last() {
            listing.page.after = Some(last.position.clone());
            listing.page.offset = 0;
        }
        let rows = rows.into_iter().map(|keyed| keyed.row).collect::<Vec<_>>();
        let Question { shape, .. } = &self.question;
        let related = Related::load(&self.app.db, shape, &rows).await?;
        let documents =
            rows.iter().map(|row| Document { row: row.as_ref(), shape, related: &related, base: &self.base });
        let part = match self.format {
            Format::Csv => self.table(documents)?,
            _ => lines(documents)?,
        };
        self.begun = true;
        Ok((part.into(), self))
    }

    /// Rows of a table, with its head in the first part.
    fn table<'a, M: Resource>(&self, documents: impl Iterator<Item = Document<'a, M>>) -> Result<Vec<u8>, Error> {
        let told = |error: csv::Error| Error::Internal(format!("a row is no CSV: {error}"));
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if !self.begun {
            table.write_record(self.question.shape.0.iter().map(|field| field.name)).map_err(told)?;
        }
        for document in documents {
            let Ok(Value::Object(object)) = serde_json::to_value(&document) else {
                return Err(Error::Internal("an object is no JSON".into()));
            };
            table.write_record(object.values().map(cell)).map_err(told)?;
        }
        table.into_inner().map_err(|error| Error::Internal(format!("a table cannot be written: {error}")))
    }
}

fn lines<'a, M: Resource>(documents: impl Iterator<Item = Document<'a, M>>) -> Result<Vec<u8>, Error> {
    let mut part = Vec::new();
    for document in documents {
        let told = |_| Error::Internal("an object is no JSON".into());
        part.extend(json(&document).map_err(told)?);
        part.push(b'\n');
    }
    Ok(part)
}

/// A value as a cell: nested objects by what people read, a mode by its value, tags by slug, other JSON as text.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text.clone()),
        Value::Array(list) if list.iter().all(|tag| tag.get("slug").is_some()) => {
            harmless(list.iter().filter_map(|tag| tag["slug"].as_str()).collect::<Vec<_>>().join(","))
        }
        Value::Object(object) => match (object.get("display"), object.get("value")) {
            (Some(Value::String(display)), _) if object.contains_key("url") => harmless(display.clone()),
            (_, Some(Value::String(mode))) if object.contains_key("label") => mode.clone(),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// Spreadsheets take a text that begins like this for a formula and run it; an apostrophe makes it a text.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_harmless() {
        for (value, expected) in [
            (json!("=1+1"), "'=1+1"),
            (json!("+49"), "'+49"),
            (json!("-x"), "'-x"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("\t=1"), "'\t=1"),
            (json!("a=b"), "a=b"),
            (json!(-3), "-3"),
            (json!(null), ""),
            (json!(true), "true"),
            (json!({"id": 1, "url": "u", "display": "=x", "name": "x"}), "'=x"),
            (json!({"value": "cluster", "label": "Cluster"}), "cluster"),
            (json!([{"slug": "a"}, {"slug": "b"}]), "a,b"),
            (json!([]), ""),
            (json!({"a": [1]}), "{\"a\":[1]}"),
        ] {
            assert_eq!(cell(&value), expected, "{value}");
        }
    }
}
