//! Who is let in, and what the refused are told.
use crate::support::{ADMIN, Answer, SEED, Server, TestDb, both, fill};
use axum::body::Body;
use axum::http::{Request, header};
use proxbox_graphql::app::Settings;
use proxbox_graphql::entity::{change, revision};
use proxbox_graphql::service::token;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::Value;

const ADMIN_V2: &str = "nbt_oraclekey001.abcdefghijklmnopqrstuvwxyz0123456789ABCD";

/// The recorded headers of the seed's tokens.
fn header_of(name: &str) -> String {
    let tokens: Value = serde_json::from_str(include_str!("../../data/tokens.json")).unwrap();
    tokens[name].as_str().unwrap().to_owned()
}

async fn with(server: &Server, authorization: Option<&str>, body: &str) -> Answer {
    let mut request =
        Request::builder().method("POST").uri("/graphql").header(header::CONTENT_TYPE, "application/json");
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    server.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

const ASK: &str = r#"{"query": "{ proxmoxNodes { totalCount } }"}"#;

async fn tokens_of_both_versions_are_taken_under_either_keyword(db: TestDb) {
    let server = db.server().await;
    for token in [ADMIN, ADMIN_V2] {
        for keyword in ["Token", "Bearer", "token", "BEARER", "tOkEn"] {
            let answer = with(&server, Some(&format!("{keyword} {token}")), ASK).await;
            assert_eq!(answer.data()["proxmoxNodes"]["totalCount"], 14, "{keyword} {token}");
        }
    }
    for (name, seen) in [
        ("TOKEN_ADMIN", 14),
        ("TOKEN_ADMIN_V2", 14),
        ("TOKEN_READONLY", 14),
        ("TOKEN_VIEW_NODES", 14),
        ("TOKEN_NOBODY", 0),
        ("TOKEN_CONSTRAINED", 0),
    ] {
        let answer = with(&server, Some(&header_of(name)), ASK).await;
        assert_eq!(answer.data()["proxmoxNodes"]["totalCount"], seen, "{name}");
    }
}

async fn everybody_else_is_asked_for_a_token_before_anything_is_read(db: TestDb) {
    let server = db.server().await;
    let (expired, disabled) = (header_of("TOKEN_EXPIRED"), header_of("TOKEN_DISABLED"));
    let unknown = format!("Token {}", "9".repeat(40));
    // The key of a known token with another secret, and its secret alone.
    let (secret, key) = (format!("Bearer {}x", &ADMIN_V2[..ADMIN_V2.len() - 1]), format!("Token {}", &ADMIN_V2[17..]));
    for authorization in [
        None,
        Some(""),
        Some("Token"),
        Some("Bearer"),
        Some(ADMIN),
        Some("Basic YWRtaW46YWRtaW4="),
        Some("Token a b"),
        Some("Token short"),
        Some(&expired),
        Some(&disabled),
        Some(&unknown),
        Some(&secret),
        Some(&key),
        Some("Bearer nbt_"),
        Some("Token \u{e9}\u{e9}"),
    ] {
        for body in [ASK, "garbage", "", &"[".repeat(100_000)] {
            let answer = with(&server, authorization, body).await;
            assert_eq!(answer.status, 401, "{authorization:?}");
            assert_eq!(answer.code(), "UNAUTHENTICATED", "{authorization:?}");
            assert!(
                answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"),
                "{authorization:?}"
            );
            assert!(answer.json().get("data").is_none());
            let text = String::from_utf8(answer.bytes).unwrap();
            assert!(!text.contains(&ADMIN_V2[17..]) && !text.contains(ADMIN), "{text}");
        }
    }
    for method in ["GET", "PUT", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/graphql?query=%7B__typename%7D");
        assert_eq!(server.send(request.body(Body::empty()).unwrap()).await.status, 401, "{method}");
    }
}

async fn a_token_works_only_from_its_addresses(db: TestDb) {
    let server = db.server().await;
    let answer = with(&server, Some(&header_of("TOKEN_IP_RESTRICTED")), "garbage").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "FORBIDDEN"));
    assert!(answer.headers.get(header::WWW_AUTHENTICATE).is_none(), "another token is not asked for");
    assert!(String::from_utf8_lossy(&answer.bytes).contains("192.0.2.7"), "it says which address that is");
    // What a client writes about itself counts for nothing.
    let request = Request::builder().method("POST").uri("/graphql").header("x-forwarded-for", "10.99.0.1");
    let request =
        request.header(header::AUTHORIZATION, header_of("TOKEN_IP_RESTRICTED")).body(Body::from(ASK)).unwrap();
    assert_eq!(server.send(request).await.status, 403);
}

async fn a_token_may_come_from_a_network_it_names(db: TestDb) {
    let app = db.open().await;
    let mut seed: Value = serde_json::from_str(SEED).unwrap();
    let tokens = seed["tokens"].as_array_mut().unwrap();
    let restricted = tokens.iter_mut().find(|token| token["name"] == "ip-restricted").unwrap();
    restricted["allowed_ips"] = serde_json::json!(["2001:db8::/32", "192.0.2.0/24"]);
    fill(&app, &seed.to_string()).await;
    let answer = with(&Server::new(app), Some(&header_of("TOKEN_IP_RESTRICTED")), ASK).await;
    assert_eq!(answer.data()["proxmoxNodes"]["totalCount"], 14);
}

async fn anonymous_reading_is_a_decision_of_the_operator(db: TestDb) {
    let app = db.open_with(Settings { anonymous_read: true, ..Settings::default() }).await;
    fill(&app, SEED).await;
    let server = Server::new(app);
    assert_eq!(with(&server, None, ASK).await.data()["proxmoxNodes"]["totalCount"], 14);
    // A token that is there decides: a wrong one is no way to be anonymous.
    for (name, status) in [("TOKEN_EXPIRED", 401), ("TOKEN_DISABLED", 401), ("TOKEN_IP_RESTRICTED", 403)] {
        assert_eq!(with(&server, Some(&header_of(name)), ASK).await.status, status, "{name}");
    }
    assert_eq!(with(&server, Some("Token short"), ASK).await.status, 401);
    assert_eq!(with(&server, Some(&header_of("TOKEN_NOBODY")), ASK).await.data()["proxmoxNodes"]["totalCount"], 0);
}

/// Ends what goes on behind the requests.
async fn settled(server: &Server) {
    server.app.tasks.close();
    server.app.tasks.wait().await;
    server.app.tasks.reopen();
}

async fn the_use_of_a_token_is_noted_once_a_minute_and_is_no_change(db: TestDb) {
    let server = db.server().await;
    let app = &server.app;
    let last_used = async || {
        let tokens = token::list(&app.db).await.unwrap();
        tokens.into_iter().find(|token| token.name == "admin").unwrap().last_used
    };
    let log = async || {
        let changes = change::Entity::find().count(&app.db.read).await.unwrap();
        (changes, revision::Entity::find().one(&app.db.read).await.unwrap().map(|row| row.value))
    };
    let before = log().await;
    assert_eq!(last_used().await, None);
    // Whoever is refused has not used it.
    with(&server, Some(&header_of("TOKEN_EXPIRED")), ASK).await;
    server.data("{ __typename }").await;
    settled(&server).await;
    let first = last_used().await.unwrap();
    assert!((chrono::Utc::now() - first).num_seconds() < 30);
    for _ in 0..5 {
        server.data("{ __typename }").await;
    }
    settled(&server).await;
    assert_eq!(last_used().await, Some(first), "not twice within a minute");
    assert_eq!(log().await, before, "neither a change nor a revision");
    let tokens = token::list(&app.db).await.unwrap();
    assert!(tokens.iter().all(|token| token.last_used.is_none() || token.name == "admin"));
}

async fn a_browser_is_sent_to_graphiql_without_a_token(db: TestDb) {
    let server = db.server().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let get = |accept: &'static str| {
        Request::builder().uri("/graphql").header(header::ACCEPT, accept).body(Body::empty()).unwrap()
    };
    let answer = server.send(get(browser)).await;
    assert!(answer.status.is_redirection());
    assert_eq!(answer.headers[header::LOCATION], "graphiql/");
    assert_eq!(server.send(get("application/json")).await.status, 401);
    let page = Request::builder().uri("/graphiql/").body(Body::empty()).unwrap();
    assert_eq!(server.send(page).await.status, 200, "the page itself holds nothing that needs one");
}

async fn without_graphiql_nothing_leads_to_it(db: TestDb) {
    let mut app = db.seeded().await;
    app.settings = Settings { no_graphiql: true, ..Settings::default() }.into();
    let server = Server::new(app);
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let get = async |uri: &str, token: &str| {
        let request = Request::builder().uri(uri).header(header::ACCEPT, browser);
        server.send(request.header(header::AUTHORIZATION, token).body(Body::empty()).unwrap()).await
    };
    for path in ["/graphiql", "/graphiql/", "/graphiql/fallback.html", "/graphiql/fallback.css", "/graphiql/index.html"]
    {
        assert_eq!(get(path, "").await.status, 404, "{path}");
    }
    assert_eq!(get("/graphql", "").await.status, 401, "who navigates is answered like everybody");
    let answer = get("/graphql?query=%7B__typename%7D", &format!("Token {ADMIN}")).await;
    assert_eq!(answer.data()["__typename"], "Query");
    let docs = get("/api/docs/", "").await;
    assert_eq!(docs.status, 200);
    assert!(!String::from_utf8(docs.bytes).unwrap().contains("graphiql/"));
    assert_eq!(get("/api/docs/fallback.css", "").await.status, 200);
}

async fn the_schema_s_text_needs_a_token(db: TestDb) {
    let server = db.server().await;
    let get = || Request::builder().uri("/graphql/schema.graphql");
    let answer = server.send(get().body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHENTICATED"));
    assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
    let nobody = header_of("TOKEN_NOBODY");
    let answer = server.send(get().header(header::AUTHORIZATION, nobody).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(String::from_utf8(answer.bytes).unwrap(), include_str!("../../../schema.graphql"));
}

async fn every_answer_names_its_request(db: TestDb) {
    let server = db.server().await;
    let send = async |uri: &str, token: bool, id: Option<&str>| {
        let mut request = Request::builder().uri(uri);
        if token {
            request = request.header(header::AUTHORIZATION, format!("Token {ADMIN}"));
        }
        if let Some(id) = id {
            request = request.header("x-request-id", id);
        }
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    let uris = [
        "/graphql?query=%7B__typename%7D",
        "/graphql",
        "/graphql/schema.graphql",
        "/healthz",
        "/readyz",
        "/nothing",
        "/graphiql/",
    ];
    let mut made = std::collections::BTreeSet::new();
    for uri in uris {
        for token in [true, false] {
            assert_eq!(send(uri, token, Some("client-1.a_B")).await, "client-1.a_B", "{uri}");
            assert!(made.insert(send(uri, token, None).await), "{uri}: each has its own");
        }
    }
    // Nothing of a client's gets into the log that could pass for something else there.
    let long = "x".repeat(65);
    for unsound in ["", "a b", "a\"b", "a;b", &long] {
        let id = send(uris[0], true, Some(unsound)).await;
        assert!(id != unsound && made.insert(id), "{unsound}");
    }
}

both!(
    tokens_of_both_versions_are_taken_under_either_keyword,
    everybody_else_is_asked_for_a_token_before_anything_is_read,
    a_token_works_only_from_its_addresses,
    a_token_may_come_from_a_network_it_names,
    anonymous_reading_is_a_decision_of_the_operator,
    the_use_of_a_token_is_noted_once_a_minute_and_is_no_change,
    a_browser_is_sent_to_graphiql_without_a_token,
    without_graphiql_nothing_leads_to_it,
    the_schema_s_text_needs_a_token,
    every_answer_names_its_request,
);
