//! A NetBox whose lists a test writes itself, in the form of any version of the plugin, and that fails where it is told.
use super::Stand;
use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const ROOT: &str = "/api/plugins/proxbox/";

#[derive(Clone, Default)]
pub struct Lists {
    /// By the name of the list, such as `nodes` or `endpoints/proxmox`.
    pub rows: BTreeMap<&'static str, Vec<Value>>,
    /// Rows of a page.
    pub page: usize,
    /// Answers with this status instead, from this row of that list on.
    pub broken: Option<(&'static str, usize, u16)>,
    /// Lists that say to have more rows than they show.
    pub short: Option<&'static str>,
}

impl Lists {
    pub fn new(rows: &[(&'static str, Vec<Value>)]) -> Self {
        Self { rows: rows.iter().cloned().collect(), page: 2, ..Self::default() }
    }

    pub async fn stand(self) -> Stand {
        Stand::serve(Router::new().fallback(answer).with_state(Arc::new(self))).await
    }

    fn root(&self) -> Value {
        let names = self.rows.keys().map(|name| name.split('/').next().unwrap());
        let mut root =
            names.map(|name| (name.to_owned(), json!(format!("http://h{ROOT}{name}/")))).collect::<BTreeMap<_, _>>();
        // What other versions have besides.
        root.insert("resources".into(), json!({"clusters": "http://h/x/", "nodes": "http://h/y/"}));
        json!(root)
    }

    fn list(&self, name: &str, query: &str) -> Response {
        let Some((name, rows)) = self.rows.get_key_value(name) else { return StatusCode::NOT_FOUND.into_response() };
        let number = |key: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.parse().unwrap())
        };
        let offset: usize = number("offset").unwrap_or_default();
        if let Some((broken, from, status)) = self.broken
            && broken == *name
            && offset + self.page > from
        {
            let body = json!({"detail": "You do not have permission to perform this action."});
            return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        }
        let page = rows.iter().skip(offset).take(self.page).cloned().collect::<Vec<_>>();
        let after = offset + page.len();
        let next = (after < rows.len()).then(|| format!("http://h{ROOT}{name}/?limit={}&offset={after}", self.page));
        let count = rows.len() + usize::from(self.short == Some(*name));
        Json(json!({"count": count, "next": next, "previous": null, "results": page})).into_response()
    }
}

async fn answer(State(lists): State<Arc<Lists>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    match path.strip_prefix(ROOT).map(|rest| rest.trim_end_matches('/')) {
        _ if lists.rows.is_empty() => StatusCode::NOT_FOUND.into_response(),
        Some("") => Json(lists.root()).into_response(),
        Some("endpoints") => Json(json!({"proxmox": "…", "netbox": "…", "fastapi": "…"})).into_response(),
        Some(name) => lists.list(name, &query),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub fn endpoint(id: i64, name: &str) -> Value {
    json!({
        "id": id, "url": "u", "display": name, "name": name, "ip_address": {"id": 9, "address": format!("192.0.2.{id}/24")},
        "domain": null, "port": 8006, "mode": {"value": "cluster", "label": "Cluster"}, "version": "8.2", "repoid": null,
        "username": "sync@pve", "token_name": "t", "verify_ssl": true, "tags": [], "custom_fields": {},
        "created": "2026-01-01T00:00:00Z", "last_updated": "2026-02-01T00:00:00Z",
    })
}

pub fn cluster(id: i64, endpoint: i64, name: &str, netbox: Option<i64>) -> Value {
    json!({
        "id": id, "display": name, "endpoint": {"id": endpoint, "name": "e", "display": "e"}, "name": name,
        "netbox_cluster": netbox.map(reference), "cluster_id": "x", "mode": {"value": "cluster", "label": "Cluster"},
        "nodes_count": 1, "node_count": 1, "quorate": true, "version": 3, "tags": [], "custom_fields": {},
        "created": "2026-01-01T00:00:00Z", "last_updated": "2026-02-01T00:00:00Z",
    })
}

pub fn node(id: i64, endpoint: i64, cluster: Option<i64>, name: &str) -> Value {
    json!({
        "id": id, "display": name, "endpoint": {"id": endpoint}, "proxmox_cluster": cluster.map(|id| json!({"id": id})),
        "netbox_device": null, "name": name, "node_id": 1, "ip_address": "192.0.2.77", "online": true, "local": false,
        "cpu_usage": 12.5, "max_cpu": 4, "memory_usage": 1024, "max_memory": 4096, "ssl_fingerprint": "",
        "support_level": "", "tags": [], "custom_fields": {},
        "created": "2026-01-01T00:00:00Z", "last_updated": "2026-02-01T00:00:00Z",
    })
}

pub fn storage(id: i64, netbox: i64, name: &str) -> Value {
    json!({
        "id": id, "display": name, "cluster": reference(netbox), "name": name, "storage_type": "dir", "content": "iso",
        "path": "/x", "nodes": null, "shared": false, "enabled": true, "is_mountpoint": false, "raw_config": {"a": 1},
        "tags": [], "custom_fields": {},
        "created": "2026-01-01T00:00:00Z", "last_updated": "2026-02-01T00:00:00Z",
    })
}

pub fn reference(id: i64) -> Value {
    json!({"id": id, "url": "u", "display": format!("nc-{id}"), "name": format!("nc-{id}"), "description": ""})
}

pub fn tag(id: i64, slug: &str) -> Value {
    json!({"id": id, "url": "u", "display": slug, "name": format!("Tag {slug}"), "slug": slug, "color": "4caf50"})
}

/// A small installation.
pub fn small() -> [(&'static str, Vec<Value>); 4] {
    [
        ("endpoints/proxmox", vec![endpoint(1, "one")]),
        ("clusters", vec![cluster(1, 1, "c1", Some(5)), cluster(2, 1, "c2", None)]),
        ("nodes", vec![node(1, 1, Some(1), "n1"), node(2, 1, Some(1), "n2"), node(3, 1, None, "n3")]),
        ("storage", vec![storage(1, 5, "s1"), storage(2, 5, "s2"), storage(3, 6, "s1")]),
    ]
}
