//! What goes on at one connection: how many requests began, and how many are not answered to the end.
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tower::Service;

/// The requests of one connection.
#[derive(Debug, Default)]
pub struct Exchanges {
    begun: AtomicUsize,
    open: AtomicUsize,
}

impl Exchanges {
    /// How many requests have begun.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Acquire)
    }

    /// Whether every request is answered to the end.
    pub fn is_idle(&self) -> bool {
        self.open.load(Ordering::Acquire) == 0
    }

    fn begin(self: &Arc<Self>) -> Exchange {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.begun.fetch_add(1, Ordering::AcqRel);
        Exchange(self.clone())
    }

    /// The service, with its requests counted here.
    pub async fn count<S>(self: Arc<Self>, mut service: S, request: Request) -> Result<Response, S::Error>
    where
        S: Service<Request, Response = Response>,
    {
        let exchange = self.begin();
        let response = service.call(request).await?;
        Ok(response.map(|body| Body::new(Counted { body, _exchange: exchange })))
    }
}

/// A request until its answer has been handed over.
struct Exchange(Arc<Exchanges>);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A body that ends the exchange when it is dropped.
struct Counted {
    body: Body,
    _exchange: Exchange,
}

impl HttpBody for Counted {
    type Data = <Body as HttpBody>::Data;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
