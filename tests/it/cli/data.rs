//! `load`, `dump`, `schema`.
use super::{Program, seed_file};
use crate::support::{TestDb, both};
use std::fs;
use std::os::unix::fs::PermissionsExt;

async fn a_dump_loads_elsewhere_to_the_same_dump(db: TestDb) {
    let program = Program::new(&db);
    assert_eq!(program.ok(&["load", &seed_file(&program.folder)]), "");
    let first = program.ok(&["dump"]);
    assert!(first.starts_with("{\n \"tags\": [") && first.ends_with("\n}\n"), "{first}");
    let mut other = Program::bare(&program.folder);
    other.set("PROXBOX_DATABASE_URL", "sqlite://other.db?mode=rwc").set("PROXBOX_LISTEN", "127.0.0.1:0");
    other.set("PROXBOX_SYNC_INTERVAL", "0");
    other.ok_with(&["load", "-"], &first);
    assert_eq!(other.ok(&["dump"]), first);
    // With secrets only under the same key.
    let secrets = program.ok(&["dump", "--with-secrets"]);
    other.set("PROXBOX_DATABASE_URL", "sqlite://third.db?mode=rwc");
    fs::write(program.folder.join("secrets.json"), &secrets).unwrap();
    let message = other.fails(1, &["load", "secrets.json"]);
    assert!(message.starts_with("error: pepper: "), "{message}");
    other.set("PROXBOX_DATABASE_URL", "sqlite://fourth.db?mode=rwc").set("PROXBOX_SECRET_KEY", super::KEY);
    other.ok(&["load", "secrets.json"]);
    assert_eq!(other.ok(&["dump", "--with-secrets"]), secrets);
    let server = other.serve(&[]);
    assert!(server.graphql(crate::support::ADMIN, "{ __typename }").contains("\"data\""));
}

async fn a_dumped_file_is_whole_and_the_owners(db: TestDb) {
    let program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let path = program.folder.join("dump.json");
    for (name, mode) in [("dump.json", 0o644), ("dump.json.part", 0o666)] {
        fs::write(program.folder.join(name), "old").unwrap();
        fs::set_permissions(program.folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let before = fs::read_dir(&program.folder).unwrap().count();
    assert_eq!(program.ok(&["dump", "dump.json"]), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), program.ok(&["dump"]));
    assert_eq!(program.ok(&["dump", "-"]), program.ok(&["dump"]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&program.folder).unwrap().count(), before, "nothing beside it");
    let message = program.fails(1, &["dump", "nowhere/dump.json"]);
    assert!(message.contains("cannot write nowhere/dump.json"), "{message}");
}

async fn a_refused_file_exits_1_and_leaves_nothing(db: TestDb) {
    let program = Program::new(&db);
    assert!(program.fails(1, &["load", "missing.json"]).contains("cannot read missing.json"));
    let wrong = r#"{"proxmox_endpoints": [{"id": 1, "name": "e", "mode": "x", "password": "canary"}]}"#;
    let message = program.fails_with(1, &["load", "-"], wrong);
    assert!(message.starts_with("error: proxmox_endpoints[0].mode: ") && !message.contains("canary"), "{message}");
    program.ok(&["load", &seed_file(&program.folder)]);
    assert!(program.fails(1, &["load", "seed.json"]).contains("not empty"));
}

async fn a_reader_who_has_seen_enough_is_no_error(db: TestDb) {
    let program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let mut child = program.command(&["dump"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_schema_needs_no_database() {
    let folder = crate::support::folder();
    let schema = Program::bare(folder.path()).ok(&["schema"]);
    assert_eq!(schema, include_str!("../../../schema.graphql"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

both!(
    a_dump_loads_elsewhere_to_the_same_dump,
    a_dumped_file_is_whole_and_the_owners,
    a_refused_file_exits_1_and_leaves_nothing,
    a_reader_who_has_seen_enough_is_no_error,
);
