//! A client's socket: what it may hold of an answer, and for how long its client may take nothing.
use socket2::SockRef;
use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

/// What a connection may hold of an answer that its client has not taken, in bytes. Linux calls a socket writable once a
/// third of this is free: with the megabytes that it would come to by itself, a slow client looked like one that takes
/// nothing; and what many slow clients hold is memory of the kernel.
const SEND_BUFFER: usize = 256 << 10;

/// A socket that cuts off clients that take nothing of an answer for too long: they would keep it in memory for ever.
#[derive(Debug)]
pub struct Socket(Pin<Box<TimeoutStream<TcpStream>>>);

impl Socket {
    /// While something is there for its client, it may take nothing for this long.
    pub fn new(stream: TcpStream, write_idle: Duration) -> Self {
        if let Err(error) = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER) {
            tracing::debug!("the buffer of a connection keeps its size: {error}");
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(write_idle));
        Self(Box::pin(stream))
    }

    /// Whether somebody waited too long, who then gets no polite end: the system would go on to keep what was not taken.
    fn judge<T>(&self, done: Poll<Result<T>>) -> Poll<Result<T>> {
        if let Poll::Ready(Err(error)) = &done
            && error.kind() == ErrorKind::TimedOut
        {
            tracing::debug!("a client took nothing of its answer for too long");
            drop(SockRef::from(self.0.get_ref()).set_linger(Some(Duration::ZERO)));
        }
        done
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        self.0.as_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let done = self.0.as_mut().poll_write(cx, bytes);
        self.judge(done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let done = self.0.as_mut().poll_write_vectored(cx, parts);
        self.judge(done)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }
}
