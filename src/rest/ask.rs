//! A request on its way to an answer: who asks, for what, in which form, and what is passed over of it.
use super::clock::Clock;
use super::error::{Refusal, Result};
use super::negotiate::Format;
use super::query::{PageSizes, Query};
use crate::app::{App, RequestId};
use crate::auth;
use crate::body::read;
use crate::principal::Principal;
use crate::service::Actor;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

/// What REST requests may cost, and the size of pages.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body in bytes.
    pub body: usize,
    /// The largest body that names many objects, in bytes.
    pub bulk_body: usize,
    /// What a request may take from the end of its body on; streams may take longer.
    pub timeout: Duration,
    pub pages: PageSizes,
}

/// A request before anybody is let in.
#[derive(Clone, Debug)]
pub struct Caller {
    pub app: App,
    pub limits: Limits,
    pub peer: IpAddr,
    pub request_id: RequestId,
    pub clock: Clock,
}

/// A request of somebody who was let in.
#[derive(Debug)]
pub struct Ask {
    pub app: App,
    pub limits: Limits,
    pub principal: Principal,
    pub headers: HeaderMap,
    pub query: Query,
    pub format: Format,
    /// The front of all URLs: scheme, host and prefix.
    pub base: String,
    request_id: RequestId,
    clock: Clock,
    ignored: Vec<(String, String)>,
    /// The same to look into: a body may hold names by the hundred thousand.
    noted: HashSet<(String, String)>,
}

impl Ask {
    /// Lets somebody in.
    pub async fn enter(caller: Caller, parts: &Parts, format: Format) -> Result<Self> {
        let Caller { app, limits, peer, request_id, clock } = caller;
        let origin = app.settings.origin(&parts.headers, peer);
        let principal = auth::authenticate(&app, &parts.headers, origin.client).await??;
        Ok(Self {
            app,
            limits,
            principal,
            headers: parts.headers.clone(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            format,
            base: origin.base,
            request_id,
            clock,
            ignored: Vec::new(),
            noted: HashSet::new(),
        })
    }

    /// Who writes.
    pub fn actor(&self) -> Actor {
        Actor { principal: self.principal.clone(), request_id: Some(self.request_id.0.to_string()) }
    }

    /// Notes that a name is passed over: a parameter, a key of one, or a field of the body.
    pub fn ignore(&mut self, place: &str, name: &str) {
        let noted = (place.to_owned(), name.to_owned());
        if self.noted.insert(noted.clone()) {
            self.ignored.push(noted);
        }
    }

    /// Refuses what would be passed over, if the client wants it so (RFC 7240). To be asked before anything is done.
    pub fn check_ignored(&self) -> Result<()> {
        if self.ignored.is_empty() || !self.is_strict() {
            return Ok(());
        }
        let mut body = Map::new();
        for (place, name) in &self.ignored {
            let message = if place == name { "This name is unknown.".into() } else { format!("`{name}` is unknown.") };
            if let Value::Array(list) = body.entry(place).or_insert_with(|| json!([])) {
                list.push(Value::String(message));
            }
        }
        Err(Refusal::wrong(Value::Object(body)))
    }

    /// Whether the client wants unknown names refused.
    pub fn is_strict(&self) -> bool {
        is_strict(&self.headers)
    }

    /// Tells what was passed over.
    pub fn tell_ignored(&self, response: &mut Response) {
        /// Names that the header tells at most, and their length.
        const MOST: usize = 20;
        const LONGEST: usize = 100;
        let names = self.ignored.iter().take(MOST).map(|(_, name)| {
            let short = name.chars().take(LONGEST).collect::<String>();
            percent_encoding::utf8_percent_encode(&short, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .replace("%5F", "_")
                .replace("%2D", "-")
        });
        let names = names.collect::<Vec<_>>().join(",");
        if let (false, Ok(value)) = (names.is_empty(), HeaderValue::from_str(&names)) {
            response.headers_mut().insert("x-ignored", value);
        }
    }

    /// The bytes of the body, of which there may be so many, and which must be JSON unless there are none.
    pub async fn body(&self, body: Body, limit: usize) -> Result<Vec<u8>> {
        if let Some(encoding) = self.headers.get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
            let message = format!("Unsupported content encoding {encoding:?} in request; gzip is supported.");
            return Err(Refusal::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let bytes = self.clock.wait_for(read(&self.headers, body, limit)).await?;
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = given.split(';').next().unwrap_or_default().trim();
        if !bytes.is_empty() && !media.eq_ignore_ascii_case("application/json") {
            let message = format!("Unsupported media type \"{given}\" in request.");
            return Err(Refusal::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        Ok(bytes)
    }
}

/// Whether unknown names are to be refused.
pub fn is_strict(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| value.split([',', ';'])).map(|one| one.trim().replace(' ', ""));
    preferences
        .any(|one| one.eq_ignore_ascii_case("handling=strict") || one.eq_ignore_ascii_case("handling=\"strict\""))
}
