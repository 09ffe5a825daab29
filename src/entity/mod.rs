//! The rows: sea-orm entities, their enums, and pure helpers on them. No GraphQL, no serde formats, no IO.
//!
//! The macro's own expansion calls the writing methods that `clippy.toml` reserves for `service`, hence the allow.
#![allow(clippy::disallowed_methods)]

pub mod address;
pub mod change;
pub mod cluster;
pub mod endpoint;
mod json_text;
mod kind;
pub mod link_decision;
mod named;
pub mod netbox_cluster;
pub mod netbox_device;
pub mod netbox_mirror;
pub mod node;
pub mod revision;
mod scalar;
pub mod setting;
pub mod storage;
pub mod sync_change;
pub mod sync_report;
pub mod sync_run;
pub mod sync_state;
pub mod tag;
pub mod tag_assignment;
pub mod token;
mod values;

pub use json_text::JsonText;
pub use kind::Kind;
pub use named::Named;
pub use scalar::{Scalar, parse_time};
pub use values::{Action, Decision, Mode, Origin, RunStage, RunState, StepAction};

/// A resource that has an id, a kind and a display, whatever table it lies in.
pub trait Resource: Send + Sync + 'static {
    /// Which kind of resource a row of this table is.
    const KIND: Kind;
    /// The integer id, the same in REST and in GraphQL's `databaseId`.
    fn id(&self) -> i32;
    /// What people read where the object is named: REST's `display`.
    fn display(&self) -> String;
}
