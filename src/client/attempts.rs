//! One call in several attempts, and in bounded time.
use super::failure::{Class, Failure};
use super::wire::Broken;
use std::time::Duration;
use tokio::time::Instant;

/// What bounds a call.
#[derive(Debug)]
pub(super) struct Bounds {
    /// For one attempt.
    pub attempt: Duration,
    /// When the last attempt must have ended …
    pub until: Instant,
    /// … and how it is told that there is no time for any.
    pub over: String,
    /// The longest pause before the second attempt; three times that before the third.
    pub retry_base: Duration,
}

/// Tries as often as it makes sense, and counts the attempts. `again` is told why before each further one.
pub(super) async fn tried<T, F>(
    bounds: &Bounds,
    attempts: &mut u32,
    once: impl Fn() -> F,
    again: impl Fn(&Failure),
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Broken>>,
{
    loop {
        let left = bounds.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::new(Class::Timeout, &bounds.over));
        }
        *attempts += 1;
        let broken = match in_time(once(), bounds.attempt.min(left)).await {
            Ok(done) => return Ok(done),
            Err(broken) => broken,
        };
        let pause = pause(bounds.retry_base, *attempts).max(Duration::from_secs(broken.pause.into()));
        if *attempts >= broken.attempts || Instant::now() + pause >= bounds.until {
            return Err(broken.failure);
        }
        again(&broken.failure);
        tokio::time::sleep(pause).await;
    }
}

async fn in_time<T>(attempt: impl Future<Output = Result<T, Broken>>, within: Duration) -> Result<T, Broken> {
    let late = |_| Broken::for_good(Failure::new(Class::Timeout, format!("no whole answer within {within:?}")));
    tokio::time::timeout(within, attempt).await.map_err(late)?
}

/// A random part of the base, then of three times that: whoever waits for the same server does not come back at the same
/// time.
fn pause(base: Duration, attempts: u32) -> Duration {
    let longest = base * 3_u32.saturating_pow(attempts.saturating_sub(1));
    longest.mul_f64(rand::random::<f64>())
}
