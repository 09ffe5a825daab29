//! A NetBox that changes: its clusters and devices are what a test says, and permissions come and go.
use super::netbox::{CLUSTERS, DEVICES, page};
use proxbox_graphql::app::{MirrorSettings, Settings};
use proxbox_graphql::client::netbox::Target;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The token that it takes.
pub const WORLD_TOKEN: &str = "nbt_abcdefghijkl.0123456789012345678901234567890123456789";

/// What it holds.
#[derive(Debug, Default)]
pub struct State {
    pub clusters: BTreeMap<i64, Value>,
    pub devices: BTreeMap<i64, Value>,
    /// Objects that the token may not see, by route: lists leave them out without a word.
    pub hidden: HashSet<(&'static str, i64)>,
    /// What a route answers instead, and from which request of it on.
    pub instead: BTreeMap<String, (usize, u16, Value)>,
    /// Rows that a list counts and does not show.
    pub lost: i64,
    /// The most rows of a page.
    pub cap: usize,
    /// Whether lists know `start`, as NetBox does from 4.6 on.
    pub cursor: bool,
    /// What was asked: path and query.
    pub asked: Vec<String>,
}

/// A NetBox that answers from such a state.
pub struct World {
    pub server: MockServer,
    state: Arc<Mutex<State>>,
}

struct Answering(Arc<Mutex<State>>);

impl World {
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State { cap: 1_000, cursor: true, ..State::default() }));
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Answering(state.clone())).mount(&server).await;
        Self { server, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A cluster of this name, at a site, last changed at this minute.
    pub fn cluster(&self, id: i64, name: &str, site: &str, minute: u32) {
        let row = json!({
            "id": id, "display": name, "name": name, "type": {"id": 1, "name": "Proxmox", "slug": "proxmox"},
            "group": null, "status": {"value": "active", "label": "Active"}, "tenant": null, "scope_type": "dcim.site",
            "scope_id": 1, "scope": {"id": 1, "name": site, "slug": site.to_lowercase()}, "last_updated": time(minute),
        });
        self.state().clusters.insert(id, row);
    }

    /// A device of this name, at a site, last changed at this minute.
    pub fn device(&self, id: i64, name: Option<&str>, site: &str, minute: u32) {
        let display = name.map_or_else(|| format!("Dell R740 ({id})"), str::to_owned);
        let row = json!({
            "id": id, "display": display, "name": name, "site": {"id": 1, "name": site, "slug": site.to_lowercase()},
            "role": {"id": 2, "name": "Hypervisor", "slug": "hypervisor"}, "tenant": null, "rack": null, "cluster": null,
            "status": {"value": "active", "label": "Active"}, "serial": "", "primary_ip4": null, "primary_ip6": null,
            "last_updated": time(minute),
        });
        self.state().devices.insert(id, row);
    }

    /// Takes one away.
    pub fn delete_device(&self, id: i64) {
        self.state().devices.remove(&id).unwrap();
    }

    /// What was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    /// Settings of a program that mirrors it, whenever it is told to.
    pub fn settings(&self) -> Settings {
        self.settings_at(&self.server.uri())
    }

    /// The same for another address.
    pub fn settings_at(&self, url: &str) -> Settings {
        let target = Target::parse(url, SecretString::from(WORLD_TOKEN), None).unwrap();
        Settings { netbox: Some(target), mirror: MirrorSettings::default(), ..Settings::default() }
    }
}

/// So many minutes after a point in time.
pub fn time(minute: u32) -> String {
    format!("2026-11-20T{:02}:{:02}:00.123456Z", minute / 60, minute % 60)
}

impl Respond for Answering {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let path = request.url.path().to_owned();
        let query = request.url.query().unwrap_or_default();
        state.asked.push(format!("{path}?{query}"));
        let authorization = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        if authorization != Some(&format!("Bearer {WORLD_TOKEN}")) {
            return ResponseTemplate::new(403).set_body_json(json!({"detail": "Invalid v2 token"}));
        }
        if let Some((from, status, body)) = state.instead.get_mut(&path) {
            if *from == 0 {
                return ResponseTemplate::new(*status).set_body_json(&*body);
            }
            *from -= 1;
        }
        match path.as_str() {
            "/api/status/" => ResponseTemplate::new(200).set_body_json(json!({"netbox-version": "4.6.8"})),
            "/api/authentication-check/" => ResponseTemplate::new(200).set_body_json(json!({"username": "mirror"})),
            CLUSTERS => list(&state, CLUSTERS, &state.clusters, request),
            DEVICES => list(&state, DEVICES, &state.devices, request),
            _ => ResponseTemplate::new(404).set_body_json(json!({"detail": "Not found."})),
        }
    }
}

fn list(state: &State, route: &'static str, rows: &BTreeMap<i64, Value>, request: &Request) -> ResponseTemplate {
    let pairs = request.url.query_pairs().into_owned().collect::<Vec<_>>();
    let of =
        |name: &str| pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let number = |name: &str| of(name).first().and_then(|value| value.parse::<i64>().ok());
    let ids = of("id").iter().filter_map(|id| id.parse::<i64>().ok()).collect::<HashSet<_>>();
    let since = of("last_updated__gte").first().cloned();
    let shown = rows.iter().filter(|(id, _)| !state.hidden.contains(&(route, **id)));
    let shown = shown.filter(|(id, _)| ids.is_empty() || ids.contains(id));
    let at = |row: &Value| chrono::DateTime::parse_from_rfc3339(row["last_updated"].as_str()?).ok();
    let limit_time = since.and_then(|since| chrono::DateTime::parse_from_rfc3339(&since).ok());
    let shown = shown.filter(|(_, row)| limit_time.is_none_or(|since| at(row).is_some_and(|at| at >= since)));
    let only_ids = of("fields") == ["id"];
    let shown = shown.collect::<Vec<_>>();
    let row = |(id, row): &(&i64, &Value)| if only_ids { json!({"id": id}) } else { (*row).clone() };
    let limit = usize::try_from(number("limit").unwrap_or(50)).unwrap().min(state.cap);
    let link = |position: String| format!("http://elsewhere.example.com{route}?limit={limit}&{position}");
    let body = match number("start").filter(|_| state.cursor) {
        Some(start) => {
            let left = &shown[shown.partition_point(|(id, _)| **id < start)..];
            let next = left.get(limit).map(|(id, _)| link(format!("start={id}")));
            page(Value::Null, next.as_deref(), left.iter().take(limit).map(row).collect())
        }
        None => {
            let offset = usize::try_from(number("offset").unwrap_or(0)).unwrap();
            let next = (offset + limit < shown.len()).then(|| link(format!("offset={}", offset + limit)));
            let count = shown.len() as i64 + state.lost;
            page(json!(count), next.as_deref(), shown.iter().skip(offset).take(limit).map(row).collect())
        }
    };
    ResponseTemplate::new(200).set_body_json(body)
}
