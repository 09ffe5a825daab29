//! HTTP to others: the only room that speaks it outward, and never inside a transaction.
//!
//! [`proxmox`] is the client of Proxmox VE. Below it are parts that know nothing of Proxmox: `guard` decides which
//! addresses may be connected to, `trust` which certificates are believed, `wire` keeps connections, `failure`
//! tells what went wrong without telling a secret.

mod failure;
mod fingerprint;
mod guard;
pub mod proxmox;
mod rules;
mod trust;
mod wire;
