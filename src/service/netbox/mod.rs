//! References to NetBox's clusters and devices. Their ids are NetBox's: given by hand, or mirrored.
mod answer;
pub mod mirror;
pub mod state;
pub mod through;

pub use answer::Mirrored;

use super::batch::{Operation, Outcome};
use super::patch::INT;
use super::source::FIRST_LOCAL;
use super::{Fields, Given, Tx, Writable, family, rules};
use crate::db::Db;
use crate::entity::{Kind, Origin, cluster, netbox_cluster, netbox_device, node, storage};
use crate::error::{Code, Error, Problem, Result};
use chrono::{DateTime, Utc};

/// What a client gives of a reference. The id is for new ones; without a display the name is shown.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub id: Given<i64>,
    pub name: Given<String>,
    pub display: Given<String>,
}

/// The id of a new reference, which NetBox gave.
fn id(patch: &Patch, fields: &mut Fields, place: &mut i32) {
    if fields.creating() {
        fields.require("id", &patch.id);
        fields.int("id", &patch.id, 1..=*INT.end(), place);
    }
}

/// What is shown: what the patch says, else what follows from the name, unless somebody had set it apart.
fn display(patch: &Patch, fields: &mut Fields, place: &mut String, shown: String, followed: bool) {
    fields.filled("display", &patch.display, place);
    if patch.display.is_none() && followed {
        *place = shown;
    }
}

fn taken(kind: Kind) -> Problem {
    Problem::new(Code::Conflict, "id", format!("there is a {kind} with this id already"))
}

impl Writable for netbox_cluster::Model {
    type Patch = Patch;

    fn blank(_: DateTime<Utc>) -> Self {
        Self::known(0, "", "", Origin::Manual)
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        let followed = self.display == self.name;
        id(patch, fields, &mut self.id);
        fields.require("name", &patch.name);
        fields.filled("name", &patch.name, &mut self.name);
        display(patch, fields, &mut self.display, self.name.clone(), followed);
    }

    fn conflict(_: &str) -> Problem {
        taken(Kind::NetBoxCluster)
    }

    async fn remove(self, tx: &mut Tx) -> Result<()> {
        remove_clusters(tx, &[self]).await
    }
}

impl Writable for netbox_device::Model {
    type Patch = Patch;

    fn blank(_: DateTime<Utc>) -> Self {
        Self::known(0, None, "", Origin::Manual)
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        let followed = self.display.is_empty() || self.display == shown(self.id, self.name.as_deref());
        id(patch, fields, &mut self.id);
        fields.optional_text("name", &patch.name, &mut self.name);
        if self.name.as_deref() == Some("") {
            fields.refuse(rules::blank("name"));
        }
        let shown = shown(self.id, self.name.as_deref());
        display(patch, fields, &mut self.display, shown, followed);
    }

    fn conflict(_: &str) -> Problem {
        taken(Kind::NetBoxDevice)
    }

    async fn remove(self, tx: &mut Tx) -> Result<()> {
        remove_devices(tx, &[self]).await
    }
}

/// The storages of the clusters go with them; Proxmox clusters lose the link.
async fn remove_clusters(tx: &mut Tx, rows: &[netbox_cluster::Model]) -> Result<()> {
    let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let storages = family::referring::<storage::Entity>(tx, storage::Column::ClusterId, &ids).await?;
    family::remove::<storage::Entity>(tx, &storages).await?;
    let clusters = family::referring::<cluster::Entity>(tx, cluster::Column::NetboxClusterId, &ids).await?;
    family::refer::<cluster::Entity>(tx, &clusters, "netbox_cluster_id", None).await?;
    let clusters = family::referring::<cluster::Entity>(tx, cluster::Column::LocalClusterId, &ids).await?;
    family::refer::<cluster::Entity>(tx, &clusters, "local_cluster_id", None).await?;
    family::remove::<netbox_cluster::Entity>(tx, rows).await
}

/// Nodes lose the link.
async fn remove_devices(tx: &mut Tx, rows: &[netbox_device::Model]) -> Result<()> {
    let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let nodes = family::referring::<node::Entity>(tx, node::Column::NetboxDeviceId, &ids).await?;
    family::refer::<node::Entity>(tx, &nodes, "netbox_device_id", None).await?;
    family::remove::<netbox_device::Entity>(tx, rows).await
}

/// A device without a name is shown by its id.
fn shown(id: i32, name: Option<&str>) -> String {
    name.map_or_else(|| format!("Device {id}"), str::to_owned)
}

/// Refuses to write by hand what is mirrored, and says so for each operation: while NetBox is connected, new references
/// come from there alone, and those that came from there are changed there. None if nothing of it is asked.
pub async fn refuse_mirrored<M: Writable>(db: &Db, operations: &[Operation<M::Patch>]) -> Result<Option<Outcome>> {
    if !matches!(M::KIND, Kind::NetBoxCluster | Kind::NetBoxDevice) {
        return Ok(None);
    }
    let mut ids = Vec::new();
    let mut new = false;
    for operation in operations {
        match operation {
            Operation::Create(_) | Operation::Upsert(_) => new = true,
            Operation::Update { id, .. } | Operation::Delete { id, .. } => ids.push(*id),
            // Refused anyway, in their own words.
            Operation::Unreadable(..) | Operation::Partial(..) => {}
        }
    }
    if !new && !mirror::are_mirrored::<M>(db, &ids).await? {
        return Ok(None);
    }
    let message = format!("NetBox is connected: a {} is made and changed there, and mirrored from there.", M::KIND);
    let results = operations.iter().map(|_| Err(Error::Conflict(message.clone()))).collect();
    Ok(Some(Outcome { results, ..Outcome::default() }))
}
