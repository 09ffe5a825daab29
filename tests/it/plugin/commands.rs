//! `import netbox` and `netbox compare` as people and scripts run them.
use super::seeded_stand;
use crate::cli::Program;
use crate::support::{ADMIN, TestDb, both};
use serde_json::Value;

/// The program on an empty database beside the NetBox that the seed plays.
fn program(db: &TestDb, url: &str) -> Program {
    let mut program = Program::new(db);
    program.set("PROXBOX_NETBOX_URL", url).set("PROXBOX_NETBOX_TOKEN", ADMIN);
    program
}

async fn the_move_is_told_step_by_step(db: TestDb) {
    let (there, stand) = seeded_stand(&db).await;
    let program = program(&db, &stand.url());
    let different = program.run(&["netbox", "compare"]);
    assert_eq!(different.code, Some(3), "{}", different.stderr);
    assert!(different.stdout.contains("Only in the plugin"), "{}", different.stdout);
    let empty = program.ok(&["dump"]);
    let dry = program.ok(&["import", "netbox", "--dry-run"]);
    assert!(dry.contains("dry run: nothing is changed"), "{dry}");
    assert_eq!(program.ok(&["dump"]), empty);
    let real = program.ok(&["import", "netbox"]);
    assert_eq!(real.replace("\ndone\n", ""), dry.replace("\ndry run: nothing is changed\n", ""));
    assert!(real.contains("endpoint set-secret ProxmoxEndpoint:1 --token-stdin   # prod-proxmox"), "{real}");
    program.ok_with(&["endpoint", "set-secret", "ProxmoxEndpoint:1", "--token-stdin"], "11111111-2222\n");
    assert!(program.ok(&["import", "netbox"]).contains("everything was here already"));
    let alike = program.ok(&["netbox", "compare", "--figures", "--ids"]);
    assert!(alike.contains("both sides are alike"), "{alike}");
    // For programs.
    let json = |arguments: &[&str]| serde_json::from_str::<Value>(&program.run(arguments).stdout).unwrap();
    let imported = json(&["import", "netbox", "--json"]);
    assert_eq!((&imported["counts"]["proxmox_node"]["same"], &imported["revision"]), (&14.into(), &Value::Null));
    assert_eq!(imported["endpoints_without_secret"].as_array().unwrap().len(), 2, "{imported:#}");
    assert_eq!(json(&["netbox", "compare", "--json"])["alike"], true);
    drop(there);
}

async fn what_cannot_be_done_is_said(db: TestDb) {
    let (_there, stand) = seeded_stand(&db).await;
    let mut program = program(&db, &stand.url());
    program.set("PROXBOX_NETBOX_TOKEN", "ffffffffffffffffffffffffffffffffffffffff");
    for command in [&["import", "netbox"][..], &["netbox", "compare"]] {
        let told = program.fails(1, command);
        assert!(told.contains("the token is refused") && !told.contains("ffffffff"), "{told}");
    }
    program.unset("PROXBOX_NETBOX_TOKEN").unset("PROXBOX_NETBOX_URL");
    assert!(program.fails(1, &["import", "netbox"]).contains("no NetBox is set"));
    program.fails(2, &["import"]);
}

async fn taken_ids_refuse_with_the_way_out(db: TestDb) {
    let (_there, stand) = seeded_stand(&db).await;
    let program = program(&db, &stand.url());
    program.ok(&["endpoint", "add", "other", "192.0.2.99", "--offline"]);
    let refused = program.run(&["import", "netbox"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stdout.contains("refused: nothing is changed") && refused.stdout.contains("--new-ids"));
    assert!(program.ok(&["import", "netbox", "--new-ids"]).contains("done"));
}

both!(the_move_is_told_step_by_step, what_cannot_be_done_is_said, taken_ids_refuse_with_the_way_out);
