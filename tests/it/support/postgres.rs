//! A throwaway PostgreSQL for this run of the tests, or the server that `PROXBOX_TEST_POSTGRES` names.
//!
//! Found neither, the tests say so loudly and pass; with `PROXBOX_REQUIRE_POSTGRES=1`, as in CI, they fail.
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A server's URL, in which `{db}` stands for the name of a database.
struct Server {
    url: String,
    /// Ends the server when this process ends, however it does: its standard input closes.
    _keeper: Option<Child>,
}

/// The URL of a database with all tables and no rows; none when there is no PostgreSQL to be had.
pub async fn fresh_database() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let server = SERVER.get_or_init(find);
    let Some(server) = server else {
        assert!(std::env::var_os("PROXBOX_REQUIRE_POSTGRES").is_none(), "no PostgreSQL was found, and it is required");
        return None;
    };
    let template = TEMPLATE.get_or_init(|| make_template(server)).await;
    let name = format!("{template}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let admin = connect(&server.url.replace("{db}", "postgres")).await;
    let strategy = if server._keeper.is_some() { "STRATEGY file_copy" } else { "" };
    admin.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}")).await.unwrap();
    admin.close().await.unwrap();
    Some(server.url.replace("{db}", &name))
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// Migrations run once; every test copies the result.
async fn make_template(server: &Server) -> String {
    let name = format!("proxbox_{}", std::process::id());
    let admin = connect(&server.url.replace("{db}", "postgres")).await;
    admin.execute_unprepared(&format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).await.unwrap();
    admin.close().await.unwrap();
    let template = connect(&server.url.replace("{db}", &name)).await;
    Migrator::up(&template, None).await.unwrap();
    template.close().await.unwrap();
    name
}

fn find() -> Option<Server> {
    if let Ok(url) = std::env::var("PROXBOX_TEST_POSTGRES") {
        assert!(url.contains("{db}"), "PROXBOX_TEST_POSTGRES must hold {{db}} where the database's name goes");
        return Some(Server { url, _keeper: None });
    }
    match binaries() {
        Some(binaries) => Some(start(&binaries)),
        None => {
            eprintln!("\n*** NO POSTGRESQL FOUND: these tests run on SQLite only. Install PostgreSQL. ***\n");
            None
        }
    }
}

/// The folder of `initdb` and `postgres`: Debian's, newest first, or wherever the PATH leads.
fn binaries() -> Option<PathBuf> {
    let mut folders = std::fs::read_dir("/usr/lib/postgresql")
        .map_or(Vec::new(), |versions| versions.flatten().map(|version| version.path().join("bin")).collect());
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// PostgreSQL refuses to run as root, so then it runs as its own user.
fn other_user() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let find = |name: &str| {
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields.into_iter().find(|fields| fields[0] == name).map(|f| (f[2].parse().unwrap(), f[3].parse().unwrap()))
    };
    find("postgres").or_else(|| find("nobody"))
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").stdout(Stdio::null());
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command
}

fn start(binaries: &Path) -> Server {
    let folder = tempfile::Builder::new().prefix("proxbox-pg-").tempdir_in(super::scratch()).unwrap().keep();
    if let Some((user, group)) = other_user() {
        chown(&folder, Some(user), Some(group)).unwrap();
    }
    let init = command(&binaries.join("initdb"), &folder)
        .args(["-D", "data", "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(init.status.success(), "initdb: {}", String::from_utf8_lossy(&init.stderr));
    // The shell outlives this process by a moment, and cleans up.
    let script = r#"
        "$1/postgres" -D data -k "$PWD" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
            -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB 2> log &
        read -r _
        kill -QUIT $!
        wait
        rm -rf "$PWD"
    "#;
    let keeper = command(Path::new("/bin/sh"), &folder)
        .args(["-c", script, "keeper"])
        .arg(binaries)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while UnixStream::connect(folder.join(".s.PGSQL.5432")).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "PostgreSQL did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let url = format!("postgres://postgres@localhost/{{db}}?host={}", folder.display());
    // The socket is there a little before the server takes connections.
    while !command(&binaries.join("psql"), &folder)
        .args(["-h"])
        .arg(&folder)
        .args(["-U", "postgres", "-c", "SELECT 1"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "PostgreSQL took no connection");
        std::thread::sleep(Duration::from_millis(20));
    }
    Server { url, _keeper: Some(keeper) }
}
