use super::{Object, named, text_of};
use crate::client::proxmox::scalar::{float, int};

/// An item of `GET /nodes`. Without `Sys.Audit` on the node, and of one that is offline, figures are absent.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeItem {
    pub node: String,
    /// `online`, `offline`, or `unknown`: no statistics yet.
    pub status: String,
    /// Used processors, as a part of all: 0–1.
    pub cpu: Option<f64>,
    /// Threads.
    pub maxcpu: Option<i64>,
    /// Bytes.
    pub mem: Option<i64>,
    /// Bytes.
    pub maxmem: Option<i64>,
    /// Bytes of the root file system.
    pub disk: Option<i64>,
    /// Bytes.
    pub maxdisk: Option<i64>,
    /// Seconds.
    pub uptime: Option<i64>,
    /// Of the subscription: empty, `c`, `b`, `s` or `p`.
    pub level: Option<String>,
    /// SHA-256 of the certificate that the node serves.
    pub ssl_fingerprint: Option<String>,
}

impl NodeItem {
    pub(in crate::client::proxmox) fn read(item: Object) -> Result<Self, &'static str> {
        let int = |key| int(item.get(key)?);
        Ok(Self {
            node: named(&item, "node")?,
            status: text_of(&item, "status").unwrap_or_else(|| "unknown".into()),
            cpu: item.get("cpu").and_then(float),
            maxcpu: int("maxcpu"),
            mem: int("mem"),
            maxmem: int("maxmem"),
            disk: int("disk"),
            maxdisk: int("maxdisk"),
            uptime: int("uptime"),
            level: text_of(&item, "level"),
            ssl_fingerprint: text_of(&item, "ssl_fingerprint"),
        })
    }
}
