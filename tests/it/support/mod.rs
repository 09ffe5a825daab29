//! What the tests stand on: databases, a server in this process, and questions to it.
pub mod canary;
pub mod netbox;
mod postgres;
mod pristine;
pub mod pve;
pub mod runs;
mod server;
pub mod world;

pub use pristine::Pristine;
pub use server::{Answer, Server, limits};

use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::db::DbOptions;
use proxbox_graphql::principal::Permission;
use proxbox_graphql::secret::KeySource;
use proxbox_graphql::service::token::{self, NewToken};
use proxbox_graphql::service::{Actor, load};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

/// The rows on which the plugin's behaviour was recorded, with tokens of every sort.
pub const SEED: &str = include_str!("../../data/seed.json");
/// The token of the seed that may do everything.
pub const ADMIN: &str = "0123456789abcdef0123456789abcdef01234567";

/// The key of the tests' secrets.
const KEY: &str = "a key for tests only, and long enough";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// An empty database of a test's own, gone with it.
#[derive(Debug)]
pub struct TestDb {
    pub backend: Backend,
    pub options: DbOptions,
    /// Where a test may put files.
    pub folder: TempDir,
}

impl TestDb {
    pub fn key(&self) -> KeySource {
        KeySource::Given(SecretString::from(KEY))
    }

    pub async fn open(&self) -> App {
        self.open_with(Settings::default()).await
    }

    pub async fn open_with(&self, settings: Settings) -> App {
        App::open(&self.options, &self.key(), Schema::Migrate, settings).await.unwrap()
    }

    /// The program filled with the seed.
    pub async fn seeded(&self) -> App {
        let app = self.open().await;
        fill(&app, SEED).await;
        app
    }

    /// A server on the seed.
    pub async fn server(&self) -> Server {
        Server::new(self.seeded().await)
    }
}

/// A folder for a test's files, gone with it.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(scratch()).unwrap()
}

/// Where the files of tests lie: in memory if there is room. On a disk every commit of SQLite waits for what PostgreSQL
/// copied meanwhile, which stalls slow machines for half a minute.
pub fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        const NEEDED_KIB: u64 = 4 << 20;
        let memory = Path::new("/dev/shm");
        let df = Command::new("df").args(["-Pk", "/dev/shm"]).output();
        let free = df.ok().and_then(|df| {
            let text = String::from_utf8(df.stdout).ok()?;
            text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
        });
        if free.is_some_and(|free| free > NEEDED_KIB) { memory.to_owned() } else { std::env::temp_dir() }
    })
}

/// Loads the text of a file.
pub async fn fill(app: &App, text: &str) {
    let file = load::parse(text.as_bytes()).unwrap();
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    load::load(&mut tx, &app.sealer, &app.pepper, file, &|_, _| ()).await.unwrap();
    tx.commit().await.unwrap();
}

/// A token of this value that may do everything.
pub async fn token(app: &App, value: &str) {
    let new = NewToken {
        name: "everything".into(),
        write_enabled: true,
        enabled: true,
        expires: None,
        allowed_ips: Vec::new(),
        permissions: vec![Permission::everything_json()],
    };
    let mut tx = app.begin(Actor::operator()).await.unwrap();
    token::create(&mut tx, &app.pepper, new, &SecretString::from(value)).await.unwrap();
    tx.commit().await.unwrap();
}

/// Runs a test on a database of its own.
pub fn run<F: Future<Output = ()>>(backend: Backend, test: impl FnOnce(TestDb) -> F) {
    // As large a stack as the program's.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_stack_size(8 << 20).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = folder();
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display()),
            Backend::Postgres => match postgres::fresh_database().await {
                Some(url) => url,
                None => return,
            },
        };
        let options = DbOptions { url, connections: 10, statement_timeout: Duration::from_secs(60) };
        test(TestDb { backend, options, folder }).await;
    });
}

/// Makes of each `async fn name(db: TestDb)` a test on SQLite and one on PostgreSQL.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                $crate::support::run($crate::support::Backend::Sqlite, super::$name);
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                $crate::support::run($crate::support::Backend::Postgres, super::$name);
            })*
        }
    };
}

pub(crate) use both;
