//! The operations, one file a noun, and the only room that writes. Every write goes through a [`Tx`].
#![allow(clippy::disallowed_methods)]

pub mod change;
pub mod cluster;
pub mod dump;
pub mod endpoint;
mod family;
pub mod file;
pub mod load;
pub mod netbox;
pub mod node;
pub mod read;
pub mod rules;
pub mod storage;
pub mod tag;
pub mod token;
mod tx;

pub use tx::{Actor, Clock, Tx};
