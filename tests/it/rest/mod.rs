//! The REST API as its clients see it.
mod counts;
mod decisions;
pub mod golden;
pub mod openapi;
mod parity;
mod stream;
mod sync_runs;

use crate::graphql::mutations::Desk;
use crate::support::{ADMIN, Answer, Server};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use serde_json::Value;
use std::net::IpAddr;

pub const CLUSTERS: &str = "/api/plugins/proxbox/clusters/";
pub const NODES: &str = "/api/plugins/proxbox/nodes/";
pub const STORAGES: &str = "/api/plugins/proxbox/storage/";
pub const ENDPOINTS: &str = "/api/plugins/proxbox/endpoints/proxmox/";
pub const NETBOX_CLUSTERS: &str = "/api/virtualization/clusters/";
pub const DEVICES: &str = "/api/dcim/devices/";
pub const TAGS: &str = "/api/extras/tags/";

/// The list routes.
pub const LISTS: [&str; 7] = [ENDPOINTS, CLUSTERS, NODES, STORAGES, NETBOX_CLUSTERS, DEVICES, TAGS];

/// A request in the making; the admin of the seed sends it unless told otherwise.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    target: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Vec<u8>>,
    peer: IpAddr,
}

impl Call {
    /// A request without any headers, as raw as the recorded ones.
    pub fn raw(method: &str, target: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Self { method, target: encoded(target), headers: Vec::new(), body: None, peer: "192.0.2.7".parse().unwrap() }
    }

    /// A request of the admin.
    pub fn new(method: &str, target: &str) -> Self {
        let call = Self::raw(method, target).with("host", "proxbox.example.com").by(ADMIN);
        // What the desk of GraphQL's mutations expects in the change log.
        call.with("x-request-id", "request-of-a-test")
    }

    /// With this header besides those that are there.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        // As a client writes it: headers may hold any bytes.
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.push((name.parse().unwrap(), value));
        self
    }

    /// With this header instead of one that is there.
    pub fn instead(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(there, _)| there != name);
        self.with(name, value)
    }

    /// By the holder of this token.
    pub fn by(self, token: &str) -> Self {
        self.instead("authorization", &format!("Token {token}"))
    }

    /// With bytes as its body.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        self.body = Some(body);
        self.with("content-length", &length)
    }

    /// With JSON as its body.
    pub fn json(self, body: &Value) -> Self {
        self.with("content-type", "application/json").bytes(body.to_string())
    }

    /// From this address.
    pub fn from(mut self, peer: &str) -> Self {
        self.peer = peer.parse().unwrap();
        self
    }

    pub async fn send(&self, server: &Server) -> Answer {
        let mut request = Request::builder().method(&self.method).uri(self.target.parse::<Uri>().unwrap());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = self.body.clone().map_or_else(Body::empty, Body::from);
        server.send_from(self.peer, request.body(body).unwrap()).await
    }

    /// The JSON of an answer of this status.
    #[track_caller]
    pub fn json_of(&self, server: &Server, status: u16) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        async move {
            let answer = self.send(server).await;
            let text = String::from_utf8_lossy(&answer.bytes);
            let asked = format!("{} {} at {place}", self.method, self.target);
            assert_eq!(answer.status, StatusCode::from_u16(status).unwrap(), "{asked}: {text}");
            if answer.bytes.is_empty() { Value::Null } else { answer.json() }
        }
    }
}

pub fn get(target: &str) -> Call {
    Call::new("GET", target)
}

pub fn post(target: &str, body: &Value) -> Call {
    Call::new("POST", target).json(body)
}

pub fn put(target: &str, body: &Value) -> Call {
    Call::new("PUT", target).json(body)
}

pub fn patch(target: &str, body: &Value) -> Call {
    Call::new("PATCH", target).json(body)
}

pub fn delete(target: &str) -> Call {
    Call::new("DELETE", target)
}

/// The text of a header; empty when it is not there.
pub fn text_of(answer: &Answer, name: impl header::AsHeaderName) -> String {
    answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// A target as it arrives in the routes: clients encode blanks and what is not ASCII, and the wire the three characters
/// that many of them leave.
fn encoded(target: &str) -> String {
    let mut text = String::new();
    for byte in target.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | 0x7f.. => text += &format!("%{byte:02X}"),
            other => text.push(char::from(other)),
        }
    }
    text
}

/// The ids of a list's rows, in its order.
pub async fn ids(server: &Server, target: &str) -> Vec<i64> {
    let body = get(target).json_of(server, 200).await;
    let rows = body["results"].as_array().unwrap_or_else(|| panic!("{target}: {body}"));
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The keys of an object, sorted.
pub fn keys(body: &Value) -> Vec<&str> {
    let mut keys = body.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    keys.sort_unstable();
    keys
}

/// Sends what must be refused and change nothing; the refusal.
#[track_caller]
pub fn refused<'a>(desk: &'a Desk, call: &'a Call, status: u16) -> impl Future<Output = Value> + 'a {
    let answer = call.json_of(&desk.server, status);
    async move {
        // The recorded cases look at the rows behind a refusal, too.
        let before = desk.mark().await;
        let body = answer.await;
        assert_eq!(desk.mark().await, before, "{call:?}");
        body
    }
}
