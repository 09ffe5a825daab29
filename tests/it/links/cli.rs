//! `links suggest|accept|reject` as people and scripts use them.
use super::file;
use crate::cli::Program;
use crate::support::{TestDb, both};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

/// The program on the file.
fn program(db: &TestDb) -> Program {
    let program = Program::new(db);
    let path = program.folder.join("links.json");
    std::fs::write(&path, file(json!([])).to_string()).unwrap();
    program.ok(&["load", path.to_str().unwrap()]);
    program
}

fn linked(program: &Program) -> Value {
    let file: Value = serde_json::from_str(&program.ok(&["dump"])).unwrap();
    let of = |list: &str, field: &str| {
        let rows = file[list].as_array().unwrap().iter();
        rows.map(|row| row[field].clone()).collect::<Vec<_>>()
    };
    json!([of("proxmox_clusters", "netbox_cluster"), of("proxmox_nodes", "netbox_device")])
}

/// The words of a table's lines.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

async fn suggestions_are_a_table_or_a_document(db: TestDb) {
    let program = program(&db);
    let text = program.ok(&["links", "suggest"]);
    let lines = words(&text);
    assert_eq!(lines[0][..4], ["OBJECT", "NAME", "ENDPOINT", "EXACT"]);
    assert_eq!(lines[1], ["cluster:2", "lab", "two", "yes", "27", "LAB", "-", "0.75", "name", "ignoring", "case"]);
    assert_eq!(lines[2], ["cluster:1", "prod", "one", "no", "25", "prod", "Site", "1", "0.80", "name"]);
    assert_eq!(lines[3], ["26", "prod", "Site", "2", "0.80", "name"], "what is the same is said once");
    assert_eq!(lines.last().unwrap()[..5], ["5", "suggestions,", "4", "of", "them"], "{text}");
    for (arguments, objects) in [
        (&["--type", "cluster"][..], &["ProxmoxCluster:2", "ProxmoxCluster:1"][..]),
        (&["--type", "node"], &["ProxmoxNode:1", "ProxmoxNode:2", "ProxmoxNode:3"]),
        (&["--exact", "--type", "cluster"], &["ProxmoxCluster:2"]),
    ] {
        let text = program.ok(&[&["links", "suggest", "--json"], arguments].concat());
        let document: Value = serde_json::from_str(&text).unwrap();
        let found = document["suggestions"].as_array().unwrap().iter().map(|found| found["object"].as_str().unwrap());
        assert_eq!(found.collect::<Vec<_>>(), objects, "{arguments:?}");
    }
    let document: Value = serde_json::from_str(&program.ok(&["links", "suggest", "--json"])).unwrap();
    let expected = json!({
        "object": "ProxmoxNode:1", "name": "pve1", "endpoint": {"id": 1, "name": "one"}, "exact": true, "candidate_count": 2,
        "candidates": [
            {"target": "NetBoxDevice:31", "name": "pve1", "site": "Site 1", "score": 1.0, "reasons": ["name", "primary_address"]},
            {"target": "NetBoxDevice:32", "name": "pve1", "site": "Site 2", "score": 0.8, "reasons": ["name"]},
        ],
    });
    assert_eq!(document["suggestions"][2], expected);
    program.fails(2, &["links", "suggest", "--type", "storage"]);
}

async fn one_link_is_accepted_or_rejected(db: TestDb) {
    let program = program(&db);
    assert_eq!(program.ok(&["links", "accept", "node:1", "31"]), "node:1 is linked to NetBoxDevice:31\n");
    program.ok(&["links", "accept", "ProxmoxCluster:1", "NetBoxCluster:25"]);
    assert_eq!(linked(&program), json!([[25, null], [31, null, null, null]]));
    let said = program.ok(&["links", "reject", "ProxmoxNode:3", "35"]);
    assert_eq!(said, "NetBoxDevice:35 is not suggested for node:3 any more\n");
    let text = program.ok(&["links", "suggest", "--json"]);
    assert!(!text.contains("ProxmoxNode:3") && !text.contains("ProxmoxNode:1"), "{text}");
    let dump: Value = serde_json::from_str(&program.ok(&["dump"])).unwrap();
    assert_eq!(dump["link_decisions"][0]["actor"], "cli");
    for (arguments, code, words) in [
        (&["accept", "node:99", "31"][..], 1, "OBJECT: "),
        (&["accept", "node:2", "99"], 1, "TARGET: "),
        (&["reject", "node:2", "99"], 1, "TARGET: "),
        (&["accept", "node:2", "NetBoxCluster:25"], 1, "TARGET: "),
        (&["accept", "cluster:2", "NetBoxDevice:31"], 1, "TARGET: "),
        (&["reject", "node:1", "31"], 1, "clear the link first"),
        (&["accept", "pve1", "31"], 2, "OBJECT"),
        (&["accept", "storage:1", "31"], 2, "OBJECT"),
        (&["accept", "node:2", "pve2"], 2, "TARGET"),
        (&["accept", "node:2", "Tag:1"], 2, "TARGET"),
        (&["accept", "node:2"], 2, "TARGET"),
        (&["accept"], 2, "OBJECT"),
        (&["accept", "node:2", "33", "--exact"], 2, "--exact"),
        (&["accept", "node:2", "33", "--yes"], 2, "--yes"),
        (&["reject", "node:2"], 2, "TARGET"),
    ] {
        let said = program.fails(code, &[&["links"], arguments].concat());
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert_eq!(linked(&program), json!([[25, null], [31, null, null, null]]));
}

async fn all_exact_links_are_made_at_once(db: TestDb) {
    let program = program(&db);
    let nothing = json!([[null, null], [null, null, null, null]]);
    // Nobody to ask, and nothing said beforehand.
    let refused = program.run(&["links", "accept", "--exact"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--yes") && refused.stdout.contains("cluster:2"), "{}", refused.stderr);
    assert_eq!(linked(&program), nothing);
    let done = program.ok(&["links", "accept", "--exact", "--yes", "--type", "cluster"]);
    assert!(done.contains("cluster:2") && !done.contains("node:") && done.ends_with("\nlinks made: 1\n"), "{done}");
    assert_eq!(linked(&program), json!([[null, 27], [null, null, null, null]]));
    program.ok(&["links", "accept", "--exact", "--yes"]);
    // What they are linked to tells the clusters apart now.
    assert_eq!(linked(&program), json!([[null, 27], [31, 33, 35, null]]));
    program.ok(&["links", "accept", "--exact", "--yes"]);
    assert_eq!(linked(&program), json!([[25, 27], [31, 33, 35, null]]));
    assert!(program.ok(&["links", "accept", "--exact"]).contains("nothing"), "and there is nothing to ask");
    assert_eq!(program.ok(&["links", "suggest"]), "nothing is suggested\n");
    let empty = json!({"suggestions": []});
    assert_eq!(serde_json::from_str::<Value>(&program.ok(&["links", "suggest", "--json"])).unwrap(), empty);
}

/// What somebody at a terminal sees who types this; none where there is no `script`.
fn at_a_terminal(program: &Program, typed: &str) -> Option<(Option<i32>, String)> {
    let line = format!("{} links accept --exact --type node", env!("CARGO_BIN_EXE_proxbox-graphql"));
    let mut command = std::process::Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .current_dir(&program.folder)
        .env_clear()
        .envs(program.env.iter().cloned());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    // Open until the end: a terminal whose other side is gone hangs up.
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    Some((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

async fn who_sits_at_a_terminal_is_asked(db: TestDb) {
    let program = program(&db);
    for (typed, code, nodes) in [("n\n", 1, json!([null, null, null, null])), ("y\n", 0, json!([31, 33, 35, null]))] {
        let Some((ended, seen)) = at_a_terminal(&program, typed) else { return };
        assert!(seen.contains("node:1") && seen.contains("[y/N]"), "{seen}");
        assert_eq!((ended, &linked(&program)[1]), (Some(code), &nodes), "{seen}");
    }
}

async fn what_others_named_commands_no_terminal(db: TestDb) {
    let program = Program::new(&db);
    let mut file = file(json!([]));
    file["netbox_devices"][4]["site"]["name"] = json!("a\u{1b}[2J\rb");
    let path = program.folder.join("links.json");
    std::fs::write(&path, file.to_string()).unwrap();
    program.ok(&["load", path.to_str().unwrap()]);
    let text = program.ok(&["links", "suggest"]);
    assert!(text.contains("PVE3") && !text.contains(['\u{1b}', '\r']), "{text:?}");
}

both!(
    suggestions_are_a_table_or_a_document,
    one_link_is_accepted_or_rejected,
    all_exact_links_are_made_at_once,
    who_sits_at_a_terminal_is_asked,
    what_others_named_commands_no_terminal,
);
