//! From rows to answers: an object's document, with the objects that it refers to.
use super::field::{Field, Spec, Type};
use super::resource::Resource;
use crate::db::Db;
use crate::entity::{Kind, Mode, Resource as Entity, cluster, endpoint, netbox_cluster, netbox_device, tag};
use crate::error::{Error, Result};
use crate::filter::View;
use crate::service::read;
use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use sea_orm::{EntityTrait, FromQueryResult};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Which fields an answer shows, in the order of the table.
#[derive(Clone, Debug)]
pub struct Shape(pub Vec<&'static Field>);

impl Shape {
    /// All of them.
    pub fn whole(spec: &Spec) -> Self {
        Self(spec.fields.iter().filter(|field| field.is_shown()).collect())
    }

    /// The JSON columns that nobody looks at, which are long to read.
    pub fn unread(&self, spec: &Spec) -> Vec<&'static str> {
        let json = spec.fields.iter().filter(|field| matches!(field.ty, Type::Json | Type::CustomFields));
        json.map(|field| field.name).filter(|name| !self.0.iter().any(|shown| shown.name == *name)).collect()
    }

    fn has(&self, wanted: impl Fn(Type) -> bool) -> bool {
        self.0.iter().any(|field| wanted(field.ty))
    }
}

/// An object that another one refers to: REST shows it whoever asks.
#[derive(Clone, Debug)]
struct Named {
    display: String,
    name: Option<String>,
}

/// The objects that some rows refer to.
#[derive(Debug, Default)]
pub struct Related {
    named: HashMap<(Kind, i32), Named>,
    tags: HashMap<i32, Vec<Arc<tag::Model>>>,
}

impl Related {
    /// What the shape shows of the objects around these rows: one statement a kind.
    pub async fn load<M: Resource>(db: &Db, shape: &Shape, rows: &[Arc<M>]) -> Result<Self> {
        let mut found = Self::default();
        for field in &shape.0 {
            if let Type::Reference(kind) = field.ty {
                let mut ids = rows.iter().filter_map(|row| row.reference(field.name)).collect::<Vec<_>>();
                ids.sort_unstable();
                ids.dedup();
                found.load_named(db, kind, &ids).await?;
            }
        }
        if shape.has(|ty| ty == Type::Tags) {
            let ids = rows.iter().map(|row| row.id()).collect::<Vec<_>>();
            found.tags = read::tags_of(db, &View::everything(), M::KIND, &ids).await?;
        }
        Ok(found)
    }

    async fn load_named(&mut self, db: &Db, kind: Kind, ids: &[i32]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        match kind {
            Kind::Endpoint => self.load_of::<endpoint::Entity>(db, ids, |row| Some(row.name.clone())).await,
            Kind::Cluster => self.load_of::<cluster::Entity>(db, ids, |row| Some(row.name.clone())).await,
            Kind::NetBoxCluster => self.load_of::<netbox_cluster::Entity>(db, ids, |row| Some(row.name.clone())).await,
            Kind::NetBoxDevice => self.load_of::<netbox_device::Entity>(db, ids, |row| row.name.clone()).await,
            // Nothing refers to these.
            Kind::Node | Kind::Storage | Kind::Tag => Ok(()),
        }
    }

    async fn load_of<E>(&mut self, db: &Db, ids: &[i32], name: fn(&E::Model) -> Option<String>) -> Result<()>
    where
        E: EntityTrait,
        E::Model: Entity + FromQueryResult,
    {
        for (id, row) in read::by_ids::<E>(db, &View::everything(), ids).await? {
            self.named.insert((E::Model::KIND, id), Named { display: row.display(), name: name(&row) });
        }
        Ok(())
    }
}

/// Objects of a kind as others show them, by id; those that are gone are missing.
pub async fn nested(db: &Db, base: &str, kind: Kind, ids: &[i32]) -> Result<HashMap<i32, Value>> {
    let mut related = Related::default();
    related.load_named(db, kind, ids).await?;
    let there = ids.iter().filter(|id| related.named.contains_key(&(kind, **id)));
    let show = |id: &i32| {
        let nested = Nested { kind, id: *id, related: &related, base };
        let value = serde_json::to_value(&nested);
        Ok((*id, value.map_err(|error| Error::Internal(format!("an answer is no JSON: {error}")))?))
    };
    there.map(show).collect()
}

/// An object as answers show it.
#[derive(Debug)]
pub struct Document<'a, M> {
    pub row: &'a M,
    pub shape: &'a Shape,
    pub related: &'a Related,
    /// The front of all URLs.
    pub base: &'a str,
}

/// The address of an object.
pub fn url(base: &str, kind: Kind, id: i32) -> String {
    format!("{base}{}{id}/", kind.rest_path())
}

impl<M: Resource> Serialize for Document<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { row, shape, related, base } = self;
        let mut map = serializer.serialize_map(Some(shape.0.len()))?;
        for field in &shape.0 {
            match field.ty {
                Type::Id => map.serialize_entry(field.name, &row.id())?,
                Type::Url => map.serialize_entry(field.name, &url(base, M::KIND, row.id()))?,
                Type::Display => map.serialize_entry(field.name, &row.display())?,
                Type::Reference(kind) => {
                    let nested = row.reference(field.name).map(|id| Nested { kind, id, related, base });
                    map.serialize_entry(field.name, &nested)?;
                }
                Type::Tags => {
                    let tags = related.tags.get(&row.id()).map_or(&[][..], Vec::as_slice);
                    map.serialize_entry(field.name, &Tags { tags, base })?;
                }
                _ => row.write(field.name, &mut map)?,
            }
        }
        map.end()
    }
}

/// A nested object has exactly four keys.
struct Nested<'a> {
    kind: Kind,
    id: i32,
    related: &'a Related,
    base: &'a str,
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Gone between two statements: there is nothing to show but that it was there.
        let named = self.related.named.get(&(self.kind, self.id));
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("url", &url(self.base, self.kind, self.id))?;
        map.serialize_entry("display", named.map_or("", |named| named.display.as_str()))?;
        map.serialize_entry("name", &named.and_then(|named| named.name.as_deref()))?;
        map.end()
    }
}

struct Tags<'a> {
    tags: &'a [Arc<tag::Model>],
    base: &'a str,
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.tags.len()))?;
        for tag in self.tags {
            list.serialize_element(&NestedTag { tag, base: self.base })?;
        }
        list.end()
    }
}

struct NestedTag<'a> {
    tag: &'a tag::Model,
    base: &'a str,
}

impl Serialize for NestedTag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("id", &self.tag.id)?;
        map.serialize_entry("url", &url(self.base, Kind::Tag, self.tag.id))?;
        map.serialize_entry("display", &self.tag.name)?;
        map.serialize_entry("name", &self.tag.name)?;
        map.serialize_entry("slug", &self.tag.slug)?;
        map.serialize_entry("color", &self.tag.color)?;
        map.end()
    }
}

/// A mode as answers show it.
pub struct Choice(pub Mode);

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("value", self.0.value())?;
        map.serialize_entry("label", self.0.label())?;
        map.end()
    }
}

/// A time as the plugin shows it: microseconds only when they are not zero.
pub fn time(time: DateTime<Utc>) -> String {
    let precision = if time.nanosecond() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.to_rfc3339_opts(precision, true)
}
