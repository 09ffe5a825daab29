//! GraphQL over HTTP: from a request's parts to its answer.
//!
//! Follows the specification's draft before August 2026 (a request refused before execution is
//! 400 for `application/graphql-response+json` and 200 for `application/json`). The library's own
//! handler does not: it executes mutations sent by GET and reads bodies of any content type, so
//! that any web page could write here.

mod answer;
mod document;
mod negotiate;
mod parameters;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, ObjectType, Schema, ServerError, SubscriptionType};
use async_graphql_parser::Error as ParseError;
use async_graphql_parser::types::OperationType;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use tokio::time::timeout;

use super::limits::{Cost, Limits, Measured, SchemaShape, measure};
use super::report::{Execution, coded, without_names};
use super::values::{InputShape, check_values, null_omitted};
use answer::{Answer, Extensions, Refused, Stage, media_or_json, reply};
use document::{parse, permit, select, select_once};
use negotiate::{prefers_page, wants_cost};
use parameters::{Parameters, admit, from_body, from_url};

use crate::body::{Cut, read};

/// What the route needs; built once.
#[derive(Clone)]
pub struct Transport<E> {
    schema: E,
    shape: Arc<SchemaShape>,
    inputs: Arc<InputShape>,
    limits: Limits,
    timeout: Duration,
    body_limit: usize,
}

impl<E> fmt::Debug for Transport<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("limits", &self.limits)
            .field("timeout", &self.timeout)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

impl<Q, M, S> Transport<Schema<Q, M, S>>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// A transport for the schema, which must have the extension
    /// [`Report`](super::report::Report): without it nothing counts as executed. Executing
    /// may take as long as `timeout`.
    ///
    /// # Errors
    /// If the schema's own SDL cannot be parsed.
    pub fn new(
        schema: Schema<Q, M, S>,
        limits: Limits,
        timeout: Duration,
        body_limit: usize,
    ) -> Result<Self, ParseError> {
        let sdl = schema.sdl();
        let shape = Arc::new(SchemaShape::from_sdl(&sdl)?);
        let inputs = Arc::new(InputShape::from_sdl(&sdl)?);
        Ok(Self { schema, shape, inputs, limits, timeout, body_limit })
    }
}

/// What the transport must know of who asks.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The id of the request, which is told with internal errors.
    pub request_id: &'a str,
    /// Whether the schema may be read: by introspection, and from the names in errors.
    pub may_introspect: bool,
}

impl Client<'_> {
    /// Refuses introspection by who may not read the schema.
    fn permit(self, measured: &Measured) -> Result<(), Refused> {
        if self.may_introspect || !measured.introspects() {
            return Ok(());
        }
        let message = "The schema is not told: introspection needs a token, or is switched off on this server.";
        Err(Refused::request(vec![coded("INTROSPECTION_DISABLED", message, None)]))
    }

    /// What is wrong with the request, as this client may read it.
    fn refused(self, mut errors: Vec<ServerError>) -> Refused {
        if !self.may_introspect {
            errors.iter_mut().for_each(without_names);
        }
        Refused::request(errors)
    }
}

/// One GraphQL request from its HTTP parts to its HTTP answer. `prepare` puts what the
/// resolvers need (principal, loaders) into the request; it is called only for requests that
/// are about to be validated and executed.
pub async fn answer<E: Executor>(
    transport: &Transport<E>,
    request: axum::extract::Request,
    client: Client<'_>,
    prepare: impl FnOnce(async_graphql::Request) -> async_graphql::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut cost = None;
    let executed = execute(transport, &parts, body, client, prepare, &mut cost).await;
    let cost = cost.filter(|_| wants_cost(&parts.headers));
    match executed {
        Ok(response) => {
            let extensions = cost.map(|cost| Extensions { cost });
            let body = Answer { data: Some(&response.data), errors: &response.errors, extensions };
            reply(media_or_json(&parts.headers), Stage::Executed, &body)
        }
        Err(refused) => refused.into_response(&parts.headers, cost),
    }
}

/// An error answer from outside of execution, in the media type the client prefers. For those who
/// answer in the transport's stead (before it, or when it panicked).
#[must_use]
pub fn refuse(headers: &HeaderMap, status: StatusCode, code: &'static str, message: &str) -> Response {
    Refused::http(status, code, message).into_response(headers, None)
}

/// Whether this is a browser navigating here, whom GraphiQL serves better. Such a request cannot
/// bring a token, so this is to be asked before authentication.
#[must_use]
pub fn wants_page(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET && prefers_page(headers)
}

/// Everything `answer` does but the answer. As soon as the cost of the operation is known it is put there, since refused
/// requests have one too.
async fn execute<E: Executor>(
    transport: &Transport<E>,
    parts: &Parts,
    body: Body,
    client: Client<'_>,
    prepare: impl FnOnce(async_graphql::Request) -> async_graphql::Request,
    cost: &mut Option<Cost>,
) -> Result<async_graphql::Response, Refused> {
    admit(parts)?;
    let Parameters { query, operation_name, mut variables } =
        if parts.method == Method::GET { from_url(parts)? } else { from_body(&sent(transport, parts, body).await?)? };
    let document = parse(&query, &transport.limits)?;
    let operation = select(&document, operation_name.as_deref())?;
    permit(operation.ty, &parts.method)?;
    let measured = measure(&document, &variables, &transport.shape, &transport.limits)?;
    *cost = measured.cost(operation, &transport.limits);
    client.permit(&measured)?;
    measured.check(&transport.limits)?;
    if operation.ty == OperationType::Mutation {
        select_once(&document, operation)?;
    }
    check_values(&document, operation, &variables, &transport.inputs).map_err(|errors| client.refused(errors))?;
    null_omitted(&document, operation, &mut variables);

    let execution = Execution::new(client.request_id, client.may_introspect);
    let mut request = async_graphql::Request::new(query).variables(variables);
    request.operation_name = operation_name;
    let mut request = prepare(request).data(execution.clone());
    request.set_parsed_query(document);
    let response = timeout(transport.timeout, transport.schema.execute(request)).await.map_err(|_| {
        let message = format!("The request took longer than {}.", seconds(transport.timeout));
        Refused::http(StatusCode::GATEWAY_TIMEOUT, "TIMEOUT", message)
    })?;
    if execution.begun() { Ok(response) } else { Err(client.refused(response.errors)) }
}

/// The body, which may take as long as whoever watches it allows.
async fn sent<E>(transport: &Transport<E>, parts: &Parts, body: Body) -> Result<Vec<u8>, Refused> {
    read(&parts.headers, body, transport.body_limit).await.map_err(|cut| {
        let code = match cut {
            Cut::Idle(_) | Cut::Late(_) => "TIMEOUT",
            Cut::TooLong(_) | Cut::Broken => "BAD_USER_INPUT",
            Cut::Overloaded => "OVERLOADED",
        };
        Refused::http(cut.status(), code, cut.to_string())
    })
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}

#[cfg(test)]
mod tests;
