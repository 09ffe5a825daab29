use sea_orm::{DeriveActiveEnum, EnumIter};

/// How a Proxmox VE installation is deployed, as the plugin names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(10))", rename_all = "snake_case")]
pub enum Mode {
    Undefined,
    Standalone,
    Cluster,
}

impl Mode {
    /// Every mode with its stored value and its label in REST.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Undefined, "undefined", "Undefined"),
        (Self::Standalone, "standalone", "Standalone"),
        (Self::Cluster, "cluster", "Cluster"),
    ];

    /// The stored value, as in REST's `mode.value`.
    pub fn value(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// REST's `mode.label`.
    pub fn label(self) -> &'static str {
        Self::ALL[self as usize].2
    }

    /// The mode of a stored value; none for anything else.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, stored, _)| *stored == value).map(|(mode, ..)| mode)
    }
}

/// Where a reference to a NetBox object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(10))", rename_all = "snake_case")]
pub enum Origin {
    /// Mirrored from NetBox.
    Netbox,
    /// Kept here by hand.
    Manual,
    /// Made for a Proxmox cluster that has no link to NetBox yet.
    Local,
}

impl Origin {
    /// Every origin with its stored value.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Netbox, "netbox"), (Self::Manual, "manual"), (Self::Local, "local")];

    /// The stored value.
    pub fn value(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// What was decided about a suggested link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(10))", rename_all = "snake_case")]
pub enum Decision {
    /// It was made.
    Accepted,
    /// It is not to be suggested again.
    Rejected,
}

impl Decision {
    /// The stored value.
    pub fn value(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(10))", rename_all = "snake_case")]
pub enum Action {
    Created,
    Updated,
    Deleted,
    /// Volatile figures of many rows at once, without a record each.
    Metrics,
    /// A whole file was loaded.
    Loaded,
}

/// How a run of sync stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(12))", rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    Running,
    /// Saw everything.
    Succeeded,
    /// Saw a part, and changed nothing of the rest.
    Partial,
    /// Another endpoint of the same cluster told everything; of this one only the version was asked.
    Standby,
    /// Saw nothing that could be used, and changed nothing.
    Failed,
    /// Its process ended, or lost the endpoint to another one.
    Interrupted,
}

impl RunState {
    /// Whether nothing more will happen to it.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The stored value.
    pub fn value(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Standby => "standby",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The stages of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(12))", rename_all = "snake_case")]
pub enum RunStage {
    /// Proxmox is asked.
    Observe,
    /// What may be believed of the answers.
    Judge,
    /// What differs from the rows.
    Diff,
    /// The rows are written.
    Apply,
    /// The run is written down.
    Report,
}

impl RunStage {
    /// All stages.
    pub const ALL: [Self; 5] = [Self::Observe, Self::Judge, Self::Diff, Self::Apply, Self::Report];

    /// The stored value.
    pub fn value(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Judge => "judge",
            Self::Diff => "diff",
            Self::Apply => "apply",
            Self::Report => "report",
        }
    }
}

/// What sync does to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(sea_orm::sea_query::StringLen::N(10))", rename_all = "snake_case")]
pub enum StepAction {
    Created,
    Updated,
    /// Another name for the same object.
    Renamed,
    /// Another NetBox cluster holds it.
    Moved,
    /// A complete answer lacked it, for the first time.
    Missing,
    /// It was missing for so long that it counts as gone.
    Stale,
    /// It was missing, and is there again.
    Returned,
    Deleted,
}

impl StepAction {
    /// All actions.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Updated,
        Self::Renamed,
        Self::Moved,
        Self::Missing,
        Self::Stale,
        Self::Returned,
        Self::Deleted,
    ];

    /// The stored value.
    pub fn value(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Renamed => "renamed",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Returned => "returned",
            Self::Deleted => "deleted",
        }
    }
}
