//! What a client may do, and how long.
use std::time::Duration;

/// What a client may connect to, how long it waits, and how much it takes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether plain HTTP is allowed.
    pub allow_http: bool,
    /// Whether this machine itself may be connected to.
    pub allow_loopback: bool,
    /// Until a connection is there: name, TCP and TLS together.
    pub connect: Duration,
    /// For one answer of the server that is asked.
    pub local: Duration,
    /// For one answer that a node of Proxmox fetches from another one, for which it waits 30 s itself.
    pub proxied: Duration,
    /// For a call with all its attempts; a call that takes long by itself has as much as one attempt needs.
    pub call_budget: Duration,
    /// For all calls of a client of Proxmox together, from its first one on.
    pub run_budget: Duration,
    /// The largest body of an answer, in bytes.
    pub body: usize,
    /// The longest pause before the second attempt; three times that before the third.
    pub retry_base: Duration,
    /// The age from which a ticket is renewed; Proxmox' tickets live for two hours.
    pub ticket: Duration,
}

impl Rules {
    /// Those of a NetBox, whose address the operator wrote: it may be at this machine and without TLS, an answer of many
    /// rows has 30 s, and a call with its attempts 60 s.
    pub fn netbox() -> Self {
        Self {
            allow_http: true,
            allow_loopback: true,
            local: Duration::from_secs(30),
            call_budget: Duration::from_secs(60),
            ..Self::default()
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_loopback: false,
            connect: Duration::from_secs(5),
            local: Duration::from_secs(15),
            proxied: Duration::from_secs(35),
            call_budget: Duration::from_secs(30),
            run_budget: Duration::from_secs(60),
            body: 16 << 20,
            retry_base: Duration::from_millis(500),
            ticket: Duration::from_secs(3600),
        }
    }
}
