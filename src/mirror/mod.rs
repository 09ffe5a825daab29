//! The mirror of NetBox: its clusters and devices are read, never written, and kept as rows, so that everything is
//! answered without it. A full pass first, then what changed, and now and then all ids, to see what is gone.
mod pass;
mod report;
pub mod schedule;

pub use report::{OfKind, Report};

use crate::app::App;
use crate::client::netbox::{Failure, NetBox};
use crate::entity::{netbox_cluster, netbox_device, netbox_mirror};
use crate::error::{Error, Result};
use crate::service::netbox::state::{self, Lease};
use crate::service::{Actor, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use pass::Pass;
use std::sync::Arc;

/// What is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// What is due.
    Due,
    /// Everything.
    Full,
}

/// A reading of NetBox that somebody asked for.
#[derive(Clone, Debug)]
pub struct Order {
    pub actor: Actor,
    pub wanted: Wanted,
    /// Whether more than 30 % of the objects of a kind may count as deleted.
    pub delete_many: bool,
}

/// After this time everything is read anew: that a site or a tenant has another name changes no cluster or device.
const FULL: TimeDelta = TimeDelta::hours(24);
/// The longest pause after failures.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// The right to read NetBox, with the state as it was.
#[derive(Debug)]
pub struct Begun {
    netbox: Arc<NetBox>,
    lease: Lease,
    before: netbox_mirror::Model,
}

/// The client of the NetBox that is connected.
pub fn connected(app: &App) -> Result<Arc<NetBox>> {
    let none = || Error::Conflict("no NetBox is connected: set PROXBOX_NETBOX_URL and PROXBOX_NETBOX_TOKEN".into());
    app.netbox.clone().ok_or_else(none)
}

/// Takes the right to read NetBox; refused while another process has it.
pub async fn begin(app: &App) -> Result<Begun> {
    let netbox = connected(app)?;
    let tx = program(app).await?;
    let claimed = state::claim(&tx, &app.holder).await?;
    tx.commit().await?;
    let busy = || Error::Conflict("NetBox is being read at this moment; try again later".into());
    let (lease, before) = claimed.ok_or_else(busy)?;
    Ok(Begun { netbox, lease, before })
}

async fn program(app: &App) -> Result<Tx> {
    app.begin(Actor::program("netbox")).await
}

/// How it stands with the mirror; none if no NetBox is connected.
pub async fn state(app: &App) -> Result<Option<netbox_mirror::Model>> {
    match &app.netbox {
        Some(_) => state::read(&app.db).await.map(Some),
        None => Ok(None),
    }
}

/// Starts a reading in the background; refused while another one goes on.
pub async fn start(app: &App, order: Order) -> Result<()> {
    let begun = begin(app).await?;
    let program = app.clone();
    app.tasks.spawn(async move {
        let read = tokio::select! {
            read = finish(&program, begun, &order) => read.map(drop),
            () = program.ending.cancelled() => abandon(&program).await,
        };
        if let Err(error) = read {
            tracing::warn!("NetBox could not be read: {error}");
        }
    });
    Ok(())
}

/// Gives back what this process holds; for those that stop in the middle.
pub async fn abandon(app: &App) -> Result<()> {
    let tx = program(app).await?;
    state::abandon(&tx, &app.holder).await?;
    tx.commit().await.map(drop)
}

/// Reads what is wanted, keeps it, and gives the right back. What NetBox failed to tell is in the report, and changes
/// nothing.
pub async fn finish(app: &App, begun: Begun, order: &Order) -> Result<Report> {
    let Begun { netbox, lease, before } = begun;
    let now = Utc::now();
    let plan = Plan::of(&before, netbox.url(), order.wanted, app.settings.mirror.sweep, now);
    let mut report = Report { begun: now, full: plan.full, swept: plan.sweep, ..Report::default() };
    let mut learned = plan.known;
    let read = read(app, &netbox, &lease, order, (plan.full, plan.sweep), &mut learned, &mut report).await;
    learned.last_at = Some(Utc::now());
    let told = match read {
        Ok(()) => None,
        Err(Stopped::NetBox(failure)) => Some((failure.class.code().to_owned(), failure.to_string())),
        Err(Stopped::Here(error)) => {
            let next_at = Some(Utc::now() + pause(app.settings.mirror.interval.unwrap_or(FULL), 1));
            give_back(app, &lease, netbox_mirror::Model { next_at, ..before }).await?;
            return Err(error);
        }
    };
    (learned.last_class, learned.last_error) = told.clone().unzip();
    if told.is_none() {
        (learned.failures, learned.last_success_at) = (0, learned.last_at);
    } else {
        learned.failures = learned.failures.saturating_add(1);
    }
    learned.next_at = app.settings.mirror.interval.map(|interval| Utc::now() + pause(interval, learned.failures));
    report.error = learned.last_error.clone();
    report.class = learned.last_class.clone();
    give_back(app, &lease, learned).await?;
    report.log();
    Ok(report)
}

/// The time to the next attempt: longer after each failure in a row.
fn pause(interval: TimeDelta, failures: i32) -> TimeDelta {
    let longer = interval * 2_i32.saturating_pow(u32::try_from(failures).unwrap_or(0).min(10));
    if failures == 0 { interval } else { longer.min(LONGEST_PAUSE.max(interval)) }
}

async fn give_back(app: &App, lease: &Lease, learned: netbox_mirror::Model) -> Result<()> {
    let tx = program(app).await?;
    state::release(&tx, lease, learned).await?;
    tx.commit().await.map(drop)
}

/// What an attempt reads.
struct Plan {
    full: bool,
    sweep: bool,
    known: netbox_mirror::Model,
}

impl Plan {
    fn of(before: &netbox_mirror::Model, url: &str, wanted: Wanted, sweep: TimeDelta, now: DateTime<Utc>) -> Self {
        let mut known = before.clone();
        if known.url != url {
            if !known.url.is_empty() {
                tracing::warn!("another NetBox is mirrored now: {url} instead of {}", known.url);
            }
            (known.clusters_since, known.devices_since, known.full_at, known.version) = (None, None, None, None);
            known.url = url.to_owned();
        }
        let old = |at: Option<DateTime<Utc>>, limit: TimeDelta| at.is_none_or(|at| now - at >= limit);
        let full = wanted == Wanted::Full || old(known.full_at, FULL);
        // A full pass sees all ids.
        let sweep = full || old(known.swept_at, sweep);
        Self { full, sweep, known }
    }
}

/// Why reading stopped.
enum Stopped {
    /// NetBox did not tell.
    NetBox(Failure),
    /// Something went wrong here.
    Here(Error),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::NetBox(failure)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

async fn read(
    app: &App,
    netbox: &NetBox,
    lease: &Lease,
    order: &Order,
    (full, sweep): (bool, bool),
    learned: &mut netbox_mirror::Model,
    report: &mut Report,
) -> Result<(), Stopped> {
    learned.version = netbox.version().await?;
    let pass = Pass { app, netbox, lease, order, begun: report.begun };
    let since = learned.clusters_since.filter(|_| !full);
    let clusters = pass.of::<netbox_cluster::Model>(since, sweep, &mut report.clusters).await?;
    let since = learned.devices_since.filter(|_| !full);
    let devices = pass.of::<netbox_device::Model>(since, sweep, &mut report.devices).await?;
    learned.clusters_since = clusters.latest.max(learned.clusters_since);
    learned.devices_since = devices.latest.max(learned.devices_since);
    let complete = clusters.complete && devices.complete;
    if full && complete {
        learned.full_at = Some(report.begun);
    }
    if sweep {
        learned.complete = complete;
        learned.swept_at = Some(report.begun);
        let count = |held: usize| i32::try_from(held).unwrap_or(i32::MAX);
        learned.held_clusters = count(report.clusters.held);
        learned.held_devices = count(report.devices.held);
    }
    Ok(())
}
