//! The time that a request has, which stands still while its client sends the body.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The clock of one request.
#[derive(Clone, Debug)]
pub struct Clock {
    within: Duration,
    /// When the time is over; none while the clock stands still.
    end: Arc<Mutex<Option<Instant>>>,
}

impl Clock {
    /// A clock that runs.
    pub fn new(within: Duration) -> Self {
        Self { within, end: Arc::new(Mutex::new(Some(Instant::now() + within))) }
    }

    /// Waits for the client: the clock stands still, and begins anew afterwards.
    pub async fn wait_for<T>(&self, client: impl Future<Output = T>) -> T {
        *self.end() = None;
        let came = client.await;
        *self.end() = Some(Instant::now() + self.within);
        came
    }

    /// The work's result, or none if the time was over before.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let end = *self.end();
            let next = end.unwrap_or_else(|| Instant::now() + self.within);
            tokio::select! {
                biased;
                done = work.as_mut() => return Some(done),
                () = sleep_until(next) => {
                    if self.end().is_some_and(|end| end <= Instant::now()) {
                        return None;
                    }
                }
            }
        }
    }

    /// Nobody panics while holding this.
    fn end(&self) -> MutexGuard<'_, Option<Instant>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test]
    async fn only_work_counts() {
        let within = Duration::from_secs(1);
        let clock = Clock::new(within);
        let waiting = clock.clone();
        let work = async { waiting.wait_for(sleep(within * 2)).await };
        assert_eq!(clock.run(work).await, Some(()));
        assert_eq!(Clock::new(within).run(std::future::pending::<()>()).await, None);
    }
}
