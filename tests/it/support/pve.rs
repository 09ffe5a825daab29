//! A Proxmox VE for tests: real TLS on a port of 127.0.0.1, HTTP/1.1 by hand, so that reason phrases and faults are as
//! pveproxy has them. Serves the situations of `tests/data/proxmox`; what it serves can be changed while it runs.
//!
//! ```ignore
//! let pve = Pve::start("pve8-cluster").await;
//! pve.fail("/storage", 500, "got timeout");
//! // … a client on 127.0.0.1 and pve.port(), with TOKEN_ID and TOKEN_SECRET, pinned to pve.fingerprint() …
//! assert_eq!(pve.hits("/storage"), 3);
//! ```
use percent_encoding::percent_decode_str;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WantsServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, ServerConfig, SupportedProtocolVersion};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// A token that is taken.
pub const TOKEN_ID: &str = "sync@pve!full";
pub const TOKEN_SECRET: &str = "11111111-2222-3333-4444-555555555555";
/// A user and the password that is taken.
pub const USERNAME: &str = "root@pam";
pub const PASSWORD: &str = "secret";

/// As pveproxy does.
const REQUESTS_A_CONNECTION: usize = 100;
const IDLE: Duration = Duration::from_secs(5);

/// The server; gone when it is dropped, with its connections.
#[derive(Debug)]
pub struct Pve {
    port: u16,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

/// What a path answers instead of the fixture's answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status and reason phrase; the body as Proxmox has it: none for 401 and from 590 on, else JSON.
    Status(u16, String),
    /// 200 with this as `data`.
    Data(Value),
    /// These bytes, status line and all; then the connection is closed.
    Raw(Vec<u8>),
    /// Silence.
    Hang,
    /// The head and the start of the body, then silence.
    HangInBody,
    /// The fixture's body, a byte at a time with this pause before each.
    Drip(Duration),
    /// A body without an end.
    Endless,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Below `/api2/json`, as it came.
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    answers: Answers,
    identity: Option<Identity>,
    tokens: HashSet<String>,
    tickets: HashSet<String>,
    issued: usize,
    auth_delay: Duration,
    latency: Duration,
    drops: usize,
    idle: Duration,
    replies: HashMap<String, Reply>,
    asked: Vec<Asked>,
    open: usize,
    accepted: usize,
    most_open: usize,
    sent: usize,
}

/// Status, reason phrase and body by path.
type Answers = HashMap<String, (u16, String, Vec<u8>)>;

/// A certificate, who signed it, and the TLS that serves it.
#[derive(Clone, Debug)]
struct Identity {
    fingerprint: String,
    der: CertificateDer<'static>,
    ca: String,
    config: Arc<ServerConfig>,
}

impl Pve {
    /// Serves a situation of `tests/data/proxmox` over TLS.
    pub async fn start(variant: &str) -> Self {
        Self::listen(variant, Some(Identity::new())).await
    }

    /// Serves it over HTTP without TLS.
    pub async fn plain(variant: &str) -> Self {
        Self::listen(variant, None).await
    }

    /// Serves it over these versions of TLS only.
    pub async fn start_with(variant: &str, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::listen(variant, Some(Identity::with(versions))).await
    }

    /// Somebody who shows another server's certificate without having its key.
    pub async fn impostor(of: &Self, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let shown = of.identity();
        let key = PrivateKeyDer::Pkcs8(KeyPair::generate().unwrap().serialize_der().into());
        let key = CertifiedKey::new(vec![shown.der.clone()], ring::sign::any_supported_type(&key).unwrap());
        let config = server(versions).with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        Self::listen("pve8-cluster", Some(Identity { config: Arc::new(config), ..shown })).await
    }

    async fn listen(variant: &str, identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            answers: load(variant),
            identity,
            tokens: HashSet::from([format!("{TOKEN_ID}={TOKEN_SECRET}")]),
            tickets: HashSet::new(),
            issued: 0,
            auth_delay: Duration::ZERO,
            latency: Duration::ZERO,
            drops: 0,
            idle: IDLE,
            replies: HashMap::new(),
            asked: Vec::new(),
            open: 0,
            accepted: 0,
            most_open: 0,
            sent: 0,
        };
        let (port, shared) = (listener.local_addr().unwrap().port(), Arc::new(Shared { state: Mutex::new(state) }));
        let listening = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Self { port, shared, listening }
    }

    /// On 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// SHA-256 of the certificate that is served now, in upper case with colons.
    pub fn fingerprint(&self) -> String {
        self.identity().fingerprint
    }

    /// The certificate of the CA that signed it, in PEM. It is for 127.0.0.1, `localhost` and `pve1`.
    pub fn ca(&self) -> String {
        self.identity().ca
    }

    /// Another certificate of another CA, for connections from now on.
    pub fn swap_certificate(&self) {
        self.state().identity = Some(Identity::new());
    }

    /// Another situation from now on.
    pub fn serve(&self, variant: &str) {
        self.state().answers = load(variant);
    }

    /// What a situation's path answers, as `data`: to be changed and given to [`Self::reply`].
    pub fn data(&self, path: &str) -> Value {
        let body = self.state().answers[path].2.clone();
        serde_json::from_slice::<Value>(&body).unwrap()["data"].take()
    }

    /// A path fails with this status and reason phrase, until [`Self::heal`].
    pub fn fail(&self, path: &str, status: u16, reason: &str) {
        self.reply(path, Reply::Status(status, reason.into()));
    }

    /// A path answers this, until [`Self::heal`]. `/access/ticket` is the login.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.state().replies.insert(path.into(), reply);
    }

    /// No more faults: neither replies, latency nor drops.
    pub fn heal(&self) {
        let mut state = self.state();
        state.replies.clear();
        (state.latency, state.drops) = (Duration::ZERO, 0);
    }

    /// Every answer takes this long.
    pub fn latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// What Proxmox waits before each 401: 3 s there, nothing here unless set.
    pub fn auth_delay(&self, delay: Duration) {
        self.state().auth_delay = delay;
    }

    /// Closes connections that are idle for this long, as a proxy before Proxmox may: 5 s unless set.
    pub fn idle(&self, idle: Duration) {
        self.state().idle = idle;
    }

    /// The next requests get no answer: their connections are closed.
    pub fn drop_next(&self, requests: usize) {
        self.state().drops = requests;
    }

    /// Takes one more token.
    pub fn accept_token(&self, id: &str, secret: &str) {
        self.state().tokens.insert(format!("{id}={secret}"));
    }

    /// Takes no token any more: all of them are 401.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// No ticket that was given is good any more.
    pub fn expire_tickets(&self) {
        self.state().tickets.clear();
    }

    /// How often a path was asked, by whatever method and with whatever result.
    pub fn hits(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.path == path).count()
    }

    pub fn total_hits(&self) -> usize {
        self.state().asked.len()
    }

    /// Forgets what was asked, and how many connections there were besides those open now.
    pub fn reset_hits(&self) {
        let mut state = self.state();
        state.asked.clear();
        (state.accepted, state.most_open) = (0, state.open);
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Connections that were accepted.
    pub fn connections(&self) -> usize {
        self.state().accepted
    }

    /// The most connections that were open at the same time.
    pub fn most_connections(&self) -> usize {
        self.state().most_open
    }

    /// Bytes of endless bodies that were written.
    pub fn sent(&self) -> usize {
        self.state().sent
    }

    fn identity(&self) -> Identity {
        self.state().identity.clone().expect("TLS")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Pve {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// Where the situations are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/proxmox")
}

/// The data of a file of a situation, such as `storage.second-read.json`, which no path answers.
pub fn data_of(variant: &str, file: &str) -> Value {
    let body = std::fs::read(fixtures().join(variant).join(file)).unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["data"].take()
}

fn load(variant: &str) -> Answers {
    let folder = fixtures().join(variant);
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap_or_else(|error| panic!("{variant}: {error}"));
    let manifest = serde_json::from_slice::<Vec<Value>>(&manifest).unwrap();
    let answers = manifest.iter().map(|entry| {
        let path = entry["path"].as_str().unwrap().trim_start_matches("/api2/json").to_owned();
        let body =
            entry["body_file"].as_str().map(|file| std::fs::read(folder.join(file)).unwrap()).unwrap_or_default();
        let status = u16::try_from(entry["status"].as_u64().unwrap()).unwrap();
        (path, (status, entry["reason"].as_str().unwrap().to_owned(), body))
    });
    answers.collect()
}

impl Identity {
    fn new() -> Self {
        Self::with(rustls::DEFAULT_VERSIONS)
    }

    fn with(versions: &[&'static SupportedProtocolVersion]) -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(DnType::CommonName, "Proxmox Virtual Environment");
        ca.distinguished_name.push(DnType::OrganizationName, "PVE Cluster Manager CA");
        let key = KeyPair::generate().unwrap();
        let ca_pem = ca.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(ca, key);
        let names = ["127.0.0.1", "localhost", "pve1"].map(String::from);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let der = certificate.der().clone();
        let bytes = Sha256::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = server(versions).with_single_cert(vec![der.clone()], key).unwrap();
        Self { fingerprint: bytes.join(":"), der, ca: ca_pem, config: Arc::new(config) }
    }
}

fn server(versions: &[&'static SupportedProtocolVersion]) -> ConfigBuilder<ServerConfig, WantsServerCert> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    config.with_protocol_versions(versions).unwrap().with_no_client_auth()
}

/// A connection that is counted as long as it is there.
struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: Arc<Shared>) -> Self {
        let mut state = shared.state();
        state.accepted += 1;
        state.open += 1;
        state.most_open = state.most_open.max(state.open);
        drop(state);
        Self(shared)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.state().open -= 1;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped, and with it every connection, when the server is.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let counted = Counted::new(shared.clone());
        let shared = shared.clone();
        connections.spawn(async move {
            let _counted = counted;
            // Clients go when they like.
            let _ = connection(stream, shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let identity = shared.state().identity.clone();
    match identity {
        Some(identity) => requests(TlsAcceptor::from(identity.config).accept(stream).await?, shared).await,
        None => requests(stream, shared).await,
    }
}

async fn requests<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, shared: Arc<Shared>) -> io::Result<()> {
    let mut buffer = Vec::new();
    for _ in 0..REQUESTS_A_CONNECTION {
        let idle = shared.state().idle;
        let Ok(asked) = tokio::time::timeout(idle, request(&mut stream, &mut buffer)).await else { break };
        let Some(asked) = asked? else { break };
        if !answer(&mut stream, &shared, &asked).await? {
            break;
        }
    }
    stream.shutdown().await
}

/// The next request; none at the end.
async fn request<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> io::Result<Option<Asked>> {
    loop {
        if let Some((asked, length)) = parse(buffer) {
            buffer.drain(..length);
            return Ok(Some(asked));
        }
        // What begins like no request is TLS, most likely.
        if buffer.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) || stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// A whole request and its length.
fn parse(bytes: &[u8]) -> Option<(Asked, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 50];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else { return None };
    let headers = request.headers.iter();
    let headers = headers.map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()));
    let headers = headers.collect::<HashMap<_, _>>();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let body = bytes.get(head..head + length)?;
    let path = request.path.unwrap();
    let path = path.strip_prefix("/api2/json").unwrap_or(path).to_owned();
    let (method, body) = (request.method.unwrap().to_owned(), String::from_utf8_lossy(body).into_owned());
    Some((Asked { method, path, headers, body }, head + length))
}

/// Answers; tells whether the connection stays.
async fn answer<S: AsyncWrite + Unpin>(stream: &mut S, shared: &Arc<Shared>, asked: &Asked) -> io::Result<bool> {
    let (dropped, latency, delay) = {
        let mut state = shared.state();
        state.asked.push(asked.clone());
        let dropped = state.drops > 0;
        state.drops -= usize::from(dropped);
        (dropped, state.latency, state.auth_delay)
    };
    if dropped {
        return Ok(false);
    }
    tokio::time::sleep(latency).await;
    let reply = shared.state().replies.get(&asked.path).cloned();
    if asked.path != "/access/ticket" {
        // Not in the condition: the lock would be held.
        let unauthorized = unauthorized(&shared.state(), asked);
        if let Some(reason) = unauthorized {
            return refuse(stream, delay, reason).await;
        }
    } else if reply.is_none() {
        return log_in(stream, shared, asked, delay).await;
    }
    match reply {
        Some(reply) => replace(stream, shared, asked, reply).await,
        None => {
            let (status, reason, body) = fixture(&shared.state(), asked);
            write(stream, status, &reason, &body).await
        }
    }
}

async fn refuse<S: AsyncWrite + Unpin>(stream: &mut S, delay: Duration, reason: &str) -> io::Result<bool> {
    tokio::time::sleep(delay).await;
    write(stream, 401, reason, b"").await
}

/// Why a request is not let in. A cookie goes before a token, as with Proxmox.
fn unauthorized(state: &State, asked: &Asked) -> Option<&'static str> {
    // Outside of Proxmox' own paths somebody else is played.
    if asked.path.starts_with("/api/") {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    if let Some(cookie) = asked.headers.get("cookie") {
        let ticket = cookie.split("; ").find_map(|cookie| cookie.strip_prefix("PVEAuthCookie="));
        let good = ticket.is_some_and(|ticket| state.tickets.contains(&decoded(ticket)));
        return (!good).then_some("permission denied - invalid PVE ticket");
    }
    let Some(header) = asked.headers.get("authorization") else { return Some("No ticket") };
    let token = header.strip_prefix("PVEAPIToken=").map(|token| token.split(';').next().unwrap());
    let good = token.is_some_and(|token| state.tokens.contains(&decoded(token)));
    (!good).then_some("Authentication failed!")
}

fn fixture(state: &State, asked: &Asked) -> (u16, String, Vec<u8>) {
    let length = asked.headers.get("content-length").map_or("0", String::as_str);
    if asked.method == "GET" && length != "0" {
        return (501, "Unexpected content for method 'GET'".into(), Vec::new());
    }
    let known = state.answers.get(&asked.path).filter(|_| asked.method == "GET");
    known.cloned().unwrap_or_else(|| {
        let reason = format!("Method '{} {}' not implemented", asked.method, asked.path);
        let body = json!({"data": null, "message": reason}).to_string();
        (501, reason, body.into_bytes())
    })
}

async fn log_in<S: AsyncWrite + Unpin>(
    stream: &mut S,
    shared: &Arc<Shared>,
    asked: &Asked,
    delay: Duration,
) -> io::Result<bool> {
    let form = form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect::<HashMap<_, _>>();
    let field = |name| form.get(name).map_or("", String::as_str);
    let ticket = {
        let mut state = shared.state();
        let password = field("password");
        let good = field("username") == USERNAME && (password == PASSWORD || state.tickets.contains(password));
        good.then(|| {
            state.issued += 1;
            let ticket = format!("PVE:{USERNAME}:{:08X}::c2ln+/={}", 0x6924_0A11, state.issued);
            state.tickets.insert(ticket.clone());
            ticket
        })
    };
    let Some(ticket) = ticket else {
        tokio::time::sleep(delay).await;
        let body = json!({"data": null, "message": "authentication failure\n"}).to_string();
        return write(stream, 401, "authentication failure", body.as_bytes()).await;
    };
    let data =
        json!({"username": USERNAME, "ticket": ticket, "CSRFPreventionToken": "x", "cap": {}, "clustername": "prod"});
    write(stream, 200, "OK", json!({"data": data}).to_string().as_bytes()).await
}

/// A fault, or another answer.
async fn replace<S: AsyncWrite + Unpin>(
    stream: &mut S,
    shared: &Arc<Shared>,
    asked: &Asked,
    reply: Reply,
) -> io::Result<bool> {
    match reply {
        Reply::Status(status, reason) => {
            let body = json!({"data": null, "message": format!("{reason}\n")}).to_string();
            let body = if status == 401 || status >= 590 { String::new() } else { body };
            return write(stream, status, &reason, body.as_bytes()).await;
        }
        Reply::Data(data) => return write(stream, 200, "OK", json!({"data": data}).to_string().as_bytes()).await,
        Reply::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
        }
        Reply::Hang => std::future::pending().await,
        Reply::HangInBody => {
            let (_, _, body) = fixture(&shared.state(), asked);
            stream.write_all(head(200, "OK", body.len()).as_bytes()).await?;
            stream.write_all(&body[..body.len() / 2]).await?;
            stream.flush().await?;
            std::future::pending().await
        }
        Reply::Drip(pause) => {
            let (_, _, body) = fixture(&shared.state(), asked);
            stream.write_all(head(200, "OK", body.len()).as_bytes()).await?;
            for byte in body {
                tokio::time::sleep(pause).await;
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
            }
        }
        Reply::Endless => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"data\":\"";
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&[b'a'; 16 << 10]).await?;
                shared.state().sent += 16 << 10;
            }
        }
    }
    Ok(false)
}

/// The head of an answer as pveproxy writes it.
fn head(status: u16, reason: &str, length: usize) -> String {
    let kind = if length > 0 { "Content-Type: application/json;charset=UTF-8\r\n" } else { "" };
    let connection = if status >= 400 { "close" } else { "Keep-Alive" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nCache-Control: max-age=0\r\nConnection: {connection}\r\nPragma: no-cache\r\n\
         Server: pve-api-daemon/3.0\r\nContent-Length: {length}\r\n{kind}\r\n"
    )
}

/// Writes an answer; tells whether the connection stays.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, status: u16, reason: &str, body: &[u8]) -> io::Result<bool> {
    let mut bytes = head(status, reason, body.len()).into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(status < 400)
}
