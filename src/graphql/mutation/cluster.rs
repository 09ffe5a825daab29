//! Mutations of Proxmox clusters.
use super::delete::{DeleteBulkPayload, DeleteInput, DeleteManyInput, DeletePayload, delete, delete_all};
use super::input::{Slugs, inputs};
use super::payload::{BulkMode, bulk_payload, payload};
use super::{Twin, create, create_all, update, update_all};
use crate::entity::{Kind, cluster};
use crate::graphql::cluster::ProxmoxCluster;
use crate::graphql::error::Result;
use crate::graphql::filter::ProxmoxMode;
use crate::graphql::scalar::Json;
use async_graphql::{Context, ID, InputObject, Object};

inputs! {
    cluster::Model,
    /// A new Proxmox cluster.
    CreateProxmoxClusterInput,
    /// A change of a Proxmox cluster: what is absent stays, null clears.
    UpdateProxmoxClusterInput,
    new {}
    lock {
        /// Refuse (STALE) unless the object's `lastUpdated` is this: nobody's change is overwritten unseen.
        if_last_updated;
    }
    required {
        /// The endpoint that shows it: its id in either form.
        endpoint: ID of Kind::Endpoint;
        /// Its name in Proxmox: 1–255 characters, unique at the endpoint.
        name: String;
        /// How it is deployed.
        mode: ProxmoxMode;
    }
    optional {
        /// The NetBox cluster that it is linked to: id in either form; null for none.
        netbox_cluster: ID of Kind::NetBoxCluster;
        /// Proxmox's own cluster identifier, at most 255 characters; empty when unknown.
        cluster_id: String;
        /// Members as Proxmox reports them, 0 or more.
        nodes_count: i32;
        /// Whether it has a quorum.
        quorate: bool;
        /// Version of the corosync configuration; null when unknown.
        version: i32;
        /// Its tags by slug, instead of those it has; one that is not there is an error.
        tags: Slugs;
        /// Values of custom fields: an object whose keys are merged into what is stored.
        custom_fields: Json;
    }
}

payload!(ProxmoxClusterPayload: ProxmoxCluster in proxmox_cluster);
bulk_payload!(ProxmoxClusterBulkPayload, ProxmoxClusterBulkItem: ProxmoxCluster in proxmox_cluster);

/// Several new Proxmox clusters.
#[derive(InputObject)]
pub struct CreateProxmoxClustersInput {
    /// The Proxmox clusters; at most 1000.
    items: Vec<CreateProxmoxClusterInput>,
    /// What becomes of the others when one fails.
    #[graphql(default_with = "Some(BulkMode::AllOrNothing)")]
    mode: Option<BulkMode>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// Changes of several Proxmox clusters.
#[derive(InputObject)]
pub struct UpdateProxmoxClustersInput {
    /// The changes, in their order; at most 1000.
    items: Vec<UpdateProxmoxClusterInput>,
    /// What becomes of the others when one fails.
    #[graphql(default_with = "Some(BulkMode::AllOrNothing)")]
    mode: Option<BulkMode>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// Mutations of Proxmox clusters.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClusterMutation;

/// Mutations of Proxmox clusters.
#[Object]
impl ClusterMutation {
    /// Makes a Proxmox cluster.
    async fn create_proxmox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new Proxmox cluster.")] input: CreateProxmoxClusterInput,
    ) -> Result<ProxmoxClusterPayload> {
        create(ctx, input, Twin::Refuse).await.map(ProxmoxClusterPayload)
    }

    /// Updates the Proxmox cluster with the same endpoint and name, or makes it: a sync by hand. What the input leaves out stays as it is.
    async fn upsert_proxmox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The Proxmox cluster as it shall be.")] input: CreateProxmoxClusterInput,
    ) -> Result<ProxmoxClusterPayload> {
        create(ctx, input, Twin::Update).await.map(ProxmoxClusterPayload)
    }

    /// Changes a Proxmox cluster: REST's PATCH. A change that changes nothing leaves even `lastUpdated` alone.
    async fn update_proxmox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateProxmoxClusterInput,
    ) -> Result<ProxmoxClusterPayload> {
        update(ctx, input).await.map(ProxmoxClusterPayload)
    }

    /// Deletes a Proxmox cluster. Its nodes stay without a cluster.
    async fn delete_proxmox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteInput,
    ) -> Result<DeletePayload> {
        delete::<cluster::Model>(ctx, input).await
    }

    /// Makes several Proxmox clusters in one transaction.
    async fn create_proxmox_clusters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new Proxmox clusters.")] input: CreateProxmoxClustersInput,
    ) -> Result<ProxmoxClusterBulkPayload> {
        let bulk = create_all(ctx, input.items, Twin::Refuse, input.mode, input.client_mutation_id).await;
        bulk.map(ProxmoxClusterBulkPayload)
    }

    /// Updates or makes several Proxmox clusters in one transaction; a later item of the same endpoint and name updates an earlier one.
    async fn upsert_proxmox_clusters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The Proxmox clusters as they shall be.")] input: CreateProxmoxClustersInput,
    ) -> Result<ProxmoxClusterBulkPayload> {
        let bulk = create_all(ctx, input.items, Twin::Update, input.mode, input.client_mutation_id).await;
        bulk.map(ProxmoxClusterBulkPayload)
    }

    /// Changes several Proxmox clusters in one transaction.
    async fn update_proxmox_clusters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones, and what changes.")] input: UpdateProxmoxClustersInput,
    ) -> Result<ProxmoxClusterBulkPayload> {
        update_all(ctx, input.items, input.mode, input.client_mutation_id).await.map(ProxmoxClusterBulkPayload)
    }

    /// Deletes several Proxmox clusters in one transaction. Its nodes stay without a cluster.
    async fn delete_proxmox_clusters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: DeleteManyInput,
    ) -> Result<DeleteBulkPayload> {
        delete_all::<cluster::Model>(ctx, input).await
    }
}
