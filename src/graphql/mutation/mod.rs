//! Mutations: one `input`, one payload. Inputs become patches, `service` does the rest, and what the caller can put
//! right comes back as `userErrors` with its place in the input.
mod cluster;
mod delete;
mod endpoint;
mod fields;
mod input;
mod link;
mod mirror;
mod netbox;
mod node;
mod payload;
mod storage;
mod sync;
mod tag;

use self::input::{CreateInput, UpdateInput};
use self::payload::{Bulk, BulkMode, Single, Slot, UserError};
use super::error::{Failure, Result};
use super::{Session, session};
use crate::principal::Act;
use crate::service::Writable;
use crate::service::batch::{Effect, Mode, Operation};
use async_graphql::{Context, MergedObject};

/// Everything that can be changed. Each mutation takes one `input` and answers with a payload: the object, and
/// `userErrors` for what you can put right. Mutations of one request run one after the other; each stands for itself.
#[derive(Clone, Copy, Debug, Default, MergedObject)]
pub struct Mutation(
    cluster::ClusterMutation,
    cluster::ClusterBulkMutation,
    node::NodeMutation,
    node::NodeBulkMutation,
    storage::StorageMutation,
    storage::StorageBulkMutation,
    endpoint::EndpointMutation,
    netbox::NetBoxClusterMutation,
    netbox::NetBoxDeviceMutation,
    tag::TagMutation,
    sync::SyncMutation,
    mirror::MirrorMutation,
    link::LinkMutation,
);

/// Items of one bulk mutation at most.
const MOST_ITEMS: usize = 1_000;

type OperationOn<M> = Operation<<M as Writable>::Patch>;

/// Whether the row of a natural key that is taken is updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twin {
    Refuse,
    Update,
}

fn create_operation<M: Writable>(input: impl CreateInput<M>, twin: Twin) -> OperationOn<M> {
    match (input.patch(), twin) {
        (Ok(patch), Twin::Refuse) => Operation::Create(patch),
        (Ok(patch), Twin::Update) => Operation::Upsert(patch),
        (Err(problems), Twin::Refuse) => Operation::Unreadable(&[Act::Add], problems),
        (Err(problems), Twin::Update) => Operation::Unreadable(&[Act::Add, Act::Change], problems),
    }
}

fn update_operation<M: Writable>(input: impl UpdateInput<M>) -> OperationOn<M> {
    match input.read() {
        Ok((id, if_last_updated, patch)) => Operation::Update { id, if_last_updated, patch },
        Err(problems) => Operation::Unreadable(&[Act::Change], problems),
    }
}

/// Makes one object, or with [`Twin::Update`] updates the one with its natural key.
async fn create<M: Writable>(ctx: &Context<'_>, mut input: impl CreateInput<M>, twin: Twin) -> Result<Single> {
    let client = input.client_mutation_id();
    one::<M>(session(ctx), create_operation(input, twin), client).await
}

/// Changes one object.
async fn update<M: Writable>(ctx: &Context<'_>, mut input: impl UpdateInput<M>) -> Result<Single> {
    let client = input.client_mutation_id();
    one::<M>(session(ctx), update_operation(input), client).await
}

async fn one<M: Writable>(session: &Session, operation: OperationOn<M>, client: Option<String>) -> Result<Single> {
    let (slot, _) = alone::<M>(session, operation).await?;
    Ok(Single { slot, client_mutation_id: client })
}

/// Does one thing; an error that is not the caller's is the request's.
async fn alone<M: Writable>(session: &Session, operation: OperationOn<M>) -> Result<(Slot, Vec<Effect>)> {
    let creates = matches!(operation, Operation::Create(_) | Operation::Upsert(_));
    let mut outcome = session.write::<M>(&[operation], Mode::AllOrNothing).await?;
    let slot = match outcome.results.remove(0) {
        Ok(done) => Slot { done: Some(done), errors: Vec::new() },
        Err(error) => Slot { done: None, errors: UserError::all(error, &[], creates)? },
    };
    Ok((slot, outcome.effects))
}

/// Makes several objects.
async fn create_all<M: Writable, I: CreateInput<M>>(
    ctx: &Context<'_>,
    items: Vec<I>,
    twin: Twin,
    mode: Option<BulkMode>,
    client: Option<String>,
) -> Result<Bulk> {
    let operations = bounded(items)?.into_iter().map(|item| create_operation(item, twin)).collect();
    several::<M>(session(ctx), operations, "items", mode, client).await
}

/// Changes several objects.
async fn update_all<M: Writable, I: UpdateInput<M>>(
    ctx: &Context<'_>,
    items: Vec<I>,
    mode: Option<BulkMode>,
    client: Option<String>,
) -> Result<Bulk> {
    let operations = bounded(items)?.into_iter().map(update_operation).collect();
    several::<M>(session(ctx), operations, "items", mode, client).await
}

fn bounded<T>(items: Vec<T>) -> Result<Vec<T>> {
    if items.len() <= MOST_ITEMS {
        return Ok(items);
    }
    Err(Failure::input(format!("input: {} items are too many; at most {MOST_ITEMS} are allowed at once", items.len())))
}

/// Does several things in one transaction. `list` is where the items stand in the input.
async fn several<M: Writable>(
    session: &Session,
    operations: Vec<OperationOn<M>>,
    list: &str,
    mode: Option<BulkMode>,
    client: Option<String>,
) -> Result<Bulk> {
    let creates = |i: usize| matches!(operations[i], Operation::Create(_) | Operation::Upsert(_));
    let outcome = session.write::<M>(&operations, mode.unwrap_or(BulkMode::AllOrNothing).into()).await?;
    let stays = outcome.stays;
    let slots = outcome.results.into_iter().enumerate().map(|(i, result)| match result {
        Ok(done) => Ok(Slot { done: Some(done).filter(|_| stays), errors: Vec::new() }),
        Err(error) => {
            let errors = UserError::all(error, &[list.to_owned(), i.to_string()], creates(i))?;
            Ok(Slot { done: None, errors })
        }
    });
    let slots = slots.collect::<Result<Vec<_>>>()?;
    Ok(Bulk { kind: M::KIND, slots, effects: outcome.effects, client_mutation_id: client })
}
