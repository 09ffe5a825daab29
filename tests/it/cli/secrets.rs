//! `secret rotate|status`: the key is changed while servers serve, and whatever stops it, nothing is lost.
use super::checks::{add, program};
use super::{KEY, Program, seed_file};
use crate::service::{execute, number, text};
use crate::support::pve::{Pve, TOKEN_SECRET};
use crate::support::{ADMIN, TestDb, both};
use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::entity::endpoint as row;
use proxbox_graphql::secret::KeySource;
use proxbox_graphql::service::endpoint::{Patch, secrets};
use proxbox_graphql::service::{Actor, secret, update};
use sea_orm::EntityTrait;
use secrecy::{ExposeSecret, SecretString};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NEW: &str = "canary-new-key-of-the-program, long enough";
const SEALED: &str =
    "SELECT count(*) FROM proxmox_endpoint WHERE password LIKE 'v1.ID.%' OR token_value LIKE 'v1.ID.%'";

fn given(key: &str) -> KeySource {
    KeySource::Given(SecretString::from(key))
}

fn changing() -> KeySource {
    KeySource::Changing { new: Box::new(given(NEW)), old: Box::new(given(KEY)) }
}

async fn open(db: &TestDb, key: &KeySource) -> App {
    App::open(&db.options, key, Schema::Check, Settings::default()).await.unwrap()
}

/// The passwords, as they open under this key alone, by id.
async fn passwords(db: &TestDb, key: &str) -> Vec<Option<String>> {
    let app = open(db, &given(key)).await;
    let mut rows = row::Entity::find().all(&app.db.read).await.unwrap();
    rows.sort_by_key(|row| row.id);
    let clear = |row: &row::Model| secrets(row, &app.sealer).unwrap().password.map(|one| one.expose_secret().into());
    let clear = rows.iter().map(clear).collect();
    app.close().await.unwrap();
    clear
}

fn key_id(program: &Program) -> String {
    let status = program.ok(&["secret", "status"]);
    status.lines().find(|line| line.contains("current")).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// Endpoints with a password each.
fn with_passwords(count: usize) -> String {
    let endpoint = |id: usize| {
        serde_json::json!({
            "id": id, "name": format!("e{id}"), "domain": "pve.example.com", "mode": "undefined",
            "password": format!("canary-{id}"), "token_value": format!("canary-token-{id}"),
        })
    };
    serde_json::json!({"proxmox_endpoints": (1..=count).map(endpoint).collect::<Vec<_>>()}).to_string()
}

fn set_password(password: &str) -> String {
    format!(
        "mutation {{ updateProxmoxEndpoint(input: {{id: 1, password: \"{password}\"}}) {{ userErrors {{ code }} }} }}"
    )
}

async fn a_key_is_changed_while_a_server_serves(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let old = key_id(&program);
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    let server = program.serve(&[]);
    // Until the database's key is changed everybody seals under the old one, so that servers may come one by one.
    assert!(server.graphql(ADMIN, &set_password("canary-before")).contains("\"userErrors\":[]"));
    let app = open(&db, &given(KEY)).await;
    let state = async || {
        let revision = number(&app.db, "SELECT value FROM revision").await;
        (revision, text(&app.db, "SELECT CAST(max(last_updated) AS text) FROM proxmox_endpoint").await)
    };
    assert_eq!(number(&app.db, &SEALED.replace("ID", &old)).await, 2);
    let status = program.ok(&["secret", "status"]);
    assert!(status.contains(&format!("{old}  old")) && !status.contains("canary"), "{status}");
    let before = state().await;
    let dump = program.ok(&["dump"]);
    let done = program.ok(&["secret", "rotate"]);
    assert!(done.starts_with("sealed 4 under the key ") && done.contains("; 0 were already\n"), "{done}");
    assert!(done.contains("PROXBOX_SECRET_KEY_OLD(_FILE) may go") && !done.contains(&old), "{done}");
    assert_eq!(state().await, before, "nobody's rows were changed");
    assert_eq!(program.ok(&["dump"]), dump);
    assert!(!program.ok(&["dump", "--with-secrets"]).contains(&old));
    let again = program.ok(&["secret", "rotate"]);
    assert!(again.starts_with("sealed 0 under") && again.contains("; 4 were already\n"), "{again}");
    // What the running server is given lies under the new one from then on.
    assert!(server.graphql(ADMIN, &set_password("canary-after")).contains("\"userErrors\":[]"));
    assert_eq!(number(&app.db, &SEALED.replace("ID", &old)).await, 0);
    program.unset("PROXBOX_SECRET_KEY_OLD");
    program.ok(&["secret", "status"]);
    assert_eq!(passwords(&db, NEW).await[0].as_deref(), Some("canary-after"));
    let server = program.serve(&[]);
    assert!(server.graphql(ADMIN, "{ proxmoxNodes { totalCount } }").contains("14"), "tokens work as before");
    program.set("PROXBOX_SECRET_KEY", KEY);
    assert!(program.fails(1, &["token", "list"]).contains("sealed under the key"));
    app.close().await.unwrap();
}

/// A server that was not restarted: it goes on, refuses to seal what others could not open, and says why it cannot sync.
async fn who_knows_the_old_key_only_breaks_nothing(db: TestDb) {
    let (mut program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    assert_eq!(add(&program, "prod", &pve, &["--yes"]).code, Some(0));
    let token = program.ok(&["token", "create", "mine"]);
    let token = token.trim();
    let server = program.serve(&[]);
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    assert!(program.ok(&["secret", "rotate"]).starts_with("sealed 2 under"));
    let sealed = |program: &Program| {
        let dump: serde_json::Value = serde_json::from_str(&program.ok(&["dump", "--with-secrets"])).unwrap();
        dump["proxmox_endpoints"].clone()
    };
    let (new, before) = (key_id(&program), sealed(&program));
    let refused = server.graphql(token, &set_password("canary-lost"));
    assert!(refused.contains("INTERNAL") && !refused.contains(&new), "{refused}");
    assert_eq!(sealed(&program), before, "nothing is stored");
    server.graphql(token, "mutation { syncEndpoint(input: {id: 1}) { userErrors { code } } }");
    let run = "{ syncRuns { nodes { state errors { class message } } } }";
    let mut told = String::new();
    for _ in 0..600 {
        told = server.graphql(token, run);
        if told.contains("FAILED") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(told.contains("cannot be opened under this server's key"), "{told}");
    let log = server.log();
    assert!(log.contains(&new) && log.contains("PROXBOX_SECRET_KEY_OLD") && !log.contains("canary"), "{log}");
    // As soon as it knows the new one all is well; the endpoint does not wait for other credentials.
    assert!(!program.ok(&["endpoint", "list"]).contains("suspended"));
    assert!(program.ok(&["sync"]).contains("prod: succeeded"));
}

async fn a_change_that_was_stopped_is_run_again(db: TestDb) {
    const COUNT: usize = 450;
    let mut program = Program::new(&db);
    program.ok_with(&["load", "-"], &with_passwords(COUNT));
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    for wait in [0, 30, 60, 90, 120, 150] {
        let mut child = program.command(&["secret", "rotate"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        program.ok(&["secret", "status"]);
    }
    // In the middle for sure: the pepper is done, and the first endpoints are.
    let app = open(&db, &changing()).await;
    let tx = app.begin(Actor::program("test")).await.unwrap();
    secret::rotate_pepper(&tx).await.unwrap();
    secret::rotate_endpoints(&tx, 0).await.unwrap();
    tx.commit().await.unwrap();
    app.close().await.unwrap();
    let done = program.ok(&["secret", "rotate"]);
    let count = |before: &str| done.split_once(before).unwrap().1.split_whitespace().next().unwrap().parse::<usize>();
    let (sealed, already) = (count("sealed ").unwrap(), count("; ").unwrap());
    assert!(already >= 201 && sealed + already == 2 * COUNT + 1, "{done}");
    let expected = (1..=COUNT).map(|id| Some(format!("canary-{id}"))).collect::<Vec<_>>();
    assert_eq!(passwords(&db, NEW).await, expected);
}

/// Somebody gives an endpoint another secret at the moment in which its old one is sealed anew.
async fn a_secret_given_meanwhile_stays(db: TestDb) {
    let program = Program::new(&db);
    program.ok_with(&["load", "-"], &with_passwords(3));
    let app = open(&db, &changing()).await;
    let tx = app.begin(Actor::program("test")).await.unwrap();
    assert!(secret::rotate_pepper(&tx).await.unwrap());
    tx.commit().await.unwrap();
    let mut edit = app.begin(Actor::operator()).await.unwrap();
    let patch = Patch { password: Some(Some("canary-edited".into())), ..Patch::default() };
    update::<row::Model>(&mut edit, 2, None, &patch).await.unwrap();
    let rotating = tokio::spawn({
        let app = app.clone();
        async move {
            let tx = app.begin(Actor::program("test")).await.unwrap();
            let step = secret::rotate_endpoints(&tx, 0).await.unwrap();
            tx.commit().await.unwrap();
            step.resealed
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    edit.commit().await.unwrap();
    assert_eq!(rotating.await.unwrap(), 5, "all but the one that was given");
    assert_eq!(passwords(&db, NEW).await[1].as_deref(), Some("canary-edited"));
    app.close().await.unwrap();
}

/// A secret is sealed under the old key, and not stored yet, when the key is changed.
async fn a_secret_that_is_being_stored_is_waited_for(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok_with(&["load", "-"], &with_passwords(3));
    let app = open(&db, &changing()).await;
    let mut edit = app.begin(Actor::operator()).await.unwrap();
    let patch = Patch { password: Some(Some("canary-edited".into())), ..Patch::default() };
    update::<row::Model>(&mut edit, 2, None, &patch).await.unwrap();
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    let mut rotating = program.command(&["secret", "rotate"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(rotating.try_wait().unwrap().is_none(), "it waits");
    edit.commit().await.unwrap();
    let output = rotating.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("sealed 7 under"), "{output:?}");
    assert_eq!(passwords(&db, NEW).await[1].as_deref(), Some("canary-edited"));
    app.close().await.unwrap();
}

/// Two servers, which were restarted with the keys in either order, and clients of both who write all the while.
async fn what_is_written_meanwhile_stays(db: TestDb) {
    const WRITERS: usize = 6;
    let mut program = Program::new(&db);
    program.ok_with(&["load", "-"], &with_passwords(300));
    let token = program.ok(&["token", "create", "mine"]).trim().to_owned();
    program.set("PROXBOX_SECRET_KEY_OLD", NEW);
    let behind = program.serve(&[]);
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    let ahead = program.serve(&[]);
    let done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writers = (1..=WRITERS).map(|id| {
            let (server, token, done) = (if id % 2 == 0 { &behind } else { &ahead }, &token, &done);
            scope.spawn(move || {
                let mut last = 0;
                while last < 3 || !done.load(Ordering::Relaxed) {
                    let password = format!("canary-{id}-{}", last + 1);
                    let query = set_password(&password).replace("id: 1", &format!("id: {}", 50 * id));
                    // Whoever meets others too often is told to try again.
                    let answer = server.graphql(token, &query);
                    let again = answer.contains("CONFLICT") || answer.contains("TIMEOUT");
                    assert!(again || answer.contains("\"userErrors\":[]"), "{answer}");
                    last += usize::from(!again);
                }
                last
            })
        });
        let writers = writers.collect::<Vec<_>>();
        std::thread::sleep(Duration::from_millis(200));
        let output = program.run(&["secret", "rotate"]);
        done.store(true, Ordering::Relaxed);
        assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    program.ok(&["secret", "rotate"]);
    let passwords = passwords(&db, NEW).await;
    for (id, last) in (1..).zip(written) {
        assert_eq!(passwords[50 * id - 1].as_deref(), Some(format!("canary-{id}-{last}").as_str()));
    }
}

async fn what_does_not_open_is_told_and_the_others_are_done(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok_with(&["load", "-"], &with_passwords(4));
    let app = open(&db, &given(KEY)).await;
    for sql in [
        "UPDATE proxmox_endpoint SET password = token_value WHERE id = 2",
        "UPDATE proxmox_endpoint SET token_value = 'canary-in-clear' WHERE id = 3",
        "UPDATE proxmox_endpoint SET password = 'v1.0badc0de.canary' WHERE id = 4",
    ] {
        execute(&app.db, sql).await;
    }
    let told = |output: &super::Output| {
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        assert!(!format!("{}{}", output.stdout, output.stderr).contains("canary"), "{}", output.stdout);
        for place in ["password of the endpoint 2: ", "token_value of the endpoint 3: ", "password of the endpoint 4: "]
        {
            assert!(output.stdout.contains(place), "{}", output.stdout);
        }
        assert!(output.stdout.contains("the database was sealed under the key 0badc0de"), "{}", output.stdout);
    };
    told(&program.run(&["secret", "status"]));
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    let output = program.run(&["secret", "rotate"]);
    told(&output);
    assert!(output.stdout.starts_with("sealed 6 under the key "), "{}", output.stdout);
    assert!(!output.stdout.contains("may go"));
    execute(&app.db, "UPDATE proxmox_endpoint SET password = NULL, token_value = NULL WHERE id > 1").await;
    program.ok(&["secret", "rotate"]);
    assert_eq!(passwords(&db, NEW).await[0].as_deref(), Some("canary-1"));
    app.close().await.unwrap();
}

async fn dumps_with_secrets_load_while_the_key_is_changed(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let dump = program.ok(&["dump", "--with-secrets"]);
    let other = crate::service::sqlite_beside(&db, "other.db");
    program.set("PROXBOX_DATABASE_URL", &other.options.url);
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", KEY);
    program.ok_with(&["load", "-"], &dump);
    assert_eq!(program.ok(&["dump", "--with-secrets"]), dump);
    assert!(program.ok(&["secret", "rotate"]).starts_with("sealed 4 under"));
    program.unset("PROXBOX_SECRET_KEY_OLD");
    let server = program.serve(&[]);
    assert!(server.graphql(ADMIN, "{ proxmoxNodes { totalCount } }").contains("14"));
    assert_eq!(passwords(&other, NEW).await[0].as_deref(), Some("s3cret"));
}

async fn keys_that_do_not_fit_are_refused(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["token", "list"]);
    let refused = |program: &Program, words: &[&str]| {
        let message = program.fails(1, &["secret", "rotate"]);
        assert!(words.iter().all(|word| message.contains(word)) && !message.contains("canary"), "{message}");
    };
    program.set("PROXBOX_SECRET_KEY_OLD", KEY);
    refused(&program, &["are the same", "PROXBOX_SECRET_KEY_OLD"]);
    program.set("PROXBOX_SECRET_KEY_OLD", "canary");
    refused(&program, &["PROXBOX_SECRET_KEY_OLD holds 6 bytes; at least 32"]);
    program.set("PROXBOX_SECRET_KEY", NEW).set("PROXBOX_SECRET_KEY_OLD", "canary-of-a-third-key, which is long enough");
    refused(&program, &["sealed under the key", "the keys given are"]);
    program.unset("PROXBOX_SECRET_KEY_OLD").set("PROXBOX_SECRET_KEY_OLD_FILE", "absent.key");
    refused(&program, &["cannot read the key file absent.key"]);
    program.unset("PROXBOX_SECRET_KEY_OLD_FILE");
    refused(&program, &["sealed under the key", "PROXBOX_SECRET_KEY_OLD"]);
    program.set("PROXBOX_SECRET_KEY", KEY);
    assert!(program.ok(&["secret", "rotate"]).contains("sealed 0 under"));
}

/// The steps that the documentation gives for the key file beside SQLite's database.
#[test]
fn a_key_file_is_changed_by_moving_it_aside() {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    program.set("PROXBOX_SYNC_INTERVAL", "0").set("PROXBOX_LISTEN", "127.0.0.1:0");
    program.ok(&["load", &seed_file(folder.path())]);
    let (key, old) = (folder.path().join("proxbox.key"), folder.path().join("proxbox.key.old"));
    fs::rename(&key, &old).unwrap();
    assert!(program.fails(1, &["token", "list"]).contains("proxbox.key is missing"));
    fs::write(&key, "").unwrap();
    assert!(program.fails(1, &["token", "list"]).contains("holds 0 bytes"));
    fs::write(&key, NEW).unwrap();
    assert!(program.fails(1, &["token", "list"]).contains("PROXBOX_SECRET_KEY_OLD_FILE"));
    program.set("PROXBOX_SECRET_KEY_OLD_FILE", "proxbox.key.old");
    let server = program.serve(&[]);
    assert!(program.ok(&["secret", "rotate"]).starts_with("sealed 4 under"));
    program.unset("PROXBOX_SECRET_KEY_OLD_FILE");
    fs::remove_file(&old).unwrap();
    assert!(program.ok(&["token", "list"]).contains("admin"));
    assert!(server.graphql(ADMIN, &set_password("x")).contains("\"userErrors\":[]"));
    program.ok(&["secret", "status"]);
}

/// Whoever can write the database moves a sealed value: it does not open elsewhere, and no request carries it.
async fn values_that_were_moved_are_refused(db: TestDb) {
    let (program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    for name in ["one", "two"] {
        assert_eq!(add(&program, name, &pve, &["--yes"]).code, Some(0));
        program.ok_with(&["endpoint", "set-secret", name, "--password-stdin"], "canary-password\n");
    }
    let app = open(&db, &given(KEY)).await;
    let value = async |column: &str, id: i32| {
        text(&app.db, &format!("SELECT {column} FROM proxmox_endpoint WHERE id = {id}")).await
    };
    let put = async |column: &str, id: i32, sealed: &str| {
        execute(&app.db, &format!("UPDATE proxmox_endpoint SET {column} = '{sealed}' WHERE id = {id}")).await;
    };
    let (one, two, password) =
        (value("token_value", 1).await, value("token_value", 2).await, value("password", 1).await);
    for swapped in
        [[("token_value", 1, &two), ("token_value", 2, &one)], [("token_value", 1, &password), ("password", 1, &one)]]
    {
        for (column, id, sealed) in swapped {
            put(column, id, sealed).await;
        }
        pve.reset_hits();
        let checked = program.run(&["endpoint", "check", "one"]);
        assert_eq!(checked.code, Some(1));
        assert!(checked.stderr.contains("a sealed value does not open (proxmox_endpoint."), "{}", checked.stderr);
        let synced = program.run(&["sync", "one"]);
        assert_eq!(synced.code, Some(1));
        assert!(synced.stdout.contains("cannot be opened under this server's key"), "{}", synced.stdout);
        for secret in [TOKEN_SECRET, "canary", &one, &two, &password] {
            let all =
                [&checked.stdout, &checked.stderr, &synced.stdout, &synced.stderr].map(|text| text.contains(secret));
            assert_eq!(all, [false; 4], "{secret}");
        }
        assert_eq!(pve.total_hits(), 0, "nobody is asked");
        put("token_value", 2, &two).await;
        put("token_value", 1, &one).await;
        put("password", 1, &password).await;
    }
    assert!(program.ok(&["sync", "one"]).contains("one: succeeded"));
    // The pepper's place is its own as well.
    execute(&app.db, &format!("UPDATE setting SET value = '{password}' WHERE name = 'pepper'")).await;
    let message = program.fails(1, &["token", "list"]);
    assert!(message.contains("does not open (setting.value of pepper)") && !message.contains("canary"), "{message}");
    app.close().await.unwrap();
}

both!(
    a_key_is_changed_while_a_server_serves,
    who_knows_the_old_key_only_breaks_nothing,
    a_change_that_was_stopped_is_run_again,
    a_secret_given_meanwhile_stays,
    a_secret_that_is_being_stored_is_waited_for,
    what_is_written_meanwhile_stays,
    what_does_not_open_is_told_and_the_others_are_done,
    dumps_with_secrets_load_while_the_key_is_changed,
    keys_that_do_not_fit_are_refused,
    values_that_were_moved_are_refused,
);
