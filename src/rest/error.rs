//! How REST says no: the plugin's statuses and bodies.
use crate::auth::Denied;
use crate::body::Cut;
use crate::entity::Kind;
use crate::error::{Code, Error, Problem};
use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The result of a verb.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// An answer that refuses.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub body: Box<Value>,
    header: Option<(&'static str, HeaderValue)>,
}

/// What a token that may not do something is told.
pub const NOT_PERMITTED: &str = "You do not have permission to perform this action.";

impl Refusal {
    /// A refusal of the request as a whole.
    pub fn detail(status: StatusCode, message: impl Into<String>) -> Self {
        Self::body(status, json!({"detail": message.into()}))
    }

    /// A refusal with a body of its own.
    pub fn body(status: StatusCode, body: Value) -> Self {
        Self { status, body: Box::new(body), header: None }
    }

    /// What is wrong with the request, by place.
    pub fn wrong(body: Value) -> Self {
        Self::body(StatusCode::BAD_REQUEST, body)
    }

    /// What is wrong with one parameter or header.
    pub fn parameter(name: &str, message: impl Into<String>) -> Self {
        Self::wrong(json!({name: [message.into()]}))
    }

    /// There is no such object, or not for this token.
    pub fn no_match(kind: Kind) -> Self {
        Self::detail(StatusCode::NOT_FOUND, format!("No {} matches the given query.", model(kind)))
    }

    /// There is no such route.
    pub fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// The token may not do this.
    pub fn forbidden() -> Self {
        Self::detail(StatusCode::FORBIDDEN, NOT_PERMITTED)
    }

    /// The request took too long.
    pub fn timeout() -> Self {
        Self::detail(StatusCode::GATEWAY_TIMEOUT, "The request took too long.")
    }

    /// The client asks too often; after so many seconds it may ask again.
    fn throttled(seconds: u64) -> Self {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let message = format!("Request was throttled. Expected available in {seconds} {unit}.");
        Self::detail(StatusCode::TOO_MANY_REQUESTS, message).with("retry-after", seconds)
    }

    fn with(self, name: &'static str, value: impl Into<HeaderValue>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// The method is not one of those that the route has.
    pub fn method(method: &str, allowed: &'static str) -> Self {
        let message = format!("Method \"{method}\" not allowed.");
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, message).with("allow", HeaderValue::from_static(allowed))
    }
}

/// The plugin's name of a model.
pub fn model(kind: Kind) -> &'static str {
    match kind {
        Kind::NetBoxCluster => "Cluster",
        Kind::NetBoxDevice => "Device",
        other => other.type_name(),
    }
}

impl From<Denied> for Refusal {
    /// Authentication failures are 403, never 401, as recorded.
    fn from(denied: Denied) -> Self {
        let message = match denied {
            Denied::Missing => "Authentication credentials were not provided.".into(),
            Denied::Malformed => {
                "Invalid authorization header: Must be in the form \"Bearer <key>.<token>\" or \"Token <token>\"".into()
            }
            Denied::NoKey => "Invalid authorization header: Could not parse key from v2 token. Did you mean to use \
                              'Token' instead of 'Bearer'?"
                .into(),
            Denied::InvalidV1 => "Invalid v1 token".into(),
            Denied::InvalidV2 => "Invalid v2 token".into(),
            Denied::Expired => "Token expired".into(),
            Denied::Disabled => "Token disabled".into(),
            Denied::Address(address) => {
                format!("Source IP {address} is not permitted to authenticate using this token.")
            }
            Denied::Throttled { seconds } => return Self::throttled(seconds),
        };
        Self::detail(StatusCode::FORBIDDEN, message)
    }
}

impl From<Cut> for Refusal {
    fn from(cut: Cut) -> Self {
        let refusal = Self::detail(cut.status(), cut.to_string());
        if cut == Cut::Overloaded { refusal.with("retry-after", 1) } else { refusal }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let told = |status| Self::detail(status, error.to_string());
        match &error {
            Error::Input(problems) => Self::wrong(fields(problems)),
            Error::Cursor(message) => Self::parameter("start", *message),
            Error::PageTooLarge { .. } => told(StatusCode::BAD_REQUEST),
            Error::Forbidden(_) => Self::forbidden(),
            Error::NotFound(_) => Self::not_found(),
            Error::Conflict(_) => told(StatusCode::CONFLICT),
            Error::Stale(_) => told(StatusCode::PRECONDITION_FAILED),
            Error::Expired(_) => told(StatusCode::GONE),
            Error::Contention => told(StatusCode::SERVICE_UNAVAILABLE).with("retry-after", 1),
            Error::Timeout => Self::timeout(),
            Error::Database(_) | Error::Key(_) | Error::Internal(_) => {
                tracing::error!("{error}");
                Self::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
            }
        }
    }
}

/// Problems by field, as the plugin's serializers tell them.
pub fn fields(problems: &[Problem]) -> Value {
    let mut body = Map::new();
    for problem in problems {
        let name = problem.path.first().map_or("non_field_errors", String::as_str);
        match (problem.code, problem.path.get(1)) {
            // What must be unique together is told of the object as a whole.
            (Code::KeyTaken, _) => push(&mut body, "__all__", &problem.message),
            (_, Some(below)) if below == "non_field_errors" => {
                body.insert(name.to_owned(), json!({below: [problem.message]}));
            }
            _ => push(&mut body, name, &problem.message),
        }
    }
    Value::Object(body)
}

fn push(body: &mut Map<String, Value>, name: &str, message: &str) {
    let list = body.entry(name).or_insert_with(|| json!([]));
    if let Value::Array(list) = list {
        list.push(message.into());
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
