//! Builders of columns, keys and indexes, the same for every migration.
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Column builders that differ between the two databases.
pub(crate) struct Columns(pub(crate) DbBackend);

impl Columns {
    /// Text compares and sorts by bytes everywhere: SQLite does by itself, PostgreSQL needs the collation "C".
    fn bytewise(&self, mut column: ColumnDef) -> ColumnDef {
        if self.0 == DbBackend::Postgres {
            column.extra("COLLATE \"C\"");
        }
        column
    }

    pub(crate) fn string(&self, name: &'static str, length: u32) -> ColumnDef {
        self.bytewise(ColumnDef::new(name).string_len(length).take())
    }

    pub(crate) fn text(&self, name: &'static str) -> ColumnDef {
        self.bytewise(ColumnDef::new(name).text().take())
    }
}

/// Ids are never given twice, not even after a deletion: NetBox clients keep them.
pub(crate) fn id() -> ColumnDef {
    ColumnDef::new("id").integer().not_null().auto_increment().primary_key().take()
}

/// Ids that NetBox gave.
pub(crate) fn foreign_id() -> ColumnDef {
    ColumnDef::new("id").integer().not_null().primary_key().take()
}

pub(crate) fn time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().take()
}

pub(crate) fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().take()
}

pub(crate) fn boolean(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// RESTRICT, so that a cascade which `service` forgot fails loudly.
pub(crate) fn reference(table: &'static str, column: &'static str, target: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fk"))
        .from(table, column)
        .to(target, "id")
        .on_delete(ForeignKeyAction::Restrict)
        .on_update(ForeignKeyAction::Restrict)
        .take()
}

pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement.name(format!("{table}_{}_idx", columns.join("_"))).table(table);
    for column in columns {
        statement.col(*column);
    }
    statement
}

pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut statement = index(table, columns);
    statement.name(format!("{table}_{}_key", columns.join("_"))).unique();
    statement
}

/// Adds a column to a table that is there.
pub(crate) async fn add(m: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    m.alter_table(Table::alter().table(table).add_column(column).take()).await
}
