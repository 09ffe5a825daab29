//! Keys and sealed values.
use super::{execute, stolen, text};
use crate::support::{Backend, TestDb, both};
use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::db::DbOptions;
use proxbox_graphql::entity::endpoint as row;
use proxbox_graphql::error::Error;
use proxbox_graphql::secret::{KeySource, Place};
use proxbox_graphql::service::endpoint::Patch;
use proxbox_graphql::service::{Actor, create, update};
use sea_orm::{ConnectionTrait, EntityTrait};
use secrecy::{ExposeSecret, SecretString};
use std::fs;
use std::os::unix::fs::PermissionsExt;

async fn open(options: &DbOptions, key: &KeySource) -> Result<App, Error> {
    App::open(options, key, Schema::Migrate, Settings::default()).await
}

fn given(key: &str) -> KeySource {
    KeySource::Given(SecretString::from(key))
}

async fn another_key_is_refused_by_both_ids(db: TestDb) {
    let app = db.open().await;
    let (id, sealed) = (app.sealer.key_id().to_owned(), text(&app.db, "SELECT value FROM setting").await);
    app.close().await.unwrap();
    let error = open(&db.options, &given("another key, and long enough as well")).await.expect_err("another key");
    let other = super::sqlite_beside(&db, "other.db");
    let other = open(&other.options, &given("another key, and long enough as well")).await.unwrap();
    let message = error.to_string();
    assert!(matches!(error, Error::Key(_)), "{error:?}");
    assert!(message.contains(&id) && message.contains(other.sealer.key_id()), "{message}");
    let app = db.open().await;
    assert_eq!(text(&app.db, "SELECT value FROM setting").await, sealed, "nothing was touched");
}

async fn a_key_needs_32_bytes(db: TestDb) {
    let message = open(&db.options, &given(&"k".repeat(31))).await.expect_err("short").to_string();
    assert!(message.contains("31 bytes") && message.contains("32"), "{message}");
    open(&db.options, &given(&"é".repeat(16))).await.unwrap();
}

async fn a_missing_key_file_is_refused_and_not_made_again(db: TestDb) {
    let path = db.folder.path().join("proxbox.key");
    let beside = KeySource::Beside(path.clone());
    let app = open(&db.options, &beside).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let id = app.sealer.key_id().to_owned();
    app.close().await.unwrap();
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let message = open(&db.options, &beside).await.expect_err("missing").to_string();
    assert!(message.contains("proxbox.key") && message.contains("missing"), "{message}");
    assert!(!path.exists());
    assert!(open(&db.options, &KeySource::File(path.clone())).await.is_err());
    assert!(!path.exists());
    // Spaces and a newline around the key of a file do not count.
    fs::write(&path, [b"\n", &key[..], b" \n"].concat()).unwrap();
    assert_eq!(open(&db.options, &KeySource::File(path)).await.unwrap().sealer.key_id(), id);
}

async fn servers_that_start_at_once_agree_on_key_and_pepper(db: TestDb) {
    if db.backend == Backend::Postgres {
        let app = db.open().await;
        app.db.write.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        app.close().await.unwrap();
    }
    let beside = KeySource::Beside(db.folder.path().join("proxbox.key"));
    let starts = (0..6).map(|_| {
        let (options, key) = (DbOptions { connections: 2, ..db.options.clone() }, beside.clone());
        tokio::spawn(async move { open(&options, &key).await })
    });
    let starts = starts.collect::<Vec<_>>();
    let mut digests = std::collections::BTreeSet::new();
    for start in starts {
        let app = start.await.unwrap().unwrap();
        digests.insert(token_digest(&app));
    }
    assert_eq!(digests.len(), 1, "one pepper");
}

fn token_digest(app: &App) -> String {
    let value = "a".repeat(40);
    proxbox_graphql::service::token::Plain::parse(&value).unwrap().digest(&app.pepper).unwrap()
}

/// The limit of statements holds after a migration too.
async fn migrations_leave_the_statement_timeout_alone(db: TestDb) {
    let app = db.open().await;
    if db.backend == Backend::Postgres {
        app.db.write.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        app.close().await.unwrap();
        let app = db.open().await;
        for _ in 0..20 {
            assert_eq!(text(&app.db, "SHOW statement_timeout").await, "1min");
        }
    }
}

async fn a_sealed_value_opens_only_at_its_place(db: TestDb) {
    let app = db.open().await;
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    for name in ["one", "two"] {
        let password = Some(Some(SecretString::from(format!("canary-{name}"))));
        let new = Patch { password, ..super::new_endpoint(name) };
        let id = create::<row::Model>(&mut tx, &new).await.unwrap().id;
        let token_value = Some(Some(SecretString::from(format!("canary-token-{name}"))));
        update::<row::Model>(&mut tx, id, None, &Patch { token_value, ..Patch::default() }).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(!stolen(&db, &app).await.contains("canary"));
    let rows = async || row::Entity::find().all(&app.db.read).await.unwrap();
    let opens = |row: &row::Model, column: &str| {
        let sealed = if column == "password" { &row.password } else { &row.token_value };
        let id = row.id.to_string();
        let opened = app.sealer.open(sealed.as_deref().unwrap(), Place { table: "proxmox_endpoint", row: &id, column });
        opened.map(|secret| String::from_utf8(secret.expose_secret().clone()).unwrap())
    };
    for row in rows().await {
        assert_eq!(opens(&row, "password").unwrap(), format!("canary-{}", row.name));
        assert_eq!(opens(&row, "token_value").unwrap(), format!("canary-token-{}", row.name));
    }
    execute(&app.db, "UPDATE proxmox_endpoint SET password = token_value, token_value = password WHERE name = 'one'")
        .await;
    execute(
        &app.db,
        "UPDATE proxmox_endpoint SET password = (SELECT token_value FROM proxmox_endpoint AS o WHERE o.name = 'one') \
         WHERE name = 'two'",
    )
    .await;
    let moved = rows().await;
    for (name, column) in [("one", "password"), ("one", "token_value"), ("two", "password")] {
        let row = moved.iter().find(|row| row.name == name).unwrap();
        let message = opens(row, column).expect_err("moved").to_string();
        assert!(!message.contains("canary"), "{message}");
    }
}

async fn debug_output_holds_no_secret(db: TestDb) {
    let key = "canary-key-canary-key-canary-key-canary";
    let settings = Settings {
        anonymous_read: true,
        public_url: Some("https://proxbox.example.com".into()),
        ..Settings::default()
    };
    let app = App::open(&db.options, &given(key), Schema::Migrate, settings).await.unwrap();
    let secret = Patch { password: Some(Some(SecretString::from("canary-password"))), ..Patch::default() };
    let shown = format!("{app:?} {:#?} {:?} {:?} {secret:?}", app, app.settings, given(key));
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains(app.sealer.key_id()));
}

both!(
    another_key_is_refused_by_both_ids,
    a_key_needs_32_bytes,
    a_missing_key_file_is_refused_and_not_made_again,
    servers_that_start_at_once_agree_on_key_and_pepper,
    migrations_leave_the_statement_timeout_alone,
    a_sealed_value_opens_only_at_its_place,
    debug_output_holds_no_secret,
);
