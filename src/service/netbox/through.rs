//! Reading through the mirror: an object that somebody wants to link, and that is not mirrored yet, is asked for before
//! any transaction is open.
use super::mirror::{keep, unknown};
use super::{FIRST_LOCAL, Mirrored};
use crate::client::netbox::{Cluster, Device, Failure, NetBox, Which};
use crate::db::Db;
use crate::entity::{Kind, netbox_cluster, netbox_device};
use crate::error::Result;
use crate::service::batch::Operation;
use crate::service::{Tx, Writable};
use std::time::Duration;

/// How long a request waits for NetBox.
const WAIT: Duration = Duration::from_secs(5);
/// The most objects asked for by one request; what is beyond is linked after the next reading.
const MOST: usize = 500;

/// Objects that NetBox told of.
#[derive(Debug, Default)]
pub struct Fetched {
    clusters: Vec<Cluster>,
    devices: Vec<Device>,
}

impl Fetched {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty() && self.devices.is_empty()
    }

    /// Keeps them.
    pub async fn keep(&self, tx: &mut Tx) -> Result<()> {
        keep::<netbox_cluster::Model>(tx, &self.clusters).await?;
        keep::<netbox_device::Model>(tx, &self.devices).await.map(drop)
    }
}

/// What operations link to.
pub fn links<M: Writable>(operations: &[Operation<M::Patch>]) -> Vec<(Kind, i32)> {
    let links = operations.iter().filter_map(|operation| match operation {
        Operation::Create(patch) | Operation::Upsert(patch) | Operation::Update { patch, .. } => M::netbox_link(patch),
        _ => None,
    });
    links.collect()
}

/// What is to be linked and the mirror lacks, as far as NetBox has it. A NetBox that does not answer has nothing.
pub async fn fetch(db: &Db, netbox: &NetBox, links: &[(Kind, i32)]) -> Result<Fetched> {
    let of = |kind: Kind| {
        let ids = links.iter().filter(|(of, id)| *of == kind && (1..FIRST_LOCAL).contains(id));
        ids.map(|(_, id)| *id).collect::<Vec<_>>()
    };
    Ok(Fetched {
        clusters: some::<netbox_cluster::Model>(db, netbox, of(Kind::NetBoxCluster)).await?,
        devices: some::<netbox_device::Model>(db, netbox, of(Kind::NetBoxDevice)).await?,
    })
}

async fn some<M: Mirrored>(db: &Db, netbox: &NetBox, mut ids: Vec<i32>) -> Result<Vec<M::Answer>> {
    ids.sort_unstable();
    ids.dedup();
    let mut ids = if ids.is_empty() { ids } else { unknown::<M>(db, &ids).await? };
    ids.truncate(MOST);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    match tokio::time::timeout(WAIT, ask::<M>(netbox, ids)).await {
        Ok(Ok(answers)) => Ok(answers),
        Ok(Err(failure)) => {
            tracing::warn!("NetBox could not be asked for a {} that is to be linked: {failure}", M::KIND);
            Ok(Vec::new())
        }
        Err(_) => {
            tracing::warn!("NetBox did not tell of a {} that is to be linked within {WAIT:?}", M::KIND);
            Ok(Vec::new())
        }
    }
}

async fn ask<M: Mirrored>(netbox: &NetBox, ids: Vec<i32>) -> Result<Vec<M::Answer>, Failure> {
    let mut pages = M::pages(netbox, Which::Ids(ids));
    let mut answers = Vec::new();
    while let Some(page) = pages.next().await? {
        answers.extend(page.rows);
    }
    Ok(answers)
}
