//! The one integration binary. Every test that touches a database runs on SQLite and on PostgreSQL: see `support::both`.
// Tests set scenes that no door of the program can: rows from the future, another database …
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

mod canary;
mod cli;
mod client;
mod coverage;
mod database;
mod dependencies;
mod exposure;
mod fuzz;
mod graphql;
mod links;
mod mirror;
mod ops;
mod plugin;
mod property;
mod rates;
mod rest;
mod rooms;
mod service;
mod smoke;
mod storm;
mod support;
mod sync;
mod threats;
