//! How it stands with syncing one endpoint: who does it now, what is known of it, and when it is due.
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_state")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub endpoint_id: i32,
    /// Which process syncs it at this moment.
    pub holder: Option<String>,
    /// Grows with each holder; what an earlier one still wants to write is refused.
    pub fence: i64,
    /// When the holder loses its right, unless it is renewed.
    pub expires_at: Option<DateTimeUtc>,
    /// The UUID of the cluster's own authority; "" when unknown.
    pub identity: String,
    /// When the identity was last read.
    pub identity_at: Option<DateTimeUtc>,
    /// The name of the cluster; "" for a standalone host, or when unknown. A host that left a cluster keeps its authority,
    /// so that only both together tell which endpoints are of one cluster.
    pub cluster: String,
    /// A digest of what the last attempt to sign in used; another one ends a suspension.
    pub credentials: String,
    /// Proxmox refused the credentials: not tried again by itself before they change.
    pub suspended: bool,
    /// Failed runs in a row.
    pub failures: i32,
    /// When the schedule's next run is due.
    pub next_at: Option<DateTimeUtc>,
    /// When the last run ended.
    pub last_at: Option<DateTimeUtc>,
    /// When the last run ended that saw everything it wanted to see.
    pub last_success_at: Option<DateTimeUtc>,
    /// How the last run ended.
    pub last_state: Option<super::RunState>,
    /// The class of the last run's first error.
    pub last_class: Option<String>,
    /// The last run's first error, for people.
    pub last_error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
