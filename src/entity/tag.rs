//! A tag, as NetBox knows it.
use sea_orm::entity::prelude::*;

use super::{Kind, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tag")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name: String,
    pub slug: String,
    /// Six hexadecimal digits, `rrggbb`.
    pub color: String,
}

impl ActiveModelBehavior for ActiveModel {}

impl Resource for Model {
    const KIND: Kind = Kind::Tag;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        self.name.clone()
    }
}
