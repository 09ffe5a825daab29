//! What syncing from Proxmox needs: absence on the rows, local references, the state of each endpoint, and the runs.
use crate::columns::{Columns, add, boolean, id, index, integer, reference, time};
use sea_orm_migration::prelude::*;

/// Adds the tables and columns of sync.
#[derive(Debug)]
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_sync"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns(m.get_database_backend());
        for table in ["proxmox_cluster", "proxmox_node", "proxmox_storage"] {
            absence(m, table).await?;
        }
        // SQLite takes a foreign key of a new column only in this form.
        m.get_connection()
            .execute_unprepared(
                "ALTER TABLE proxmox_cluster ADD COLUMN local_cluster_id integer \
                 REFERENCES netbox_cluster (id) ON DELETE RESTRICT ON UPDATE RESTRICT",
            )
            .await?;
        m.create_index(index("proxmox_cluster", &["local_cluster_id"])).await?;
        for column in [c.text("tls_ca"), integer("sync_interval")] {
            add(m, "proxmox_endpoint", column).await?;
        }
        states(m, &c).await?;
        runs(m, &c).await?;
        run_changes(m, &c).await
    }
}

async fn absence(m: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    for column in [time("missing_since"), boolean("stale").default(false).take()] {
        add(m, table, column).await?;
    }
    Ok(())
}

async fn states(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "sync_state";
    let table = Table::create()
        .table(TABLE)
        .col(integer("endpoint_id").not_null().primary_key())
        .col(c.string("holder", 64))
        .col(ColumnDef::new("fence").big_integer().not_null())
        .col(time("expires_at"))
        .col(c.string("identity", 64).not_null())
        .col(time("identity_at"))
        .col(c.string("cluster", 255).not_null())
        .col(c.string("credentials", 64).not_null())
        .col(boolean("suspended"))
        .col(integer("failures").not_null())
        .col(time("next_at"))
        .col(time("last_at"))
        .col(time("last_success_at"))
        .col(c.string("last_state", 12))
        .col(c.string("last_class", 30))
        .col(c.text("last_error"))
        .foreign_key(&mut reference(TABLE, "endpoint_id", "proxmox_endpoint"))
        .take();
    m.create_table(table).await?;
    m.create_index(index(TABLE, &["identity"])).await
}

async fn runs(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "sync_run";
    // An endpoint may go; what its runs did stays to be read.
    let table = Table::create()
        .table(TABLE)
        .col(id())
        .col(integer("endpoint_id").not_null())
        .col(c.string("endpoint_name", 255).not_null())
        .col(c.string("actor", 300).not_null())
        .col(boolean("dry_run"))
        .col(c.string("state", 12).not_null())
        .col(c.string("stage", 12).not_null())
        .col(integer("stages_done").not_null())
        .col(time("started_at").not_null())
        .col(time("finished_at"))
        .col(c.text("verdicts").not_null())
        .col(c.text("counts").not_null())
        .col(c.text("errors").not_null())
        .col(c.text("notices").not_null())
        .col(c.text("calls").not_null())
        .col(ColumnDef::new("revision").big_integer())
        .take();
    m.create_table(table).await?;
    for columns in [&["endpoint_id", "id"][..], &["state"], &["started_at"]] {
        m.create_index(index(TABLE, columns)).await?;
    }
    Ok(())
}

async fn run_changes(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "sync_change";
    let table = Table::create()
        .table(TABLE)
        .col(integer("run_id").not_null())
        .col(integer("ordinal").not_null())
        .col(c.string("object_type", 20).not_null())
        .col(integer("object_id"))
        .col(c.string("name", 255).not_null())
        .col(c.string("action", 10).not_null())
        .col(c.text("fields").not_null())
        .col(c.text("reason").not_null())
        .primary_key(Index::create().col("run_id").col("ordinal"))
        .foreign_key(&mut reference(TABLE, "run_id", "sync_run"))
        .take();
    m.create_table(table).await
}
