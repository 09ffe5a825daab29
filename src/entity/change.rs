//! One entry of the change log: audit, delta feed and resume point in one.
use sea_orm::entity::prelude::*;

use super::{Action, JsonText};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// Position within the revision, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    pub at: DateTimeUtc,
    pub actor: String,
    pub request_id: Option<String>,
    /// Table of the object; none where the change concerns many rows.
    pub object_type: Option<String>,
    pub object_id: Option<i32>,
    pub action: Action,
    /// Names of the changed fields.
    pub changed: JsonText,
    /// The object before, never with a secret.
    pub before: Option<JsonText>,
    /// The object after, never with a secret.
    pub after: Option<JsonText>,
}

impl ActiveModelBehavior for ActiveModel {}
