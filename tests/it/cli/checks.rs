//! `endpoint add|check|trust` against a Proxmox VE over real TLS: what is asked before anything is stored.
use super::{Output, Program};
use crate::support::canary::forms;
use crate::support::pve::{PASSWORD, Pve, TOKEN_SECRET};
use crate::support::{TestDb, both};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

/// The program, which may ask this machine.
pub fn program(db: &TestDb) -> Program {
    let mut program = Program::new(db);
    program.set("PROXBOX_SYNC_ALLOW_LOOPBACK", "1");
    program
}

/// `endpoint add` with the token that is taken.
pub fn add(program: &Program, name: &str, pve: &Pve, more: &[&str]) -> Output {
    add_with(program, name, pve, more, &format!("{TOKEN_SECRET}\n"))
}

fn add_with(program: &Program, name: &str, pve: &Pve, more: &[&str], secret: &str) -> Output {
    let port = pve.port().to_string();
    let arguments = ["endpoint", "add", name, "127.0.0.1", "--port", &port];
    let token = ["--username", "sync@pve", "--token-name", "full", "--token-stdin"];
    program.run_with(&[&arguments[..], &token, more].concat(), secret)
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
    assert!(!output.stderr.contains(TOKEN_SECRET) && !output.stderr.contains("canary"), "{}", output.stderr);
}

fn stored(program: &Program) -> usize {
    program.ok(&["endpoint", "list"]).lines().count() - 1
}

/// The result and the detail of a check.
fn line<'a>(text: &'a str, what: &str) -> (&'a str, &'a str) {
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(what))
        .unwrap_or_else(|| panic!("no {what}: {text}"));
    let (result, detail) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    (result, detail.trim())
}

async fn what_is_not_accepted_is_not_stored(db: TestDb) {
    let (program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    let shown = pve.fingerprint();
    // Nobody to ask, and nothing said beforehand.
    refused(&add(&program, "prod", &pve, &[]), &[&shown, "--fingerprint", "--yes", "nothing is stored"]);
    assert_eq!(pve.total_hits(), 0, "no credentials before the certificate is accepted");
    // Another fingerprint: both are told.
    let other = ["AB"; 32].join(":");
    refused(&add(&program, "prod", &pve, &["--fingerprint", &other]), &[&shown, &other, "nothing is stored"]);
    assert_eq!(pve.total_hits(), 0);
    // An authority that did not sign it.
    let file = program.folder.join("ca.pem");
    std::fs::write(&file, Pve::start("pve9-standalone").await.ca()).unwrap();
    refused(&add(&program, "prod", &pve, &["--ca", "ca.pem"]), &["tls_untrusted", "nothing is stored"]);
    refused(&add(&program, "prod", &pve, &["--ca", "absent.pem"]), &["cannot read absent.pem"]);
    // Credentials that are wrong, absent or incomplete.
    let wrong = add_with(&program, "prod", &pve, &["--yes"], "canary-of-a-token\n");
    refused(&wrong, &["the credentials are refused", "auth", "nothing is stored"]);
    let port = pve.port().to_string();
    let bare = ["endpoint", "add", "prod", "127.0.0.1", "--port", &port, "--yes"];
    refused(&program.run(&bare), &["--token-stdin", "--offline"]);
    refused(&program.run_with(&[&bare[..], &["--token-stdin"]].concat(), TOKEN_SECRET), &["--token-name"]);
    // What the rules refuse is told before anybody is asked.
    pve.reset_hits();
    refused(&add(&program, " ", &pve, &["--yes"]), &["name: This field may not be blank."]);
    assert_eq!(pve.total_hits(), 0);
    // Nobody there, somebody else there, and this machine where it is not allowed.
    let nobody = program.run_with(
        &["endpoint", "add", "x", "127.0.0.1", "--port", "1", "--yes", "--password-stdin"],
        "canary-password",
    );
    refused(&nobody, &["127.0.0.1:1", "connect", "nothing is stored"]);
    pve.fail("/version", 404, "Not Found");
    refused(&add(&program, "prod", &pve, &["--yes"]), &["not_proxmox"]);
    pve.heal();
    refused(&add(&Program::new(&db), "prod", &pve, &["--yes"]), &["address"]);
    assert_eq!(stored(&program), 0);
}

async fn what_is_accepted_is_stored_with_its_pin(db: TestDb) {
    let (program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    let shown = pve.fingerprint();
    let added = add(&program, "prod", &pve, &["--fingerprint", &shown.to_lowercase().replace(':', "")]);
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    assert!(added.stdout.ends_with("added endpoint prod (127.0.0.1) as ProxmoxEndpoint:1\n"), "{}", added.stdout);
    for (what, detail) in [
        ("certificate", format!("pinned: {shown}")),
        ("login", "as sync@pve!full".into()),
        ("version", "Proxmox VE 8.4.14".into()),
        ("privileges", "Sys.Audit on /, Sys.Audit on /nodes, Datastore.Audit on /storage".into()),
        ("cluster", "cluster prod, nodes: 3, quorate".into()),
        ("nodes", "all are seen: 3".into()),
        ("storages", "all are seen: 14".into()),
    ] {
        assert_eq!(line(&added.stdout, what), ("ok", detail.as_str()), "{what}");
    }
    assert!(!added.stdout.contains("pveum"), "nothing is missing: {}", added.stdout);
    // Accepted by --yes, by its authority, and without any verification, which is warned of.
    let alone = Pve::start("pve9-standalone").await;
    assert_eq!(add(&program, "lab", &alone, &["--yes"]).code, Some(0));
    assert!(program.ok(&["endpoint", "show", "lab"]).contains(&alone.fingerprint()));
    std::fs::write(program.folder.join("ca.pem"), pve.ca()).unwrap();
    assert_eq!(add(&program, "by-ca", &pve, &["--ca", "ca.pem"]).code, Some(0));
    let shown = program.ok(&["endpoint", "show", "by-ca"]);
    assert_eq!((line(&shown, "tls ca"), line(&shown, "fingerprint")), (("yes", ""), ("-", "")));
    let unverified = add(&program, "unverified", &pve, &["--no-verify"]);
    assert_eq!(unverified.code, Some(0));
    assert!(unverified.stderr.contains("WARN") && unverified.stdout.contains("NOT VERIFIED"), "{}", unverified.stderr);
    // A password works too.
    let port = pve.port().to_string();
    let arguments = ["endpoint", "add", "root", "127.0.0.1", "--port", &port, "--yes", "--password-stdin"];
    let by_password = program.ok_with(&arguments, PASSWORD);
    assert_eq!(line(&by_password, "login"), ("ok", "as root@pam"));
    assert_eq!(stored(&program), 5);
}

async fn what_is_missing_is_told_with_how_to_grant_it(db: TestDb) {
    let (program, pve) = (program(&db), Pve::start("pve8-cluster-noprivs-token").await);
    let added = add(&program, "prod", &pve, &["--yes"]);
    assert_eq!(added.code, Some(0), "it can be granted later: {}", added.stderr);
    let (result, detail) = line(&added.stdout, "privileges");
    assert_eq!(result, "FAILED");
    assert_eq!(detail, "missing: Sys.Audit on /, Sys.Audit on /nodes, Datastore.Audit on /storage");
    for command in [
        "pveum role add ProxboxSync --privs 'Sys.Audit Datastore.Audit'\n",
        "pveum acl modify / --users 'sync@pve' --roles ProxboxSync\n",
        "pveum acl modify / --tokens 'sync@pve!full' --roles ProxboxSync\n",
        "PVEAuditor",
    ] {
        assert!(added.stdout.contains(command), "{command}: {}", added.stdout);
    }
    let checked = program.run(&["endpoint", "check", "prod"]);
    assert_eq!(checked.code, Some(1));
    assert_eq!(format!("{}added endpoint prod (127.0.0.1) as ProxmoxEndpoint:1\n", checked.stdout), added.stdout);
    // Granted meanwhile.
    pve.serve("pve8-cluster");
    let checked = program.ok(&["endpoint", "check", "prod"]);
    assert!(!checked.contains("FAILED") && !checked.contains("pveum"), "{checked}");
    // Only where it is missing.
    pve.reply("/access/permissions", crate::support::pve::Reply::Data(json!({"/": {"Sys.Audit": 1}})));
    let checked = program.run(&["endpoint", "check", "prod"]);
    assert_eq!(
        line(&checked.stdout, "privileges").1,
        "missing: Datastore.Audit on /storage; found: Sys.Audit on /, Sys.Audit on /nodes"
    );
    assert!(checked.stdout.contains("pveum acl modify /storage --users 'sync@pve'"), "{}", checked.stdout);
    // And what is not asked any more when something before it failed.
    pve.heal();
    pve.revoke_tokens();
    let checked = program.run(&["endpoint", "check", "prod"]);
    assert_eq!((checked.code, line(&checked.stdout, "login").0), (Some(1), "FAILED"), "{}", checked.stdout);
    assert_eq!(line(&checked.stdout, "nodes"), ("-", "not asked"));
    assert_eq!(program.run(&["endpoint", "check", "nobody"]).code, Some(1));
}

async fn another_certificate_is_trusted_by_hand_and_the_secret_stays(db: TestDb) {
    let (program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    assert_eq!(add(&program, "prod", &pve, &["--yes"]).code, Some(0));
    let old = pve.fingerprint();
    assert!(program.ok(&["endpoint", "trust", "prod"]).contains("it is trusted already"));
    pve.swap_certificate();
    let new = pve.fingerprint();
    let checked = program.run(&["endpoint", "check", "prod"]);
    let (result, detail) = line(&checked.stdout, "certificate");
    assert!(result == "FAILED" && detail.contains(&old) && detail.contains(&new), "{detail}");
    assert!(detail.contains("endpoint trust 'prod'") && checked.code == Some(1), "{detail}");
    // Nobody to ask; another one than was said.
    for arguments in [&["endpoint", "trust", "prod"][..], &["endpoint", "trust", "prod", "--fingerprint", &old]] {
        let output = program.run(arguments);
        assert_eq!(output.code, Some(1), "{}", output.stdout);
        assert!(output.stderr.contains(&new) && output.stderr.contains("nothing is stored"), "{}", output.stderr);
        assert!(output.stdout.contains(&format!("pinned  {old}\nshown   {new}\n")), "{}", output.stdout);
    }
    assert!(program.ok(&["endpoint", "show", "prod"]).contains(&old));
    // Both for a while, then the new one alone.
    program.ok(&["endpoint", "trust", "prod", "--yes", "--add"]);
    assert!(program.ok(&["endpoint", "show", "prod"]).contains(&format!("{old},{new}")));
    program.ok(&["endpoint", "check", "prod"]);
    program.ok(&["endpoint", "trust", "prod", "--fingerprint", &new]);
    let shown = program.ok(&["endpoint", "show", "prod"]);
    assert!(shown.contains(&new) && !shown.contains(&old), "{shown}");
    assert_eq!(line(&shown, "secret"), ("token", ""));
    program.ok(&["sync"]);
    // It is a change like any other.
    let dump: Value = serde_json::from_str(&program.ok(&["dump"])).unwrap();
    let row = &dump["proxmox_endpoints"][0];
    assert!(row["last_updated"].as_str() > row["created"].as_str(), "{row}");
}

/// `endpoint add` at a terminal, where somebody types this; what is to be seen there. None where there is no `script`.
fn add_at_a_terminal(program: &Program, pve: &Pve, typed: &str) -> Option<(Option<i32>, String)> {
    let line = format!(
        "echo {TOKEN_SECRET} | {} endpoint add prod 127.0.0.1 --port {} --username sync@pve --token-name full --token-stdin",
        env!("CARGO_BIN_EXE_proxbox-graphql"),
        pve.port()
    );
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
    let (program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    for (typed, code, rows) in [("n\n", 1, 0), ("\n", 1, 0), ("Yes\n", 0, 1)] {
        let Some((ended, seen)) = add_at_a_terminal(&program, &pve, typed) else { return };
        assert!(seen.contains(&pve.fingerprint()) && seen.contains("Accept it? [y/N]"), "{seen}");
        assert!(!seen.contains(TOKEN_SECRET), "{seen}");
        assert_eq!((ended, stored(&program)), (Some(code), rows), "{typed:?}: {seen}");
        assert_eq!(seen.contains("is not accepted; nothing is stored"), code == 1, "{seen}");
    }
    assert!(program.ok(&["endpoint", "show", "prod"]).contains(&pve.fingerprint()));
}

async fn without_tls_there_is_no_certificate(db: TestDb) {
    let (mut program, pve) = (program(&db), Pve::plain("pve9-standalone").await);
    refused(&add(&program, "lab", &pve, &["--yes"]), &["no TLS", "nothing is stored"]);
    program.set("PROXBOX_SYNC_HTTP_HOSTS", &format!("127.0.0.1:{}", pve.port()));
    let added = add(&program, "lab", &pve, &[]);
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    assert!(line(&added.stdout, "certificate").1.starts_with("none: it is asked without TLS"), "{}", added.stdout);
    assert!(program.fails(1, &["endpoint", "trust", "lab", "--yes"]).contains("there is nothing to trust"));
    program.ok(&["sync"]);
}

async fn the_log_of_what_is_asked_holds_no_secret_even_at_trace(db: TestDb) {
    let (mut program, pve) = (program(&db), Pve::start("pve8-cluster").await);
    program.set("PROXBOX_LOG", "trace");
    let added = add(&program, "token", &pve, &["--yes"]);
    let port = pve.port().to_string();
    let arguments = ["endpoint", "add", "password", "127.0.0.1", "--port", &port, "--yes", "--password-stdin"];
    let outputs = [
        added,
        program.run_with(&arguments, PASSWORD),
        program.run(&["endpoint", "check", "password"]),
        program.run(&["sync"]),
        program.run(&["endpoint", "show", "token"]),
    ];
    let secrets = [forms(TOKEN_SECRET), forms(&format!("password={PASSWORD}"))];
    for Output { code, stdout, stderr } in outputs {
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("TRACE") || stderr.contains("DEBUG"), "{stderr}");
        for text in [&stdout, &stderr] {
            for form in secrets.iter().flatten().map(String::as_str).chain(["PVE:root@pam:", "PVE%3Aroot%40pam%3A"]) {
                assert_eq!(text.lines().find(|line| line.contains(form)), None, "{form}");
            }
        }
    }
}

both!(
    the_log_of_what_is_asked_holds_no_secret_even_at_trace,
    without_tls_there_is_no_certificate,
    who_sits_at_a_terminal_is_asked,
    what_is_not_accepted_is_not_stored,
    what_is_accepted_is_stored_with_its_pin,
    what_is_missing_is_told_with_how_to_grant_it,
    another_certificate_is_trusted_by_hand_and_the_secret_stays,
);
