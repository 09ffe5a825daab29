//! What goes on at one connection: how many requests began, and how many are not answered to the end.
use super::kept::Kept;
use axum::extract::Request;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        Ok(response.map(|body| Kept::body(body, exchange)))
    }
}

/// A request until its answer has been handed over.
struct Exchange(Arc<Exchanges>);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}
