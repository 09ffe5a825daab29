//! From what NetBox answers to the rows that mirror it.
use super::{remove_clusters, remove_devices};
use crate::client::netbox::{Cluster, Device, Id, Named as Told, NetBox, Pages, Which};
use crate::entity::{Kind, Named, Origin, address, netbox_cluster, netbox_device};
use crate::error::{Problem, Result};
use crate::service::source::FIRST_LOCAL;
use crate::service::{Clock, Tx, Writable, rules};
use chrono::{DateTime, Utc};

/// A row that mirrors an object of NetBox's.
pub trait Mirrored: Writable {
    /// What NetBox answers about one.
    type Answer: Send + Sync;

    /// What NetBox answers about several.
    fn pages(netbox: &NetBox, which: Which) -> Pages<'_, Self::Answer>;

    /// The ids of all.
    fn ids(netbox: &NetBox) -> Pages<'_, Id>;

    /// NetBox's id.
    fn id_of(answer: &Self::Answer) -> i32;

    /// When NetBox last changed it.
    fn changed_at(answer: &Self::Answer) -> Option<DateTime<Utc>>;

    /// The row that shows it, or why it cannot be kept.
    fn told(answer: &Self::Answer) -> Result<Self, Problem>;

    /// Where the reference comes from.
    fn origin(&self) -> Origin;

    /// Removes rows, and what must not stay without them.
    fn remove_all(tx: &mut Tx, rows: &[Self]) -> impl Future<Output = Result<()>> + Send;

    /// When complete sweeps first lacked it, and how many did so in a row.
    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut i32);
}

/// NetBox's ids end where local references begin.
fn sound_id(id: i32) -> Result<(), Problem> {
    rules::within("id", id.into(), 1..=i64::from(FIRST_LOCAL) - 1)
}

/// The columns of another object that is named.
fn named(kind: Kind, field: &'static str, told: Option<&Told>) -> Result<Option<Named>, Problem> {
    let Some(told) = told else { return Ok(None) };
    for text in [Some(&told.name), told.slug.as_ref()].into_iter().flatten() {
        rules::text(kind, field, text)?;
    }
    Ok(Some(Named { id: told.id, name: told.name.clone(), slug: told.slug.clone() }))
}

fn text(kind: Kind, field: &'static str, told: Option<&str>) -> Result<Option<String>, Problem> {
    let told = told.map(str::trim).filter(|text| !text.is_empty());
    told.map_or(Ok(()), |text| rules::text(kind, field, text))?;
    Ok(told.map(str::to_owned))
}

impl Mirrored for netbox_cluster::Model {
    type Answer = Cluster;

    fn pages(netbox: &NetBox, which: Which) -> Pages<'_, Cluster> {
        netbox.clusters(which)
    }

    fn ids(netbox: &NetBox) -> Pages<'_, Id> {
        netbox.cluster_ids()
    }

    fn id_of(answer: &Cluster) -> i32 {
        answer.id
    }

    fn changed_at(answer: &Cluster) -> Option<DateTime<Utc>> {
        answer.last_updated
    }

    fn told(answer: &Cluster) -> Result<Self, Problem> {
        const KIND: Kind = Kind::NetBoxCluster;
        sound_id(answer.id)?;
        rules::filled(KIND, "name", &answer.name)?;
        rules::filled(KIND, "display", &answer.display)?;
        let mut row = Self::known(answer.id, &answer.name, &answer.display, Origin::Netbox);
        (row.type_id, row.type_name, row.type_slug) = Named::columns(named(KIND, "type", answer.kind.as_ref())?);
        (row.group_id, row.group_name, row.group_slug) = Named::columns(named(KIND, "group", answer.group.as_ref())?);
        (row.tenant_id, row.tenant_name, row.tenant_slug) =
            Named::columns(named(KIND, "tenant", answer.tenant.as_ref())?);
        (row.scope_id, row.scope_name, row.scope_slug) = Named::columns(named(KIND, "scope", answer.scope.as_ref())?);
        row.scope_type = text(KIND, "scope_type", answer.scope_type.as_deref())?;
        row.status = text(KIND, "status", answer.status.as_deref())?;
        row.netbox_updated = answer.last_updated.map(Clock::truncated);
        Ok(row)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    async fn remove_all(tx: &mut Tx, rows: &[Self]) -> Result<()> {
        remove_clusters(tx, rows).await
    }

    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut i32) {
        (&mut self.missing_since, &mut self.missed)
    }
}

impl Mirrored for netbox_device::Model {
    type Answer = Device;

    fn pages(netbox: &NetBox, which: Which) -> Pages<'_, Device> {
        netbox.devices(which)
    }

    fn ids(netbox: &NetBox) -> Pages<'_, Id> {
        netbox.device_ids()
    }

    fn id_of(answer: &Device) -> i32 {
        answer.id
    }

    fn changed_at(answer: &Device) -> Option<DateTime<Utc>> {
        answer.last_updated
    }

    fn told(answer: &Device) -> Result<Self, Problem> {
        const KIND: Kind = Kind::NetBoxDevice;
        sound_id(answer.id)?;
        let name = text(KIND, "name", answer.name.as_deref())?;
        rules::filled(KIND, "display", &answer.display)?;
        let mut row = Self::known(answer.id, name.as_deref(), &answer.display, Origin::Netbox);
        (row.site_id, row.site_name, row.site_slug) = Named::columns(named(KIND, "site", answer.site.as_ref())?);
        (row.role_id, row.role_name, row.role_slug) = Named::columns(named(KIND, "role", answer.role.as_ref())?);
        (row.tenant_id, row.tenant_name, row.tenant_slug) =
            Named::columns(named(KIND, "tenant", answer.tenant.as_ref())?);
        (row.rack_id, row.rack_name, _) = Named::columns(named(KIND, "rack", answer.rack.as_ref())?);
        row.cluster_id = answer.cluster_id;
        row.serial = text(KIND, "serial", Some(&answer.serial))?;
        row.primary_ip4 = answer.primary_ip4.as_deref().and_then(address::canonical);
        row.primary_ip6 = answer.primary_ip6.as_deref().and_then(address::canonical);
        row.status = text(KIND, "status", answer.status.as_deref())?;
        row.netbox_updated = answer.last_updated.map(Clock::truncated);
        Ok(row)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    async fn remove_all(tx: &mut Tx, rows: &[Self]) -> Result<()> {
        remove_devices(tx, rows).await
    }

    fn absence(&mut self) -> (&mut Option<DateTime<Utc>>, &mut i32) {
        (&mut self.missing_since, &mut self.missed)
    }
}
