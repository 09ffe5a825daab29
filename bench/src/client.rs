//! One connection that is kept, and asks one question after the other.
use crate::queries::Data;
use crate::shape::TOKEN;
use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;

pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
    errors: Option<IgnoredAny>,
}

/// A question as it is sent.
pub fn body(query: &str, variables: &Value) -> Bytes {
    json!({"query": query, "variables": variables}).to_string().into()
}

/// What was answered, when it is an answer at all: anything with errors is none.
pub fn read(answer: &[u8]) -> Result<Data<'_>> {
    let read = serde_json::from_slice::<Answer>(answer).ok().filter(|answer| answer.errors.is_none());
    read.and_then(|answer| answer.data).with_context(|| format!("a wrong answer: {}", start(answer)))
}

fn start(answer: &[u8]) -> String {
    String::from_utf8_lossy(&answer[..answer.len().min(2_000)]).into_owned()
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("the server takes no connection")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // When it ends early, the next question fails.
        tokio::spawn(connection);
        Ok(Self { sender, address })
    }

    /// The body of an answer with status 200.
    pub async fn ask(&mut self, body: Bytes) -> Result<Bytes> {
        let request = Request::post("/graphql")
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        self.sender.ready().await.context("the server closed the connection")?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK {
            bail!("status {status}: {}", start(&answer));
        }
        Ok(answer)
    }
}
