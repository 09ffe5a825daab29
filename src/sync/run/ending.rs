//! How a run ends: it is written down, and what it learned is kept for the next one.
use super::{BACK_OFF, FAILURES, IDENTITY_AGE, Order, Outcome, Running};
use crate::app::App;
use crate::entity::{RunState, sync_state};
use crate::error::Result;
use crate::service::sync_run::{self as runs, Ending};
use crate::sync::judge::{Judged, RunError};
use crate::sync::{report, schedule, target};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

impl Running<'_> {
    /// Writes down how it ended, and gives the right to the endpoint back.
    pub(super) async fn end(self, mut outcome: Outcome) {
        if target::is_unverified(&self.endpoint) {
            let words =
                "its certificate is not verified: whoever sits between can read the credentials; pin its fingerprint";
            outcome.notices.push(words.into());
        }
        self.log(&outcome);
        if let Err(error) = self.write_down(outcome).await {
            tracing::error!("how the sync of {} ended could not be written down: {error}", self.endpoint.name);
        }
    }

    async fn write_down(&self, outcome: Outcome) -> Result<()> {
        let changes = report::changes(&outcome.plan, self.order.dry_run);
        let first = outcome.errors.first().cloned();
        let counts = outcome.snapshot.as_ref().map_or_else(|| json!({}), |rows| report::counts(&outcome.plan, rows));
        let ending = Ending {
            state: outcome.state,
            verdicts: outcome.judged.as_ref().map_or_else(|| json!({}), Judged::verdicts),
            counts,
            errors: report::errors(&outcome.errors),
            notices: json!(outcome.notices),
            calls: outcome.calls.clone(),
            revision: outcome.revision,
        };
        let tx = self.app.begin(self.order.actor.clone()).await?;
        runs::finish(&tx, self.run.id, ending, &changes).await?;
        if let Some(lease) = &self.lease {
            runs::release(&tx, lease, self.learned(&outcome, first, tx.now())).await?;
        }
        tx.commit().await.map(drop)
    }

    /// What the next run should know.
    fn learned(&self, outcome: &Outcome, error: Option<RunError>, now: DateTime<Utc>) -> sync_state::Model {
        let mut state = self.state.clone();
        if let Some(judged) = &outcome.judged
            && !judged.seen.identity.is_empty()
        {
            // Read anew, or known and young enough not to be.
            let aged = state.identity_at.is_none_or(|at| now - at >= IDENTITY_AGE);
            if aged || state.identity != judged.seen.identity {
                state.identity_at = Some(now);
            }
            state.identity.clone_from(&judged.seen.identity);
            state.cluster.clone_from(&judged.seen.group);
        }
        let failed = outcome.state == RunState::Failed;
        state.failures = if failed { state.failures.saturating_add(1) } else { 0 };
        state.credentials = target::credentials_mark(&self.endpoint);
        state.suspended = error.as_ref().is_some_and(|error| failed && error.class == "auth");
        state.last_at = Some(now);
        if outcome.state == RunState::Succeeded {
            state.last_success_at = Some(now);
        }
        state.last_state = Some(outcome.state);
        state.last_class = error.as_ref().map(|error| error.class.to_owned());
        state.last_error = error.map(|error| error.message);
        state.next_at = self.next(&state, now);
        state
    }

    /// When the schedule's next run is due: none when there is no schedule, or no sense in another try.
    fn next(&self, state: &sync_state::Model, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if state.suspended {
            return None;
        }
        let interval = schedule::interval(self.app, &self.endpoint)?;
        let jittered = interval.as_seconds_f64() * rand::random_range(0.9..=1.1);
        let wait = TimeDelta::milliseconds((jittered * 1000.0) as i64);
        Some(now + if state.failures >= FAILURES { wait.max(BACK_OFF) } else { wait })
    }

    fn log(&self, outcome: &Outcome) {
        let name = self.endpoint.name.as_str();
        let counts = outcome.snapshot.as_ref().map(|rows| report::counts(&outcome.plan, rows)).unwrap_or_default();
        let (run, state, dry_run) = (self.run.id, outcome.state.value(), self.order.dry_run);
        match outcome.errors.first() {
            None => tracing::info!(run, endpoint = name, dry_run, %counts, "sync {state}"),
            Some(error) => tracing::warn!(
                run, endpoint = name, dry_run, %counts, class = error.class, "sync {state}: {}", error.message
            ),
        }
        if target::is_unverified(&self.endpoint) {
            tracing::warn!(endpoint = name, "its certificate is not verified; pin its fingerprint");
        }
    }
}

/// Writes down that a run did not even begin.
pub(super) async fn not_begun(app: &App, order: &Order, run: i32) -> Result<()> {
    let error = RunError::new("internal", "the run could not begin; the server's log tells why");
    let ending = Ending {
        state: RunState::Failed,
        verdicts: json!({}),
        counts: json!({}),
        errors: report::errors(&[error]),
        notices: json!([]),
        calls: json!([]),
        revision: None,
    };
    let tx = app.begin(order.actor.clone()).await?;
    runs::finish(&tx, run, ending, &[]).await?;
    tx.commit().await.map(drop)
}
