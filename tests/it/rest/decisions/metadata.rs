//! OPTIONS, HEAD, the pages that list routes, and what every answer says.
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, Call, ENDPOINTS, LISTS, NODES, STORAGES, get, keys, post, text_of};
use crate::support::{TestDb, both};
use serde_json::{Value, json};

const READ_ONLY: &str = "1111111111111111111111111111111111111111";
const VIEW_NODES: &str = "2222222222222222222222222222222222222222";

async fn options_describe_the_fields(db: TestDb) {
    let server = db.server().await;
    for path in LISTS {
        let shown = get(&format!("{path}?limit=1")).json_of(&server, 200).await["results"][0].clone();
        for (target, action) in [(path.to_owned(), "POST"), (format!("{path}1/"), "PUT")] {
            let body = Call::new("OPTIONS", &target).json_of(&server, 200).await;
            assert!(body["name"].is_string() && body["parses"] == json!(["application/json"]), "{body}");
            assert_eq!(keys(&body["actions"]), [action], "{target}");
            let fields = &body["actions"][action];
            for name in keys(&shown) {
                assert!(fields[name]["type"].is_string() && fields[name]["label"].is_string(), "{target} {name}");
            }
            for name in ["url", "display", "created"].iter().filter(|name| fields.get(**name).is_some()) {
                let given = *name == "display" && (path.contains("dcim") || path.contains("virtualization"));
                assert_eq!(fields[*name]["read_only"], !given, "{target} {name}");
            }
        }
    }
    let modes = json!([
        {"value": "undefined", "display": "Undefined"},
        {"value": "standalone", "display": "Standalone"},
        {"value": "cluster", "display": "Cluster"},
    ]);
    for path in [CLUSTERS, ENDPOINTS] {
        let body = Call::new("OPTIONS", path).json_of(&server, 200).await;
        let mode = &body["actions"]["POST"]["mode"];
        assert_eq!((&mode["type"], &mode["required"], &mode["choices"]), (&json!("choice"), &json!(true), &modes));
    }
    let body = Call::new("OPTIONS", NODES).json_of(&server, 200).await;
    let fields = &body["actions"]["POST"];
    for (name, field) in fields.as_object().unwrap() {
        let required = ["endpoint", "name", "ip_address"].contains(&name.as_str());
        assert_eq!(field["required"], required, "{name}");
    }
    assert_eq!(fields["name"]["max_length"], 255);
    assert_eq!(fields["cpu_usage_percent"]["read_only"], true);
}

/// What a client tries by OPTIONS must be what POST asks for.
async fn required_fields_are_those_that_post_misses(db: TestDb) {
    let server = db.server().await;
    for path in LISTS {
        let body = Call::new("OPTIONS", path).json_of(&server, 200).await;
        let fields = body["actions"]["POST"].as_object().unwrap();
        let mut required = fields
            .iter()
            .filter(|(_, field)| field["required"] == true)
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>();
        // Of these two one is enough, which no metadata can say.
        if path == ENDPOINTS {
            required.push("domain");
        }
        required.sort_unstable();
        let told = post(path, &json!({})).json_of(&server, 400).await;
        assert_eq!(keys(&told), required, "{path}");
    }
}

async fn options_name_no_action_that_one_may_not(db: TestDb) {
    let server = db.server().await;
    for path in LISTS {
        for target in [path.to_owned(), format!("{path}1/")] {
            for token in [READ_ONLY, VIEW_NODES] {
                let body = Call::new("OPTIONS", &target).by(token).json_of(&server, 200).await;
                assert!(body.get("actions").is_none(), "{target}");
            }
            Call::raw("OPTIONS", &target).with("host", "x").json_of(&server, 403).await;
        }
    }
}

async fn roots_lead_to_everything(db: TestDb) {
    let server = db.server().await;
    let (mut open, mut found) = (vec!["/api/".to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        let body = get(&path).json_of(&server, 200).await;
        if body.get("results").is_some() {
            found.push(path);
            continue;
        }
        for (name, url) in body.as_object().unwrap() {
            // The document of this API, and versions: no pages of this sort.
            if path == "/api/" && ["schema", "status"].contains(&name.as_str()) {
                continue;
            }
            open.push(url.as_str().unwrap().strip_prefix("http://proxbox.example.com").unwrap().to_owned());
        }
    }
    found.sort();
    let mut lists = LISTS.to_vec();
    lists.push("/api/plugins/proxbox/sync-runs/");
    lists.sort_unstable();
    assert_eq!(found, lists);
    for path in ["/api/", "/api/plugins/proxbox/", "/api/status/"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = Call::new(method, path).json(&json!({})).send(&server).await;
            assert_eq!(
                (answer.status.as_u16(), text_of(&answer, "allow")),
                (405, "GET, HEAD, OPTIONS".into()),
                "{method} {path}"
            );
        }
        Call::new("OPTIONS", path).json_of(&server, 200).await;
    }
    let status = get("/api/status/").json_of(&server, 200).await;
    assert_eq!((&status["netbox-version"], &status["plugins"]["netbox_proxbox"]), (&json!("4.5.10"), &json!("0.0.11")));
    assert_eq!(status["proxbox-graphql-version"], env!("CARGO_PKG_VERSION"));
}

async fn head_is_get_without_a_body(db: TestDb) {
    let server = db.server().await;
    let mut targets = LISTS.map(str::to_owned).to_vec();
    targets.extend(
        ["clusters/1/", "nodes/99/", "nodes/x/", "nodes/?id=x", ""].map(|rest| format!("/api/plugins/proxbox/{rest}")),
    );
    for target in targets {
        for call in [
            Call::new("HEAD", &target),
            Call::new("HEAD", &target).by("9"),
            Call::raw("HEAD", &target).with("host", "x"),
        ] {
            let head = call.send(&server).await;
            assert!(head.bytes.is_empty(), "{call:?}");
            let mut same = call.clone();
            same.method = "GET".parse().unwrap();
            let get = same.send(&server).await;
            let headers = |answer: &crate::support::Answer| {
                ["content-type", "etag", "api-version"].map(|name| text_of(answer, name))
            };
            assert_eq!((head.status, headers(&head)), (get.status, headers(&get)), "{call:?}");
        }
    }
}

async fn every_answer_tells_the_version(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (call, status) in [
        (get(NODES), 200),
        (get(&format!("{NODES}1/")), 200),
        (get("/api/"), 200),
        (get("/api/status/"), 200),
        (Call::new("OPTIONS", NODES), 200),
        (post(NODES, &json!({})), 400),
        (get(NODES).by("9"), 403),
        (Call::raw("GET", NODES), 403),
        (get(&format!("{NODES}99/")), 404),
        (get(&format!("{NODES}x/")), 404),
        (Call::new("DELETE", &format!("{NODES}1/")), 204),
        (Call::new("TRACE", NODES), 405),
        (get(NODES).with("accept", "image/png"), 406),
        (post(NODES, &json!({})).instead("content-type", "text/plain"), 415),
    ] {
        let answer = call.send(&desk.server).await;
        assert_eq!(answer.status.as_u16(), status, "{call:?}");
        assert_eq!(text_of(&answer, "api-version"), "4.5", "{call:?}");
        assert_eq!(text_of(&answer, "x-content-type-options"), "nosniff", "{call:?}");
        assert_eq!(
            text_of(&answer, "x-request-id"),
            if call.headers.is_empty() { text_of(&answer, "x-request-id") } else { "request-of-a-test".into() }
        );
        if !answer.bytes.is_empty() {
            assert!(matches!(answer.json(), Value::Object(_)), "{call:?}");
        }
    }
}

/// Rows for spreadsheets and pipes, of lists only.
async fn lists_come_in_other_forms(db: TestDb) {
    let server = db.server().await;
    let rows = get(STORAGES).json_of(&server, 200).await["results"].clone();
    let lines = get(STORAGES).with("accept", "application/x-ndjson").send(&server).await;
    let parsed = String::from_utf8(lines.bytes)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .collect::<Value>();
    assert_eq!(parsed, rows);
    let answer = get(&format!("{STORAGES}?fields=id,name,cluster,port,tags&limit=3"))
        .with("accept", "text/csv")
        .send(&server)
        .await;
    assert!(text_of(&answer, "content-type").starts_with("text/csv"));
    let text = String::from_utf8(answer.bytes).unwrap();
    let lines = text.lines().collect::<Vec<_>>();
    assert_eq!((lines.len(), lines[0]), (4, "id,cluster,name,port,tags"), "{text}");
    get(&format!("{STORAGES}1/")).with("accept", "text/csv").json_of(&server, 406).await;
    get(&format!("{STORAGES}?port=x")).with("accept", "text/csv").json_of(&server, 400).await;
}

both!(
    options_describe_the_fields,
    required_fields_are_those_that_post_misses,
    options_name_no_action_that_one_may_not,
    roots_lead_to_everything,
    head_is_get_without_a_body,
    every_answer_tells_the_version,
    lists_come_in_other_forms,
);
