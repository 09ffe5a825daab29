//! Asking Proxmox: five calls, and rarely one or two more. Nothing is judged here, and no database is touched.
use crate::client::proxmox::{
    Call, Certificate, Client, Failure, Fingerprint, JoinInfo, Listed, NodeItem, Permissions, Status, StorageItem,
    Version, ca_uuid,
};

/// What an endpoint answered.
#[derive(Clone, Debug)]
pub struct Observation {
    pub version: Version,
    pub permissions: Result<Permissions, Failure>,
    pub status: Result<Status, Failure>,
    pub nodes: Result<Listed<NodeItem>, Failure>,
    pub storages: Result<Listed<StorageItem>, Failure>,
    pub join: Join,
    /// The UUID of the cluster's own authority as it was read now; none if it was not asked for, or not told.
    pub identity: Option<String>,
    /// The certificate that was shown.
    pub presented: Option<Fingerprint>,
    pub calls: Vec<Call>,
}

/// The configured members of the cluster, which a node tells even while it does not see them.
#[derive(Clone, Debug, PartialEq)]
pub enum Join {
    /// There was no reason to ask.
    NotAsked,
    /// The host is in no cluster.
    Standalone,
    Members(JoinInfo),
    Unknown(Failure),
}

/// Asks for everything. `know_identity` says that there is no need to read the identity again.
pub async fn observe(client: &Client, know_identity: bool) -> Result<Observation, Failure> {
    // Alone, since a host that cannot be reached, or refuses the credentials, is to be asked once and not five times.
    let version = client.version().await?;
    let (permissions, status, nodes, storages) =
        tokio::join!(client.permissions(), client.status(), client.nodes(), client.storages());
    let join = match &status {
        Ok(status) if wants_join(status) => match client.join().await {
            Ok(None) => Join::Standalone,
            Ok(Some(info)) => Join::Members(info),
            Err(failure) => Join::Unknown(failure),
        },
        _ => Join::NotAsked,
    };
    let identity = if know_identity { None } else { identity(client, &status, &nodes).await };
    Ok(Observation {
        version,
        permissions,
        status,
        nodes,
        storages,
        join,
        identity,
        presented: client.presented(),
        calls: client.calls(),
    })
}

/// A single node may be a standalone host, or a member that does not see its cluster; and addresses of nodes that are
/// offline may be absent.
fn wants_join(status: &Status) -> bool {
    (status.cluster.is_none() && status.nodes.len() <= 1) || status.nodes.iter().any(|node| node.ip.is_none())
}

/// The node that answers tells the cluster's certificate itself: no other is asked, which might be down.
async fn identity(
    client: &Client,
    status: &Result<Status, Failure>,
    nodes: &Result<Listed<NodeItem>, Failure>,
) -> Option<String> {
    let local = status.as_ref().ok().and_then(|status| status.nodes.iter().find(|node| node.local == Some(true)));
    let single = || match nodes {
        Ok(Listed { items, .. }) if items.len() == 1 => items.first().map(|item| item.node.clone()),
        _ => None,
    };
    let node = local.map(|node| node.name.clone()).or_else(single)?;
    let certificates: Vec<Certificate> = client.certificates(&node).await.ok()?;
    ca_uuid(&certificates)
}
