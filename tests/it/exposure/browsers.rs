//! What keeps browsers and other names away: hosts, origins, and the headers of every answer.
use crate::support::{ADMIN, Answer, Server, TestDb, both, limits};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use proxbox_graphql::app::App;
use proxbox_graphql::server::{Guard, Hosts, RequestLimits};

const LIST: &str = "/api/plugins/proxbox/nodes/?limit=1";
const PAGE: &str = "https://front.example.com";

fn guarded(app: App, hosts: &[&str], origins: &[&str]) -> Server {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let guard = Guard { hosts: Hosts::new(&own(hosts)), origins: own(origins), ..Guard::default() };
    Server::within(app, RequestLimits { guard, ..limits() })
}

async fn send(server: &Server, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    server.send(request.body(Body::empty()).unwrap()).await
}

fn token() -> String {
    format!("Token {ADMIN}")
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn only_the_named_hosts_are_answered(db: TestDb) {
    let app = db.seeded().await;
    let server = guarded(app.clone(), &["proxbox.example.com", "*.lab.example.com"], &[]);
    let token = token();
    let ask =
        async |host: &str| send(&server, Method::GET, LIST, &[("host", host), ("authorization", &token)]).await.status;
    for host in ["proxbox.example.com", "PROXBOX.EXAMPLE.COM:8080", "a.lab.example.com"] {
        assert_eq!(ask(host).await, StatusCode::OK, "{host}");
    }
    for host in ["evil.example.org", "127.0.0.1:8080", "localhost", "lab.example.com", ""] {
        assert_eq!(ask(host).await, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    // Every route, whoever asks; only the health is for everybody.
    for path in ["/graphql", "/graphiql/", "/api/docs/", "/api/schema/", "/nowhere", "/"] {
        let refused = send(&server, Method::GET, path, &[("host", "evil.example.org")]).await;
        assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        let body = refused.json();
        // Each door words it in its own form.
        let told = if path == "/graphql" { &body["errors"][0]["message"] } else { &body["detail"] };
        assert!(told.as_str().unwrap().contains("PROXBOX_ALLOWED_HOSTS"), "{body}");
        assert!(refused.headers.contains_key("x-request-id"));
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(&server, Method::GET, path, &[("host", "10.0.0.1")]).await.status, StatusCode::OK, "{path}");
    }
    // Neither half of a request may name another host, and one of them must name one.
    let named = [("host", "proxbox.example.com"), ("authorization", token.as_str())];
    let absolute = send(&server, Method::GET, &format!("http://evil.example.org{LIST}"), &named).await;
    assert_eq!(absolute.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(send(&server, Method::GET, LIST, &named[1..]).await.status, StatusCode::MISDIRECTED_REQUEST);
    // By default every host will do.
    let open = guarded(app, &["*"], &[]);
    assert_eq!(send(&open, Method::GET, LIST, &named[1..]).await.status, StatusCode::OK);
}

async fn pages_of_named_origins_read_answers_and_no_others(db: TestDb) {
    let server = guarded(db.seeded().await, &[], &[PAGE]);
    let token = token();
    let preflight = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization"),
        ]
    };
    for path in [LIST, "/graphql", "/api/plugins/proxbox/nodes/1/"] {
        let answer = send(&server, Method::OPTIONS, path, &preflight(PAGE)).await;
        assert_eq!(
            (answer.status, header(&answer, "access-control-allow-origin")),
            (StatusCode::NO_CONTENT, Some(PAGE))
        );
        assert!(header(&answer, "access-control-allow-methods").unwrap().contains("PATCH"), "{path}");
        assert!(header(&answer, "access-control-allow-headers").unwrap().contains("authorization"), "{path}");
    }
    let asked = [("origin", PAGE), ("authorization", token.as_str())];
    let answer = send(&server, Method::GET, LIST, &asked).await;
    assert_eq!((answer.status, header(&answer, "access-control-allow-origin")), (StatusCode::OK, Some(PAGE)));
    assert!(header(&answer, "access-control-expose-headers").unwrap().contains("etag"));
    // There are no cookies, so nothing is sent along by itself.
    assert_eq!(header(&answer, "access-control-allow-credentials"), None);
    // Refusals can be read too: the page learns what is wrong.
    let refused = send(&server, Method::GET, LIST, &asked[..1]).await;
    assert_eq!((refused.status, header(&refused, "access-control-allow-origin")), (StatusCode::FORBIDDEN, Some(PAGE)));
    // OPTIONS without a preflight is REST's own.
    let options = send(&server, Method::OPTIONS, "/api/plugins/proxbox/nodes/", &asked).await;
    assert!(options.json()["actions"].is_object());
    for origin in ["https://evil.example.org", "https://front.example.com.evil.org", "http://front.example.com", "null"]
    {
        let answer = send(&server, Method::OPTIONS, LIST, &preflight(origin)).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "{origin}");
        assert_ne!(answer.status, StatusCode::NO_CONTENT, "{origin}");
        let answer = send(&server, Method::GET, LIST, &[("origin", origin), asked[1]]).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "{origin}");
        // Caches keep the answers apart.
        assert!(
            answer.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("origin")),
            "{origin}"
        );
    }
}

async fn without_origins_nothing_is_said_of_them(db: TestDb) {
    let server = db.server().await;
    let answer = send(&server, Method::GET, LIST, &[("origin", PAGE), ("authorization", &token())]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{:?}", answer.headers);
}

async fn every_answer_tells_browsers_to_do_no_more_than_read(db: TestDb) {
    let server = db.server().await;
    let token = token();
    let asked = [
        (Method::GET, LIST),
        (Method::GET, "/api/plugins/proxbox/nodes/1/"),
        (Method::GET, "/api/plugins/proxbox/nodes/4711/"),
        (Method::OPTIONS, "/api/plugins/proxbox/nodes/"),
        (Method::PUT, "/api/plugins/proxbox/nodes/1/"),
        (Method::GET, "/api/"),
        (Method::GET, "/api/schema/"),
        (Method::GET, "/api/docs/"),
        (Method::GET, "/graphiql/"),
        (Method::GET, "/graphql?query=%7B__typename%7D"),
        (Method::GET, "/graphql"),
        (Method::GET, "/graphql/schema.graphql"),
        (Method::GET, "/healthz"),
        (Method::GET, "/readyz"),
        (Method::GET, "/nowhere"),
        (Method::DELETE, "/"),
    ];
    for (method, path) in asked {
        for headers in [&[("authorization", token.as_str())][..], &[]] {
            let answer = send(&server, method.clone(), path, headers).await;
            let told = |name| header(&answer, name).unwrap_or_else(|| panic!("{method} {path} lacks {name}"));
            assert_eq!(told("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(told("referrer-policy"), "no-referrer", "{path}");
            let policy = told("content-security-policy");
            assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            let cache = told("cache-control");
            let is_page = path.starts_with("/graphiql") || path.starts_with("/api/docs");
            assert!(is_page || cache == "no-store" || cache.starts_with("private"), "{path}: {cache}");
            // Nobody needs to know what runs here.
            assert_eq!((header(&answer, "server"), header(&answer, "set-cookie")), (None, None), "{path}");
        }
    }
}

both! {
    only_the_named_hosts_are_answered,
    pages_of_named_origins_read_answers_and_no_others,
    without_origins_nothing_is_said_of_them,
    every_answer_tells_browsers_to_do_no_more_than_read,
}
