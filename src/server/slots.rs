//! How many connections there may be, and how many of them of one client.
use crate::auth::block;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Room for connections.
#[derive(Debug)]
pub struct Slots {
    most: usize,
    most_each: usize,
    open: Mutex<Open>,
    /// How many there are, for the operator.
    shown: Gauge,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// Why there is no room for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// For nobody.
    Overall,
    /// For this client.
    Client,
}

/// Room that a connection takes until it ends.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    /// None for a proxy, which speaks for many.
    client: Option<IpAddr>,
}

impl Slots {
    pub fn new(most: usize, most_each: usize, shown: Gauge) -> Arc<Self> {
        Arc::new(Self { most, most_each, open: Mutex::default(), shown })
    }

    /// Room for a connection of this client, if there is any. A trusted proxy may take all that there is.
    pub fn take(self: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Result<Slot, Full> {
        let mut open = self.open();
        if open.all >= self.most {
            return Err(Full::Overall);
        }
        let client = (!is_proxy).then(|| block(peer));
        if let Some(client) = client {
            let count = open.by_client.entry(client).or_default();
            if *count >= self.most_each {
                return Err(Full::Client);
            }
            *count += 1;
        }
        open.all += 1;
        self.shown.inc();
        Ok(Slot { slots: self.clone(), client })
    }

    /// Nobody panics while holding this.
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open();
        open.all -= 1;
        self.slots.shown.dec();
        if let Some(client) = self.client
            && let Some(count) = open.by_client.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                open.by_client.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_client_has_its_share_and_gives_it_back() {
        let slots = Slots::new(3, 2, Gauge::default());
        let one = address("192.0.2.1");
        let first = slots.take(one, false).expect("room");
        let second = slots.take(address("::ffff:192.0.2.1"), false).expect("room");
        assert_eq!(slots.take(one, false).expect_err("its share is taken"), Full::Client);
        let proxy = slots.take(one, true).expect("a proxy's share is everything");
        assert_eq!(slots.take(address("192.0.2.2"), false).expect_err("all is taken"), Full::Overall);
        drop((first, proxy));
        let again = slots.take(one, false).expect("room");
        drop((second, again));
        let open = slots.open();
        assert_eq!((open.all, open.by_client.len()), (0, 0));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let slots = Slots::new(10, 1, Gauge::default());
        let _first = slots.take(address("2001:db8::1"), false).expect("room");
        assert_eq!(slots.take(address("2001:db8::ffff:1"), false).expect_err("the same"), Full::Client);
        assert!(slots.take(address("2001:db8:0:1::1"), false).is_ok(), "another one");
    }
}
