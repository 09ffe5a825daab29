//! Whether requests can be served.
use crate::app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why requests cannot be served; none if the database answers and no migration is missing.
pub async fn problem(app: &App) -> Option<&'static str> {
    let problem = match (app.db.ping().await, app.db.pending().await) {
        (Ok(()), Ok(pending)) if pending.is_empty() => return None,
        (Ok(()), Ok(_)) => "migrations are missing",
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!("{error}");
            "the database does not answer"
        }
    };
    tracing::warn!("not ready: {problem}");
    Some(problem)
}

/// Whether requests can be served, and no more: anybody may ask.
pub async fn ready(State(app): State<App>) -> Response {
    match problem(&app).await {
        None => "ready\n".into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}
