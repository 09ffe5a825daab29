//! What Proxmox answers when something is wrong, as it was recorded.
use super::{client, code, password, rules, target};
use crate::support::pve::{Pve, Reply, fixtures};
use proxbox_graphql::client::proxmox::{Class, Client, Target};
use serde_json::Value;

/// Each recorded error, and its class.
const RECORDED: [(&str, &str); 25] = [
    ("badcookie", "auth"),
    ("badlogin", "auth"),
    ("badmethod", "not_proxmox"),
    ("badtoken", "auth"),
    ("chunkedpost", "not_proxmox"),
    ("disableduser", "auth"),
    ("expiredtoken", "auth"),
    ("extjs403", "permission"),
    ("extraparam", "protocol"),
    ("getwithbody", "not_proxmox"),
    ("head", "not_proxmox"),
    ("login-2fa-needed", "not_proxmox"),
    ("malformedtoken", "auth"),
    ("noauth", "auth"),
    ("plainhttp", "not_proxmox"),
    ("pmxcfs-down", "degraded"),
    ("pmxcfs-down-pve7", "degraded"),
    ("post405", "not_proxmox"),
    ("proxy-broken-pipe", "degraded"),
    ("proxy-offline-noroute", "degraded"),
    ("proxy-offline-timeout", "degraded"),
    ("proxy-refused", "degraded"),
    ("proxy-tls-mismatch", "degraded"),
    ("proxy-too-many-redirections", "degraded"),
    ("unknowntoken", "auth"),
];

/// A recorded answer as bytes, and its reason phrase.
fn recorded(name: &str) -> (Vec<u8>, String) {
    let file = std::fs::read(fixtures().join("errors").join(format!("{name}.json"))).unwrap();
    let file = serde_json::from_slice::<Value>(&file).unwrap();
    let reason = file["reason"].as_str().unwrap();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", file["status"]);
    for (key, value) in file["headers"].as_object().unwrap() {
        bytes += &format!("{key}: {}\r\n", value.as_str().unwrap());
    }
    bytes += &format!("\r\n{}", file["body"].as_str().unwrap());
    (bytes.into_bytes(), reason.to_owned())
}

#[tokio::test]
async fn every_recorded_error_has_its_class() {
    let files = std::fs::read_dir(fixtures().join("errors")).unwrap().count();
    assert_eq!(files, RECORDED.len(), "a recorded error is not in the table");
    let pve = Pve::start("pve8-cluster").await;
    for (name, class) in RECORDED {
        let (bytes, reason) = recorded(name);
        pve.reply("/version", Reply::Raw(bytes));
        let client = client(&pve);
        let failure = client.version().await.unwrap_err();
        assert_eq!(failure.class.code(), class, "{name}: {failure:?}");
        assert_eq!(failure.path.as_deref(), Some("/version"));
        let told = !["auth", "degraded"].contains(&class) || failure.message.contains(&reason);
        assert!(told, "{name}: {failure}");
        assert_eq!(client.calls()[0].failure, Some(class));
    }
    let (bytes, _) = recorded("login-2fa-needed");
    pve.reply("/access/ticket", Reply::Raw(bytes));
    let client = Client::new(Target { credentials: password(), ..target(&pve) }, &rules()).unwrap();
    let failure = client.version().await.unwrap_err();
    assert!(failure.class == Class::Auth && failure.message.contains("use an API token"), "{failure}");
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let pve = Pve::start("pve8-cluster-limited").await;
    let client = client(&pve);
    let failure = client.status().await.unwrap_err();
    let missing = Class::Permission { path: "/".into(), privilege: "Sys.Audit".into() };
    assert_eq!((&failure.class, failure.status), (&missing, Some(403)));
    assert_eq!(code(&client.join().await), "permission");
    pve.fail("/storage", 403, "not available with API token, need proper ticket");
    let failure = client.storages().await.unwrap_err();
    assert_eq!(failure.class, Class::Permission { path: "/storage".into(), privilege: String::new() });
    assert!(failure.message.contains("need proper ticket"), "{failure}");
    pve.reply("/nodes", Reply::Raw(b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<h1>WAF</h1>".to_vec()));
    assert_eq!(code(&client.nodes().await), "not_proxmox");
}

#[tokio::test]
async fn a_broken_pmxcfs_is_no_wrong_token() {
    let pve = Pve::start("pve8-cluster").await;
    for reason in
        ["Unable to load access control list: Connection refused", "ipcc_send_rec[1] failed: Unknown error -1"]
    {
        pve.fail("/version", 401, reason);
        let failure = client(&pve).version().await.unwrap_err();
        assert!(failure.class == Class::Degraded && failure.message.contains(reason), "{failure}");
    }
}

#[tokio::test]
async fn the_body_speaks_where_the_reason_does_not() {
    let pve = Pve::start("pve8-cluster").await;
    let body = r#"{"data":null,"message":"got timeout\n"}"#;
    for head in ["500 Internal Server Error", "500 "] {
        let bytes = format!("HTTP/1.1 {head}\r\nContent-Type: application/json\r\n\r\n{body}");
        pve.reply("/version", Reply::Raw(bytes.into_bytes()));
        let failure = client(&pve).version().await.unwrap_err();
        assert!(failure.class == Class::Degraded && failure.message.contains("got timeout"), "{head}: {failure}");
    }
    pve.fail("/version", 400, "Parameter verification failed.");
    let failure = client(&pve).version().await.unwrap_err();
    assert!(failure.message.contains("Parameter verification failed."), "{failure}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (pve, elsewhere) = (Pve::start("pve8-cluster").await, Pve::start("pve8-cluster").await);
    for status in [301, 302, 303, 307, 308] {
        let to = format!("https://127.0.0.1:{}/api2/json/version", elsewhere.port());
        let bytes = format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        pve.reply("/version", Reply::Raw(bytes.into_bytes()));
        let failure = client(&pve).version().await.unwrap_err();
        assert!(failure.class == Class::NotProxmox && failure.message.contains(&to), "{failure}");
    }
    assert_eq!((pve.total_hits(), elsewhere.connections()), (5, 0));
}
