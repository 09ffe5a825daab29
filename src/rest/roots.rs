//! The pages that list routes, for people and clients that find their way, and the server's status.
use super::ask::{Ask, Caller};
use super::error::{Refusal, Result};
use super::negotiate::negotiate;
use super::resource::note_parameters;
use axum::Json;
use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The plugin and the NetBox whose behaviour this API has.
pub const NETBOX: &str = "4.5.10";
/// The first two parts of it, which every answer names.
pub const API_VERSION: &str = "4.5";
const PLUGIN: &str = "0.0.11";

/// A page that lists routes below it: names and paths.
pub type Root = &'static [(&'static str, &'static str)];

/// `/api/`.
pub const API: Root = &[
    ("dcim", "/api/dcim/"),
    ("extras", "/api/extras/"),
    ("plugins", "/api/plugins/"),
    ("schema", "/api/schema/"),
    ("status", "/api/status/"),
    ("virtualization", "/api/virtualization/"),
];
/// `/api/dcim/`.
pub const DCIM: Root = &[("devices", "/api/dcim/devices/")];
/// `/api/extras/`.
pub const EXTRAS: Root = &[("tags", "/api/extras/tags/")];
/// `/api/virtualization/`.
pub const VIRTUALIZATION: Root = &[("clusters", "/api/virtualization/clusters/")];
/// `/api/plugins/`.
pub const PLUGINS: Root = &[("proxbox", "/api/plugins/proxbox/")];
/// `/api/plugins/proxbox/`.
pub const PROXBOX: Root = &[
    ("clusters", "/api/plugins/proxbox/clusters/"),
    ("endpoints", "/api/plugins/proxbox/endpoints/"),
    ("nodes", "/api/plugins/proxbox/nodes/"),
    ("storage", "/api/plugins/proxbox/storage/"),
    ("sync-runs", "/api/plugins/proxbox/sync-runs/"),
];
/// `/api/plugins/proxbox/endpoints/`.
pub const ENDPOINTS: Root = &[("proxmox", "/api/plugins/proxbox/endpoints/proxmox/")];

/// The paths of these pages.
pub const PATHS: [&str; 8] = [
    "/api/",
    "/api/dcim/",
    "/api/extras/",
    "/api/virtualization/",
    "/api/plugins/",
    "/api/plugins/proxbox/",
    "/api/plugins/proxbox/endpoints/",
    "/api/status/",
];

/// What a page of this sort says.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    Root(Root),
    Status,
}

/// Answers such a page, for whoever has a token.
pub async fn answer(caller: Caller, page: Page, request: Request) -> Result<Response> {
    let (parts, _) = request.into_parts();
    let format = negotiate(&parts.headers, false)?;
    let mut ask = Ask::enter(caller, &parts, format).await?;
    note_parameters(&mut ask, &["format"]);
    ask.check_ignored()?;
    let body = match parts.method {
        Method::GET | Method::HEAD => match page {
            Page::Root(routes) => {
                let routes = routes.iter().map(|(name, path)| ((*name).into(), json!(format!("{}{path}", ask.base))));
                Value::Object(routes.collect::<Map<_, _>>())
            }
            Page::Status => status(),
        },
        Method::OPTIONS => json!({
            "name": "API root",
            "description": "",
            "renders": ["application/json"],
            "parses": ["application/json"],
        }),
        other => return Err(Refusal::method(other.as_str(), "GET, HEAD, OPTIONS")),
    };
    let mut response = Json(body).into_response();
    ask.tell_ignored(&mut response);
    Ok(response)
}

/// Versions, under NetBox's names where clients look for them.
fn status() -> Value {
    json!({
        "netbox-version": NETBOX,
        "netbox-full-version": NETBOX,
        "plugins": {"netbox_proxbox": PLUGIN},
        "proxbox-graphql-version": env!("CARGO_PKG_VERSION"),
    })
}
