//! HTTP to others: the only room that speaks it outward, and never inside a transaction.
//!
//! [`proxmox`] is the client of Proxmox VE, [`netbox`] that of NetBox. Below them are parts that know nothing of either:
//! `guard` decides which addresses may be connected to, `trust` which certificates are believed, `wire` keeps
//! connections, `attempts` asks again, `body` reads what came back, `failure` tells what went wrong without telling a
//! secret.

mod attempts;
mod body;
mod failure;
mod fingerprint;
mod guard;
pub mod netbox;
pub mod proxmox;
mod rules;
mod trust;
mod wire;
