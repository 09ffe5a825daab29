//! The document against the server: the same routes, methods, parameters and statuses.
use crate::coverage::routes;
use crate::support::{ADMIN, Answer, Server, TestDb, both, runs};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SUFFIXES: [&str; 18] = [
    "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie", "regex", "iregex", "empty", "lt", "lte", "gt", "gte",
    "id", "exact",
];

async fn ask(server: &Server, method: &Method, target: &str, body: Option<&str>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, "proxbox.example.com")
        .header(header::AUTHORIZATION, format!("Token {ADMIN}"))
        .header("prefer", "handling=strict")
        .header(header::CONTENT_TYPE, "application/json");
    server.send(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_owned()))).unwrap()).await
}

pub async fn document(server: &Server) -> Value {
    let answer = ask(server, &Method::GET, "/api/schema/", None).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

/// The operations of a path by their method.
fn operations(document: &Value, path: &str) -> serde_json::Map<String, Value> {
    document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is not documented")).clone()
}

/// The names of an operation's parameters of one place.
fn parameters(document: &Value, operation: &Value, place: &str) -> BTreeSet<String> {
    let list = operation["parameters"].as_array().unwrap();
    let resolved = list.iter().map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => parameter,
    });
    let of_place = resolved.filter(|parameter| parameter["in"] == place);
    of_place.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

async fn routes_are_documented(db: TestDb) {
    let server = db.server().await;
    let document = document(&server).await;
    let documented = document["paths"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let served = routes().into_iter().filter(|path| path.starts_with("/api/") && !path.starts_with("/api/docs"));
    assert_eq!(documented, served.collect::<BTreeSet<_>>());
    let ids = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let ids = ids.map(|operation| operation["operationId"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "operations have names of their own");
    assert_eq!(document["servers"][0]["url"], "http://proxbox.example.com");
}

async fn methods_and_statuses_are_documented(db: TestDb) {
    let server = db.server().await;
    let document = document(&server).await;
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"];
    for path in document["paths"].as_object().unwrap().keys() {
        let known = operations(&document, path);
        for method in methods {
            // What HEAD says is what GET says.
            let documented = known.get(&method.to_lowercase().replace("head", "get"));
            for (target, body) in [
                (path.replace("{id}", "1"), None),
                (path.replace("{id}", "99999"), Some("{}")),
                (path.replace("{id}", "2"), Some("[")),
                (path.replace("{id}", "2"), Some("[[1]]")),
            ] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let answer = ask(&server, &method, &target, body).await;
                let Some(operation) = documented else {
                    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {target}");
                    assert!(answer.headers.contains_key(header::ALLOW), "{method} {target}");
                    continue;
                };
                let status = answer.status.as_str();
                assert!(operation["responses"].get(status).is_some(), "{method} {target} {body:?}: {status}");
            }
        }
    }
}

/// A value with which a parameter can be asked on the seed.
fn value(name: &str) -> &'static str {
    match name {
        "mode" | "mode__n" => "cluster",
        "tag" | "tag__n" => "prod",
        "state" => "succeeded",
        name if name.starts_with("created") || name.starts_with("last_updated") => "2026-01-01",
        name if name.ends_with("__empty") => "true",
        "fields" | "omit" | "ordering" => "id",
        "ip_address" | "ip_address__n" => "10.0.0.10",
        "quorate" | "online" | "local" | "shared" | "enabled" | "stale" | "dry_run" | "brief" => "true",
        name if name.starts_with("netbox_device") => "42",
        // An id that every kind has, a number, and a text and pattern that nothing forbids.
        _ => "1",
    }
}

async fn parameters_are_documented(db: TestDb) {
    let server = db.server().await;
    let document = document(&server).await;
    let mut tried = 0;
    for path in document["paths"].as_object().unwrap().keys().filter(|path| !path.contains('{')) {
        let operation = &operations(&document, path)["get"];
        if operation["parameters"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let documented = parameters(&document, operation, "query");
        let mut names = documented.clone();
        // Everything that somebody could take for a filter.
        let part = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let page = document.pointer(part.trim_start_matches('#')).unwrap();
        let part = page["properties"]["results"]["items"]["$ref"].as_str().unwrap();
        let fields = document.pointer(part.trim_start_matches('#')).unwrap()["properties"].as_object().unwrap();
        for field in
            fields.keys().map(String::as_str).chain(["tag", "tag_id", "cf_priority", "password", "token_value"])
        {
            names.insert(field.to_owned());
            names.insert(format!("{field}_id"));
            names.extend(SUFFIXES.map(|suffix| format!("{field}__{suffix}")));
        }
        for name in names {
            let target = format!("{path}?{name}={}", value(&name));
            let answer = ask(&server, &Method::GET, &target, None).await;
            let expected = if documented.contains(&name) { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            assert_eq!(answer.status, expected, "{target}: {}", String::from_utf8_lossy(&answer.bytes));
            if expected == StatusCode::BAD_REQUEST {
                assert_eq!(answer.json(), json!({name: ["This name is unknown."]}), "{target}");
            }
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
}

async fn fields_are_documented(db: TestDb) {
    let server = db.server().await;
    let document = document(&server).await;
    // Runs have no POST that could tell what is written; their fields are held against a run below.
    let of_objects = |path: &str| path.ends_with("{id}/") && !path.contains("sync-runs");
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| of_objects(path)) {
        let name = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let name = name.rsplit('/').next().unwrap().trim_end_matches("Part");
        let schema = &document["components"]["schemas"][name];
        let list = path.split("{id}").next().unwrap();
        let answer = ask(&server, &Method::GET, &format!("{list}?limit=1"), None).await.json();
        let shown = answer["results"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(json!(shown), schema["required"], "{path}");
        let options = ask(&server, &Method::OPTIONS, list, None).await.json();
        let written = options["actions"]["POST"].as_object().unwrap();
        let written = written.iter().filter(|(_, field)| field["read_only"] == false).map(|(name, _)| name.clone());
        let request = document["components"]["schemas"][format!("{name}Request")]["properties"].as_object().unwrap();
        assert_eq!(written.collect::<BTreeSet<_>>(), request.keys().cloned().collect(), "{path}");
    }
    let run = runs::full(&server.app).await;
    runs::many_steps(&server.app, run, 1).await;
    for (target, name) in [("", "SyncRun"), (&*format!("{run}/changes/"), "SyncChange")] {
        let answer = ask(&server, &Method::GET, &format!("/api/plugins/proxbox/sync-runs/{target}"), None).await.json();
        let shown = answer["results"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(json!(shown), document["components"]["schemas"][name]["required"], "{name}");
    }
}

/// Whether the document has this status for a request; paths that it does not know have none.
pub fn tells_of(document: &Value, method: &str, target: &str, status: u16) -> bool {
    let path = target.split('?').next().unwrap();
    let above = path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
    let paths = &document["paths"];
    let item = if paths[path].is_object() { &paths[path] } else { &paths[format!("{above}/{{id}}/")] };
    match item.get(method.to_lowercase().replace("head", "get")).filter(|_| path.ends_with('/')) {
        Some(operation) => operation["responses"].get(status.to_string()).is_some(),
        None => matches!(status, 301 | 403 | 404 | 405),
    }
}

both!(routes_are_documented, methods_and_statuses_are_documented, parameters_are_documented, fields_are_documented,);
