//! How it stands with the mirror of NetBox: one row, of which one process keeps the mirror at a time.
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "netbox_mirror")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The NetBox that is mirrored.
    pub url: String,
    /// Its version, if it says.
    pub version: Option<String>,
    /// Which process reads it at this moment.
    pub holder: Option<String>,
    /// Grows with each holder; what an earlier one still wants to write is refused.
    pub fence: i64,
    /// When the holder loses its right, unless it is renewed.
    pub expires_at: Option<DateTimeUtc>,
    /// The latest change of a cluster that was seen, by NetBox's clock.
    pub clusters_since: Option<DateTimeUtc>,
    /// The latest change of a device that was seen, by NetBox's clock.
    pub devices_since: Option<DateTimeUtc>,
    /// When everything was last read.
    pub full_at: Option<DateTimeUtc>,
    /// When all ids were last read.
    pub swept_at: Option<DateTimeUtc>,
    /// When it was last tried.
    pub last_at: Option<DateTimeUtc>,
    /// When NetBox last told everything that was asked.
    pub last_success_at: Option<DateTimeUtc>,
    /// When it is due again.
    pub next_at: Option<DateTimeUtc>,
    /// Failed attempts in a row.
    pub failures: i32,
    /// Clusters that count as deleted and wait for the operator's word.
    pub held_clusters: i32,
    /// Devices that count as deleted and wait for the operator's word.
    pub held_devices: i32,
    /// Whether the last sweep saw everything.
    pub complete: bool,
    /// The class of the last error; none when the last attempt went well.
    pub last_class: Option<String>,
    /// The last error, for people.
    pub last_error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whole seconds since NetBox last told everything that was asked; none before that.
    pub fn age(&self, now: DateTime<Utc>) -> Option<i64> {
        self.last_success_at.map(|at| (now - at).num_seconds().max(0))
    }
}
