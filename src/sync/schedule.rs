//! When endpoints are synced by themselves: one loop a server; the rows say what is due, so that several servers on one
//! database share the work.
use super::run::{FAILURES, Member};
use super::run::{Order, queue};
use super::{groups, policy, run_group, target};
use crate::app::App;
use crate::entity::{endpoint, sync_state};
use crate::error::Result;
use crate::service::{Actor, endpoint as endpoints, sync_run as runs};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the schedule looks for what is due.
const LOOK: Duration = Duration::from_secs(1);
/// When what a server took up is due again, should that server end; or after an interval, if that is shorter.
const AGAIN: TimeDelta = TimeDelta::minutes(3);
/// How often old runs are removed.
const CLEAN: Duration = Duration::from_secs(10 * 60);
/// The first run of an endpoint comes within this time, so that a restart does not ask all of them at once.
const FIRST: TimeDelta = TimeDelta::seconds(20);

/// The time between two runs of an endpoint; none = never.
pub fn interval(app: &App, endpoint: &endpoint::Model) -> Option<TimeDelta> {
    let set = endpoint
        .sync_interval
        .map_or(app.settings.sync.interval, |seconds| (seconds > 0).then(|| TimeDelta::seconds(seconds.into())));
    set.filter(|_| endpoint.enabled)
}

/// Starts what is due, until told to stop.
pub async fn keep(app: App, stop: CancellationToken) {
    let keeping = async {
        let mut cleaned: Option<Instant> = None;
        loop {
            if cleaned.is_none_or(|at| at.elapsed() >= CLEAN) {
                cleaned = Some(Instant::now());
                if let Err(error) = keep_house(&app).await {
                    tracing::warn!("old runs could not be removed, which is tried again: {error}");
                }
            }
            if let Err(error) = look(&app).await {
                tracing::warn!("the schedule could not see what is due, which is tried again: {error}");
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! { () = keeping => {}, () = stop.cancelled() => {} }
}

async fn look(app: &App) -> Result<()> {
    let now = Utc::now();
    let states = runs::states(&app.db).await?.into_iter().map(|state| (state.endpoint_id, state));
    let states = states.collect::<HashMap<_, _>>();
    let rows = endpoints::list(&app.db).await?;
    let mut due = Vec::new();
    for row in &rows {
        let Some(interval) = interval(app, row) else { continue };
        let state = states.get(&row.id).cloned().unwrap_or_else(|| runs::blank(row.id));
        let busy = state.holder.is_some() && state.expires_at.is_some_and(|at| at >= now);
        // A suspension ends when the operator changed what it is about.
        let suspended = state.suspended && state.credentials == target::credentials_mark(row);
        if busy || suspended {
            continue;
        }
        match state.next_at {
            Some(at) if at <= now || is_late(&state, at, interval, now) => due.push(row.id),
            Some(_) => {}
            None if state.suspended => due.push(row.id),
            None => put_off(app, row.id, now).await?,
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    start(app, &due, &states, now).await
}

/// Whether a shorter interval was set meanwhile, which counts at once; a longer one does from the next run on.
fn is_late(state: &sync_state::Model, at: DateTime<Utc>, interval: TimeDelta, now: DateTime<Utc>) -> bool {
    // An endpoint that keeps failing is put off for good reason.
    let planned_longer = state.failures < FAILURES && at > now + interval * 6 / 5;
    planned_longer && state.last_at.is_none_or(|last| last + interval <= now)
}

async fn put_off(app: &App, endpoint: i32, now: DateTime<Utc>) -> Result<()> {
    let wait = TimeDelta::milliseconds(rand::random_range(0..=FIRST.num_milliseconds()));
    let tx = app.begin(Actor::program("schedule")).await?;
    runs::schedule(&tx, endpoint, now + wait).await?;
    tx.commit().await.map(drop)
}

/// Runs what is due, with all scheduled endpoints of the same cluster, so that the first healthy one speaks for it.
async fn start(app: &App, due: &[i32], states: &HashMap<i32, sync_state::Model>, now: DateTime<Utc>) -> Result<()> {
    let order = Order::new(Actor::program("schedule"), false, policy(app, false));
    for mut group in groups(app, due).await? {
        group.sort_by_key(|member| member.endpoint.id);
        let mut members = Vec::new();
        for member in group {
            let Some(interval) = interval(app, &member.endpoint) else {
                members.push(member);
                continue;
            };
            let seen = states.get(&member.endpoint.id).and_then(|state| state.next_at);
            if !take_up(app, member.endpoint.id, seen, now + interval.min(AGAIN)).await? {
                continue;
            }
            let run = queue(app, &order, &member.endpoint).await?;
            members.push(Member { run: Some(run), ..member });
        }
        // Those without a schedule stand by for the others only.
        if members.iter().any(|member| member.run.is_some()) {
            run_group(app, &order, members);
        }
    }
    Ok(())
}

/// Of several servers that see what is due one takes it up.
async fn take_up(app: &App, endpoint: i32, seen: Option<DateTime<Utc>>, again: DateTime<Utc>) -> Result<bool> {
    let tx = app.begin(Actor::program("schedule")).await?;
    let taken = runs::take_up(&tx, endpoint, seen, again).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Runs that are removed in one go, so that nobody waits long for the writer.
const STEP: u64 = 200;

/// Marks runs whose process is gone, and removes old ones.
async fn keep_house(app: &App) -> Result<()> {
    let tx = app.begin(Actor::program("retention")).await?;
    runs::interrupt_orphans(&tx).await?;
    runs::prune(&tx, Utc::now() - app.settings.sync.keep_runs, STEP).await?;
    tx.commit().await.map(drop)
}
