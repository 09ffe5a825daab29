//! The ids that the tables give to new rows, for rows that bring their own along.
use super::Tx;
use crate::entity::Kind;
use crate::error::{Error, Result};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// The kinds whose tables give ids of their own.
pub(super) const NUMBERED: [Kind; 5] = [Kind::Endpoint, Kind::Cluster, Kind::Node, Kind::Storage, Kind::Tag];

/// The id that a table would give next.
pub(super) async fn next(connection: &impl ConnectionTrait, kind: Kind) -> Result<i32> {
    let (backend, table) = (connection.get_database_backend(), kind.table());
    let sql = match backend {
        DbBackend::Postgres => {
            format!("SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END AS next FROM {table}_id_seq")
        }
        _ => format!("SELECT COALESCE(MAX(seq), 0) + 1 AS next FROM sqlite_sequence WHERE name = '{table}'"),
    };
    let row = connection.query_one_raw(Statement::from_string(backend, sql)).await?;
    let next: i64 = row.ok_or_else(|| Error::Internal("no sequence".into()))?.try_get("", "next")?;
    i32::try_from(next).map_err(|_| Error::Internal("the ids are used up".into()))
}

/// The largest of the ids that the tables would give next.
pub(super) async fn largest_next(connection: &impl ConnectionTrait) -> Result<i32> {
    let mut largest = 1;
    for kind in NUMBERED {
        largest = largest.max(next(connection, kind).await?);
    }
    Ok(largest)
}

/// New rows get ids from here on, or behind the largest there is. For an empty database, which nobody else fills.
pub(super) async fn start_at(tx: &Tx, next_id: i32) -> Result<()> {
    let backend = tx.connection().get_database_backend();
    for table in NUMBERED.map(Kind::table) {
        let first = format!("(SELECT GREATEST({next_id}, COALESCE(MAX(id), 0) + 1) FROM {table})");
        let statements = match backend {
            DbBackend::Postgres => vec![format!("SELECT setval('{table}_id_seq', {first}, false)")],
            _ => vec![
                format!("DELETE FROM sqlite_sequence WHERE name = '{table}'"),
                format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {first} - 1)")
                    .replace("GREATEST", "MAX"),
            ],
        };
        for sql in statements {
            tx.connection().query_all_raw(Statement::from_string(backend, sql)).await?;
        }
    }
    Ok(())
}

/// New rows get ids behind this one, while others go on making rows. SQLite sees to that by itself when the row comes.
pub(super) async fn pass(tx: &Tx, kind: Kind, id: i32) -> Result<()> {
    /// So many ids nobody gives between two statements.
    const FAR: i32 = 100_000;
    if tx.connection().get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let missing = id.saturating_add(1).saturating_sub(next(tx.connection(), kind).await?);
    let table = kind.table();
    // `setval` could take back what others were given meanwhile; `nextval` never does.
    let sql = match missing {
        ..=0 => return Ok(()),
        1..=FAR => format!("SELECT COUNT(nextval('{table}_id_seq')) FROM generate_series(1, {missing})"),
        _ => format!("SELECT setval('{table}_id_seq', {id})"),
    };
    tx.connection().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(())
}

/// Ids above this one that are nobody else's from now on, while others go on making rows. On SQLite nobody does.
pub(super) async fn reserve(tx: &Tx, kind: Kind, above: i32, count: usize) -> Result<Vec<i32>> {
    if tx.connection().get_database_backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    pass(tx, kind, above).await?;
    let sql = format!("SELECT nextval('{}_id_seq') AS id FROM generate_series(1, {count})", kind.table());
    let rows = tx.connection().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let ids = rows.iter().map(|row| row.try_get::<i64>("", "id")).collect::<Result<Vec<_>, _>>()?;
    let fits = |id| i32::try_from(id).map_err(|_| Error::Internal("the ids are used up".into()));
    ids.into_iter().map(fits).collect()
}
