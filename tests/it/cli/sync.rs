//! `sync` against Proxmox VE over real TLS: what it prints, and how it ends.
use super::Program;
use super::checks::{add, program};
use crate::support::pve::{Pve, Reply, TOKEN_SECRET};
use crate::support::{TestDb, both};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// `sync --json`, which must end so.
#[track_caller]
fn json(program: &Program, code: i32, more: &[&str]) -> Value {
    let output = program.run(&[&["sync", "--json"], more].concat());
    assert_eq!(output.code, Some(code), "{} {}", output.stdout, output.stderr);
    assert!(!output.stdout.contains(TOKEN_SECRET) && !output.stderr.contains(TOKEN_SECRET));
    serde_json::from_str(&output.stdout).unwrap()
}

/// The changes of all runs, without the ids that only a real run gives, and without the times of the runs themselves.
fn changes(document: &Value) -> Vec<Value> {
    let mut changes = Vec::new();
    for run in document["runs"].as_array().unwrap() {
        for change in run["changes"].as_array().unwrap() {
            let mut change = change.clone();
            change.as_object_mut().unwrap().remove("object_id").unwrap();
            for time in ["metrics_at", "missing_since"] {
                change["fields"].as_object_mut().unwrap().remove(time);
            }
            changes.push(change);
        }
    }
    changes
}

/// The table of changes, which ends before the summaries.
fn table(text: &str) -> &str {
    text.split("\n\n").next().unwrap()
}

async fn a_dry_run_prints_what_the_run_then_does(db: TestDb) {
    let program = program(&db);
    let (pve8, pve9) = (Pve::start("pve8-cluster").await, Pve::start("pve9-standalone").await);
    assert_eq!(add(&program, "prod", &pve8, &["--yes"]).code, Some(0));
    assert_eq!(add(&program, "lab", &pve9, &["--yes"]).code, Some(0));
    let before = program.ok(&["dump"]);
    let (dry, planned) = (json(&program, 0, &["--dry-run"]), program.ok(&["sync", "--dry-run"]));
    assert_eq!(program.ok(&["dump"]), before, "nothing is changed");
    assert!(planned.contains("dry run: nothing is changed"), "{planned}");
    let real = json(&program, 0, &[]);
    assert_eq!(changes(&dry), changes(&real));
    assert!(changes(&real).len() > 18, "{real:#}");
    let run = &real["runs"][1];
    assert_eq!((&run["state"], &run["dry_run"]), (&"succeeded".into(), &false.into()), "{run:#}");
    for key in ["id", "endpoint", "actor", "verdicts", "counts", "errors", "notices", "calls", "revision", "changes"] {
        assert!(run.get(key).is_some(), "{key}");
    }
    assert_eq!(run["verdicts"]["storages"]["verdict"], "complete");
    // Then it is up to date, and costs five calls and six.
    pve8.reset_hits();
    pve9.reset_hits();
    let again = program.ok(&["sync"]);
    assert!(again.starts_with("lab: succeeded") || again.starts_with("prod: succeeded"), "no table: {again}");
    assert_eq!((pve8.total_hits(), pve9.total_hits()), (5, 6));
    // A change of one field, as people see it: the same table before and after.
    pve8.serve("pve8-cluster-all-online");
    let (planned, done) = (program.ok(&["sync", "prod", "--dry-run"]), program.ok(&["sync", "prod"]));
    assert_eq!(table(&planned), table(&done));
    assert!(done.contains("online: false → true") && done.contains(" pve3 "), "{done}");
    // A node that is not in it any more.
    let (mut status, mut nodes) = (pve8.data("/cluster/status"), pve8.data("/nodes"));
    for item in status.as_array_mut().unwrap().iter_mut().filter(|item| item["type"] == "cluster") {
        item["nodes"] = 2.into();
    }
    for (list, key) in [(&mut status, "name"), (&mut nodes, "node")] {
        list.as_array_mut().unwrap().retain(|item| item[key] != "pve3");
    }
    pve8.reply("/cluster/status", Reply::Data(status));
    pve8.reply("/nodes", Reply::Data(nodes));
    let (planned, done) = (program.ok(&["sync", "--dry-run"]), program.ok(&["sync"]));
    assert_eq!(table(&planned), table(&done));
    assert!(done.contains("missing") && done.contains("a complete answer lacks this Proxmox node"), "{done}");
    for text in [&planned, &done, &again] {
        assert!(!text.contains(TOKEN_SECRET));
    }
    // How it stands with them.
    let list = program.ok(&["endpoint", "list"]);
    assert!(list.lines().filter(|line| line.contains("succeeded")).count() == 2, "{list}");
    let shown = program.ok(&["endpoint", "show", "prod"]);
    assert!(shown.lines().any(|line| line.starts_with("last sync ") && line.contains("20")), "{shown}");
}

async fn the_exit_code_tells_how_it_ended(db: TestDb) {
    let program = program(&db);
    assert!(program.ok(&["sync"]).contains("no endpoint is enabled"));
    assert_eq!(json(&program, 0, &[])["runs"], serde_json::json!([]));
    let (pve8, pve9) = (Pve::start("pve8-cluster").await, Pve::start("pve9-standalone").await);
    add(&program, "prod", &pve8, &["--yes"]);
    add(&program, "lab", &pve9, &["--yes"]);
    program.ok(&["sync", "prod", "ProxmoxEndpoint:1", "1"]);
    assert_eq!(json(&program, 0, &["prod", "1"])["runs"].as_array().unwrap().len(), 1, "once, however it is called");
    // In part.
    pve8.serve("pve8-cluster-limited");
    let partial = program.run(&["sync"]);
    assert_eq!(partial.code, Some(3), "{}", partial.stdout);
    assert!(
        partial.stdout.contains("prod: partial") && partial.stdout.contains("lab: succeeded"),
        "{}",
        partial.stdout
    );
    assert!(partial.stdout.contains("  storages partial: Datastore.Audit is missing"), "{}", partial.stdout);
    assert!(partial.stdout.contains("  error permission: "), "{}", partial.stdout);
    // Not at all.
    pve9.revoke_tokens();
    let failed = program.run(&["sync"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stdout);
    assert!(failed.stdout.contains("lab: failed") && failed.stdout.contains("  error auth: "), "{}", failed.stdout);
    assert!(program.ok(&["endpoint", "list"]).contains("suspended"));
    let document = json(&program, 1, &["lab"]);
    assert_eq!(document["runs"][0]["errors"][0]["class"], "auth");
    // What cannot even begin.
    assert!(program.fails(1, &["sync", "nobody"]).contains("there is no endpoint nobody"));
    program.ok(&["endpoint", "set", "lab", "--disable"]);
    assert!(program.fails(1, &["sync", "lab"]).contains("disabled"));
    program.fails(2, &["sync", "--nothing"]);
    // All that are enabled, without the disabled one.
    pve8.serve("pve8-cluster");
    assert_eq!(json(&program, 0, &[])["runs"].as_array().unwrap().len(), 1);
    let help = program.ok(&["sync", "--help"]);
    assert!(
        help.contains("Exit codes:\n  0    all endpoints were seen") && help.contains("PROXBOX_SYNC_ALLOW_LOOPBACK"),
        "{help}"
    );
}

async fn what_another_endpoint_does_in_its_stead_is_shown_too(db: TestDb) {
    let program = program(&db);
    let (one, two) = (Pve::start("pve8-cluster").await, Pve::start("pve8-cluster").await);
    add(&program, "one", &one, &["--yes"]);
    program.ok(&["sync", "one"]);
    add(&program, "two", &two, &["--yes"]);
    // From now on they are known to be of one cluster.
    program.ok(&["sync", "two"]);
    assert!(program.ok(&["sync"]).contains("two: standby"));
    one.revoke_tokens();
    two.serve("pve8-cluster-all-online");
    let (planned, done) = (program.run(&["sync", "one", "--dry-run"]), program.run(&["sync", "one"]));
    for output in [&planned, &done] {
        assert_eq!(output.code, Some(1), "{}", output.stdout);
        assert!(output.stdout.contains("one: failed") && output.stdout.contains("two: succeeded"), "{}", output.stdout);
        assert!(output.stdout.contains("online: false → true"), "{}", output.stdout);
    }
    assert_eq!(table(&planned.stdout), table(&done.stdout));
}

async fn what_others_named_is_cut_and_commands_no_terminal(db: TestDb) {
    let program = program(&db);
    let pve = Pve::start("pve8-cluster").await;
    add(&program, "prod", &pve, &["--yes"]);
    let mut storages = pve.data("/storage");
    let long = "x".repeat(100);
    for i in 0..300 {
        let new = json!({"storage": format!("s{i}"), "type": "dir", "path": format!("/{long}"), "content": "iso"});
        storages.as_array_mut().unwrap().push(new);
    }
    pve.reply("/storage", Reply::Data(storages.clone()));
    let text = program.ok(&["sync"]);
    assert_eq!(text.lines().take_while(|line| !line.is_empty()).count(), 1 + 200 + 1, "{text}");
    assert!(text.contains("\n… and 120 more; --json shows all\n") && !text.contains(&long), "{text}");
    let hostile = json!({"storage": "bad", "type": "a\u{1b}[2J\rb", "path": "/\u{1b}]0;x\u{7}", "content": "iso"});
    storages.as_array_mut().unwrap().push(hostile);
    pve.reply("/storage", Reply::Data(storages));
    let output = program.run(&["sync"]);
    assert!(output.stdout.contains("bad"), "shown, or told to be left out: {}", output.stdout);
    assert!(!output.stdout.contains(['\u{1b}', '\r', '\u{7}']), "{:?}", output.stdout);
}

async fn how_an_endpoint_is_synced_can_be_set(db: TestDb) {
    let program = program(&db);
    let pve = Pve::start("pve8-cluster").await;
    add(&program, "prod", &pve, &["--yes"]);
    let interval = || {
        let shown = program.ok(&["endpoint", "show", "prod"]);
        shown.lines().find_map(|line| line.strip_prefix("sync interval")).unwrap().trim().to_owned()
    };
    assert_eq!(interval(), "as the server is set");
    program.ok(&["endpoint", "set", "prod", "--interval", "60"]);
    assert_eq!(interval(), "60 s");
    assert!(program.fails(1, &["endpoint", "set", "prod", "--interval", "5"]).contains("sync_interval: "));
    program.ok(&["endpoint", "set", "prod", "--interval", "default", "--disable"]);
    assert_eq!(interval(), "as the server is set");
    assert!(program.ok(&["endpoint", "list"]).contains("disabled"));
    program.ok(&["endpoint", "set", "prod", "--enable"]);
    program.fails(2, &["endpoint", "set", "prod"]);
    program.fails(2, &["endpoint", "set", "prod", "--interval", "soon"]);
    program.fails(2, &["endpoint", "set", "prod", "--enable", "--disable"]);
}

async fn a_signal_leaves_nothing_half_done(db: TestDb) {
    let program = program(&db);
    let pve = Pve::start("pve8-cluster").await;
    add(&program, "prod", &pve, &["--yes"]);
    let before = program.ok(&["dump"]);
    pve.latency(Duration::from_secs(30));
    let child = program.command(&["sync"]).spawn().unwrap();
    let begun = Instant::now();
    pve.reset_hits();
    while pve.total_hits() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not ask");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("/bin/sh").args(["-c", "kill -s INT $0", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8(output.stdout).unwrap().contains("prod: interrupted"));
    assert!(begun.elapsed() < Duration::from_secs(25), "it waits for nobody");
    assert_eq!(program.ok(&["dump"]), before);
    // The right to the endpoint is free again.
    pve.heal();
    let begun = Instant::now();
    program.ok(&["sync"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

async fn a_server_ends_whatever_runs_are_queued(db: TestDb) {
    let program = program(&db);
    let pve = Pve::start("pve8-cluster").await;
    add(&program, "prod", &pve, &["--yes"]);
    let token = program.ok(&["token", "create", "admin"]);
    pve.latency(Duration::from_secs(30));
    let mut server = program.serve(&[]);
    for _ in 0..20 {
        let query = "mutation { syncAll(input: {}) { syncRuns { state } } }";
        let answer = server.graphql(token.trim(), query);
        assert!(answer.contains("QUEUED"), "{answer}");
    }
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    // None went on until its patience was over, and the right to the endpoint is free again.
    pve.heal();
    program.ok(&["sync"]);
    let server = program.serve(&[]);
    let answer = server.graphql(token.trim(), "{ syncRuns(first: 50) { nodes { state } } }");
    assert_eq!(answer.matches("\"INTERRUPTED\"").count(), 20, "{answer}");
}

both!(
    a_dry_run_prints_what_the_run_then_does,
    the_exit_code_tells_how_it_ended,
    what_another_endpoint_does_in_its_stead_is_shown_too,
    what_others_named_is_cut_and_commands_no_terminal,
    how_an_endpoint_is_synced_can_be_set,
    a_signal_leaves_nothing_half_done,
    a_server_ends_whatever_runs_are_queued,
);
