//! What Proxmox answers, typed. Of a list, what cannot be used is left out and told; it never spoils the rest.
mod certificate;
mod join;
mod node;
mod permissions;
mod status;
mod storage;
mod version;

pub use certificate::{Certificate, ca_uuid};
pub use join::{JoinInfo, JoinNode};
pub use node::NodeItem;
pub use permissions::Permissions;
pub use status::{ClusterItem, Status, StatusNode};
pub use storage::StorageItem;
pub use version::Version;

pub(super) use certificate::certificates;

use super::scalar::text;
use crate::client::body::has_nul;
use crate::client::failure::{Class, Failure, line};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// A JSON object, its keys in the order of the answer.
type Object = Map<String, Value>;

/// A list, and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Why items were left out, one line each.
    pub skipped: Vec<String>,
}

/// Reads each item of a list.
pub(super) fn listed<T>(data: Value, read: impl Fn(Object) -> Result<T, &'static str>) -> Result<Listed<T>, Failure> {
    let Value::Array(list) = data else { return Err(strange("a list", &data)) };
    let (mut items, mut skipped) = (Vec::new(), Vec::new());
    for (i, item) in list.into_iter().enumerate() {
        let name = label(&item);
        match object(item).and_then(&read) {
            Ok(item) => items.push(item),
            Err(why) => skipped.push(format!("item {}{name}: {why}", i + 1)),
        }
    }
    Ok(Listed { items, skipped })
}

/// An item that is an object without NUL. Such an item is left out as a whole, since PostgreSQL cannot store it, and
/// without the NUL it might have the name of another one.
fn object(item: Value) -> Result<Object, &'static str> {
    match item {
        _ if has_nul(&item) => Err("it has null characters"),
        Value::Object(object) => Ok(object),
        _ => Err("it is no object"),
    }
}

/// What an item calls itself, for whoever looks for it.
fn label(item: &Value) -> String {
    let name = ["name", "node", "storage"].iter().find_map(|key| item.get(key)?.as_str());
    name.map_or_else(String::new, |name| format!(" ({})", line(name, 60)))
}

/// The name of an item, without which it is nothing.
fn named(item: &Object, key: &str) -> Result<String, &'static str> {
    match item.get(key) {
        Some(Value::String(name)) if !name.trim().is_empty() => Ok(name.clone()),
        Some(_) => Err("its name is no text"),
        None => Err("it has no name"),
    }
}

/// A text of an item; none if it is absent, null or something else.
fn text_of(item: &Object, key: &str) -> Option<String> {
    text(item.get(key)?)
}

/// An address in canonical form; none if it is none.
fn address_of(item: &Object, key: &str) -> Option<String> {
    let address = text_of(item, key)?;
    let address = address.trim().trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok()?;
    Some(address.to_canonical().to_string())
}

/// The failure of an answer that is something else than it should be.
fn strange(expected: &str, found: &Value) -> Failure {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Failure::new(Class::Protocol, format!("the answer's data is {found} where {expected} is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// JSON in which the keys that are read are frequent, with values of every sort.
    fn any_json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            "(cluster|node|0|1|yes|-?[0-9]{1,25}|10\\.0\\.0\\.1)".prop_map(Value::from),
        ];
        let key = "(name|node|storage|type|ip|nodeid|online|cpu|mem|version|release|nodelist|pve_addr|subject|.{0,3})";
        scalar.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(data in any_json()) {
            let _ = (Version::read(data.clone()), Permissions::read(&data), Status::read(data.clone()));
            let _ = (JoinInfo::read(data.clone()), certificates(data.clone()), listed(data.clone(), NodeItem::read));
            if let Ok(storages) = listed(data.clone(), StorageItem::read) {
                let items = data.as_array().map_or(0, Vec::len);
                prop_assert_eq!(storages.items.len() + storages.skipped.len(), items);
                prop_assert!(storages.items.iter().all(|storage| !storage.storage.contains('\0')));
            }
        }
    }

    #[test]
    fn addresses() {
        let item = |ip: Value| json!({"ip": ip}).as_object().cloned().unwrap_or_default();
        for (given, expected) in [
            (json!("10.0.0.1"), Some("10.0.0.1")),
            (json!(" [2001:DB8::1] "), Some("2001:db8::1")),
            (json!("::ffff:10.0.0.1"), Some("10.0.0.1")),
            (json!("fe80::1%eth0"), None),
            (json!("pve1"), None),
            (json!(10), None),
            (json!(null), None),
        ] {
            assert_eq!(address_of(&item(given.clone()), "ip").as_deref(), expected, "{given}");
        }
    }
}
