//! The file format of `load` and `dump`: every row with its id and times, references by id, tags by id.
//! Keys are REST's names. What a file may leave out has a default; what nobody knows is refused.
use super::{Clock, change};
use crate::entity::{Origin, parse_time};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;

/// A whole file. References come before what refers to them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default, deserialize_with = "objects")]
    pub tags: Vec<Tag>,
    #[serde(default, deserialize_with = "objects")]
    pub netbox_clusters: Vec<NetBoxCluster>,
    #[serde(default, deserialize_with = "objects")]
    pub netbox_devices: Vec<NetBoxDevice>,
    #[serde(default, deserialize_with = "objects")]
    pub proxmox_endpoints: Vec<Endpoint>,
    #[serde(default, deserialize_with = "objects")]
    pub proxmox_clusters: Vec<Cluster>,
    #[serde(default, deserialize_with = "objects")]
    pub proxmox_nodes: Vec<Node>,
    #[serde(default, deserialize_with = "objects")]
    pub proxmox_storages: Vec<Storage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "objects")]
    pub link_decisions: Vec<LinkDecision>,
    #[serde(default, deserialize_with = "objects")]
    pub tokens: Vec<Token>,
    /// The sealed pepper of the digests; only with secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pepper: Option<String>,
    /// Where the ids of new rows start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_id: Option<i32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    pub id: i32,
    pub name: String,
    pub slug: String,
    pub color: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetBoxCluster {
    pub id: i32,
    pub name: String,
    pub display: String,
    #[serde(default = "manual")]
    pub origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub netbox_updated: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub missing_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: i32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetBoxDevice {
    pub id: i32,
    pub name: Option<String>,
    pub display: String,
    #[serde(default = "manual")]
    pub origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<Named>,
    /// NetBox's id of its cluster, which the file need not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_ip4: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_ip6: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub netbox_updated: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub missing_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: i32,
}

/// Another object of NetBox's, as far as it is named.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub id: i32,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// What was decided about a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkDecision {
    /// `proxmox_cluster` or `proxmox_node`.
    pub object_type: String,
    pub object: i32,
    /// NetBox's id of the other end, which the file need not hold.
    pub target: i32,
    pub decision: String,
    pub actor: String,
    #[serde(default = "now", with = "timestamp")]
    pub at: DateTime<Utc>,
}

impl NetBoxCluster {
    /// A reference of which no more than this is known.
    pub fn known(id: i32, name: String, display: String, origin: Origin) -> Self {
        Self {
            id,
            name,
            display,
            origin: origin.value().to_owned(),
            r#type: None,
            group: None,
            tenant: None,
            scope_type: None,
            scope: None,
            status: None,
            netbox_updated: None,
            missing_since: None,
            missed: 0,
        }
    }
}

impl NetBoxDevice {
    /// A reference of which no more than this is known.
    pub fn known(id: i32, name: Option<String>, display: String, origin: Origin) -> Self {
        Self {
            id,
            name,
            display,
            origin: origin.value().to_owned(),
            site: None,
            role: None,
            tenant: None,
            rack: None,
            cluster: None,
            serial: None,
            primary_ip4: None,
            primary_ip6: None,
            status: None,
            netbox_updated: None,
            missing_since: None,
            missed: 0,
        }
    }
}

/// A reference that a file brings along is kept by hand until a mirror takes it over.
fn manual() -> String {
    "manual".into()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub id: i32,
    pub name: String,
    pub domain: Option<String>,
    pub ip_address: Option<String>,
    #[serde(default = "port")]
    pub port: i32,
    pub mode: String,
    pub version: Option<String>,
    pub repoid: Option<String>,
    #[serde(default = "username")]
    pub username: String,
    /// In clear; read, never written.
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// In clear; read, never written.
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    pub token_value: Option<SecretString>,
    /// Only with secrets, and only of use under the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_password: Option<String>,
    /// Only with secrets, and only of use under the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_token_value: Option<String>,
    #[serde(default)]
    pub token_name: String,
    #[serde(default)]
    pub verify_ssl: bool,
    pub tls_fingerprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_interval: Option<i32>,
    #[serde(default)]
    pub tags: Vec<i32>,
    #[serde(default = "object")]
    pub custom_fields: Value,
    #[serde(default = "now", with = "timestamp")]
    pub created: DateTime<Utc>,
    #[serde(default = "now", with = "timestamp")]
    pub last_updated: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    pub id: i32,
    pub endpoint: i32,
    pub netbox_cluster: Option<i32>,
    pub name: String,
    #[serde(default)]
    pub cluster_id: String,
    pub mode: String,
    #[serde(default)]
    pub nodes_count: i32,
    #[serde(default)]
    pub quorate: bool,
    pub version: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_cluster: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub missing_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub stale: bool,
    #[serde(default)]
    pub tags: Vec<i32>,
    #[serde(default = "object")]
    pub custom_fields: Value,
    #[serde(default = "now", with = "timestamp")]
    pub created: DateTime<Utc>,
    #[serde(default = "now", with = "timestamp")]
    pub last_updated: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    pub id: i32,
    pub endpoint: i32,
    pub proxmox_cluster: Option<i32>,
    pub netbox_device: Option<i32>,
    pub name: String,
    pub node_id: Option<i32>,
    pub ip_address: Option<String>,
    #[serde(default)]
    pub online: bool,
    #[serde(default)]
    pub local: bool,
    pub cpu_usage: Option<f64>,
    pub max_cpu: Option<i32>,
    pub memory_usage: Option<i64>,
    pub max_memory: Option<i64>,
    #[serde(default)]
    pub ssl_fingerprint: String,
    #[serde(default)]
    pub support_level: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub metrics_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub missing_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub stale: bool,
    #[serde(default)]
    pub tags: Vec<i32>,
    #[serde(default = "object")]
    pub custom_fields: Value,
    #[serde(default = "now", with = "timestamp")]
    pub created: DateTime<Utc>,
    #[serde(default = "now", with = "timestamp")]
    pub last_updated: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    pub id: i32,
    pub cluster: i32,
    #[serde(default)]
    pub source: Option<i32>,
    pub name: String,
    pub storage_type: Option<String>,
    pub content: Option<String>,
    pub path: Option<String>,
    pub nodes: Option<String>,
    #[serde(default)]
    pub shared: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
    pub server: Option<String>,
    pub port: Option<i32>,
    pub username: Option<String>,
    pub export: Option<String>,
    pub share: Option<String>,
    pub pool: Option<String>,
    pub monhost: Option<String>,
    pub namespace: Option<String>,
    pub datastore: Option<String>,
    pub subdir: Option<String>,
    pub mountpoint: Option<String>,
    pub is_mountpoint: Option<String>,
    pub preallocation: Option<String>,
    pub format: Option<String>,
    pub prune_backups: Option<String>,
    pub max_protected_backups: Option<i32>,
    #[serde(default = "object")]
    pub raw_config: Value,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub missing_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub stale: bool,
    #[serde(default)]
    pub tags: Vec<i32>,
    #[serde(default = "object")]
    pub custom_fields: Value,
    #[serde(default = "now", with = "timestamp")]
    pub created: DateTime<Utc>,
    #[serde(default = "now", with = "timestamp")]
    pub last_updated: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub name: String,
    /// In clear; read, never written. A token without value and digest is listed but unusable.
    #[serde(default, skip_serializing, deserialize_with = "secret")]
    pub value: Option<SecretString>,
    /// The public half of a v2 token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Only with secrets, and only of use under the same pepper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(default = "yes")]
    pub write_enabled: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default, with = "optional_timestamp")]
    pub expires: Option<DateTime<Utc>>,
    #[serde(default)]
    pub allowed_ips: Vec<String>,
    #[serde(default)]
    pub permissions: Vec<Value>,
    #[serde(default = "now", with = "timestamp")]
    pub created: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_timestamp")]
    pub last_used: Option<DateTime<Utc>>,
}

/// A JSON object: what serde derives would also read a list, value by value in the order of the fields.
pub(super) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Object<T>>::deserialize(deserializer)?.into_iter().map(|object| object.0).collect())
}

fn port() -> i32 {
    8006
}

fn username() -> String {
    "root@pam".into()
}

fn yes() -> bool {
    true
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &i32) -> bool {
    *value == 0
}

fn object() -> Value {
    Value::Object(serde_json::Map::new())
}

fn now() -> DateTime<Utc> {
    Clock::now()
}

/// The library's own error would repeat a value of the wrong type, which here is a secret.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.into())),
        _ => Err(D::Error::custom("must be a text or null")),
    }
}

/// RFC 3339 with microseconds, which is what both databases keep.
mod timestamp {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&change::timestamp(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    pub(super) fn parse(text: &str) -> Result<DateTime<Utc>, &'static str> {
        parse_time(text).ok_or("not an RFC 3339 time of the years 1 to 9999")
    }
}

mod optional_timestamp {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(change::timestamp).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| timestamp::parse(&text)).transpose().map_err(D::Error::custom)
    }
}
