//! The operations, one file a noun, and the only room that writes. Every write goes through a [`Tx`].
#![allow(clippy::disallowed_methods)]

pub mod batch;
pub mod change;
pub mod cluster;
pub mod dump;
pub mod endpoint;
mod family;
pub mod file;
pub mod generation;
mod ids;
pub mod import;
pub mod link;
pub mod load;
pub mod netbox;
pub mod node;
mod patch;
pub mod read;
pub mod retention;
pub mod rules;
pub mod secret;
pub mod source;
pub mod storage;
pub mod sync_run;
pub mod sync_scope;
pub mod tag;
mod tagging;
pub mod token;
mod tx;
mod write;

pub use patch::{Fields, Given};
pub use tx::{Actor, Clock, Tx};
use write::refuse;
pub use write::{Row, Writable, create, delete, last_updated, update, upsert};
