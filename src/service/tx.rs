use crate::db::{Db, WRITING};
use crate::entity::{Action, JsonText, Kind, change};
use crate::error::{Error, Result};
use crate::event::Events;
use crate::principal::Principal;
use crate::secret::Sealer;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, Set, Statement, TransactionTrait};
use serde_json::{Value, json};
use std::sync::Arc;

/// Who writes: what they may decides, and their name stands in the change log.
#[derive(Clone, Debug)]
pub struct Actor {
    pub principal: Principal,
    /// The request that it came with, if it came with one.
    pub request_id: Option<String>,
}

impl Actor {
    /// The operator at the command line.
    pub fn operator() -> Self {
        Self { principal: Principal::operator(), request_id: None }
    }

    /// The program itself at some task: `load`, `demo` …
    pub fn program(task: &str) -> Self {
        Self { principal: Principal::program(task), request_id: None }
    }
}

/// Now, as far as the databases can tell: truncated to microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clock;

impl Clock {
    /// The current time.
    pub fn now() -> DateTime<Utc> {
        Self::truncated(Utc::now())
    }

    /// A time as far as the databases can tell it.
    pub fn truncated(time: DateTime<Utc>) -> DateTime<Utc> {
        time.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(time)
    }
}

/// One transaction that writes: it collects the changes, and `commit` numbers, logs and announces them.
/// Dropped without a commit it rolls back and announces nothing.
#[derive(Debug)]
pub struct Tx {
    connection: DatabaseTransaction,
    actor: Actor,
    events: Events,
    sealer: Arc<Sealer>,
    now: DateTime<Utc>,
    changes: Vec<Entry>,
}

/// A point within a transaction to which it can go back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    savepoint: Savepoint,
    changes: usize,
}

/// What is tried between a savepoint and its end; one of a sort at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Savepoint {
    /// One operation of several.
    Operation,
    /// One row within an operation.
    Row,
}

/// A change that waits for its revision.
#[derive(Debug)]
struct Entry {
    object: Option<(&'static str, i32)>,
    action: Action,
    changed: Vec<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Tx {
    /// Begins to write. On SQLite this waits for the one writer, so that nobody meets "database is locked" later.
    pub async fn begin(db: &Db, actor: Actor, events: Events, sealer: Arc<Sealer>) -> Result<Self> {
        let connection = db.write.begin_with_options(WRITING).await?;
        Ok(Self { connection, actor, events, sealer, now: Clock::now(), changes: Vec::new() })
    }

    /// The connection, for the statements of this transaction.
    pub fn connection(&self) -> &DatabaseTransaction {
        &self.connection
    }

    /// Who writes.
    pub fn principal(&self) -> &Principal {
        &self.actor.principal
    }

    /// What seals the secrets.
    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Waits until nobody else writes several rows of this kind: in another order of the rows both would block each
    /// other. SQLite has but one writer anyway. The turn is a row, which every engine of PostgreSQL's protocol can lock.
    pub async fn take_turn(&self, kind: Kind) -> Result<()> {
        if self.connection.get_database_backend() == DbBackend::Postgres {
            let sql = "INSERT INTO setting (name, value) VALUES ($1, '') \
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            let name = format!("turn_{}", kind.table());
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()]);
            self.connection.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Where [`Tx::roll_back_to`] can go back to. Behind a failed statement PostgreSQL takes no other step.
    pub(super) async fn savepoint(&self, savepoint: Savepoint) -> Result<Mark> {
        self.connection.execute_unprepared(&format!("SAVEPOINT {}", savepoint.name())).await?;
        Ok(Mark { savepoint, changes: self.changes.len() })
    }

    /// Undoes what came after the mark, changes included, and forgets it.
    pub(super) async fn roll_back_to(&mut self, mark: Mark) -> Result<()> {
        self.connection.execute_unprepared(&format!("ROLLBACK TO SAVEPOINT {}", mark.savepoint.name())).await?;
        self.changes.truncate(mark.changes);
        self.release(mark).await
    }

    /// Forgets the mark; what came after it stays.
    pub(super) async fn release(&self, mark: Mark) -> Result<()> {
        self.connection.execute_unprepared(&format!("RELEASE SAVEPOINT {}", mark.savepoint.name())).await?;
        Ok(())
    }

    /// How many changes were noted so far.
    pub(super) fn noted(&self) -> usize {
        self.changes.len()
    }

    /// Which objects were changed, and how, since so many changes had been noted.
    pub(super) fn noted_since(&self, noted: usize) -> impl Iterator<Item = (&'static str, i32, Action)> {
        self.changes[noted..].iter().filter_map(|entry| entry.object.map(|(table, id)| (table, id, entry.action)))
    }

    /// When the transaction began; what it writes carries this time.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The time for `last_updated` of a row last updated then: strictly later, even if a clock went back.
    pub fn after(&self, last_updated: DateTime<Utc>) -> DateTime<Utc> {
        self.now.max(last_updated + TimeDelta::microseconds(1))
    }

    /// Notes a new object.
    pub fn created(&mut self, kind: Kind, id: i32, after: Value) {
        self.created_in(kind.table(), id, after);
    }

    /// Notes a change of an object; nothing when both are the same.
    pub fn updated(&mut self, kind: Kind, id: i32, before: Value, after: Value) {
        self.updated_with(kind, id, before, after, &[]);
    }

    /// Notes a change of an object that gave it these secrets anew: the documents do not show them.
    pub(super) fn updated_with(&mut self, kind: Kind, id: i32, before: Value, after: Value, secrets: &[&str]) {
        let mut changed = differing(&before, &after);
        changed.extend(secrets.iter().map(|secret| (*secret).to_owned()));
        if !changed.is_empty() {
            self.note(Some((kind.table(), id)), Action::Updated, changed, Some(before), Some(after));
        }
    }

    /// Notes that an object is gone.
    pub fn deleted(&mut self, kind: Kind, id: i32, before: Value) {
        self.deleted_in(kind.table(), id, before);
    }

    pub(super) fn created_in(&mut self, table: &'static str, id: i32, after: Value) {
        let changed = keys(&after);
        self.note(Some((table, id)), Action::Created, changed, None, Some(after));
    }

    pub(super) fn deleted_in(&mut self, table: &'static str, id: i32, before: Value) {
        self.note(Some((table, id)), Action::Deleted, Vec::new(), Some(before), None);
    }

    /// Notes that a whole file was loaded, with the counts of its rows.
    pub(super) fn loaded(&mut self, counts: Value) {
        self.note(None, Action::Loaded, Vec::new(), None, Some(counts));
    }

    /// Notes that volatile figures of so many rows of a kind were read anew, all in one record.
    pub(super) fn measured(&mut self, kind: Kind, rows: usize) {
        if rows > 0 {
            self.note(None, Action::Metrics, Vec::new(), None, Some(json!({ kind.table(): rows })));
        }
    }

    fn note(
        &mut self,
        object: Option<(&'static str, i32)>,
        action: Action,
        changed: Vec<String>,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        self.changes.push(Entry { object, action, changed, before, after });
    }

    /// Commits, and returns the new revision, or none when nothing had changed.
    ///
    /// The row `revision` is taken last and held to the end: commits follow each other in the order of their numbers.
    pub async fn commit(mut self) -> Result<Option<i64>> {
        if self.changes.is_empty() {
            self.connection.commit().await?;
            return Ok(None);
        }
        let revision = self.next_revision().await?;
        let rows = std::mem::take(&mut self.changes).into_iter().enumerate();
        let rows = rows.map(|(ordinal, entry)| self.row(revision, ordinal, entry)).collect::<Vec<_>>();
        for chunk in rows.chunks(1_000) {
            change::Entity::insert_many(chunk.to_vec()).exec_without_returning(&self.connection).await?;
        }
        let Self { connection, events, .. } = self;
        // In a task of its own: whoever asked may be gone, but what is committed must be announced.
        let committing = tokio::spawn(async move {
            connection.commit().await?;
            events.announce(revision);
            Ok::<_, Error>(())
        });
        committing.await.map_err(|error| Error::Internal(format!("a commit failed: {error}")))??;
        Ok(Some(revision))
    }

    async fn next_revision(&self) -> Result<i64> {
        let sql = "UPDATE revision SET value = value + 1 WHERE id = 1 RETURNING value";
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let row = self.connection.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| Error::Internal("the table `revision` is empty".into()))?;
        Ok(row.try_get_by_index(0)?)
    }

    fn row(&self, revision: i64, ordinal: usize, entry: Entry) -> change::ActiveModel {
        let changed = entry.changed.into_iter().map(Value::String).collect();
        change::ActiveModel {
            revision: Set(revision),
            ordinal: Set(ordinal as i32),
            at: Set(self.now),
            actor: Set(self.actor.principal.name.clone()),
            request_id: Set(self.actor.request_id.clone()),
            object_type: Set(entry.object.map(|(table, _)| table.to_owned())),
            object_id: Set(entry.object.map(|(_, id)| id)),
            action: Set(entry.action),
            changed: Set(JsonText(Value::Array(changed))),
            before: Set(entry.before.map(JsonText)),
            after: Set(entry.after.map(JsonText)),
        }
    }
}

impl Savepoint {
    fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Row => "one_row",
        }
    }
}

fn keys(document: &Value) -> Vec<String> {
    document.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

/// The keys whose values differ, without `last_updated`, which follows from the others.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let names = keys(after).into_iter().filter(|key| key != "last_updated");
    names.filter(|key| before.get(key) != after.get(key)).collect()
}
