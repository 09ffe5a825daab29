//! Mutations of Proxmox storages.
use super::fields::{bulk_mutations, mutations};
use super::input::{Slugs, inputs};
use super::payload::{bulk_payload, payload};
use crate::entity::{Kind, storage};
use crate::graphql::scalar::Json;
use crate::graphql::storage::ProxmoxStorage;
use async_graphql::ID;

inputs! {
    storage::Model,
    /// A new Proxmox storage.
    CreateProxmoxStorageInput,
    /// A change of a Proxmox storage: what is absent stays, null clears.
    UpdateProxmoxStorageInput,
    new {}
    lock {
        /// Refuse (STALE) unless the object's `lastUpdated` is this: nobody's change is overwritten unseen.
        if_last_updated;
    }
    required {
        /// The NetBox cluster that it belongs to: its id in either form.
        cluster: ID of Kind::NetBoxCluster;
        /// Its id in Proxmox: 1–255 characters, unique in the cluster.
        name: String;
    }
    optional {
        /// Proxmox's storage plugin, e.g. `dir`, at most 100 characters; null when unknown.
        storage_type: String;
        /// What it may hold: a comma-separated list such as `images,rootdir`, at most 255 characters; null when unknown.
        content: String;
        /// Path in the file system, at most 255 characters; null when unknown.
        path: String;
        /// The nodes that may use it: a comma-separated list; null or empty = all.
        nodes: String;
        /// Whether all nodes see the same content.
        shared: bool;
        /// Whether Proxmox uses it.
        enabled: bool;
        /// Host name or address of the remote server, at most 255 characters; null when unknown.
        server: String;
        /// TCP port of the remote server; null when unknown.
        port: i32;
        /// User on the remote server, at most 255 characters; null when unknown.
        username: String;
        /// Exported path (NFS), at most 255 characters; null when unknown.
        export: String;
        /// Name of the share (CIFS), at most 255 characters; null when unknown.
        share: String;
        /// Name of the pool (Ceph, ZFS), at most 255 characters; null when unknown.
        pool: String;
        /// Ceph monitors, at most 512 characters; null when unknown.
        monhost: String;
        /// Namespace (PBS, Ceph), at most 255 characters; null when unknown.
        namespace: String;
        /// Datastore (PBS), at most 255 characters; null when unknown.
        datastore: String;
        /// Directory within the storage, at most 255 characters; null when unknown.
        subdir: String;
        /// Where it is mounted, at most 255 characters; null when unknown.
        mountpoint: String;
        /// Proxmox's flag that the path is a mount point: `yes`, `1`, or a path; at most 255 characters; null when unknown.
        is_mountpoint: String;
        /// How disk images are allocated ahead, at most 50 characters; null when unknown.
        preallocation: String;
        /// Default format of disk images, at most 100 characters; null when unknown.
        format: String;
        /// Which backups are kept, e.g. `keep-daily=7`, at most 512 characters; null when unknown.
        prune_backups: String;
        /// How many protected backups a guest may have; -1 means no limit, null unknown.
        max_protected_backups: i32;
        /// The whole configuration as Proxmox returned it, any JSON; it replaces what is stored.
        raw_config: Json;
        /// Its tags by slug, instead of those it has; one that is not there is an error.
        tags: Slugs;
        /// Values of custom fields: an object whose keys are merged into what is stored.
        custom_fields: Json;
    }
}

payload!(ProxmoxStoragePayload: ProxmoxStorage in proxmox_storage);
bulk_payload!(ProxmoxStorageBulkPayload, ProxmoxStorageBulkItem: ProxmoxStorage in proxmox_storage);

mutations! {
    /// Mutations of single Proxmox storages.
    StorageMutation on storage::Model: CreateProxmoxStorageInput, UpdateProxmoxStorageInput -> ProxmoxStoragePayload {
        /// Makes a Proxmox storage.
        create_proxmox_storage;
        /// Changes a Proxmox storage: REST's PATCH. A change that changes nothing leaves even `lastUpdated` alone.
        update_proxmox_storage;
        /// Deletes a Proxmox storage.
        delete_proxmox_storage;
    }
}

bulk_mutations! {
    /// Mutations of Proxmox storages by their natural key, and of several at once.
    StorageBulkMutation on storage::Model:
        CreateProxmoxStorageInput, UpdateProxmoxStorageInput -> ProxmoxStoragePayload, ProxmoxStorageBulkPayload;
    /// Several Proxmox storages as they shall be.
    CreateProxmoxStoragesInput,
    /// Changes of several Proxmox storages.
    UpdateProxmoxStoragesInput {
        /// Updates the Proxmox storage with the same cluster and name, or makes it. REST's POST. What the input leaves out stays as it is.
        upsert_proxmox_storage;
        /// Makes several Proxmox storages in one transaction.
        create_proxmox_storages;
        /// Updates or makes several Proxmox storages in one transaction; a later item of the same cluster and name updates an
        /// earlier one.
        upsert_proxmox_storages;
        /// Changes several Proxmox storages in one transaction.
        update_proxmox_storages;
        /// Deletes several Proxmox storages in one transaction.
        delete_proxmox_storages;
    }
}
