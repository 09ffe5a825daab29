use super::{Object, text_of};
use crate::client::body::has_nul;
use crate::client::failure::{Class, Failure};
use serde_json::Value;

/// `GET /version`.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Of the package pve-manager, such as `8.4.14` or `7.4-20`.
    pub version: String,
    /// Major and minor; none if they cannot be read.
    pub release: Option<(u32, u32)>,
    pub repoid: Option<String>,
    /// What else was said.
    pub rest: Object,
}

impl Version {
    /// Something that tells no version is no Proxmox; one that tells a strange version is.
    pub(in crate::client::proxmox) fn read(data: Value) -> Result<Self, Failure> {
        let other = || Failure::new(Class::NotProxmox, "the answer tells no version of Proxmox VE");
        let Value::Object(mut rest) = data else { return Err(other()) };
        let version = text_of(&rest, "version").ok_or_else(other)?;
        let release = text_of(&rest, "release").and_then(|release| release_of(&release));
        let repoid = text_of(&rest, "repoid");
        rest.retain(|key, value| !["version", "release", "repoid"].contains(&key.as_str()) && !has_nul(value));
        rest.retain(|key, _| !key.contains('\0'));
        Ok(Self { release: release.or_else(|| release_of(&version)), version, repoid, rest })
    }
}

/// The first two numbers of `8.4`, `8.4.14` or `7.4-20`.
fn release_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split(['.', '-', '~', '+']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strange_versions_are_unknown_and_none_is_no_proxmox() {
        for (data, release) in [
            (json!({"version": "8.4.14", "release": "8.4", "repoid": "b502"}), Some((8, 4))),
            (json!({"version": "7.4-20", "release": "7.4"}), Some((7, 4))),
            (json!({"version": "9.1.9"}), Some((9, 1))),
            (json!({"version": 8.4, "release": null}), Some((8, 4))),
            (json!({"version": "unstable", "release": "sid"}), None),
            (json!({"version": "9", "release": "99999999999.1"}), None),
        ] {
            assert_eq!(Version::read(data.clone()).expect("a version").release, release, "{data}");
        }
        for other in [json!(null), json!([]), json!({}), json!({"version": null}), json!({"release": "8.4"})] {
            assert_eq!(Version::read(other.clone()).expect_err("no version").class, Class::NotProxmox, "{other}");
        }
        let version =
            Version::read(json!({"version": "1", "console": "html5", "a\0": 1, "b": "\0"})).expect("a version");
        assert_eq!(version.rest.keys().collect::<Vec<_>>(), ["console"]);
    }
}
