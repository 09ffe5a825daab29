//! What a run changed of single objects, or would change.
use super::report::SyncAction;
use super::{cursor, page};
use crate::entity::sync_report::FieldStep;
use crate::entity::{Kind, sync_change};
use crate::graphql::connection::{Flag, PageInfo, int};
use crate::graphql::error::Result;
use crate::graphql::identity::{InventoryType, resource};
use crate::graphql::loader::{CountKey, StrideKey};
use crate::graphql::scalar::{Json, global_id};
use crate::graphql::session;
use crate::service::change::references;
use crate::service::read::sync::{Stretch, Stride};
use async_graphql::{Context, ID, Object, SimpleObject};
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;
use std::sync::Arc;

/// What the cursors of these lists are bound to.
const LIST: &str = "sync changes";

/// What a run changed of one object, or in a dry run would change.
#[derive(Clone, Debug)]
pub struct SyncChange {
    row: Arc<sync_change::Model>,
    kind: Kind,
}

/// A field of an object, as it was and as it is.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncFieldChange {
    /// Name of the field, as REST has it.
    field: String,
    /// Its value before; null for a new object, and for a reference to what you may not view.
    before: Json,
    /// Its value after; null for one that is deleted, and for a reference to what you may not view.
    after: Json,
}

/// What a run changed of one object, or in a dry run would change.
#[Object]
impl SyncChange {
    /// The object's type.
    async fn object_type(&self) -> InventoryType {
        self.kind.into()
    }

    /// The object's global id, also when it is gone; null for what a dry run would make.
    async fn object_id(&self) -> Option<ID> {
        self.row.object_id.map(|id| global_id(self.kind, id))
    }

    /// The object's name at that time.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What sync does to it.
    async fn action(&self) -> SyncAction {
        self.row.action.into()
    }

    /// Its fields that change.
    async fn fields(&self, ctx: &Context<'_>) -> Result<Vec<SyncFieldChange>> {
        // All at once, so that references are looked up together.
        let fields = self.row.steps().into_iter().map(async |FieldStep { field, before, after }| {
            let target = references(self.kind).find(|(name, _)| *name == field).map(|(_, target)| target);
            let (before, after) = try_join(seen(ctx, target, before), seen(ctx, target, after)).await?;
            Ok(SyncFieldChange { field, before, after })
        });
        try_join_all(fields).await
    }

    /// Why, for people; empty where the fields say it all.
    async fn reason(&self) -> &str {
        &self.row.reason
    }
}

/// A value as who asks may see it: a reference to what they may not view is none.
async fn seen(ctx: &Context<'_>, target: Option<Kind>, value: Value) -> Result<Json> {
    let session = session(ctx);
    let Some(target) = target.filter(|target| session.principal.view().scope(*target).is_some()) else {
        return Ok(Json(value));
    };
    let id = value.as_i64().and_then(|id| i32::try_from(id).ok());
    let found = match id {
        Some(id) => resource(session, target, id).await?,
        None => None,
    };
    Ok(Json(if found.is_some() { value } else { Value::Null }))
}

/// A change and its cursor.
#[derive(Clone, Debug)]
pub struct SyncChangeEdge(SyncChange);

/// A change and its cursor.
#[Object]
impl SyncChangeEdge {
    /// Where the change stands in its run; give it back as `after`.
    async fn cursor(&self) -> String {
        cursor(LIST, self.0.row.ordinal)
    }

    /// The change.
    async fn node(&self) -> SyncChange {
        self.0.clone()
    }
}

/// Changes of one run, in the order in which they were made.
#[derive(Clone, Debug)]
pub struct SyncChangeConnection {
    run: i32,
    changes: Vec<SyncChange>,
    more: bool,
    before: Flag,
}

/// Changes of one run, in the order in which they were made.
#[Object]
impl SyncChangeConnection {
    /// The changes, each with its cursor.
    async fn edges(&self) -> Vec<SyncChangeEdge> {
        self.changes.iter().cloned().map(SyncChangeEdge).collect()
    }

    /// The changes: `edges { node }`, shorter.
    async fn nodes(&self) -> &[SyncChange] {
        &self.changes
    }

    /// Where this page lies in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |change: &SyncChange| cursor(LIST, change.row.ordinal);
        PageInfo {
            next: Flag::Known(self.more),
            previous: self.before.clone(),
            start_cursor: self.changes.first().map(cursor),
            end_cursor: self.changes.last().map(cursor),
        }
    }

    /// Changes of the run on all pages; counted only when selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let key = CountKey { run: self.run, upto: None };
        Ok(int(session(ctx).loaders().count_run_changes(key).await?))
    }
}

/// A page of the changes of a run.
pub async fn changes(
    ctx: &Context<'_>,
    run: i32,
    first: Option<i64>,
    after: Option<String>,
) -> Result<SyncChangeConnection> {
    let (limit, after) = page(LIST, first, after)?;
    let key = StrideKey { run, stretch: Stretch { after, limit } };
    let stride = session(ctx).loaders().run_changes(key).await?;
    let Stride { rows, more } = &*stride;
    let of = |row: &sync_change::Model| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.table() == row.object_type)?;
        Some(SyncChange { row: Arc::new(row.clone()), kind })
    };
    let before = after.map_or(Flag::Known(false), |upto| Flag::BeforeRunChanges(CountKey { run, upto: Some(upto) }));
    Ok(SyncChangeConnection { run, changes: rows.iter().filter_map(of).collect(), more: *more, before })
}
