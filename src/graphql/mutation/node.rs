//! Mutations of Proxmox nodes.
use super::delete::{DeleteBulkPayload, DeleteInput, DeleteManyInput, DeletePayload, delete, delete_all};
use super::input::{Slugs, inputs};
use super::payload::{BulkMode, bulk_payload, payload};
use super::{Twin, create, create_all, update, update_all};
use crate::entity::{Kind, node};
use crate::graphql::error::Result;
use crate::graphql::node::ProxmoxNode;
use crate::graphql::scalar::{BigInt, Json};
use async_graphql::{Context, ID, InputObject, Object};

inputs! {
    node::Model,
    /// A new Proxmox node.
    CreateProxmoxNodeInput,
    /// A change of a Proxmox node: what is absent stays, null clears.
    UpdateProxmoxNodeInput,
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
        /// Its IPv4 or IPv6 address, which is stored in canonical form; without a prefix length.
        ip_address: String;
    }
    optional {
        /// The Proxmox cluster that it belongs to: id in either form; null for none.
        proxmox_cluster: ID of Kind::Cluster;
        /// The NetBox device that it is linked to: id in either form; null for none.
        netbox_device: ID of Kind::NetBoxDevice;
        /// Number that Proxmox gave the node in its cluster; null when unknown.
        node_id: i32;
        /// Whether it is up.
        online: bool;
        /// Whether this is the node that answers at the endpoint.
        local: bool;
        /// CPU in use, in percent of all threads; null when unknown.
        cpu_usage: f64;
        /// CPU threads; null when unknown.
        max_cpu: i32;
        /// Memory in use, in bytes; null when unknown.
        memory_usage: BigInt;
        /// Memory in all, in bytes; null when unknown.
        max_memory: BigInt;
        /// Fingerprint of its certificate, at most 255 characters; empty when unknown.
        ssl_fingerprint: String;
        /// Its subscription at Proxmox, at most 100 characters; empty without one.
        support_level: String;
        /// Its tags by slug, instead of those it has; one that is not there is an error.
        tags: Slugs;
        /// Values of custom fields: an object whose keys are merged into what is stored.
        custom_fields: Json;
    }
}

payload!(ProxmoxNodePayload: ProxmoxNode in proxmox_node);
bulk_payload!(ProxmoxNodeBulkPayload, ProxmoxNodeBulkItem: ProxmoxNode in proxmox_node);

/// Several new Proxmox nodes.
#[derive(InputObject)]
pub struct CreateProxmoxNodesInput {
    /// The Proxmox nodes; at most 1000.
    items: Vec<CreateProxmoxNodeInput>,
    /// What becomes of the others when one fails.
    #[graphql(default_with = "Some(BulkMode::AllOrNothing)")]
    mode: Option<BulkMode>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// Changes of several Proxmox nodes.
#[derive(InputObject)]
pub struct UpdateProxmoxNodesInput {
    /// The changes, in their order; at most 1000.
    items: Vec<UpdateProxmoxNodeInput>,
    /// What becomes of the others when one fails.
    #[graphql(default_with = "Some(BulkMode::AllOrNothing)")]
    mode: Option<BulkMode>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// Mutations of Proxmox nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeMutation;

/// Mutations of Proxmox nodes.
#[Object]
impl NodeMutation {
    /// Makes a Proxmox node.
    async fn create_proxmox_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new Proxmox node.")] input: CreateProxmoxNodeInput,
    ) -> Result<ProxmoxNodePayload> {
        create(ctx, input, Twin::Refuse).await.map(ProxmoxNodePayload)
    }

    /// Updates the Proxmox node with the same endpoint and name, or makes it: a sync by hand. What the input leaves out stays as it is.
    async fn upsert_proxmox_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The Proxmox node as it shall be.")] input: CreateProxmoxNodeInput,
    ) -> Result<ProxmoxNodePayload> {
        create(ctx, input, Twin::Update).await.map(ProxmoxNodePayload)
    }

    /// Changes a Proxmox node: REST's PATCH. A change that changes nothing leaves even `lastUpdated` alone.
    async fn update_proxmox_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateProxmoxNodeInput,
    ) -> Result<ProxmoxNodePayload> {
        update(ctx, input).await.map(ProxmoxNodePayload)
    }

    /// Deletes a Proxmox node.
    async fn delete_proxmox_node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteInput,
    ) -> Result<DeletePayload> {
        delete::<node::Model>(ctx, input).await
    }

    /// Makes several Proxmox nodes in one transaction.
    async fn create_proxmox_nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new Proxmox nodes.")] input: CreateProxmoxNodesInput,
    ) -> Result<ProxmoxNodeBulkPayload> {
        let bulk = create_all(ctx, input.items, Twin::Refuse, input.mode, input.client_mutation_id).await;
        bulk.map(ProxmoxNodeBulkPayload)
    }

    /// Updates or makes several Proxmox nodes in one transaction; a later item of the same endpoint and name updates an earlier one.
    async fn upsert_proxmox_nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The Proxmox nodes as they shall be.")] input: CreateProxmoxNodesInput,
    ) -> Result<ProxmoxNodeBulkPayload> {
        let bulk = create_all(ctx, input.items, Twin::Update, input.mode, input.client_mutation_id).await;
        bulk.map(ProxmoxNodeBulkPayload)
    }

    /// Changes several Proxmox nodes in one transaction.
    async fn update_proxmox_nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones, and what changes.")] input: UpdateProxmoxNodesInput,
    ) -> Result<ProxmoxNodeBulkPayload> {
        update_all(ctx, input.items, input.mode, input.client_mutation_id).await.map(ProxmoxNodeBulkPayload)
    }

    /// Deletes several Proxmox nodes in one transaction.
    async fn delete_proxmox_nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: DeleteManyInput,
    ) -> Result<DeleteBulkPayload> {
        delete_all::<node::Model>(ctx, input).await
    }
}
