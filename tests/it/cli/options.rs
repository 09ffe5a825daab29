//! Options and variables, the key, and what is refused before anything is stored.
use super::{Program, seed_file};
use crate::support::{Backend, TestDb, both};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

/// The options of a help text, each with all its lines.
fn options(help: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    for line in help.lines().skip_while(|line| !line.starts_with("Options:")) {
        let begin = line.trim_start();
        if begin.starts_with("--") || begin.starts_with('-') && begin[2..].starts_with(',') {
            options.push(String::new());
        }
        if let Some(option) = options.last_mut() {
            *option += line;
            *option += "\n";
        }
    }
    options
}

#[test]
fn every_option_of_serve_has_a_variable() {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    program.set("PROXBOX_DATABASE_URL", "postgres://proxbox:canary@localhost/x");
    let help = program.ok(&["serve", "--help"]);
    let options = options(&help);
    assert!(options.len() >= 18, "{options:?}");
    for option in options.iter().filter(|option| !option.contains("--help")) {
        let name = option.split("--").nth(1).unwrap().split([' ', '\n']).next().unwrap();
        let variable = format!("[env: PROXBOX_{}", name.to_uppercase().replace('-', "_"));
        assert!(option.contains(&variable), "{option}");
        assert!(option.lines().count() > 1, "says nothing: {option}");
    }
    assert!(!help.contains("canary"), "{help}");
    for default in ["sqlite://proxbox.db?mode=rwc", "127.0.0.1:8080", "PROXBOX_SECRET_KEY"] {
        assert!(help.contains(default), "{default}");
    }
    let global = program.ok(&["--help"]);
    for command in ["serve", "load", "dump", "schema", "migrate", "token", "endpoint", "netbox", "secret", "sync"] {
        assert!(global.contains(&format!("\n  {command} ")), "{command}");
    }
    assert!(program.ok(&["--version"]).starts_with("proxbox-graphql "));
}

#[test]
fn what_nobody_knows_is_refused() {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    for arguments in [
        &["--unknown"][..],
        &["serve", "--unknown"],
        &["unknown"],
        &["load"],
        &["load", "a", "b"],
        &["serve", "--database-connections", "0"],
        &["serve", "--request-timeout", "soon"],
        &["serve", "--cors-origins", "*"],
        &["serve", "--cors-origins", "front.example.com"],
        &["serve", "--cors-origins", "https://front.example.com/app"],
        &["serve", "--introspection", "maybe"],
        &["serve", "--change-retention", "36501"],
        &["serve", "--change-retention", "-1"],
        &["serve", "--change-retention", "soon"],
        &["serve", "--log-format", "xml"],
        &["serve", "--secret-key", "canary"],
    ] {
        assert!(program.fails(2, arguments).contains("Usage") || arguments.len() > 2, "{arguments:?}");
    }
    assert!(program.run(&[]).code == Some(2));
    assert!(program.fails(1, &["--log", "proxbox=loud", "schema"]).contains("PROXBOX_LOG: "));
    program.set("PROXBOX_DATABASE_CONNECTIONS", "many");
    program.fails(2, &["migrate"]);
    program.unset("PROXBOX_DATABASE_CONNECTIONS").set("PROXBOX_CHANGE_RETENTION", "36501");
    program.fails(2, &["serve"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn databases_that_would_be_lost_are_refused() {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    for url in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://x.db?mode=memory",
        "sqlite://",
        "sqlite:",
        "sqlite://%3Amemory%3A",
    ] {
        program.set("PROXBOX_DATABASE_URL", url);
        let message = program.fails(1, &["migrate"]);
        assert!(message.contains("PROXBOX_DATABASE_URL: a database in memory"), "{url}: {message}");
    }
    for url in ["", "mysql://root@localhost/x", "proxbox.db", "SQLITE://x"] {
        program.set("PROXBOX_DATABASE_URL", url);
        assert!(program.run(&["migrate"]).code.is_some_and(|code| code > 0), "{url}");
    }
    for url in ["postgres://canary:canary@[/x", "sqlite://x.db?canary=1"] {
        program.set("PROXBOX_DATABASE_URL", url);
        let message = program.fails(1, &["migrate"]);
        assert!(
            message.contains("PROXBOX_DATABASE_URL: is not a database URL") && !message.contains("canary"),
            "{message}"
        );
    }
    program.set("PROXBOX_DATABASE_URL", "sqlite://absent.db?mode=rw");
    assert!(program.fails(1, &["migrate"]).contains("cannot open the database file absent.db"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_defaults_are_a_database_and_a_key_in_this_folder() {
    let folder = crate::support::folder();
    let program = Program::bare(folder.path());
    program.ok(&["load", &seed_file(folder.path())]);
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("proxbox.key"), 0o600);
    assert!(folder.path().join("proxbox.db").exists());
    assert!(program.ok(&["token", "list"]).contains("admin"));
    fs::remove_file(folder.path().join("proxbox.key")).unwrap();
    let message = program.fails(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(message.contains("proxbox.key is missing"), "{message}");
    assert!(!folder.path().join("proxbox.key").exists());
}

#[test]
fn a_key_that_is_no_text_is_refused_and_not_replaced() {
    let folder = crate::support::folder();
    let program = Program::bare(folder.path());
    let mut command = program.command(&["token", "list"]);
    let output = command.env("PROXBOX_SECRET_KEY", OsString::from_vec(vec![0xff; 40])).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("PROXBOX_SECRET_KEY is not UTF-8"));
    assert!(!folder.path().join("proxbox.key").exists());
}

async fn a_wrong_key_is_refused_at_the_start(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["token", "list"]);
    program.set("PROXBOX_SECRET_KEY", "canary-canary-canary-canary-canary-canary");
    for command in [&["serve"][..], &["token", "list"], &["dump"]] {
        let message = program.fails(1, command);
        assert!(message.contains("sealed under the key") && !message.contains("canary"), "{message}");
    }
    program.set("PROXBOX_SECRET_KEY", "canary");
    let message = program.fails(1, &["serve"]);
    assert!(
        message.contains("PROXBOX_SECRET_KEY holds 6 bytes; at least 32") && !message.contains("canary"),
        "{message}"
    );
}

async fn the_key_may_come_from_a_file(db: TestDb) {
    let mut program = Program::new(&db);
    program.unset("PROXBOX_SECRET_KEY");
    if db.backend == Backend::Postgres {
        for command in [&["serve"][..], &["token", "list"]] {
            let message = program.fails(1, command);
            assert!(message.contains("PROXBOX_SECRET_KEY") && message.contains("PROXBOX_SECRET_KEY_FILE"), "{message}");
        }
        program.ok(&["migrate"]);
    }
    let file = program.folder.join("my.key");
    program.set("PROXBOX_SECRET_KEY_FILE", file.to_str().unwrap());
    assert!(program.fails(1, &["token", "list"]).contains("cannot read the key file"));
    fs::write(&file, "too short\n").unwrap();
    assert!(program.fails(1, &["token", "list"]).contains("holds 9 bytes"));
    fs::write(&file, format!("{}\n", super::KEY)).unwrap();
    assert!(program.run(&["token", "list"]).stderr.contains("can be read by others"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!program.run(&["token", "list"]).stderr.contains("can be read by others"));
    assert!(!program.folder.join("proxbox.key").exists());
    // The same key as itself, and the variable goes first.
    program.set("PROXBOX_SECRET_KEY", super::KEY).set("PROXBOX_SECRET_KEY_FILE", "/nonexistent");
    program.ok(&["token", "list"]);
}

async fn the_log_can_be_json(db: TestDb) {
    let mut program = Program::new(&db);
    program.set("PROXBOX_LOG_FORMAT", "json").set("PROXBOX_LOG", "info");
    let output = program.run(&["load", &seed_file(&program.folder)]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(!output.stderr.is_empty());
    for line in output.stderr.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

both!(a_wrong_key_is_refused_at_the_start, the_key_may_come_from_a_file, the_log_can_be_json);
