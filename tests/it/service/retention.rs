//! How long the change log is kept: the oldest changes go in small steps, and whoever missed one is told so.
use super::{changes_after, dumped, execute, number, topology};
use crate::cli::{Program, seed_file};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use chrono::{TimeDelta, Utc};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::tag;
use proxbox_graphql::service::batch::{Mode, Operation};
use proxbox_graphql::service::{Actor, retention, tag as tags};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LONG_AGO: &str = "'2020-01-01T00:00:00+00:00'";

/// Makes so many tags, each in a revision of its own.
async fn tagged(app: &App, names: &[&str]) {
    for name in names {
        let given = |text: &str| Some(Some(text.to_owned()));
        let patch = tags::Patch { name: given(name), slug: given(name), color: None };
        let outcome = app.write::<tag::Model>(Actor::operator(), &[Operation::Create(patch)], Mode::AllOrNothing).await;
        assert_eq!(outcome.unwrap().failed(), 0);
    }
}

/// Makes changes old.
async fn age(app: &App, which: &str) {
    execute(&app.db, &format!("UPDATE change SET at = {LONG_AGO} WHERE {which}")).await;
}

async fn kept(app: &App) -> Vec<String> {
    changes_after(app, 0).await.iter().map(|change| change.position().to_string()).collect()
}

/// A server on the topology with somebody who may do everything, in revision 1.
async fn server(db: &TestDb) -> Server {
    let app = db.open().await;
    let mut file = topology();
    let everything = json!({"models": ["*"], "actions": ["view", "add", "change", "delete"]});
    file["tokens"] = json!([{"name": "admin", "value": ADMIN, "permissions": [everything]}]);
    fill(&app, &file.to_string()).await;
    Server::new(app)
}

/// The positions behind this one, or the error's code.
async fn behind(server: &Server, arguments: &str) -> Result<Vec<String>, String> {
    let question = format!("{{ changes{arguments} {{ nodes {{ position }} }} }}");
    let answer = server.ask(&question).await;
    if answer.json().get("errors").is_some() {
        return Err(answer.code());
    }
    let data = answer.data();
    let nodes = data["changes"]["nodes"].as_array().unwrap().iter();
    Ok(nodes.map(|change| change["position"].as_str().unwrap().to_owned()).collect())
}

async fn nothing_young_goes(db: TestDb) {
    let server = server(&db).await;
    tagged(&server.app, &["x", "y"]).await;
    assert_eq!(server.app.prune_changes(TimeDelta::days(1)).await.unwrap(), 0);
    assert_eq!(kept(&server.app).await, ["1.0", "2.0", "3.0"]);
    assert_eq!(behind(&server, "(after: \"0.0\")").await.unwrap(), ["1.0", "2.0", "3.0"]);
    // Exactly at the border is young enough.
    age(&server.app, "revision = 1").await;
    let since = Utc::now() - "2020-01-01T00:00:00Z".parse::<chrono::DateTime<Utc>>().unwrap();
    assert_eq!(server.app.prune_changes(since + TimeDelta::hours(1)).await.unwrap(), 0);
    assert_eq!(server.app.prune_changes(since - TimeDelta::hours(1)).await.unwrap(), 1);
}

async fn the_oldest_go_and_who_missed_one_is_told(db: TestDb) {
    let server = server(&db).await;
    let app = &server.app;
    tagged(app, &["r2", "r3", "r4", "r5", "r6"]).await;
    // The first use of the token is noted, in the background.
    server.count("{ __typename }").await;
    let before = dumped(app, true).await;
    let mut events = app.events.subscribe();
    events.mark_unchanged();
    // The clock of another server was behind: what lies after a young change stays with it.
    age(app, "revision IN (1, 2, 3, 5)").await;
    assert_eq!(app.prune_changes(TimeDelta::days(30)).await.unwrap(), 3);
    assert_eq!(kept(app).await, ["4.0", "5.0", "6.0"]);
    let rest = ["4.0", "5.0", "6.0"];
    assert_eq!(behind(&server, "").await.unwrap(), rest);
    for (after, expected) in [
        // Who had read all that is gone has missed nothing.
        ("3.0", Ok(&rest[..])),
        ("3.1", Ok(&rest[..])),
        ("4.0", Ok(&rest[1..])),
        ("6.0", Ok(&[][..])),
        ("6.1", Ok(&[][..])),
        ("2.7", Err("RESUME_EXPIRED")),
        ("2.0", Err("RESUME_EXPIRED")),
        ("0.0", Err("RESUME_EXPIRED")),
        ("7.0", Err("RESUME_EXPIRED")),
    ] {
        let found = behind(&server, &format!("(after: \"{after}\")")).await;
        let expected = expected.map(|rest| rest.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expected.map_err(str::to_owned), "after {after}");
        let question =
            format!("{{ proxmoxCluster(id: 1) {{ history(after: \"{after}\") {{ nodes {{ position }} }} }} }}");
        let expired = server.ask(&question).await.json().get("errors").is_some();
        assert_eq!(expired, found.is_err(), "history after {after}");
    }
    // Pruning is no change: the rows are as they were, nobody is told, and numbers go on.
    assert_eq!(dumped(app, true).await, before);
    assert!(!events.has_changed().unwrap());
    assert_eq!(app.prune_changes(TimeDelta::days(30)).await.unwrap(), 0);
    tagged(app, &["r7"]).await;
    assert_eq!(kept(app).await, ["4.0", "5.0", "6.0", "7.0"]);
    assert_eq!(number(&app.db, "SELECT value FROM revision").await, 7);
    // Once the young one is old too, all that is old goes, and even an empty log goes on.
    age(app, "revision < 100").await;
    assert_eq!(app.prune_changes(TimeDelta::days(30)).await.unwrap(), 4);
    assert_eq!(behind(&server, "").await.unwrap(), [""; 0]);
    assert_eq!(behind(&server, "(after: \"7.0\")").await.unwrap(), [""; 0]);
    assert_eq!(behind(&server, "(after: \"6.0\")").await.unwrap_err(), "RESUME_EXPIRED");
    tagged(app, &["r8"]).await;
    assert_eq!(behind(&server, "(after: \"7.0\")").await.unwrap(), ["8.0"]);
    // A restart knows it still.
    drop(server);
    let server = Server::new(db.open().await);
    assert_eq!(behind(&server, "(after: \"6.0\")").await.unwrap_err(), "RESUME_EXPIRED");
    assert_eq!(behind(&server, "(after: \"7.0\")").await.unwrap(), ["8.0"]);
}

/// A revision of so many changes, long ago.
async fn large_revision(app: &App, changes: i64) {
    execute(&app.db, "UPDATE revision SET value = value + 1").await;
    let sql = format!(
        "INSERT INTO change (revision, ordinal, at, actor, object_type, object_id, action, changed) \
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
         SELECT (SELECT value FROM revision), i, {LONG_AGO}, 'cli', 'tag', 1, 'updated', '[]' FROM n",
        changes - 1
    );
    execute(&app.db, &sql).await;
}

async fn large_revisions_go_in_steps(db: TestDb) {
    let server = server(&db).await;
    let app = &server.app;
    age(app, "revision = 1").await;
    large_revision(app, 2_500).await;
    tagged(app, &["young"]).await;
    let first = async |after: &str| behind(&server, &format!("(first: 2, after: \"{after}\")")).await;
    let tx = app.begin(Actor::program("retention")).await.unwrap();
    assert_eq!(retention::prune(&tx, Utc::now() - TimeDelta::days(30), 1_000).await.unwrap(), 1_000);
    assert_eq!(tx.commit().await.unwrap(), None);
    // One of revision 1 and 999 of revision 2 are gone: the cut may go through a revision.
    assert_eq!(first("2.998").await.unwrap(), ["2.999", "2.1000"]);
    assert_eq!(first("2.1500").await.unwrap(), ["2.1501", "2.1502"]);
    for missed in ["2.997", "2.0", "1.0"] {
        assert_eq!(first(missed).await.unwrap_err(), "RESUME_EXPIRED", "{missed}");
    }
    assert_eq!(app.prune_changes(TimeDelta::days(30)).await.unwrap(), 1_501);
    assert_eq!(kept(app).await, ["3.0"]);
    assert_eq!(first("2.2499").await.unwrap(), ["3.0"]);
    assert_eq!(first("2.2498").await.unwrap_err(), "RESUME_EXPIRED");
    // Exactly whole steps.
    large_revision(app, 2_000).await;
    age(app, "revision = 3").await;
    assert_eq!(app.prune_changes(TimeDelta::days(30)).await.unwrap(), 2_001);
    assert_eq!(kept(app).await, [""; 0]);
}

/// Who reads on while the log is pruned misses nothing without being told.
async fn who_reads_while_changes_go_misses_none_unnoticed(db: TestDb) {
    let server = server(&db).await;
    large_revision(&server.app, 6_000).await;
    age(&server.app, "revision = 1").await;
    let reader = {
        let server = server.clone();
        tokio::spawn(async move {
            let (mut position, mut expired) = ("1.0".to_owned(), 0);
            loop {
                match behind(&server, &format!("(first: 40, after: \"{position}\")")).await {
                    Ok(found) if found.is_empty() => return expired,
                    Ok(found) => {
                        let ordinal = |position: &str| position.split_once('.').unwrap().1.parse::<i64>().unwrap();
                        let next = if position == "1.0" { 0 } else { ordinal(&position) + 1 };
                        let expected = (next..).map(|ordinal| format!("2.{ordinal}")).take(found.len());
                        assert_eq!(found, expected.collect::<Vec<_>>(), "a gap that nobody told of");
                        position = found.last().unwrap().clone();
                    }
                    Err(code) => {
                        assert_eq!(code, "RESUME_EXPIRED");
                        expired += 1;
                        match behind(&server, "(first: 1)").await.unwrap().pop() {
                            Some(oldest) => position = oldest,
                            None => return expired,
                        }
                    }
                }
            }
        })
    };
    for _ in 0..60 {
        let tx = server.app.begin(Actor::program("retention")).await.unwrap();
        retention::prune(&tx, Utc::now() - TimeDelta::days(30), 100).await.unwrap();
        tx.commit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    reader.await.unwrap();
}

/// The program prunes when it starts, as its options say.
async fn the_server_prunes_at_its_start(db: TestDb) {
    let mut program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let onlooker = proxbox_graphql::db::Db::connect(&db.options).await.unwrap();
    let days = |days: i64| format!("'{}'", (Utc::now() - TimeDelta::days(days)).to_rfc3339());
    // Ages of some changes in days; the first one is what `load` left.
    execute(&onlooker, &format!("UPDATE change SET at = {}", days(4000))).await;
    for (revision, age) in [(2, 100), (3, 80), (4, 2)] {
        let sql = format!(
            "INSERT INTO change (revision, ordinal, at, actor, object_type, object_id, action, changed) \
             VALUES ({revision}, 0, {}, 'cli', 'tag', 1, 'updated', '[]')",
            days(age)
        );
        execute(&onlooker, &sql).await;
    }
    execute(&onlooker, "UPDATE revision SET value = 4").await;
    let oldest = async || number(&onlooker, "SELECT COALESCE(MIN(revision), 0) FROM change").await;
    let question = "{ changes(after: \"0.0\") { nodes { position } } }";
    // For ever first; the default then; the variable, and the option that goes before it.
    for (variable, options, expected) in [
        (None, &["--change-retention", "0"][..], 1),
        (Some("36500"), &[], 1),
        (None, &[], 3),
        (Some("0"), &["--change-retention", "10"], 4),
    ] {
        match variable {
            Some(days) => program.set("PROXBOX_CHANGE_RETENTION", days),
            None => program.unset("PROXBOX_CHANGE_RETENTION"),
        };
        let mut server = program.serve(options);
        let begun = Instant::now();
        while oldest().await < expected {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing goes with {variable:?} {options:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let answer = server.graphql(ADMIN, question);
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        match expected {
            1 => assert_eq!(body["data"]["changes"]["nodes"].as_array().unwrap().len(), 4, "{body}"),
            _ => assert_eq!(body["errors"][0]["extensions"]["code"], "RESUME_EXPIRED", "{body}"),
        }
        server.signal("TERM");
        assert_eq!(server.end(), Some(0));
        assert_eq!(oldest().await, expected);
    }
    onlooker.close().await.unwrap();
}

both!(
    nothing_young_goes,
    the_oldest_go_and_who_missed_one_is_told,
    large_revisions_go_in_steps,
    who_reads_while_changes_go_misses_none_unnoticed,
    the_server_prunes_at_its_start,
);
