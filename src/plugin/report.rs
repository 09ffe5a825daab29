//! What an import did or would do, as data; `cli` has the words.
use crate::entity::Kind;
use crate::error::Problem;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row of the plugin's, as people find it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: Kind,
    /// Its id there; none if it has none that can be read.
    pub id: Option<i64>,
    pub name: String,
}

/// A row that did not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub place: Place,
    pub problems: Vec<Problem>,
}

/// A value that differs on both sides, and stays as it is here.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    pub place: Place,
    pub difference: Difference,
}

/// One field with its two values; references by their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub field: String,
    pub there: Value,
    pub here: Value,
}

/// A new row whose id another object has here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    pub place: Place,
    /// Who has it.
    pub holder: String,
}

/// A new row that gets another id than it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbered {
    pub place: Place,
    pub id: i32,
}

/// An endpoint for which a secret must be given before it can be synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its id here.
    pub id: i32,
    pub name: String,
    /// Whether it signs in by an API token.
    pub by_token: bool,
}

/// How many rows of a kind there were, and what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub read: usize,
    pub new: usize,
    pub changed: usize,
    pub same: usize,
    pub left_out: usize,
    pub conflicts: usize,
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// By kind, in the order of the import.
    pub counts: Vec<(Kind, Counts)>,
    /// References to NetBox that are made for the rows that need them.
    pub references: Vec<(Kind, usize)>,
    pub left_out: Vec<LeftOut>,
    pub conflicts: Vec<Conflict>,
    /// If there are any, nothing is written.
    pub collisions: Vec<Collision>,
    pub renumbered: Vec<Renumbered>,
    /// Storages that move to the NetBox cluster that their Proxmox cluster is now linked to.
    pub moved: Vec<String>,
    /// Lists that this version of the plugin has not.
    pub missing: Vec<Kind>,
    /// Fields of the plugin's for which there is no place here.
    pub ignored: BTreeMap<Kind, BTreeSet<String>>,
    /// Endpoints without a secret.
    pub secrets: Vec<Given>,
    /// The revision that it made; none when nothing was written.
    pub revision: Option<i64>,
}

impl Report {
    /// The counts of a kind.
    pub fn of(&self, kind: Kind) -> Counts {
        self.counts.iter().find(|(of, _)| *of == kind).map(|(_, counts)| *counts).unwrap_or_default()
    }

    /// The new ids that rows get, by kind.
    pub(super) fn new_ids(&self) -> HashMap<Kind, Vec<i32>> {
        let mut ids: HashMap<Kind, Vec<i32>> = HashMap::new();
        for row in &self.renumbered {
            ids.entry(row.place.kind).or_default().push(row.id);
        }
        ids
    }

    /// Whether every row found its place.
    pub fn is_whole(&self) -> bool {
        self.left_out.is_empty() && self.collisions.is_empty()
    }
}
