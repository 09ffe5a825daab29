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
