//! Mutations of references to NetBox's objects: the way to link while no NetBox is connected.
use super::delete::{DeleteInput, DeletePayload, delete};
use super::input::inputs;
use super::payload::payload;
use super::{Twin, create, update};
use crate::entity::{netbox_cluster, netbox_device};
use crate::graphql::error::Result;
use crate::graphql::netbox::{NetBoxCluster, NetBoxDevice};
use async_graphql::{Context, Object};

inputs! {
    netbox_cluster::Model,
    /// A new reference to a NetBox cluster.
    CreateNetBoxClusterInput,
    /// A change of a reference to a NetBox cluster: what is absent stays, null clears.
    UpdateNetBoxClusterInput,
    new {
        /// NetBox's id of the cluster, 1 or more.
        database_id: i32 = id;
    }
    lock {}
    required {
        /// Its name in NetBox, 1–255 characters.
        name: String;
    }
    optional {
        /// What NetBox shows, 1–512 characters; the name when absent.
        display: String;
    }
}

payload!(NetBoxClusterPayload: NetBoxCluster in netbox_cluster);

inputs! {
    netbox_device::Model,
    /// A new reference to a NetBox device.
    CreateNetBoxDeviceInput,
    /// A change of a reference to a NetBox device: what is absent stays, null clears.
    UpdateNetBoxDeviceInput,
    new {
        /// NetBox's id of the device, 1 or more.
        database_id: i32 = id;
    }
    lock {}
    required {}
    optional {
        /// Its name in NetBox, 1–255 characters; null for a device without one.
        name: String;
        /// What NetBox shows, 1–512 characters; when absent the name, or `Device <id>`.
        display: String;
    }
}

payload!(NetBoxDevicePayload: NetBoxDevice in netbox_device);

/// Mutations of references to NetBox's objects.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetBoxMutation;

/// Mutations of references to NetBox's objects.
#[Object]
impl NetBoxMutation {
    /// Makes a reference to a NetBox cluster, under the id that it has there.
    async fn create_netbox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new reference to a NetBox cluster.")] input: CreateNetBoxClusterInput,
    ) -> Result<NetBoxClusterPayload> {
        create(ctx, input, Twin::Refuse).await.map(NetBoxClusterPayload)
    }

    /// Changes a reference to a NetBox cluster.
    async fn update_netbox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateNetBoxClusterInput,
    ) -> Result<NetBoxClusterPayload> {
        update(ctx, input).await.map(NetBoxClusterPayload)
    }

    /// Deletes a reference to a NetBox cluster. NetBox itself is not touched. Its storages go with it, and Proxmox clusters lose the link.
    async fn delete_netbox_cluster(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteInput,
    ) -> Result<DeletePayload> {
        delete::<netbox_cluster::Model>(ctx, input).await
    }

    /// Makes a reference to a NetBox device, under the id that it has there.
    async fn create_netbox_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new reference to a NetBox device.")] input: CreateNetBoxDeviceInput,
    ) -> Result<NetBoxDevicePayload> {
        create(ctx, input, Twin::Refuse).await.map(NetBoxDevicePayload)
    }

    /// Changes a reference to a NetBox device.
    async fn update_netbox_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateNetBoxDeviceInput,
    ) -> Result<NetBoxDevicePayload> {
        update(ctx, input).await.map(NetBoxDevicePayload)
    }

    /// Deletes a reference to a NetBox device. NetBox itself is not touched. Nodes lose the link.
    async fn delete_netbox_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteInput,
    ) -> Result<DeletePayload> {
        delete::<netbox_device::Model>(ctx, input).await
    }
}
