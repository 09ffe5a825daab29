//! Filling the topology from Proxmox: observe → judge → diff → apply → report.
//!
//! [`observe`] asks an endpoint, [`judge`] says what may be believed of the answers, [`diff`] says what differs from the
//! rows, `apply` writes it in one transaction, and `report` tells about it. [`run`] does this for the endpoints of one
//! cluster, [`schedule`] when they are due.
mod apply;
pub mod check;
pub mod diff;
pub mod judge;
pub mod observe;
pub mod report;
pub mod run;
pub mod schedule;
pub mod seen;
pub mod snapshot;
pub mod target;

use crate::app::App;
use crate::entity::{endpoint, sync_run};
use crate::error::{Error, Result};
use crate::service::{Actor, endpoint as endpoints, sync_run as runs};
use run::{Member, Order, queue, unit};
use snapshot::Policy;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Starts a run of each of these endpoints in the background, and returns the runs as they are written down. A disabled
/// endpoint is refused.
pub async fn start(app: &App, actor: &Actor, ids: &[i32], dry_run: bool) -> Result<Vec<sync_run::Model>> {
    let order = Order::new(actor.clone(), dry_run, policy(app, false));
    let (queued, groups) = prepare(app, &order, ids).await?;
    for members in groups {
        run_group(app, &order, members);
    }
    Ok(queued)
}

/// Runs these endpoints to their end, and returns their runs as they ended.
pub async fn finish(
    app: &App,
    actor: &Actor,
    ids: &[i32],
    dry_run: bool,
    delete_many: bool,
) -> Result<Vec<sync_run::Model>> {
    begin(app, actor, ids, dry_run, delete_many).await?.end(app).await
}

/// Starts a run of each of these endpoints, for somebody who waits for them.
pub async fn begin(app: &App, actor: &Actor, ids: &[i32], dry_run: bool, delete_many: bool) -> Result<Begun> {
    let order = Order::new(actor.clone(), dry_run, policy(app, delete_many));
    let (queued, groups) = prepare(app, &order, ids).await?;
    let tasks = groups.into_iter().map(|members| run_group(app, &order, members)).collect();
    Ok(Begun { runs: queued.iter().map(|run| run.id).collect(), tasks })
}

/// Runs that go on, and those who wait for them.
#[derive(Debug)]
pub struct Begun {
    /// Their ids, in the order in which they were written down.
    pub runs: Vec<i32>,
    tasks: Vec<JoinHandle<Vec<i32>>>,
}

impl Begun {
    /// Waits for their end; the runs as they ended, with those of other endpoints that took over. Whoever gives up waiting
    /// can go on later.
    pub async fn end(&mut self, app: &App) -> Result<Vec<sync_run::Model>> {
        while let Some(task) = self.tasks.last_mut() {
            let ended = task.await;
            self.tasks.pop();
            let ended = ended.map_err(|error| Error::Internal(format!("a run broke: {error}")))?;
            self.runs.extend(ended);
        }
        runs::by_ids(&app.db, &self.runs).await
    }

    /// Stops them where they stand: what is not committed is not done, and the right to the endpoints is free again.
    pub async fn stop(mut self, app: &App) -> Result<Vec<sync_run::Model>> {
        self.tasks.iter().for_each(JoinHandle::abort);
        while let Some(task) = self.tasks.pop() {
            // That it was stopped is no news.
            drop(task.await);
        }
        give_up(app, &self.runs).await?;
        runs::by_ids(&app.db, &self.runs).await
    }
}

async fn prepare(app: &App, order: &Order, ids: &[i32]) -> Result<(Vec<sync_run::Model>, Vec<Vec<Member>>)> {
    for id in ids {
        let row = endpoints::by_id(&app.db, *id).await?;
        if !row.enabled {
            return Err(Error::Conflict(format!("the endpoint {} is disabled; enable it first", row.name)));
        }
    }
    let mut queued = Vec::new();
    let mut groups = groups(app, ids).await?;
    for member in groups.iter_mut().flatten().filter(|member| ids.contains(&member.endpoint.id)) {
        let run = queue(app, order, &member.endpoint).await?;
        queued.push(run.clone());
        member.run = Some(run);
    }
    queued.sort_by_key(|run| run.id);
    Ok((queued, groups))
}

/// These endpoints with the other enabled ones of the same clusters: a group each, those that are asked for first.
async fn groups(app: &App, ids: &[i32]) -> Result<Vec<Vec<Member>>> {
    let states = runs::states(&app.db).await?.into_iter();
    let clusters = states.map(|state| (state.endpoint_id, (state.identity, state.cluster)));
    let clusters = clusters.collect::<HashMap<_, _>>();
    // An endpoint whose cluster is unknown is a group by itself.
    let key = |row: &endpoint::Model| match clusters.get(&row.id) {
        Some((identity, name)) if !identity.is_empty() && !name.is_empty() => (identity.clone(), name.clone()),
        _ => (String::new(), row.id.to_string()),
    };
    let mut groups: BTreeMap<(String, String), Vec<Member>> = BTreeMap::new();
    for endpoint in endpoints::list(&app.db).await?.into_iter().filter(|row| row.enabled) {
        groups.entry(key(&endpoint)).or_default().push(Member { endpoint, run: None });
    }
    let mut wanted = groups.into_values().collect::<Vec<_>>();
    wanted.retain(|group| group.iter().any(|member| ids.contains(&member.endpoint.id)));
    for group in &mut wanted {
        group.sort_by_key(|member| (!ids.contains(&member.endpoint.id), member.endpoint.id));
    }
    Ok(wanted)
}

/// Runs a group in the background, when there is room for it. When the program ends, it has a little time left, and is
/// stopped then where it stands.
fn run_group(app: &App, order: &Order, members: Vec<Member>) -> JoinHandle<Vec<i32>> {
    const GRACE: Duration = Duration::from_secs(10);
    let (app, order) = (app.clone(), order.clone());
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        let runs = members.iter().filter_map(|member| member.run.as_ref()).map(|run| run.id).collect::<Vec<_>>();
        let work = async {
            // Closed never.
            let _room = app.syncing.acquire().await;
            unit(&app, &order, members).await
        };
        let ending = async {
            app.ending.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = work => return ended,
            () = ending => {}
        }
        if let Err(error) = give_up(&app, &runs).await {
            tracing::error!("that runs were stopped could not be written down, which is made good later: {error}");
        }
        runs
    })
}

/// Writes down that this program's runs end where they stand.
async fn give_up(app: &App, ids: &[i32]) -> Result<()> {
    let tx = app.begin(Actor::program("sync")).await?;
    runs::abandon(&tx, &app.holder, ids).await?;
    tx.commit().await.map(drop)
}

fn policy(app: &App, delete_many: bool) -> Policy {
    let set = &app.settings.sync;
    Policy { stale_runs: set.stale_runs, stale_after: set.stale_after, delete_after: set.delete_after, delete_many }
}
