//! `token create|list|revoke`.
use super::{Program, seed_file};
use crate::support::{TestDb, both};

async fn a_token_is_made_used_listed_and_revoked(db: TestDb) {
    let program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let server = program.serve(&[]);
    let asks = |value: &str| server.graphql(value, "{ proxmoxNodes { totalCount } proxmoxClusters { totalCount } }");
    let value = program.ok(&["token", "create", "all"]);
    let value = value.strip_suffix('\n').unwrap();
    assert!(value.len() == 57 && value.starts_with("nbt_") && !value.contains(' '), "{value}");
    let v1 = program.ok(&["token", "create", "old", "--v1", "--read-only"]);
    assert!(v1.trim().len() == 40 && v1.trim().bytes().all(|b| b.is_ascii_alphanumeric()), "{v1}");
    let narrow = r#"{"models": ["proxmoxnode"], "actions": ["view"], "constraints": {"name": "Zeta"}}"#;
    let narrow = program.ok(&["token", "create", "narrow", "--permission", narrow]);
    let elsewhere = program.ok(&["token", "create", "elsewhere", "--allowed-ip", "10.0.0.0/8", "--allowed-ip", "::2"]);
    let ended = program.ok(&["token", "create", "ended", "--expires", "2020-01-01T00:00:00Z"]);
    for all in [value, v1.trim()] {
        assert!(asks(all).contains(r#""proxmoxNodes":{"totalCount":14},"proxmoxClusters":{"totalCount":5}"#));
    }
    assert!(asks(narrow.trim()).contains(r#""proxmoxNodes":{"totalCount":1},"proxmoxClusters":{"totalCount":0}"#));
    assert!(asks(elsewhere.trim()).contains("FORBIDDEN"));
    assert!(asks(ended.trim()).contains("UNAUTHENTICATED"));
    let list = program.ok(&["token", "list"]);
    let line = |name: &str| list.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
    assert!(list.lines().next().unwrap().contains("NAME"));
    assert_eq!(list.lines().count(), 1 + 9 + 5);
    assert!(line("all").contains(&format!("nbt_{}.…", &value[4..16])) && line("all").contains("read, write"), "{list}");
    assert!(line("old").contains("v1") && !line("old").contains("write"), "{list}");
    assert!(
        line("elsewhere").contains("10.0.0.0/8, ::2") && line("ended").contains("2020-01-01T00:00:00.000000Z"),
        "{list}"
    );
    assert!(line("disabled").contains("disabled"), "{list}");
    for secret in [&value[17..], v1.trim(), crate::support::ADMIN] {
        assert!(!list.contains(secret));
    }
    assert_eq!(program.ok(&["token", "revoke", "all"]), "");
    assert!(asks(value).contains("UNAUTHENTICATED"));
    assert!(program.fails(1, &["token", "revoke", "all"]).contains("no token called all"));
}

async fn a_value_can_be_brought_along(db: TestDb) {
    let program = Program::new(&db);
    let (v1, v2) = ("v".repeat(40), format!("nbt_abcdefghijkl.{}", "w".repeat(40)));
    assert_eq!(program.ok_with(&["token", "create", "one", "--value-stdin"], &format!("{v1}\r\n")), format!("{v1}\n"));
    assert_eq!(program.ok_with(&["token", "create", "two", "--value-stdin"], &v2), format!("{v2}\n"));
    let message = program.fails_with(1, &["token", "create", "three", "--value-stdin"], "canary");
    assert!(message.contains("40 letters and digits") && !message.contains("canary"), "{message}");
    program.fails_with(1, &["token", "create", "three", "--value-stdin"], "");
    assert!(program.fails_with(1, &["token", "create", "three", "--value-stdin"], &v1).contains("already"));
    program.fails(2, &["token", "create", "three", "--value-stdin", "--v1"]);
    let server = program.serve(&[]);
    for value in [v1, v2] {
        assert!(server.graphql(&value, "{ __typename }").contains("\"data\""));
    }
}

async fn wrong_tokens_are_refused(db: TestDb) {
    let program = Program::new(&db);
    program.ok(&["token", "create", "taken"]);
    for (code, arguments, told) in [
        (1, &["taken"][..], "called taken"),
        (1, &[" taken "], "called taken"),
        (1, &[""], "name: This field may not be blank."),
        (1, &["t", "--permission", "{"], "--permission: not JSON"),
        (
            1,
            &["t", "--permission", r#"{"models": ["*"], "actions": ["fly"]}"#],
            "permissions[0].actions: unknown action `fly`",
        ),
        (
            1,
            &["t", "--permission", r#"{"models": ["x"], "actions": ["view"]}"#],
            "permissions[0].models: unknown model `x`",
        ),
        (1, &["t", "--allowed-ip", "10.0.0.0/99"], "allowed_ips[0]: "),
        (2, &["t", "--expires", "tomorrow"], "--expires"),
        (2, &["t", "--unknown"], "--unknown"),
        (2, &[], "<NAME>"),
    ] {
        let message = program.fails(code, &[&["token", "create"], arguments].concat());
        assert!(message.contains(told), "{arguments:?}: {message}");
    }
    assert_eq!(program.ok(&["token", "list"]).lines().count(), 2);
}

async fn an_unusable_token_is_listed_as_such(db: TestDb) {
    let program = Program::new(&db);
    program.ok_with(&["load", "-"], r#"{"tokens": [{"name": "lost"}]}"#);
    assert!(program.ok(&["token", "list"]).contains("unusable"));
}

both!(
    a_token_is_made_used_listed_and_revoked,
    a_value_can_be_brought_along,
    wrong_tokens_are_refused,
    an_unusable_token_is_listed_as_such,
);
