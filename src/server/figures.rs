//! The figures that lie in the database, read when somebody asks for them: a few statements, whatever there is.
use crate::app::App;
use crate::entity::netbox_mirror;
use crate::entity::sync_state::Standing;
use crate::error::{Error, Result};
use crate::metrics::prefixed;
use crate::mirror;
use crate::service::read;
use crate::service::read::sync::Stood;
use chrono::Utc;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::Write;
use std::time::Duration;

/// What reading them may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How it stands with what goes on in the background.
#[derive(Debug)]
pub struct Figures {
    revision: i64,
    endpoints: Vec<Stood>,
    /// None if no NetBox is connected.
    mirror: Option<netbox_mirror::Model>,
}

/// Reads them; four statements, one less without a NetBox.
pub async fn read(app: &App) -> Result<Figures> {
    let reading = async {
        Ok(Figures {
            revision: read::revision(&app.db).await?,
            endpoints: read::sync::standings(&app.db).await?,
            mirror: mirror::state(app).await?,
        })
    };
    tokio::time::timeout(TIMEOUT, reading).await.map_err(|_| Error::Timeout)?
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    endpoint: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    pool: &'static str,
    state: &'static str,
}

/// All of it for a scraper; what could not be read is missing.
pub fn registry(app: &App, figures: Option<&Figures>) -> Registry {
    let mut registry = prefixed();
    let up = Gauge::<i64>::default();
    up.set(figures.is_some().into());
    registry.register("database_up", "Whether the database told the figures that lie in it", up);
    let connections = Family::<Connections, Gauge>::default();
    for pool in app.db.pools() {
        for (state, count) in [("idle", pool.idle), ("used", pool.size.saturating_sub(pool.idle))] {
            set(&connections, Connections { pool: pool.name, state }, count);
        }
    }
    registry.register("database_connections", "Connections to the database", connections);
    if let Some(figures) = figures {
        figures.register(&mut registry);
    }
    registry
}

fn set<L: Clone + std::hash::Hash + Eq>(family: &Family<L, Gauge>, labels: L, count: usize) {
    family.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
}

impl Figures {
    fn register(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, help: &str, unit: Option<Unit>, value: i64| {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            match unit {
                Some(unit) => registry.register_with_unit(name, help, unit, gauge),
                None => registry.register(name, help, gauge),
            }
        };
        gauge("revision", "The revision of the newest change", None, self.revision);
        if let Some(mirror) = &self.mirror {
            gauge("netbox_mirror_failures", "Failed readings of NetBox in a row", None, mirror.failures.into());
            if let Some(age) = mirror.age(Utc::now()) {
                let help = "Time since NetBox last told everything that was asked";
                gauge("netbox_mirror_age", help, Some(Unit::Seconds), age);
            }
        }
        let states = Family::<State, Gauge>::default();
        for (standing, state) in Standing::ALL {
            set(&states, State { state }, self.count(standing));
        }
        registry.register("endpoints", "Endpoints, by how it stands with syncing them", states);
        let successes = Family::<Endpoint, Gauge>::default();
        for stood in &self.endpoints {
            if let Some(at) = stood.last_success_at {
                successes.get_or_create(&Endpoint { endpoint: stood.endpoint }).set(at.timestamp());
            }
        }
        let help = "When the last run of an endpoint ended that saw everything, in Unix time";
        registry.register_with_unit("sync_last_success_timestamp", help, Unit::Seconds, successes);
    }

    fn count(&self, standing: Standing) -> usize {
        self.endpoints.iter().filter(|stood| stood.standing == standing).count()
    }

    /// All of it for people, a line each.
    pub fn lines(&self) -> String {
        let standings = Standing::ALL.map(|(standing, name)| (self.count(standing), name));
        let standings = standings.iter().filter(|(count, _)| *count > 0);
        let standings = standings.map(|(count, name)| format!(", {count} {name}")).collect::<String>();
        let mut lines = format!("revision: {}\nendpoints: {}{standings}\n", self.revision, self.endpoints.len());
        if let Some(mirror) = &self.mirror {
            let age = mirror.age(Utc::now()).map_or_else(|| "never filled".to_owned(), |age| format!("{age} s old"));
            let failed = mirror.last_class.as_ref().map(|class| format!(", the last attempt failed ({class})"));
            let _ = writeln!(lines, "netbox mirror: {age}{}", failed.unwrap_or_default());
        }
        lines
    }
}
