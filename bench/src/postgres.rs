//! A throwaway PostgreSQL with the settings that it comes with, reached by its socket only.
use anyhow::{Context, Result, bail};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Postgres {
    folder: PathBuf,
    binaries: PathBuf,
    pub version: String,
    /// Ends the server when this process ends, however it does: its standard input closes.
    keeper: Child,
}

impl Postgres {
    pub fn start() -> Result<Self> {
        let binaries = binaries().context("no PostgreSQL found: neither in /usr/lib/postgresql nor in the PATH")?;
        let folder = tempfile::Builder::new().prefix("proxbox-bench-pg-").tempdir()?.keep();
        if let Some((user, group)) = other_user() {
            chown(&folder, Some(user), Some(group))?;
        }
        let init = command(&binaries.join("initdb"), &folder)
            .args(["-D", "data", "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"])
            .output()?;
        if !init.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&init.stderr));
        }
        // The shell outlives this process by a moment, and cleans up.
        let script = r#"
            "$1/postgres" -D data -k "$PWD" -c listen_addresses= 2> log &
            read -r _
            kill -QUIT $!
            wait
            rm -rf "$PWD"
        "#;
        let keeper = command(Path::new("/bin/sh"), &folder)
            .args(["-c", script, "keeper"])
            .arg(&binaries)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let mut postgres = Self { folder, binaries, version: String::new(), keeper };
        let begun = Instant::now();
        postgres.version = loop {
            match postgres.sql("postgres", "SHOW server_version") {
                Ok(version) => break version,
                Err(error) if begun.elapsed() > Duration::from_secs(30) => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        postgres.sql("postgres", "CREATE DATABASE bench ENCODING 'UTF8' TEMPLATE template0")?;
        Ok(postgres)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/bench?host={}", self.folder.display())
    }

    /// What autovacuum would do within a minute or so; done now, so that it does not come in the middle.
    pub fn settle(&self) -> Result<()> {
        self.sql("bench", "VACUUM ANALYZE").map(drop)?;
        self.sql("bench", "CHECKPOINT").map(drop)
    }

    /// The process that all others are children of.
    pub fn id(&self) -> Result<u32> {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        Ok(text.lines().next().context("postmaster.pid is empty")?.parse()?)
    }

    fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = command(&self.binaries.join("psql"), &self.folder);
        psql.arg("-h").arg(&self.folder).args(["-U", "postgres", "-Atc", sql, database]).stdout(Stdio::piped());
        let output = psql.output()?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
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
        let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let fields = lines.find(|fields| fields.first() == Some(&name))?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).stdout(Stdio::null());
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command
}
