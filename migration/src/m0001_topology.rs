//! The first schema: topology, NetBox references, tags, tokens, the change log and its revision.
use crate::columns::{Columns, boolean, foreign_id, id, index, integer, reference, time, unique};
use sea_orm_migration::prelude::*;

/// Creates every table of the first release.
#[derive(Debug)]
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_topology"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns(m.get_database_backend());
        netbox(m, &c).await?;
        endpoints(m, &c).await?;
        clusters(m, &c).await?;
        nodes(m, &c).await?;
        storages(m, &c).await?;
        tags(m, &c).await?;
        tokens(m, &c).await?;
        changes(m, &c).await
    }
}

async fn netbox(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    for (table, name) in
        [("netbox_cluster", c.string("name", 255).not_null().take()), ("netbox_device", c.string("name", 255))]
    {
        let create = Table::create()
            .table(table)
            .col(foreign_id())
            .col(name)
            .col(c.string("display", 512).not_null())
            .col(c.string("origin", 10).not_null())
            .take();
        m.create_table(create).await?;
        m.create_index(index(table, &["name", "id"])).await?;
    }
    Ok(())
}

async fn endpoints(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let table = Table::create()
        .table("proxmox_endpoint")
        .col(id())
        .col(c.string("name", 255).not_null())
        .col(c.string("domain", 255))
        .col(c.string("ip_address", 45))
        .col(integer("port").not_null())
        .col(c.string("mode", 10).not_null())
        .col(c.string("version", 255))
        .col(c.string("repoid", 255))
        .col(c.string("username", 255).not_null())
        .col(c.text("password"))
        .col(c.string("token_name", 255).not_null())
        .col(c.text("token_value"))
        .col(boolean("verify_ssl"))
        .col(c.text("tls_fingerprint"))
        .col(boolean("enabled"))
        .col(c.text("custom_fields").not_null())
        .col(time("created").not_null())
        .col(time("last_updated").not_null())
        .take();
    m.create_table(table).await?;
    // The host is the address if there is one, else the domain; "" counts as none.
    m.get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX proxmox_endpoint_name_host_key ON proxmox_endpoint \
             (name, COALESCE(NULLIF(ip_address, ''), NULLIF(domain, ''), ''))",
        )
        .await?;
    m.create_index(index("proxmox_endpoint", &["last_updated"])).await
}

async fn clusters(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "proxmox_cluster";
    let table = Table::create()
        .table(TABLE)
        .col(id())
        .col(integer("endpoint_id").not_null())
        .col(integer("netbox_cluster_id"))
        .col(c.string("name", 255).not_null())
        .col(c.string("cluster_id", 255).not_null())
        .col(c.string("mode", 10).not_null())
        .col(integer("nodes_count").not_null())
        .col(boolean("quorate"))
        .col(integer("version"))
        .col(c.text("custom_fields").not_null())
        .col(time("created").not_null())
        .col(time("last_updated").not_null())
        .foreign_key(&mut reference(TABLE, "endpoint_id", "proxmox_endpoint"))
        .foreign_key(&mut reference(TABLE, "netbox_cluster_id", "netbox_cluster"))
        .take();
    m.create_table(table).await?;
    m.create_index(unique(TABLE, &["endpoint_id", "name"])).await?;
    for columns in [&["netbox_cluster_id"][..], &["cluster_id"], &["last_updated"]] {
        m.create_index(index(TABLE, columns)).await?;
    }
    Ok(())
}

async fn nodes(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "proxmox_node";
    let table = Table::create()
        .table(TABLE)
        .col(id())
        .col(integer("endpoint_id").not_null())
        .col(integer("proxmox_cluster_id"))
        .col(integer("netbox_device_id"))
        .col(c.string("name", 255).not_null())
        .col(integer("node_id"))
        .col(c.string("ip_address", 45))
        .col(boolean("online"))
        .col(boolean("local"))
        .col(ColumnDef::new("cpu_usage").double())
        .col(integer("max_cpu"))
        .col(ColumnDef::new("memory_usage").big_integer())
        .col(ColumnDef::new("max_memory").big_integer())
        .col(c.string("ssl_fingerprint", 255).not_null())
        .col(c.string("support_level", 100).not_null())
        .col(time("metrics_at"))
        .col(c.text("custom_fields").not_null())
        .col(time("created").not_null())
        .col(time("last_updated").not_null())
        .foreign_key(&mut reference(TABLE, "endpoint_id", "proxmox_endpoint"))
        .foreign_key(&mut reference(TABLE, "proxmox_cluster_id", "proxmox_cluster"))
        .foreign_key(&mut reference(TABLE, "netbox_device_id", "netbox_device"))
        .take();
    m.create_table(table).await?;
    m.create_index(unique(TABLE, &["endpoint_id", "name"])).await?;
    for columns in [&["proxmox_cluster_id"][..], &["netbox_device_id"], &["last_updated"]] {
        m.create_index(index(TABLE, columns)).await?;
    }
    Ok(())
}

async fn storages(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    const TABLE: &str = "proxmox_storage";
    let mut table = Table::create();
    table
        .table(TABLE)
        .col(id())
        .col(integer("cluster_id").not_null())
        .col(integer("source_id"))
        .col(c.string("name", 255).not_null())
        .col(c.string("storage_type", 100))
        .col(c.string("content", 255))
        .col(c.string("path", 255))
        .col(c.text("nodes"))
        .col(boolean("shared"))
        .col(boolean("enabled"))
        .col(c.string("server", 255))
        .col(integer("port"))
        .col(c.string("username", 255))
        .col(c.string("export", 255))
        .col(c.string("share", 255))
        .col(c.string("pool", 255))
        .col(c.string("monhost", 512))
        .col(c.string("namespace", 255))
        .col(c.string("datastore", 255))
        .col(c.string("subdir", 255))
        .col(c.string("mountpoint", 255))
        .col(c.string("is_mountpoint", 255))
        .col(c.string("preallocation", 50))
        .col(c.string("format", 100))
        .col(c.string("prune_backups", 512))
        .col(integer("max_protected_backups"))
        .col(c.text("raw_config").not_null())
        .col(c.text("custom_fields").not_null())
        .col(time("created").not_null())
        .col(time("last_updated").not_null())
        .foreign_key(&mut reference(TABLE, "cluster_id", "netbox_cluster"))
        .foreign_key(&mut reference(TABLE, "source_id", "proxmox_cluster"));
    m.create_table(table).await?;
    m.create_index(unique(TABLE, &["cluster_id", "name"])).await?;
    for columns in [&["source_id"][..], &["last_updated"]] {
        m.create_index(index(TABLE, columns)).await?;
    }
    Ok(())
}

async fn tags(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let tag = Table::create()
        .table("tag")
        .col(id())
        .col(c.string("name", 100).not_null())
        .col(c.string("slug", 100).not_null())
        .col(c.string("color", 6).not_null())
        .take();
    m.create_table(tag).await?;
    m.create_index(unique("tag", &["name"])).await?;
    m.create_index(unique("tag", &["slug"])).await?;
    let assignment = Table::create()
        .table("tag_assignment")
        .col(c.string("object_type", 20).not_null())
        .col(integer("object_id").not_null())
        .col(integer("tag_id").not_null())
        .primary_key(Index::create().col("object_type").col("object_id").col("tag_id"))
        .foreign_key(&mut reference("tag_assignment", "tag_id", "tag"))
        .take();
    m.create_table(assignment).await?;
    m.create_index(index("tag_assignment", &["tag_id", "object_type", "object_id"])).await
}

async fn tokens(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let token = Table::create()
        .table("api_token")
        .col(id())
        .col(c.string("name", 255).not_null())
        .col(c.string("key", 12))
        .col(c.string("digest", 64))
        .col(boolean("write_enabled"))
        .col(boolean("enabled"))
        .col(time("expires"))
        .col(c.text("allowed_ips").not_null())
        .col(c.text("permissions").not_null())
        .col(time("created").not_null())
        .col(time("last_used"))
        .take();
    m.create_table(token).await?;
    for column in ["name", "key", "digest"] {
        m.create_index(unique("api_token", &[column])).await?;
    }
    let setting = Table::create()
        .table("setting")
        .col(c.string("name", 50).not_null().primary_key())
        .col(c.text("value").not_null())
        .take();
    m.create_table(setting).await
}

async fn changes(m: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let change = Table::create()
        .table("change")
        .col(ColumnDef::new("revision").big_integer().not_null())
        .col(integer("ordinal").not_null())
        .col(time("at").not_null())
        .col(c.string("actor", 300).not_null())
        .col(c.string("request_id", 64))
        .col(c.string("object_type", 20))
        .col(integer("object_id"))
        .col(c.string("action", 10).not_null())
        .col(c.text("changed").not_null())
        .col(c.text("before"))
        .col(c.text("after"))
        .primary_key(Index::create().col("revision").col("ordinal"))
        .take();
    m.create_table(change).await?;
    m.create_index(index("change", &["object_type", "object_id", "revision"])).await?;
    m.create_index(index("change", &["at"])).await?;
    let revision = Table::create()
        .table("revision")
        .col(foreign_id())
        .col(ColumnDef::new("value").big_integer().not_null())
        .take();
    m.create_table(revision).await?;
    m.get_connection().execute_unprepared("INSERT INTO revision (id, value) VALUES (1, 0)").await?;
    Ok(())
}
