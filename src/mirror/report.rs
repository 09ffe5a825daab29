//! What a reading of NetBox did.
use chrono::{DateTime, Utc};

/// What a reading of NetBox did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub begun: DateTime<Utc>,
    /// Whether everything was read, not just what changed.
    pub full: bool,
    /// Whether all ids were read, to see what is gone.
    pub swept: bool,
    pub clusters: OfKind,
    pub devices: OfKind,
    /// The class of what NetBox failed to tell, and the words for people; what was kept before stays.
    pub class: Option<String>,
    pub error: Option<String>,
}

/// What it did with the objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfKind {
    /// Objects that NetBox told of.
    pub seen: usize,
    pub created: usize,
    pub changed: usize,
    /// Objects that the sweep lacked, and that may come back.
    pub missing: usize,
    /// Objects that two complete sweeps lacked, which are removed.
    pub deleted: usize,
    /// Objects that would be removed, were they not so many.
    pub held: usize,
    /// References made by hand that NetBox does not show.
    pub unknown: Vec<i32>,
    /// What could not be kept, and why.
    pub odd: Vec<String>,
}

/// So many oddities are named in the log.
const MOST_NAMED: usize = 10;

impl Report {
    /// Whether everything went well and nothing waits for the operator.
    pub fn is_good(&self) -> bool {
        self.error.is_none() && self.kinds().iter().all(|(_, kind)| kind.held == 0)
    }

    /// Both kinds, with their names.
    pub fn kinds(&self) -> [(&'static str, &OfKind); 2] {
        [("clusters", &self.clusters), ("devices", &self.devices)]
    }

    /// What waits for the operator, one sentence a kind.
    pub fn asks(&self) -> Vec<String> {
        let held = self.kinds().into_iter().filter(|(_, kind)| kind.held > 0);
        held.map(|(name, kind)| {
            format!(
                "two complete sweeps lacked {} {name}, more than 30 %: none is removed. If they are deleted in NetBox, \
                 say `netbox sync --delete-many`; if not, look at the token's permissions",
                kind.held
            )
        })
        .collect()
    }

    /// Tells the operator.
    pub(super) fn log(&self) {
        for (name, kind) in self.kinds() {
            let OfKind { seen, created, changed, missing, deleted, .. } = kind;
            if created + changed + deleted + missing > 0 {
                tracing::info!(seen, created, changed, missing, deleted, "NetBox's {name}");
            }
            for odd in kind.odd.iter().take(MOST_NAMED) {
                tracing::warn!("of NetBox's {name} one cannot be kept: {odd}");
            }
        }
        for ask in self.asks() {
            tracing::warn!("{ask}");
        }
        if let Some(error) = &self.error {
            tracing::warn!("NetBox could not be read, its mirror stays as it is, and it is tried again: {error}");
        }
    }
}
