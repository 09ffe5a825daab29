//! What a run says of itself.
use crate::entity::sync_report::{self, Completeness, ErrorClass, Observed, RunError, Verdict};
use crate::entity::{RunStage, RunState, StepAction, sync_run};
use crate::graphql::connection::int;
use async_graphql::{Enum, SimpleObject};

/// How a run of sync stands or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "RunState")]
pub enum SyncRunState {
    /// Waits for its turn.
    Queued,
    /// Is at it.
    Running,
    /// Saw everything that it wanted to see.
    Succeeded,
    /// Saw a part, and changed nothing of the rest.
    Partial,
    /// Another endpoint of the same cluster told everything; of this one only the version was asked.
    Standby,
    /// Saw nothing that could be used, and changed nothing.
    Failed,
    /// Its process ended, or lost the endpoint to another one.
    Interrupted,
}

/// The stages of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "RunStage")]
pub enum SyncStage {
    /// Proxmox is asked.
    Observe,
    /// It is decided what may be believed of the answers.
    Judge,
    /// The answers are compared with what is held here.
    Diff,
    /// What differs is written.
    Apply,
    /// The run is written down.
    Report,
}

/// The kinds of objects that a run looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Observed")]
pub enum SyncVerdictKind {
    /// The cluster, or the standalone host as one.
    Cluster,
    /// The nodes.
    Nodes,
    /// The storages.
    Storages,
}

/// Whether the answers about a kind of objects were complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Completeness")]
pub enum SyncCompleteness {
    /// Everything was told: what is lacking is missing.
    Complete,
    /// A part was told: what is lacking says nothing.
    Partial,
    /// Nothing was told.
    Failed,
}

/// What a run makes of the answers about one kind of objects.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncVerdict {
    /// The kind of objects.
    kind: SyncVerdictKind,
    /// Whether the answers about them were complete.
    verdict: SyncCompleteness,
    /// Why they were not, for people; empty when they were.
    reason: String,
}

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ErrorClass")]
pub enum SyncErrorClass {
    /// The domain name of the endpoint leads to no address.
    Dns,
    /// Nobody answers there.
    Connect,
    /// The address is one that must not be contacted.
    Address,
    /// The certificate is of nobody who is trusted.
    TlsUntrusted,
    /// The certificate is not the one that was accepted.
    TlsFingerprintChanged,
    /// Proxmox refused the credentials.
    Auth,
    /// The user lacks a privilege in Proxmox.
    Permission,
    /// Whoever answers there is not Proxmox VE.
    NotProxmox,
    /// Proxmox is not whole: without a quorum, or with a service that is down.
    Degraded,
    /// The answer took too long.
    Timeout,
    /// The answer was no valid one.
    Protocol,
    /// The answer was not complete.
    Partial,
    /// This server failed; its log tells more.
    Internal,
}

/// Something that went wrong in a run.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncError {
    /// What went wrong, for programs.
    class: SyncErrorClass,
    /// What went wrong, for people.
    message: String,
    /// What was asked of Proxmox, e.g. `/cluster/status`; null when it was nothing in particular.
    path: Option<String>,
    /// The privilege that is missing in Proxmox, e.g. `Sys.Audit`; null when it is not about one.
    privilege: Option<String>,
}

/// What sync does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "StepAction")]
pub enum SyncAction {
    /// It is new.
    Created,
    /// Some of its fields changed.
    Updated,
    /// It is the same object under another name.
    Renamed,
    /// Another NetBox cluster holds it.
    Moved,
    /// A complete answer lacked it, for the first time.
    Missing,
    /// It was missing for so long that it counts as gone.
    Stale,
    /// It was missing, and is there again.
    Returned,
    /// It is deleted.
    Deleted,
}

/// How many objects a run did what with.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncCounts {
    /// Objects that are new.
    created: i32,
    /// Objects with fields that changed.
    updated: i32,
    /// Objects that got another name.
    renamed: i32,
    /// Storages that another NetBox cluster holds now.
    moved: i32,
    /// Objects that a complete answer lacked for the first time.
    missing: i32,
    /// Objects that count as gone from now on.
    stale: i32,
    /// Objects that were missing and are there again.
    returned: i32,
    /// Objects that were deleted.
    deleted: i32,
    /// Nodes whose volatile figures (CPU, memory) were read anew.
    measured: i32,
    /// Objects that are as they were.
    unchanged: i32,
}

impl From<Verdict> for SyncVerdict {
    fn from(Verdict { kind, verdict, reason }: Verdict) -> Self {
        Self { kind: kind.into(), verdict: verdict.into(), reason }
    }
}

impl From<RunError> for SyncError {
    fn from(RunError { class, message, path, privilege }: RunError) -> Self {
        Self { class: class.into(), message, path, privilege }
    }
}

impl From<&sync_run::Model> for SyncCounts {
    fn from(run: &sync_run::Model) -> Self {
        let [created, updated, renamed, moved, missing, stale, returned, deleted, measured, unchanged] =
            sync_report::COUNTS.map(|what| int(run.counted(what)));
        Self { created, updated, renamed, moved, missing, stale, returned, deleted, measured, unchanged }
    }
}
