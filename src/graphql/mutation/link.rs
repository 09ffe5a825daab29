//! Accepting and rejecting links between Proxmox's objects and NetBox's.
use super::payload::{UserError, UserErrorCode};
use crate::entity::Decision;
use crate::error::Error;
use crate::graphql::error::Result;
use crate::graphql::identity::InventoryRecord;
use crate::graphql::link::object;
use crate::graphql::scalar::{local_id, parse_global_id};
use crate::graphql::{Session, session};
use crate::principal::Act;
use crate::service::link::{LinkType, Step};
use async_graphql::{Context, ID, InputObject, Object};

/// Which link to make.
#[derive(Clone, Debug, InputObject)]
pub struct AcceptLinkInput {
    /// The Proxmox cluster or node: its global id, such as `ProxmoxNode:7`.
    object: ID,
    /// What it is in NetBox: of a cluster the NetBox cluster, of a node the device; id in either form.
    target: ID,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// Which link not to suggest again.
#[derive(Clone, Debug, InputObject)]
pub struct RejectLinkInput {
    /// The Proxmox cluster or node: its global id, such as `ProxmoxNode:7`.
    object: ID,
    /// What it is not in NetBox: of a cluster the NetBox cluster, of a node the device; id in either form.
    target: ID,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// What became of a decision.
#[derive(Clone, Debug)]
struct Decided {
    done: Option<Step>,
    errors: Vec<UserError>,
    client_mutation_id: Option<String>,
}

macro_rules! link_payload {
    ($(#[$attribute:meta])* $payload:ident) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        pub struct $payload(Decided);

        $(#[$attribute])*
        #[Object]
        impl $payload {
            /// The Proxmox cluster or node as it is now; null when nothing was done, or if you may not view it.
            async fn object(&self, ctx: &Context<'_>) -> Result<Option<InventoryRecord>> {
                match self.0.done {
                    Some(step) => object(session(ctx), step.ty, step.object).await,
                    None => Ok(None),
                }
            }

            /// What you can put right; empty when it was done.
            async fn user_errors(&self) -> &[UserError] {
                &self.0.errors
            }

            /// The `clientMutationId` of the input.
            async fn client_mutation_id(&self) -> Option<&str> {
                self.0.client_mutation_id.as_deref()
            }
        }
    };
}

link_payload! {
    /// The object that was linked.
    AcceptLinkPayload
}

link_payload! {
    /// The object that is not what was suggested.
    RejectLinkPayload
}

/// Mutations that decide about links.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkMutation;

/// Mutations that decide about links.
#[Object]
impl LinkMutation {
    /// Links a Proxmox cluster or node to what it is in NetBox, as an update of the object does, whether it was suggested or
    /// not. The storages of a cluster move to the NetBox cluster. It is remembered: should the link get lost, it is suggested
    /// first when its target is there again. Needs the permission to change the object.
    async fn accept_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to link to what.")] input: AcceptLinkInput,
    ) -> Result<AcceptLinkPayload> {
        let AcceptLinkInput { object, target, client_mutation_id } = input;
        decide(session(ctx), &object, &target, Decision::Accepted, client_mutation_id).await.map(AcceptLinkPayload)
    }

    /// Remembers that a Proxmox cluster or node is not this object of NetBox: it is not suggested again, unless somebody
    /// accepts it or links them by hand. A link that is there is refused: clear it first. Needs the permission to change the
    /// object.
    async fn reject_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is not what.")] input: RejectLinkInput,
    ) -> Result<RejectLinkPayload> {
        let RejectLinkInput { object, target, client_mutation_id } = input;
        decide(session(ctx), &object, &target, Decision::Rejected, client_mutation_id).await.map(RejectLinkPayload)
    }
}

async fn decide(
    session: &Session,
    object: &ID,
    target: &ID,
    decision: Decision,
    client_mutation_id: Option<String>,
) -> Result<Decided> {
    let decided = async {
        let step = read(session, object, target, decision)?;
        session.decide(&[step]).await?;
        Ok(step)
    };
    let (done, errors) = match decided.await {
        Ok(step) => (Some(step), Vec::new()),
        Err(Error::NotFound(message)) => (None, vec![UserError::at(UserErrorCode::NotFound, message, "object")]),
        Err(error) => (None, UserError::all(error, &[], false)?),
    };
    Ok(Decided { done, errors, client_mutation_id })
}

/// Who may link nothing is refused before anything is looked at.
fn read(session: &Session, object: &ID, target: &ID, decision: Decision) -> crate::error::Result<Step> {
    let may = |ty: LinkType| session.principal.may(ty.object(), Act::Change);
    if !LinkType::ALL.into_iter().any(may) {
        return Err(Error::Forbidden("You may change neither Proxmox clusters nor Proxmox nodes.".into()));
    }
    let (kind, object) = parse_global_id(object).map_err(|error| error.within("object"))?;
    let wrong = || Error::input(format!("must be a Proxmox cluster or node, not a {kind}")).within("object");
    let ty = LinkType::of(kind).ok_or_else(wrong)?;
    if !may(ty) {
        return Err(Error::Forbidden(format!("You may not {} this {kind}.", Act::Change.verb())));
    }
    let target = local_id(target, ty.target()).map_err(|error| error.within("target"))?;
    Ok(Step { ty, object, if_last_updated: None, target, decision })
}
