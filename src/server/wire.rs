//! Connections as clients really use them: how long the head of a request may take, and which targets they write.
use super::exchange::Exchanges;
use std::io::{Error, ErrorKind, Result, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The largest head of a request that is looked at, in bytes; hyper refuses longer ones itself.
pub const LONGEST_HEAD: usize = 64 << 10;
/// Headers of a request that are looked at; more are handed on as they are.
const MOST_HEADERS: usize = 100;

/// A connection whose requests are repaired, if need be, and whose heads must come in time.
pub struct Wire<S> {
    stream: S,
    state: State,
    /// What was read and not yet handed on.
    ready: Vec<u8>,
    clock: Clock,
}

/// The time that a head has, from its first byte on; that of a first request from the connection on.
struct Clock {
    exchanges: Arc<Exchanges>,
    within: Duration,
    /// Runs, and how many requests had begun when it was started: another one means that the head is there.
    running: Option<(usize, Pin<Box<Sleep>>)>,
}

enum State {
    /// The head of a request, as far as it has come.
    Head(Vec<u8>),
    /// Whatever comes is handed on as it is.
    Open,
}

impl Clock {
    fn start(&mut self) {
        let begun = self.exchanges.begun();
        let is_old = self.running.as_ref().is_none_or(|(then, _)| *then != begun);
        if is_old && self.exchanges.is_idle() {
            self.running = Some((begun, Box::pin(sleep(self.within))));
        }
    }

    /// An error as soon as a head is late.
    fn poll(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some((then, sleep)) = &mut self.running else { return Ok(()) };
        if *then != self.exchanges.begun() {
            self.running = None;
        } else if sleep.as_mut().poll(cx).is_ready() {
            return Err(Error::new(ErrorKind::TimedOut, "the head of a request did not come in time"));
        }
        Ok(())
    }
}

impl<S> Wire<S> {
    /// Heads on this stream must come within this time.
    pub fn new(stream: S, exchanges: Arc<Exchanges>, within: Duration) -> Self {
        let mut clock = Clock { exchanges, within, running: None };
        clock.start();
        Self { stream, state: State::Head(Vec::new()), ready: Vec::new(), clock }
    }

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

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Reads from the stream while the head is not late.
    fn poll_stream(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer)? {
            Poll::Ready(()) => {
                if buffer.filled().len() > before {
                    self.clock.start();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                self.clock.poll(cx)?;
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        while this.ready.is_empty() {
            if matches!(this.state, State::Open) {
                return this.poll_stream(cx, buffer);
            }
            let mut space = [0; 8 << 10];
            let mut part = ReadBuf::new(&mut space);
            ready!(this.poll_stream(cx, &mut part))?;
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a connection hands on of these parts.
    fn handed_on(parts: &[&[u8]]) -> Vec<u8> {
        let mut wire = Wire::new(tokio::io::empty(), Arc::default(), Duration::from_secs(5));
        parts.iter().for_each(|part| wire.take(part));
        wire.ready
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
