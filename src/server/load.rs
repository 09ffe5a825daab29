//! How much is done at a time, and what clients may take to say what is to be done: whatever is too much is refused
//! before it takes memory.
use super::refused;
use crate::body::Cut;
use crate::metrics::{Metrics, Reason};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// What requests may take of the server together, and their bodies each.
#[derive(Clone, Copy, Debug)]
pub struct LoadLimits {
    /// Requests that are worked at at the same time; those that wait for their clients do not count.
    pub requests: usize,
    /// Bytes of all bodies that are held at the same time.
    pub memory: usize,
    /// Bytes of one body as it comes over the wire, before anything decodes it.
    pub body: usize,
    /// How long nothing may come of a body.
    pub body_idle: Duration,
    /// How long a body may take.
    pub body_total: Duration,
}

/// What is going on.
#[derive(Clone, Debug)]
pub struct Load {
    limits: LoadLimits,
    requests: Arc<Semaphore>,
    metrics: Metrics,
}

impl Load {
    pub fn new(limits: LoadLimits, metrics: Metrics) -> Self {
        let requests = Arc::new(Semaphore::new(limits.requests));
        Self { limits, requests, metrics }
    }

    /// Tells the operator that a request was refused.
    fn tell(&self, reason: &'static str) {
        self.metrics.shed.get_or_create(&Reason { reason }).inc();
    }
}

/// Refuses requests while too many are worked at, and watches how the bodies of the others come in.
pub async fn shed(State(load): State<Load>, request: Request, next: Next) -> Response {
    // Whoever looks after the server is to learn that it is there.
    if matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    let Ok(turn) = load.requests.clone().try_acquire_owned() else {
        load.tell("requests");
        let message = Cut::Overloaded.to_string();
        let mut response = refused(&request, StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", &message);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    };
    let place = Arc::new(Place { load, turn: Mutex::new(Some(turn)), held: AtomicUsize::new(0) });
    next.run(request.map(|body| Body::new(Watched::new(body, place.clone())))).await
}

/// What one request takes.
struct Place {
    load: Load,
    /// Its turn; none while it waits for its client.
    turn: Mutex<Option<OwnedSemaphorePermit>>,
    /// Bytes of its body.
    held: AtomicUsize,
}

impl Place {
    /// Somebody else's turn until the client goes on.
    fn wait(&self) {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The body is there: work begins.
    fn go_on(&self) -> Result<(), Cut> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.is_none() {
            let next = self.load.requests.clone().try_acquire_owned();
            *turn = Some(next.map_err(|_| self.overloaded("requests"))?);
        }
        Ok(())
    }

    /// Holds so many bytes more.
    fn hold(&self, bytes: usize) -> Result<(), Cut> {
        let Load { limits, metrics, .. } = &self.load;
        let held = self.held.fetch_add(bytes, Ordering::AcqRel) + bytes;
        let held_by_all = metrics.bodies.inc_by(bytes as i64) as usize + bytes;
        if held > limits.body {
            return Err(Cut::TooLong(limits.body));
        }
        if held_by_all > limits.memory { Err(self.overloaded("memory")) } else { Ok(()) }
    }

    fn overloaded(&self, reason: &'static str) -> Cut {
        self.load.tell(reason);
        Cut::Overloaded
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.metrics.bodies.dec_by(*self.held.get_mut() as i64);
    }
}

/// A body whose client is watched.
struct Watched {
    body: Body,
    place: Arc<Place>,
    idle: Option<Pin<Box<Sleep>>>,
    late: Pin<Box<Sleep>>,
}

impl Watched {
    fn new(body: Body, place: Arc<Place>) -> Self {
        let late = Box::pin(sleep(place.load.limits.body_total));
        Self { body, place, idle: None, late }
    }

    /// Something came, or the end.
    fn came(&mut self, bytes: usize) -> Result<(), Cut> {
        self.idle = None;
        self.place.hold(bytes)?;
        if self.body.is_end_stream() { self.place.go_on() } else { Ok(()) }
    }

    /// Nothing came yet; an error as soon as that is too long.
    fn waits(&mut self, cx: &mut Context<'_>) -> Result<(), Cut> {
        let limits = self.place.load.limits;
        self.place.wait();
        let idle = self.idle.get_or_insert_with(|| Box::pin(sleep(limits.body_idle)));
        if self.late.as_mut().poll(cx).is_ready() {
            return Err(Cut::Late(limits.body_total));
        }
        if idle.as_mut().poll(cx).is_ready() { Err(Cut::Idle(limits.body_idle)) } else { Ok(()) }
    }

    fn told(&self, cut: Cut) -> axum::Error {
        let reason = match cut {
            Cut::Idle(_) => "idle",
            Cut::Late(_) => "total",
            Cut::TooLong(_) => "size",
            Cut::Overloaded | Cut::Broken => "load",
        };
        self.place.load.metrics.cut.get_or_create(&Reason { reason }).inc();
        axum::Error::new(cut)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        let judged = match &frame {
            Poll::Ready(Some(Ok(frame))) => this.came(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(Some(Err(_))) => Ok(()),
            Poll::Ready(None) => this.place.go_on(),
            Poll::Pending => this.waits(cx),
        };
        match judged {
            Ok(()) => frame,
            Err(cut) => Poll::Ready(Some(Err(this.told(cut)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
