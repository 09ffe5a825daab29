//! Writing one row: the one way for every door, whatever the model.
//!
//! Whoever may not do this at all is refused before anything else is looked at; a row that one may not view is not
//! there; a row outside of one's constraints, before or after the write, is refused, and the transaction with it.
use super::batch::Operation;
use super::patch::{Fields, Given};
use super::tx::Savepoint;
use super::{Tx, change, family, rules, tagging};
use crate::entity::{Kind, Resource};
use crate::error::{Code, Error, Problem, Result};
use crate::filter::{Filter, View, compile};
use crate::principal::Act;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    IntoActiveModel, Iterable, ModelTrait, PrimaryKeyTrait, QueryFilter, QuerySelect, SqlErr, Value,
};
use std::str::FromStr;

/// A model whose rows are written by patches.
pub trait Writable: Row {
    /// What a client gives of a row.
    type Patch: Clone + Send + Sync + 'static;

    /// A new row with nothing but its defaults.
    fn blank(now: DateTime<Utc>) -> Self;

    /// Puts what the patch gives in place, by the rules.
    fn apply(&mut self, patch: &Self::Patch, fields: &mut Fields);

    /// What a violated unique index means; `index` holds the database's name for it.
    fn conflict(index: &str) -> Problem;

    /// The tags that the patch gives, by slug.
    fn tags(_: &Self::Patch) -> &Given<Vec<String>> {
        &None
    }

    /// The object of NetBox's that the patch links to.
    fn netbox_link(_: &Self::Patch) -> Option<(Kind, i32)> {
        None
    }

    /// What finds the row with the same natural key; none for models that are not upserted.
    fn twin(&self) -> Option<Condition> {
        None
    }

    /// Seals the secrets of the patch in a row that has its id, and drops those that must not stay; returns which
    /// ones were given.
    fn seal(
        &mut self,
        _: &Self::Patch,
        _before: Option<&Self>,
        _: &Tx,
    ) -> impl Future<Output = Result<Vec<&'static str>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Lets follow what depends on the row, which was changed.
    fn follow(_before: &Self, _after: &Self, _: &mut Tx) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Removes the row, and what must not stay without it.
    fn remove(self, tx: &mut Tx) -> impl Future<Output = Result<()>> + Send;
}

/// What the generic code below needs of a row; every entity with an integer id has it.
pub trait Row:
    Resource + FromQueryResult + Clone + PartialEq + ModelTrait<Entity = Self::E> + IntoActiveModel<Self::Active>
{
    /// Its entity.
    type E: EntityTrait<Model = Self, Column: FromStr + Send, PrimaryKey: PrimaryKeyTrait<ValueType = i32>>;
    /// Its active model.
    type Active: ActiveModelTrait<Entity = Self::E> + ActiveModelBehavior + Send;
}

impl<M, E, A> Row for M
where
    M: Resource + FromQueryResult + Clone + PartialEq + ModelTrait<Entity = E> + IntoActiveModel<A>,
    E: EntityTrait<Model = M, ActiveModel = A, Column: FromStr + Send, PrimaryKey: PrimaryKeyTrait<ValueType = i32>>,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    type E = E;
    type Active = A;
}

/// Makes a row.
pub async fn create<M: Writable>(tx: &mut Tx, patch: &M::Patch) -> Result<M> {
    tx.must_may(M::KIND, Act::Add)?;
    let new = draft::<M>(tx, patch).await?;
    insert(tx, new, patch).await
}

/// Updates the row with the same natural key, or makes it; tells whether it was made. Of several at once one makes it.
pub async fn upsert<M: Writable>(tx: &mut Tx, patch: &M::Patch) -> Result<(M, bool)> {
    tx.must_may_one(M::KIND, &[Act::Add, Act::Change])?;
    let new = draft::<M>(tx, patch).await?;
    if let Some(row) = twin(tx, &new).await? {
        return Ok((change_twin(tx, row, patch).await?, false));
    }
    tx.must_may(M::KIND, Act::Add)?;
    let savepoint = tx.savepoint(Savepoint::Row).await?;
    match insert(tx, new.clone(), patch).await {
        Err(Error::Input(problems)) if problems.iter().all(|problem| problem.code == Code::KeyTaken) => {
            tx.roll_back_to(savepoint).await?;
            // Somebody made it meanwhile; if they took it away again, beginning anew will do.
            let row = twin(tx, &new).await?.ok_or(Error::Contention)?;
            Ok((change_twin(tx, row, patch).await?, false))
        }
        Ok(row) => {
            tx.release(savepoint).await?;
            Ok((row, true))
        }
        Err(error) => Err(error),
    }
}

/// Changes a row, unless it was changed since the given time. A patch that changes nothing writes nothing.
pub async fn update<M: Writable>(
    tx: &mut Tx,
    id: i32,
    if_last_updated: Option<DateTime<Utc>>,
    patch: &M::Patch,
) -> Result<M> {
    let before = for_writing::<M>(tx, id, Act::Change, if_last_updated).await?;
    revise(tx, before, patch).await
}

/// Removes a row with what must not stay without it, unless it was changed since the given time.
pub async fn delete<M: Writable>(tx: &mut Tx, id: i32, if_last_updated: Option<DateTime<Utc>>) -> Result<()> {
    for_writing::<M>(tx, id, Act::Delete, if_last_updated).await?.remove(tx).await
}

/// A new row of the patch, checked.
async fn draft<M: Writable>(tx: &Tx, patch: &M::Patch) -> Result<M> {
    let mut new = M::blank(tx.now());
    apply(tx, &mut new, patch, Fields::new(M::KIND, true, Vec::new())).await?;
    Ok(new)
}

/// Why an operation is not done of which the door could not read a part: those problems, and what the rules say of the
/// rest.
pub(super) async fn refuse<M: Writable>(tx: &Tx, operation: &Operation<M::Patch>, problems: Vec<Problem>) -> Error {
    let refusal = async {
        let (mut row, patch, creating) = match operation {
            Operation::Create(patch) => {
                tx.must_may(M::KIND, Act::Add)?;
                (M::blank(tx.now()), patch, true)
            }
            Operation::Upsert(patch) => {
                tx.must_may_one(M::KIND, &[Act::Add, Act::Change])?;
                (M::blank(tx.now()), patch, true)
            }
            Operation::Update { id, if_last_updated, patch } => {
                (for_writing::<M>(tx, *id, Act::Change, *if_last_updated).await?, patch, false)
            }
            Operation::Delete { .. } | Operation::Unreadable(..) | Operation::Partial(..) => {
                return Err(Error::Input(problems));
            }
        };
        apply(tx, &mut row, patch, Fields::new(M::KIND, creating, problems)).await
    };
    refusal.await.err().unwrap_or_else(|| Error::Internal("a partial operation passed all rules".into()))
}

async fn apply<M: Writable>(tx: &Tx, row: &mut M, patch: &M::Patch, mut fields: Fields) -> Result<()> {
    row.apply(patch, &mut fields);
    let mut missing = Vec::new();
    for reference in fields.references() {
        if !tx.holds(reference.target, reference.id, &Filter::everything()).await? {
            missing.push(no_such(reference.field, reference.id));
        }
    }
    match M::tags(patch) {
        Some(Some(slugs)) if !slugs.is_empty() => missing.extend(tagging::unknown(tx, slugs).await?),
        Some(None) => missing.push(rules::not_null("tags")),
        _ => {}
    }
    missing.into_iter().for_each(|problem| fields.refuse(problem));
    fields.finish()
}

/// A reference to what is not there.
pub(super) fn no_such(field: &str, id: i32) -> Problem {
    let message = format!("Related object not found using the provided numeric ID: {id}");
    Problem::new(Code::ReferenceNotFound, field, message)
}

/// The row with the same natural key, locked.
async fn twin<M: Writable>(tx: &Tx, new: &M) -> Result<Option<M>> {
    let key = new.twin().ok_or_else(|| Error::Internal(format!("a {} is not upserted", M::KIND)))?;
    Ok(M::E::find().filter(key).lock_exclusive().one(tx.connection()).await?)
}

async fn change_twin<M: Writable>(tx: &mut Tx, row: M, patch: &M::Patch) -> Result<M> {
    tx.must_may(M::KIND, Act::Change)?;
    tx.must_be_in_scope(M::KIND, row.id(), Act::Change).await?;
    revise(tx, row, patch).await
}

/// The row to be written, locked, if one may do this with it.
pub(super) async fn for_writing<M: Writable>(
    tx: &Tx,
    id: i32,
    act: Act,
    if_last_updated: Option<DateTime<Utc>>,
) -> Result<M> {
    let kind = M::KIND;
    tx.must_may(kind, act)?;
    let missing = || Error::NotFound(format!("there is no {kind} {id}"));
    let row = M::E::find_by_id(id).lock_exclusive().one(tx.connection()).await?.ok_or_else(missing)?;
    if !tx.in_scope(kind, id, Act::View).await? {
        return Err(missing());
    }
    tx.must_be_in_scope(kind, id, act).await?;
    match (if_last_updated, last_updated(&row)) {
        (None, _) => Ok(row),
        (Some(given), Some(stored)) if given == stored => Ok(row),
        (Some(_), Some(stored)) => {
            let stored = change::timestamp(stored);
            Err(Error::Stale(format!("the {kind} {id} was changed since: its lastUpdated is {stored}")))
        }
        (Some(_), None) => {
            let message = format!("a {kind} has no lastUpdated");
            Err(Problem::new(Code::Invalid, "if_last_updated", message).into())
        }
    }
}

async fn insert<M: Writable>(tx: &mut Tx, new: M, patch: &M::Patch) -> Result<M> {
    let mut active = new.into_active_model().reset_all();
    if <<M::E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::auto_increment() {
        active.not_set(column::<M>("id")?);
    }
    let mut row: M = active.insert(tx.connection()).await.map_err(told::<M>)?;
    let made = row.clone();
    // Sealing needs the row's id, which only the insert gives.
    row.seal(patch, None, tx).await?;
    if row != made {
        row = store(tx, &made, row).await?;
    }
    let tags = match M::tags(patch) {
        Some(Some(slugs)) => tagging::replace(tx, M::KIND, row.id(), &[], slugs).await?,
        _ => Vec::new(),
    };
    tx.must_be_in_scope(M::KIND, row.id(), Act::Add).await?;
    tx.created(M::KIND, row.id(), change::document(&row, &tags));
    Ok(row)
}

/// Puts the patch on a row that was read for writing.
pub(super) async fn revise<M: Writable>(tx: &mut Tx, before: M, patch: &M::Patch) -> Result<M> {
    let kind = M::KIND;
    let mut after = before.clone();
    apply(tx, &mut after, patch, Fields::new(M::KIND, false, Vec::new())).await?;
    let secrets = after.seal(patch, Some(&before), tx).await?;
    let tags = family::tags(tx, kind, std::slice::from_ref(&before)).await?.remove(&before.id()).unwrap_or_default();
    let new_tags = match M::tags(patch) {
        Some(Some(slugs)) => tagging::replace(tx, kind, before.id(), &tags, slugs).await?,
        _ => tags.clone(),
    };
    if after == before && new_tags == tags {
        return Ok(before);
    }
    if let (Some(stored), Ok(column)) = (last_updated(&before), column::<M>("last_updated")) {
        after.set(column, tx.after(stored).into());
    }
    let after = store(tx, &before, after).await?;
    tx.must_be_in_scope(kind, after.id(), Act::Change).await?;
    let (old, new) = (change::document(&before, &tags), change::document(&after, &new_tags));
    tx.updated_with(kind, after.id(), old, new, &secrets);
    M::follow(&before, &after, tx).await?;
    Ok(after)
}

/// Makes rows that bring their ids along, in as few statements as the databases take; tells how many each made.
pub(super) async fn insert_all<A>(tx: &Tx, mut rows: Vec<A>, mut told: impl FnMut(u64)) -> Result<()>
where
    A: ActiveModelTrait + Send,
{
    // SQLite binds at most 32 766 values a statement.
    let chunk = 30_000 / <A::Entity as EntityTrait>::Column::iter().count().max(1);
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(chunk));
        let count = rows.len() as u64;
        A::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
        told(count);
        rows = rest;
    }
    Ok(())
}

/// Writes the columns that differ.
pub(super) async fn store<M: Writable>(tx: &Tx, before: &M, after: M) -> Result<M> {
    if *before == after {
        return Ok(after);
    }
    let mut active = before.clone().into_active_model();
    for column in <M::E as EntityTrait>::Column::iter() {
        let value = after.get(column);
        if value != before.get(column) {
            active.set(column, value);
        }
    }
    active.update(tx.connection()).await.map_err(told::<M>)
}

pub(super) fn column<M: Writable>(name: &str) -> Result<<M::E as EntityTrait>::Column> {
    FromStr::from_str(name).map_err(|_| Error::Internal(format!("a {} has no column {name}", M::KIND)))
}

/// When the row last changed, for models that tell.
pub fn last_updated<M: Writable>(row: &M) -> Option<DateTime<Utc>> {
    match row.get(column::<M>("last_updated").ok()?) {
        Value::ChronoDateTimeUtc(time) => time,
        _ => None,
    }
}

/// What the database has against a row, told without its words.
fn told<M: Writable>(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(index)) => M::conflict(&index).into(),
        // What it refers to was there a moment ago.
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::Contention,
        _ => error.into(),
    }
}

impl Tx {
    /// Refuses whoever may do this with no row at all.
    pub(super) fn must_may(&self, kind: Kind, act: Act) -> Result<()> {
        if self.principal().may(kind, act) { Ok(()) } else { Err(self.forbidden(kind, act)) }
    }

    /// Refuses whoever may do none of these with any row.
    pub(super) fn must_may_one(&self, kind: Kind, acts: &[Act]) -> Result<()> {
        let refused = acts.iter().map(|act| self.must_may(kind, *act)).take_while(Result::is_err);
        if refused.count() < acts.len() { Ok(()) } else { self.must_may(kind, acts[0]) }
    }

    /// The refusal; it tells nothing about the row.
    fn forbidden(&self, kind: Kind, act: Act) -> Error {
        Error::Forbidden(format!("You may not {} this {kind}.", act.verb()))
    }

    /// Whether one may do this with this row, as it is now.
    pub(super) async fn in_scope(&self, kind: Kind, id: i32, act: Act) -> Result<bool> {
        let scope = self.principal().scope(kind, act);
        Ok(scope.is_everything() || self.holds(kind, id, &scope).await?)
    }

    /// Whether there is a row of this id that one may view.
    pub(super) async fn sees(&self, kind: Kind, id: i32) -> Result<bool> {
        self.holds(kind, id, &self.principal().scope(kind, Act::View)).await
    }

    async fn must_be_in_scope(&self, kind: Kind, id: i32, act: Act) -> Result<()> {
        if self.in_scope(kind, id, act).await? { Ok(()) } else { Err(self.forbidden(kind, act)) }
    }

    /// Whether there is a row of this id for which the filter holds.
    async fn holds(&self, kind: Kind, id: i32, filter: &Filter) -> Result<bool> {
        let table = Alias::new(kind.table());
        let mut query = Query::select();
        query.expr(Expr::val(1)).from(table.clone()).and_where(Expr::col((table, Alias::new("id"))).eq(id));
        if !filter.is_everything() {
            let backend = self.connection().get_database_backend();
            query.and_where(compile(filter, kind, backend, &View::everything()));
        }
        Ok(self.connection().query_one(&query).await?.is_some())
    }
}
