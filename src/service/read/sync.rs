//! Reading the runs of sync, and how it stands with each endpoint.
//!
//! A run is visible to whoever may view runs and may view its endpoint now; a run of a deleted endpoint, to whoever may
//! view endpoints without constraint. Of its changes one sees those of objects that one may view; of objects that are
//! not there, or no more, whoever may view their model without constraint.
use super::one_of;
use crate::db::Db;
use crate::entity::sync_state::Standing;
use crate::entity::{Kind, RunState, endpoint, sync_change, sync_run, sync_state};
use crate::error::Result;
use crate::filter::{View, compile};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, OverStatement, Query, SelectStatement, WindowStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Iterable, QueryOrder, QuerySelect,
};
use std::collections::HashMap;

/// Keys bound in one statement at most.
const CHUNK: usize = 10_000;

/// Which runs; what is none is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    pub ids: Option<Vec<i32>>,
    pub endpoints: Option<Vec<i32>>,
    pub states: Option<Vec<RunState>>,
    pub dry_run: Option<bool>,
}

/// Where a page of runs begins: the newest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Offset(u64),
    /// Behind the run of this id, which is to say before it in time.
    Behind(i32),
}

/// So many changes of a run behind one of them, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stretch {
    pub after: Option<i32>,
    pub limit: u64,
}

/// A page of rows, and whether more follow.
#[derive(Clone, Debug)]
pub struct Stride<M> {
    pub rows: Vec<M>,
    pub more: bool,
}

impl<M> Default for Stride<M> {
    fn default() -> Self {
        Self { rows: Vec::new(), more: false }
    }
}

impl<M> Stride<M> {
    fn cut(mut rows: Vec<M>, limit: u64) -> Self {
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        Self { rows, more }
    }
}

/// The runs that may be viewed, the newest first.
pub async fn runs(
    db: &Db,
    view: &View,
    filter: &RunFilter,
    start: Start,
    limit: u64,
) -> Result<Stride<sync_run::Model>> {
    use sync_run::Column;
    let mut query = seen_runs(db.backend(), view, filter);
    query.columns(Column::iter().map(|column| (sync_run::Entity, column)));
    query.order_by(Column::Id, Order::Desc).limit(limit + 1);
    match start {
        Start::Offset(offset) => query.offset(offset),
        Start::Behind(id) => query.and_where(Column::Id.lt(id)),
    };
    let rows = db.read.query_all(&query).await?;
    let rows = rows.iter().map(|row| sync_run::Model::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
    Ok(Stride::cut(rows, limit))
}

/// How many runs there are that may be viewed.
pub async fn count_runs(db: &Db, view: &View, filter: &RunFilter) -> Result<i64> {
    let mut query = seen_runs(db.backend(), view, filter);
    query.expr_as(Expr::col((sync_run::Entity, sync_run::Column::Id)).count(), Alias::new("number"));
    let row = db.read.query_one(&query).await?;
    Ok(row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or(0))
}

/// Whether a run that may be viewed is as new as this one, or newer.
pub async fn runs_before(db: &Db, view: &View, filter: &RunFilter, id: i32) -> Result<bool> {
    let mut query = seen_runs(db.backend(), view, filter);
    query.column(sync_run::Column::Id).and_where(sync_run::Column::Id.gte(id)).limit(1);
    Ok(db.read.query_one(&query).await?.is_some())
}

/// The run of this id, if it may be viewed.
pub async fn run(db: &Db, view: &View, id: i32) -> Result<Option<sync_run::Model>> {
    let filter = RunFilter { ids: Some(vec![id]), ..RunFilter::default() };
    Ok(runs(db, view, &filter, Start::Offset(0), 1).await?.rows.pop())
}

fn seen_runs(backend: DbBackend, view: &View, filter: &RunFilter) -> SelectStatement {
    use sync_run::Column;
    let mut query = Query::select();
    query.from(sync_run::Entity);
    if let Some(seen) = viewable(backend, view, Kind::Endpoint) {
        query.and_where(Expr::col((sync_run::Entity, Column::EndpointId)).in_subquery(seen));
    }
    let ids = |query: &mut SelectStatement, column, ids: &Option<Vec<i32>>| {
        if let Some(ids) = ids {
            query.and_where(one_of(Expr::col((sync_run::Entity, column)), ids, backend));
        }
    };
    ids(&mut query, Column::Id, &filter.ids);
    ids(&mut query, Column::EndpointId, &filter.endpoints);
    if let Some(states) = &filter.states {
        query.and_where(Column::State.is_in(states.iter().copied()));
    }
    if let Some(dry_run) = filter.dry_run {
        query.and_where(Column::DryRun.eq(dry_run));
    }
    query
}

/// The ids of the rows of a kind that may be viewed; none when all may.
fn viewable(backend: DbBackend, view: &View, kind: Kind) -> Option<SelectStatement> {
    let scope = view.scope(kind)?;
    let table = Alias::new(kind.table());
    let query = Query::select()
        .column((table.clone(), Alias::new("id")))
        .from(table)
        .and_where(compile(scope, kind, backend, &View::everything()))
        .take();
    Some(query)
}

/// A stretch of the changes of each of these runs.
pub async fn changes(
    db: &Db,
    view: &View,
    runs: &[i32],
    stretch: Stretch,
) -> Result<HashMap<i32, Stride<sync_change::Model>>> {
    use sync_change::Column;
    let mut found: HashMap<i32, Vec<sync_change::Model>> = HashMap::new();
    for runs in runs.chunks(CHUNK) {
        let mut query = seen_changes(db.backend(), view, runs);
        query.columns(Column::iter().map(|column| (sync_change::Entity, column)));
        if let Some(after) = stretch.after {
            query.and_where(Column::Ordinal.gt(after));
        }
        let mut window = WindowStatement::new();
        window.add_partition_by(Expr::col(Column::RunId)).order_by(Column::Ordinal, Order::Asc);
        query.expr_window_as(Func::cust(Alias::new("ROW_NUMBER")), window, Alias::new("number"));
        let page = Query::select()
            .expr(Expr::cust("*"))
            .from_subquery(query, Alias::new("page"))
            .and_where(Expr::col(Alias::new("number")).lte(stretch.limit + 1))
            .order_by(Alias::new("run_id"), Order::Asc)
            .order_by(Alias::new("ordinal"), Order::Asc)
            .take();
        for row in db.read.query_all(&page).await? {
            let change = sync_change::Model::from_query_result(&row, "")?;
            found.entry(change.run_id).or_default().push(change);
        }
    }
    Ok(found.into_iter().map(|(run, rows)| (run, Stride::cut(rows, stretch.limit))).collect())
}

/// How many changes each of these runs has, up to this one of them or in all; a run without any is missing.
pub async fn count_changes(db: &Db, view: &View, runs: &[i32], upto: Option<i32>) -> Result<HashMap<i32, i64>> {
    use sync_change::Column;
    let mut found = HashMap::new();
    for runs in runs.chunks(CHUNK) {
        let mut query = seen_changes(db.backend(), view, runs);
        query
            .column(Column::RunId)
            .expr_as(Expr::col((sync_change::Entity, Column::Ordinal)).count(), Alias::new("number"))
            .add_group_by([Expr::col(Column::RunId)]);
        if let Some(upto) = upto {
            query.and_where(Column::Ordinal.lte(upto));
        }
        for row in db.read.query_all(&query).await? {
            found.insert(row.try_get("", "run_id")?, row.try_get("", "number")?);
        }
    }
    Ok(found)
}

/// So many changes of one run at this place of its list.
pub async fn changes_at(db: &Db, view: &View, run: i32, offset: u64, limit: u64) -> Result<Vec<sync_change::Model>> {
    use sync_change::Column;
    let mut query = seen_changes(db.backend(), view, &[run]);
    query.columns(Column::iter().map(|column| (sync_change::Entity, column)));
    query.order_by(Column::Ordinal, Order::Asc).limit(limit).offset(offset);
    let rows = db.read.query_all(&query).await?;
    Ok(rows.iter().map(|row| sync_change::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

fn seen_changes(backend: DbBackend, view: &View, runs: &[i32]) -> SelectStatement {
    use sync_change::Column;
    let mut query = Query::select();
    query.from(sync_change::Entity);
    query.and_where(one_of(Expr::col((sync_change::Entity, Column::RunId)), runs, backend));
    let (mut seen, mut whole) = (Condition::any(), Vec::new());
    for kind in Kind::ALL {
        match viewable(backend, view, kind) {
            None => whole.push(kind.table()),
            Some(ids) => {
                let of_kind = Column::ObjectType.eq(kind.table());
                seen = seen.add(of_kind.and(Expr::col((sync_change::Entity, Column::ObjectId)).in_subquery(ids)));
            }
        }
    }
    query.cond_where(seen.add(Column::ObjectType.is_in(whole)));
    query
}

/// How it stands with the sync of each of these endpoints; one that was never synced is missing.
pub async fn states(db: &Db, endpoints: &[i32]) -> Result<HashMap<i32, sync_state::Model>> {
    use sync_state::Column;
    let mut found = HashMap::new();
    for endpoints in endpoints.chunks(CHUNK) {
        let query = Query::select()
            .columns(Column::iter().map(|column| (sync_state::Entity, column)))
            .from(sync_state::Entity)
            .and_where(one_of(Expr::col((sync_state::Entity, Column::EndpointId)), endpoints, db.backend()))
            .take();
        for row in db.read.query_all(&query).await? {
            let state = sync_state::Model::from_query_result(&row, "")?;
            found.insert(state.endpoint_id, state);
        }
    }
    Ok(found)
}

/// How it stands with an endpoint, whoever may view it: for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stood {
    pub endpoint: i32,
    pub standing: Standing,
    /// When its last run ended that saw everything it wanted to see.
    pub last_success_at: Option<DateTime<Utc>>,
}

/// How it stands with all endpoints, by their id; two statements.
pub async fn standings(db: &Db) -> Result<Vec<Stood>> {
    use endpoint::Column;
    let endpoints = endpoint::Entity::find().select_only().columns([Column::Id, Column::Enabled]);
    let endpoints = endpoints.order_by_asc(Column::Id).into_tuple::<(i32, bool)>().all(&db.read).await?;
    let states = crate::service::sync_run::states(db).await?;
    let states = states.iter().map(|state| (state.endpoint_id, state)).collect::<HashMap<_, _>>();
    let now = Utc::now();
    let stood = endpoints.into_iter().map(|(endpoint, enabled)| {
        let state = states.get(&endpoint).copied();
        let last_success_at = state.and_then(|state| state.last_success_at);
        Stood { endpoint, standing: Standing::of(enabled, state, now), last_success_at }
    });
    Ok(stood.collect())
}
