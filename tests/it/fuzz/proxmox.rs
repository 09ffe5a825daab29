//! Answers of a Proxmox: whatever it says, a run ends, tells why, and leaves rows that the next run can put right.
use super::{attack, corpus};
use crate::property::same;
use crate::support::pve::Reply;
use crate::support::{TestDb, both};
use crate::sync::Scene;
use proxbox_graphql::entity::RunState;

both!(answers_become_rows_or_errors);

/// The calls of a run; the first byte of an input says which one answers with the rest.
const PATHS: [&str; 6] =
    ["/storage", "/nodes", "/cluster/status", "/version", "/access/permissions", "/cluster/config/join"];

async fn answers_become_rows_or_errors(db: TestDb) {
    let scene = Scene::new(&db, "pve8-cluster").await;
    assert_eq!(scene.sync().await.state, RunState::Succeeded);
    // Names with figures of the recorded ones are of no use to random bytes.
    assert!(corpus("proxmox").iter().all(|input| !input.is_empty()));
    attack("proxmox", 60, async |bytes| {
        let (path, body) = bytes.split_first().map_or((0, &[][..]), |(first, rest)| (usize::from(*first), rest));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let raw = [head.as_bytes(), b"connection: close\r\n\r\n", body].concat();
        scene.pve.reply(PATHS[path % PATHS.len()], Reply::Raw(raw));
        let run = scene.sync().await;
        scene.pve.heal();
        let told = format!("{run:?}");
        same(&told, run.state.is_over() && !told.contains("\"internal\""), true)
    });
    let run = scene.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
}
