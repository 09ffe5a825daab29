//! How endpoints are synced.
use crate::app::SyncSettings;
use crate::client::proxmox::Rules;
use chrono::TimeDelta;
use clap::Args;
use clap::builder::BoolishValueParser;

/// Which endpoints may be asked, and how.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sync from Proxmox")]
pub struct SyncReach {
    /// Let endpoints be at this machine itself (127.0.0.0/8, ::1)
    #[arg(long, env = "PROXBOX_SYNC_ALLOW_LOOPBACK", value_parser = BoolishValueParser::new())]
    pub sync_allow_loopback: bool,

    /// Endpoints, as HOST:PORT, separated by commas, that are asked without TLS: whoever sits between reads everything
    #[arg(long, env = "PROXBOX_SYNC_HTTP_HOSTS", value_delimiter = ',')]
    pub sync_http_hosts: Vec<String>,
}

impl SyncReach {
    /// The settings, with everything else as it is by default.
    pub fn settings(&self) -> SyncSettings {
        let client = Rules {
            allow_loopback: self.sync_allow_loopback,
            allow_http: !self.sync_http_hosts.is_empty(),
            ..Rules::default()
        };
        let http_hosts = self.sync_http_hosts.iter().map(|host| host.trim().to_owned()).collect();
        SyncSettings { client, http_hosts, ..SyncSettings::default() }
    }
}

/// What sync may ask, and when what is missing counts as gone.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sync from Proxmox")]
pub struct SyncRules {
    #[command(flatten)]
    pub reach: SyncReach,

    /// Complete runs that must have lacked a row before it is stale
    #[arg(
        long,
        env = "PROXBOX_SYNC_STALE_RUNS",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub sync_stale_runs: u32,

    /// Hours that a row must have been missing before it is stale
    #[arg(
        long,
        env = "PROXBOX_SYNC_STALE_HOURS",
        default_value_t = 24,
        value_parser = clap::value_parser!(u32).range(..=100_000)
    )]
    pub sync_stale_hours: u32,

    /// Days after which a stale row is deleted, unless many would be; 0 = never
    #[arg(
        long,
        env = "PROXBOX_SYNC_DELETE_DAYS",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=36_500)
    )]
    pub sync_delete_days: u32,
}

impl SyncRules {
    /// The settings, with this time between the runs of the schedule.
    pub fn settings(&self, interval: Option<TimeDelta>) -> SyncSettings {
        let days = i64::from(self.sync_delete_days);
        SyncSettings {
            interval,
            stale_runs: self.sync_stale_runs as usize,
            stale_after: TimeDelta::hours(self.sync_stale_hours.into()),
            delete_after: (days > 0).then(|| TimeDelta::days(days)),
            ..self.reach.settings()
        }
    }
}
