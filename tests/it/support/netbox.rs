//! A NetBox: one that answers what a real one was recorded to answer, or what a test tells it.
use serde_json::{Value, json};
use std::collections::HashSet;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// Answers of a NetBox 4.5.10: one request with its response a line.
const RECORDED: &str = include_str!("../../data/netbox/recorded.jsonl");
/// Tokens by the names that they have in the recording.
const TOKENS: &str = include_str!("../../data/tokens.json");

pub const CLUSTERS: &str = "/api/virtualization/clusters/";
pub const DEVICES: &str = "/api/dcim/devices/";

/// The header of a token of the recording, such as `Token 0123…`; the text itself if it has no name there.
pub fn header(name: &str) -> String {
    let tokens = serde_json::from_str::<Value>(TOKENS).unwrap();
    tokens.get(name).and_then(Value::as_str).unwrap_or(name).to_owned()
}

/// A token of the recording.
pub fn token(name: &str) -> String {
    header(name).split_once(' ').unwrap().1.to_owned()
}

/// What was recorded, with the headers that are sent in the place of the tokens' names.
pub fn recorded() -> Vec<Value> {
    let mut all = RECORDED.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    for pair in &mut all {
        let authorization = &mut pair["request"]["authorization"];
        if let Some(name) = authorization.as_str().map(str::to_owned) {
            *authorization = json!(header(&name));
        }
    }
    all
}

/// The real NetBox, on any path prefix.
pub struct Recorded;

impl Respond for Recorded {
    /// The recorded answer to this token and path whose query is most like the one that is asked.
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let sent = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let sent = sent.map_or(Value::Null, Value::String);
        let place = request.url.path();
        let place = &place[place.find("/api/").unwrap_or_default()..];
        let all = recorded();
        let those = all.iter().filter(|pair| pair["request"]["authorization"] == sent && url(pair).path() == place);
        match those.max_by_key(|pair| likeness(&request.url, &url(pair))) {
            Some(pair) => {
                let status = pair["response"]["status"].as_u64().unwrap();
                ResponseTemplate::new(u16::try_from(status).unwrap()).set_body_json(&pair["response"]["body"])
            }
            None => ResponseTemplate::new(404).set_body_raw("<html>Page Not Found</html>", "text/html; charset=utf-8"),
        }
    }
}

/// How alike two queries are: equal pairs, then how few names their `fields` differ by.
fn likeness(one: &reqwest::Url, other: &reqwest::Url) -> i64 {
    let pairs = |url: &reqwest::Url| url.query_pairs().into_owned().collect::<HashSet<_>>();
    let fields = |url: &reqwest::Url| {
        let named = url.query_pairs().find(|(key, _)| key == "fields").map(|(_, names)| names.into_owned());
        named
            .into_iter()
            .flat_map(|names| names.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect::<HashSet<_>>()
    };
    let equal = pairs(one).intersection(&pairs(other)).count() as i64;
    20 * equal - fields(one).symmetric_difference(&fields(other)).count() as i64
}

fn url(pair: &Value) -> reqwest::Url {
    let base = reqwest::Url::parse("http://netbox.example.com").unwrap();
    base.join(pair["request"]["path"].as_str().unwrap()).unwrap()
}

/// A server that answers as the real one did.
pub async fn real() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Recorded).mount(&server).await;
    server
}

/// Lets a server answer this to everything below a path, before anything else that it was told.
pub async fn answer(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at)).respond_with(response).with_priority(1).mount(server).await;
}

/// A list as NetBox has it.
pub fn page(count: Value, next: Option<&str>, rows: Vec<Value>) -> Value {
    json!({"count": count, "next": next, "previous": null, "results": rows})
}

/// A list that is asked by offset, or also by cursor.
pub struct Listing {
    /// Ids in ascending order.
    pub ids: Vec<i64>,
    /// The most rows of a page.
    pub cap: usize,
    /// Whether it knows `start`, as NetBox does from 4.6 on.
    pub cursor: bool,
    /// The front of its links.
    pub base: String,
}

impl Respond for Listing {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked = |name: &str| request.url.query_pairs().find(|(key, _)| key == name)?.1.parse::<usize>().ok();
        let limit = asked("limit").unwrap_or(50).min(self.cap);
        let base = format!("{}{}", self.base, request.url.path());
        let row = |id: &i64| json!({"id": id, "name": format!("c{id}"), "display": format!("c{id}")});
        if let Some(start) = asked("start").filter(|_| self.cursor) {
            let left = self.ids.iter().filter(|id| **id >= start as i64).collect::<Vec<_>>();
            let rows = left.iter().take(limit).map(|id| row(id)).collect::<Vec<_>>();
            let next = left.get(limit).map(|id| format!("{base}?limit={limit}&start={id}"));
            return ResponseTemplate::new(200).set_body_json(page(Value::Null, next.as_deref(), rows));
        }
        let offset = asked("offset").unwrap_or_default();
        let rows = self.ids.iter().skip(offset).take(limit).map(row).collect::<Vec<_>>();
        let more = offset + limit < self.ids.len();
        let next = more.then(|| format!("{base}?limit={limit}&offset={}&ordering=id", offset + limit));
        ResponseTemplate::new(200).set_body_json(page(json!(self.ids.len()), next.as_deref(), rows))
    }
}
