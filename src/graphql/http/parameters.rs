//! What a request asks: the parameters in its URL or body.
use async_graphql::Variables;
use axum::extract::Query;
use axum::http::header::CONTENT_ENCODING;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value as Json};

use super::super::report::coded;
use super::answer::Refused;
use super::negotiate::{has_json_body, media_type};

/// What can be told before reading a body.
pub(super) fn admit(parts: &Parts) -> Result<(), Refused> {
    if parts.method != Method::GET && parts.method != Method::POST {
        return Err(Refused::method("GET, POST", "GraphQL requests are sent by GET or POST."));
    }
    if media_type(&parts.headers).is_none() {
        let message = "The answer can be application/graphql-response+json or application/json; the Accept header allows neither.";
        return Err(Refused::http(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message));
    }
    if parts.method == Method::GET {
        return Ok(());
    }
    let unsupported =
        |message| Err(Refused::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message));
    if !has_json_body(&parts.headers) {
        return unsupported("The body must be sent as Content-Type: application/json, in UTF-8.");
    }
    if parts.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return unsupported("The body must be sent without a Content-Encoding, or with gzip.");
    }
    Ok(())
}

/// The parameters of a GraphQL request.
pub(super) struct Parameters {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
}

/// The parameters in the query string of a GET.
pub(super) fn from_url(parts: &Parts) -> Result<Parameters, Refused> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map_err(|_| Refused::malformed("The query string of the URL cannot be decoded."))?;
    let mut given = Map::new();
    for (name, value) in pairs {
        let value = match name.as_str() {
            "query" | "operationName" => Json::String(value),
            // As `operationName=`: left empty is left out.
            "variables" | "extensions" if value.is_empty() => Json::Null,
            "variables" | "extensions" => serde_json::from_str(&value)
                .map_err(|error| Refused::malformed(format!("`{name}` in the URL is not JSON: {error}.")))?,
            _ => continue,
        };
        if given.contains_key(&name) {
            return Err(Refused::malformed(format!("`{name}` is in the URL more than once.")));
        }
        given.insert(name, value);
    }
    parameters(given)
}

/// The parameters in the body of a POST.
pub(super) fn from_body(body: &[u8]) -> Result<Parameters, Refused> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(given)) => parameters(given),
        Ok(Json::Array(_)) => Err(Refused::malformed("Batches are not supported: send one request at a time.")),
        Ok(_) => Err(Refused::malformed("The body must be a JSON object.")),
        Err(error) => Err(Refused::malformed(format!("The body is not JSON: {error}."))),
    }
}

fn parameters(mut given: Map<String, Json>) -> Result<Parameters, Refused> {
    let operation_name = text(&mut given, "operationName")?.filter(|name| !name.is_empty());
    let variables = object(&mut given, "variables")?.unwrap_or_default();
    let extensions = object(&mut given, "extensions")?.unwrap_or_default();
    let query = match text(&mut given, "query")? {
        Some(query) => query,
        // Nothing is stored here. With this answer clients send the text.
        None if extensions.contains_key("persistedQuery") => {
            let error = coded("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", None);
            return Err(Refused::request(vec![error]));
        }
        None => return Err(Refused::malformed("`query` is missing: it must be the text of a GraphQL document.")),
    };
    Ok(Parameters { query, operation_name, variables: Variables::from_json(Json::Object(variables)) })
}

fn text(given: &mut Map<String, Json>, name: &str) -> Result<Option<String>, Refused> {
    match given.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::malformed(format!("`{name}` must be a string."))),
    }
}

fn object(given: &mut Map<String, Json>, name: &str) -> Result<Option<Map<String, Json>>, Refused> {
    match given.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Refused::malformed(format!("`{name}` must be a JSON object."))),
    }
}
