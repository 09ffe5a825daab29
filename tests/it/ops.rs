//! The operator's listener: what it tells, whom, and what it never tells.
use crate::cli::{Program, Running, graphql, seed_file};
use crate::support::runs::noon;
use crate::support::{ADMIN, Answer, SEED, Server, TestDb, both, fill};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{RunState, sync_state};
use proxbox_graphql::metrics::Reason;
use proxbox_graphql::server::ops;
use proxbox_graphql::service::sync_run;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tower::ServiceExt;

const NODES: &str = "/api/plugins/proxbox/nodes/";

async fn send(app: &App, request: Request<Body>) -> Answer {
    let (parts, body) = ops::router(app).oneshot(request).await.unwrap().into_parts();
    Answer { status: parts.status, headers: parts.headers, bytes: to_bytes(body, usize::MAX).await.unwrap().to_vec() }
}

/// What a route of the operator's listener says.
pub async fn read(app: &App, path: &str) -> String {
    let request = Request::get(path).header("host", "127.0.0.1:9180").body(Body::empty()).unwrap();
    String::from_utf8(send(app, request).await.bytes).unwrap()
}

/// Figures by what stands before their value.
async fn scrape(app: &App) -> BTreeMap<String, String> {
    let text = read(app, "/metrics").await;
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()).collect()
}

/// A state of an endpoint as a run left it.
async fn stands(app: &App, endpoint: i32, change: impl FnOnce(&mut sync_state::Model)) {
    let mut state = sync_run::blank(endpoint);
    change(&mut state);
    sync_state::Entity::insert(state.into_active_model().reset_all()).exec(&app.db.write).await.unwrap();
}

/// The seed with so many endpoints more.
fn with_endpoints(more: i32) -> String {
    let mut seed: Value = serde_json::from_str(SEED).unwrap();
    let first = seed["proxmox_endpoints"][0].clone();
    for id in 100..100 + more {
        let mut endpoint = first.clone();
        endpoint["id"] = id.into();
        endpoint["name"] = format!("canary-endpoint-{id}").into();
        endpoint["domain"] = format!("canary-{id}.example.com").into();
        seed["proxmox_endpoints"].as_array_mut().unwrap().push(endpoint);
    }
    seed["next_id"] = (100 + more).max(101).into();
    seed.to_string()
}

async fn requests_count_by_route_and_nobody_makes_new_figures(db: TestDb) {
    let server = db.server().await;
    let ask = async |method: &str, path: &str, token: &str| {
        let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        let request = request.header("authorization", format!("Token {token}")).body(Body::empty()).unwrap();
        server.send(request).await.status.as_u16()
    };
    assert_eq!(ask("GET", &format!("{NODES}1/?name=canary-query"), ADMIN).await, 200);
    assert_eq!(ask("GET", &format!("{NODES}2/"), ADMIN).await, 200);
    assert_eq!(ask("GET", NODES, "canary-token").await, 403);
    let flood = async |round: &str| {
        for i in 0..30 {
            for path in
                [format!("/canary{round}{i}"), format!("{NODES}canary{round}{i}/"), format!("/graphiql/{round}{i}")]
            {
                ask("GET", &path, ADMIN).await;
                ask(&format!("CANARY{round}{i}"), &path, ADMIN).await;
            }
        }
    };
    flood("a").await;
    let before = scrape(&server.app).await;
    let count = |figures: &BTreeMap<String, String>, labels: &str| {
        figures[&format!("proxbox_requests_total{{{labels}}}")].clone()
    };
    assert_eq!(count(&before, "method=\"GET\",route=\"/api/plugins/proxbox/nodes/{id}/\",status=\"200\""), "2");
    assert_eq!(count(&before, "method=\"GET\",route=\"/api/plugins/proxbox/nodes/\",status=\"403\""), "1");
    assert_eq!(count(&before, "method=\"GET\",route=\"none\",status=\"404\""), "30");
    assert_eq!(before["proxbox_request_duration_seconds_count{route=\"none\"}"], "60");
    assert_eq!(before["proxbox_authentications_failed_total{reason=\"unknown\"}"], "1");
    assert_eq!(before["proxbox_requests_in_flight"], "0");
    flood("b").await;
    let after = scrape(&server.app).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_eq!(count(&after, "method=\"GET\",route=\"none\",status=\"404\""), "60");
    let text = read(&server.app, "/metrics").await.to_lowercase();
    assert!(!text.contains("canary"), "{text}");
}

async fn the_database_s_figures_are_told_without_names(db: TestDb) {
    let app = db.open().await;
    fill(&app, &with_endpoints(5)).await;
    stands(&app, 1, |state| {
        state.last_state = Some(RunState::Succeeded);
        state.last_success_at = Some(noon());
        state.last_error = Some("canary-error".into());
        state.cluster = "canary-cluster".into();
    })
    .await;
    stands(&app, 100, |state| state.suspended = true).await;
    stands(&app, 101, |state| state.last_state = Some(RunState::Failed)).await;
    let figures = scrape(&app).await;
    let told = |name: &str| figures.get(name).map(String::as_str);
    for (state, count) in [("ok", "1"), ("suspended", "1"), ("failed", "1"), ("never", "5"), ("running", "0")] {
        assert_eq!(told(&format!("proxbox_endpoints{{state=\"{state}\"}}")), Some(count), "{state}");
    }
    let at = noon().timestamp().to_string();
    assert_eq!(told("proxbox_sync_last_success_timestamp_seconds{endpoint=\"1\"}"), Some(at.as_str()));
    assert_eq!(figures.keys().filter(|name| name.contains("last_success")).count(), 1);
    let revision = app.events.subscribe().borrow().to_string();
    assert_eq!(told("proxbox_revision"), Some(revision.as_str()));
    assert_eq!(told("proxbox_database_up"), Some("1"));
    assert_eq!(told("proxbox_netbox_mirror_age_seconds"), None, "there is no NetBox");
    let ready = read(&app, "/readyz").await;
    assert!(ready.starts_with("ready\n"), "{ready}");
    assert!(ready.contains("\nendpoints: 8, 5 never, 1 ok, 1 failed, 1 suspended\n"), "{ready}");
    let text = format!("{}{ready}", read(&app, "/metrics").await);
    for hidden in ["canary", "prod-proxmox", "admin", "example.com", "s3cret", ADMIN] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}

async fn a_scrape_costs_the_same_whatever_there_is(db: TestDb) {
    let server = Server::new(db.open().await);
    let cost = async |app: &App| {
        server.statements_of(async || assert_eq!(scrape(app).await["proxbox_database_up"], "1")).await
    };
    assert_eq!(cost(&server.app).await, 3);
    fill(&server.app, &with_endpoints(60)).await;
    for id in 100..160 {
        stands(&server.app, id, |state| state.last_success_at = Some(noon())).await;
    }
    assert_eq!(cost(&server.app).await, 3);
    assert_eq!(scrape(&server.app).await.keys().filter(|name| name.contains("last_success")).count(), 60);
}

async fn without_the_database_the_rest_is_told(db: TestDb) {
    let server = db.server().await;
    server.data("{ __typename }").await;
    crate::service::execute(&server.app.db, "ALTER TABLE sync_state RENAME TO away").await;
    let figures = scrape(&server.app).await;
    assert_eq!(figures["proxbox_database_up"], "0");
    assert_eq!(figures["proxbox_requests_total{method=\"POST\",route=\"/graphql\",status=\"200\"}"], "1");
    assert!(!figures.contains_key("proxbox_revision"));
    // Whether requests can be served is another question, and what is wrong inside is told to nobody.
    assert!(read(&server.app, "/readyz").await.starts_with("ready\n"));
    crate::service::execute(&server.app.db, "DELETE FROM seaql_migrations").await;
    assert!(read(&server.app, "/readyz").await.starts_with("not ready: migrations are missing\n"));
    let public = server.send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
    assert_eq!((public.status.as_u16(), public.bytes.as_slice()), (503, b"not ready\n".as_slice()));
}

async fn only_names_of_the_loopback_are_answered(db: TestDb) {
    let app = db.seeded().await;
    let ask = async |method: Method, path: &str, host: Option<&str>| {
        let request = Request::builder().method(method).uri(path).header("origin", "http://evil.example.org");
        let request = host.into_iter().fold(request, |request, host| request.header("host", host));
        send(&app, request.body(Body::empty()).unwrap()).await
    };
    for path in ["/metrics", "/readyz", "/healthz"] {
        for host in
            ["127.0.0.1:9180", "localhost:9180", "LOCALHOST.", "[::1]:9180", "127.1.2.3", "[::ffff:127.0.0.1]:1"]
        {
            let answer = ask(Method::GET, path, Some(host)).await;
            assert_eq!(answer.status, StatusCode::OK, "{host}{path}");
            let told = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(told("x-content-type-options"), Some("nosniff"));
            assert_eq!(told("cache-control"), Some("no-store"));
            assert_eq!(told("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
            assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
        }
        let others = [
            "evil.example.org",
            "192.0.2.1:9180",
            "localhost.evil.org",
            "127.0.0.1.evil.org",
            "[2001:db8::1]",
            "0.0.0.0",
            "",
        ];
        for host in others.map(Some).into_iter().chain([None]) {
            let answer = ask(Method::GET, path, host).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host:?}{path}");
            assert!(!String::from_utf8_lossy(&answer.bytes).contains("proxbox_"));
        }
        let absolute = ask(Method::GET, &format!("http://evil.example.org{path}"), Some("127.0.0.1")).await;
        assert_eq!(absolute.status, StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(ask(Method::HEAD, path, Some("localhost")).await.status, StatusCode::OK);
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            assert_eq!(
                ask(method.clone(), path, Some("localhost")).await.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method}"
            );
        }
    }
    for path in ["/", "/graphql", NODES, "/graphiql/", "/api/schema/"] {
        assert_eq!(ask(Method::GET, path, Some("localhost")).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // And the public one has none of it.
    let public = Server::new(app.clone()).send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(public.status, StatusCode::NOT_FOUND);
}

/// Each metric with its type and its labels, as the page for operators has them.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let row = |line: &str| {
        let cells = line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
        let labels = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), labels))
    };
    include_str!("../../docs/metrics.md")
        .lines()
        .filter(|line| line.starts_with("| `proxbox_") && line.matches('|').count() == 5)
        .map(row)
        .collect()
}

async fn every_figure_is_documented(db: TestDb) {
    let scene = crate::mirror::Scene::new(&db).await;
    scene.full().await;
    let server = scene.server().await;
    let endpoint = "mutation { createProxmoxEndpoint(input: {name: \"pve\", domain: \"pve.example.com\"}) {
        proxmoxEndpoint { databaseId } } }";
    let made = server.data(endpoint).await;
    let id =
        made["createProxmoxEndpoint"]["proxmoxEndpoint"]["databaseId"].as_i64().unwrap_or_else(|| panic!("{made:#}"));
    stands(&scene.app, i32::try_from(id).unwrap(), |state| state.last_success_at = Some(noon())).await;
    let metrics = &scene.app.metrics;
    for family in [&metrics.refused, &metrics.shed, &metrics.cut, &metrics.denied, &metrics.throttled] {
        family.get_or_create(&Reason { reason: "here" }).inc();
    }
    let text = read(&scene.app, "/metrics").await;
    let mut found: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect::<Vec<_>>();
    for (name, ty) in types {
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        let suffix = match ty {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let sample = if ty == "histogram" { format!("{name}_count") } else { format!("{name}{suffix}") };
        let line = text.lines().find(|line| line.starts_with(&sample)).unwrap_or_else(|| panic!("{sample}: {text}"));
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let labels = labels
            .split("\",")
            .filter(|label| !label.is_empty())
            .map(|label| label.split('=').next().unwrap().to_owned());
        found.insert(format!("{name}{suffix}"), (ty.to_owned(), labels.collect()));
    }
    assert_eq!(found, documented());
}

/// The address of the operator's listener, as the log tells it.
pub fn address(server: &Running) -> SocketAddr {
    let begun = Instant::now();
    loop {
        let log = server.log();
        if let Some((_, rest)) = log.split_once("figures and health in detail are on ") {
            break rest.split_whitespace().next().unwrap().parse().unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{log}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

async fn the_listener_is_on_the_loopback_and_bounded(db: TestDb) {
    let mut program = Program::new(&db);
    // It comes before the database, which would not open here.
    program.set("PROXBOX_DATABASE_URL", "nonsense");
    for wrong in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0", "nonsense", "127.0.0.1", ""] {
        let message = program.fails(1, &["serve", "--ops-listen", wrong]);
        assert!(message.contains("PROXBOX_OPS_LISTEN: cannot listen on "), "{wrong}: {message}");
    }
    program.set("PROXBOX_DATABASE_URL", &db.options.url).set("PROXBOX_OPS_LISTEN", "localhost:0");
    program.ok(&["load", &seed_file(&program.folder)]);
    let mut server = program.serve(&[]);
    let ops = address(&server);
    assert!(ops.ip().is_loopback());
    // A request whose body is awaited is in flight.
    let text = graphql(ADMIN, "{ __typename }", "");
    let mut busy = server.connect();
    busy.write_all(&text.as_bytes()[..text.len() - 5]).unwrap();
    let begun = Instant::now();
    while !get(ops, "/metrics").contains("\nproxbox_requests_in_flight 1\n") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", get(ops, "/metrics"));
    }
    drop(busy);
    while !get(ops, "/metrics").contains("\nproxbox_requests_in_flight 0\n") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", get(ops, "/metrics"));
    }
    assert!(server.get("/metrics").starts_with("HTTP/1.1 404"));
    assert!(server.get("/readyz").ends_with("\r\n\r\nready\n"));
    // Whoever says nothing takes a place, and not for long.
    let silent = (0..40).map(|_| TcpStream::connect(ops).unwrap()).collect::<Vec<_>>();
    let begun = Instant::now();
    let answer = get(ops, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\nendpoints: "), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    drop(silent);
    // Nor does it keep the program from ending.
    let _silent = TcpStream::connect(ops).unwrap();
    let begun = Instant::now();
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(TcpStream::connect(ops).is_err());
}

both! {
    requests_count_by_route_and_nobody_makes_new_figures,
    the_database_s_figures_are_told_without_names,
    a_scrape_costs_the_same_whatever_there_is,
    without_the_database_the_rest_is_told,
    only_names_of_the_loopback_are_answered,
    every_figure_is_documented,
    the_listener_is_on_the_loopback_and_bounded,
}
