//! What an answer says about errors: an extension of the schema.
//!
//! The library nulls the parent of a nullable field that fails, and gives an error that
//! bubbles up the path of the field where it was caught. So the extension takes each error at its
//! field, decides there between null and bubbling by the field's type, and adds what it took to
//! the answer at the end. It also sees that no error leaves without a code, or with words that
//! nobody meant for the client.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextRequest, NextResolve,
    NextSubscribe, NextValidation, ResolveInfo,
};
use async_graphql::parser::types::{ExecutableDocument, Field};
use async_graphql::{
    PathSegment, Pos, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, ValidationResult, Value,
    Variables,
};
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

/// What the client reads in place of an error that nobody worded for it.
const MASKED: &str = "Internal server error.";
const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

/// The execution of one request, put among its data: tells whether it began (before that there
/// is no `data`, and no status 200 for `application/graphql-response+json`), and the request's id.
#[derive(Clone, Debug)]
pub struct Execution(Arc<State>);

#[derive(Debug)]
struct State {
    begun: AtomicBool,
    request_id: String,
    tells_names: bool,
}

impl Execution {
    /// One that has not begun. The id is given to the client with internal errors, and names of the schema only if it
    /// may know them.
    #[must_use]
    pub fn new(request_id: impl Into<String>, tells_names: bool) -> Self {
        Self(Arc::new(State { begun: AtomicBool::new(false), request_id: request_id.into(), tells_names }))
    }

    /// Whether a field was, or is about to be, resolved.
    #[must_use]
    pub fn begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }
}

/// An error with a code from the closed list.
#[must_use]
pub fn coded(code: &'static str, message: impl Into<String>, pos: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, pos);
    set_code(&mut error, code);
    error
}

/// The `extensions.code` of an error.
#[must_use]
pub fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

fn set_code(error: &mut ServerError, code: &'static str) {
    error.extensions.get_or_insert_default().set("code", code);
}

/// Words an error anew that may name what only the schema tells: fields, arguments, types, values of enums. Its code and
/// its places stay.
pub fn without_names(error: &mut ServerError) {
    let words = match code(error) {
        Some("GRAPHQL_VALIDATION_FAILED") => "The document does not fit the schema at this place.",
        Some("BAD_USER_INPUT") => "A value does not fit its type at this place.",
        _ => return,
    };
    error.message = format!("{words} Only who may introspect is told more.");
}

/// The extension: nulls, paths, codes. For `SchemaBuilder::extension`.
#[derive(Clone, Copy, Debug)]
pub struct Report;

impl ExtensionFactory for Report {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Collector::default())
    }
}

/// The errors of one request, as the fields fail.
#[derive(Default)]
struct Collector(Mutex<Vec<ServerError>>);

/// Marks, as the source of an error, that what went wrong is already collected.
struct Bubbling;

#[async_trait]
impl Extension for Collector {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        seal(next.run(ctx).await, None)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        next.run(ctx, stream).map(|response| seal(response, None)).boxed()
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        next.run(ctx, query, variables).await.map_err(|error| with_code(error, "GRAPHQL_PARSE_FAILED"))
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx)
            .await
            .map_err(|errors| errors.into_iter().map(|error| with_code(error, "GRAPHQL_VALIDATION_FAILED")).collect())
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let execution = ctx.data_opt::<Execution>();
        if let Some(execution) = execution {
            execution.0.begun.store(true, Ordering::Release);
        }
        let mut response = next.run(ctx, operation_name).await;
        response.errors.retain(|error| error.source::<Bubbling>().is_none());
        response.errors.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if response.errors.is_empty() {
            return response;
        }
        once_a_field(&mut response.errors);
        seal(response, execution)
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (node, field, nullable) = (info.path_node, info.field, !info.return_type.ends_with('!'));
        match next.run(ctx, info).await {
            Err(error) => {
                let tells_names = ctx.data_opt::<Execution>().is_none_or(|execution| execution.0.tells_names);
                self.failed(error, node, field, nullable, tells_names)
            }
            value => value,
        }
    }
}

impl Collector {
    /// A field failed, or something non-null below it did.
    #[cold]
    fn failed(
        &self,
        mut error: ServerError,
        node: &QueryPathNode<'_>,
        field: &Field,
        nullable: bool,
        tells_names: bool,
    ) -> ServerResult<Option<Value>> {
        if error.source::<Bubbling>().is_none() {
            if code(&error).is_none() && about_arguments(&error, field) {
                set_code(&mut error, "BAD_USER_INPUT");
            }
            if !tells_names {
                without_names(&mut error);
            }
            place(&mut error, field);
            error.path = path(node);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
        }
        if nullable {
            return Ok(Some(Value::Null));
        }
        let mut bubbling = ServerError::new("", None);
        bubbling.source = Some(Arc::new(Bubbling));
        Err(bubbling)
    }
}

fn path(node: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let mut path: Vec<_> = std::iter::successors(Some(node), |node| node.parent)
        .map(|node| match node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(index),
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        })
        .collect();
    path.reverse();
    path
}

/// Whether the library itself found fault with the value of an argument. It places such errors at
/// the value (or nowhere, if there is none), all others at the field. Their words are about
/// the value and the type, so the client may read them.
fn about_arguments(error: &ServerError, field: &Field) -> bool {
    error.source.is_none()
        && error.locations.first().is_some_and(|location| {
            *location == Pos::default() || field.arguments.iter().any(|(_, value)| value.pos == *location)
        })
}

/// Gives an error the place of its field if the library put it at line 0, where there is nothing.
fn place(error: &mut ServerError, field: &Field) {
    for location in &mut error.locations {
        if *location == Pos::default() {
            *location = field.name.pos;
        }
    }
}

/// Drops all errors of a field but the first. A field selected in several places is resolved as
/// often, though the client gets one value.
fn once_a_field(errors: &mut Vec<ServerError>) {
    if errors.len() < 2 {
        return;
    }
    let mut seen = HashSet::new();
    errors.retain(|error| error.path.is_empty() || seen.insert(format!("{:?}", error.path)));
}

/// The code for an error the library made before execution: by its words where they tell, else the
/// one given.
fn with_code(mut error: ServerError, otherwise: &'static str) -> ServerError {
    if code(&error).is_none() {
        let code = library_code(&error.message).unwrap_or(otherwise);
        set_code(&mut error, code);
    }
    error.locations.retain(|location| *location != Pos::default());
    error
}

/// The codes of those errors of the library that the phase does not tell.
fn library_code(message: &str) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 8] = [
        ("recursion limit exceeded", "QUERY_TOO_DEEP"),
        ("The recursion depth of the query", "QUERY_TOO_DEEP"),
        ("Query is nested too deep", "QUERY_TOO_DEEP"),
        ("Query is too complex", "QUERY_TOO_COMPLEX"),
        ("The number of directives on the field", "QUERY_TOO_COMPLEX"),
        ("The amount of aliases", "TOO_MANY_ALIASES"),
        ("Unknown operation named", "OPERATION_RESOLUTION_FAILURE"),
        ("Operation name required", "OPERATION_RESOLUTION_FAILURE"),
    ];
    BEGINNINGS.iter().find(|(beginning, _)| message.starts_with(beginning)).map(|(_, code)| *code)
}

/// Sees to it that every error has a code. One that has none was not meant for the client (ours all
/// have one): its words go to the log.
fn seal(mut response: Response, execution: Option<&Execution>) -> Response {
    let request_id = execution.map(|execution| execution.0.request_id.as_str());
    for error in &mut response.errors {
        if code(error).is_none() {
            mask(error, request_id);
        }
        if let Some(request_id) = request_id
            && code(error) == Some(INTERNAL)
        {
            error.extensions.get_or_insert_default().set("requestId", request_id);
        }
    }
    response
}

fn mask(error: &mut ServerError, request_id: Option<&str>) {
    match library_code(&error.message) {
        // A resolver's error has a path.
        Some(code) if error.path.is_empty() => set_code(error, code),
        _ => {
            tracing::error!(request_id, path = ?error.path, message = error.message, "error without a code");
            MASKED.clone_into(&mut error.message);
            error.source = None;
            error.extensions = None;
            set_code(error, INTERNAL);
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Request, Result, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn leaky(&self) -> Result<Option<i32>> {
            Err(Error::new("SELECT * FROM secret"))
        }
    }

    /// Without the transport, that is as WebSockets use the schema.
    #[tokio::test]
    async fn codes_without_the_transport() {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).extension(Report).finish();
        for (request, expected, begun) in [
            (Request::new("{"), "GRAPHQL_PARSE_FAILED", false),
            (Request::new("{ nope }"), "GRAPHQL_VALIDATION_FAILED", false),
            (Request::new("{ leaky }").operation_name("A"), "OPERATION_RESOLUTION_FAILURE", false),
            (
                Request::new("{ ".to_owned() + &"... { ".repeat(40) + "leaky" + &" }".repeat(41)),
                "QUERY_TOO_DEEP",
                false,
            ),
            (Request::new("{ leaky }"), INTERNAL, true),
        ] {
            let execution = Execution::new("r-1", true);
            let text = request.query.clone();
            let response = schema.execute_stream(request.data(execution.clone())).next().await;
            let error = response.and_then(|mut response| response.errors.pop());
            assert_eq!(error.as_ref().and_then(code), Some(expected), "{text}");
            assert!(error.is_some_and(|error| !error.message.contains("SELECT")));
            assert_eq!(execution.begun(), begun, "{text}");
        }
    }
}
