//! The rows of a database as they were, put back in a few milliseconds: hundreds of tests that write can share one
//! server that way.
use proxbox_graphql::db::Db;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Every table that requests change, what is referred to first. What stands in `api_token` and `setting` about the use of
/// tokens and turns is none of a client's business.
const TABLES: [&str; 10] = [
    "tag",
    "netbox_cluster",
    "netbox_device",
    "proxmox_endpoint",
    "proxmox_cluster",
    "proxmox_node",
    "proxmox_storage",
    "tag_assignment",
    "change",
    "revision",
];

/// Those that number their rows themselves.
const NUMBERED: [&str; 5] = ["tag", "proxmox_endpoint", "proxmox_cluster", "proxmox_node", "proxmox_storage"];

/// A copy of all rows in the same database.
#[derive(Debug)]
pub struct Pristine {
    db: Db,
    restoring: String,
}

impl Pristine {
    /// Copies the rows as they are now.
    pub async fn keep(db: &Db) -> Self {
        let sqlite = db.backend() == DbBackend::Sqlite;
        let mut keeping =
            TABLES.map(|table| format!("CREATE TABLE pristine_{table} AS SELECT * FROM {table};")).concat();
        let gone = TABLES.iter().rev().map(|table| format!("DELETE FROM {table};"));
        let back = TABLES.iter().map(|table| format!("INSERT INTO {table} SELECT * FROM pristine_{table};"));
        let mut restoring = gone.chain(back).collect::<String>();
        if sqlite {
            keeping += "CREATE TABLE pristine_numbers AS SELECT * FROM sqlite_sequence;";
            restoring += "DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence SELECT * FROM pristine_numbers;";
            restoring = format!("BEGIN IMMEDIATE; {restoring} COMMIT;");
        } else {
            for table in NUMBERED {
                let sql = format!("SELECT last_value, is_called FROM {table}_id_seq");
                let row = db.write.query_one_raw(Statement::from_string(db.backend(), sql)).await.unwrap().unwrap();
                let (last, called) = (row.try_get::<i64>("", "last_value"), row.try_get::<bool>("", "is_called"));
                restoring += &format!("SELECT setval('{table}_id_seq', {}, {});", last.unwrap(), called.unwrap());
            }
        }
        db.write.execute_unprepared(&keeping).await.unwrap();
        Self { db: db.clone(), restoring }
    }

    /// Puts them back, and the numbers of new ones.
    pub async fn restore(&self) {
        self.db.write.execute_unprepared(&self.restoring).await.unwrap();
    }
}
