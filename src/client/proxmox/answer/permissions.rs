use super::strange;
use crate::client::failure::Failure;
use crate::client::proxmox::scalar::flag;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Paths that Proxmox always reports on, unless one may do nothing there.
const ALWAYS: [&str; 7] = ["/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];

/// `GET /access/permissions`: what the credentials may, as far as the access lists name paths. A list that gives nothing
/// (`NoAccess`) at a path of its own is not told: the path is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permissions {
    /// Privileges by path; of each, whether it holds below the path too.
    paths: BTreeMap<String, HashMap<String, bool>>,
}

impl Permissions {
    pub(in crate::client::proxmox) fn read(data: &Value) -> Result<Self, Failure> {
        let paths = data.as_object().ok_or_else(|| strange("an object", data))?;
        let privileges = |value: &Value| {
            let given = value.as_object().into_iter().flatten();
            // What cannot be read holds at the path and nowhere else.
            given.map(|(name, below)| (name.clone(), flag(below).unwrap_or(false))).collect()
        };
        Ok(Self { paths: paths.iter().map(|(path, value)| (trimmed(path).to_owned(), privileges(value))).collect() })
    }

    /// Whether a privilege holds at a path.
    pub fn allows(&self, path: &str, privilege: &str) -> bool {
        self.at(trimmed(path), privilege).is_some()
    }

    /// Whether a privilege holds at a path and everywhere below it.
    pub fn propagates(&self, path: &str, privilege: &str) -> bool {
        let path = trimmed(path);
        let below = self.paths.keys().filter(|other| is_below(other, path));
        self.at(path, privilege) == Some(true) && below.into_iter().all(|below| self.at(below, privilege).is_some())
    }

    /// None if the privilege does not hold at a path, else whether it does below it too.
    fn at(&self, path: &str, privilege: &str) -> Option<bool> {
        if let Some(privileges) = self.paths.get(path) {
            return privileges.get(privilege).copied();
        }
        // Where others of its kind are told, silence about this one means nothing.
        if ALWAYS.contains(&path) && ALWAYS.iter().any(|path| self.paths.contains_key(*path)) {
            return None;
        }
        self.at(parent(path)?, privilege).filter(|below| *below)
    }
}

/// `/storage/` is `/storage`.
fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        ("", "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

fn is_below(path: &str, above: &str) -> bool {
    path != above && (above == "/" || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn permissions(data: Value) -> Permissions {
        Permissions::read(&data).expect("permissions")
    }

    #[test]
    fn privileges_hold_below_where_they_propagate() {
        let all = permissions(json!({"/": {"Sys.Audit": 1, "Datastore.Audit": "1", "VM.Audit": 0}}));
        assert!(all.allows("/", "Sys.Audit") && all.propagates("/", "Sys.Audit"));
        assert!(all.allows("/storage", "Datastore.Audit") && all.propagates("/storage/x", "Datastore.Audit"));
        assert!(all.allows("/", "VM.Audit") && !all.propagates("/", "VM.Audit") && !all.allows("/vms", "VM.Audit"));
        assert!(!all.allows("/", "Sys.Modify") && !all.allows("relative", "Sys.Audit"));
    }

    #[test]
    fn a_path_of_its_own_goes_before_what_is_above() {
        let some = permissions(json!({
            "/": {"Datastore.Audit": 1}, "/storage": {"Datastore.Audit": 1}, "/storage/x": {"Datastore.AllocateSpace": 1}
        }));
        assert!(some.allows("/storage", "Datastore.Audit") && some.allows("/storage/y", "Datastore.Audit"));
        assert!(!some.allows("/storage/x", "Datastore.Audit") && !some.allows("/storage/x/y", "Datastore.Audit"));
        assert!(!some.propagates("/storage", "Datastore.Audit") && !some.propagates("/", "Datastore.Audit"));
        assert!(some.propagates("/storage/y", "Datastore.Audit"));
        let exact = permissions(json!({"/storage": {"A": 0}, "/storage-x": {}}));
        assert!(
            exact.allows("/storage", "A") && !exact.allows("/storage/x", "A") && !exact.propagates("/storage", "A")
        );
    }

    #[test]
    fn silence_about_a_path_that_is_always_told_means_nothing() {
        let hidden = permissions(json!({"/": {"Datastore.Audit": 1}, "/nodes": {"Datastore.Audit": 1}}));
        assert!(!hidden.allows("/storage", "Datastore.Audit") && !hidden.allows("/storage/local", "Datastore.Audit"));
        assert!(hidden.allows("/nodes/pve1", "Datastore.Audit"));
        assert!(!permissions(json!({})).allows("/", "Sys.Audit"));
        assert!(Permissions::read(&json!([])).is_err() && Permissions::read(&json!(null)).is_err());
        assert!(!permissions(json!({"/": 1, "/nodes": null})).allows("/", "Sys.Audit"));
    }
}
