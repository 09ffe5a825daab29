//! Where the resolvers of a request wait for each other before they ask a loader.
//!
//! The crate `dataloader` gathers keys for some turns of the scheduler. That is a guess which large levels outlast, and
//! branches of different depth meet or miss each other by chance. So everybody waits here until no resolver of the
//! request can go on and nothing is being loaded; then all set out together. The number of statements thus depends on
//! the query alone: not on how many rows there are, nor on how fast they come.
use futures_util::task::AtomicWaker;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::oneshot;

/// The gate of one request.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: Mutex<Vec<oneshot::Sender<Journey>>>,
    under_way: Arc<AtomicUsize>,
}

/// Somebody who passed the gate and is being served; ends when this is dropped.
#[derive(Debug)]
pub struct Journey(Arc<AtomicUsize>);

impl Drop for Journey {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    /// Waits until everybody is here. None, at once, when nobody drives the gate any more.
    pub async fn pass(&self) -> Option<Journey> {
        let (sender, receiver) = oneshot::channel();
        held(&self.waiting).push(sender);
        receiver.await.ok()
    }

    /// Lets all who wait set out, unless some are under way; tells whether any did.
    fn open(&self) -> bool {
        if self.under_way.load(Ordering::Acquire) > 0 {
            return false;
        }
        let waiting = std::mem::take(&mut *held(&self.waiting));
        let any = !waiting.is_empty();
        for traveller in waiting {
            self.under_way.fetch_add(1, Ordering::AcqRel);
            // Whoever does not wait any more ends the journey here.
            drop(traveller.send(Journey(self.under_way.clone())));
        }
        any
    }

    /// Runs the request, and opens the gate whenever it cannot go on.
    pub async fn drive<F: Future>(&self, request: F) -> F::Output {
        // A future that wakes itself for ever must not keep its thread.
        const MOST_POLLS: usize = 1_000;
        // The scheduler's budget would end a turn before all of a large level have asked.
        let mut request = pin!(tokio::task::unconstrained(request));
        let signal = Arc::new(Signal::default());
        let waker = Waker::from(signal.clone());
        poll_fn(move |cx| {
            signal.task.register(cx.waker());
            for _ in 0..MOST_POLLS {
                signal.woken.store(false, Ordering::Release);
                if let Poll::Ready(output) = request.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready(output);
                }
                if !signal.woken.load(Ordering::Acquire) && !self.open() {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// Passes wakes on, and remembers them.
#[derive(Debug, Default)]
struct Signal {
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// Nobody panics while holding one of these.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
