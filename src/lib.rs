//! proxbox-graphql keeps the topology of Proxmox VE installations and serves it as GraphQL and REST.
//!
//! The map of the house; each room's own page says more, and `docs/architecture.md` walks through it:
//!
//! * [`entity`] — the rows, and pure helpers on them
//! * [`filter`] — the one filter language: a tree, its SQL, and its answer in memory
//! * [`page`] — one page of a list, and cursors
//! * [`principal`] — who asks and what they may
//! * [`service`] — the operations; the only room that writes
//! * [`sync`] — filling the rows from Proxmox
//! * [`plugin`] — moving over from the NetBox plugin
//! * [`auth`] — from a header to a principal
//! * [`body`] — reading what a client sends
//! * [`graphql`] — the GraphQL API
//! * [`rest`] — the REST API that clients of the NetBox plugin keep using
//! * [`web`] — embedded pages
//! * [`client`] — HTTP to Proxmox VE; the only room that speaks it outward
//! * [`app`], [`server`], [`cli`], [`config`], [`telemetry`] — the program around them
//! * [`db`], [`secret`], [`event`], [`metrics`], [`rate`], [`error`] — what everybody uses

pub mod app;
pub mod auth;
pub mod body;
pub mod cli;
pub mod client;
pub mod config;
pub mod db;
pub mod entity;
pub mod error;
pub mod event;
pub mod filter;
pub mod graphql;
pub mod metrics;
pub mod mirror;
pub mod page;
pub mod plugin;
pub mod principal;
pub mod rate;
pub mod rest;
pub mod secret;
pub mod server;
pub mod service;
pub mod sync;
pub mod telemetry;
pub mod web;
