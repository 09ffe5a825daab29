use super::{client, code, password, rules, target};
use crate::support::pve::{PASSWORD, Pve, Reply, TOKEN_ID, TOKEN_SECRET};
use proxbox_graphql::client::proxmox::{Class, Client, Credentials, Rules, Target};
use serde_json::json;
use std::time::Duration;

fn with(pve: &Pve, credentials: Credentials) -> Client {
    Client::new(Target { credentials, ..target(pve) }, &rules()).unwrap()
}

#[tokio::test]
async fn a_token_goes_alone() {
    let pve = Pve::start("pve8-cluster").await;
    assert_eq!(client(&pve).version().await.unwrap().version, "8.4.14");
    let asked = pve.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].headers["authorization"], format!("PVEAPIToken={TOKEN_ID}={TOKEN_SECRET}"));
    assert!(!asked[0].headers.contains_key("cookie") && asked[0].body.is_empty());
    for header in ["content-length", "transfer-encoding", "accept-encoding"] {
        assert!(!asked[0].headers.contains_key(header), "{header}: {asked:?}");
    }
}

#[tokio::test]
async fn odd_tokens_are_encoded() {
    let pve = Pve::start("pve8-cluster").await;
    let id = "50%25 ü;\"x@ldap!a b";
    pve.accept_token(id, "s;%41");
    let client = with(&pve, Credentials::Token { id: id.into(), secret: "s;%41".into() });
    assert!(client.version().await.is_ok(), "{:?}", pve.asked());
    let sent = &pve.asked()[0].headers["authorization"];
    assert!(sent.contains("50%2525%20%C3%BC%3B%22x@ldap!a%20b=s%3B%2541"), "{sent}");
}

#[tokio::test]
async fn a_wrong_token_is_asked_once() {
    let pve = Pve::start("pve8-cluster").await;
    let client = with(&pve, Credentials::Token { id: TOKEN_ID.into(), secret: "wrong".into() });
    let failure = client.version().await.unwrap_err();
    assert_eq!((failure.class, failure.status), (Class::Auth, Some(401)));
    assert!(failure.message.contains("Authentication failed!"), "{}", failure.message);
    assert_eq!(pve.total_hits(), 1);
}

#[tokio::test]
async fn a_password_gets_one_ticket_for_all_calls() {
    let pve = Pve::start("pve8-cluster").await;
    let client = with(&pve, password());
    let all = tokio::join!(client.version(), client.nodes(), client.status(), client.storages());
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok() && all.3.is_ok(), "{all:?}");
    assert_eq!((pve.hits("/access/ticket"), pve.total_hits()), (1, 5));
    let asked = pve.asked();
    let login = &asked[0];
    assert_eq!((login.method.as_str(), login.body.as_str()), ("POST", "username=root%40pam&password=secret"));
    assert_eq!(login.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(login.headers["content-length"], login.body.len().to_string());
    assert!(!login.headers.contains_key("transfer-encoding"));
    for asked in &asked[1..] {
        assert!(asked.headers["cookie"].starts_with("PVEAuthCookie=PVE%3Aroot%40pam%3A"), "{asked:?}");
        assert!(!asked.headers.contains_key("authorization"), "never both");
    }
}

#[tokio::test]
async fn an_old_ticket_is_renewed_by_itself() {
    let pve = Pve::start("pve8-cluster").await;
    let rules = Rules { ticket: Duration::from_millis(50), ..rules() };
    let client = Client::new(Target { credentials: password(), ..target(&pve) }, &rules).unwrap();
    client.version().await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    client.version().await.unwrap();
    let logins = pve.asked().into_iter().filter(|asked| asked.path == "/access/ticket").collect::<Vec<_>>();
    assert_eq!(logins.len(), 2);
    assert!(logins[1].body.contains("password=PVE%3Aroot%40pam%3A"), "{}", logins[1].body);
    // If the old one is not taken, the password is.
    tokio::time::sleep(Duration::from_millis(60)).await;
    pve.expire_tickets();
    client.version().await.unwrap();
    let logins = pve.asked().into_iter().filter(|asked| asked.path == "/access/ticket").collect::<Vec<_>>();
    assert_eq!(logins.len(), 4);
    assert!(logins[3].body.ends_with("password=secret"));
}

#[tokio::test]
async fn a_refused_ticket_is_replaced_once() {
    let pve = Pve::start("pve8-cluster").await;
    let client = with(&pve, password());
    client.version().await.unwrap();
    pve.expire_tickets();
    client.version().await.unwrap();
    assert_eq!((pve.hits("/access/ticket"), pve.hits("/version")), (2, 3));
    pve.fail("/version", 401, "permission denied - invalid PVE ticket");
    pve.reset_hits();
    assert_eq!(code(&client.version().await), "auth");
    assert_eq!((pve.hits("/access/ticket"), pve.hits("/version")), (1, 2), "not for ever");
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let pve = Pve::start("pve8-cluster").await;
    let client = with(&pve, Credentials::Password { username: "root@pam".into(), password: "not it".into() });
    let failure = client.version().await.unwrap_err();
    assert_eq!((&failure.class, failure.path.as_deref()), (&Class::Auth, Some("/version")));
    assert_eq!((pve.hits("/access/ticket"), pve.total_hits()), (1, 1));
    assert!(!failure.to_string().contains("not it"), "{failure}");
}

#[tokio::test]
async fn two_factors_are_told_apart() {
    let pve = Pve::start("pve8-cluster").await;
    let data = json!({"username": "root@pam", "ticket": "PVE:!tfa!%7B%7D:69240A11::c2ln", "NeedTFA": 1});
    pve.reply("/access/ticket", Reply::Data(data));
    let failure = with(&pve, password()).version().await.unwrap_err();
    assert_eq!(failure.class, Class::Auth);
    assert!(failure.message.contains("two-factor") && failure.message.contains("use an API token"), "{failure}");
    assert_eq!(pve.total_hits(), 1);
}

#[tokio::test]
async fn a_login_that_answers_nonsense_is_no_proxmox() {
    let pve = Pve::start("pve8-cluster").await;
    for data in [json!(null), json!({}), json!({"ticket": 1}), json!({"ticket": ""}), json!([])] {
        pve.reply("/access/ticket", Reply::Data(data.clone()));
        assert_eq!(code(&with(&pve, password()).version().await), "not_proxmox", "{data}");
    }
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let pve = Pve::start("pve8-cluster").await;
    let echo = format!("Permission check failed (/{TOKEN_SECRET}, {TOKEN_SECRET}) {PASSWORD}-and-more");
    pve.fail("/version", 403, &echo);
    pve.fail("/nodes", 400, &echo);
    let html = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>{TOKEN_SECRET}</p>");
    pve.reply("/storage", Reply::Raw(html.into_bytes()));
    let target = target(&pve);
    assert!(!format!("{target:?}").contains(TOKEN_SECRET));
    let client = Client::new(target, &rules()).unwrap();
    let failures =
        [client.version().await.unwrap_err(), client.nodes().await.unwrap_err(), client.storages().await.unwrap_err()];
    let shown = format!("{client:?} {:?} {failures:?} {}", client.calls(), failures[0]);
    assert!(!shown.contains(TOKEN_SECRET) && shown.contains("***"), "{shown}");
    pve.fail("/access/ticket", 401, "the password was not-here");
    let other = with(&pve, Credentials::Password { username: "root@pam".into(), password: "not-here".into() });
    let failure = other.version().await.unwrap_err();
    assert!(!format!("{other:?} {failure:?} {failure}").contains("not-here"), "{failure:?}");
}

#[tokio::test]
async fn a_token_that_is_revoked_in_a_run_is_told_when_proxmox_does() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    client.version().await.unwrap();
    pve.revoke_tokens();
    pve.auth_delay(Duration::from_millis(100));
    assert_eq!(code(&client.nodes().await), "auth");
    let call = &client.calls()[1];
    assert!(call.attempts == 1 && call.duration >= Duration::from_millis(100), "{call:?}");
}

#[tokio::test]
async fn a_login_takes_part_of_its_calls_time() {
    let pve = Pve::start("pve8-cluster").await;
    pve.reply("/access/ticket", Reply::Hang);
    let rules = Rules { local: Duration::from_millis(600), ..rules() };
    let client = Client::new(Target { credentials: password(), ..target(&pve) }, &rules).unwrap();
    let (first, second) = tokio::join!(client.version(), client.nodes());
    assert_eq!((code(&first), code(&second)), ("timeout", "timeout"));
    assert!(client.calls().iter().all(|call| call.duration < Duration::from_secs(5)), "{:?}", client.calls());
    pve.heal();
    assert_eq!(code(&client.version().await), "ok");
}
