//! Canaries in every secret that there is, and a walk over everything that the program says: no door, log or file tells
//! one, however it is written.
use crate::cli::{Program, Running, graphql};
use crate::coverage::routes;
use crate::graphql::counts::{ROOTS, Shape};
use crate::ops;
use crate::service::stolen;
use crate::support::canary::Canaries;
use crate::support::pve::{Pve, Reply};
use crate::support::{TestDb, both};
use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::secret::KeySource;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "canary key, and long enough: +/ü";
const OLD_KEY: &str = "canary key of before, and long enough";
const PASSWORD: &str = "canary pa/ss+wörd \"1\"";
const TOKEN_VALUE: &str = "canary-0f-a-t0ken-value";
const SENT: &str = "canary-sent-by-a-client";
const V1: &str = "canary000000000000000000000000000000v1v1";
const V2: &str = "nbt_publichalf00.canary000000000000000000000000000000v2v2";
const NETBOX: &str = "nbt_netboxpublic.canary0000000000000000000000000000netbox";
/// In the raw configuration that Proxmox tells: under names of secrets, and in URLs.
const STORAGE: &str = "canary-of-a-storage";
const USERINFO: &str = "canary-userinfo";

fn canaries() -> Canaries {
    Canaries::new(&[
        ("the key", KEY),
        ("the old key", OLD_KEY),
        ("a password", PASSWORD),
        ("a token's value", TOKEN_VALUE),
        ("a secret of a request", SENT),
        ("an API token", V1),
        ("an API token", V2.split_once('.').unwrap().1),
        ("NetBox's token", NETBOX.split_once('.').unwrap().1),
        ("a secret of a storage", STORAGE),
        ("a URL's password", USERINFO),
    ])
}

/// The program with everything planted; what its commands said is looked at as it comes.
struct Scene {
    program: Program,
    canaries: Canaries,
    pve: Pve,
    _netbox: MockServer,
}

impl Scene {
    async fn new(db: &TestDb) -> Self {
        let pve = Pve::start("pve8-cluster").await;
        pve.accept_token("sync@pve!full", TOKEN_VALUE);
        let netbox = MockServer::start().await;
        // As a NetBox, or somebody in its place, may do: it repeats the token.
        let detail = json!({"detail": format!("Invalid token {NETBOX}")});
        Mock::given(any()).respond_with(ResponseTemplate::new(403).set_body_json(detail)).mount(&netbox).await;
        let mut program = Program::new(db);
        program.set("PROXBOX_SYNC_ALLOW_LOOPBACK", "1").set("PROXBOX_LOG", "trace");
        program.set("PROXBOX_NETBOX_URL", &netbox.uri()).set("PROXBOX_NETBOX_TOKEN", NETBOX);
        for name in ["COST", "DEPTH", "ALIASES", "SELECTIONS", "TEXT", "TOKENS"] {
            program.set(&format!("PROXBOX_GRAPHQL_{name}"), "1000000");
        }
        program.set("PROXBOX_SECRET_KEY", OLD_KEY);
        Self { program, canaries: canaries(), pve, _netbox: netbox }
    }

    /// Runs a command, and looks at what it says; but for a token's own value when it is made.
    fn run(&self, arguments: &[&str], stdin: &str) -> String {
        let output = self.program.run_with(arguments, stdin);
        let place = format!("{arguments:?}");
        self.canaries.look(&place, &output.stderr);
        if !arguments.starts_with(&["token", "create"]) {
            self.canaries.look(&place, &output.stdout);
        }
        output.stdout
    }

    /// Plants what commands can plant; the key is changed on the way.
    fn plant(&mut self) {
        let port = self.pve.port().to_string();
        let mut storages = self.pve.data("/storage");
        for (key, value) in [
            ("password", json!(STORAGE)),
            ("Keyring", json!({"inner": [STORAGE]})),
            ("client_secret", json!([STORAGE])),
            ("private-key", json!(STORAGE)),
            ("api-key", json!(STORAGE)),
            ("nested", json!([{"deeper": {"x-private": STORAGE}}])),
            ("portal", json!(format!("iscsi://admin:{USERINFO}@10.0.0.1/x, http://{USERINFO}@host"))),
            ("server", json!(format!("https://user:{USERINFO}@pbs.example.com:8007"))),
        ] {
            storages[0][key] = value;
        }
        self.pve.reply("/storage", Reply::Data(storages));
        let add = ["endpoint", "add", "prod", "127.0.0.1", "--port", &port, "--yes", "--username", "sync@pve"];
        self.run(&[&add[..], &["--token-name", "full", "--token-stdin"]].concat(), &format!("{TOKEN_VALUE}\n"));
        self.run(&["endpoint", "set-secret", "prod", "--password-stdin"], &format!("{PASSWORD}\n"));
        for (name, value) in [("v1", V1), ("v2", V2)] {
            assert_eq!(self.run(&["token", "create", name, "--value-stdin"], value).trim(), value);
        }
        assert!(self.run(&["sync"], "").contains("prod: succeeded"));
        self.program.set("PROXBOX_SECRET_KEY", KEY).set("PROXBOX_SECRET_KEY_OLD", OLD_KEY);
        assert!(self.run(&["secret", "rotate"], "").starts_with("sealed 3 under"));
    }

    /// What else the commands say.
    fn commands(&self) {
        for arguments in [
            &["token", "list"][..],
            &["endpoint", "list"],
            &["endpoint", "show", "prod"],
            &["endpoint", "check", "prod"],
            &["secret", "status"],
            &["sync", "--json", "--dry-run"],
            &["netbox", "check"],
            &["netbox", "sync"],
            &["links", "suggest"],
            &["dump", "-"],
            &["dump", "--with-secrets"],
        ] {
            let said = self.run(arguments, "");
            assert!(arguments[0] == "netbox" || !said.is_empty(), "{arguments:?}");
        }
        let mut program = Program { folder: self.program.folder.clone(), env: self.program.env.clone() };
        program.set("PROXBOX_NETBOX_URL", &format!("http://admin:{USERINFO}@netbox.example.com"));
        self.canaries.look("a refused URL", program.fails(1, &["netbox", "check"]));
    }
}

/// A server to walk over, as the holder of a token that may do everything.
struct Walk<'a> {
    scene: &'a Scene,
    server: Running,
}

impl Walk<'_> {
    /// Asks, looks at the whole answer, and returns its status and body.
    fn ask(&self, request: &str) -> (u16, String) {
        let answer = self.server.request(request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request}: {answer}"));
        let body = if head.contains("transfer-encoding: chunked") { joined(body) } else { body.to_owned() };
        let place = request.lines().next().unwrap();
        self.scene.canaries.look(place, head);
        self.scene.canaries.look(place, &body);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    fn rest(&self, method: &str, path: &str, more: &str, body: &str) -> (u16, String) {
        self.ask(&format!(
            "{method} {path} HTTP/1.1\r\nhost: proxbox.example.com\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn graphql(&self, query: &str) -> Value {
        let (status, body) = self.ask(&graphql(V2, query, "connection: close\r\n"));
        assert_eq!(status, 200, "{query}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Every route with every method that reads, in every format, with each token and without.
    fn routes(&self) {
        let mut answered = 0;
        let known =
            [format!("authorization: Bearer {V2}\r\n"), format!("authorization: Token {V1}\r\n"), String::new()];
        for route in routes() {
            for id in ["1", "2", "9999"] {
                let path = route.replace("{id}", id).replace("{*path}", "fallback.css");
                for (method, accept) in [
                    ("GET", "application/json"),
                    ("GET", "text/csv"),
                    ("GET", "application/x-ndjson"),
                    ("GET", "text/html"),
                    ("HEAD", "*/*"),
                    ("OPTIONS", "*/*"),
                ] {
                    for token in known.iter().skip(usize::from(id != "1")) {
                        let (status, _) = self.rest(method, &path, &format!("{token}accept: {accept}\r\n"), "");
                        assert!(status < 500, "{method} {path} {accept}");
                        answered += u32::from(status == 200);
                    }
                }
                if path == route {
                    break;
                }
            }
        }
        assert!(answered > 150, "{answered}");
    }

    /// What the operator's own listener tells.
    fn figures(&self) {
        let listener = ops::address(&self.server);
        for (path, told) in [("/metrics", "proxbox_authentications_failed_total"), ("/readyz", "ready")] {
            let answer = ops::get(listener, path);
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(told), "{answer}");
            self.scene.canaries.look(path, answer);
        }
    }

    /// Every field of every type, by the schema.
    fn types(&self) {
        let shape = Shape::new();
        let feeds = [("changes", "ChangeConnection"), ("syncRuns", "SyncRunConnection")];
        let feeds = feeds.into_iter().chain([("linkSuggestions", "LinkSuggestionConnection")]);
        let feeds = feeds.flat_map(|(root, ty)| {
            shape.of_connection(ty, 3).into_iter().map(move |part| format!("{{ {root} {{ {part} }} }}"))
        });
        let lists = ROOTS.into_iter().flat_map(|(root, ty)| {
            let parts = shape.of_object(ty, 1).into_iter();
            parts.map(move |part| format!("{{ {root}(first: 100) {{ nodes {{ {part} }} }} }}"))
        });
        let mirror =
            shape.of_object("NetBoxMirror", 1).into_iter().map(|part| format!("{{ netboxMirror {{ {part} }} }}"));
        let mut all = String::new();
        for query in lists.chain(feeds).chain(mirror) {
            let answer = self.graphql(&query);
            assert!(answer.get("errors").is_none(), "{query}: {answer:#}");
            all += &answer.to_string();
        }
        for seen in
            ["(redacted)", "\"hasPassword\":true", "pbs.example.com", "\"class\":\"auth\"", "has_password", "***"]
        {
            assert!(all.contains(seen), "the walk saw {seen}");
        }
    }

    /// Secrets that a client sends, in sound requests and in those that cannot be read.
    fn writes(&self) {
        let endpoint = "/api/plugins/proxbox/endpoints/proxmox/";
        let json = |token: &str| format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
        let new = json!({"name": "sent", "domain": "e.example.com", "mode": "cluster", "password": SENT, "token_value": SENT});
        assert_eq!(self.rest("POST", endpoint, &json(V2), &new.to_string()).0, 201);
        for (key, value) in
            [("password", json!([SENT])), ("token_value", json!({SENT: SENT})), ("port", json!(0)), ("mode", json!([]))]
        {
            let mut wrong = new.clone();
            wrong[key] = value;
            for (method, path) in
                [("POST", endpoint.to_owned()), ("PATCH", format!("{endpoint}1/")), ("PUT", format!("{endpoint}2/"))]
            {
                let (status, _) = self.rest(method, &path, &json(V2), &wrong.to_string());
                assert_eq!(status, 400, "{method} {key}");
            }
        }
        let whole = new.to_string();
        for broken in
            [&whole[..whole.len() - 3], &whole.replace(':', ";"), &format!("{whole}{whole}"), &format!("\u{1}{whole}")]
        {
            assert_eq!(self.rest("POST", endpoint, &json(V2), broken).0, 400, "{broken}");
            self.rest("POST", "/graphql", &json(V2), broken);
        }
        self.rest("POST", endpoint, &format!("authorization: Bearer {V2}\r\ncontent-type: text/plain\r\n"), &whole);
        // Tokens that are none, and such that are nearly one.
        for wrong in [
            SENT,
            &format!("{V1}x"),
            &V2.replace("publichalf00", "anotherhalf0"),
            &format!("a {V2}"),
            &V2.replace('.', ""),
        ] {
            let (status, _) = self.rest("GET", "/api/status/", &json(wrong), "");
            assert_eq!(status, 403, "{wrong}");
            let (status, _) = self.rest("POST", "/graphql", &json(wrong), "{\"query\":\"{__typename}\"}");
            assert!((400..=401).contains(&status), "{wrong}: {status}");
        }
        let secrets = format!("password: \"{SENT}\", tokenValue: \"{SENT}\"");
        for input in [
            format!("id: 2, {secrets}"),
            format!("id: 2, {secrets}, port: 0"),
            format!("id: 2, {secrets}, nonsense: 1"),
            format!("id: 2, password: [\"{SENT}\"]"),
            format!("id: 2, password: {}", SENT.replace('-', "_")),
        ] {
            let query =
                format!("mutation {{ updateProxmoxEndpoint(input: {{{input}}}) {{ userErrors {{ message }} }} }}");
            self.ask(&graphql(V2, &query, "connection: close\r\n"));
        }
    }
}

/// A body that came in chunks, whose borders could hide a secret.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = chunks.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        body += &rest[..length];
        chunks = rest[length..].trim_start_matches("\r\n");
    }
    body
}

async fn no_secret_is_told_anywhere(db: TestDb) {
    let mut scene = Scene::new(&db).await;
    scene.plant();
    // Errors of Proxmox that repeat what it was sent, as it came and as it stands in the header.
    let reason = format!("no such token: {TOKEN_VALUE} (PVEAPIToken=sync@pve!full={TOKEN_VALUE})");
    for (path, status) in [("/storage", 500), ("/nodes", 403), ("/version", 401)] {
        scene.pve.fail(path, status, &reason);
        assert!(scene.run(&["sync"], "").contains("prod: "));
    }
    let server = scene.program.serve(&["--ops-listen", "127.0.0.1:0"]);
    let mut walk = Walk { scene: &scene, server };
    walk.graphql("mutation { syncNetbox(input: {}) { userErrors { code } } }");
    walk.graphql("mutation { syncEndpoint(input: {id: 1}) { userErrors { code } } }");
    for _ in 0..600 {
        let state = walk.graphql("{ netboxMirror { lastError { class } } syncRuns(first: 1) { nodes { state } } }");
        let running = ["QUEUED", "RUNNING"].iter().any(|state_of| state.to_string().contains(state_of));
        if !running && state["data"]["netboxMirror"]["lastError"].is_object() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    walk.writes();
    walk.types();
    walk.routes();
    walk.figures();
    walk.server.signal("TERM");
    assert_eq!(walk.server.end(), Some(0));
    let log = walk.server.log();
    assert!(log.contains("TRACE") && log.contains("***"), "the log is as chatty as can be");
    scene.canaries.look("the log", log);
    scene.canaries.look("stdout", walk.server.stdout.lock().unwrap().as_str());
    scene.commands();
    let key = KeySource::Given(SecretString::from(KEY));
    let app = App::open(&db.options, &key, Schema::Check, Settings::default()).await.unwrap();
    let stored = stolen(&db, &app).await;
    assert!(stored.contains("(redacted)") && stored.contains("v1."));
    scene.canaries.look("the database", stored);
}

both!(no_secret_is_told_anywhere);
