//! A NetBox `dcim.Device`; its id is NetBox's, and NetBox allows devices without a name.
use sea_orm::entity::prelude::*;

use super::{Kind, Named, Origin, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "netbox_device")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub name: Option<String>,
    pub display: String,
    pub origin: Origin,
    pub site_id: Option<i32>,
    pub site_name: Option<String>,
    pub site_slug: Option<String>,
    pub role_id: Option<i32>,
    pub role_name: Option<String>,
    pub role_slug: Option<String>,
    pub tenant_id: Option<i32>,
    pub tenant_name: Option<String>,
    pub tenant_slug: Option<String>,
    pub rack_id: Option<i32>,
    pub rack_name: Option<String>,
    /// The NetBox cluster that it is in; NetBox may show the device and hide the cluster.
    pub cluster_id: Option<i32>,
    pub serial: Option<String>,
    /// Canonical, without the length of its prefix.
    pub primary_ip4: Option<String>,
    /// Canonical, without the length of its prefix.
    pub primary_ip6: Option<String>,
    /// `active`, `planned` … as NetBox stores it.
    pub status: Option<String>,
    /// When NetBox last changed it.
    pub netbox_updated: Option<DateTimeUtc>,
    /// When a complete sweep first lacked it; none while NetBox shows it.
    pub missing_since: Option<DateTimeUtc>,
    /// Complete sweeps in a row that lacked it.
    pub missed: i32,
}

impl ActiveModelBehavior for ActiveModel {}

impl Resource for Model {
    const KIND: Kind = Kind::NetBoxDevice;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        self.display.clone()
    }
}

impl Model {
    /// A reference of which no more than this is known.
    pub fn known(id: i32, name: Option<&str>, display: &str, origin: Origin) -> Self {
        Self {
            id,
            name: name.map(str::to_owned),
            display: display.to_owned(),
            origin,
            site_id: None,
            site_name: None,
            site_slug: None,
            role_id: None,
            role_name: None,
            role_slug: None,
            tenant_id: None,
            tenant_name: None,
            tenant_slug: None,
            rack_id: None,
            rack_name: None,
            cluster_id: None,
            serial: None,
            primary_ip4: None,
            primary_ip6: None,
            status: None,
            netbox_updated: None,
            missing_since: None,
            missed: 0,
        }
    }

    /// Its site.
    pub fn site(&self) -> Option<Named> {
        Named::of(self.site_id, &self.site_name, &self.site_slug)
    }

    /// Its role.
    pub fn role(&self) -> Option<Named> {
        Named::of(self.role_id, &self.role_name, &self.role_slug)
    }

    /// Its tenant.
    pub fn tenant(&self) -> Option<Named> {
        Named::of(self.tenant_id, &self.tenant_name, &self.tenant_slug)
    }

    /// Its rack; racks have no slug.
    pub fn rack(&self) -> Option<Named> {
        Named::of(self.rack_id, &self.rack_name, &None)
    }
}
