//! What is checked of every request before any route sees it, and what every answer carries.
use super::refused;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Whom the server answers.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    pub hosts: Hosts,
    /// Browsers are told to come by HTTPS only, for a year.
    pub https: bool,
    /// Whose pages may read answers: scheme, host and port, as browsers send them.
    pub origins: Vec<String>,
}

/// The hosts under which clients may reach this server.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Names without a port; `*.example.com` stands for all names below, and `*`, or none at all, for every host.
    pub fn new(names: &[String]) -> Self {
        if names.iter().any(|name| name.trim() == "*") {
            return Self::default();
        }
        let front = |text: &str| text.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(text).to_owned();
        Self(names.iter().map(|text| name(&front(text.trim()))).collect())
    }

    /// Whether this host, with or without a port, is one of them.
    fn allow(&self, host: &str) -> bool {
        let host = name(host);
        let is = |allowed: &String| match allowed.strip_prefix('.') {
            Some(domain) => host.strip_suffix(domain).is_some_and(|front| front.ends_with('.') && front.len() > 1),
            None => *allowed == host,
        };
        self.0.is_empty() || self.0.iter().any(is)
    }
}

/// A host without its port, as names are compared: in lower case, and without a dot at its end.
pub(super) fn name(host: &str) -> String {
    let end = match host.rfind(']') {
        // An IPv6 address.
        Some(end) => end + 1,
        None => host.rfind(':').unwrap_or(host.len()),
    };
    host[..end].trim_end_matches('.').to_ascii_lowercase()
}

/// The hosts that a request names.
pub(super) fn asked(request: &Request) -> Vec<&str> {
    let headers = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    headers.chain(request.uri().host()).collect()
}

/// Refuses requests for other hosts, which a page in an operator's browser sends when its name is made to lead here.
pub async fn hosts(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // Whoever asks for the health has the address only, and learns nothing worth a name.
    let is_health = matches!(request.uri().path(), "/healthz" | "/readyz");
    let asked = asked(&request);
    let allowed = &guard.hosts;
    if is_health || allowed.0.is_empty() || (!asked.is_empty() && asked.iter().all(|host| allowed.allow(host))) {
        return next.run(request).await;
    }
    let message = "This server is not reached under this host: see PROXBOX_ALLOWED_HOSTS.";
    refused(&request, StatusCode::MISDIRECTED_REQUEST, "MISDIRECTED", message)
}

/// Lets the pages of these origins read answers; nobody else's, and none by default. There are no cookies, so that a page
/// must bring a token along anyway.
pub async fn origins(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.origins.is_empty() {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| guard.origins.iter().any(|one| one.as_bytes() == origin.as_bytes()));
    let preflight =
        *request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &origin {
        Some(_) if preflight => preflown(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN));
    }
    response
}

/// Headers of answers that such a page may read.
const SHOWN: &str = "etag, location, preference-applied, retry-after, x-ignored, x-request-id";

/// What a browser asks before the request itself.
fn preflown() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "accept, authorization, content-type, if-match, if-none-match, prefer, x-request-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Puts on every answer what keeps a browser from doing more with it than reading; routes that know better have put
/// theirs already.
pub async fn headers(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if guard.https {
        add(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        add(headers, name, value);
    }
    response
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_by_name() {
        let hosts = |names: &[&str]| Hosts::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let some = hosts(&["proxbox.example.com", "*.lab.example.com", "[::1]", "192.0.2.1"]);
        for host in [
            "proxbox.example.com",
            "PROXBOX.example.com:8080",
            "proxbox.example.com.",
            "a.lab.example.com",
            "a.b.lab.example.com:1",
            "[::1]:8080",
            "192.0.2.1:80",
        ] {
            assert!(some.allow(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "lab.example.com",
            ".lab.example.com",
            "evil-proxbox.example.com",
            "proxbox.example.com.evil.org",
            "evillab.example.com",
            "192.0.2.10",
            "[::2]",
        ] {
            assert!(!some.allow(host), "{host}");
        }
        assert!(hosts(&[]).allow("anything") && hosts(&["*"]).allow("anything:1"));
        assert!(hosts(&[".example.com"]).allow("a.example.com") && !hosts(&[".example.com"]).allow("example.com"));
    }
}
