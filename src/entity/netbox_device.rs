//! A NetBox `dcim.Device`; its id is NetBox's, and NetBox allows devices without a name.
use sea_orm::entity::prelude::*;

use super::{Kind, Origin, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "netbox_device")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub name: Option<String>,
    pub display: String,
    pub origin: Origin,
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
