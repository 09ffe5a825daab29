//! The schema of the database, one file a change. A released migration is never edited: a new one follows it.
//!
//! Migrations write too, hence the allow; `clippy.toml` keeps everybody else but `service` from it.
#![allow(clippy::disallowed_methods)]

pub use sea_orm_migration::prelude::*;

mod columns;
mod m0001_topology;
mod m0002_sync;
mod m0003_netbox;

/// All migrations, in the order in which they run.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_topology::Migration), Box::new(m0002_sync::Migration), Box::new(m0003_netbox::Migration)]
    }
}
