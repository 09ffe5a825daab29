//! TLS of the server's own.
use super::{LIST, Live, SOON, request, roomy};
use crate::cli::Program;
use crate::support::{TestDb, both, limits};
use proxbox_graphql::server::{CertificateFiles, ConnectionLimits, Guard, RequestLimits, Tls};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;

/// A certificate of its own making for this server.
fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn write(folder: &Path, made: &CertifiedKey<KeyPair>) -> CertificateFiles {
    let files = CertificateFiles { certificate: folder.join("tls.pem"), key: folder.join("tls.key") };
    fs::write(&files.certificate, made.cert.pem()).unwrap();
    fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    files
}

/// The answer to a request by somebody who believes this certificate.
async fn ask(live: &Live, believed: &CertifiedKey<KeyPair>, text: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(believed.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(live.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    // Whether the end is told politely is no matter here.
    drop(stream.read_to_string(&mut answer).await);
    Ok(answer)
}

fn https() -> RequestLimits {
    RequestLimits { guard: Guard { https: true, ..Guard::default() }, ..limits() }
}

async fn start(db: &TestDb, files: CertificateFiles, connections: ConnectionLimits) -> Live {
    let mut app = db.seeded().await;
    let mut settings = (*app.settings).clone();
    settings.https = true;
    app.settings = Arc::new(settings);
    Live::start_with(app, https(), connections, Some(Arc::new(Tls::open(files).unwrap()))).await
}

async fn requests_are_answered_over_tls(db: TestDb) {
    let made = certificate();
    let live = start(&db, write(db.folder.path(), &made), roomy()).await;
    let answer = ask(&live, &made, &request("GET", LIST, "connection: close\r\n", "")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{answer}");
    assert!(answer.contains("\"https://proxbox.example.com/api/"), "links lead back here: {answer}");
    assert!(ask(&live, &certificate(), "GET / HTTP/1.1\r\n\r\n").await.is_err(), "another certificate");
    let plain = live.ask(&request("GET", LIST, "", "")).await;
    assert!(plain.starts_with("HTTP/1.1 400") && plain.contains("https://"), "{plain}");
    live.end().await;
}

async fn handshakes_must_come_in_time(db: TestDb) {
    let made = certificate();
    let connections = ConnectionLimits { head: Duration::from_secs(1), ..roomy() };
    let live = start(&db, write(db.folder.path(), &made), connections).await;
    let silent = live.connect().await;
    // The first bytes of a handshake that never goes on.
    let half = live.say("\u{16}\u{3}\u{1}\u{2}").await;
    assert_eq!((silent.end().await, half.end().await), (String::new(), String::new()));
    live.until("connections_refused_total{reason=\"handshake\"} 2\n").await;
    let answer = ask(&live, &made, &request("GET", LIST, "connection: close\r\n", "")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    live.end().await;
}

async fn another_certificate_is_taken_up_while_it_serves(db: TestDb) {
    let (first, second) = (certificate(), certificate());
    let files = write(db.folder.path(), &first);
    let live = start(&db, files.clone(), roomy()).await;
    let text = request("GET", LIST, "connection: close\r\n", "");
    // Half of a pair is of no use: the first goes on.
    fs::write(&files.certificate, second.cert.pem()).unwrap();
    sleep(Duration::from_secs(7)).await;
    assert!(ask(&live, &first, &text).await.unwrap().starts_with("HTTP/1.1 200"));
    fs::write(&files.key, second.signing_key.serialize_pem()).unwrap();
    let begun = Instant::now();
    while ask(&live, &second, &text).await.is_err() {
        assert!(begun.elapsed() < SOON, "the second is not taken up");
        sleep(Duration::from_millis(200)).await;
    }
    assert!(ask(&live, &first, &text).await.is_err(), "the first is gone");
    live.end().await;
}

async fn a_certificate_that_cannot_be_used_ends_the_start(db: TestDb) {
    let mut program = Program::new(&db);
    let files = write(db.folder.path(), &certificate());
    let path = |name: &str| db.folder.path().join(name).display().to_string();
    fs::write(path("other.key"), certificate().signing_key.serialize_pem()).unwrap();
    fs::write(path("empty.pem"), "").unwrap();
    let (pem, key) = (files.certificate.display().to_string(), files.key.display().to_string());
    for (certificate, key, told) in [
        (pem.clone(), path("nowhere"), "PROXBOX_TLS_KEY: cannot read"),
        (path("nowhere"), key.clone(), "PROXBOX_TLS_CERT: cannot read"),
        (path("empty.pem"), key.clone(), "PROXBOX_TLS_CERT: there is no certificate in it"),
        (key.clone(), key.clone(), "PROXBOX_TLS_CERT: there is no certificate in it"),
        (pem.clone(), path("empty.pem"), "PROXBOX_TLS_KEY:"),
        (pem.clone(), path("other.key"), "PROXBOX_TLS_CERT and PROXBOX_TLS_KEY:"),
    ] {
        program.set("PROXBOX_TLS_CERT", &certificate).set("PROXBOX_TLS_KEY", &key);
        let error = program.fails(1, &["serve"]);
        assert!(error.contains(told) && !error.contains("PRIVATE"), "{told}: {error}");
    }
    program.unset("PROXBOX_TLS_KEY");
    assert!(program.fails(2, &["serve"]).contains("--tls-key"));
}

both! {
    requests_are_answered_over_tls,
    handshakes_must_come_in_time,
    another_certificate_is_taken_up_while_it_serves,
    a_certificate_that_cannot_be_used_ends_the_start,
}
