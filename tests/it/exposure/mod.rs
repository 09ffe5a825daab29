//! What strangers, slow clients and crowds can do to a server that listens, and what they cannot.
mod attack;
mod bodies;
mod browsers;
mod connections;
mod crowds;
mod tls;

use crate::support::ADMIN;
use proxbox_graphql::app::App;
use proxbox_graphql::server::{ConnectionLimits, RequestLimits, Tls, bind, serve};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What ought to happen has this long, on a machine that does much else.
const SOON: Duration = Duration::from_secs(30);

/// A server that listens.
struct Live {
    app: App,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// Limits that nobody meets in a test.
fn roomy() -> ConnectionLimits {
    ConnectionLimits { most: 100, most_each: 100, head: SOON, rest: SOON, write_idle: SOON }
}

impl Live {
    async fn start(app: App, requests: RequestLimits, connections: ConnectionLimits) -> Self {
        Self::start_with(app, requests, connections, None).await
    }

    async fn start_with(
        app: App,
        requests: RequestLimits,
        connections: ConnectionLimits,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let (running, until) = (app.clone(), stop.clone());
        let serving = tokio::spawn(async move {
            serve(running, listener, requests, connections, tls, until).await.unwrap();
        });
        Self { app, address, stop, serving }
    }

    async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// A connection that has sent this.
    async fn say(&self, text: &str) -> Client {
        let mut client = self.connect().await;
        client.say(text).await;
        client
    }

    /// The whole answer to a request on a connection of its own.
    async fn ask(&self, text: &str) -> String {
        self.say(text).await.end().await
    }

    /// Waits until the operator's figures say so.
    async fn until(&self, figure: &str) {
        let begun = Instant::now();
        loop {
            let figures = self.app.metrics.encode().unwrap();
            if figures.contains(figure) {
                break;
            }
            assert!(begun.elapsed() < SOON, "no {figure}: {figures}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether somebody with an ordinary request is served.
    async fn assert_serves(&self) {
        let answer = self.ask(&request("GET", LIST, "connection: close\r\n", "")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(SOON, self.serving).await.unwrap().unwrap();
    }
}

const LIST: &str = "/api/plugins/proxbox/nodes/?limit=1";

/// A request of the admin's.
fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: proxbox.example.com\r\nauthorization: Token {ADMIN}\r\n\
         content-type: application/json\r\n{length}{headers}\r\n{body}"
    )
}

/// A client that does as it likes.
struct Client(TcpStream);

impl Client {
    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// What comes until the server closes the connection, however it does that.
    async fn end(mut self) -> String {
        let mut bytes = Vec::new();
        let reading = async {
            let mut space = [0; 8 << 10];
            while let Ok(count @ 1..) = self.0.read(&mut space).await {
                bytes.extend_from_slice(&space[..count]);
            }
        };
        timeout(SOON, reading).await.expect("the connection stays open");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until the server wants the body, which the request must have asked about.
    async fn is_expected(&mut self) {
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut bytes = [0; 25];
        timeout(SOON, self.0.read_exact(&mut bytes)).await.expect("an answer").unwrap();
        assert_eq!(&bytes, expected, "{}", String::from_utf8_lossy(&bytes));
    }

    /// An answer with a length, after which the connection stays open.
    async fn answer(&mut self) -> String {
        let mut bytes = Vec::new();
        let reading = async {
            loop {
                bytes.push(self.0.read_u8().await.unwrap());
                let text = String::from_utf8_lossy(&bytes);
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && let Some((_, length)) = head.split_once("content-length: ")
                    && body.len() >= length.lines().next().unwrap().parse::<usize>().unwrap()
                {
                    break text.into_owned();
                }
            }
        };
        timeout(SOON, reading).await.expect("an answer")
    }

    /// Sends a byte now and then until the server does not listen any more; how long that took.
    async fn drip(&mut self, every: Duration) -> Duration {
        let begun = Instant::now();
        while begun.elapsed() < SOON {
            if self.0.write_all(b"a").await.is_err() {
                return begun.elapsed();
            }
            let mut space = [0; 8 << 10];
            match timeout(every, self.0.read(&mut space)).await {
                Ok(Ok(0) | Err(_)) => return begun.elapsed(),
                // An answer before the end.
                Ok(Ok(_)) => {}
                Err(_) => sleep(Duration::ZERO).await,
            }
        }
        panic!("the connection stays open");
    }
}
