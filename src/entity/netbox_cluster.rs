//! A NetBox `virtualization.Cluster`; its id is NetBox's.
use sea_orm::entity::prelude::*;

use super::{Kind, Origin, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "netbox_cluster")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub name: String,
    pub display: String,
    pub origin: Origin,
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
