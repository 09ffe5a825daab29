//! Runs of sync as they are written down, and the right to sync an endpoint, which one process has at a time.
use super::tx::Tx;
use crate::db::Db;
use crate::entity::{JsonText, RunStage, RunState, StepAction, sync_change, sync_run, sync_state};
use crate::error::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::{Value, json};

/// How long the right to sync an endpoint lasts without being renewed.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);

/// The right to sync an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub endpoint: i32,
    pub holder: String,
    /// What is written under an older one is refused.
    pub fence: i64,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ending {
    pub state: RunState,
    pub verdicts: Value,
    pub counts: Value,
    pub errors: Value,
    pub notices: Value,
    pub calls: Value,
    pub revision: Option<i64>,
}

/// What a run changed of one object, or would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub object_type: &'static str,
    pub object_id: Option<i32>,
    pub name: String,
    pub action: StepAction,
    pub fields: Value,
    pub reason: String,
}

/// Writes down that a run is to come.
pub async fn queue(tx: &Tx, endpoint: i32, name: &str, actor: &str, dry_run: bool) -> Result<sync_run::Model> {
    let empty = || Set(JsonText(json!([])));
    let row = sync_run::ActiveModel {
        endpoint_id: Set(endpoint),
        endpoint_name: Set(name.to_owned()),
        actor: Set(actor.to_owned()),
        dry_run: Set(dry_run),
        state: Set(RunState::Queued),
        stage: Set(RunStage::Observe),
        stages_done: Set(0),
        started_at: Set(tx.now()),
        verdicts: Set(JsonText::object()),
        counts: Set(JsonText::object()),
        errors: empty(),
        notices: empty(),
        calls: empty(),
        ..Default::default()
    };
    Ok(row.insert(tx.connection()).await?)
}

/// Says how far a run is.
pub async fn advance(tx: &Tx, run: i32, stage: RunStage) -> Result<()> {
    let row = sync_run::ActiveModel {
        id: Set(run),
        state: Set(RunState::Running),
        stage: Set(stage),
        stages_done: Set(stage as i32),
        ..Default::default()
    };
    row.update(tx.connection()).await?;
    Ok(())
}

/// Writes down how a run ended, and what it changed.
pub async fn finish(tx: &Tx, run: i32, ending: Ending, changes: &[Change]) -> Result<()> {
    for (chunk, changes) in changes.chunks(1_000).enumerate() {
        let rows = changes.iter().enumerate().map(|(i, change)| sync_change::ActiveModel {
            run_id: Set(run),
            ordinal: Set((chunk * 1_000 + i) as i32),
            object_type: Set(change.object_type.to_owned()),
            object_id: Set(change.object_id),
            name: Set(change.name.clone()),
            action: Set(change.action),
            fields: Set(JsonText(change.fields.clone())),
            reason: Set(change.reason.clone()),
        });
        sync_change::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    }
    let row = sync_run::ActiveModel {
        id: Set(run),
        state: Set(ending.state),
        stage: Set(RunStage::Report),
        stages_done: Set(RunStage::ALL.len() as i32),
        finished_at: Set(Some(tx.now())),
        verdicts: Set(JsonText(ending.verdicts)),
        counts: Set(JsonText(ending.counts)),
        errors: Set(JsonText(ending.errors)),
        notices: Set(JsonText(ending.notices)),
        calls: Set(JsonText(ending.calls)),
        revision: Set(ending.revision),
        ..Default::default()
    };
    row.update(tx.connection()).await?;
    Ok(())
}

/// The state of an endpoint's sync; a blank one if it was never synced.
pub async fn state(db: &Db, endpoint: i32) -> Result<sync_state::Model> {
    let row = sync_state::Entity::find_by_id(endpoint).one(&db.read).await?;
    Ok(row.unwrap_or_else(|| blank(endpoint)))
}

/// These runs, by id.
pub async fn by_ids(db: &Db, ids: &[i32]) -> Result<Vec<sync_run::Model>> {
    let rows = sync_run::Entity::find().filter(sync_run::Column::Id.is_in(ids.iter().copied()));
    Ok(rows.order_by_asc(sync_run::Column::Id).all(&db.read).await?)
}

/// What these runs changed, or would change, in order.
pub async fn changes(db: &Db, run: i32) -> Result<Vec<sync_change::Model>> {
    let rows = sync_change::Entity::find().filter(sync_change::Column::RunId.eq(run));
    Ok(rows.order_by_asc(sync_change::Column::Ordinal).all(&db.read).await?)
}

/// The states of all endpoints that have one.
pub async fn states(db: &Db) -> Result<Vec<sync_state::Model>> {
    Ok(sync_state::Entity::find().all(&db.read).await?)
}

/// What is known of an endpoint before its first run.
pub fn blank(endpoint: i32) -> sync_state::Model {
    sync_state::Model {
        endpoint_id: endpoint,
        holder: None,
        fence: 0,
        expires_at: None,
        identity: String::new(),
        identity_at: None,
        cluster: String::new(),
        credentials: String::new(),
        suspended: false,
        failures: 0,
        next_at: None,
        last_at: None,
        last_success_at: None,
        last_state: None,
        last_class: None,
        last_error: None,
    }
}

async fn ensure(tx: &Tx, endpoint: i32) -> Result<()> {
    let row = blank(endpoint).into_active_model().reset_all();
    let there = OnConflict::column(sync_state::Column::EndpointId).do_nothing().to_owned();
    sync_state::Entity::insert(row).on_conflict(there).try_insert().exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Takes the right to sync an endpoint, unless another process has it. Runs that an earlier holder left behind are
/// marked as interrupted.
pub async fn claim(tx: &Tx, endpoint: i32, holder: &str) -> Result<Option<Lease>> {
    ensure(tx, endpoint).await?;
    use sync_state::Column as C;
    let free = Condition::any().add(C::Holder.is_null()).add(C::ExpiresAt.lt(tx.now()));
    let updated = sync_state::Entity::update_many()
        .col_expr(C::Holder, Expr::value(holder))
        .col_expr(C::Fence, Expr::col(C::Fence).add(1))
        .col_expr(C::ExpiresAt, Expr::value(tx.now() + LEASE))
        .filter(C::EndpointId.eq(endpoint))
        .filter(free)
        .exec(tx.connection())
        .await?;
    if updated.rows_affected == 0 {
        return Ok(None);
    }
    // A dry run needs no right, and may go on beside this one.
    let own = Condition::all()
        .add(sync_run::Column::EndpointId.eq(endpoint))
        .add(sync_run::Column::State.eq(RunState::Running))
        .add(sync_run::Column::DryRun.eq(false));
    interrupt(tx, own).await?;
    let row = sync_state::Entity::find_by_id(endpoint).one(tx.connection()).await?.ok_or(Error::Contention)?;
    Ok(Some(Lease { endpoint, holder: holder.to_owned(), fence: row.fence }))
}

fn held(lease: &Lease) -> Condition {
    use sync_state::Column as C;
    Condition::all()
        .add(C::EndpointId.eq(lease.endpoint))
        .add(C::Holder.eq(lease.holder.as_str()))
        .add(C::Fence.eq(lease.fence))
}

/// Keeps the right for another while; refused when somebody else has it. Within the transaction of the rows it also makes
/// sure that nobody takes it before the commit.
pub async fn renew(tx: &Tx, lease: &Lease) -> Result<()> {
    let updated = sync_state::Entity::update_many()
        .col_expr(sync_state::Column::ExpiresAt, Expr::value(Utc::now() + LEASE))
        .filter(held(lease))
        .exec(tx.connection())
        .await?;
    match updated.rows_affected {
        0 => Err(Error::Conflict("another process syncs this endpoint now".into())),
        _ => Ok(()),
    }
}

/// Gives the right back, with what the run learned for the next one.
pub async fn release(tx: &Tx, lease: &Lease, learned: sync_state::Model) -> Result<()> {
    let next = sync_state::ActiveModel {
        holder: Set(None),
        expires_at: Set(None),
        fence: Set(lease.fence),
        ..learned.into_active_model().reset_all()
    };
    sync_state::Entity::update_many().set(next).filter(held(lease)).exec(tx.connection()).await?;
    Ok(())
}

/// Takes up a run of the schedule that is due, unless another server did so; `seen` is when it was due. Should this server
/// end, it is due again at `again`.
pub async fn take_up(tx: &Tx, endpoint: i32, seen: Option<DateTime<Utc>>, again: DateTime<Utc>) -> Result<bool> {
    use sync_state::Column as C;
    ensure(tx, endpoint).await?;
    let unchanged = match seen {
        Some(at) => C::NextAt.eq(at),
        None => C::NextAt.is_null(),
    };
    let updated = sync_state::Entity::update_many()
        .col_expr(C::NextAt, Expr::value(again))
        .filter(C::EndpointId.eq(endpoint))
        .filter(unchanged)
        .exec(tx.connection())
        .await?;
    Ok(updated.rows_affected > 0)
}

/// Says when the schedule's next run of an endpoint is due.
pub async fn schedule(tx: &Tx, endpoint: i32, at: DateTime<Utc>) -> Result<()> {
    ensure(tx, endpoint).await?;
    sync_state::Entity::update_many()
        .col_expr(sync_state::Column::NextAt, Expr::value(at))
        .filter(sync_state::Column::EndpointId.eq(endpoint))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Forgets how it stands with an endpoint that goes: nobody syncs it any more, and what still wants to write under an
/// old right is refused.
pub async fn forget(tx: &Tx, endpoint: i32) -> Result<()> {
    sync_state::Entity::delete_by_id(endpoint).exec(tx.connection()).await?;
    Ok(())
}

async fn interrupt(tx: &Tx, which: Condition) -> Result<u64> {
    let updated = sync_run::Entity::update_many()
        .col_expr(sync_run::Column::State, Expr::value(RunState::Interrupted))
        .col_expr(sync_run::Column::FinishedAt, Expr::value(tx.now()))
        .filter(which)
        .exec(tx.connection())
        .await?;
    Ok(updated.rows_affected)
}

/// Ends what a process leaves that stops: these runs and those of endpoints to which it has the right are interrupted,
/// and others may have the right at once.
pub async fn abandon(tx: &Tx, holder: &str, runs: &[i32]) -> Result<()> {
    use sync_state::Column as C;
    let held = sync_state::Entity::find().select_only().column(C::EndpointId).filter(C::Holder.eq(holder));
    let held = held.into_tuple::<i32>().all(tx.connection()).await?;
    sync_state::Entity::update_many()
        .col_expr(C::Holder, Expr::value(Option::<String>::None))
        .col_expr(C::ExpiresAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(C::Holder.eq(holder))
        .exec(tx.connection())
        .await?;
    use sync_run::Column as R;
    let own = Condition::any().add(R::Id.is_in(runs.iter().copied())).add(R::EndpointId.is_in(held));
    sync_run::Entity::update_many()
        .col_expr(R::State, Expr::value(RunState::Interrupted))
        .col_expr(R::FinishedAt, Expr::value(tx.now()))
        .filter(R::State.is_in([RunState::Queued, RunState::Running]))
        .filter(own)
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Marks runs as interrupted whose process is gone: nobody has the right to their endpoint, or nobody took them up.
pub async fn interrupt_orphans(tx: &Tx) -> Result<u64> {
    let alive = sync_state::Entity::find()
        .select_only()
        .column(sync_state::Column::EndpointId)
        .filter(sync_state::Column::ExpiresAt.gte(tx.now()))
        .into_tuple::<i32>()
        .all(tx.connection())
        .await?;
    let orphan = Condition::all()
        .add(sync_run::Column::State.is_in([RunState::Queued, RunState::Running]))
        .add(sync_run::Column::EndpointId.is_not_in(alive))
        // A standby or a dry run ends soon, and has no right of its own to show.
        .add(sync_run::Column::StartedAt.lt(tx.now() - TimeDelta::minutes(5)));
    interrupt(tx, orphan).await
}

/// Removes runs that ended before a time; returns how many.
pub async fn prune(tx: &Tx, before: DateTime<Utc>, most: u64) -> Result<u64> {
    let old = sync_run::Entity::find()
        .select_only()
        .column(sync_run::Column::Id)
        .filter(sync_run::Column::StartedAt.lt(before))
        .order_by_asc(sync_run::Column::Id)
        .limit(most)
        .into_tuple::<i32>()
        .all(tx.connection())
        .await?;
    sync_change::Entity::delete_many()
        .filter(sync_change::Column::RunId.is_in(old.iter().copied()))
        .exec(tx.connection())
        .await?;
    let gone = sync_run::Entity::delete_many().filter(sync_run::Column::Id.is_in(old)).exec(tx.connection()).await?;
    Ok(gone.rows_affected)
}
