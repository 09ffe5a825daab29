//! One run of sync over one endpoint: what it saw, what it changed, and how it ended.
use sea_orm::entity::prelude::*;

use super::{JsonText, RunStage, RunState};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_run")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Not a foreign key: runs stay when their endpoint goes.
    pub endpoint_id: i32,
    pub endpoint_name: String,
    /// Who asked for it.
    pub actor: String,
    /// Whether it only tells what it would do.
    pub dry_run: bool,
    pub state: RunState,
    pub stage: RunStage,
    /// Stages that are behind it.
    pub stages_done: i32,
    pub started_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    /// For each kind of object whether the answer about it was complete, and if not why.
    pub verdicts: JsonText,
    /// How many rows it created, updated …
    pub counts: JsonText,
    /// What went wrong, by class.
    pub errors: JsonText,
    /// What the operator should know besides.
    pub notices: JsonText,
    /// The requests it made of Proxmox.
    pub calls: JsonText,
    /// The revision that its changes have in the log.
    pub revision: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
