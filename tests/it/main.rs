//! The one integration binary. Every test that touches a database runs on SQLite and on PostgreSQL: see `support::both`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod property;
mod support;
mod smoke;
