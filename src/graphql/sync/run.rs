//! The runs of sync.
use super::change::{SyncChangeConnection, changes};
use super::report::{SyncCounts, SyncError, SyncRunState, SyncStage, SyncVerdict};
use super::{cursor, page};
use crate::entity::{Kind, RunStage, sync_run};
use crate::error::Error;
use crate::graphql::connection::{Flag, Item, PageInfo, int};
use crate::graphql::endpoint::ProxmoxEndpoint;
use crate::graphql::error::Result;
use crate::graphql::scalar::{BigInt, Time, local_id, run_global_id, run_id};
use crate::graphql::{Session, session};
use crate::principal::Act;
use crate::service::read::sync::{self, RunFilter, Start, Stride};
use async_graphql::{Context, ID, Object};
use std::sync::Arc;

/// What the cursors of this list are bound to.
const LIST: &str = "sync runs";

/// One run of sync over one endpoint: what it saw, what it changed, and how it ended.
#[derive(Clone, Debug)]
pub struct SyncRun(pub Arc<sync_run::Model>);

impl SyncRun {
    /// The run with this id, if it may be viewed.
    pub async fn by_id(session: &Session, id: i32) -> Result<Option<Self>> {
        if !session.principal.may_with_runs(Act::View) {
            return Ok(None);
        }
        Ok(session.loaders().run(id).await?.map(Self))
    }
}

/// One run of sync over one endpoint: what it saw, what it changed, and how it ended.
#[Object]
impl SyncRun {
    /// Global id: `SyncRun:` and the number.
    pub async fn id(&self) -> ID {
        run_global_id(self.0.id)
    }

    /// REST `id`: the integer that the other API knows it by.
    async fn database_id(&self) -> i32 {
        self.0.id
    }

    /// The endpoint; null once it is deleted.
    async fn endpoint(&self, ctx: &Context<'_>) -> Result<Option<ProxmoxEndpoint>> {
        ProxmoxEndpoint::by_id(session(ctx), self.0.endpoint_id).await
    }

    /// The endpoint's name at that time.
    async fn endpoint_name(&self) -> &str {
        &self.0.endpoint_name
    }

    /// Who asked for it: `token:NAME`, `cli`, `schedule` …
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Whether it only tells what it would do.
    async fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// How it stands, or ended.
    async fn state(&self) -> SyncRunState {
        self.0.state.into()
    }

    /// The stage that it is in, or was in last.
    async fn stage(&self) -> SyncStage {
        self.0.stage.into()
    }

    /// Stages that are behind it.
    async fn stages_done(&self) -> i32 {
        self.0.stages_done
    }

    /// Stages that there are.
    async fn stages_total(&self) -> usize {
        RunStage::ALL.len()
    }

    /// When it was asked for.
    async fn started_at(&self) -> Time {
        Time(self.0.started_at)
    }

    /// When it ended; null while it is on.
    async fn finished_at(&self) -> Option<Time> {
        self.0.finished_at.map(Time)
    }

    /// For each kind of objects whether the answers about it were complete; empty before they are judged.
    async fn verdicts(&self) -> Vec<SyncVerdict> {
        self.0.judged().into_iter().map(SyncVerdict::from).collect()
    }

    /// How many objects it did what with; of a dry run, would do.
    async fn counts(&self) -> SyncCounts {
        SyncCounts::from(&*self.0)
    }

    /// What went wrong.
    async fn errors(&self) -> Vec<SyncError> {
        self.0.failures().into_iter().map(SyncError::from).collect()
    }

    /// What the operator should know besides.
    async fn notices(&self) -> Vec<&str> {
        self.0.remarks()
    }

    /// The revision that its changes have in the change log; null when there are none.
    async fn revision(&self) -> Option<BigInt> {
        self.0.revision.map(BigInt)
    }

    /// What it changed, or in a dry run would change; volatile figures are only counted. Changes of objects that you may
    /// not view are missing.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many changes: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only changes behind this cursor.")] after: Option<String>,
    ) -> Result<SyncChangeConnection> {
        changes(ctx, self.0.id, first, after).await
    }
}

/// A run and its cursor.
#[derive(Clone, Debug)]
pub struct SyncRunEdge(SyncRun);

/// A run and its cursor.
#[Object]
impl SyncRunEdge {
    /// Where the run stands in the list; give it back as `after`.
    async fn cursor(&self) -> String {
        cursor(LIST, self.0.0.id)
    }

    /// The run.
    async fn node(&self) -> SyncRun {
        self.0.clone()
    }
}

/// Runs of sync, the newest first.
#[derive(Clone, Debug)]
pub struct SyncRunConnection {
    /// None for who may not view runs.
    filter: Option<Arc<RunFilter>>,
    runs: Vec<SyncRun>,
    more: bool,
    before: Flag,
}

/// Runs of sync, the newest first.
#[Object]
impl SyncRunConnection {
    /// The runs, each with its cursor.
    async fn edges(&self) -> Vec<SyncRunEdge> {
        self.runs.iter().cloned().map(SyncRunEdge).collect()
    }

    /// The runs: `edges { node }`, shorter.
    async fn nodes(&self) -> &[SyncRun] {
        &self.runs
    }

    /// Where this page lies in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |run: &SyncRun| cursor(LIST, run.0.id);
        PageInfo {
            next: Flag::Known(self.more),
            previous: self.before.clone(),
            start_cursor: self.runs.first().map(cursor),
            end_cursor: self.runs.last().map(cursor),
        }
    }

    /// Runs that match on all pages; counted only when selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let Some(filter) = &self.filter else { return Ok(0) };
        let session = session(ctx);
        Ok(int(sync::count_runs(&session.app.db, session.principal.view(), filter).await?))
    }
}

/// Queries for runs of sync.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncQuery;

/// Queries for runs of sync.
#[Object]
impl SyncQuery {
    /// Runs of sync, the newest first. A run is visible to whoever may view runs and its endpoint; a run of an endpoint
    /// that is deleted, to whoever may view all endpoints. Runs are kept for a while only.
    #[allow(clippy::too_many_arguments)]
    async fn sync_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many runs: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only runs behind this cursor, which are older ones.")] after: Option<String>,
        #[graphql(desc = "Only runs of this endpoint: its id in either form, also when it is deleted.")]
        endpoint: Option<ID>,
        #[graphql(desc = "Only runs that stand or ended like this.")] state: Option<SyncRunState>,
        #[graphql(desc = "Only dry runs, or only real ones.")] dry_run: Option<bool>,
    ) -> Result<SyncRunConnection> {
        let session = session(ctx);
        let (limit, after) = page(LIST, first, after)?;
        let endpoint = endpoint.map(|id| local_id(&id, Kind::Endpoint)).transpose();
        let endpoint = endpoint.map_err(|error: Error| error.within("endpoint"))?;
        let endpoints = endpoint.map(|id| vec![id]);
        let filter = RunFilter { ids: None, endpoints, states: state.map(|state| vec![state.into()]), dry_run };
        if !session.principal.may_with_runs(Act::View) {
            let before = Flag::Known(false);
            return Ok(SyncRunConnection { filter: None, runs: Vec::new(), more: false, before });
        }
        let start = after.map_or(Start::Offset(0), Start::Behind);
        let (db, view) = (&session.app.db, session.principal.view());
        let Stride { rows, more } = sync::runs(db, view, &filter, start, limit).await?;
        let filter = Arc::new(filter);
        let before = after.map_or(Flag::Known(false), |id| Flag::BeforeRuns(filter.clone(), id));
        let runs = rows.into_iter().map(|row| SyncRun(Arc::new(row))).collect();
        Ok(SyncRunConnection { filter: Some(filter), runs, more, before })
    }

    /// One run of sync; null if there is none that you may view.
    async fn sync_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "REST's id, or `SyncRun:<id>`.")] id: ID,
    ) -> Result<Option<SyncRun>> {
        SyncRun::by_id(session(ctx), run_id(&id)?).await
    }
}
