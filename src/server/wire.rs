//! Connections as clients really use them: how long they may take nothing, and which targets they write.
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use socket2::SockRef;
use std::io::{Result, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

/// The largest head of a request that is looked at, in bytes; hyper refuses longer ones itself.
const LONGEST_HEAD: usize = 64 << 10;
/// Headers of a request that are looked at; more are handed on as they are.
const MOST_HEADERS: usize = 100;

/// What a connection may hold of an answer that its client has not taken, in bytes. Linux calls a socket writable once a
/// third of this is free: with the megabytes that it would come to by itself, a slow client looked like one that takes
/// nothing; and what many slow clients hold is memory of the kernel.
const SEND_BUFFER: usize = 256 << 10;

/// Listens, and cuts clients off that take nothing of an answer for too long: they would keep it in memory for ever.
#[derive(Debug)]
pub struct Wires {
    pub listener: TcpListener,
    /// How long a client may take nothing while something is there for it.
    pub write_idle: Duration,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// A connection whose requests are repaired, if need be.
pub struct Wire {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    state: State,
    /// What was read and not yet handed on.
    ready: Vec<u8>,
}

enum State {
    /// The head of a request, as far as it has come.
    Head(Vec<u8>),
    /// Whatever comes is handed on as it is.
    Open,
}

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        if let Err(error) = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER) {
            tracing::debug!("the buffer of a connection keeps its size: {error}");
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.write_idle));
        (Wire { stream: Box::pin(stream), state: State::Head(Vec::new()), ready: Vec::new() }, peer)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Wires>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Wires>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Wire {
    /// Takes what came, and puts into `ready` what can be handed on.
    fn take(&mut self, bytes: &[u8]) {
        let State::Head(head) = &mut self.state else {
            self.ready.extend_from_slice(bytes);
            return;
        };
        head.extend_from_slice(bytes);
        loop {
            let State::Head(head) = &mut self.state else { return };
            match examine(head) {
                Head::Partial => return,
                Head::Whole(length) => {
                    repair(&head[..length], &mut self.ready);
                    head.drain(..length);
                }
                Head::Last => {
                    let head = std::mem::take(head);
                    repair(&head, &mut self.ready);
                    self.state = State::Open;
                }
                Head::Strange => {
                    self.ready.append(head);
                    self.state = State::Open;
                }
            }
        }
    }
}

/// What the bytes at the start of a request are.
enum Head {
    /// Not all of it is there.
    Partial,
    /// A head of this length without a body behind it: the next request follows.
    Whole(usize),
    /// A head with a body or another protocol behind it, where no head is looked for: what is changed there would be
    /// taken for something else.
    Last,
    /// No head that can be read.
    Strange,
}

fn examine(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => {
            let ends = ["content-length", "transfer-encoding", "upgrade"];
            let ended =
                request.headers.iter().any(|header| ends.iter().any(|end| header.name.eq_ignore_ascii_case(end)));
            if ended { Head::Last } else { Head::Whole(length) }
        }
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST_HEAD => Head::Partial,
        Ok(httparse::Status::Partial) | Err(_) => Head::Strange,
    }
}

/// Writes the head with those characters of its target encoded that curl and the plugin's server let pass, but hyper
/// refuses: `"`, `<` and `>`.
fn repair(head: &[u8], to: &mut Vec<u8>) {
    let end = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    let (line, rest) = head.split_at(end);
    for byte in line {
        match byte {
            b'"' | b'<' | b'>' => drop(write!(to, "%{byte:02X}")),
            other => to.push(*other),
        }
    }
    to.extend_from_slice(rest);
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        while this.ready.is_empty() {
            if matches!(this.state, State::Open) {
                return this.stream.as_mut().poll_read(cx, buffer);
            }
            let mut space = [0; 8 << 10];
            let mut part = ReadBuf::new(&mut space);
            ready!(this.stream.as_mut().poll_read(cx, &mut part))?;
            if part.filled().is_empty() {
                // The end: hyper is to see what came of a head.
                let State::Head(head) = &mut this.state else { return Poll::Ready(Ok(())) };
                this.ready.append(head);
                this.state = State::Open;
                break;
            }
            this.take(part.filled());
        }
        let length = this.ready.len().min(buffer.remaining());
        buffer.put_slice(&this.ready[..length]);
        this.ready.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a connection hands on of these parts.
    fn handed_on(parts: &[&[u8]]) -> Vec<u8> {
        let (mut state, mut ready) = (State::Head(Vec::new()), Vec::new());
        for part in parts {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            let stream = std::net::TcpStream::connect(listener.local_addr().expect("an address")).expect("a stream");
            stream.set_nonblocking(true).expect("a stream");
            let stream = TcpStream::from_std(stream).expect("a stream");
            let mut wire = Wire { stream: Box::pin(TimeoutStream::new(stream)), state, ready };
            wire.take(part);
            (state, ready) = (wire.state, wire.ready);
        }
        ready
    }

    #[tokio::test]
    async fn only_targets_are_repaired() {
        let quoted = b"GET /a?b=\"<c>\" HTTP/1.1\r\nx: \"<y>\"\r\n\r\n".as_slice();
        let repaired = b"GET /a?b=%22%3Cc%3E%22 HTTP/1.1\r\nx: \"<y>\"\r\n\r\n".as_slice();
        assert_eq!(handed_on(&[quoted]), repaired);
        assert_eq!(handed_on(&[quoted, quoted]), [repaired, repaired].concat(), "one request after the other");
        let bytes = quoted.chunks(1).collect::<Vec<_>>();
        assert_eq!(handed_on(&bytes), repaired, "a byte at a time");
        let with_body = b"POST /\"?a HTTP/1.1\r\ncontent-length: 3\r\n\r\n\"<>".as_slice();
        assert_eq!(
            handed_on(&[with_body, quoted]),
            [b"POST /%22?a HTTP/1.1\r\ncontent-length: 3\r\n\r\n".as_slice(), b"\"<>", quoted].concat(),
            "neither bodies nor what follows them"
        );
        let chunked = b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
        assert_eq!(handed_on(&[chunked, quoted]), [chunked, quoted].concat());
        assert_eq!(handed_on(&[b"\x16\x03\x01nonsense", quoted]), [b"\x16\x03\x01nonsense", quoted].concat());
        assert_eq!(handed_on(&[&quoted[..20]]), b"", "a part of a head waits");
    }
}
