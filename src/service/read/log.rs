//! Reading the change log: the feed of everything, and the histories of single objects.
//!
//! A change is visible to whoever may read the log and may view the object now; of a deleted object, to whoever may view
//! its model without constraint. Changes of tokens are in the table, but in no feed.
use super::one_of;
use crate::db::Db;
use crate::entity::change::{Column, Entity, Model, Position};
use crate::entity::{Action, Kind, revision};
use crate::error::{Error, Result};
use crate::filter::{View, compile};
use crate::service::retention;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, OverStatement, Query, SelectStatement, WindowStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Iterable};
use std::collections::HashMap;

/// Keys bound in one statement at most.
const CHUNK: usize = 10_000;

/// Which changes; what is none is not asked.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub kinds: Option<Vec<Kind>>,
    pub actions: Option<Vec<Action>>,
    pub ids: Option<Vec<(Kind, i32)>>,
    pub actor: Option<String>,
    /// From this time on.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

/// A stretch of the log: so many changes behind a position, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stretch {
    pub after: Option<Position>,
    pub limit: u64,
}

/// Changes in their order.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub rows: Vec<Model>,
    /// Whether more follow.
    pub more: bool,
}

impl Changes {
    fn cut(mut self, limit: u64) -> Self {
        self.more = self.rows.len() as u64 > limit;
        self.rows.truncate(limit as usize);
        self
    }
}

/// The changes of everything that may be viewed.
pub async fn feed(db: &Db, view: &View, filter: &LogFilter, stretch: Stretch) -> Result<Changes> {
    let mut query = visible(db, view);
    narrow(&mut query, filter);
    query.cond_where(behind(stretch.after));
    query.order_by(Column::Revision, Order::Asc).order_by(Column::Ordinal, Order::Asc).limit(stretch.limit + 1);
    let rows = models(db, &query).await?;
    still_kept(db, stretch.after).await?;
    Ok(Changes { rows, more: false }.cut(stretch.limit))
}

/// Whether there are such changes up to a position.
pub async fn feed_before(db: &Db, view: &View, filter: &LogFilter, position: Position) -> Result<bool> {
    let mut query = visible(db, view);
    narrow(&mut query, filter);
    query.cond_where(behind(Some(position)).not()).limit(1);
    Ok(!models(db, &query).await?.is_empty())
}

/// The changes of each of these objects.
pub async fn histories(
    db: &Db,
    view: &View,
    kind: Kind,
    ids: &[i32],
    stretch: Stretch,
) -> Result<HashMap<i32, Changes>> {
    let mut found: HashMap<i32, Changes> = HashMap::new();
    for ids in ids.chunks(CHUNK) {
        let mut query = of_objects(db, view, kind, ids);
        query.cond_where(behind(stretch.after));
        let mut window = WindowStatement::new();
        window.add_partition_by(Expr::col(Column::ObjectId));
        window.order_by(Column::Revision, Order::Asc).order_by(Column::Ordinal, Order::Asc);
        query.expr_window_as(Func::cust(Alias::new("ROW_NUMBER")), window, Alias::new("number"));
        let page = Query::select()
            .expr(Expr::cust("*"))
            .from_subquery(query, Alias::new("page"))
            .and_where(Expr::col(Alias::new("number")).lte(stretch.limit + 1))
            .order_by(Alias::new("object_id"), Order::Asc)
            .order_by(Alias::new("number"), Order::Asc)
            .take();
        for row in models(db, &page).await? {
            found.entry(row.object_id.unwrap_or_default()).or_default().rows.push(row);
        }
    }
    still_kept(db, stretch.after).await?;
    Ok(found.into_iter().map(|(id, changes)| (id, changes.cut(stretch.limit))).collect())
}

/// Which of these objects have changes up to a position.
pub async fn histories_before(db: &Db, view: &View, kind: Kind, ids: &[i32], position: Position) -> Result<Vec<i32>> {
    let mut found = Vec::new();
    for ids in ids.chunks(CHUNK) {
        let mut query = of_objects(db, view, kind, ids);
        query.cond_where(behind(Some(position)).not()).clear_selects().column(Column::ObjectId).distinct();
        for row in db.read.query_all(&query).await? {
            found.push(row.try_get("", "object_id")?);
        }
    }
    Ok(found)
}

fn of_objects(db: &Db, view: &View, kind: Kind, ids: &[i32]) -> SelectStatement {
    let mut query = visible(db, view);
    let id = Expr::col((Entity, Column::ObjectId));
    query.and_where(Column::ObjectType.eq(kind.table())).and_where(one_of(id, ids, db.backend()));
    query
}

/// All columns of the changes that may be seen.
fn visible(db: &Db, view: &View) -> SelectStatement {
    let mut query = Query::select();
    query.columns(Column::iter().map(|column| (Entity, column))).from(Entity);
    // Changes of many rows at once name no object.
    let mut seen = Condition::any().add(Column::ObjectType.is_null());
    let mut whole = Vec::new();
    for kind in Kind::ALL {
        let Some(scope) = view.scope(kind) else {
            whole.push(kind.table());
            continue;
        };
        let table = Alias::new(kind.table());
        let viewable = Query::select()
            .column((table.clone(), Alias::new("id")))
            .from(table)
            .and_where(compile(scope, kind, db.backend(), &View::everything()))
            .take();
        let of_kind = Column::ObjectType.eq(kind.table());
        seen = seen.add(of_kind.and(Expr::col((Entity, Column::ObjectId)).in_subquery(viewable)));
    }
    query.cond_where(seen.add(Column::ObjectType.is_in(whole)));
    query
}

fn narrow(query: &mut SelectStatement, filter: &LogFilter) {
    if let Some(kinds) = &filter.kinds {
        query.and_where(Column::ObjectType.is_in(kinds.iter().map(|kind| kind.table())));
    }
    if let Some(actions) = &filter.actions {
        query.and_where(Column::Action.is_in(actions.iter().copied()));
    }
    if let Some(ids) = &filter.ids {
        let mut any = Condition::any();
        for kind in Kind::ALL {
            let of_kind = ids.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect::<Vec<_>>();
            if !of_kind.is_empty() {
                any = any.add(Column::ObjectType.eq(kind.table()).and(Column::ObjectId.is_in(of_kind)));
            }
        }
        // No id at all is no change.
        let nothing = Condition::all().add(Expr::val(1).eq(0));
        query.cond_where(if any.is_empty() { nothing } else { any });
    }
    if let Some(actor) = &filter.actor {
        query.and_where(Column::Actor.eq(actor.as_str()));
    }
    if let Some(since) = filter.since {
        query.and_where(Column::At.gte(since));
    }
    if let Some(until) = filter.until {
        query.and_where(Column::At.lt(until));
    }
}

/// Behind a position. The first part alone is what an index can use.
fn behind(after: Option<Position>) -> Condition {
    let Some(Position { revision, ordinal }) = after else { return Condition::all() };
    let later = Column::Revision.gt(revision).or(Column::Ordinal.gt(ordinal));
    Condition::all().add(Column::Revision.gte(revision)).add(later)
}

async fn models(db: &Db, query: &SelectStatement) -> Result<Vec<Model>> {
    let rows = db.read.query_all(query).await?;
    Ok(rows.iter().map(|row| Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// Refuses a position that lies before what is still kept, or beyond the end: the client must read everything anew.
/// To be asked behind the changes: those that go in between are told of then, else they would be missed unnoticed.
async fn still_kept(db: &Db, after: Option<Position>) -> Result<()> {
    let Some(after) = after else { return Ok(()) };
    if retention::pruned_to(&db.read).await?.is_some_and(|pruned| after < pruned) {
        return Err(Error::Expired("changes behind this position are no longer kept; read everything anew"));
    }
    let newest = revision::Entity::find_by_id(1).one(&db.read).await?.map_or(0, |row| row.value);
    if after.revision > newest {
        return Err(Error::Expired("this position is not of this log, or of another database; read everything anew"));
    }
    Ok(())
}
