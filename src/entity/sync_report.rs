//! What a run of sync says of itself: the JSON columns of its row, and those of its changes, as typed values.
//!
//! What is not understood is left out or told as [`ErrorClass::Internal`]: an old row must not make a list unreadable.
use super::{sync_change, sync_run};
use serde_json::Value;

/// The kinds of objects that a run looks for, each with a verdict of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    Cluster,
    Nodes,
    Storages,
}

/// Whether the answers about a kind of objects were complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    Partial,
    Failed,
}

/// What a run makes of the answers about one kind of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub kind: Observed,
    pub verdict: Completeness,
    /// Why it is not complete, for people.
    pub reason: String,
}

/// The classes of what can go wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    Dns,
    Connect,
    Address,
    TlsUntrusted,
    TlsFingerprintChanged,
    Auth,
    Permission,
    NotProxmox,
    Degraded,
    Timeout,
    Protocol,
    Partial,
    Internal,
}

/// Something that went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    pub class: ErrorClass,
    pub message: String,
    /// What was asked of Proxmox.
    pub path: Option<String>,
    /// The privilege that is missing in Proxmox.
    pub privilege: Option<String>,
}

/// A field of an object as it was and as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldStep {
    pub field: String,
    pub before: Value,
    pub after: Value,
}

/// What is counted of a run, in the order in which answers show it.
pub const COUNTS: [&str; 10] =
    ["created", "updated", "renamed", "moved", "missing", "stale", "returned", "deleted", "measured", "unchanged"];

impl Observed {
    /// All kinds with their names in the column.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Cluster, "cluster"), (Self::Nodes, "nodes"), (Self::Storages, "storages")];

    /// The name in the column.
    pub fn value(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl Completeness {
    /// All verdicts with their names in the column.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Complete, "complete"), (Self::Partial, "partial"), (Self::Failed, "failed")];

    /// The name in the column.
    pub fn value(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl ErrorClass {
    /// All classes with their names in the column.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Dns, "dns"),
        (Self::Connect, "connect"),
        (Self::Address, "address"),
        (Self::TlsUntrusted, "tls_untrusted"),
        (Self::TlsFingerprintChanged, "tls_fingerprint_changed"),
        (Self::Auth, "auth"),
        (Self::Permission, "permission"),
        (Self::NotProxmox, "not_proxmox"),
        (Self::Degraded, "degraded"),
        (Self::Timeout, "timeout"),
        (Self::Protocol, "protocol"),
        (Self::Partial, "partial"),
        (Self::Internal, "internal"),
    ];

    /// The name in the column.
    pub fn value(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The class of this name.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map_or(Self::Internal, |(class, _)| class)
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

impl sync_run::Model {
    /// The verdicts that are there: none before the run judges.
    pub fn judged(&self) -> Vec<Verdict> {
        let of = |(kind, name): (Observed, &str)| {
            let own = self.verdicts.0.get(name)?;
            let verdict = own.get("verdict").and_then(Value::as_str)?;
            let (verdict, _) = Completeness::ALL.into_iter().find(|(_, known)| *known == verdict)?;
            Some(Verdict { kind, verdict, reason: text(own, "reason").unwrap_or_default() })
        };
        Observed::ALL.into_iter().filter_map(of).collect()
    }

    /// How many rows the run did this with.
    pub fn counted(&self, what: &str) -> i64 {
        self.counts.0.get(what).and_then(Value::as_i64).unwrap_or(0)
    }

    /// What went wrong, in the order in which it did.
    pub fn failures(&self) -> Vec<RunError> {
        let of = |error: &Value| RunError {
            class: ErrorClass::parse(error.get("class").and_then(Value::as_str).unwrap_or_default()),
            message: text(error, "message").unwrap_or_default(),
            path: text(error, "path"),
            privilege: text(error, "privilege"),
        };
        self.errors.0.as_array().into_iter().flatten().map(of).collect()
    }

    /// What the operator should know besides.
    pub fn remarks(&self) -> Vec<&str> {
        self.notices.0.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

impl sync_change::Model {
    /// The fields that change, in the order in which they were noted.
    pub fn steps(&self) -> Vec<FieldStep> {
        let of = |(field, values): (&String, &Value)| {
            let value = |i: usize| values.get(i).cloned().unwrap_or_default();
            FieldStep { field: field.clone(), before: value(0), after: value(1) }
        };
        self.fields.0.as_object().into_iter().flatten().map(of).collect()
    }
}
