//! Mutations of references to NetBox's objects: the way to link while no NetBox is connected.
use super::fields::mutations;
use super::input::inputs;
use super::payload::payload;
use crate::entity::{netbox_cluster, netbox_device};
use crate::graphql::netbox::{NetBoxCluster, NetBoxDevice};

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

mutations! {
    /// Mutations of references to NetBox clusters.
    NetBoxClusterMutation on netbox_cluster::Model: CreateNetBoxClusterInput, UpdateNetBoxClusterInput -> NetBoxClusterPayload {
        /// Makes a reference to a NetBox cluster, under the id that it has there.
        create_netbox_cluster;
        /// Changes what is known of a NetBox cluster; NetBox itself is not touched.
        update_netbox_cluster;
        /// Deletes the reference to a NetBox cluster; NetBox itself is not touched. Its storages go with it, and Proxmox
        /// clusters lose the link.
        delete_netbox_cluster;
    }
}

mutations! {
    /// Mutations of references to NetBox devices.
    NetBoxDeviceMutation on netbox_device::Model: CreateNetBoxDeviceInput, UpdateNetBoxDeviceInput -> NetBoxDevicePayload {
        /// Makes a reference to a NetBox device, under the id that it has there.
        create_netbox_device;
        /// Changes what is known of a NetBox device; NetBox itself is not touched.
        update_netbox_device;
        /// Deletes the reference to a NetBox device; NetBox itself is not touched. Nodes lose the link.
        delete_netbox_device;
    }
}
