//! Reading the objects of one kind, and keeping them page by page.
use super::report::OfKind;
use super::{Order, Stopped};
use crate::app::{App, Tries};
use crate::client::netbox::{NetBox, Odd, Which};
use crate::error::{Error, Result};
use crate::service::Tx;
use crate::service::netbox::state::{self, Lease};
use crate::service::netbox::{Mirrored, mirror};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;

/// What NetBox changed that long before the latest change seen is read again: of two writers the earlier may come later.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// A pass through NetBox.
pub(super) struct Pass<'a> {
    pub app: &'a App,
    pub netbox: &'a NetBox,
    pub lease: &'a Lease,
    pub order: &'a Order,
    pub begun: DateTime<Utc>,
}

/// How a pass through a kind ended.
pub(super) struct Passed {
    /// The latest change that was seen, by NetBox's clock.
    pub latest: Option<DateTime<Utc>>,
    /// Whether everything was seen that was to be seen.
    pub complete: bool,
}

impl Pass<'_> {
    /// Reads what changed since then, or everything; and all ids, if a sweep is due.
    pub async fn of<M: Mirrored>(
        &self,
        since: Option<DateTime<Utc>>,
        sweep: bool,
        report: &mut OfKind,
    ) -> Result<Passed, Stopped> {
        let which = since.map_or(Which::All, |since| Which::Since(since - OVERLAP));
        let all = which == Which::All;
        let mut pages = M::pages(self.netbox, which);
        let (mut latest, mut seen) = (None, HashSet::new());
        while let Some(page) = pages.next().await? {
            latest = page.rows.iter().filter_map(M::changed_at).max().max(latest);
            seen.extend(page.rows.iter().map(M::id_of));
            note_odd(&page.odd, &mut seen, report);
            self.keep::<M>(&page.rows, report).await?;
        }
        let mut complete = pages.is_complete();
        if sweep {
            if !all {
                (seen, complete) = self.ids::<M>().await?;
            }
            if complete {
                self.absent::<M>(&seen, report).await?;
            } else {
                report
                    .odd
                    .push("the list changed while it was read; what it lacks is looked for in the next sweep".into());
            }
        }
        Ok(Passed { latest, complete })
    }

    /// All ids, and whether they are all there are.
    async fn ids<M: Mirrored>(&self) -> Result<(HashSet<i32>, bool), Stopped> {
        let mut pages = M::ids(self.netbox);
        let mut seen = HashSet::new();
        let mut odd = OfKind::default();
        while let Some(page) = pages.next().await? {
            seen.extend(page.rows.iter().map(|row| row.id));
            note_odd(&page.odd, &mut seen, &mut odd);
        }
        Ok((seen, pages.is_complete()))
    }

    async fn keep<M: Mirrored>(&self, answers: &[M::Answer], report: &mut OfKind) -> Result<()> {
        let mut tries = Tries::default();
        let kept = loop {
            let kept = async {
                let mut tx = self.begin().await?;
                let kept = mirror::keep::<M>(&mut tx, answers).await?;
                tx.commit().await?;
                Ok(kept)
            };
            let kept = kept.await;
            if !matches!(kept, Err(Error::Contention)) || !tries.again().await {
                break kept?;
            }
        };
        report.seen += kept.seen;
        report.created += kept.created;
        report.changed += kept.changed;
        report.odd.extend(kept.odd);
        Ok(())
    }

    /// Marks what a complete sweep lacks, and removes what counts as deleted.
    async fn absent<M: Mirrored>(&self, seen: &HashSet<i32>, report: &mut OfKind) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let rows = mirror::rows::<M>(&self.app.db).await?;
            let found = mirror::absences(rows, seen, self.begun, self.order.delete_many);
            let marked = async {
                let mut tx = self.begin().await?;
                mirror::mark(&mut tx, &found).await?;
                tx.commit().await
            };
            let marked = marked.await;
            if !matches!(marked, Err(Error::Contention)) || !tries.again().await {
                marked?;
                report.missing = found.missing;
                report.deleted = found.gone.len();
                report.held = found.held;
                report.unknown = found.unknown;
                return Ok(());
            }
        }
    }

    /// A transaction that is refused if another process has the right meanwhile.
    async fn begin(&self) -> Result<Tx> {
        let tx = self.app.begin(self.order.actor.clone()).await?;
        state::renew(&tx, self.lease).await?;
        Ok(tx)
    }
}

/// A row that cannot be read is there all the same.
fn note_odd(odd: &[Odd], seen: &mut HashSet<i32>, report: &mut OfKind) {
    seen.extend(odd.iter().filter_map(|odd| odd.id).filter_map(|id| i32::try_from(id).ok()));
    report.odd.extend(odd.iter().map(|odd| {
        let id = odd.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        format!("{id}: {}", odd.reason)
    }));
}
