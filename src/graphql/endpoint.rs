//! Proxmox endpoints. Their secrets can be written, never read.
use super::cluster::ProxmoxCluster;
use super::connection::{Item, connections};
use super::error::Result;
use super::filter::{
    BooleanFilter, IdFilter, ProxmoxMode, ProxmoxModeFilter, StringFilter, TagsFilter, filter_input, on,
};
use super::loader::{KindLoaders, Loaders};
use super::node::ProxmoxNode;
use super::object::record_object;
use super::order::order_input;
use super::scalar::local_id;
use super::session;
use super::sync::EndpointSync;
use crate::entity::{Kind, endpoint};
use crate::service::read::Relation;
use async_graphql::{Context, ID, MergedObject, Object};
use std::sync::Arc;

record_object! {
    /// A Proxmox VE installation as this server reaches it. Secrets are write-only.
    ProxmoxEndpoint(endpoint::Model) {
        /// What the operator calls it.
        async fn name(&self) -> &str {
            &self.0.name
        }

        /// Domain name under which its API is reached; the IP address goes first when both are there.
        async fn domain(&self) -> Option<&str> {
            self.0.domain.as_deref()
        }

        /// IPv4 or IPv6 address under which its API is reached, in canonical form.
        async fn ip_address(&self) -> Option<&str> {
            self.0.ip_address.as_deref()
        }

        /// TCP port of its API, 1–65535; Proxmox's default is 8006.
        async fn port(&self) -> i32 {
            self.0.port
        }

        /// How the installation is deployed.
        async fn mode(&self) -> ProxmoxMode {
            self.0.mode.into()
        }

        /// Version of Proxmox VE, e.g. `8.2.4`; null until it is known.
        async fn version(&self) -> Option<&str> {
            self.0.version.as_deref()
        }

        /// Proxmox's identifier of the build behind the version.
        async fn repoid(&self) -> Option<&str> {
            self.0.repoid.as_deref()
        }

        /// The user in Proxmox that this server is, with its realm: `root@pam`.
        async fn username(&self) -> &str {
            &self.0.username
        }

        /// Name of the user's API token; empty when a password is used.
        async fn token_name(&self) -> &str {
            &self.0.token_name
        }

        /// Whether the secret of an API token is kept here. The secret itself can never be read.
        async fn has_token(&self) -> bool {
            self.0.token_value.is_some()
        }

        /// Whether a password is kept here. The password itself can never be read.
        async fn has_password(&self) -> bool {
            self.0.password.is_some()
        }

        /// Whether the certificate must be trusted.
        async fn verify_ssl(&self) -> bool {
            self.0.verify_ssl
        }

        /// SHA-256 fingerprint of the certificate that is accepted, as colon-separated hex, or several separated by
        /// commas; null when none is pinned.
        async fn tls_fingerprint(&self) -> Option<&str> {
            self.0.tls_fingerprint.as_deref()
        }

        /// Certificates of the authorities that are trusted instead of the system's, as PEM text; null when none are set.
        async fn tls_ca(&self) -> Option<&str> {
            self.0.tls_ca.as_deref()
        }

        /// Seconds between two runs of sync, 0 for never; null when it is as the server is set.
        async fn sync_interval(&self) -> Option<i32> {
            self.0.sync_interval
        }

        /// A disabled endpoint is never contacted; what is known of it stays.
        async fn enabled(&self) -> bool {
            self.0.enabled
        }

        #[graphql(flatten)]
        async fn sync(&self) -> EndpointSync {
            EndpointSync(self.0.clone())
        }

        #[graphql(flatten)]
        async fn lists(&self) -> EndpointLists {
            EndpointLists(self.0.id)
        }
    }
}

connections! {
    /// What an endpoint shows.
    EndpointLists(i32) {
        /// Its clusters; a standalone host has one too.
        proxmox_clusters: MeasuredConnection<ProxmoxCluster> = Relation::EndpointClusters;
        /// Its nodes.
        proxmox_nodes: MeasuredConnection<ProxmoxNode> = Relation::EndpointNodes;
    }
}

filter_input! {
    /// Which endpoints. All parts must hold.
    ProxmoxEndpointFilter, Kind::Endpoint, {
        /// Its id.
        id: IdFilter => |filter| filter.of(Kind::Endpoint),
        /// Its name.
        name: StringFilter => |filter| on(Kind::Endpoint, "name", filter),
        /// Its domain name.
        domain: StringFilter => |filter| on(Kind::Endpoint, "domain", filter),
        /// Its IP address; whole addresses are compared in canonical form.
        ip_address: StringFilter => |filter| on(Kind::Endpoint, "ip_address", filter),
        /// How it is deployed.
        mode: ProxmoxModeFilter => |filter| on(Kind::Endpoint, "mode", filter),
        /// Whether it is contacted.
        enabled: BooleanFilter => |filter| on(Kind::Endpoint, "enabled", filter),
        /// Its tags.
        tags: TagsFilter => |filter| on(Kind::Endpoint, "tags", filter),
    }
}

order_input! {
    /// One key to sort endpoints by.
    ProxmoxEndpointOrder,
    /// What endpoints can be sorted by.
    ProxmoxEndpointOrderField, Kind::Endpoint, {
        /// The REST id.
        Id = "id",
        /// The name.
        Name = "name",
        /// The mode by its REST value: cluster, standalone, undefined.
        Mode = "mode",
        /// When it was made.
        Created = "created",
        /// When it last changed.
        LastUpdated = "last_updated",
    }
}

impl Item for ProxmoxEndpoint {
    type Entity = endpoint::Entity;
    type Model = endpoint::Model;
    type Filter = ProxmoxEndpointFilter;
    type Order = ProxmoxEndpointOrder;

    fn new(row: Arc<endpoint::Model>) -> Self {
        Self(row)
    }

    fn loaders(loaders: &Loaders) -> &KindLoaders<endpoint::Entity> {
        &loaders.endpoints
    }
}

connections! {
    /// Lists of endpoints.
    EndpointConnections() {
        /// Proxmox endpoints, by name unless `orderBy` says otherwise.
        proxmox_endpoints: Connection<ProxmoxEndpoint>;
    }
}

/// Single endpoints.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointById;

/// Single endpoints.
#[Object]
impl EndpointById {
    /// One endpoint; null if there is none that you may view.
    async fn proxmox_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "REST's id, or `ProxmoxEndpoint:<id>`.")] id: ID,
    ) -> Result<Option<ProxmoxEndpoint>> {
        ProxmoxEndpoint::by_id(session(ctx), local_id(&id, Kind::Endpoint)?).await
    }
}

/// Queries for endpoints.
#[derive(Clone, Copy, Debug, Default, MergedObject)]
pub struct EndpointQuery(EndpointById, EndpointConnections);
