//! What the operator sets: options and `PROXBOX_…` variables, one struct a room. There is no configuration file.
mod connections;
mod graphql;
mod netbox;
mod sync;

pub use connections::{LoadOptions, TlsFiles};
pub use graphql::GraphqlLimits;
pub use netbox::NetBoxReach;
pub use sync::{SyncReach, SyncRules};

use crate::app::{Introspection, MirrorSettings, Settings};
use crate::db::DbOptions;
use crate::error::{Error, Result};
use crate::rate::RateLimits;
use crate::rest::{self, PageSizes};
use crate::secret::KeySource;
use crate::server::{Guard, Hosts, RequestLimits};
use crate::telemetry::LogFormat;
use chrono::TimeDelta;
use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;
use secrecy::SecretString;
use std::env::VarError;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The database: sqlite://PATH?mode=rwc or postgres://USER@HOST/NAME
    #[arg(
        long,
        global = true,
        env = "PROXBOX_DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite://proxbox.db?mode=rwc"
    )]
    pub database_url: String,

    /// Connections to the database at most
    #[arg(
        long,
        global = true,
        env = "PROXBOX_DATABASE_CONNECTIONS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub database_connections: u32,

    /// A file that holds the key under which secrets are stored, at least 32 bytes; the variable PROXBOX_SECRET_KEY
    /// holds the key itself and goes first [default: proxbox.key beside the SQLite database]
    #[arg(long, global = true, env = "PROXBOX_SECRET_KEY_FILE")]
    pub secret_key_file: Option<PathBuf>,

    /// While the key is being changed, a file that holds the former one; the variable PROXBOX_SECRET_KEY_OLD holds the
    /// key itself and goes first
    #[arg(long, global = true, env = "PROXBOX_SECRET_KEY_OLD_FILE")]
    pub secret_key_old_file: Option<PathBuf>,

    /// What is logged, in the language of RUST_LOG: warn, info, proxbox_graphql=debug …
    #[arg(long, global = true, env = "PROXBOX_LOG", default_value = "info,sqlx=warn,sea_orm=warn")]
    pub log: String,

    /// How it is logged
    #[arg(long, global = true, env = "PROXBOX_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Options of `serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Where to listen
    #[arg(long, env = "PROXBOX_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Where to tell the operator figures and health in detail: on this machine's loopback, such as 127.0.0.1:9180; nowhere
    /// by default
    #[arg(long, env = "PROXBOX_OPS_LISTEN")]
    pub ops_listen: Option<String>,

    /// Serve made-up data from a throwaway database, whatever the database URL says
    #[arg(long, env = "PROXBOX_DEMO", value_parser = BoolishValueParser::new())]
    pub demo: bool,

    /// Refuse to start on an old schema instead of migrating it
    #[arg(long, env = "PROXBOX_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    pub no_migrate: bool,

    /// Let everybody read everything, without a token
    #[arg(long, env = "PROXBOX_ANONYMOUS_READ", value_parser = BoolishValueParser::new())]
    pub anonymous_read: bool,

    /// Who may read GraphQL's schema: by introspection, as text, and by the names in errors
    #[arg(long, env = "PROXBOX_INTROSPECTION", value_enum, default_value_t = Introspection::Token)]
    pub introspection: Introspection,

    /// Serve no GraphiQL, the browser IDE
    #[arg(long, env = "PROXBOX_NO_GRAPHIQL", value_parser = BoolishValueParser::new())]
    pub no_graphiql: bool,

    /// Where clients reach this server, for the URLs in answers: scheme, host and prefix
    #[arg(long, env = "PROXBOX_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// Hosts under which clients may reach this server, without a port, separated by commas; *.example.com stands for all
    /// names below, * for any
    #[arg(long, env = "PROXBOX_ALLOWED_HOSTS", value_delimiter = ',', default_value = "*")]
    pub allowed_hosts: Vec<String>,

    /// Origins whose pages may read answers, as https://HOST or https://HOST:PORT, separated by commas; none by default
    #[arg(long, env = "PROXBOX_CORS_ORIGINS", value_delimiter = ',', value_parser = page_origin)]
    pub cors_origins: Vec<String>,

    /// Seconds that a request may take
    #[arg(
        long,
        env = "PROXBOX_REQUEST_TIMEOUT",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub request_timeout: u64,

    /// Days that changes are kept in the log; 0 keeps them for ever
    #[arg(
        long,
        env = "PROXBOX_CHANGE_RETENTION",
        default_value_t = 90,
        value_parser = clap::value_parser!(u32).range(..=36_500)
    )]
    pub change_retention: u32,

    /// Addresses or networks of proxies whose X-Forwarded headers count, separated by commas
    #[arg(long, env = "PROXBOX_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Requests a minute of each API token; 0 = as many as come
    #[arg(
        long,
        env = "PROXBOX_RATE_TOKEN",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=1_000_000)
    )]
    pub rate_token: u32,

    /// Failed attempts a minute to authenticate from each address, of IPv6 from each /64; 0 = as many as come
    #[arg(
        long,
        env = "PROXBOX_RATE_FAILED_AUTH",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=1_000_000)
    )]
    pub rate_failed_auth: u32,

    /// Rows of a REST page when the client does not say
    #[arg(
        long,
        env = "PROXBOX_PAGE_SIZE",
        default_value_t = 50,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    pub page_size: u64,

    /// Rows of a REST page at most; 0 = no cap
    #[arg(
        long,
        env = "PROXBOX_MAX_PAGE_SIZE",
        default_value_t = 1000,
        value_parser = clap::value_parser!(u64).range(..=1_000_000)
    )]
    pub max_page_size: u64,

    /// Bytes of a REST request's body
    #[arg(long, env = "PROXBOX_REST_BODY", default_value_t = 1 << 20)]
    pub rest_body: usize,

    /// Bytes of the body of a REST request that may name many objects
    #[arg(long, env = "PROXBOX_REST_BULK_BODY", default_value_t = 8 << 20)]
    pub rest_bulk_body: usize,

    #[command(flatten)]
    pub load: LoadOptions,

    #[command(flatten)]
    pub tls: TlsFiles,

    /// Seconds between two runs of sync of an endpoint that has no interval of its own; 0 = never
    #[arg(
        long,
        env = "PROXBOX_SYNC_INTERVAL",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(..=604_800)
    )]
    pub sync_interval: u32,

    #[command(flatten)]
    pub sync: SyncRules,

    /// Seconds between two readings of what changed in NetBox; 0 for never
    #[arg(
        long,
        env = "PROXBOX_NETBOX_INTERVAL",
        default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(..=604_800)
    )]
    pub netbox_interval: u32,

    /// Seconds between two looks for what is gone from NetBox; two of them must lack an object before it counts as
    /// deleted
    #[arg(
        long,
        env = "PROXBOX_NETBOX_SWEEP",
        default_value_t = 3_600,
        value_parser = clap::value_parser!(u32).range(60..=604_800)
    )]
    pub netbox_sweep: u32,

    #[command(flatten)]
    pub netbox: NetBoxReach,

    #[command(flatten)]
    pub graphql: GraphqlLimits,
}

/// A key that the operator gives, in a variable or else a file. No option holds one: what stands on a command line can be
/// seen by every user of the machine.
fn given_key(variable: &str, file: Option<&Path>) -> Result<Option<KeySource>> {
    match std::env::var(variable) {
        Ok(key) => Ok(Some(KeySource::Given(SecretString::from(key)))),
        Err(VarError::NotUnicode(_)) => Err(Error::Key(format!("{variable} is not UTF-8"))),
        Err(VarError::NotPresent) => Ok(file.map(|path| KeySource::File(path.to_owned()))),
    }
}

/// A network, or a single address.
fn network(text: &str) -> std::result::Result<IpNet, String> {
    let text = text.trim();
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| format!("`{text}` is no address or network"))
}

/// An origin as browsers send it, so that it can be compared to the letter.
fn page_origin(text: &str) -> std::result::Result<String, String> {
    let origin = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#*\\\"".contains(c)) {
        return Err(format!("`{text}` is no origin: https://HOST or https://HOST:PORT, each one by name"));
    }
    Ok(origin)
}

impl Global {
    /// How to reach the database.
    pub fn database(&self, statement_timeout: Duration) -> DbOptions {
        DbOptions { url: self.database_url.clone(), connections: self.database_connections, statement_timeout }
    }

    /// Where the key comes from, and the former one if it is being changed.
    pub fn key(&self) -> Result<KeySource> {
        let new = self.current_key()?;
        match given_key("PROXBOX_SECRET_KEY_OLD", self.secret_key_old_file.as_deref())? {
            Some(old) => Ok(KeySource::Changing { new: Box::new(new), old: Box::new(old) }),
            None => Ok(new),
        }
    }

    /// Only a SQLite database has a folder for a file of its own.
    fn current_key(&self) -> Result<KeySource> {
        if let Some(given) = given_key("PROXBOX_SECRET_KEY", self.secret_key_file.as_deref())? {
            return Ok(given);
        }
        match self.database(Duration::ZERO).sqlite_file()? {
            Some(file) => Ok(KeySource::Beside(file.with_file_name("proxbox.key"))),
            None => Err(Error::Key(
                "PostgreSQL needs a key for the secrets: set PROXBOX_SECRET_KEY (at least 32 bytes) or \
                 PROXBOX_SECRET_KEY_FILE, the same for every server on this database"
                    .into(),
            )),
        }
    }
}

impl Serve {
    /// What the operator decided. The demo is made up, and has no NetBox. Fails if the options of NetBox do not fit
    /// together.
    pub fn settings(&self) -> Result<Settings> {
        let days = i64::from(self.change_retention);
        Ok(Settings {
            anonymous_read: self.anonymous_read,
            introspection: self.introspection,
            no_graphiql: self.no_graphiql,
            public_url: self.public_url.clone(),
            https: self.tls.is_set(),
            sync: self.sync.settings((self.sync_interval > 0).then(|| TimeDelta::seconds(self.sync_interval.into()))),
            change_retention: (days > 0).then(|| TimeDelta::days(days)),
            rates: RateLimits {
                token: NonZeroU32::new(self.rate_token),
                failed_auth: NonZeroU32::new(self.rate_failed_auth),
            },
            trusted_proxies: self.trusted_proxies.clone(),
            netbox: if self.demo { None } else { self.netbox.target()? },
            mirror: MirrorSettings {
                interval: (self.netbox_interval > 0).then(|| TimeDelta::seconds(self.netbox_interval.into())),
                sweep: TimeDelta::seconds(self.netbox_sweep.into()),
            },
        })
    }

    /// What a request may take.
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout)
    }

    /// What a statement may take: a little more than the request, which then is the one to say so.
    pub fn statement_timeout(&self) -> Duration {
        self.timeout() + Duration::from_secs(1)
    }

    /// What requests may cost.
    pub fn limits(&self) -> RequestLimits {
        let pages = PageSizes { default: self.page_size, largest: self.max_page_size };
        let rest =
            rest::Limits { body: self.rest_body, bulk_body: self.rest_bulk_body, timeout: self.timeout(), pages };
        let largest = self.rest_body.max(self.rest_bulk_body).max(self.graphql.graphql_body);
        let hosts = Hosts::new(&self.allowed_hosts);
        let guard = Guard { hosts, https: self.tls.is_set(), origins: self.cors_origins.clone() };
        let load = self.load.requests(largest);
        RequestLimits {
            graphql: self.graphql.limits(),
            body: self.graphql.graphql_body,
            rest,
            timeout: self.timeout(),
            load,
            guard,
        }
    }
}
