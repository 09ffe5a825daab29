//! A row that is on both sides: whose values count, and which differ and stay.
use super::adopt::{Adopted, Pair};
use super::field::{Owner, owner};
use super::report::Difference;
use crate::entity::JsonText;
use crate::service::change::{document, reference_name};
use crate::service::import::{Step, Tags};
use crate::service::last_updated;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{EntityTrait, IdenStatic, Iterable};
use serde_json::{Map, Value, json};
use std::cell::OnceCell;

/// What becomes of a row.
#[derive(Debug)]
pub(super) struct Merged<M> {
    /// None if there is nothing to write.
    pub(super) step: Option<Step<M>>,
    /// Values of the plugin's that are not taken.
    pub(super) conflicts: Vec<Difference>,
}

/// Makes of a new row what the plugin says, and fills in one that is here.
pub(super) fn merge<M: Adopted>(pair: &Pair<M>, tags_here: Tags, now: DateTime<Utc>) -> Merged<M> {
    let Some(here) = &pair.here else {
        let step = Step { before: None, after: pair.there.clone(), tags_before: Tags::new(), tags: pair.tags.clone() };
        return Merged { step: Some(step), conflicts: Vec::new() };
    };
    let mut filling = Filling::new(here, &pair.there);
    for column in <M::E as EntityTrait>::Column::iter() {
        filling.column(column);
    }
    filling.tags(&tags_here, &pair.tags);
    filling.end(tags_here, now)
}

struct Filling<'a, M> {
    there: &'a M,
    here: &'a M,
    /// Both sides as documents: there the order of JSON's keys does not matter. Most rows never need them.
    documents: OnceCell<[Value; 2]>,
    newer: bool,
    newer_figures: bool,
    after: M,
    tags: Option<Tags>,
    /// Whether anything but figures changes.
    lasting: bool,
    conflicts: Vec<Difference>,
}

impl<'a, M: Adopted> Filling<'a, M> {
    fn new(here: &'a M, there: &'a M) -> Self {
        let (told, known) = (last_updated(there), last_updated(here));
        let measured = "metrics_at".parse::<<M::E as EntityTrait>::Column>().ok().map(|column| here.get(column));
        let measured = match measured {
            Some(sea_orm::Value::ChronoDateTimeUtc(time)) => time,
            _ => None,
        };
        Self {
            there,
            here,
            documents: OnceCell::new(),
            newer: told > known,
            newer_figures: told > known && told > measured,
            after: here.clone(),
            tags: None,
            lasting: false,
            conflicts: Vec::new(),
        }
    }

    fn column(&mut self, column: <M::E as EntityTrait>::Column) {
        if self.there.get(column) == self.here.get(column) {
            return;
        }
        let name = reference_name(M::KIND, column.as_str());
        let [there, here] = self.documents.get_or_init(|| [document(self.there, &[]), document(self.here, &[])]);
        let (there, here) = (there[name].clone(), here[name].clone());
        if there == here {
            return;
        }
        match owner(M::KIND, column.as_str()) {
            Owner::Observed if self.newer => self.take(column, true),
            Owner::Figure if self.newer_figures => self.take(column, false),
            Owner::Link if here.is_null() => self.take(column, true),
            Owner::Link | Owner::Way if !is_empty(&there) => self.conflict(name, there, here),
            Owner::Custom => self.custom(column, name, &there, here),
            _ => {}
        }
    }

    fn take(&mut self, column: <M::E as EntityTrait>::Column, lasting: bool) {
        self.after.set(column, self.there.get(column));
        self.lasting |= lasting;
    }

    /// Keys that have no value here get the plugin's.
    fn custom(&mut self, column: <M::E as EntityTrait>::Column, name: &str, there: &Value, here: Value) {
        let Value::Object(before) = here else { return };
        let mut after = before.clone();
        for (key, told) in there.as_object().into_iter().flatten() {
            match before.get(key) {
                None => drop(after.insert(key.clone(), told.clone())),
                Some(Value::Null) if !told.is_null() => drop(after.insert(key.clone(), told.clone())),
                Some(known) if known != told && !told.is_null() => {
                    self.conflict(&format!("{name}.{key}"), told.clone(), known.clone());
                }
                Some(_) => {}
            }
        }
        if after != before {
            self.after.set(column, JsonText(Value::Object(after)).into());
            self.lasting = true;
        }
    }

    fn tags(&mut self, here: &Tags, there: &Tags) {
        if there.keys().all(|slug| here.contains_key(slug)) {
            return;
        }
        if here.is_empty() {
            self.tags = Some(there.clone());
            self.lasting = true;
        } else {
            self.conflict("tags", slugs(there), slugs(here));
        }
    }

    fn conflict(&mut self, field: &str, there: Value, here: Value) {
        self.conflicts.push(Difference { field: field.to_owned(), there, here });
    }

    fn end(mut self, tags_here: Tags, now: DateTime<Utc>) -> Merged<M> {
        if self.lasting {
            let time = if self.newer { last_updated(self.there) } else { None };
            stamp(&mut self.after, time.unwrap_or(now));
        }
        let changed = self.after != *self.here || self.tags.is_some();
        let step = changed.then(|| Step {
            before: Some(self.here.clone()),
            after: self.after,
            tags: self.tags.unwrap_or_else(|| tags_here.clone()),
            tags_before: tags_here,
        });
        Merged { step, conflicts: self.conflicts }
    }
}

/// Gives a row this time, or one that is later than its own.
pub(super) fn stamp<M: Adopted>(row: &mut M, time: DateTime<Utc>) {
    let Some(known) = last_updated(row) else { return };
    if let Ok(column) = "last_updated".parse::<<M::E as EntityTrait>::Column>() {
        row.set(column, time.max(known + TimeDelta::microseconds(1)).into());
    }
}

/// In what a row differs.
pub(super) fn differences<M: Adopted>(
    pair: &Pair<M>,
    tags_here: &Tags,
    counts: impl Fn(Owner) -> bool,
) -> Vec<Difference> {
    let Some(here) = &pair.here else { return Vec::new() };
    let documents = OnceCell::new();
    let mut found = Vec::new();
    for column in <M::E as EntityTrait>::Column::iter() {
        let owner = owner(M::KIND, column.as_str());
        let same = match (owner, pair.place.id) {
            (Owner::Id, Some(id)) => i64::from(here.id()) == id,
            _ => pair.there.get(column) == here.get(column),
        };
        if same || !counts(owner) {
            continue;
        }
        let name = reference_name(M::KIND, column.as_str());
        let [there, here] = documents.get_or_init(|| [document(&pair.there, &[]), document(here, &[])]);
        let there = match (owner, pair.place.id) {
            (Owner::Id, Some(id)) => json!(id),
            _ => there[name].clone(),
        };
        let here = here[name].clone();
        if there == here {
            continue;
        }
        match (owner, &there, &here) {
            (Owner::Custom, Value::Object(there), Value::Object(here)) => found.extend(by_key(name, there, here)),
            _ => found.push(Difference { field: name.to_owned(), there, here }),
        }
    }
    if pair.tags.keys().ne(tags_here.keys()) {
        found.push(Difference { field: "tags".into(), there: slugs(&pair.tags), here: slugs(tags_here) });
    }
    found
}

fn by_key(name: &str, there: &Map<String, Value>, here: &Map<String, Value>) -> Vec<Difference> {
    let others = here.keys().filter(|key| !there.contains_key(*key));
    let of = |object: &Map<String, Value>, key: &String| object.get(key).cloned().unwrap_or_default();
    let pairs = there.keys().chain(others).map(|key| (key, of(there, key), of(here, key)));
    let unlike = pairs.filter(|(_, there, here)| there != here);
    unlike.map(|(key, there, here)| Difference { field: format!("{name}.{key}"), there, here }).collect()
}

fn slugs(tags: &Tags) -> Value {
    json!(tags.keys().collect::<Vec<_>>())
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str().is_some_and(str::is_empty)
}
