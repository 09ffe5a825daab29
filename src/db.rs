//! The database: SQLite in a file, or PostgreSQL. The same tables and statements on both.
use crate::error::{Error, Result};
use crate::filter::fold;
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};
use sqlx::Connection;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Where the rows are. Cloned cheaply.
#[derive(Clone, Debug)]
pub struct Db {
    /// For reading; on SQLite several connections that cannot write.
    pub read: DatabaseConnection,
    /// For transactions that write; on SQLite one connection, since it has one writer anyway.
    pub write: DatabaseConnection,
}

/// Connections of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `read` and `write` on SQLite, `all` on PostgreSQL.
    pub name: &'static str,
    pub size: usize,
    /// Those that wait for work.
    pub idle: usize,
}

/// A transaction that will write. On SQLite it takes the writer's lock at once: asking for it later, with a reader's
/// snapshot in hand, fails at once when somebody else wrote meanwhile. PostgreSQL ignores this.
pub(crate) const WRITING: TransactionOptions = TransactionOptions {
    isolation_level: None,
    access_mode: None,
    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
};

/// How to reach it.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// `sqlite://PATH?mode=rwc` or `postgres://…`.
    pub url: String,
    /// Connections at most, for reading on SQLite, for all on PostgreSQL.
    pub connections: u32,
    /// What a statement may take.
    pub statement_timeout: Duration,
}

impl DbOptions {
    /// The file of a SQLite database; none on PostgreSQL. Refuses other databases and those in memory.
    pub fn sqlite_file(&self) -> Result<Option<PathBuf>> {
        if self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            return Ok(None);
        }
        if !self.url.starts_with("sqlite:") {
            return Err(Error::input("must start with sqlite:// or postgres://").within("PROXBOX_DATABASE_URL"));
        }
        let file = self.sqlite()?.get_filename().to_path_buf();
        if self.url.contains(":memory:")
            || self.url.contains("mode=memory")
            || file.as_os_str().is_empty()
            || file == Path::new(":memory:")
        {
            return Err(Error::input("a database in memory would be lost; name a file").within("PROXBOX_DATABASE_URL"));
        }
        Ok(Some(file))
    }

    fn sqlite(&self) -> Result<SqliteConnectOptions> {
        SqliteConnectOptions::from_str(&self.url).map_err(|_| bad_url())
    }
}

/// The URL may hold a password, so errors never repeat it.
fn bad_url() -> Error {
    Error::input("is not a database URL").within("PROXBOX_DATABASE_URL")
}

impl Db {
    /// Opens the database; makes the file of a SQLite one when the URL allows it.
    pub async fn connect(options: &DbOptions) -> Result<Self> {
        match options.sqlite_file()? {
            Some(file) => sqlite(options, &file).await,
            None => postgres(options).await,
        }
    }

    /// Which of the two it is.
    pub fn backend(&self) -> DbBackend {
        self.read.get_database_backend()
    }

    /// Brings the tables up to date, all or nothing.
    ///
    /// Several servers may start at once: whoever comes second fails on what the first one makes, and then finds
    /// nothing left to do.
    pub async fn migrate(&self) -> Result<()> {
        const TRIES: u32 = 5;
        for tries in 1..=TRIES {
            if self.pending().await?.is_empty() {
                return Ok(());
            }
            match self.migrate_once().await {
                Err(error) if tries == TRIES => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
                Ok(()) => {}
            }
        }
        let pending = self.pending().await?;
        if pending.is_empty() { Ok(()) } else { Err(Error::Internal(format!("{} stay undone", pending.join(", ")))) }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "migrations write before there is anything for a service to write to"
    )]
    async fn migrate_once(&self) -> Result<(), DbErr> {
        let tx = self.write.begin_with_options(WRITING).await?;
        // Building an index on a large table may take longer than a request may.
        if self.backend() == DbBackend::Postgres {
            tx.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        Migrator::up(&tx, None).await?;
        tx.commit().await
    }

    /// The migrations that still have to run, by name.
    pub async fn pending(&self) -> Result<Vec<String>> {
        // The migrator would make its table first if it saw none. A connection of SQLite that cannot write, and has read
        // the schema before there was the table, fails at that for ever; a query makes it look again.
        let applied = Statement::from_string(self.backend(), "SELECT version FROM seaql_migrations");
        let applied: Vec<String> = match self.read.query_all_raw(applied).await {
            Ok(rows) => rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?,
            // No migration ever ran here, so their table is not there yet; anything else shows in `ping`.
            Err(_) => Vec::new(),
        };
        let all = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect::<Vec<_>>();
        Ok(all.into_iter().filter(|name| !applied.contains(name)).collect())
    }

    /// Lets SQLite count what its planner wants to know: without figures it reads whole tables where an index serves.
    /// PostgreSQL does so by itself.
    #[expect(clippy::disallowed_methods, reason = "figures for the planner are no rows of ours")]
    pub async fn optimize(&self) -> Result<()> {
        if self.backend() == DbBackend::Sqlite {
            // All tables that grew or shrank tenfold; of each index some hundred rows.
            self.write.execute_unprepared("PRAGMA analysis_limit = 400; PRAGMA optimize = 0x10002").await?;
        }
        Ok(())
    }

    /// The connections that are held, by what they are for.
    pub fn pools(&self) -> Vec<Pool> {
        let pool = |name, size, idle| Pool { name, size, idle };
        match self.backend() {
            DbBackend::Sqlite => [("read", &self.read), ("write", &self.write)]
                .map(|(name, connection)| (name, connection.get_sqlite_connection_pool()))
                .map(|(name, connections)| pool(name, connections.size() as usize, connections.num_idle()))
                .to_vec(),
            _ => {
                let connections = self.read.get_postgres_connection_pool();
                vec![pool("all", connections.size() as usize, connections.num_idle())]
            }
        }
    }

    /// Asks the database anything at all.
    pub async fn ping(&self) -> Result<()> {
        self.read.query_one_raw(Statement::from_string(self.backend(), "SELECT 1")).await?;
        Ok(())
    }

    /// Closes all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(self) -> Result<()> {
        self.read.close().await?;
        Ok(self.write.close().await?)
    }
}

fn connecting(error: sqlx::Error) -> Error {
    let told = match &error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    };
    Error::Conflict(format!("cannot open the database: {told}"))
}

async fn sqlite(options: &DbOptions, file: &Path) -> Result<Db> {
    let connect = options
        .sqlite()?
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was acknowledged survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .with_regexp()
        .collation("PROXBOX_FOLD", fold::compare);
    let write = SqlitePoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(30));
    let write = patiently(&write, &connect).await.map_err(|error| match error {
        sqlx::Error::Database(error) if error.code().as_deref() == Some("14") => {
            Error::Conflict(format!("cannot open the database file {}", file.display()))
        }
        other => connecting(other),
    })?;
    let limit = options.statement_timeout;
    let read = SqlitePoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(limit)
        .after_connect(move |connection, _| Box::pin(limit_statements(connection, limit)))
        .before_acquire(move |connection, _| {
            Box::pin(async move { limit_statements(connection, limit).await.map(|()| true) })
        });
    // What is sorted for a page fits into memory many times over, and its files would be written for nothing.
    let connect = connect.create_if_missing(false).read_only(true).pragma("temp_store", "MEMORY");
    let read = patiently(&read, &connect).await.map_err(connecting)?;
    Ok(Db {
        read: SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
        write: SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
    })
}

/// Connects, and tries again while others that start at the same time make the file what it is to be: turning it to WAL
/// meets them whatever the busy timeout.
async fn patiently(pool: &SqlitePoolOptions, connect: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    const TRIES: u32 = 40;
    let mut tries = 0;
    loop {
        tries += 1;
        match pool.clone().connect_with(connect.clone()).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("5") && tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(rand::random_range(20..=100))).await;
            }
            connected => return connected,
        }
    }
}

/// SQLite has no statement timeout, and a dropped future does not stop its thread: every time a connection is handed
/// out, which is for one statement, it gets a deadline that SQLite asks about while it works.
async fn limit_statements(connection: &mut SqliteConnection, limit: Duration) -> Result<(), sqlx::Error> {
    const STEPS_BETWEEN_LOOKS: i32 = 20_000;
    let deadline = Instant::now() + limit;
    connection.lock_handle().await?.set_progress_handler(STEPS_BETWEEN_LOOKS, move || Instant::now() < deadline);
    Ok(())
}

async fn postgres(options: &DbOptions) -> Result<Db> {
    let limit = options.statement_timeout.as_millis().to_string();
    let connect = PgConnectOptions::from_str(&options.url).map_err(|_| bad_url())?;
    let connect = connect.application_name("proxbox-graphql").options([("statement_timeout", limit)]);
    // A pool tries again and again, and in the end says only that it could not; one connection tells why.
    let first = PgConnection::connect_with(&connect);
    let first = tokio::time::timeout(Duration::from_secs(10), first).await;
    let first = first.map_err(|_| Error::Conflict("cannot open the database: it did not answer in 10 s".into()))?;
    first.map_err(connecting)?.close().await.map_err(connecting)?;
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|connection, usage| Box::pin(still_there(connection, usage)));
    let pool = pool.connect_with(connect).await.map_err(connecting)?;
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    check_postgres(&connection).await?;
    Ok(Db { read: connection.clone(), write: connection })
}

/// A connection that was just used is there; one that lay idle may have been lost, which costs a round trip to know.
async fn still_there(connection: &mut PgConnection, usage: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    const FRESH: Duration = Duration::from_millis(500);
    if usage.idle_for > FRESH {
        connection.ping().await?;
    }
    Ok(true)
}

/// Case folding and sorting rest on UTF-8 and on one ICU collation.
async fn check_postgres(connection: &DatabaseConnection) -> Result<()> {
    let ask = |sql: &'static str| async move {
        let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        row.ok_or_else(|| DbErr::Custom("no answer".into()))?.try_get_by_index::<String>(0)
    };
    let encoding = ask("SHOW server_encoding").await?;
    if encoding != "UTF8" {
        return Err(Error::Conflict(format!("the database has the encoding {encoding}; make it with ENCODING 'UTF8'")));
    }
    match ask("SELECT LOWER('Ä' COLLATE \"und-x-icu\")").await {
        Ok(folded) if folded == "ä" => Ok(()),
        _ => {
            Err(Error::Conflict("this PostgreSQL lacks the collation \"und-x-icu\"; it must be built with ICU".into()))
        }
    }
}
