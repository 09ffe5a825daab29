//! So many a minute of each: token buckets, with which no stranger can fill the memory. The crates for this take one or
//! tell that there is none; a failed attempt has to be charged when it has failed.
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// What the operator allows a minute; none = as many as come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests of each token.
    pub token: Option<NonZeroU32>,
    /// Failed attempts to authenticate of each client.
    pub failed_auth: Option<NonZeroU32>,
}

/// How much of the limits is used up, in this process.
#[derive(Debug)]
pub struct Rates {
    /// Requests, by the id of their token.
    pub tokens: Option<Buckets<i32>>,
    /// Failed attempts, by the address that stands for the client.
    pub failures: Option<Buckets<IpAddr>>,
    /// Which tokens, by their digest, were let in lately, and for which client.
    pub known: Mutex<Fading<(IpAddr, String)>>,
}

impl Rates {
    /// With nothing used up.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self {
            tokens: limits.token.map(|most| Buckets::new(Rate::steady(most))),
            failures: limits.failed_auth.map(|most| Buckets::new(Rate::at_once(most))),
            known: Mutex::default(),
        }
    }
}

/// So many a minute, of which some may come at once.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_minute: u32,
    at_once: u32,
}

impl Rate {
    /// Those of ten seconds at once, or ten: a page in a browser asks for several things when it opens.
    fn steady(most: NonZeroU32) -> Self {
        const LEAST: u32 = 10;
        let per_minute = most.get();
        Self { per_minute, at_once: (per_minute / 6).max(LEAST).min(per_minute) }
    }

    /// All those of a minute at once.
    fn at_once(most: NonZeroU32) -> Self {
        Self { per_minute: most.get(), at_once: most.get() }
    }

    /// The time in which one more comes.
    fn each(self) -> Duration {
        MINUTE / self.per_minute
    }

    /// How long until one can be taken of a bucket that is full at this time; none if it can now.
    fn wait(self, full: Option<Instant>, now: Instant) -> Option<Duration> {
        let lacks = full?.saturating_duration_since(now);
        Some(lacks.saturating_sub(self.each() * (self.at_once - 1))).filter(|wait| !wait.is_zero())
    }

    /// When the bucket is full again with one less; a minute's worth of debt at most.
    fn less(self, full: Option<Instant>, now: Instant) -> Instant {
        let most = now + MINUTE + self.each() * self.at_once;
        (full.unwrap_or(now) + self.each()).min(most)
    }
}

/// A bucket for each key.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    /// When each bucket is full again, which is all there is to know of it; those that are full are forgotten.
    full: Fading<K>,
    /// The bucket that all share for whom there is no room.
    others: Option<Instant>,
    /// Who was told of lately.
    told: Fading<K>,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, state: Mutex::new(State { full: Fading::default(), others: None, told: Fading::default() }) }
    }

    /// How long until one can be taken; none if it can now.
    pub fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        self.rate.wait(locked(&self.state).full(key, now), now)
    }

    /// Takes one, or tells how long until one can be taken.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut state = locked(&self.state);
        match self.rate.wait(state.full(&key, now), now) {
            Some(wait) => Err(wait),
            None => {
                state.charge(key, self.rate, now);
                Ok(())
            }
        }
    }

    /// Takes one whether it is there or not: what lacks has to come in before the next one can be taken.
    pub fn charge(&self, key: K, now: Instant) {
        locked(&self.state).charge(key, self.rate, now);
    }

    /// Whether it is news that this key has to wait: once a minute.
    pub fn is_news(&self, key: K, now: Instant) -> bool {
        let mut state = locked(&self.state);
        state.told.get(&key, now).is_none() && state.told.put(key, now + MINUTE, now)
    }
}

impl<K: Eq + Hash> State<K> {
    /// When the bucket of this key is full; none if it is.
    fn full(&mut self, key: &K, now: Instant) -> Option<Instant> {
        match self.full.get(key, now) {
            None if !self.full.has_room(now) => self.others.filter(|full| *full > now),
            full => full,
        }
    }

    fn charge(&mut self, key: K, rate: Rate, now: Instant) {
        let full = rate.less(self.full(&key, now), now);
        if !self.full.put(key, full, now) {
            self.others = Some(full);
        }
    }
}

/// Keys that are kept until a time, and no more of them than there is room for.
#[derive(Debug)]
pub struct Fading<K> {
    until: HashMap<K, Instant>,
    /// When it is worth the while again to look for what can be forgotten.
    look: Option<Instant>,
}

impl<K> Default for Fading<K> {
    fn default() -> Self {
        Self { until: HashMap::new(), look: None }
    }
}

impl<K: Eq + Hash> Fading<K> {
    /// Keys at most: some megabytes.
    const MOST: usize = 1 << 16;

    /// Until when this key is kept; none if it is not.
    pub fn get(&self, key: &K, now: Instant) -> Option<Instant> {
        self.until.get(key).copied().filter(|until| *until > now)
    }

    /// Keeps a key until this time, if there is room; whether there was.
    pub fn put(&mut self, key: K, until: Instant, now: Instant) -> bool {
        let stays = self.until.contains_key(&key) || self.has_room(now);
        if stays {
            self.until.insert(key, until);
        }
        stays
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        self.until.remove(key);
    }

    fn has_room(&mut self, now: Instant) -> bool {
        const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
        if self.until.len() >= Self::MOST && self.look.is_none_or(|look| look <= now) {
            self.until.retain(|_, until| *until > now);
            self.look = Some(now + BETWEEN_LOOKS);
        }
        self.until.len() < Self::MOST
    }
}

/// What a lock holds: nothing here is left in halves by a panic.
pub fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
