//! One run over the endpoints of one cluster: the first healthy one feeds the rows, the next one takes over within the
//! run, and the others are only asked whether they are there.
mod ending;

use super::apply::{apply, snapshot};
use super::diff::diff;
use super::judge::{Judged, RunError, judge};
use super::observe::{Observation, observe};
use super::snapshot::{Plan, Policy, Snapshot};
use super::{report, target};
use crate::app::App;
use crate::client::proxmox::{Client, Failure};
use crate::entity::{RunStage, RunState, endpoint, sync_run, sync_state};
use crate::error::{Error, Result};
use crate::service::sync_run::{self as runs, Lease};
use crate::service::{Actor, endpoint as endpoints};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What a run of one endpoint may take in all.
const DEADLINE: Duration = Duration::from_secs(120);
/// How long a run waits for another one of the same endpoint.
const PATIENCE: Duration = Duration::from_secs(60);
/// The identity is read again when it is older than this.
const IDENTITY_AGE: TimeDelta = TimeDelta::hours(24);
/// Failed runs in a row after which an endpoint is asked less often.
pub(super) const FAILURES: i32 = 5;
/// The least time between runs of an endpoint that keeps failing.
const BACK_OFF: TimeDelta = TimeDelta::minutes(15);

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Order {
    pub actor: Actor,
    pub dry_run: bool,
    pub policy: Policy,
    /// What the plans of a dry run lead to: of two endpoints of one cluster that nobody knows yet the second one finds
    /// what the first one would have made.
    foreseen: Arc<Mutex<Vec<Snapshot>>>,
}

impl Order {
    /// What somebody asks for.
    pub fn new(actor: Actor, dry_run: bool, policy: Policy) -> Self {
        Self { actor, dry_run, policy, foreseen: Arc::default() }
    }
}

/// An endpoint of the cluster.
#[derive(Clone, Debug)]
pub struct Member {
    pub endpoint: endpoint::Model,
    /// Its run; none for one that stands by in case that the others fail.
    pub run: Option<sync_run::Model>,
}

/// What came of one endpoint.
struct Outcome {
    state: RunState,
    judged: Option<Judged>,
    plan: Plan,
    snapshot: Option<Snapshot>,
    errors: Vec<RunError>,
    notices: Vec<String>,
    calls: Value,
    revision: Option<i64>,
}

impl Outcome {
    fn new(state: RunState) -> Self {
        Self {
            state,
            judged: None,
            plan: Plan::default(),
            snapshot: None,
            errors: Vec::new(),
            notices: Vec::new(),
            calls: json!([]),
            revision: None,
        }
    }

    fn failed(error: RunError) -> Self {
        Self { errors: vec![error], ..Self::new(RunState::Failed) }
    }
}

/// A run that goes on.
struct Running<'a> {
    app: &'a App,
    order: &'a Order,
    endpoint: endpoint::Model,
    run: sync_run::Model,
    /// None for a dry run, which writes no rows.
    lease: Option<Lease>,
    state: sync_state::Model,
}

/// An endpoint that answered and cannot speak for all of its cluster.
struct Candidate<'a> {
    running: Running<'a>,
    observation: Observation,
    judged: Judged,
}

/// Runs over the endpoints of one cluster, in this order; the ids of the runs, with those that took over.
pub async fn unit(app: &App, order: &Order, members: Vec<Member>) -> Vec<i32> {
    let mut ids = Vec::new();
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let mut fed: Option<(String, Judged)> = None;
    for member in members {
        if fed.is_some() && member.run.is_none() {
            continue;
        }
        let name = member.endpoint.name.clone();
        let run = member.run.as_ref().map(|run| run.id);
        let running = match Running::begin(app, order, member).await {
            Ok(Some(running)) => running,
            Ok(None) => continue,
            Err(error) => {
                tracing::error!("the sync of {name} could not begin: {error}");
                if let Some(run) = run
                    && let Err(error) = ending::not_begun(app, order, run).await
                {
                    tracing::error!("nor could that be written down, which is made good later: {error}");
                }
                continue;
            }
        };
        ids.push(running.run.id);
        if let Some((feeder, _)) = &fed {
            running.stand_by(feeder).await;
            continue;
        }
        match running.look().await {
            Looked::Failed(failed) => failed.0.end(failed.1).await,
            Looked::Seen(candidate) if candidate.judged.is_healthy() => {
                fed = Some((name, candidate.judged.clone()));
                candidate.feed().await;
            }
            Looked::Seen(candidate) => candidates.push(*candidate),
        }
    }
    let mut candidates = candidates.into_iter();
    if fed.is_none()
        && let Some(best) = candidates.next()
    {
        fed = Some((best.running.endpoint.name.clone(), best.judged.clone()));
        best.feed().await;
    }
    if let Some((feeder, judged)) = fed {
        for candidate in candidates {
            candidate.yield_to(&feeder, &judged).await;
        }
    }
    ids
}

enum Looked<'a> {
    Failed(Box<(Running<'a>, Outcome)>),
    Seen(Box<Candidate<'a>>),
}

impl<'a> Running<'a> {
    /// Takes the right to sync the endpoint, waiting for whoever has it. None if it cannot be had: the run has ended then.
    async fn begin(app: &'a App, order: &'a Order, member: Member) -> Result<Option<Self>> {
        let run = match member.run {
            Some(run) => run,
            None => queue(app, order, &member.endpoint).await?,
        };
        let state = runs::state(&app.db, member.endpoint.id).await?;
        let mut running = Self { app, order, endpoint: member.endpoint, run, lease: None, state };
        if !order.dry_run {
            running.lease = running.claim().await?;
            if running.lease.is_none() {
                let error = RunError::new("timeout", "another run of this endpoint has been going on for too long");
                running.end(Outcome::failed(error)).await;
                return Ok(None);
            }
            running.state = runs::state(&app.db, running.endpoint.id).await?;
        }
        // What the operator changed while the run waited counts.
        match endpoints::by_id(&app.db, running.endpoint.id).await {
            Ok(row) if row.enabled => running.endpoint = row,
            Ok(_) => {
                running.end(Outcome::failed(RunError::new("internal", "the endpoint was disabled meanwhile"))).await;
                return Ok(None);
            }
            Err(error) => {
                running.end(Outcome::failed(RunError::new("internal", error.to_string()))).await;
                return Ok(None);
            }
        }
        running.advance(RunStage::Observe).await?;
        Ok(Some(running))
    }

    async fn claim(&self) -> Result<Option<Lease>> {
        let claimed = async {
            loop {
                match self.claim_once().await {
                    Ok(Some(lease)) => return Ok(Some(lease)),
                    // Whoever has it may be writing, and lets nobody look before it is done.
                    Ok(None) | Err(Error::Timeout | Error::Contention) => {}
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        tokio::time::timeout(PATIENCE, claimed).await.unwrap_or(Ok(None))
    }

    async fn claim_once(&self) -> Result<Option<Lease>> {
        let tx = self.app.begin(self.order.actor.clone()).await?;
        let lease = runs::claim(&tx, self.endpoint.id, &self.app.holder).await?;
        tx.commit().await?;
        Ok(lease)
    }

    async fn advance(&self, stage: RunStage) -> Result<()> {
        let tx = self.app.begin(self.order.actor.clone()).await?;
        runs::advance(&tx, self.run.id, stage).await?;
        tx.commit().await.map(drop)
    }

    /// Secrets that do not open are this server's trouble and not refused credentials, for which the schedule would
    /// wait for others.
    fn client(&self) -> std::result::Result<Client, RunError> {
        let client = target::client(self.app, &self.endpoint).map_err(|error| {
            tracing::error!("the secrets of {} cannot be opened: {error}", self.endpoint.name);
            RunError::new(
                "internal",
                "its secrets cannot be opened under this server's key; the server's log tells why",
            )
        })?;
        client.map_err(|failure| RunError::from(&failure))
    }

    /// Asks the endpoint, and judges what it says.
    async fn look(self) -> Looked<'a> {
        let client = match self.client() {
            Ok(client) => client,
            Err(error) => return self.fails_with(error),
        };
        let age = self.state.identity_at.map(|at| Utc::now() - at);
        let known = !self.state.identity.is_empty() && age.is_some_and(|age| age < IDENTITY_AGE);
        let observed = self.alive(tokio::time::timeout(DEADLINE, observe(&client, known))).await;
        match observed {
            Err(error) => self.fails_with(RunError::new("internal", error.to_string())),
            Ok(Err(_)) => {
                self.fails_with(RunError::new("timeout", format!("nothing was complete within {DEADLINE:?}")))
            }
            Ok(Ok(Err(failure))) => self.fails(&failure, report::calls(&client.calls())),
            Ok(Ok(Ok(observation))) => {
                let judged = judge(&observation, &self.state.identity, &self.state.cluster, self.run.started_at);
                Looked::Seen(Box::new(Candidate { running: self, observation, judged }))
            }
        }
    }

    fn fails(self, failure: &Failure, calls: Value) -> Looked<'a> {
        let outcome = Outcome { calls, ..Outcome::failed(RunError::from(failure)) };
        Looked::Failed(Box::new((self, outcome)))
    }

    fn fails_with(self, error: RunError) -> Looked<'a> {
        Looked::Failed(Box::new((self, Outcome::failed(error))))
    }

    /// Does this while the right to the endpoint is renewed; ends it when the right is lost.
    async fn alive<T>(&self, doing: impl Future<Output = T>) -> Result<T> {
        let renewing = async {
            loop {
                tokio::time::sleep(Duration::from_secs(10)).await;
                match self.renew().await {
                    // Somebody writes for long; should the right be lost meanwhile, the rows are not written.
                    Ok(()) | Err(Error::Timeout | Error::Contention) => {}
                    Err(lost) => break lost,
                }
            }
        };
        tokio::select! {
            done = doing => Ok(done),
            lost = renewing => Err(lost),
        }
    }

    async fn renew(&self) -> Result<()> {
        let Some(lease) = &self.lease else { return Ok(()) };
        let tx = self.app.begin(self.order.actor.clone()).await?;
        runs::renew(&tx, lease).await?;
        tx.commit().await.map(drop)
    }

    /// Another endpoint told everything: whether this one is there is all that is left to know.
    async fn stand_by(self, feeder: &str) {
        let outcome = match self.client() {
            Err(error) => Outcome::failed(error),
            Ok(client) => match client.version().await {
                Err(failure) => {
                    Outcome { calls: report::calls(&client.calls()), ..Outcome::failed(RunError::from(&failure)) }
                }
                Ok(_) => Outcome {
                    calls: report::calls(&client.calls()),
                    notices: vec![format!("the endpoint {feeder} of the same cluster told everything")],
                    ..Outcome::new(RunState::Standby)
                },
            },
        };
        self.end(outcome).await;
    }
}

impl Candidate<'_> {
    /// Brings the rows up to what was seen.
    async fn feed(self) {
        let calls = report::calls(&self.observation.calls);
        let Self { running, judged, .. } = self;
        // The transaction that writes holds the row of the right: nobody takes it meanwhile, and nobody needs to renew it.
        let mut outcome = match tokio::time::timeout(DEADLINE, running.written(&judged)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::failed(unwritten(&error)),
            Err(_) => Outcome::failed(RunError::new("timeout", "the database took too long")),
        };
        if outcome.state != RunState::Failed {
            outcome.state = match () {
                () if judged.is_complete() => RunState::Succeeded,
                () if judged.is_failed() => RunState::Failed,
                () => RunState::Partial,
            };
        }
        outcome.errors.extend(judged.errors.iter().cloned());
        outcome.notices.splice(0..0, judged.notices.iter().cloned());
        outcome.calls = calls;
        outcome.judged = Some(judged);
        running.end(outcome).await;
    }

    /// Another endpoint of the cluster could speak for it: what this one said changes nothing.
    async fn yield_to(self, feeder: &str, fed: &Judged) {
        let mut notices = self.judged.notices.clone();
        notices.push(format!("the endpoint {feeder} of the same cluster told everything"));
        notices.extend(report::disagreement(feeder, fed, &self.judged));
        let outcome = Outcome {
            errors: self.judged.errors.clone(),
            notices,
            calls: report::calls(&self.observation.calls),
            judged: Some(self.judged),
            ..Outcome::new(RunState::Partial)
        };
        self.running.end(outcome).await;
    }
}

impl Running<'_> {
    /// What would be done, and nothing else.
    async fn foresee(&self, rows: Snapshot, judged: &Judged, plan: impl Fn(&Snapshot) -> Plan) -> Outcome {
        let mut foreseen = self.order.foreseen.lock().await;
        let rows = foreseen.iter().find_map(|made| made.shown_to(&rows, &judged.seen)).unwrap_or(rows);
        let plan = plan(&rows);
        foreseen.push(plan.applied_to(&rows));
        let notices = plan.notices.clone();
        Outcome { plan, snapshot: Some(rows), notices, ..Outcome::new(RunState::Running) }
    }

    async fn written(&self, judged: &Judged) -> Result<Outcome> {
        const TRIES: u32 = 6;
        let plan = |rows: &Snapshot| diff(rows, judged, &self.order.policy, self.run.started_at);
        self.advance(RunStage::Diff).await?;
        let rows = snapshot(&self.app.db.read, &self.endpoint, &judged.seen).await?;
        if self.order.dry_run {
            return Ok(self.foresee(rows, judged, plan).await);
        }
        let planned = plan(&rows);
        let Some(lease) = self.lease.as_ref().filter(|_| !planned.is_empty()) else {
            let notices = planned.notices.clone();
            return Ok(Outcome { plan: planned, snapshot: Some(rows), notices, ..Outcome::new(RunState::Running) });
        };
        self.advance(RunStage::Apply).await?;
        let mut tries = 0;
        loop {
            tries += 1;
            match apply(self.app, &self.order.actor, lease, &self.endpoint, &judged.seen, plan).await {
                // Somebody else wrote the same rows: what is to be done is looked at anew.
                Err(Error::Contention) if tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(rand::random_range(1..=10 << tries))).await;
                }
                Err(error) => return Err(error),
                Ok((plan, rows, revision)) => {
                    let notices = plan.notices.clone();
                    let outcome = Outcome { plan, snapshot: Some(rows), notices, ..Outcome::new(RunState::Running) };
                    return Ok(Outcome { revision, ..outcome });
                }
            }
        }
    }
}

/// Why the rows could not be written, without the database's words.
fn unwritten(error: &Error) -> RunError {
    match error {
        Error::Timeout => RunError::new("timeout", error.to_string()),
        Error::Conflict(words) => RunError::new("internal", words.as_str()),
        Error::Contention => RunError::new("internal", error.to_string()),
        other => {
            tracing::error!("a sync could not write: {other}");
            RunError::new("internal", "the rows could not be written; the server's log tells why")
        }
    }
}

/// Writes down that a run is to come.
pub async fn queue(app: &App, order: &Order, endpoint: &endpoint::Model) -> Result<sync_run::Model> {
    let tx = app.begin(order.actor.clone()).await?;
    let name = &order.actor.principal.name;
    let run = runs::queue(&tx, endpoint.id, &endpoint.name, name, order.dry_run).await?;
    tx.commit().await?;
    Ok(run)
}
