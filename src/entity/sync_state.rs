//! How it stands with syncing one endpoint: who does it now, what is known of it, and when it is due.
use super::RunState;
use chrono::{DateTime, Utc};
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
    pub last_state: Option<RunState>,
    /// The class of the last run's first error.
    pub last_class: Option<String>,
    /// The last run's first error, for people.
    pub last_error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

/// How it stands with syncing an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was never synced.
    Never,
    /// The last run saw everything.
    Ok,
    /// The last run saw a part.
    Partial,
    /// Another endpoint of the same cluster tells everything.
    Standby,
    /// The last run failed or was interrupted.
    Failed,
    /// Proxmox refused the credentials.
    Suspended,
    /// The endpoint is disabled.
    Disabled,
    /// A run is on at this moment.
    Running,
}

impl Standing {
    /// All of them, and what each is called.
    pub const ALL: [(Self, &str); 8] = [
        (Self::Never, "never"),
        (Self::Ok, "ok"),
        (Self::Partial, "partial"),
        (Self::Standby, "standby"),
        (Self::Failed, "failed"),
        (Self::Suspended, "suspended"),
        (Self::Disabled, "disabled"),
        (Self::Running, "running"),
    ];

    /// What is going on goes before what is wanted, and that before how the last run ended.
    pub fn of(enabled: bool, row: Option<&Model>, now: DateTime<Utc>) -> Self {
        let held = |row: &Model| row.holder.is_some() && row.expires_at.is_some_and(|end| end > now);
        match row {
            Some(row) if held(row) => Self::Running,
            _ if !enabled => Self::Disabled,
            None => Self::Never,
            Some(row) if row.suspended => Self::Suspended,
            Some(row) => match row.last_state {
                None | Some(RunState::Queued | RunState::Running) => Self::Never,
                Some(RunState::Succeeded) => Self::Ok,
                Some(RunState::Partial) => Self::Partial,
                Some(RunState::Standby) => Self::Standby,
                Some(RunState::Failed | RunState::Interrupted) => Self::Failed,
            },
        }
    }
}
