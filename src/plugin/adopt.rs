//! Which of the plugin's rows are here already, and which id each of them has here. What does not fit is left out, with
//! what refers to it.
use super::report::{Collision, Counts, LeftOut, Place, Renumbered};
use super::row::Seen;
use crate::entity::{Kind, Resource, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag};
use crate::error::{Code, Error, Problem, Result};
use crate::service::import::{self, Here, Tags};
use crate::service::{Writable, file, rules};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;

/// A row of the plugin's in terms of the ids here, with the one that it is here.
#[derive(Clone, Debug)]
pub struct Pair<M> {
    pub place: Place,
    pub there: M,
    pub here: Option<M>,
    pub tags: Tags,
}

/// A model that the plugin has too.
pub(super) trait Adopted: Writable {
    /// What tells one from another.
    type Key: Eq + Hash;

    fn key(&self) -> Self::Key;
}

impl Adopted for endpoint::Model {
    /// The host counts as the unique index has it.
    type Key = (String, String);

    fn key(&self) -> Self::Key {
        (self.name.clone(), self.host().unwrap_or_default().to_owned())
    }
}

impl Adopted for cluster::Model {
    type Key = (i32, String);

    fn key(&self) -> Self::Key {
        (self.endpoint_id, self.name.clone())
    }
}

impl Adopted for node::Model {
    type Key = (i32, String);

    fn key(&self) -> Self::Key {
        (self.endpoint_id, self.name.clone())
    }
}

impl Adopted for storage::Model {
    type Key = (i32, String);

    fn key(&self) -> Self::Key {
        (self.cluster_id, self.name.clone())
    }
}

impl Adopted for tag::Model {
    type Key = String;

    fn key(&self) -> Self::Key {
        self.slug.clone()
    }
}

/// The NetBox cluster and the NetBox device that must be made for a row.
type References = (Option<netbox_cluster::Model>, Option<netbox_device::Model>);

/// What is known so far of the way from there to here.
#[derive(Debug, Default)]
pub(super) struct Adoption {
    /// The ids here of the plugin's rows that found a place.
    ids: HashMap<(Kind, i32), i32>,
    /// The next new id of each table, and those that are taken first.
    next: HashMap<Kind, i32>,
    reserved: HashMap<Kind, VecDeque<i32>>,
    /// The tags that rows may carry.
    tags: Tags,
    pub(super) new_tags: Vec<tag::Model>,
    /// The references to NetBox that new rows need and that are not here.
    pub(super) netbox_clusters: BTreeMap<i32, netbox_cluster::Model>,
    pub(super) netbox_devices: BTreeMap<i32, netbox_device::Model>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) collisions: Vec<Collision>,
    pub(super) renumbered: Vec<Renumbered>,
}

impl Adoption {
    /// Pairs the rows of a kind. `row` puts one of them in terms of the ids here.
    pub(super) fn pair<T, M: Adopted>(
        &mut self,
        seen: &[Seen<T>],
        here: &[M],
        known: &Here,
        row: impl Fn(&Self, &Seen<T>) -> Result<M>,
    ) -> Vec<Pair<M>> {
        let by_key = here.iter().map(|row| (row.key(), row)).collect::<HashMap<_, _>>();
        let by_id = here.iter().map(|row| (row.id(), row)).collect::<HashMap<_, _>>();
        self.begin_ids::<M>(here, seen.iter().map(|seen| seen.id), known);
        let mut keys = HashMap::new();
        let mut pairs = Vec::with_capacity(seen.len());
        for one in seen {
            let place = Place { kind: M::KIND, id: Some(one.id.into()), name: one.name.clone() };
            let fitted = row(self, one).and_then(|row| self.references(known, one).map(|references| (row, references)));
            let (mut there, (cluster, device)) = match fitted {
                Ok(fitted) => fitted,
                Err(error) => {
                    self.leave_out(place, problems(error));
                    continue;
                }
            };
            if let Some(first) = keys.insert(there.key(), one.id) {
                keys.insert(there.key(), first);
                let message = format!("the {} {first} of the plugin has the same name in the same place", M::KIND);
                self.leave_out(place, vec![Problem::new(Code::KeyTaken, "name", message)]);
                continue;
            }
            let here = by_key.get(&there.key()).copied().cloned();
            let id = match &here {
                Some(here) => here.id(),
                None => self.place(&place, one.id, by_id.get(&one.id).copied()),
            };
            self.ids.insert((M::KIND, one.id), id);
            self.netbox_clusters.extend(cluster.map(|row| (row.id, row)));
            self.netbox_devices.extend(device.map(|row| (row.id, row)));
            renumber(&mut there, id);
            let tags = one.tags.iter().filter_map(|tag| self.tags.get_key_value(&tag.slug));
            let tags = tags.map(|(slug, id)| (slug.clone(), *id)).collect();
            pairs.push(Pair { place, there, here, tags });
        }
        pairs
    }

    /// The id of a new row: the plugin's, unless another object has it.
    fn place<M: Resource>(&mut self, place: &Place, id: i32, holder: Option<&M>) -> i32 {
        let Some(holder) = holder else { return id };
        let new = self.new_id(M::KIND);
        self.collisions.push(Collision { place: place.clone(), holder: holder.display() });
        self.renumbered.push(Renumbered { place: place.clone(), id: new });
        new
    }

    fn new_id(&mut self, kind: Kind) -> i32 {
        if let Some(id) = self.reserved.get_mut(&kind).and_then(VecDeque::pop_front) {
            return id;
        }
        let next = self.next.entry(kind).or_insert(1);
        *next = next.saturating_add(1);
        *next - 1
    }

    /// New ids begin behind all that are in use or were, on both sides.
    fn begin_ids<M: Resource>(&mut self, here: &[M], there: impl Iterator<Item = i32>, known: &Here) {
        let largest = here.iter().map(Resource::id).chain(there).max().unwrap_or_default();
        let next = known.next.get(&M::KIND).copied().unwrap_or(1).max(largest.saturating_add(1));
        self.next.insert(M::KIND, next);
        self.reserved.insert(M::KIND, known.reserved.get(&M::KIND).into_iter().flatten().copied().collect());
    }

    /// The id here of what a row refers to.
    pub(super) fn refer(&self, kind: Kind, id: i32, field: &str) -> Result<i32> {
        if id == 0 {
            return Err(rules::required(field).into());
        }
        self.ids.get(&(kind, id)).copied().ok_or_else(|| {
            let message = format!("refers to the {kind} {id}, which the plugin does not show or which did not fit");
            Problem::new(Code::ReferenceNotFound, field, message).into()
        })
    }

    /// The references to NetBox that a row needs and that must be made for it.
    fn references<T>(&self, known: &Here, seen: &Seen<T>) -> Result<References> {
        let missing = |row: &&file::NetBoxCluster| !known.netbox_clusters.contains_key(&row.id);
        let cluster = seen.cluster.as_ref().filter(missing).cloned().map(import::netbox_cluster).transpose();
        let cluster = cluster.map_err(|error| error.within("netbox_cluster"))?;
        let missing = |row: &&file::NetBoxDevice| !known.netbox_devices.contains_key(&row.id);
        let device = seen.device.as_ref().filter(missing).cloned().map(import::netbox_device).transpose();
        Ok((cluster, device.map_err(|error| error.within("netbox_device"))?))
    }

    /// Finds the tags that the rows carry, or makes them, and counts them. A row is not left out for its tags.
    pub(super) fn tags<'a>(&mut self, tags: impl Iterator<Item = &'a file::Tag>, known: &Here) -> Counts {
        let mut found: BTreeMap<&str, &file::Tag> = BTreeMap::new();
        for tag in tags {
            found.entry(&tag.slug).or_insert(tag);
        }
        self.tags = known.tags.iter().map(|tag| (tag.slug.clone(), tag.id)).collect();
        let mut names = known.tags.iter().map(|tag| tag.name.clone()).collect::<HashSet<_>>();
        let by_id = known.tags.iter().map(|tag| (tag.id, tag)).collect::<HashMap<_, _>>();
        self.begin_ids(&known.tags, found.values().map(|tag| tag.id), known);
        let mut same = 0;
        for tag in found.values() {
            if self.tags.contains_key(&tag.slug) {
                same += 1;
                continue;
            }
            let place = Place { kind: Kind::Tag, id: Some(tag.id.into()), name: tag.name.clone() };
            let mut row = match import::tag((*tag).clone()) {
                Ok(row) => row,
                Err(error) => {
                    self.leave_out(place, problems(error));
                    continue;
                }
            };
            if !names.insert(row.name.clone()) {
                let message = "a tag with another slug has this name here";
                self.leave_out(place, vec![Problem::new(Code::Conflict, "name", message)]);
                continue;
            }
            row.id = self.place(&place, tag.id, by_id.get(&tag.id).copied());
            self.tags.insert(row.slug.clone(), row.id);
            self.new_tags.push(row);
        }
        Counts { read: found.len(), same, ..Counts::default() }
    }

    fn leave_out(&mut self, place: Place, problems: Vec<Problem>) {
        self.left_out.push(LeftOut { place, problems });
    }
}

fn renumber<M: Writable>(row: &mut M, id: i32) {
    if let Ok(column) = "id".parse::<<M::E as sea_orm::EntityTrait>::Column>() {
        row.set(column, id.into());
    }
}

fn problems(error: Error) -> Vec<Problem> {
    match error {
        Error::Input(problems) => problems,
        other => vec![Problem { code: Code::Invalid, path: Vec::new(), message: other.to_string() }],
    }
}
