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

use super::scalar::{has_nul, text};
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
