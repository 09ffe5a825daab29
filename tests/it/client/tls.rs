use super::{client, code, pin, rules, target};
use crate::support::pve::{Pve, Reply};
use proxbox_graphql::client::proxmox::{Class, Client, Rules, Scheme, Target, Trust, probe};
use tokio::net::TcpListener;

fn with(pve: &Pve, trust: Trust) -> Client {
    Client::new(Target { trust, ..target(pve) }, &rules()).unwrap()
}

#[tokio::test]
async fn a_pinned_certificate_is_believed_among_others() {
    let pve = Pve::start("pve8-cluster").await;
    let (right, other) = (pve.fingerprint().parse().unwrap(), "00".repeat(32).parse().unwrap());
    for pins in [vec![right], vec![other, right]] {
        let client = with(&pve, Trust::Pins(pins));
        assert_eq!(client.presented(), None);
        assert_eq!(code(&client.version().await), "ok");
        assert_eq!(client.presented(), Some(right));
    }
}

#[tokio::test]
async fn another_certificate_is_told_with_both_fingerprints() {
    let pve = Pve::start("pve8-cluster").await;
    let pinned = "ab".repeat(32).parse().unwrap();
    let client = with(&pve, Trust::Pins(vec![pinned]));
    let failure = client.version().await.unwrap_err();
    let presented = pve.fingerprint().parse().unwrap();
    assert_eq!(failure.class, Class::TlsFingerprintChanged { pinned: vec![pinned], presented });
    assert!(failure.message.contains(&pinned.to_string()), "{failure}");
    assert!(failure.message.contains(&pve.fingerprint()), "{failure}");
    assert_eq!(client.presented(), Some(presented));
    assert_eq!((pve.total_hits(), pve.connections()), (0, 1), "nothing was sent, and once");
    assert_eq!(code(&with(&pve, Trust::Pins(vec![])).version().await), "tls_fingerprint_changed");
}

#[tokio::test]
async fn a_certificate_that_changes_is_seen_at_the_next_connection() {
    let pve = Pve::start("pve8-cluster").await;
    let client = client(&pve);
    client.version().await.unwrap();
    let old = pve.fingerprint();
    pve.swap_certificate();
    // An error closes the connection.
    pve.fail("/nodes", 403, "Permission check failed (/, Sys.Audit)");
    client.nodes().await.unwrap_err();
    let failure = client.version().await.unwrap_err();
    assert_eq!(failure.class.code(), "tls_fingerprint_changed");
    assert!(failure.message.contains(&old) && failure.message.contains(&pve.fingerprint()), "{failure}");
    assert_eq!(client.presented(), pve.fingerprint().parse().ok());
}

#[tokio::test]
async fn a_ca_vouches_for_its_own_and_for_the_right_name() {
    let pve = Pve::start("pve8-cluster").await;
    let other = Pve::start("pve8-cluster").await;
    let client = with(&pve, Trust::Ca(pve.ca()));
    assert_eq!(code(&client.version().await), "ok");
    assert_eq!(client.presented(), pve.fingerprint().parse().ok());
    assert_eq!(code(&with(&pve, Trust::Ca(format!("{}{}", other.ca(), pve.ca()))).version().await), "ok", "several");
    let failure = with(&pve, Trust::Ca(other.ca())).version().await.unwrap_err();
    assert_eq!(failure.class, Class::TlsUntrusted);
    assert!(failure.message.contains(&pve.fingerprint()), "{failure}");
    let elsewhere = Target { host: "127.0.0.2".into(), trust: Trust::Ca(pve.ca()), ..target(&pve) };
    // The server listens on 127.0.0.1 only: where 127.0.0.2 is not another address, the name is wrong.
    let failure = Client::new(elsewhere, &rules()).unwrap().version().await.unwrap_err();
    assert!(["connect", "tls_untrusted"].contains(&failure.class.code()), "{failure}");
    let named = Target { host: "localhost".into(), trust: Trust::Ca(pve.ca()), ..target(&pve) };
    assert_eq!(code(&Client::new(named, &rules()).unwrap().version().await), "ok");
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let refused = Client::new(Target { trust: Trust::Ca(pem.into()), ..target(&pve) }, &rules());
        assert_eq!(refused.unwrap_err().class, Class::TlsUntrusted, "{pem}");
    }
}

#[tokio::test]
async fn the_systems_roots_do_not_know_it() {
    let pve = Pve::start("pve8-cluster").await;
    let trust = Target { trust: Trust::System, ..target(&pve) };
    let failure = match Client::new(trust, &rules()) {
        Ok(client) => {
            let failure = client.version().await.unwrap_err();
            assert_eq!(client.presented(), pve.fingerprint().parse().ok());
            failure
        }
        // A machine without any roots.
        Err(failure) => failure,
    };
    assert_eq!(failure.class, Class::TlsUntrusted);
    assert_eq!(pve.total_hits(), 0);
}

#[tokio::test]
async fn unverified_works_and_tells_what_it_saw() {
    let pve = Pve::start("pve8-cluster").await;
    let client = with(&pve, Trust::Unverified);
    assert_eq!(code(&client.version().await), "ok");
    assert_eq!(client.presented(), pve.fingerprint().parse().ok());
}

#[tokio::test]
async fn a_probe_sends_nothing() {
    let pve = Pve::start("pve8-cluster").await;
    for host in ["127.0.0.1", "localhost"] {
        let port = pve.port();
        let seen = tokio::spawn(async move { probe(host, port, &rules()).await }).await.unwrap().unwrap();
        assert_eq!(seen.fingerprint.to_string(), pve.fingerprint());
        assert!(!seen.is_trusted() && seen.untrusted.is_some(), "{seen:?}");
    }
    assert_eq!((pve.total_hits(), pve.connections()), (0, 2));
    let plain = Pve::plain("pve8-cluster").await;
    assert_eq!(code(&probe("127.0.0.1", plain.port(), &rules()).await), "connect");
    let strict = Rules { allow_loopback: false, ..rules() };
    for host in ["127.0.0.1", "localhost", "127.1", "169.254.169.254"] {
        assert_eq!(code(&probe(host, pve.port(), &strict).await), "address", "{host}");
    }
}

#[tokio::test]
async fn http_only_where_it_is_allowed() {
    let pve = Pve::plain("pve8-cluster").await;
    let target = || Target {
        scheme: Scheme::Http,
        host: "127.0.0.1".into(),
        port: pve.port(),
        credentials: super::token(),
        trust: Trust::System,
    };
    let client = Client::new(target(), &rules()).unwrap();
    assert_eq!(code(&client.version().await), "ok");
    assert_eq!(client.presented(), None);
    let refused = Client::new(target(), &Rules { allow_http: false, ..rules() });
    assert_eq!(refused.unwrap_err().class, Class::Address);
    let to_https = b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://127.0.0.1:8006/\r\nContent-Length: 0\r\n\r\n";
    pve.reply("/version", Reply::Raw(to_https.to_vec()));
    let failure = client.version().await.unwrap_err();
    assert_eq!(failure.class, Class::Protocol);
    assert!(failure.message.contains("use https"), "{failure}");
    // TLS where there is none, and the other way round.
    let wrong = Target { scheme: Scheme::Https, trust: Trust::Unverified, ..target() };
    assert_eq!(code(&Client::new(wrong, &rules()).unwrap().version().await), "connect");
    let tls = Pve::start("pve8-cluster").await;
    let wrong = Client::new(Target { port: tls.port(), ..target() }, &rules()).unwrap().version().await;
    assert!(["not_proxmox", "connect"].contains(&code(&wrong)), "{wrong:?}");
}

#[tokio::test]
async fn names_and_ports_without_a_server() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let pve = Pve::start("pve8-cluster").await;
    let nobody = Client::new(Target { port: free, ..target(&pve) }, &rules()).unwrap();
    let failure = nobody.version().await.unwrap_err();
    assert_eq!(failure.class, Class::Connect);
    assert!(failure.message.contains(&format!("127.0.0.1:{free}")), "{failure}");
    assert_eq!(nobody.calls()[0].attempts, 3);
    let nowhere = Target { host: "nowhere.invalid".into(), ..target(&pve) };
    assert_eq!(code(&Client::new(nowhere, &rules()).unwrap().version().await), "dns");
    let strict = Rules { allow_loopback: false, ..rules() };
    // The name is allowed, its address is not: told when it is resolved, and nothing is connected to.
    let looped = Client::new(Target { host: "localhost".into(), trust: pin(&pve), ..target(&pve) }, &strict).unwrap();
    let failure = looped.version().await.unwrap_err();
    assert_eq!(failure.class, Class::Address, "{failure}");
    assert_eq!(pve.connections(), 0);
    for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "2130706433", "169.254.169.254", "0.0.0.0", "fe80::1"] {
        let refused = Client::new(Target { host: host.into(), ..target(&pve) }, &strict);
        assert_eq!(refused.unwrap_err().class, Class::Address, "{host}");
    }
}

#[tokio::test]
async fn the_key_must_be_the_certificates_whatever_is_trusted() {
    use rustls::version::{TLS12, TLS13};
    for version in [&TLS12, &TLS13] {
        let pve = Pve::start_with("pve8-cluster", &[version]).await;
        for trust in [pin(&pve), Trust::Ca(pve.ca()), Trust::Unverified] {
            assert_eq!(code(&with(&pve, trust.clone()).version().await), "ok", "{version:?}, {trust:?}");
            let impostor = Pve::impostor(&pve, &[version]).await;
            let failure = with(&impostor, trust).version().await.unwrap_err();
            assert_eq!(failure.class, Class::TlsUntrusted, "{version:?}: {failure}");
            assert_eq!(impostor.total_hits(), 0);
        }
    }
}
