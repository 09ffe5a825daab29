//! Mutations of endpoints. Their secrets are written here, and read nowhere.
use super::fields::mutations;
use super::input::{Slugs, inputs};
use super::payload::payload;
use crate::entity::endpoint;
use crate::graphql::endpoint::ProxmoxEndpoint;
use crate::graphql::filter::ProxmoxMode;
use crate::graphql::scalar::Json;

inputs! {
    endpoint::Model,
    /// A new endpoint.
    CreateProxmoxEndpointInput,
    /// A change of an endpoint: what is absent stays, null clears.
    UpdateProxmoxEndpointInput,
    new {}
    lock {
        /// Refuse (STALE) unless the object's `lastUpdated` is this: nobody's change is overwritten unseen.
        if_last_updated;
    }
    required {
        /// What to call it: 1–255 characters; name and host together are unique.
        name: String;
    }
    optional {
        /// Domain name under which its API is reached, at most 255 characters; a new endpoint needs this or an address.
        domain: String;
        /// IPv4 or IPv6 address under which its API is reached, stored in canonical form; it goes before the domain.
        ip_address: String;
        /// TCP port of its API, 1–65535; 8006 for a new endpoint. Changing it drops stored secrets that are not sent
        /// again.
        port: i32;
        /// How the installation is deployed; UNDEFINED until the first sync.
        mode: ProxmoxMode;
        /// Version of Proxmox VE, at most 255 characters; null until it is known.
        version: String;
        /// Proxmox's identifier of the build behind the version, at most 255 characters.
        repoid: String;
        /// The user in Proxmox, with its realm; `root@pam` for a new endpoint.
        username: String;
        /// The user's password; null takes it away. It can never be read.
        password: String;
        /// Name of the user's API token, at most 255 characters; empty when a password is used.
        token_name: String;
        /// Secret of the user's API token; null takes it away. It can never be read.
        token_value: String;
        /// Whether the certificate must be trusted; true for a new endpoint. Changing it drops stored secrets that are
        /// not sent again.
        verify_ssl: bool;
        /// SHA-256 fingerprint of the certificate to accept, 64 hexadecimal digits, or several separated by commas; null
        /// for none. Changing it drops stored secrets that are not sent again.
        tls_fingerprint: String;
        /// Certificates of the authorities to trust instead of the system's, as PEM text of at most 64 KiB: of a Proxmox
        /// cluster `/etc/pve/pve-root-ca.pem`. Null for none. Changing it drops stored secrets that are not sent again.
        tls_ca: String;
        /// Seconds between two runs of sync, 10 to 604800, or 0 for never; null for what the server is set to.
        sync_interval: i32;
        /// Whether it is contacted; true for a new endpoint.
        enabled: bool;
        /// Its tags by slug, instead of those it has; one that is not there is an error.
        tags: Slugs;
        /// Values of custom fields: an object whose keys are merged into what is stored.
        custom_fields: Json;
    }
}

payload!(ProxmoxEndpointPayload: ProxmoxEndpoint in proxmox_endpoint);

mutations! {
    /// Mutations of endpoints.
    EndpointMutation on endpoint::Model: CreateProxmoxEndpointInput, UpdateProxmoxEndpointInput -> ProxmoxEndpointPayload {
        /// Makes an endpoint. Its secrets are stored sealed.
        create_proxmox_endpoint;
        /// Changes an endpoint. When its domain, address, port, `verifySsl`, fingerprint or `tlsCa` changes, stored secrets are
        /// dropped unless they are sent again: a secret never travels to another host by an edit.
        update_proxmox_endpoint;
        /// Deletes an endpoint. Its clusters and nodes go with it.
        delete_proxmox_endpoint;
    }
}
