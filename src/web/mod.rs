//! The pages a browser gets: GraphiQL, bundled from `web/` by `build.rs` and embedded, or, in a
//! build without it, a plain page of our own.
//!
//! Nothing here needs a token: the pages hold no data, and ask for the token themselves. All
//! addresses are relative, so the server may sit behind any path prefix.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// What `build.rs` bundled; empty when it could not, or was told not to.
#[derive(Debug, rust_embed::Embed)]
#[folder = "$OUT_DIR/web"]
struct Bundle;

/// The page for builds without the bundle, always there: its parts and their content.
const FALLBACK: [(&str, &str); 3] = [
    ("fallback.html", include_str!("fallback.html")),
    ("fallback.js", include_str!("fallback.js")),
    ("fallback.css", include_str!("fallback.css")),
];

/// Only files of this server run, and nobody may frame the page: it holds a token. GraphiQL's
/// editor sets styles inline and embeds its icon font; subscriptions need `ws:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// `/graphiql` and all below it.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/graphiql", get(redirect))
        .route("/graphiql/", get(index))
        .route("/graphiql/{*path}", get(file))
}

/// The slash matters: the page's addresses are relative to it. A browser resolves the relative
/// location under its own prefix and carries the fragment, with the token, over.
async fn redirect() -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "graphiql/")]).into_response()
}

async fn index(headers: HeaderMap) -> Response {
    let page = if Bundle::get("index.html").is_some() { "index.html" } else { "fallback.html" };
    serve(page, &headers)
}

async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(&path, &headers)
}

fn serve(path: &str, headers: &HeaderMap) -> Response {
    let Some((data, tag)) = find(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Vite puts a hash of the content into the names below `assets/`.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, &tag),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    if is_known(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, data).into_response()
}

fn find(path: &str) -> Option<(Cow<'static, [u8]>, String)> {
    if let Some(file) = Bundle::get(path) {
        return Some((file.data, tag(&file.metadata.sha256_hash()[..16])));
    }
    let (_, text) = FALLBACK.iter().find(|(name, _)| *name == path)?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Some((Cow::Borrowed(text.as_bytes()), tag(&hasher.finish().to_be_bytes())))
}

/// Weak, since the answer may be compressed on its way.
fn tag(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("W/\"{hex}\"")
}

/// Whether the browser holds the version `tag` already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag.trim_start_matches("W/"))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
