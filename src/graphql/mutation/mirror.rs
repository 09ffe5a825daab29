//! Reading NetBox on demand. It goes on in the background; `netboxMirror` tells how it stands.
use super::payload::UserError;
use crate::entity::Kind;
use crate::error::Error;
use crate::graphql::error::Result;
use crate::graphql::netbox::NetBoxMirror;
use crate::graphql::session;
use crate::mirror::Wanted;
use crate::principal::{Act, Principal};
use async_graphql::{Context, InputObject, Object};

/// How to read NetBox.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "SyncNetboxInput")]
pub struct SyncNetBoxInput {
    /// Read everything, not just what changed.
    #[graphql(default_with = "Some(false)")]
    full: Option<bool>,
    /// Let more than 30 % of the clusters or devices count as deleted: nodes and Proxmox clusters lose their links, and the
    /// storages of the clusters go. Look first: `netboxClusters(filter: {missingSince: {isNull: false}})`.
    #[graphql(default_with = "Some(false)")]
    delete_many: Option<bool>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// The reading that was started.
#[derive(Clone, Debug)]
pub struct SyncNetBoxPayload {
    errors: Vec<UserError>,
    client_mutation_id: Option<String>,
}

/// The reading that was started.
#[Object(name = "SyncNetboxPayload")]
impl SyncNetBoxPayload {
    /// The mirror as it stands now; null when none is connected, or if you may view nothing of it.
    #[graphql(name = "netboxMirror")]
    async fn netbox_mirror(&self, ctx: &Context<'_>) -> Result<Option<NetBoxMirror>> {
        NetBoxMirror::read(ctx).await
    }

    /// What you can put right; empty when the reading was started.
    async fn user_errors(&self) -> &[UserError] {
        &self.errors
    }

    /// The `clientMutationId` of the input.
    async fn client_mutation_id(&self) -> Option<&str> {
        self.client_mutation_id.as_deref()
    }
}

/// Mutations of the mirror of NetBox.
#[derive(Clone, Copy, Debug, Default)]
pub struct MirrorMutation;

/// Mutations of the mirror of NetBox.
#[Object]
impl MirrorMutation {
    /// Starts to read NetBox, and answers at once: `netboxMirror` tells how it goes on. NetBox itself is not touched. Needs
    /// the permission to add runs, and for `deleteMany` to delete clusters and devices.
    async fn sync_netbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How; may be left out.")] input: Option<SyncNetBoxInput>,
    ) -> Result<SyncNetBoxPayload> {
        let (session, input) = (session(ctx), input.unwrap_or_default());
        let delete_many = input.delete_many.unwrap_or(false);
        // What may be gone is known by a look at all ids.
        let wanted = if delete_many || input.full.unwrap_or(false) { Wanted::Full } else { Wanted::Due };
        let started = match permitted(&session.principal, delete_many) {
            Ok(()) => session.start_mirror(wanted, delete_many).await,
            Err(error) => Err(error),
        };
        let errors = match started {
            Ok(()) => Vec::new(),
            Err(error) => UserError::all(error, &[], false)?,
        };
        Ok(SyncNetBoxPayload { errors, client_mutation_id: input.client_mutation_id })
    }
}

fn permitted(principal: &Principal, delete_many: bool) -> crate::error::Result<()> {
    if !principal.may_with_runs(Act::Add) {
        return Err(Error::Forbidden("you may not start to read NetBox".into()));
    }
    let deletes = [Kind::NetBoxCluster, Kind::NetBoxDevice].iter().all(|kind| principal.may(*kind, Act::Delete));
    if delete_many && !deletes {
        return Err(Error::Forbidden("you may not delete clusters and devices of NetBox".into()));
    }
    Ok(())
}
