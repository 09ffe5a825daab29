//! What graphql-cop asks, a scanner of GraphQL servers (github.com/dolevf/graphql-cop, 1.15): its twelve checks, and the
//! thirteenth that it has switched off, each judged as it judges.
use crate::support::{ADMIN, Answer, Server, TestDb, both};
use axum::body::Body;
use axum::http::{Method, Request, header};
use proxbox_graphql::app::{Introspection, Settings};
use serde_json::{Value, json};

/// One who sends what the scanner sends.
struct Cop<'a> {
    server: &'a Server,
    token: Option<&'a str>,
}

impl Cop<'_> {
    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("user-agent", "graphql-cop/1.15");
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Token {token}"));
        }
        // What the library does that it asks with.
        if !headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header("accept", "*/*");
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.server.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn post(&self, body: Value) -> Value {
        let json = [("content-type", "application/json")];
        self.send(Method::POST, "/graphql", &json, body.to_string()).await.json()
    }

    async fn query(&self, text: &str) -> Value {
        self.post(json!({"query": text, "operationName": "cop"})).await
    }

    async fn get(&self, text: &str) -> Value {
        let path =
            format!("/graphql?{}", form_urlencoded::Serializer::new(String::new()).append_pair("query", text).finish());
        self.send(Method::GET, &path, &[], String::new()).await.json()
    }

    /// The text of the page at which a browser ends up.
    async fn page(&self) -> String {
        let mut path = "/graphql".to_owned();
        loop {
            let answer = self.send(Method::GET, &path, &[("accept", "text/html")], String::new()).await;
            match answer.headers.get(header::LOCATION) {
                Some(location) => path = format!("/{}", location.to_str().unwrap()),
                None => return String::from_utf8(answer.bytes).unwrap(),
            }
        }
    }

    /// The names of the checks that found something.
    async fn positives(&self) -> Vec<&'static str> {
        let aliases = (0..=100).map(|i| format!("alias{i}:__typename \n")).collect::<String>();
        let (open, close) = ("fields { type { ".repeat(4), "} } ".repeat(4));
        let circular = format!("query cop {{ __schema {{ types {{ {open} name {close} }} }} }}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let csrf = self.send(Method::POST, "/graphql", &form, "query=query+cop+%7B+__typename+%7D".into()).await.json();
        let (trace, nonsense) = (self.query("query cop { __typename }").await, self.query("qwerty cop { abc }").await);
        let suggestion = self.query("query cop { __schema { directive } }").await;
        let types = self.query("query cop { __schema { types { name fields { name } } } }").await;
        let batch = self.post(vec![json!({"query": "query cop { __typename }"}); 10].into()).await;
        let directives = self.query("query cop { __typename @aa@aa@aa@aa@aa@aa@aa@aa@aa@aa }").await;
        let words = ["graphiql.min.css", "GraphQL Playground", "GraphiQL", "graphql-playground"];
        let page = self.page().await;
        let given = |answer: &Value, field: &str| !answer["data"][field].is_null();
        let told = |answer: &Value, what: &str| {
            !answer["errors"][0]["extensions"][what].is_null() || !answer["extensions"][what].is_null()
        };
        let checks = [
            (
                "field_suggestions",
                suggestion["errors"][0]["message"].as_str().is_some_and(|text| text.contains("Did you mean")),
            ),
            ("introspection", types["data"]["__schema"]["types"].as_array().is_some_and(|types| !types.is_empty())),
            ("detect_graphiql", words.iter().any(|word| page.contains(word))),
            ("get_method_support", given(&self.get("query cop {__typename}").await, "__typename")),
            ("alias_overloading", given(&self.query(&format!("query cop {{ {aliases} }}")).await, "alias100")),
            ("batch_query", batch.as_array().is_some_and(|answers| answers.len() >= 10)),
            ("trace_mode", told(&trace, "tracing")),
            ("directive_overloading", directives["errors"].as_array().is_some_and(|errors| errors.len() == 10)),
            (
                "circular_query_introspection",
                self.query(&circular).await["data"]["__schema"]["types"]
                    .as_array()
                    .is_some_and(|types| types.len() > 25),
            ),
            ("get_based_mutation", given(&self.get("mutation cop {__typename}").await, "__typename")),
            ("post_based_csrf", given(&csrf, "__typename")),
            ("unhandled_error_detection", told(&nonsense, "exception")),
            (
                "field_duplication",
                given(&self.query(&format!("query cop {{ {} }} ", "__typename \n".repeat(500))).await, "__typename"),
            ),
        ];
        checks.into_iter().filter(|(_, positive)| *positive).map(|(name, _)| name).collect()
    }
}

async fn a_scanner_finds_what_is_meant_to_be_found(db: TestDb) {
    let app = db.seeded().await;
    let with = |settings: Settings| {
        let mut app = app.clone();
        app.settings = settings.into();
        Server::new(app)
    };
    let anonymous = || Settings { anonymous_read: true, ..Settings::default() };
    let off = || Settings { introspection: Introspection::Off, ..Settings::default() };
    for (server, token, found) in [
        (with(Settings::default()), None, &["detect_graphiql"][..]),
        (with(Settings { no_graphiql: true, ..Settings::default() }), None, &[]),
        (
            with(Settings::default()),
            Some(ADMIN),
            &["field_suggestions", "introspection", "detect_graphiql", "get_method_support"],
        ),
        (
            with(Settings { no_graphiql: true, ..Settings::default() }),
            Some(ADMIN),
            &["field_suggestions", "introspection", "get_method_support"],
        ),
        // What the operator may decide otherwise.
        (with(off()), Some(ADMIN), &["detect_graphiql", "get_method_support"]),
        (with(anonymous()), None, &["detect_graphiql", "get_method_support"]),
        (
            with(Settings { introspection: Introspection::On, ..anonymous() }),
            None,
            &["field_suggestions", "introspection", "detect_graphiql", "get_method_support"],
        ),
    ] {
        let settings = &server.app.settings;
        let positives = Cop { server: &server, token }.positives().await;
        assert_eq!(positives, found, "{token:?} {:?} {}", settings.introspection, settings.anonymous_read);
    }
}

both!(a_scanner_finds_what_is_meant_to_be_found);
