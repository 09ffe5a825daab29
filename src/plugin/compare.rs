//! In what both sides differ. Pure.
use super::adopt::{Adopted, Adoption, Pair};
use super::field::Owner;
use super::merge::differences;
use super::plan::{all_tags, named, names, pair_clusters, pair_endpoints, pair_nodes, pair_storages};
use super::read::There;
use super::report::{Difference, LeftOut, Place};
use crate::entity::Kind;
use crate::service::import::Here;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What counts beside what operators and Proxmox tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// What changes all the time.
    pub figures: bool,
    /// When rows were made and changed.
    pub times: bool,
    /// The ids.
    pub ids: bool,
}

/// A row that is on both sides and differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Unlike {
    pub place: Place,
    pub differences: Vec<Difference>,
}

/// A kind of rows on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub kind: Kind,
    pub same: usize,
    pub only_there: Vec<Place>,
    /// With their ids here.
    pub only_here: Vec<Place>,
    pub unlike: Vec<Unlike>,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    pub kinds: Vec<Compared>,
    /// Rows of the plugin's that cannot be here, since they do not fit.
    pub left_out: Vec<LeftOut>,
    /// Lists that this version of the plugin has not.
    pub missing: Vec<Kind>,
    /// Fields of the plugin's for which there is no place here.
    pub ignored: BTreeMap<Kind, BTreeSet<String>>,
}

impl Comparison {
    /// Whether both sides are alike as far as they can be compared.
    pub fn is_alike(&self) -> bool {
        let alike = |kind: &Compared| kind.only_there.is_empty() && kind.only_here.is_empty() && kind.unlike.is_empty();
        self.left_out.is_empty() && self.kinds.iter().all(alike)
    }
}

/// Compares all rows.
pub fn compare(there: &There, here: &Here, scope: Scope) -> Comparison {
    let mut adoption = Adoption::default();
    adoption.tags(all_tags(there), here);
    let mut names = names(there, here);
    let endpoints = pair_endpoints(&mut adoption, there, here);
    let clusters = pair_clusters(&mut adoption, there, here);
    names.extend(clusters.iter().map(|pair| ((Kind::Cluster, pair.there.id), pair.there.name.clone())));
    let nodes = pair_nodes(&mut adoption, there, here);
    let storages = pair_storages(&mut adoption, there, here, &here.storages);
    let comparing = Comparing { there, here, scope, names };
    let kinds = vec![
        comparing.kind(&endpoints, &here.endpoints),
        comparing.kind(&clusters, &here.clusters),
        comparing.kind(&nodes, &here.nodes),
        comparing.kind(&storages, &here.storages),
    ];
    let left_out = there.left_out.iter().cloned().chain(adoption.left_out).collect();
    Comparison { kinds, left_out, missing: there.missing.clone(), ignored: there.ignored.clone() }
}

struct Comparing<'a> {
    there: &'a There,
    here: &'a Here,
    scope: Scope,
    names: HashMap<(Kind, i32), String>,
}

impl Comparing<'_> {
    fn kind<M: Adopted>(&self, pairs: &[Pair<M>], here: &[M]) -> Compared {
        let mut compared =
            Compared { kind: M::KIND, same: 0, only_there: Vec::new(), only_here: Vec::new(), unlike: Vec::new() };
        let mut known = HashSet::new();
        for pair in pairs {
            let Some(here) = &pair.here else {
                compared.only_there.push(pair.place.clone());
                continue;
            };
            known.insert(here.id());
            let tags = self.here.tags_of(M::KIND, here.id());
            let found = differences(pair, &tags, |owner| self.counts(owner));
            if found.is_empty() {
                compared.same += 1;
            } else {
                let differences = found.into_iter().map(|one| named(M::KIND, one, &self.names)).collect();
                compared.unlike.push(Unlike { place: pair.place.clone(), differences });
            }
        }
        // What the plugin has no list of cannot be compared.
        if !self.there.missing.contains(&M::KIND) {
            let only = here.iter().filter(|row| !known.contains(&row.id()));
            let place = |row: &M| Place { kind: M::KIND, id: Some(row.id().into()), name: row.display() };
            compared.only_here = only.map(place).collect();
        }
        compared
    }

    fn counts(&self, owner: Owner) -> bool {
        match owner {
            Owner::Key | Owner::Ours => false,
            Owner::Id => self.scope.ids,
            Owner::Time => self.scope.times,
            Owner::Figure => self.scope.figures,
            Owner::Way | Owner::Link | Owner::Custom | Owner::Observed => true,
        }
    }
}
