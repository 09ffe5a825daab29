//! A NetBox `virtualization.Cluster`; its id is NetBox's.
use sea_orm::entity::prelude::*;

use super::{Kind, Named, Origin, Resource};

/// NetBox's name for sites, where an object of any type may stand.
pub const SITE: &str = "dcim.site";

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "netbox_cluster")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub name: String,
    pub display: String,
    pub origin: Origin,
    pub type_id: Option<i32>,
    pub type_name: Option<String>,
    pub type_slug: Option<String>,
    pub group_id: Option<i32>,
    pub group_name: Option<String>,
    pub group_slug: Option<String>,
    pub tenant_id: Option<i32>,
    pub tenant_name: Option<String>,
    pub tenant_slug: Option<String>,
    /// What kind of place its scope is: `dcim.site`, `dcim.region` …
    pub scope_type: Option<String>,
    pub scope_id: Option<i32>,
    pub scope_name: Option<String>,
    pub scope_slug: Option<String>,
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
    const KIND: Kind = Kind::NetBoxCluster;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        self.display.clone()
    }
}

impl Model {
    /// A reference of which no more than this is known.
    pub fn known(id: i32, name: &str, display: &str, origin: Origin) -> Self {
        Self {
            id,
            name: name.to_owned(),
            display: display.to_owned(),
            origin,
            type_id: None,
            type_name: None,
            type_slug: None,
            group_id: None,
            group_name: None,
            group_slug: None,
            tenant_id: None,
            tenant_name: None,
            tenant_slug: None,
            scope_type: None,
            scope_id: None,
            scope_name: None,
            scope_slug: None,
            status: None,
            netbox_updated: None,
            missing_since: None,
            missed: 0,
        }
    }

    /// Its cluster type.
    pub fn cluster_type(&self) -> Option<Named> {
        Named::of(self.type_id, &self.type_name, &self.type_slug)
    }

    /// Its cluster group.
    pub fn group(&self) -> Option<Named> {
        Named::of(self.group_id, &self.group_name, &self.group_slug)
    }

    /// Its tenant.
    pub fn tenant(&self) -> Option<Named> {
        Named::of(self.tenant_id, &self.tenant_name, &self.tenant_slug)
    }

    /// The site, region, location … that it belongs to.
    pub fn scope(&self) -> Option<Named> {
        Named::of(self.scope_id, &self.scope_name, &self.scope_slug)
    }

    /// Its scope if that is a site.
    pub fn site(&self) -> Option<Named> {
        self.scope().filter(|_| self.scope_type.as_deref() == Some(SITE))
    }
}
