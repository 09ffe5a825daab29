//! The loop that takes connections, and what becomes of each.
use super::exchange::Exchanges;
use super::slots::{Full, Slots};
use super::socket::Socket;
use super::tls::Tls;
use super::wire::{LONGEST_HEAD, Wire};
use crate::app::App;
use crate::metrics::Reason;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many connections there may be, and what their clients may take.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections at the same time.
    pub most: usize,
    /// Connections of one client at the same time.
    pub most_each: usize,
    /// How long a handshake may take, and the head of a request from its first byte on.
    pub head: Duration,
    /// How long a connection may rest between two requests.
    pub rest: Duration,
    /// How long a client may take nothing of an answer that is there for it.
    pub write_idle: Duration,
}

/// What connections have in common.
#[derive(Debug)]
struct Hall {
    app: App,
    routes: Router,
    limits: ConnectionLimits,
    tls: Option<Arc<Tls>>,
    slots: Arc<Slots>,
    stop: CancellationToken,
}

/// Takes connections until told to stop, and then waits for their requests to end.
pub async fn serve(
    app: App,
    mut listener: TcpListener,
    routes: Router,
    limits: ConnectionLimits,
    tls: Option<Arc<Tls>>,
    stop: CancellationToken,
) {
    let limits = ConnectionLimits { most: room_for(limits.most), ..limits };
    let slots = Slots::new(limits.most, limits.most_each, app.metrics.connections.clone());
    let hall = Arc::new(Hall { app, routes, limits, tls, slots, stop: stop.clone() });
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        hall.take(stream, peer, &connections);
    }
    // Nobody new gets in.
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Makes room for so many connections as far as the system lets it; how many there is room for.
#[cfg(unix)]
fn room_for(most: usize) -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    /// What the program opens besides: the database, Proxmox and NetBox, the log.
    const OTHERS: u64 = 256;
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = most as u64 + OTHERS;
    if limit.current.is_some_and(|files| files < wanted) {
        let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let old = limit.current.replace(raised);
        if setrlimit(Resource::Nofile, limit).is_err() {
            limit.current = old;
        }
    }
    let room = limit.current.map_or(most, |files| (files.saturating_sub(OTHERS) as usize).clamp(1, most));
    if room < most {
        tracing::warn!("the system's limit of open files leaves room for {room} connections, not {most}");
    }
    room
}

#[cfg(not(unix))]
fn room_for(most: usize) -> usize {
    most
}

impl Hall {
    /// Lets a connection in, if there is room for it.
    fn take(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, connections: &TaskTracker) {
        let hall = self.clone();
        match self.slots.take(peer.ip(), self.app.settings.trusts(peer.ip())) {
            Ok(slot) => {
                tracing::trace!("a connection of {peer}");
                connections.spawn(async move {
                    hall.connection(stream, peer).await;
                    drop(slot);
                });
            }
            Err(full) => self.refuse(&stream, full),
        }
    }

    /// Says in a word that there is no room; with TLS it takes more than a word, so that nothing is said.
    fn refuse(&self, stream: &TcpStream, full: Full) {
        self.tell(match full {
            Full::Overall => "overall",
            Full::Client => "address",
        });
        if self.tls.is_none() {
            // Whether it arrives is the client's affair: nobody waits.
            drop(stream.try_write(&plain("503 Service Unavailable", "Retry-After: 1\r\n", "too many connections\n")));
        }
    }

    fn tell(&self, reason: &'static str) {
        self.app.metrics.refused.get_or_create(&Reason { reason }).inc();
    }

    /// A connection from its first byte to its last.
    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        let limits = self.limits;
        // Answers are written in few pieces, and nobody waits for more of them.
        drop(stream.set_nodelay(true));
        let Some(tls) = &self.tls else {
            return self.http(Socket::new(stream, limits.write_idle), peer).await;
        };
        let shaken = tokio::select! {
            shaken = timeout(limits.head, handshake(tls, stream, limits.write_idle)) => shaken,
            () = self.stop.cancelled() => return,
        };
        match shaken {
            Ok(Ok(Some(stream))) => self.http(stream, peer).await,
            Ok(Ok(None)) | Ok(Err(_)) | Err(_) => self.tell("handshake"),
        }
    }

    /// Answers the requests of a connection.
    async fn http<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S, peer: SocketAddr) {
        let exchanges = Arc::<Exchanges>::default();
        let wire = Wire::new(stream, exchanges.clone(), self.limits.head);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            exchanges.clone().count(self.routes.clone(), request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.rest)
            .max_header_size(LONGEST_HEAD)
            .serve_connection(TokioIo::new(wire), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection of {peer} ended: {error}");
        }
    }
}

/// A stream over TLS; none for a client that speaks HTTP here, which is told so.
async fn handshake(
    tls: &Tls,
    mut stream: TcpStream,
    write_idle: Duration,
) -> Result<Option<tokio_rustls::server::TlsStream<Socket>>> {
    /// The first byte of every handshake.
    const HANDSHAKE: u8 = 0x16;
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
        stream.write_all(&plain("400 Bad Request", "", "this is HTTPS: begin the URL with https://\n")).await?;
        return Ok(None);
    }
    tls.acceptor().accept(Socket::new(stream, write_idle)).await.map(Some)
}

/// An answer for those who do not get as far as to a route.
fn plain(status: &str, headers: &str, text: &str) -> Vec<u8> {
    let length = text.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{text}"
    )
    .into_bytes()
}
