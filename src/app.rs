//! What every request needs, built once and cloned cheaply.
use crate::client::netbox::{self, NetBox};
use crate::client::proxmox::Rules;
use crate::db::{Db, DbOptions};
use crate::entity::{Decision, Kind, revision};
use crate::error::{Error, Result};
use crate::event::Events;
use crate::metrics::Metrics;
use crate::principal::{Act, Principal};
use crate::rate::{RateLimits, Rates};
use crate::secret::{KeySource, Sealer};
use crate::service::batch::{self, Mode, Operation, Outcome};
use crate::service::netbox::refuse_mirrored;
use crate::service::netbox::through;
use crate::service::token::{self, Pepper};
use crate::service::{Actor, Tx, Writable, link, retention};
use axum::http::{HeaderMap, HeaderName, header};
use chrono::{TimeDelta, Utc};
use clap::ValueEnum;
use ipnet::IpNet;
use rand::distr::{Alphanumeric, SampleString};
use sea_orm::EntityTrait;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The running program.
#[derive(Clone, Debug)]
pub struct App {
    pub db: Db,
    pub sealer: Arc<Sealer>,
    pub pepper: Arc<Pepper>,
    pub events: Events,
    pub metrics: Metrics,
    pub rates: Arc<Rates>,
    pub settings: Arc<Settings>,
    /// The NetBox beside this program; none if none is set.
    pub netbox: Option<Arc<NetBox>>,
    /// Room for runs of sync that go on at the same time.
    pub syncing: Arc<Semaphore>,
    /// This process, as it holds the right to sync an endpoint.
    pub holder: Arc<str>,
    /// Work that goes on behind a request and is waited for at the end.
    pub tasks: TaskTracker,
    /// The program ends: work that may take minutes stops.
    pub ending: CancellationToken,
}

/// What the operator decided about requests.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whoever has no token may read everything.
    pub anonymous_read: bool,
    /// Who may read GraphQL's schema.
    pub introspection: Introspection,
    /// GraphiQL's page is not served.
    pub no_graphiql: bool,
    /// Where clients reach this server, if that is not where it listens: scheme, host and prefix.
    pub public_url: Option<String>,
    /// How long changes are kept; none keeps them all.
    pub change_retention: Option<TimeDelta>,
    /// How endpoints are synced.
    pub sync: SyncSettings,
    /// When NetBox is read.
    pub mirror: MirrorSettings,
    /// Clients reach this server by TLS of its own.
    pub https: bool,
    /// How often one may ask.
    pub rates: RateLimits,
    /// The proxies whose word about the client counts.
    pub trusted_proxies: Vec<IpNet>,
    /// The NetBox to ask. [`App::open`] makes a client of it and takes it away from here.
    pub netbox: Option<netbox::Target>,
}

/// Who may read GraphQL's schema: by introspection, as text, and by the names in errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Introspection {
    /// Whoever has a token
    #[default]
    Token,
    /// Whoever may ask at all
    On,
    /// Nobody
    Off,
}

/// What the operator decided about sync.
#[derive(Clone, Debug)]
pub struct SyncSettings {
    /// The time between two runs of an endpoint that has no interval of its own; none = never.
    pub interval: Option<TimeDelta>,
    /// What the client of Proxmox may do, and how long.
    pub client: Rules,
    /// Endpoints, as `host:port`, that are asked without TLS.
    pub http_hosts: Vec<String>,
    /// Complete runs that must have lacked a row before it counts as gone.
    pub stale_runs: usize,
    /// How long a row must have been missing before it counts as gone.
    pub stale_after: TimeDelta,
    /// How long a row must have been missing to be deleted; none = never.
    pub delete_after: Option<TimeDelta>,
    /// How long runs are kept.
    pub keep_runs: TimeDelta,
}

/// What the operator decided about the mirror of NetBox.
#[derive(Clone, Debug)]
pub struct MirrorSettings {
    /// The time between two readings of what changed; none = never by itself.
    pub interval: Option<TimeDelta>,
    /// The time between two sweeps of all ids, to see what is gone.
    pub sweep: TimeDelta,
}

impl Default for MirrorSettings {
    fn default() -> Self {
        Self { interval: None, sweep: TimeDelta::hours(1) }
    }
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            interval: None,
            client: Rules::default(),
            http_hosts: Vec::new(),
            stale_runs: 3,
            stale_after: TimeDelta::hours(24),
            delete_after: None,
            keep_runs: TimeDelta::days(30),
        }
    }
}

/// The id of a request, as the answer's header and the log name it.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The front of the URLs in an answer: scheme, host and prefix, without a slash at the end.
    pub base: String,
    /// The client's address.
    pub client: IpAddr,
}

impl Settings {
    /// Whether somebody may read GraphQL's schema.
    pub fn may_introspect(&self, principal: &Principal) -> bool {
        match self.introspection {
            Introspection::Token => !principal.is_anonymous(),
            Introspection::On => true,
            Introspection::Off => false,
        }
    }

    /// Where a request of this peer comes from. What its headers say beyond the host counts from trusted proxies only.
    pub fn origin(&self, headers: &HeaderMap, peer: IpAddr) -> Origin {
        let trusted = self.trusts(peer);
        let forwarded = |name: &'static str| {
            let value = headers.get(HeaderName::from_static(name)).filter(|_| trusted)?.to_str().ok()?;
            // The first one is what the client asked for.
            value.split(',').map(str::trim).next().filter(|value| !value.is_empty())
        };
        let host = forwarded("x-forwarded-host").or_else(|| headers.get(header::HOST)?.to_str().ok());
        let base = match (&self.public_url, host) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(host)) => {
                let own = if self.https { "https" } else { "http" };
                let scheme = match forwarded("x-forwarded-proto") {
                    Some("https") => "https",
                    Some(_) => "http",
                    None => own,
                };
                let prefix = forwarded("x-forwarded-prefix").unwrap_or_default().trim_matches('/');
                let slash = if prefix.is_empty() { "" } else { "/" };
                format!("{scheme}://{host}{slash}{prefix}")
            }
            (None, None) => String::new(),
        };
        Origin { base, client: self.client(headers, peer) }
    }

    /// Whether this peer is a proxy whose word counts.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }

    /// The last address that no trusted proxy has: what stands before it in the header anybody could have written.
    fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let values = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
        let chain = values.flat_map(|value| value.split(',')).map(|text| text.trim().parse::<IpAddr>());
        let chain = chain.collect::<Vec<_>>();
        let mut client = peer;
        for hop in chain.into_iter().rev() {
            match hop {
                Ok(hop) if self.trusts(client) => client = hop,
                _ => break,
            }
        }
        client
    }
}

/// Whether the tables are brought up to date on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Migrate,
    /// An old schema is refused.
    Check,
}

impl App {
    /// Opens the database and its secrets. A wrong or missing key is refused here, before anything is stored; so is a
    /// NetBox that cannot be asked, though nobody asks it yet.
    pub async fn open(database: &DbOptions, key: &KeySource, schema: Schema, mut settings: Settings) -> Result<Self> {
        let netbox = settings.netbox.take().map(open_netbox).transpose()?;
        let db = Db::connect(database).await?;
        match schema {
            Schema::Migrate => db.migrate().await?,
            Schema::Check => {
                let pending = db.pending().await?;
                if !pending.is_empty() {
                    let names = pending.join(", ");
                    return Err(Error::Conflict(format!(
                        "the database lacks the migrations {names}; run `proxbox-graphql migrate` first"
                    )));
                }
            }
        }
        let revision = revision::Entity::find_by_id(1).one(&db.read).await?.map_or(0, |row| row.value);
        let events = Events::new(revision);
        let sealed = Pepper::sealed(&db.read).await?;
        let sealer = Arc::new(key.read(sealed.is_none())?);
        let sealed = match sealed {
            Some(sealed) => sealed,
            None => first_pepper(&db, &sealer, &events).await?,
        };
        let pepper = Pepper::open(&sealed, &sealer)?;
        Ok(Self {
            db,
            sealer,
            pepper: Arc::new(pepper),
            events,
            metrics: Metrics::new(),
            rates: Arc::new(Rates::new(settings.rates)),
            settings: Arc::new(settings),
            netbox,
            syncing: Arc::new(Semaphore::new(SYNCS)),
            holder: holder().into(),
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
        })
    }

    /// Begins to write in somebody's name.
    pub async fn begin(&self, actor: Actor) -> Result<Tx> {
        Tx::begin(&self.db, actor, self.events.clone(), self.sealer.clone()).await
    }

    /// Does these operations in one transaction, and commits what is to stay. Whoever meets others' writes begins anew
    /// a few times.
    pub async fn write<M: Writable>(
        &self,
        actor: Actor,
        operations: &[Operation<M::Patch>],
        mode: Mode,
    ) -> Result<Outcome> {
        if self.netbox.is_some()
            && let Some(refused) = refuse_mirrored::<M>(&self.db, operations).await?
        {
            return Ok(refused);
        }
        if actor.principal.may(M::KIND, Act::Add) || actor.principal.may(M::KIND, Act::Change) {
            self.read_through(&through::links::<M>(operations)).await?;
        }
        let mut tries = Tries::default();
        loop {
            let outcome = self.write_once::<M>(actor.clone(), operations, mode).await;
            if !matches!(outcome, Err(Error::Contention)) || !tries.again().await {
                return outcome;
            }
        }
    }

    /// Asks NetBox for objects that are to be linked and not mirrored yet, and keeps what it tells.
    async fn read_through(&self, links: &[(Kind, i32)]) -> Result<()> {
        let Some(netbox) = &self.netbox else { return Ok(()) };
        let fetched = through::fetch(&self.db, netbox, links).await?;
        if fetched.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin(Actor::program("netbox")).await?;
        let kept = async {
            fetched.keep(&mut tx).await?;
            tx.commit().await.map(drop)
        };
        match kept.await {
            // Whoever was faster kept the same.
            Err(Error::Contention) => Ok(()),
            kept => kept,
        }
    }

    async fn write_once<M: Writable>(
        &self,
        actor: Actor,
        operations: &[Operation<M::Patch>],
        mode: Mode,
    ) -> Result<Outcome> {
        let mut tx = self.begin(actor).await?;
        let outcome = batch::run::<M>(&mut tx, operations, mode).await?;
        if outcome.stays {
            tx.commit().await?;
        }
        Ok(outcome)
    }

    /// Accepts or rejects these links in one transaction, all or none, and begins anew as [`App::write`] does.
    pub async fn decide(&self, actor: Actor, steps: &[link::Step]) -> Result<()> {
        let accepted = steps.iter().filter(|step| step.decision == Decision::Accepted);
        let links = accepted.filter(|step| actor.principal.may(step.ty.object(), Act::Change));
        self.read_through(&links.map(|step| (step.ty.target(), step.target)).collect::<Vec<_>>()).await?;
        let mut tries = Tries::default();
        loop {
            let outcome = self.decide_once(actor.clone(), steps).await;
            if !matches!(outcome, Err(Error::Contention)) || !tries.again().await {
                return outcome;
            }
        }
    }

    async fn decide_once(&self, actor: Actor, steps: &[link::Step]) -> Result<()> {
        let mut tx = self.begin(actor).await?;
        link::decide(&mut tx, steps).await?;
        tx.commit().await.map(drop)
    }

    /// Notes in the background that a token was used: reading must not wait for the writer.
    pub fn note_use(&self, token: i32) {
        let app = self.clone();
        self.tasks.spawn(async move {
            let noted = async {
                let tx = app.begin(Actor::program("auth")).await?;
                token::touch(&tx, token).await?;
                tx.commit().await
            };
            if let Err(error) = noted.await {
                tracing::warn!("the use of token {token} could not be noted: {error}");
            }
        });
    }

    /// Removes changes that are older than this, in small steps, so that nobody waits long for the writer; returns how
    /// many.
    pub async fn prune_changes(&self, keep: TimeDelta) -> Result<u64> {
        const STEP: u64 = 1_000;
        const PAUSE: Duration = Duration::from_millis(20);
        let before = Utc::now() - keep;
        let mut removed = 0;
        loop {
            let tx = self.begin(Actor::program("retention")).await?;
            let step = retention::prune(&tx, before, STEP).await?;
            tx.commit().await?;
            removed += step;
            if step < STEP {
                return Ok(removed);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What is to be done once an hour, beginning now, until told to stop: old changes go, and the database gets an eye
    /// for how its rows lie.
    pub async fn keep_house(self, stop: CancellationToken) {
        const EVERY: Duration = Duration::from_secs(60 * 60);
        let keeping = async {
            loop {
                self.keep_house_once().await;
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::select! { () = keeping => {}, () = stop.cancelled() => {} }
    }

    async fn keep_house_once(&self) {
        if let Some(keep) = self.settings.change_retention {
            match self.prune_changes(keep).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!("{removed} changes older than {} days are removed", keep.num_days()),
                Err(error) => tracing::warn!("old changes could not be removed, which is tried again: {error}"),
            }
        }
        if let Err(error) = self.db.optimize().await {
            tracing::warn!("the database could not be optimized, which is tried again: {error}");
        }
    }

    /// Waits for what goes on in the background, and closes the database.
    pub async fn close(self) -> Result<()> {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.db.close().await
    }
}

/// Endpoints that are synced at the same time.
const SYNCS: usize = 16;

/// How often whoever met others' writes has tried.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Whether to begin anew; those who met must not meet again, so it waits a little.
    pub async fn again(&mut self) -> bool {
        const MOST: u32 = 6;
        self.0 += 1;
        if self.0 < MOST {
            tokio::time::sleep(Duration::from_millis(rand::random_range(1..=10 << self.0))).await;
        }
        self.0 < MOST
    }
}

/// A name that no other process has, and that tells an operator where to look.
fn holder() -> String {
    format!("{}-{}", std::process::id(), Alphanumeric.sample_string(&mut rand::rng(), 12))
}

/// The client of the operator's NetBox.
fn open_netbox(target: netbox::Target) -> Result<Arc<NetBox>> {
    let netbox = NetBox::new(target, netbox::Rules::netbox());
    netbox.map(Arc::new).map_err(|failure| Error::Conflict(format!("NetBox cannot be asked: {failure}")))
}

async fn first_pepper(db: &Db, sealer: &Arc<Sealer>, events: &Events) -> Result<String> {
    let tx = Tx::begin(db, Actor::program("start"), events.clone(), sealer.clone()).await?;
    Pepper::make(&tx, sealer).await?;
    tx.commit().await?;
    Pepper::sealed(&db.read).await?.ok_or_else(|| Error::Internal("the pepper was not stored".into()))
}
