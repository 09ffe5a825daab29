//! Reading all of the plugin's lists, under the names that its version has for them. No transaction is open meanwhile.
use super::report::{LeftOut, Place};
use super::row::{self, KINDS, Read, Seen, called};
use crate::client::netbox::{Failure, NetBox, Page};
use crate::entity::Kind;
use crate::error::{Code, Error, Problem, Result};
use crate::service::file;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where the plugin is, below NetBox.
const ROOT: &str = "api/plugins/proxbox/";
/// What its versions call the lists: up to 0.0.11, and later.
const NAMES: [(Kind, &[&str]); 4] = [
    (Kind::Endpoint, &["endpoints/proxmox"]),
    (Kind::Cluster, &["clusters", "proxmox-clusters"]),
    (Kind::Node, &["nodes", "proxmox-nodes"]),
    (Kind::Storage, &["storage"]),
];

type Fields = Map<String, Value>;

/// Everything that the plugin keeps.
#[derive(Debug, Default)]
pub struct There {
    pub endpoints: Vec<Seen<file::Endpoint>>,
    pub clusters: Vec<Seen<file::Cluster>>,
    pub nodes: Vec<Seen<file::Node>>,
    pub storages: Vec<Seen<file::Storage>>,
    /// Rows that could not be read.
    pub left_out: Vec<LeftOut>,
    /// Lists that it has not.
    pub missing: Vec<Kind>,
    /// Fields that nobody knows, by kind.
    pub ignored: BTreeMap<Kind, BTreeSet<String>>,
    /// Where each row stands, since one that changes meanwhile may come twice.
    positions: HashMap<(Kind, i32), usize>,
}

/// Asks for everything. The first list that cannot be read to its end is an error: half of an installation is of no use.
pub async fn read(netbox: &NetBox) -> Result<There> {
    let mut there = There::default();
    let routes = routes(netbox).await?;
    for kind in KINDS {
        match routes.get(&kind) {
            Some(route) => list(netbox, route, kind, &mut there).await?,
            None => there.missing.push(kind),
        }
    }
    Ok(there)
}

/// The lists that are there, as the plugin's root names them.
async fn routes(netbox: &NetBox) -> Result<HashMap<Kind, String>> {
    let told = |failure: Failure| Error::Conflict(format!("the plugin cannot be read: {failure}"));
    let root = netbox.get::<Fields>(ROOT).await.map_err(told)?;
    let root = root.ok_or_else(|| {
        Error::NotFound(format!("the NetBox at {} has no plugin netbox-proxbox: /{ROOT} is not there", netbox.url()))
    })?;
    let below = match root.get("endpoints") {
        Some(Value::String(_)) => netbox.get::<Fields>(&format!("{ROOT}endpoints/")).await.map_err(told)?,
        _ => None,
    };
    let below = below.unwrap_or_default();
    let has = |name: &str| match name.strip_prefix("endpoints/") {
        Some(name) => below.contains_key(name),
        None => root.contains_key(name),
    };
    let found = NAMES.iter().filter_map(|(kind, names)| {
        let name = names.iter().find(|name| has(name))?;
        Some((*kind, format!("{ROOT}{name}/")))
    });
    Ok(found.collect())
}

async fn list(netbox: &NetBox, route: &str, kind: Kind, there: &mut There) -> Result<()> {
    let told = |failure: Failure| Error::Conflict(format!("the {kind}s of the plugin cannot be read: {failure}"));
    let mut pages = netbox.list::<Value>(route, Vec::new());
    while let Some(page) = pages.next().await.map_err(told)? {
        there.add_page(kind, page);
    }
    if pages.is_complete() {
        return Ok(());
    }
    Err(Error::Conflict(format!("the list of {kind}s changed while it was read: try again")))
}

impl There {
    fn add_page(&mut self, kind: Kind, page: Page<Value>) {
        for odd in page.odd {
            let problem = Problem { code: Code::Invalid, path: Vec::new(), message: odd.reason };
            self.leave_out(Place { kind, id: odd.id, name: String::new() }, vec![problem]);
        }
        page.rows.into_iter().for_each(|row| self.add(kind, row));
    }

    /// Takes a row of the plugin's.
    pub fn add(&mut self, kind: Kind, row: Value) {
        let Value::Object(fields) = row else {
            let problem = Problem { code: Code::Invalid, path: Vec::new(), message: "is not an object".into() };
            return self.leave_out(Place { kind, id: None, name: String::new() }, vec![problem]);
        };
        let (id, name) = called(&fields);
        let place = Place { kind, id, name };
        let (known, ignored) = (&mut self.positions, &mut self.ignored);
        let taken = match kind {
            Kind::Endpoint => keep(kind, row::endpoint(fields), &mut self.endpoints, known, ignored),
            Kind::Cluster => keep(kind, row::cluster(fields), &mut self.clusters, known, ignored),
            Kind::Node => keep(kind, row::node(fields), &mut self.nodes, known, ignored),
            _ => keep(kind, row::storage(fields), &mut self.storages, known, ignored),
        };
        if let Err(problems) = taken {
            self.leave_out(place, problems);
        }
    }

    fn leave_out(&mut self, place: Place, problems: Vec<Problem>) {
        self.left_out.push(LeftOut { place, problems });
    }
}

fn keep<T>(
    kind: Kind,
    read: Read<T>,
    rows: &mut Vec<Seen<T>>,
    known: &mut HashMap<(Kind, i32), usize>,
    ignored: &mut BTreeMap<Kind, BTreeSet<String>>,
) -> Result<(), Vec<Problem>> {
    let (seen, names) = read?;
    for name in names {
        ignored.entry(kind).or_default().insert(name);
    }
    match known.get(&(kind, seen.id)) {
        // It came before: what comes later is newer.
        Some(at) => rows[*at] = seen,
        None => {
            known.insert((kind, seen.id), rows.len());
            rows.push(seen);
        }
    }
    Ok(())
}
