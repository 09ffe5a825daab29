//! What NetBox answers, typed. What is missing or of another form is absent; only what an object cannot be without makes
//! its row odd.
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An object that another one refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: i32,
    pub name: String,
    pub slug: Option<String>,
}

/// A cluster of virtual machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub id: i32,
    /// Unique in its group and in its site only.
    pub name: String,
    pub display: String,
    /// Its `type`.
    pub kind: Option<Named>,
    pub group: Option<Named>,
    pub tenant: Option<Named>,
    /// The value for programs, such as `active`.
    pub status: Option<String>,
    /// What its scope is, such as `dcim.site`.
    pub scope_type: Option<String>,
    pub scope: Option<Named>,
    pub last_updated: Option<DateTime<Utc>>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: i32,
    /// Not every device has one.
    pub name: Option<String>,
    pub display: String,
    pub site: Option<Named>,
    pub role: Option<Named>,
    pub tenant: Option<Named>,
    pub rack: Option<Named>,
    pub cluster_id: Option<i32>,
    /// The value for programs, such as `active`.
    pub status: Option<String>,
    /// Empty if there is none.
    pub serial: String,
    /// In its canonical form, without the length of a prefix.
    pub primary_ip4: Option<String>,
    /// In its canonical form, without the length of a prefix.
    pub primary_ip6: Option<String>,
    pub last_updated: Option<DateTime<Utc>>,
}

/// An object of which only the id was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    pub id: i32,
}

impl Cluster {
    pub(super) fn read(row: Value) -> Result<Self, String> {
        let id = id(&row)?;
        let name = text(&row, "name").ok_or("it has no name")?;
        // Before NetBox 4.2 a cluster had a site at most.
        let (scope_type, scope) = match (text(&row, "scope_type"), named(&row, "site")) {
            (None, Some(site)) => (Some("dcim.site".to_owned()), Some(site)),
            (kind, _) => (kind, named(&row, "scope")),
        };
        Ok(Self {
            id,
            display: text(&row, "display").unwrap_or_else(|| name.clone()),
            name,
            kind: named(&row, "type"),
            group: named(&row, "group"),
            tenant: named(&row, "tenant"),
            status: status(&row),
            scope_type,
            scope,
            last_updated: last_updated(&row),
        })
    }
}

impl Device {
    pub(super) fn read(row: Value) -> Result<Self, String> {
        let id = id(&row)?;
        let name = text(&row, "name");
        let display = text(&row, "display").or_else(|| name.clone()).unwrap_or_else(|| format!("Device {id}"));
        Ok(Self {
            id,
            name,
            display,
            site: named(&row, "site"),
            role: named(&row, "role").or_else(|| named(&row, "device_role")),
            tenant: named(&row, "tenant"),
            rack: named(&row, "rack"),
            cluster_id: row.get("cluster").and_then(|cluster| known(cluster.get("id").unwrap_or(cluster))),
            status: status(&row),
            serial: text(&row, "serial").unwrap_or_default(),
            primary_ip4: address::<Ipv4Addr>(&row, "primary_ip4"),
            primary_ip6: address::<Ipv6Addr>(&row, "primary_ip6"),
            last_updated: last_updated(&row),
        })
    }
}

impl Id {
    pub(super) fn read(row: Value) -> Result<Self, String> {
        Ok(Self { id: id(&row)? })
    }
}

fn id(row: &Value) -> Result<i32, String> {
    let id = row.get("id").ok_or("it has no id")?;
    known(id).ok_or_else(|| format!("its id is {id}, which is none"))
}

/// A number that may be an id.
fn known(id: &Value) -> Option<i32> {
    id.as_i64().and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0)
}

/// A text that is not empty.
fn text(row: &Value, key: &str) -> Option<String> {
    row.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn named(row: &Value, key: &str) -> Option<Named> {
    let object = row.get(key)?;
    let name = text(object, "name").or_else(|| text(object, "display"))?;
    Some(Named { id: known(object.get("id")?)?, name, slug: text(object, "slug") })
}

/// `{"value": …, "label": …}`, or the value alone.
fn status(row: &Value) -> Option<String> {
    text(row, "status").or_else(|| text(row.get("status")?, "value"))
}

/// `{"address": "10.0.0.1/24", …}`, or the address alone.
fn address<T: FromStr + ToString>(row: &Value, key: &str) -> Option<String> {
    let text = text(row, key).or_else(|| text(row.get(key)?, "address"))?;
    let address = text.split('/').next().unwrap_or_default().trim().parse::<T>().ok()?;
    Some(address.to_string())
}

fn last_updated(row: &Value) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(row.get("last_updated")?.as_str()?).ok()?;
    Some(time.with_timezone(&Utc))
}
