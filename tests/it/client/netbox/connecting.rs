//! Prefixes, and TLS.
use super::{asked, at, code, rows, rules};
use crate::support::netbox::{real, token};
use crate::support::pve::{Pve, Reply};
use proxbox_graphql::client::netbox::{NetBox, Target, Trust, Which};

#[tokio::test]
async fn below_a_prefix() {
    let server = real().await;
    for path in ["/netbox", "/netbox/", "/netbox/api", "/netbox/api/"] {
        let client = at(&format!("{}{path}", server.uri()), &token("TOKEN_ADMIN"));
        assert_eq!(client.url(), format!("{}/netbox", server.uri()));
        assert_eq!(client.version().await.unwrap().as_deref(), Some("4.5.10"));
        assert_eq!(rows(client.cluster_ids()).await.len(), 6);
        let failure = client.get::<Vec<i32>>("api/status/").await.unwrap_err();
        assert_eq!(failure.path.as_deref(), Some("/api/status/"), "told as NetBox documents it");
    }
    assert!(asked(&server).await.iter().all(|request| request.url.path().starts_with("/netbox/api/")));
}

#[tokio::test]
async fn a_page_of_many_is_one_connections_work() {
    let server = real().await;
    let client = at(&server.uri(), &token("TOKEN_ADMIN"));
    let all = futures_util::future::join_all((0..20).map(|_| rows(client.devices(Which::All)))).await;
    assert!(all.iter().all(|rows| rows.len() == 12));
}

/// A NetBox over TLS: whatever is asked for its status is answered.
async fn secure() -> Pve {
    let pve = Pve::start("pve8-cluster").await;
    let body = r#"{"netbox-version": "4.5.10"}"#;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    pve.reply("/api/status/", Reply::Raw(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()));
    pve
}

#[tokio::test]
async fn an_authority_vouches_for_its_own() {
    let (pve, other) = (secure().await, secure().await);
    let with = |ca: Option<String>| {
        let url = format!("https://127.0.0.1:{}/", pve.port());
        NetBox::new(Target::parse(&url, "t0ken".into(), ca).unwrap(), rules())
    };
    assert_eq!(with(Some(pve.ca())).unwrap().version().await.unwrap().as_deref(), Some("4.5.10"));
    assert_eq!(pve.total_hits(), 1);
    let failure = with(Some(other.ca())).unwrap().version().await.unwrap_err();
    assert_eq!(failure.class.code(), "tls_untrusted");
    // The system's roots do not know it; a machine without any refuses at once.
    let system = match with(None) {
        Ok(client) => code(&client.version().await),
        refused => code(&refused),
    };
    assert_eq!(system, "tls_untrusted");
    assert_eq!(pve.total_hits(), 1, "nothing is sent to whom nobody vouches for");
    let url = format!("https://127.0.0.1:{}/", pve.port()).parse().unwrap();
    let pinned = Target { url, token: "t0ken".into(), trust: Trust::Pins(vec![pve.fingerprint().parse().unwrap()]) };
    assert_eq!(code(&NetBox::new(pinned, rules()).unwrap().version().await), "ok");
}
