//! Gathering: what the resolvers of one level ask for one by one is asked of the database at once.
//!
//! Batches wait until no resolver of the request can go on and nothing is being loaded; then all of them set out. So the
//! number of statements depends on the query alone: not on how many rows there are, nor on how fast they come. Counting
//! turns of the scheduler instead is a guess that large levels outlast.
use super::Session;
use crate::error::{Error, Result};
use async_graphql::Response;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, poll_fn};
use futures_util::task::AtomicWaker;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::oneshot;

/// Answers many keys at once.
pub trait Batch<K, V>: Send + Sync + 'static {
    /// The answers of these keys, each of which is there once.
    fn load(&self, keys: &[K]) -> impl Future<Output = HashMap<K, V>> + Send;
}

/// Answers keys in batches, and each key once.
pub struct Loader<K, V, B> {
    gate: Arc<Gate>,
    batch: Arc<B>,
    state: Mutex<State<K, V>>,
}

/// Any of those who wait for it drives it on, so that it goes on when others are dropped.
type Answers<K, V> = Shared<BoxFuture<'static, Arc<HashMap<K, V>>>>;

/// Keys of a batch.
type Gathered<K> = Arc<Mutex<Vec<K>>>;

struct State<K, V> {
    asked: HashMap<K, Answers<K, V>>,
    /// The newest batch, and the round in which it can be joined.
    newest: Option<(usize, Gathered<K>, Answers<K, V>)>,
}

impl<K, V, B> Loader<K, V, B>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    B: Batch<K, V>,
{
    /// A loader that has loaded nothing yet.
    pub fn new(gate: &Arc<Gate>, batch: B) -> Self {
        let state = Mutex::new(State { asked: HashMap::new(), newest: None });
        Self { gate: gate.clone(), batch: Arc::new(batch), state }
    }

    /// The answer of a key.
    pub async fn load(&self, key: K) -> Result<V> {
        let answers = self.ask(&key).await;
        answers.get(&key).cloned().ok_or_else(|| Error::Internal("a batch left out a key".into()))
    }

    /// The batch that the key is in, or joins now.
    fn ask(&self, key: &K) -> Answers<K, V> {
        let mut state = held(&self.state);
        if let Some(answers) = state.asked.get(key) {
            return answers.clone();
        }
        let round = self.gate.round.load(Ordering::Acquire);
        let joined = state.newest.as_ref().filter(|newest| newest.0 == round).map(|(_, gathered, answers)| {
            held(gathered).push(key.clone());
            answers.clone()
        });
        let answers = joined.unwrap_or_else(|| {
            let gathered = Arc::new(Mutex::new(vec![key.clone()]));
            let answers = run(self.gate.wait(), self.batch.clone(), gathered.clone()).boxed().shared();
            state.newest = Some((round, gathered, answers.clone()));
            answers
        });
        state.asked.insert(key.clone(), answers.clone());
        answers
    }
}

async fn run<K, V, B: Batch<K, V>>(
    leave: oneshot::Receiver<Journey>,
    batch: Arc<B>,
    gathered: Gathered<K>,
) -> Arc<HashMap<K, V>> {
    // Without a gate that lets batches out nothing is gathered, yet all is answered.
    let _journey = leave.await;
    let keys = std::mem::take(&mut *held(&gathered));
    Arc::new(batch.load(&keys).await)
}

/// Where the batches of a request wait for each other.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: Mutex<Vec<oneshot::Sender<Journey>>>,
    /// How often the gate was opened. What was let out is joined no more, even while it has yet to start.
    round: AtomicUsize,
    under_way: Arc<AtomicUsize>,
}

/// A batch that is under way; it ends when this is dropped.
#[derive(Debug)]
struct Journey(Arc<AtomicUsize>);

impl Drop for Journey {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    fn wait(&self) -> oneshot::Receiver<Journey> {
        let (sender, receiver) = oneshot::channel();
        held(&self.waiting).push(sender);
        receiver
    }

    /// Lets all waiting batches out, unless some are under way; tells whether any were.
    fn open(&self) -> bool {
        if self.under_way.load(Ordering::Acquire) > 0 {
            return false;
        }
        let waiting = std::mem::take(&mut *held(&self.waiting));
        let any = !waiting.is_empty();
        self.round.fetch_add(1, Ordering::AcqRel);
        for batch in waiting {
            self.under_way.fetch_add(1, Ordering::AcqRel);
            // Nobody may wait any more; then the journey ends here.
            drop(batch.send(Journey(self.under_way.clone())));
        }
        any
    }

    /// Runs what asks the loaders, and opens the gate whenever that cannot go on.
    pub async fn drive<F: Future>(&self, future: F) -> F::Output {
        /// A self-waking future could otherwise keep its thread for ever.
        const MOST_POLLS: usize = 1_000;
        let mut future = pin!(future);
        let signal = Arc::new(Signal::default());
        let waker = Waker::from(signal.clone());
        poll_fn(move |cx| {
            signal.task.register(cx.waker());
            for _ in 0..MOST_POLLS {
                signal.woken.store(false, Ordering::Release);
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
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

/// The extension that lets the loaders of a request gather.
#[derive(Clone, Copy, Debug)]
pub struct Gathering;

impl ExtensionFactory for Gathering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Gathering {
    async fn execute(&self, ctx: &ExtensionContext<'_>, name: Option<&str>, next: NextExecute<'_>) -> Response {
        match ctx.data_opt::<Session>() {
            Some(session) => session.loaders.gate.drive(next.run(ctx, name)).await,
            None => next.run(ctx, name).await,
        }
    }
}
