//! What is announced after a commit: the newest revision. Who wants the changes themselves reads them from the log,
//! which has them in commit order; announcements may overtake each other.
use tokio::sync::watch;

/// Tells everybody in this process that something was committed.
#[derive(Clone, Debug)]
pub struct Events(watch::Sender<i64>);

impl Events {
    /// Starts at the revision that the database has.
    pub fn new(revision: i64) -> Self {
        Self(watch::Sender::new(revision))
    }

    /// Announces a committed revision; an older one than the newest is no news.
    pub fn announce(&self, revision: i64) {
        self.0.send_if_modified(|newest| {
            let news = revision > *newest;
            *newest = revision.max(*newest);
            news
        });
    }

    /// The newest revision announced here, and a way to wait for the next.
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.0.subscribe()
    }
}
