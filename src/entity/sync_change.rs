//! What a run changed of one object, or would change.
use sea_orm::entity::prelude::*;

use super::{JsonText, StepAction};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: i32,
    /// Position within the run, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    /// Table of the object.
    pub object_type: String,
    /// None for what a dry run would make.
    pub object_id: Option<i32>,
    pub name: String,
    pub action: StepAction,
    /// Of each changed field the value before and after: `{"online": [true, false]}`.
    pub fields: JsonText,
    /// Why, for people; "" where the fields say it all.
    pub reason: String,
}

impl ActiveModelBehavior for ActiveModel {}
