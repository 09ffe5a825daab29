//! `serve`: health, an orderly end, the demo, what it refuses.
use super::{Program, Running, graphql, seed_file, without_tables};
use crate::support::{ADMIN, Backend, TestDb, both};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

const COUNT: &str = "{ proxmoxNodes { totalCount } }";

/// A request of which the server still waits for the end.
fn half_a_request(server: &Running) -> (TcpStream, String) {
    let text = graphql(ADMIN, COUNT, "");
    let (begun, rest) = text.split_at(text.len() - 5);
    let mut stream = server.connect();
    stream.write_all(begun.as_bytes()).unwrap();
    (stream, rest.to_owned())
}

async fn the_first_steps_work(db: TestDb) {
    let program = Program::new(&db);
    assert_eq!(program.ok(&["load", &seed_file(&program.folder)]), "");
    let mut server = program.serve(&[]);
    assert!(server.get("/healthz").ends_with("\r\n\r\nok\n"));
    assert!(server.get("/readyz").ends_with("\r\n\r\nready\n"));
    assert!(server.get("/graphiql").contains("\r\nlocation: graphiql/\r\n"));
    let page = server.get("/graphiql/");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("text/html"), "{page}");
    let answer = server.graphql(ADMIN, COUNT);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"totalCount\":14"), "{answer}");
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404"));
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    assert_eq!(*server.stdout.lock().unwrap(), "");
    assert!(!server.log().contains("no API token"), "{}", server.log());
}

async fn a_first_start_tells_how_to_make_a_token(db: TestDb) {
    let program = Program::new(&db);
    let mut server = program.serve(&[]);
    server.get("/healthz");
    server.signal("INT");
    assert_eq!(server.end(), Some(0));
    assert!(server.log().contains("proxbox-graphql token create NAME"), "{}", server.log());
}

async fn a_signal_lets_requests_in_flight_end(db: TestDb) {
    let program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let mut server = program.serve(&[]);
    // One connection rests after a request, one never said a word, one is in the middle of a request.
    let mut resting = server.connect();
    resting.write_all(graphql(ADMIN, COUNT, "").as_bytes()).unwrap();
    let mut bytes = [0; 4096];
    assert!(resting.read(&mut bytes).unwrap() > 0);
    let mut silent = server.connect();
    let (mut busy, rest) = half_a_request(&server);
    std::thread::sleep(Duration::from_millis(150));
    let begun = Instant::now();
    server.signal("TERM");
    assert_eq!(resting.read(&mut bytes).unwrap_or(0), 0, "resting connections are closed at once");
    assert_eq!(silent.read(&mut bytes).unwrap_or(0), 0);
    assert!(begun.elapsed() < Duration::from_secs(3));
    while TcpStream::connect(server.address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(3), "somebody new gets in");
        std::thread::sleep(Duration::from_millis(10));
    }
    busy.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"totalCount\":14"), "{answer}");
    assert_eq!(server.end(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

fn demos(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn without_graphiql_the_demo_leads_to_the_other_page() {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    program.set("TMPDIR", folder.path().to_str().unwrap()).set("PROXBOX_LISTEN", "127.0.0.1:0");
    let server = program.set("PROXBOX_NO_GRAPHIQL", "true").set("PROXBOX_INTROSPECTION", "off").serve(&["--demo"]);
    let link = server.stdout.lock().unwrap().clone();
    let token = link.strip_prefix(&format!("http://{}/api/docs#token=", server.address)).unwrap().trim();
    assert!(server.get("/api/docs/").starts_with("HTTP/1.1 200"));
    assert!(server.get("/graphiql/").starts_with("HTTP/1.1 404"));
    let answer = server.graphql(token, "{ __schema { queryType { name } } }");
    assert!(answer.contains("INTROSPECTION_DISABLED"), "{answer}");
}

#[test]
fn the_demo_is_one_link_and_leaves_nothing() {
    let folder = crate::support::folder();
    let temporary = crate::support::folder();
    let mut program = Program::bare(folder.path());
    program.set("TMPDIR", temporary.path().to_str().unwrap());
    program.set("PROXBOX_DATABASE_URL", "postgres://nobody:canary@127.0.0.1:1/none");
    program.set("PROXBOX_SECRET_KEY_FILE", "/nonexistent");
    program.set("PROXBOX_NO_MIGRATE", "true").set("PROXBOX_LISTEN", "127.0.0.1:0");
    let mut server = program.serve(&["--demo"]);
    let link = server.stdout.lock().unwrap().clone();
    let token =
        link.strip_prefix(&format!("http://{}/graphiql#token=", server.address)).unwrap().strip_suffix('\n').unwrap();
    assert!(token.starts_with("nbt_"), "{token}");
    let answer = server.graphql(
        token,
        "{ proxmoxEndpoints { totalCount } proxmoxNodes { totalCount } proxmoxStorages { totalCount } }",
    );
    let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let count = |field: &str| body["data"][field]["totalCount"].as_i64().unwrap();
    assert!(count("proxmoxEndpoints") > 2 && count("proxmoxNodes") >= 25 && count("proxmoxStorages") >= 80, "{body}");
    assert!(demos(temporary.path()).iter().any(|name| name.starts_with("proxbox-demo-")));
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    assert_eq!(*server.stdout.lock().unwrap(), link, "nothing else on stdout");
    assert!(!server.log().contains(token), "the token is in the log");
    assert_eq!((demos(temporary.path()), demos(folder.path())), (vec![], vec![]));
}

#[test]
fn even_a_demo_that_ends_while_it_starts_leaves_nothing() {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    program.set("TMPDIR", folder.path().to_str().unwrap());
    program.set("PROXBOX_LISTEN", "127.0.0.1:0");
    let mut child = program.command(&["serve", "--demo"]).spawn().unwrap();
    let begun = Instant::now();
    while demos(folder.path()).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("/bin/sh").args(["-c", "kill -s TERM $0", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(demos(folder.path()), [""; 0]);
}

async fn no_migrate_refuses_an_empty_and_an_old_schema(db: TestDb) {
    without_tables(&db).await;
    let program = Program::new(&db);
    let refused = |program: &Program| {
        let message = program.fails(1, &["serve", "--no-migrate"]);
        assert!(message.contains("m0001_topology") && message.contains("proxbox-graphql migrate"), "{message}");
    };
    refused(&program);
    assert_eq!(program.ok(&["migrate"]), "");
    assert_eq!(program.ok(&["migrate"]), "", "twice is once");
    let mut server = program.serve(&["--no-migrate"]);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    let connection = proxbox_graphql::db::Db::connect(&db.options).await.unwrap();
    crate::service::execute(&connection, "DELETE FROM seaql_migrations").await;
    connection.close().await.unwrap();
    let not_ready = server.get("/readyz");
    assert!(not_ready.starts_with("HTTP/1.1 503") && not_ready.ends_with("\r\n\r\nnot ready\n"), "{not_ready}");
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    // What is missing is for the operator.
    assert!(server.log().contains("not ready: migrations are missing"), "{}", server.log());
    refused(&program);
}

async fn a_taken_address_is_told(db: TestDb) {
    let program = Program::new(&db);
    let server = program.serve(&[]);
    let address = server.address.to_string();
    let message = program.fails(1, &["serve", "--listen", &address]);
    assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
    assert!(program.fails(1, &["serve", "--listen", "nonsense"]).contains("cannot listen on nonsense"));
}

async fn anonymous_reading_is_an_option(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let ask = |server: &Running| {
        let text = graphql("x", COUNT, "connection: close\r\n").replace("authorization: Token x\r\n", "");
        server.request(&text)
    };
    assert!(ask(&program.serve(&[])).contains("UNAUTHENTICATED"));
    program.set("PROXBOX_ANONYMOUS_READ", "true");
    assert!(ask(&program.serve(&[])).contains("\"totalCount\":14"));
}

async fn the_log_holds_no_secret_even_at_trace(db: TestDb) {
    let mut program = Program::new(&db);
    program.set("PROXBOX_LOG", "trace");
    let mut file: serde_json::Value = serde_json::from_str(crate::support::SEED).unwrap();
    file["proxmox_endpoints"][0]["password"] = "canary-password".into();
    file["proxmox_endpoints"][0]["token_value"] = "canary-token".into();
    let mut log = String::new();
    let mut run = |arguments: &[&str], stdin: &str| {
        let output = program.run_with(arguments, stdin);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        log += &output.stderr;
        output.stdout
    };
    run(&["load", "-"], &file.to_string());
    run(&["endpoint", "add", "--offline", "x", "x.example.com", "--token-stdin"], "canary-added\n");
    run(&["endpoint", "set-secret", "x", "--password-stdin"], "canary-set\n");
    let value = format!("nbt_canarycanary.{}", "canary88".repeat(5));
    assert_eq!(run(&["token", "create", "mine", "--value-stdin"], &value), format!("{value}\n"));
    let made = run(&["token", "create", "made"], "");
    run(&["dump", "--with-secrets", "dump.json"], "");
    let mut server = program.serve(&[]);
    for token in [ADMIN, &value, made.trim()] {
        assert!(server.graphql(token, COUNT).contains("totalCount"));
    }
    // Mutations with secrets, sound ones and all sorts of wrong ones, as literals and as variables.
    let mutation = |more: &str| {
        format!(
            "mutation {{ updateProxmoxEndpoint(input: {{id: 1, password: \"canary-by-mutation\", \
             tokenValue: \"canary-too-by-mutation\"{more}}}) {{ userErrors {{ code }} }} }}"
        )
    };
    for (query, told) in [
        (mutation(""), "\"userErrors\":[]"),
        (mutation(", port: 0"), "OUT_OF_RANGE"),
        (mutation(", tokenName: [1]"), "\"errors\""),
        (mutation("").replace("\"canary-by-mutation\"", "[\"canary-by-mutation\"]"), "\"errors\""),
        (mutation("").replace("password", "passwort"), "\"errors\""),
    ] {
        let answer = server.graphql(ADMIN, &query);
        assert!(answer.contains(told) && !answer.contains("canary"), "{query}: {answer}");
    }
    let query = "mutation($input: UpdateProxmoxEndpointInput!) { updateProxmoxEndpoint(input: $input) { userErrors { code } } }";
    for (password, told) in [
        (serde_json::json!("canary-by-variable"), "\"userErrors\":[]"),
        (serde_json::json!(["canary-by-variable"]), "BAD_USER_INPUT"),
    ] {
        let input = serde_json::json!({"id": 1, "password": password, "tokenValue": "canary-as-well"});
        let body = serde_json::json!({"query": query, "variables": {"input": input}}).to_string();
        let answer = server.request(&format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Token {ADMIN}\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert!(answer.contains(told) && !answer.contains("canary"), "{answer}");
    }
    let asked =
        "GET /graphql?query=%7B__typename%7D&token=canaryquery HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    server.request(asked);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    log += &server.log();
    assert!(log.contains("TRACE") && log.contains("answered"), "the log is as chatty as can be");
    let secrets = ["canary-", "canary88", "canaryquery", ADMIN, made.trim().rsplit('.').next().unwrap()];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    for secret in ["canary-password", "canary-by-mutation", "canary-too-by-mutation", "canary-by-variable", super::KEY]
    {
        for form in crate::support::canary::forms(secret) {
            assert_eq!(log.lines().find(|line| line.contains(&form)), None, "{secret} as {form}");
        }
    }
}

async fn what_cannot_be_opened_is_told_without_the_password(db: TestDb) {
    let mut program = Program::new(&db);
    match db.backend {
        Backend::Sqlite => {
            program.set("PROXBOX_DATABASE_URL", "sqlite://nowhere/proxbox.db?mode=rwc");
            assert!(program.fails(1, &["migrate"]).contains("cannot open the database file nowhere/proxbox.db"));
        }
        Backend::Postgres => {
            let url = db.options.url.replace("postgres@", "postgres:canary@");
            let (server, rest) = url.split_once("/proxbox_").unwrap();
            let rest = rest.split_once('?').map_or("", |(_, rest)| rest);
            program.set("PROXBOX_DATABASE_URL", &format!("{server}/nowhere?{rest}"));
            program.set("PROXBOX_LOG", "trace");
            for command in ["serve", "migrate"] {
                let message = program.fails(1, &[command]);
                assert!(message.contains("cannot open the database") && !message.contains("canary"), "{message}");
            }
        }
    }
}

both!(
    the_first_steps_work,
    a_first_start_tells_how_to_make_a_token,
    a_signal_lets_requests_in_flight_end,
    no_migrate_refuses_an_empty_and_an_old_schema,
    a_taken_address_is_told,
    anonymous_reading_is_an_option,
    the_log_holds_no_secret_even_at_trace,
    what_cannot_be_opened_is_told_without_the_password,
);
