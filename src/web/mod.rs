//! The pages a browser gets: GraphiQL and the viewer of the REST API's document, bundled from `web/`
//! by `build.rs` and embedded, or, in a build without them, plain pages of our own.
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

/// The pages for builds without the bundle, always there: their parts and their content.
const FALLBACK: [(&str, &str); 4] = [
    ("fallback.html", include_str!("fallback.html")),
    ("fallback.js", include_str!("fallback.js")),
    ("fallback.css", include_str!("fallback.css")),
    ("docs-fallback.html", include_str!("docs-fallback.html")),
];

/// A page, and what it may do.
struct Page {
    bundled: &'static str,
    plain: &'static str,
    policy: &'static str,
    /// A part of the page that is left out.
    without: Option<&'static str>,
}

/// Only files of this server run, and nobody may frame the page: it holds a token. GraphiQL's
/// editor sets styles inline and embeds its icon font; subscriptions need `ws:`.
static GRAPHIQL: Page = Page {
    bundled: "index.html",
    plain: "fallback.html",
    policy: "default-src 'none'; script-src 'self'; worker-src 'self'; \
        connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
        img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    without: None,
};

/// As strict, and without what the viewer has no need of; its icons are in its style sheet.
const DOCS: Page = Page {
    bundled: "docs.html",
    plain: "docs-fallback.html",
    policy: "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
        img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    without: None,
};

/// The same page, whose link to GraphiQL would lead nowhere.
const DOCS_ALONE: Page = Page { without: Some(r#"<a href="../../graphiql/">GraphiQL</a>"#), ..DOCS };

/// `/graphiql` (if it is to be served) and `/api/docs`, and all below them. The slash at the end matters: the pages'
/// addresses are relative to it. A browser resolves the relative location under its own prefix and
/// carries the fragment, with the token, over.
pub fn router<S: Clone + Send + Sync + 'static>(graphiql: bool) -> Router<S> {
    let docs = if graphiql { &DOCS } else { &DOCS_ALONE };
    let routes = Router::new()
        .route("/api/docs", get(async || redirect("docs/")))
        .route("/api/docs/", get(async |headers: HeaderMap| docs.index(&headers)))
        .route("/api/docs/{*path}", get(async |path: Path<String>, headers: HeaderMap| docs.file(&path, &headers)));
    if !graphiql {
        return routes;
    }
    routes
        .route("/graphiql", get(async || redirect("graphiql/")))
        .route("/graphiql/", get(async |headers: HeaderMap| GRAPHIQL.index(&headers)))
        .route("/graphiql/{*path}", get(async |path: Path<String>, headers: HeaderMap| GRAPHIQL.file(&path, &headers)))
}

fn redirect(location: &'static str) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
}

impl Page {
    fn index(&self, headers: &HeaderMap) -> Response {
        let page = if Bundle::get(self.bundled).is_some() { self.bundled } else { self.plain };
        self.serve(page, headers)
    }

    /// The other page is not served here: its relative addresses would lead nowhere.
    fn file(&self, path: &str, headers: &HeaderMap) -> Response {
        if path.ends_with(".html") && path != self.bundled && path != self.plain {
            return StatusCode::NOT_FOUND.into_response();
        }
        self.serve(path, headers)
    }

    fn serve(&self, path: &str, headers: &HeaderMap) -> Response {
        let Some((mut data, mut tag)) = find(path) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if let (true, Some(part), Ok(text)) = (path == self.bundled, self.without, std::str::from_utf8(&data)) {
            data = Cow::Owned(text.replace(part, "").into_bytes());
            tag = hashed(&data);
        }
        // Vite puts a hash of the content into the names below `assets/`.
        let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let common = [
            (header::CONTENT_TYPE, content_type(path)),
            (header::CACHE_CONTROL, cache),
            (header::ETAG, &tag),
            (header::CONTENT_SECURITY_POLICY, self.policy),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        if is_known(headers, &tag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        (common, data).into_response()
    }
}

fn find(path: &str) -> Option<(Cow<'static, [u8]>, String)> {
    if let Some(file) = Bundle::get(path) {
        return Some((file.data, tag(&file.metadata.sha256_hash()[..16])));
    }
    let (_, text) = FALLBACK.iter().find(|(name, _)| *name == path)?;
    Some((Cow::Borrowed(text.as_bytes()), hashed(text.as_bytes())))
}

/// The version of what the bundle does not know.
fn hashed(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    tag(&hasher.finish().to_be_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_is_served_in_its_own_place_only() {
        let none = HeaderMap::new();
        for (page, other) in [(&GRAPHIQL, &DOCS), (&DOCS, &GRAPHIQL)] {
            let index = page.index(&none);
            assert_eq!(index.status(), StatusCode::OK);
            assert_eq!(index.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(index.headers()[header::CONTENT_SECURITY_POLICY], page.policy);
            for file in [page.plain, "fallback.css"] {
                assert_eq!(page.file(file, &none).status(), StatusCode::OK, "{file}");
            }
            for file in [other.bundled, other.plain, "", "assets/none.js", "../Cargo.toml"] {
                assert_eq!(page.file(file, &none).status(), StatusCode::NOT_FOUND, "{file}");
            }
        }
    }

    #[test]
    fn without_graphiql_nothing_leads_to_it() {
        let page = |page: &Page| Bundle::get(page.bundled).map(|file| file.data).unwrap_or_default();
        let page = String::from_utf8_lossy(&page(&DOCS)).into_owned();
        let link = DOCS_ALONE.without.unwrap_or_default();
        assert_eq!(
            page.matches("graphiql/").count(),
            page.matches(link).count(),
            "its link is the one that is left out"
        );
        let tag = |page: &Page| page.index(&HeaderMap::new()).headers()[header::ETAG].clone();
        assert_eq!(tag(&DOCS) == tag(&DOCS_ALONE), page.is_empty(), "browsers tell the pages apart");
    }

    #[test]
    fn a_policy_lets_nobody_else_in() {
        for page in [&GRAPHIQL, &DOCS] {
            let sources = page.policy.split(';').flat_map(|directive| directive.split_whitespace().skip(1));
            for source in sources {
                assert!(["'none'", "'self'", "'unsafe-inline'", "data:", "ws:", "wss:"].contains(&source), "{source}");
            }
            assert!(page.policy.contains("default-src 'none'; script-src 'self';"), "no inline scripts");
        }
        assert!(!DOCS.policy.contains("unsafe"));
    }
}
