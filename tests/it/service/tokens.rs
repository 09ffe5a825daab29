//! Tokens: what is stored of them, and what is refused.
use super::{changes_after, stolen};
use crate::support::{Server, TestDb, both};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Action, token as row};
use proxbox_graphql::error::{Error, Result};
use proxbox_graphql::principal::Permission;
use proxbox_graphql::service::Actor;
use proxbox_graphql::service::token::{self, NewToken, random_value};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

fn named(name: &str) -> NewToken {
    NewToken {
        name: name.into(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions: vec![Permission::everything_json()],
    }
}

async fn create(app: &App, new: NewToken, value: &str) -> Result<row::Model> {
    let mut tx = app.begin(Actor::operator()).await?;
    let row = token::create(&mut tx, &app.pepper, new, &SecretString::from(value)).await?;
    tx.commit().await?;
    Ok(row)
}

async fn works(server: &Server, value: &str) -> bool {
    server.ask_as(value, "{ __typename }", json!({})).await.json().get("errors").is_none()
}

async fn only_a_digest_is_stored(db: TestDb) {
    let app = db.open().await;
    let (v1, v2) = (random_value(true), random_value(false));
    let (v1, v2) = (v1.expose_secret(), v2.expose_secret());
    assert!(v1.len() == 40 && v2.len() == 4 + 12 + 1 + 40, "{v1} {v2}");
    let old = create(&app, named("old"), v1).await.unwrap();
    let new = create(&app, named("new"), v2).await.unwrap();
    let (key, secret) = v2.strip_prefix("nbt_").unwrap().split_once('.').unwrap();
    assert_eq!((old.key.as_deref(), new.key.as_deref()), (None, Some(key)));
    for digest in [old.digest.unwrap(), new.digest.unwrap()] {
        assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest}");
    }
    let disk = stolen(&db, &app).await;
    assert!(disk.contains(key) && !disk.contains(v1) && !disk.contains(secret));
    let log = format!("{:?}", changes_after(&app, 0).await);
    assert!(!log.contains("digest") && !log.contains(v1) && !log.contains(secret), "{log}");
    let server = Server::new(app);
    assert!(works(&server, v1).await && works(&server, v2).await);
    assert!(!works(&server, secret).await, "half of a v2 token is no v1 token");
}

async fn the_same_secret_has_another_digest_elsewhere(db: TestDb) {
    let (app, other) = (db.open().await, super::sqlite_beside(&db, "other.db").open().await);
    let value = "a".repeat(40);
    let one = create(&app, named("t"), &value).await.unwrap();
    assert_ne!(one.digest, create(&other, named("t"), &value).await.unwrap().digest);
}

async fn names_and_values_are_unique(db: TestDb) {
    let app = db.open().await;
    let v1 = "a".repeat(40);
    let v2 = format!("nbt_abcdefghijkl.{}", "b".repeat(40));
    create(&app, named("one"), &v1).await.unwrap();
    create(&app, named("two"), &v2).await.unwrap();
    let again = [
        create(&app, named("one"), &"c".repeat(40)).await,
        create(&app, named("three"), &v1).await,
        create(&app, named("three"), &format!("nbt_abcdefghijkl.{}", "d".repeat(40))).await,
    ];
    for result in again {
        assert!(matches!(result, Err(Error::Conflict(_))), "{result:?}");
    }
    assert_eq!(token::list(&app.db).await.unwrap().len(), 2);
}

async fn wrong_tokens_are_refused_by_path(db: TestDb) {
    let app = db.open().await;
    let with =
        |permission: Value| NewToken { permissions: vec![Permission::everything_json(), permission], ..named("t") };
    let cases = [
        (NewToken { name: " ".into(), ..named("t") }, "name"),
        (NewToken { name: "n".repeat(101), ..named("t") }, "name"),
        (NewToken { allowed_ips: vec!["10.0.0.0/8".into(), "ten".into()], ..named("t") }, "allowed_ips[1]"),
        (with(json!([])), "permissions[1]"),
        (with(json!({"models": ["proxmoxnode"], "actions": ["view"], "extra": 1})), "permissions[1].extra"),
        (with(json!({"models": ["node"], "actions": ["view"]})), "permissions[1].models"),
        (with(json!({"models": ["proxmoxnode"], "actions": ["delet"]})), "permissions[1].actions"),
        (with(json!({"actions": ["view"]})), "permissions[1].models"),
        (
            with(json!({"models": ["proxmoxnode"], "actions": ["view"], "constraints": {"naem": "x"}})),
            "permissions[1].constraints.naem",
        ),
        (
            with(json!({"models": ["proxmoxnode"], "actions": ["view"], "constraints": [{"name__regex": "["}]})),
            "permissions[1].constraints[0].name__regex",
        ),
        (
            with(json!({"models": ["proxmoxendpoint"], "actions": ["view"], "constraints": {"password": "x"}})),
            "permissions[1].constraints.password",
        ),
    ];
    for (new, path) in cases {
        let message = create(&app, new, &"a".repeat(40)).await.expect_err(path).to_string();
        assert!(message.starts_with(&format!("{path}: ")), "expected {path}, got: {message}");
    }
    for value in ["", "short", &"a".repeat(41), &"-".repeat(40), &format!("nbt_{}", "a".repeat(40)), "nbt_abc.def"] {
        let message = create(&app, named("t"), value).await.expect_err(value).to_string();
        assert!(message.starts_with("value: ") && (value.is_empty() || !message.contains(value)), "{message}");
    }
    assert!(token::list(&app.db).await.unwrap().is_empty());
}

/// An expression that only one of the two databases reads is refused at once, on an empty table too.
async fn a_constraint_that_the_database_does_not_read_is_refused(db: TestDb) {
    let app = db.open().await;
    let constraints = json!({"name__regex": "(?P<n>x)"});
    let permissions = vec![json!({"models": ["proxmoxnode"], "actions": ["view"], "constraints": constraints})];
    let made = create(&app, NewToken { permissions, ..named("t") }, &"a".repeat(40)).await;
    match db.backend {
        crate::support::Backend::Sqlite => drop(made.unwrap()),
        crate::support::Backend::Postgres => {
            let message = made.expect_err("not PostgreSQL's").to_string();
            assert!(message.starts_with("permissions[0].constraints: "), "{message}");
        }
    }
}

async fn a_token_ends_when_it_expires_or_is_revoked(db: TestDb) {
    let app = db.open().await;
    let (soon, late) = ("a".repeat(40), "b".repeat(40));
    let expires = Some("2099-01-01T00:00:00.123456789Z".parse().unwrap());
    let kept = create(&app, NewToken { expires, ..named("late") }, &late).await.unwrap();
    assert_eq!(kept.expires, Some("2099-01-01T00:00:00.123456Z".parse().unwrap()));
    assert_eq!(token::list(&app.db).await.unwrap()[0].expires, kept.expires);
    let expires = Some("2020-01-01T00:00:00Z".parse().unwrap());
    create(&app, NewToken { expires, ..named("soon") }, &soon).await.unwrap();
    let server = Server::new(app.clone());
    assert!(!works(&server, &soon).await && works(&server, &late).await);
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    token::revoke(&mut tx, "late").await.unwrap();
    assert!(matches!(token::revoke(&mut tx, "late").await, Err(Error::NotFound(_))));
    let revision = tx.commit().await.unwrap().unwrap();
    assert!(!works(&server, &late).await);
    let log = changes_after(&app, revision - 1).await;
    assert_eq!((log.len(), log[0].action, log[0].object_id), (1, Action::Deleted, Some(kept.id)));
    assert_eq!(log[0].before.as_ref().unwrap().0["name"], "late");
}

both!(
    only_a_digest_is_stored,
    the_same_secret_has_another_digest_elsewhere,
    names_and_values_are_unique,
    wrong_tokens_are_refused_by_path,
    a_constraint_that_the_database_does_not_read_is_refused,
    a_token_ends_when_it_expires_or_is_revoked,
);
