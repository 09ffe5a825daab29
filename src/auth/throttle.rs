//! Who asks too often: failed attempts by client, requests by token.
//!
//! A client with too many failed attempts is refused before the database is asked, whatever it sends: were right tokens
//! let in, it could go on guessing. Tokens that were let in for this client within the last hour are excepted, so that
//! one bad script behind an address that many share does not lock the others out.
//!
//! A failure is charged when it is one. So attempts of the same moment are all tried, and owed for: no more than a client
//! has connections. Whoever opens many at once with right tokens does not wait.
use super::Denied;
use crate::app::App;
use crate::error::Result;
use crate::metrics::Reason;
use crate::rate::locked;
use crate::service::token::Plain;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How long a token counts as known after it was let in.
const KNOWN: Duration = Duration::from_secs(60 * 60);

/// Somebody who sent credentials, whether they can be read or not.
pub(super) struct Attempt<'a> {
    app: &'a App,
    client: IpAddr,
    /// The token by its digest, if there is one, and if it matters.
    token: Option<String>,
    now: Instant,
}

impl<'a> Attempt<'a> {
    /// Lets an attempt begin, or refuses it.
    pub(super) fn begin(app: &'a App, client: IpAddr, token: Option<Plain<'_>>) -> Result<Result<Self, Denied>> {
        let Some(failures) = &app.rates.failures else {
            return Ok(Ok(Self { app, client, token: None, now: Instant::now() }));
        };
        let token = token.map(|token| token.digest(&app.pepper)).transpose()?;
        let attempt = Self { app, client: block(client), token, now: Instant::now() };
        Ok(match failures.wait(&attempt.client, attempt.now) {
            Some(wait) if !attempt.is_known() => {
                let is_news = failures.is_news(attempt.client, attempt.now);
                Err(attempt.throttled("failed_auth", wait, is_news.then(|| format!("client {}", attempt.client))))
            }
            _ => Ok(attempt),
        })
    }

    /// The credentials were wrong.
    pub(super) fn fail(self) {
        let Self { app, client, token, now } = self;
        if let Some(failures) = &app.rates.failures {
            failures.charge(client, now);
        }
        if let Some(token) = token {
            locked(&app.rates.known).remove(&(client, token));
        }
    }

    /// The credentials were right: those of the token with this id, who may have asked too often.
    pub(super) fn succeed(self, id: i32) -> Result<(), Denied> {
        if let Some(token) = &self.token {
            locked(&self.app.rates.known).put((self.client, token.clone()), self.now + KNOWN, self.now);
        }
        let Some(tokens) = &self.app.rates.tokens else { return Ok(()) };
        tokens.take(id, self.now).map_err(|wait| {
            let is_news = tokens.is_news(id, self.now);
            self.throttled("token", wait, is_news.then(|| format!("token {id}")))
        })
    }

    fn is_known(&self) -> bool {
        let known = locked(&self.app.rates.known);
        self.token.as_ref().is_some_and(|token| known.get(&(self.client, token.clone()), self.now).is_some())
    }

    fn throttled(&self, reason: &'static str, wait: Duration, news: Option<String>) -> Denied {
        self.app.metrics.throttled.get_or_create(&Reason { reason }).inc();
        if let Some(who) = news {
            tracing::warn!("{who} asks more often than PROXBOX_RATE_{} allows", reason.to_uppercase());
        }
        // Whole seconds, and never none.
        Denied::Throttled { seconds: wait.as_secs() + u64::from(wait.subsec_nanos() > 0) }
    }
}

/// What stands for a client: its address, or the /64 of it, since who has one IPv6 address has all of those.
pub fn block(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_count_by_address_or_by_64() {
        let block = |text: &str| block(text.parse().expect("an address")).to_string();
        assert_eq!(block("192.0.2.1"), "192.0.2.1");
        assert_eq!(block("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(block("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(block("2001:db8:1:2::"), "2001:db8:1:2::");
        assert_ne!(block("2001:db8:1:3::"), "2001:db8:1:2::");
    }
}
