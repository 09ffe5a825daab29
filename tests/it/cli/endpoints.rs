//! `endpoint add|list|show|set-secret|remove`.
use super::Program;
use crate::support::{TestDb, both};
use serde_json::Value;

async fn an_endpoint_is_added_shown_and_removed(db: TestDb) {
    let program = Program::new(&db);
    let fingerprint = "ab".repeat(32);
    let added = program.ok_with(
        &[
            "endpoint",
            "add",
            "--offline",
            "prod",
            "pve.example.com",
            "--port",
            "443",
            "--username",
            "sync@pve",
            "--token-name",
            "t",
            "--fingerprint",
            &fingerprint,
            "--no-verify",
            "--token-stdin",
        ],
        "canary-token\n",
    );
    assert_eq!(added, "added endpoint prod (pve.example.com) as ProxmoxEndpoint:1\n");
    let mapped =
        program.ok_with(&["endpoint", "add", "--offline", "lab", "::ffff:192.0.2.1", "--password-stdin"], "canary-pw");
    assert!(mapped.contains("lab (192.0.2.1)"), "written addresses are unpacked: {mapped}");
    program.ok(&["endpoint", "add", "--offline", "lab", "2001:DB8:0::1"]);
    let list = program.ok(&["endpoint", "list"]);
    assert_eq!(list.lines().count(), 4);
    assert!(list.contains("pve.example.com:443") && list.contains("token") && !list.contains("canary"), "{list}");
    let shown = program.ok(&["endpoint", "show", "prod"]);
    let value =
        |name: &str| shown.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let colons = ["AB"; 32].join(":");
    for (name, expected) in [
        ("id ", "1"),
        ("domain", "pve.example.com"),
        ("ip address", "-"),
        ("port", "443"),
        ("mode", "undefined"),
        ("username", "sync@pve"),
        ("token name", "t"),
        ("secret", "token"),
        ("verify certificate", "no"),
        ("fingerprint", &colons),
        ("enabled", "yes"),
    ] {
        assert_eq!(value(name), expected, "{name}: {shown}");
    }
    assert!(program.fails(1, &["endpoint", "show", "lab"]).contains("several endpoints are called lab"));
    assert!(program.ok(&["endpoint", "show", "3"]).contains("2001:db8::1"));
    assert_eq!(program.ok_with(&["endpoint", "set-secret", "3", "--password-stdin"], "canary-2"), "");
    assert!(program.ok(&["endpoint", "list"]).lines().filter(|line| line.contains("password")).count() == 2);
    let dump: Value = serde_json::from_str(&program.ok(&["dump"])).unwrap();
    assert!(dump["proxmox_endpoints"][2]["last_updated"].as_str() > dump["proxmox_endpoints"][2]["created"].as_str());
    assert_eq!(program.ok(&["endpoint", "remove", "prod"]), "");
    assert!(program.fails(1, &["endpoint", "remove", "prod"]).contains("there is no endpoint prod"));
    assert_eq!(program.ok(&["endpoint", "list"]).lines().count(), 3);
}

async fn wrong_endpoints_are_refused(db: TestDb) {
    let program = Program::new(&db);
    program.ok(&["endpoint", "add", "--offline", "taken", "pve.example.com"]);
    let long = "x".repeat(256);
    for (code, arguments, told) in [
        (1, &["add", "taken", "pve.example.com", "--offline"][..], "already"),
        (1, &["add", " ", "pve.example.com"], "name: This field may not be blank."),
        (1, &["add", "x", ""], "host: This field may not be blank."),
        (1, &["add", "x", "https://pve.example.com"], "host: must be an IP address or a domain name"),
        (1, &["add", "x", "pve.example.com:8006"], "host: "),
        (1, &["add", "x", "[2001:db8::1]"], "host: "),
        (1, &["add", "x", "10.0.0.0/8"], "host: "),
        (1, &["add", "x", "pve.example.com?a=b"], "host: "),
        (1, &["add", "x", "pve\texample"], "host: "),
        (1, &["add", "x", "y", "--port", "0"], "port: Ensure this value is greater than or equal to 1."),
        (1, &["add", "x", "y", "--port", "65536"], "port: Ensure this value is less than or equal to 65535."),
        (2, &["add", "x", "y", "--port", "https"], "--port"),
        (1, &["add", "x", "y", "--fingerprint", "AB:CD"], "tls_fingerprint: "),
        (1, &["add", "x", "y", "--username", ""], "username: This field may not be blank."),
        (1, &["add", &long, "y"], "name: Ensure this field has no more than 255 characters."),
        (1, &["add", "x", "y", "--token-stdin"], "token_value: This field may not be blank."),
        (1, &["set-secret", "taken", "--password-stdin"], "password: This field may not be blank."),
        (2, &["add", "x", "y", "--token-stdin", "--password-stdin"], "cannot be used with"),
        (2, &["add", "x", "y", "--password", "canary"], "unexpected argument"),
        (2, &["set-secret", "taken"], "required"),
        (1, &["set-secret", "nobody", "--token-stdin"], "there is no endpoint nobody"),
        (1, &["show", "99"], "there is no endpoint 99"),
        (2, &["add", "x"], "<HOST>"),
    ] {
        let message = program.fails(code, &[&["endpoint"], arguments].concat());
        assert!(message.contains(told), "{arguments:?}: {message}");
    }
    assert_eq!(program.ok(&["endpoint", "list"]).lines().count(), 2);
}

both!(an_endpoint_is_added_shown_and_removed, wrong_endpoints_are_refused);
