//! What the operator sets: options and `PROXBOX_…` variables, one struct a room. There is no configuration file.
use crate::app::{Introspection, MirrorSettings, Settings, SyncSettings};
use crate::client::netbox::Target;
use crate::client::proxmox::Rules;
use crate::db::DbOptions;
use crate::error::{Error, Result};
use crate::graphql::limits::Limits;
use crate::rate::RateLimits;
use crate::rest::{self, PageSizes};
use crate::secret::KeySource;
use crate::server::{CertificateFiles, ConnectionLimits, Guard, Hosts, LoadLimits, RequestLimits, Tls};
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

/// What clients may take together, and how long.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits of connections and requests")]
pub struct LoadOptions {
    /// Connections at the same time
    #[arg(
        long,
        env = "PROXBOX_CONNECTIONS",
        default_value_t = 4096,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub connections: u32,

    /// Connections of one client at the same time; trusted proxies have no limit of their own
    #[arg(
        long,
        env = "PROXBOX_CLIENT_CONNECTIONS",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub client_connections: u32,

    /// Requests that are worked at at the same time; one more is told to come again
    #[arg(
        long,
        env = "PROXBOX_REQUESTS",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub requests: u32,

    /// Seconds that the head of a request may take, and a TLS handshake
    #[arg(
        long,
        env = "PROXBOX_HEAD_TIMEOUT",
        default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub head_timeout: u64,

    /// Seconds that nothing may come of a body
    #[arg(
        long,
        env = "PROXBOX_BODY_IDLE",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub body_idle: u64,

    /// Seconds that a body may take
    #[arg(
        long,
        env = "PROXBOX_BODY_TIMEOUT",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub body_timeout: u64,

    /// Seconds that a client may take nothing of an answer; slow readers of long streams have all the time they want
    #[arg(
        long,
        env = "PROXBOX_WRITE_IDLE",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub write_idle: u64,

    /// Seconds that a connection may rest between two requests
    #[arg(
        long,
        env = "PROXBOX_KEEP_ALIVE",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub keep_alive: u64,
}

impl LoadOptions {
    /// What connections may take.
    pub fn connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            most: self.connections as usize,
            most_each: self.client_connections as usize,
            head: Duration::from_secs(self.head_timeout),
            rest: Duration::from_secs(self.keep_alive),
            write_idle: Duration::from_secs(self.write_idle),
        }
    }

    /// What requests may take, of which none has a longer body than this.
    fn requests(&self, body: usize) -> LoadLimits {
        /// Bytes that the bodies of all requests may take, unless one alone may take more.
        const MEMORY: usize = 128 << 20;
        LoadLimits {
            requests: self.requests as usize,
            memory: MEMORY.max(body.saturating_mul(2)),
            body,
            body_idle: Duration::from_secs(self.body_idle),
            body_total: Duration::from_secs(self.body_timeout),
        }
    }
}

/// TLS of the server's own.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsFiles {
    /// A file with the server's certificate and what leads to its authority, in PEM; the server then speaks HTTPS only,
    /// and follows changes of the file
    #[arg(long, env = "PROXBOX_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// A file with the key of that certificate, in PEM
    #[arg(long, env = "PROXBOX_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

impl TlsFiles {
    /// Whether clients reach this server by HTTPS.
    pub fn is_set(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// The certificate, if one is set; fails if it cannot be used.
    pub fn open(&self) -> Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        Tls::open(CertificateFiles { certificate: certificate.clone(), key: key.clone() }).map(Some)
    }
}

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

/// Where NetBox is, and what to believe there.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "NetBox")]
pub struct NetBoxReach {
    /// The NetBox beside this server, as a browser finds it: scheme, host and prefix; its token is in the variable
    /// PROXBOX_NETBOX_TOKEN, or in a file
    #[arg(long, env = "PROXBOX_NETBOX_URL", hide_env_values = true)]
    pub netbox_url: Option<String>,

    /// A file that holds the token; the variable PROXBOX_NETBOX_TOKEN holds the token itself and goes first
    #[arg(long, env = "PROXBOX_NETBOX_TOKEN_FILE")]
    pub netbox_token_file: Option<PathBuf>,

    /// A file with the certificate of the authority that vouches for NetBox, in PEM; without it the system's roots do
    #[arg(long, env = "PROXBOX_NETBOX_CA")]
    pub netbox_ca: Option<PathBuf>,
}

/// The token of NetBox. Not an option: what stands on a command line can be seen by every user of the machine.
const NETBOX_TOKEN: &str = "PROXBOX_NETBOX_TOKEN";

impl NetBoxReach {
    /// The NetBox to ask; none if nothing is set. What is set in part, or cannot be read, is an error that names the
    /// option, and shows no token.
    pub fn target(&self) -> Result<Option<Target>> {
        let wrong = |message: String| Error::Conflict(message);
        let token = self.token()?;
        let Some(url) = &self.netbox_url else {
            let set = [
                (token.is_some(), "a token of NetBox (PROXBOX_NETBOX_TOKEN or PROXBOX_NETBOX_TOKEN_FILE)"),
                (self.netbox_ca.is_some(), "PROXBOX_NETBOX_CA"),
            ];
            return match set.iter().find(|(is_set, _)| *is_set) {
                Some((_, what)) => Err(wrong(format!("{what} is set, but PROXBOX_NETBOX_URL is not"))),
                None => Ok(None),
            };
        };
        let lacks = "PROXBOX_NETBOX_URL is set, but neither PROXBOX_NETBOX_TOKEN nor PROXBOX_NETBOX_TOKEN_FILE is";
        let token = token.ok_or_else(|| wrong(lacks.into()))?;
        let ca = self.netbox_ca.as_deref().map(|path| text_of("PROXBOX_NETBOX_CA", path)).transpose()?;
        let target = Target::parse(url, token, ca);
        target.map(Some).map_err(|why| wrong(format!("PROXBOX_NETBOX_URL, …_TOKEN or …_CA: {why}")))
    }

    fn token(&self) -> Result<Option<SecretString>> {
        match (std::env::var(NETBOX_TOKEN), &self.netbox_token_file) {
            (Ok(token), _) if token.trim().is_empty() => Err(Error::Conflict(format!("{NETBOX_TOKEN} is empty"))),
            (Ok(token), _) => Ok(Some(token.into())),
            (Err(VarError::NotUnicode(_)), _) => Err(Error::Conflict(format!("{NETBOX_TOKEN} is not UTF-8"))),
            (Err(VarError::NotPresent), Some(path)) => {
                text_of("PROXBOX_NETBOX_TOKEN_FILE", path).map(|token| Some(token.into()))
            }
            (Err(VarError::NotPresent), None) => Ok(None),
        }
    }
}

/// The text of a file that an option names; there must be some.
fn text_of(option: &str, path: &Path) -> Result<String> {
    let path_shown = path.display();
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Error::Conflict(format!("{option}: cannot read {path_shown}: {error}")))?;
    match text.trim().is_empty() {
        true => Err(Error::Conflict(format!("{option}: {path_shown} is empty"))),
        false => Ok(text),
    }
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

/// What one GraphQL request may ask for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits of a GraphQL request")]
pub struct GraphqlLimits {
    /// Nesting of data fields
    #[arg(long, env = "PROXBOX_GRAPHQL_DEPTH", default_value_t = Limits::default().depth)]
    pub graphql_depth: usize,

    /// Cost: an object 1, a list its page size times an element, counts and aggregates 10
    #[arg(long, env = "PROXBOX_GRAPHQL_COST", default_value_t = Limits::default().cost)]
    pub graphql_cost: u64,

    /// Aliased fields
    #[arg(long, env = "PROXBOX_GRAPHQL_ALIASES", default_value_t = Limits::default().aliases)]
    pub graphql_aliases: usize,

    /// Fields of the query itself
    #[arg(long, env = "PROXBOX_GRAPHQL_ROOT_FIELDS", default_value_t = Limits::default().root_fields)]
    pub graphql_root_fields: usize,

    /// Selected fields, fragments expanded
    #[arg(long, env = "PROXBOX_GRAPHQL_SELECTIONS", default_value_t = Limits::default().selections)]
    pub graphql_selections: u64,

    /// Selections of one field at one place, fragments expanded
    #[arg(long, env = "PROXBOX_GRAPHQL_REPEATS", default_value_t = Limits::default().repeats)]
    pub graphql_repeats: usize,

    /// Directives of one field, fragment, operation or variable
    #[arg(long, env = "PROXBOX_GRAPHQL_DIRECTIVES", default_value_t = Limits::default().directives)]
    pub graphql_directives: usize,

    /// Bytes of query text
    #[arg(long, env = "PROXBOX_GRAPHQL_TEXT", default_value_t = Limits::default().text_bytes)]
    pub graphql_text: usize,

    /// Tokens of query text
    #[arg(long, env = "PROXBOX_GRAPHQL_TOKENS", default_value_t = Limits::default().tokens)]
    pub graphql_tokens: usize,

    /// Brackets within brackets in query text; far more than 100 endanger the parser's stack
    #[arg(long, env = "PROXBOX_GRAPHQL_NESTING", default_value_t = Limits::default().nesting)]
    pub graphql_nesting: usize,

    /// Bytes of a request's body
    #[arg(long, env = "PROXBOX_GRAPHQL_BODY", default_value_t = 1 << 20)]
    pub graphql_body: usize,
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
        let given = &self.graphql;
        let graphql = Limits {
            depth: given.graphql_depth,
            cost: given.graphql_cost,
            aliases: given.graphql_aliases,
            root_fields: given.graphql_root_fields,
            selections: given.graphql_selections,
            repeats: given.graphql_repeats,
            directives: given.graphql_directives,
            text_bytes: given.graphql_text,
            tokens: given.graphql_tokens,
            nesting: given.graphql_nesting,
        };
        let pages = PageSizes { default: self.page_size, largest: self.max_page_size };
        let rest =
            rest::Limits { body: self.rest_body, bulk_body: self.rest_bulk_body, timeout: self.timeout(), pages };
        let largest = self.rest_body.max(self.rest_bulk_body).max(given.graphql_body);
        let hosts = Hosts::new(&self.allowed_hosts);
        let guard = Guard { hosts, https: self.tls.is_set(), origins: self.cors_origins.clone() };
        let load = self.load.requests(largest);
        RequestLimits { graphql, body: given.graphql_body, rest, timeout: self.timeout(), load, guard }
    }
}
