use super::{Object, named, text_of};
use crate::client::proxmox::scalar;

/// An item of `GET /storage`: a storage as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct StorageItem {
    pub storage: String,
    /// Its `type`, such as `nfs`; plugins bring their own.
    pub kind: Option<String>,
    /// The whole item in the order of its keys, `digest` included, which is that of the whole configuration.
    pub raw: Object,
}

impl StorageItem {
    pub(in crate::client::proxmox) fn read(raw: Object) -> Result<Self, &'static str> {
        Ok(Self { storage: named(&raw, "storage")?, kind: text_of(&raw, "type"), raw })
    }

    /// A text; numbers and booleans in their JSON form.
    pub fn text(&self, key: &str) -> Option<String> {
        text_of(&self.raw, key)
    }

    /// A flag: a boolean, 0 or 1, or a word such as `yes`.
    pub fn flag(&self, key: &str) -> Option<bool> {
        scalar::flag(self.raw.get(key)?)
    }

    /// A whole number of 64 bits, as such or as a text.
    pub fn int(&self, key: &str) -> Option<i64> {
        scalar::int(self.raw.get(key)?)
    }
}
