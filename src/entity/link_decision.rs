//! What was decided about a link between an object and one of NetBox's.
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "link_decision")]
pub struct Model {
    /// The table of the object: of clusters, which are linked to NetBox clusters, or of nodes, linked to devices.
    #[sea_orm(primary_key, auto_increment = false)]
    pub object_type: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub object_id: i32,
    /// NetBox's id of the other end.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_id: i32,
    pub decision: super::Decision,
    /// Who decided.
    pub actor: String,
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
