//! Mutations of Proxmox nodes.
use super::fields::{bulk_mutations, mutations};
use super::input::{Slugs, inputs};
use super::payload::{bulk_payload, payload};
use crate::entity::{Kind, node};
use crate::graphql::node::ProxmoxNode;
use crate::graphql::scalar::{BigInt, Json};
use async_graphql::ID;

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

mutations! {
    /// Mutations of single Proxmox nodes.
    NodeMutation on node::Model: CreateProxmoxNodeInput, UpdateProxmoxNodeInput -> ProxmoxNodePayload {
        /// Makes a Proxmox node.
        create_proxmox_node;
        /// Changes a Proxmox node: REST's PATCH. A change that changes nothing leaves even `lastUpdated` alone.
        update_proxmox_node;
        /// Deletes a Proxmox node.
        delete_proxmox_node;
    }
}

bulk_mutations! {
    /// Mutations of Proxmox nodes by their natural key, and of several at once.
    NodeBulkMutation on node::Model:
        CreateProxmoxNodeInput, UpdateProxmoxNodeInput -> ProxmoxNodePayload, ProxmoxNodeBulkPayload;
    /// Several Proxmox nodes as they shall be.
    CreateProxmoxNodesInput,
    /// Changes of several Proxmox nodes.
    UpdateProxmoxNodesInput {
        /// Updates the Proxmox node with the same endpoint and name, or makes it. What the input leaves out stays as it is.
        upsert_proxmox_node;
        /// Makes several Proxmox nodes in one transaction.
        create_proxmox_nodes;
        /// Updates or makes several Proxmox nodes in one transaction; a later item of the same endpoint and name updates an
        /// earlier one.
        upsert_proxmox_nodes;
        /// Changes several Proxmox nodes in one transaction.
        update_proxmox_nodes;
        /// Deletes several Proxmox nodes in one transaction.
        delete_proxmox_nodes;
    }
}
