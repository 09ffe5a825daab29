//! Mutations of Proxmox clusters.
use super::fields::{bulk_mutations, mutations};
use super::input::{Slugs, inputs};
use super::payload::{bulk_payload, payload};
use crate::entity::{Kind, cluster};
use crate::graphql::cluster::ProxmoxCluster;
use crate::graphql::filter::ProxmoxMode;
use crate::graphql::scalar::Json;
use async_graphql::ID;

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

mutations! {
    /// Mutations of single Proxmox clusters.
    ClusterMutation on cluster::Model: CreateProxmoxClusterInput, UpdateProxmoxClusterInput -> ProxmoxClusterPayload {
        /// Makes a Proxmox cluster.
        create_proxmox_cluster;
        /// Changes a Proxmox cluster: REST's PATCH. A change that changes nothing leaves even `lastUpdated` alone.
        update_proxmox_cluster;
        /// Deletes a Proxmox cluster. Its nodes stay without a cluster.
        delete_proxmox_cluster;
    }
}

bulk_mutations! {
    /// Mutations of Proxmox clusters by their natural key, and of several at once.
    ClusterBulkMutation on cluster::Model:
        CreateProxmoxClusterInput, UpdateProxmoxClusterInput -> ProxmoxClusterPayload, ProxmoxClusterBulkPayload;
    /// Several Proxmox clusters as they shall be.
    CreateProxmoxClustersInput,
    /// Changes of several Proxmox clusters.
    UpdateProxmoxClustersInput {
        /// Updates the Proxmox cluster with the same endpoint and name, or makes it. What the input leaves out stays as it is.
        upsert_proxmox_cluster;
        /// Makes several Proxmox clusters in one transaction.
        create_proxmox_clusters;
        /// Updates or makes several Proxmox clusters in one transaction; a later item of the same endpoint and name updates an
        /// earlier one.
        upsert_proxmox_clusters;
        /// Changes several Proxmox clusters in one transaction.
        update_proxmox_clusters;
        /// Deletes several Proxmox clusters in one transaction. Its nodes stay without a cluster.
        delete_proxmox_clusters;
    }
}
