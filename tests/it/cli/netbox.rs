//! `netbox check`, and how a NetBox is set. No database, and no token in what is said.
use super::{Output, Program};
use crate::support::netbox::{CLUSTERS, DEVICES, answer, real, token};
use crate::support::pve::Pve;
use crate::support::{TestDb, both};
use serde_json::json;
use tempfile::TempDir;
use wiremock::{MockServer, ResponseTemplate};

/// The program without a database or a key, in a folder of its own.
fn program(url: &str, token: &str) -> (TempDir, Program) {
    let folder = crate::support::folder();
    let mut program = Program::bare(folder.path());
    program.set("PROXBOX_NETBOX_URL", url).set("PROXBOX_NETBOX_TOKEN", token);
    (folder, program)
}

/// Checks, and sees that nothing is left behind and no token is shown.
#[track_caller]
fn check(program: &Program, arguments: &[&str]) -> Output {
    let output = program.run(&[&["netbox", "check"], arguments].concat());
    for (name, value) in &program.env {
        let secret = name == "PROXBOX_NETBOX_TOKEN" && !value.trim().is_empty();
        assert!(!secret || !format!("{}{}", output.stdout, output.stderr).contains(value.trim()), "{}", output.stderr);
    }
    assert!(!output.stderr.contains("canary") && !output.stdout.contains("canary"), "{}", output.stderr);
    assert!(!program.folder.join("proxbox.db").exists() && !program.folder.join("proxbox.key").exists());
    output
}

/// The result and the detail of each line.
fn lines(output: &Output) -> Vec<(String, String)> {
    let lines = output.stdout.lines().skip(1).take(5);
    let split = |line: &str| {
        let (_, rest) = line.trim().split_once(' ').unwrap();
        let (result, detail) = rest.trim().split_once(' ').unwrap();
        (result.to_owned(), detail.trim().to_owned())
    };
    lines.map(split).collect()
}

#[track_caller]
fn results(output: &Output, expected: [&str; 5], words: &[&str]) {
    let found = lines(output);
    let results = found.iter().map(|(result, _)| result.as_str()).collect::<Vec<_>>();
    assert_eq!(results, expected, "{}{}", output.stdout, output.stderr);
    let all_is_well = expected.iter().all(|result| *result == "ok");
    assert_eq!(output.code, Some(if all_is_well { 0 } else { 1 }), "{}", output.stderr);
    for word in words {
        assert!(output.stdout.contains(word), "{word}: {}", output.stdout);
    }
}

#[tokio::test]
async fn all_is_well() {
    let server = real().await;
    let (_folder, mut program) = program(&format!("{}/api/", server.uri()), &format!(" {}\n", token("TOKEN_ADMIN_V2")));
    let output = check(&program, &[]);
    results(&output, ["ok"; 5], &[]);
    let details = lines(&output).into_iter().map(|(_, detail)| detail).collect::<Vec<_>>();
    assert_eq!(details, [server.uri().as_str(), "NetBox 4.5.10", "of the user admin", "seen: 6", "seen: 12"]);
    assert!(
        output.stdout.trim_start().starts_with("CHECK ") && output.stdout.lines().count() == 6,
        "{}",
        output.stdout
    );
    // Whoever sits between reads it.
    assert!(output.stderr.contains("WARN") && output.stderr.contains("in the clear"), "{}", output.stderr);
    // By options and a file, whose end is of no matter.
    std::fs::write(program.folder.join("token"), format!("{}\r\n", token("TOKEN_READONLY"))).unwrap();
    program.unset("PROXBOX_NETBOX_URL").unset("PROXBOX_NETBOX_TOKEN");
    let url = format!("{}/netbox", server.uri());
    results(&check(&program, &["--netbox-url", &url, "--netbox-token-file", "token"]), ["ok"; 5], &[&url]);
    // The variable goes first.
    program.set("PROXBOX_NETBOX_TOKEN", "bogus");
    let output = check(&program, &["--netbox-url", &url, "--netbox-token-file", "token"]);
    results(&output, ["ok", "-", "FAILED", "-", "-"], &[]);
}

#[tokio::test]
async fn each_refusal_in_its_words_and_with_what_to_do() {
    let server = real().await;
    for (name, expected, words) in [
        (
            "TOKEN_NOBODY",
            ["ok", "ok", "ok", "FAILED", "FAILED"],
            &["of the user nobody", "virtualization.cluster", "dcim.device", "the token may not see", "permission: "][..],
        ),
        ("TOKEN_EXPIRED", ["ok", "-", "FAILED", "-", "-"], &["auth: ", "Token expired", "PROXBOX_NETBOX_TOKEN"]),
    ] {
        let (_folder, program) = program(&server.uri(), &token(name));
        results(&check(&program, &[]), expected, words);
    }
    let (_folder, unknown) = program(&server.uri(), "bogus");
    results(&check(&unknown, &[]), ["ok", "-", "FAILED", "-", "-"], &["Invalid v1 token"]);
    // One of both.
    let (_folder, admin) = program(&server.uri(), &token("TOKEN_ADMIN"));
    let forbidden = json!({"detail": "You do not have permission to perform this action."});
    answer(&server, DEVICES, ResponseTemplate::new(403).set_body_json(forbidden)).await;
    let output = check(&admin, &[]);
    results(&output, ["ok", "ok", "ok", "ok", "FAILED"], &["dcim.device"]);
    assert!(!output.stdout.contains("virtualization.cluster"), "{}", output.stdout);
    // Nothing to be seen is no failure, and looks like one.
    let none = json!({"count": 0, "next": null, "previous": null, "results": []});
    answer(&server, CLUSTERS, ResponseTemplate::new(200).set_body_json(none)).await;
    results(&check(&admin, &[]), ["ok", "ok", "ok", "ok", "FAILED"], &["none is seen"]);
}

// The stand-in for TLS works while the program runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_not_to_reach_it_in_its_words_and_with_what_to_do() {
    const NOT: [&str; 5] = ["FAILED", "-", "-", "-", "-"];
    let server = MockServer::start().await;
    let pve = Pve::start("pve8-cluster").await;
    let secure = format!("https://127.0.0.1:{}", pve.port());
    for (url, words) in [
        ("http://127.0.0.1:1", &["connect: ", "See that NetBox runs"][..]),
        ("http://nowhere.invalid", &["dns: ", "See that NetBox runs"]),
        (&server.uri(), &["not_netbox: ", "front page"]),
        (&secure, &["tls_untrusted: ", "PROXBOX_NETBOX_CA"]),
    ] {
        let (_folder, program) = program(url, "t0ken");
        results(&check(&program, &[]), NOT, words);
    }
    let at = "/api/status/";
    for (response, words) in [
        (ResponseTemplate::new(301).insert_header("location", "https://nb/"), &["protocol: ", "use https"][..]),
        (ResponseTemplate::new(200).set_body_raw("<html>", "text/html"), &["not_netbox: ", "front page"]),
        (ResponseTemplate::new(500).set_body_json(json!({"error": "boom"})), &["degraded: ", "boom", "its log"]),
    ] {
        server.reset().await;
        answer(&server, at, response).await;
        let (_folder, program) = program(&server.uri(), "t0ken");
        results(&check(&program, &[]), NOT, words);
    }
    // The authority of another.
    let (folder, program) = program(&secure, "t0ken");
    std::fs::write(folder.path().join("ca.pem"), Pve::start("pve8-cluster").await.ca()).unwrap();
    results(&check(&program, &["--netbox-ca", "ca.pem"]), NOT, &["tls_untrusted: "]);
    assert_eq!(pve.total_hits(), 0);
    // The right one: it is reached, and no NetBox.
    std::fs::write(folder.path().join("ca.pem"), pve.ca()).unwrap();
    let output = check(&program, &["--netbox-ca", "ca.pem"]);
    assert!(pve.total_hits() > 0 && !output.stdout.contains("tls"), "{}", output.stdout);
    assert!(!output.stderr.contains("in the clear"), "{}", output.stderr);
}

#[tokio::test]
async fn what_is_set_in_part_is_told_by_name() {
    let folder = crate::support::folder();
    std::fs::write(folder.path().join("empty"), " \n").unwrap();
    std::fs::write(folder.path().join("token"), "canary").unwrap();
    let url = "https://netbox.example.com";
    for (env, arguments, words) in [
        (&[][..], &[][..], &["PROXBOX_NETBOX_URL", "PROXBOX_NETBOX_TOKEN"][..]),
        (&[("PROXBOX_NETBOX_TOKEN", "canary")], &[], &["token", "PROXBOX_NETBOX_URL is not"]),
        (&[("PROXBOX_NETBOX_TOKEN_FILE", "token")], &[], &["token", "PROXBOX_NETBOX_URL is not"]),
        (&[("PROXBOX_NETBOX_CA", "token")], &[], &["PROXBOX_NETBOX_CA", "PROXBOX_NETBOX_URL is not"]),
        (&[("PROXBOX_NETBOX_URL", url)], &[], &["neither PROXBOX_NETBOX_TOKEN nor PROXBOX_NETBOX_TOKEN_FILE"]),
        (&[("PROXBOX_NETBOX_TOKEN", " ")], &["--netbox-url", url], &["PROXBOX_NETBOX_TOKEN is empty"]),
        (&[("PROXBOX_NETBOX_TOKEN", "Token canary")], &["--netbox-url", url], &["characters that no token has"]),
        (&[("PROXBOX_NETBOX_TOKEN", "canary")], &["--netbox-url", ""], &["PROXBOX_NETBOX_URL", "empty"]),
        (&[("PROXBOX_NETBOX_TOKEN", "canary")], &["--netbox-url", "netbox"], &["PROXBOX_NETBOX_URL", "cannot be read"]),
        (&[("PROXBOX_NETBOX_TOKEN", "canary")], &["--netbox-url", "localhost:80"], &["http:// or https://"]),
        (&[("PROXBOX_NETBOX_TOKEN", "canary")], &["--netbox-url", "http://u:canary@x"], &["a password"]),
        (&[("PROXBOX_NETBOX_TOKEN", "canary")], &["--netbox-url", "http://169.254.169.254"], &["metadata"]),
        (&[], &["--netbox-url", url, "--netbox-token-file", "absent"], &["PROXBOX_NETBOX_TOKEN_FILE", "absent"]),
        (&[], &["--netbox-url", url, "--netbox-token-file", "empty"], &["PROXBOX_NETBOX_TOKEN_FILE", "is empty"]),
        (&[("PROXBOX_NETBOX_TOKEN", "t0ken")], &["--netbox-url", url, "--netbox-ca", "absent"], &["PROXBOX_NETBOX_CA"]),
        (&[("PROXBOX_NETBOX_TOKEN", "t0ken")], &["--netbox-url", url, "--netbox-ca", "empty"], &["PROXBOX_NETBOX_CA"]),
        (&[("PROXBOX_NETBOX_TOKEN", "t0ken")], &["--netbox-url", url, "--netbox-ca", "token"], &["CA certificate"]),
    ] {
        let mut program = Program::bare(folder.path());
        for (name, value) in env {
            program.set(name, value);
        }
        let output = check(&program, arguments);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{env:?} {arguments:?}: {}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        for word in words {
            assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
        }
    }
}

/// `serve` is set in the same way, and refuses to begin with half of it; the demo has no NetBox.
async fn serve_takes_it_whole_or_not_at_all(db: TestDb) {
    let mut program = Program::new(&db);
    program.set("PROXBOX_NETBOX_URL", "https://netbox.example.com");
    assert!(program.fails(1, &["serve"]).contains("neither PROXBOX_NETBOX_TOKEN nor"));
    drop(program.serve(&["--demo"]));
    program.set("PROXBOX_NETBOX_TOKEN", "canary-of-a-token");
    let running = program.serve(&[]);
    assert!(!format!("{}{}", running.log(), running.stdout.lock().unwrap()).contains("canary"), "{}", running.log());
}

both!(serve_takes_it_whole_or_not_at_all);
