//! What mirroring NetBox needs: more of its clusters and devices, absence on them, the state of the mirror, and what was
//! decided about links.
use crate::columns::{Columns, add, boolean, foreign_id, index, integer, time};
use sea_orm_migration::prelude::*;

/// Adds the tables and columns of the mirror.
#[derive(Debug)]
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_netbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns(m.get_database_backend());
        clusters(m, &c).await?;
        devices(m, &c).await?;
        for table in ["netbox_cluster", "netbox_device"] {
            add(m, table, c.string("status", 50)).await?;
            add(m, table, time("netbox_updated")).await?;
            add(m, table, time("missing_since")).await?;
            add(m, table, integer("missed").not_null().default(0).take()).await?;
            m.create_index(index(table, &["name"])).await?;
        }
        mirror(m, &c).await?;
        decisions(m, &c).await
    }
}

/// What NetBox says of another object where it names one.
async fn named(m: &SchemaManager<'_>, table: &'static str, columns: [ColumnDef; 3]) -> Result<(), DbErr> {
    for column in columns {
        add(m, table, column).await?;
    }
    Ok(())
}

async fn clusters(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "netbox_cluster";
    named(m, TABLE, [integer("type_id"), c.string("type_name", 255), c.string("type_slug", 255)]).await?;
    named(m, TABLE, [integer("group_id"), c.string("group_name", 255), c.string("group_slug", 255)]).await?;
    named(m, TABLE, [integer("tenant_id"), c.string("tenant_name", 255), c.string("tenant_slug", 255)]).await?;
    add(m, TABLE, c.string("scope_type", 100)).await?;
    named(m, TABLE, [integer("scope_id"), c.string("scope_name", 255), c.string("scope_slug", 255)]).await
}

async fn devices(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "netbox_device";
    named(m, TABLE, [integer("site_id"), c.string("site_name", 255), c.string("site_slug", 255)]).await?;
    named(m, TABLE, [integer("role_id"), c.string("role_name", 255), c.string("role_slug", 255)]).await?;
    named(m, TABLE, [integer("tenant_id"), c.string("tenant_name", 255), c.string("tenant_slug", 255)]).await?;
    for column in [integer("rack_id"), c.string("rack_name", 255), integer("cluster_id"), c.string("serial", 255)] {
        add(m, TABLE, column).await?;
    }
    for column in [c.string("primary_ip4", 45), c.string("primary_ip6", 45)] {
        add(m, TABLE, column).await?;
    }
    // No foreign key: NetBox may show a device and hide its cluster.
    m.create_index(index(TABLE, &["cluster_id"])).await
}

async fn mirror(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let table = Table::create()
        .table("netbox_mirror")
        .col(foreign_id())
        .col(c.text("url").not_null())
        .col(c.string("version", 50))
        .col(c.string("holder", 64))
        .col(ColumnDef::new("fence").big_integer().not_null())
        .col(time("expires_at"))
        .col(time("clusters_since"))
        .col(time("devices_since"))
        .col(time("full_at"))
        .col(time("swept_at"))
        .col(time("last_at"))
        .col(time("last_success_at"))
        .col(time("next_at"))
        .col(integer("failures").not_null())
        .col(integer("held_clusters").not_null())
        .col(integer("held_devices").not_null())
        .col(boolean("complete"))
        .col(c.string("last_class", 30))
        .col(c.text("last_error"))
        .take();
    m.create_table(table).await
}

async fn decisions(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "link_decision";
    let table = Table::create()
        .table(TABLE)
        .col(c.string("object_type", 20).not_null())
        .col(integer("object_id").not_null())
        .col(integer("target_id").not_null())
        .col(c.string("decision", 10).not_null())
        .col(c.string("actor", 300).not_null())
        .col(time("at").not_null())
        .primary_key(Index::create().col("object_type").col("object_id").col("target_id"))
        .take();
    m.create_table(table).await
}
