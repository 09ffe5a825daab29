//! Deletions, whatever the model.
use super::input;
use super::payload::{Bulk, BulkMode, Single, Slot, UserError};
use super::{alone, bounded, several};
use crate::entity::Kind;
use crate::error::Problem;
use crate::graphql::error::Result;
use crate::graphql::identity::InventoryType;
use crate::graphql::scalar::{Time, global_id};
use crate::graphql::session;
use crate::principal::Act;
use crate::service::Writable;
use crate::service::batch::{Effect, Operation};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

/// Which object is to go.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteInput {
    /// Which one: its id in either form.
    id: ID,
    /// Refuse (STALE) unless the object's `lastUpdated` is this. Not for tags and references to NetBox, which tell none.
    if_last_updated: Option<Time>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// Which objects are to go.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteManyInput {
    /// Which ones: their ids in either form; at most 1000.
    ids: Vec<ID>,
    /// What becomes of the others when one cannot be deleted.
    #[graphql(default_with = "Some(BulkMode::AllOrNothing)")]
    mode: Option<BulkMode>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// What a deletion took along or detached, of one type; not the objects that were to be deleted.
#[derive(Clone, Debug, SimpleObject)]
pub struct DeletionEffect {
    /// The type of these objects.
    r#type: InventoryType,
    /// How many went with it.
    deleted: usize,
    /// How many stay, but lost a reference or a tag.
    detached: usize,
}

/// What became of the deletion of one object.
#[derive(Clone, Debug)]
pub struct DeletePayload {
    kind: Kind,
    single: Single,
    effects: Vec<Effect>,
}

/// What became of the deletion of one of several objects.
#[derive(Clone, Debug)]
pub struct DeleteBulkItem {
    kind: Kind,
    index: usize,
    slot: Slot,
}

/// What became of the deletion of several objects.
#[derive(Clone, Debug)]
pub struct DeleteBulkPayload(Bulk);

/// Deletes one object.
pub async fn delete<M: Writable>(ctx: &Context<'_>, input: DeleteInput) -> Result<DeletePayload> {
    let if_last_updated = input.if_last_updated.map(|time| time.0);
    let mut problems = Vec::new();
    let id = input::id(&input.id, M::KIND, &mut problems);
    let operation = operation::<M>(id, if_last_updated, problems);
    let (slot, effects) = alone::<M>(session(ctx), operation).await?;
    Ok(DeletePayload { kind: M::KIND, single: Single { slot, client_mutation_id: input.client_mutation_id }, effects })
}

/// Deletes several objects.
pub async fn delete_all<M: Writable>(ctx: &Context<'_>, input: DeleteManyInput) -> Result<DeleteBulkPayload> {
    let operations = bounded(input.ids)?.into_iter().map(|id| {
        let mut problems = Vec::new();
        let id = input::id(&id, M::KIND, &mut problems);
        // Here the id is the item itself.
        problems.iter_mut().for_each(|problem| problem.path.clear());
        operation::<M>(id, None, problems)
    });
    let operations = operations.collect();
    several::<M>(session(ctx), operations, "ids", input.mode, input.client_mutation_id).await.map(DeleteBulkPayload)
}

fn operation<M: Writable>(
    id: i32,
    if_last_updated: Option<chrono::DateTime<chrono::Utc>>,
    problems: Vec<Problem>,
) -> Operation<M::Patch> {
    if problems.is_empty() {
        Operation::Delete { id, if_last_updated }
    } else {
        Operation::Unreadable(&[Act::Delete], problems)
    }
}

fn told(effects: &[Effect]) -> Vec<DeletionEffect> {
    let each = effects.iter().map(|effect| DeletionEffect {
        r#type: effect.kind.into(),
        deleted: effect.deleted,
        detached: effect.detached,
    });
    each.collect()
}

/// What became of the deletion of one object.
#[Object]
impl DeletePayload {
    /// Global id of the deleted object; null when nothing was done.
    async fn deleted_id(&self) -> Option<ID> {
        self.single.slot.done.map(|done| global_id(self.kind, done.id))
    }

    /// REST id of the deleted object; null when nothing was done.
    async fn deleted_database_id(&self) -> Option<i32> {
        self.single.slot.done.map(|done| done.id)
    }

    /// What went with it, by type; empty when nothing did.
    async fn effects(&self) -> Vec<DeletionEffect> {
        told(&self.effects)
    }

    /// What you can put right; empty when it was done.
    async fn user_errors(&self) -> &[UserError] {
        &self.single.slot.errors
    }

    /// The `clientMutationId` of the input.
    async fn client_mutation_id(&self) -> Option<&str> {
        self.single.client_mutation_id.as_deref()
    }
}

/// What became of the deletion of several objects.
#[Object]
impl DeleteBulkPayload {
    /// What became of each id, in the order of the input.
    async fn results(&self) -> Vec<DeleteBulkItem> {
        let slots = self.0.slots.iter().cloned().enumerate();
        slots.map(|(index, slot)| DeleteBulkItem { kind: self.0.kind, index, slot }).collect()
    }

    /// Objects that were deleted: with `ALL_OR_NOTHING` all or none.
    async fn succeeded(&self) -> usize {
        self.0.succeeded()
    }

    /// Ids with errors.
    async fn failed(&self) -> usize {
        self.0.failed()
    }

    /// What went with them, by type; empty when nothing did.
    async fn effects(&self) -> Vec<DeletionEffect> {
        told(&self.0.effects)
    }

    /// The `clientMutationId` of the input.
    async fn client_mutation_id(&self) -> Option<&str> {
        self.0.client_mutation_id.as_deref()
    }
}

/// What became of the deletion of one of several objects.
#[Object]
impl DeleteBulkItem {
    /// Its place in the input, from 0.
    async fn index(&self) -> usize {
        self.index
    }

    /// Global id of the deleted object; null when nothing was done.
    async fn deleted_id(&self) -> Option<ID> {
        self.slot.done.map(|done| global_id(self.kind, done.id))
    }

    /// What you can put right with this id.
    async fn user_errors(&self) -> &[UserError] {
        &self.slot.errors
    }
}
