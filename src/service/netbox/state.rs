//! How it stands with the mirror, and the right to read NetBox, which one process has at a time.
use crate::db::Db;
use crate::entity::netbox_mirror as mirror;
use crate::error::{Error, Result};
use crate::service::Tx;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, Set};

/// How long the right to read NetBox lasts without being renewed; longer than one call with all its attempts.
pub const LEASE: TimeDelta = TimeDelta::seconds(120);

const ID: i32 = 1;

/// The right to read NetBox.
#[derive(Clone, Debug)]
pub struct Lease {
    pub holder: String,
    /// What is written under an older one is refused.
    pub fence: i64,
}

/// The state of the mirror; a blank one before its first attempt.
pub async fn read(db: &Db) -> Result<mirror::Model> {
    Ok(mirror::Entity::find_by_id(ID).one(&db.read).await?.unwrap_or_else(blank))
}

fn blank() -> mirror::Model {
    mirror::Model {
        id: ID,
        url: String::new(),
        version: None,
        holder: None,
        fence: 0,
        expires_at: None,
        clusters_since: None,
        devices_since: None,
        full_at: None,
        swept_at: None,
        last_at: None,
        last_success_at: None,
        next_at: None,
        failures: 0,
        held_clusters: 0,
        held_devices: 0,
        complete: false,
        last_class: None,
        last_error: None,
    }
}

/// Takes the right, unless another process has it, with the state as it is.
pub async fn claim(tx: &Tx, holder: &str) -> Result<Option<(Lease, mirror::Model)>> {
    use mirror::Column as C;
    let row = blank().into_active_model().reset_all();
    let there = OnConflict::column(C::Id).do_nothing().to_owned();
    mirror::Entity::insert(row).on_conflict(there).try_insert().exec_without_returning(tx.connection()).await?;
    let free = Condition::any().add(C::Holder.is_null()).add(C::ExpiresAt.lt(tx.now()));
    let updated = mirror::Entity::update_many()
        .col_expr(C::Holder, Expr::value(holder))
        .col_expr(C::Fence, Expr::col(C::Fence).add(1))
        .col_expr(C::ExpiresAt, Expr::value(tx.now() + LEASE))
        .filter(C::Id.eq(ID))
        .filter(free)
        .exec(tx.connection())
        .await?;
    if updated.rows_affected == 0 {
        return Ok(None);
    }
    let row = mirror::Entity::find_by_id(ID).one(tx.connection()).await?.ok_or(Error::Contention)?;
    Ok(Some((Lease { holder: holder.to_owned(), fence: row.fence }, row)))
}

fn held(lease: &Lease) -> Condition {
    use mirror::Column as C;
    Condition::all().add(C::Id.eq(ID)).add(C::Holder.eq(lease.holder.as_str())).add(C::Fence.eq(lease.fence))
}

/// Keeps the right for another while; refused when somebody else has it. Within the transaction of the rows it also
/// makes sure that nobody takes it before the commit.
pub async fn renew(tx: &Tx, lease: &Lease) -> Result<()> {
    let updated = mirror::Entity::update_many()
        .col_expr(mirror::Column::ExpiresAt, Expr::value(Utc::now() + LEASE))
        .filter(held(lease))
        .exec(tx.connection())
        .await?;
    match updated.rows_affected {
        0 => Err(Error::Conflict("another process reads NetBox now".into())),
        _ => Ok(()),
    }
}

/// Gives the right back, with what was learned.
pub async fn release(tx: &Tx, lease: &Lease, learned: mirror::Model) -> Result<()> {
    let next = mirror::ActiveModel {
        holder: Set(None),
        expires_at: Set(None),
        fence: Set(lease.fence),
        ..learned.into_active_model().reset_all()
    };
    mirror::Entity::update_many().set(next).filter(held(lease)).exec(tx.connection()).await?;
    Ok(())
}

/// Gives back what a process holds that stops.
pub async fn abandon(tx: &Tx, holder: &str) -> Result<()> {
    use mirror::Column as C;
    mirror::Entity::update_many()
        .col_expr(C::Holder, Expr::value(Option::<String>::None))
        .col_expr(C::ExpiresAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(C::Holder.eq(holder))
        .exec(tx.connection())
        .await?;
    Ok(())
}
