//! One connection that is kept, and asks one question after the other.
use crate::shape::TOKEN;
use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;

pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

/// A question as it is sent.
pub struct Question {
    method: Method,
    path: String,
    accept: &'static str,
    body: Bytes,
}

impl Question {
    pub fn graphql(query: &str, variables: &Value) -> Self {
        Self::post("/graphql", &json!({"query": query, "variables": variables}))
    }

    pub fn get(path: String, accept: &'static str) -> Self {
        Self { method: Method::GET, path, accept, body: Bytes::new() }
    }

    pub fn post(path: &str, body: &Value) -> Self {
        let body = body.to_string().into();
        Self { method: Method::POST, path: path.to_owned(), accept: "application/json", body }
    }
}

/// As much of an answer as fits into a message.
pub fn start(answer: &[u8]) -> String {
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
    pub async fn ask(&mut self, question: &Question) -> Result<Bytes> {
        let request = Request::builder()
            .method(&question.method)
            .uri(&question.path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(header::ACCEPT, question.accept)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(question.body.clone()))?;
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
