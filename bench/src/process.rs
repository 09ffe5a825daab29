//! The server's process, and what `/proc` tells of processes.
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The key of a throwaway database.
const KEY: &str = "not a secret: it seals a throwaway database";

/// A command of the server on a database, told nothing by this process's own settings.
fn command(binary: &Path, url: &str) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PROXBOX_")) {
        command.env_remove(name);
    }
    command.env("PROXBOX_DATABASE_URL", url).env("PROXBOX_SECRET_KEY", KEY).stdin(Stdio::null());
    // The endpoints are made up, and nobody's to ask.
    command.env("PROXBOX_SYNC_INTERVAL", "0");
    command
}

/// Fills the database; returns how long that took.
pub fn load(binary: &Path, url: &str, file: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let mut command = command(binary, url);
    let output = command.arg("load").arg(file).output();
    let output = output.with_context(|| format!("cannot start {}", binary.display()))?;
    if !output.status.success() {
        bail!("load failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(begun.elapsed())
}

/// A running server; ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Its log goes to a file, so that writing it costs what it costs in real life.
    pub async fn start(binary: &Path, url: &str, folder: &Path) -> Result<Self> {
        let log: PathBuf = folder.join("log");
        let mut command = command(binary, url);
        command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&log)?;
            // The port is the system's choice; the log tells it.
            let told = text.split_once("listening on ").and_then(|(_, rest)| rest.split_once(';'));
            if let Some((address, _)) = told {
                return Ok(Self { child, address: address.parse()? });
            }
            if child.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(30) {
                let _ = child.kill();
                bail!("the server did not start: {text}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing that it holds is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ticks of the processor in which Linux counts, a second; the same on every architecture of today.
const TICKS: f64 = 100.0;

/// Seconds of processor that a process has used, all its threads together; and those of its children that have ended.
fn cpu_of(id: u32) -> Result<(f64, f64)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name stands in parentheses, and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("no stat")?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3).and_then(|text| text.parse::<f64>().ok());
    let [user, system, ended_user, ended_system] =
        [14, 15, 16, 17].map(|number| field(number).map(|ticks| ticks / TICKS).context("no stat"));
    Ok((user? + system?, ended_user? + ended_system?))
}

pub fn cpu(id: u32) -> Result<f64> {
    Ok(cpu_of(id)?.0)
}

/// The same of a process with all its children. A child that ends counts on with its parent, so this never falls.
pub fn cpu_of_family(parent: u32) -> Result<f64> {
    // The children first: one that ends in between may then count twice for a moment, but never not at all. In a
    // measurement that happens to no more than a worker of a few ticks.
    let children: f64 = children(parent)?.into_iter().filter_map(|id| cpu_of(id).ok()).map(|(own, _)| own).sum();
    let (own, ended) = cpu_of(parent)?;
    Ok(own + ended + children)
}

fn children(parent: u32) -> Result<Vec<u32>> {
    let text = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    Ok(text.split_whitespace().filter_map(|id| id.parse().ok()).collect())
}

/// The most memory that a process ever had, in bytes.
pub fn peak_memory(id: u32) -> Result<u64> {
    kilobytes(&fs::read_to_string(format!("/proc/{id}/status"))?, "VmHWM:").context("no VmHWM")
}

/// The memory of a process with all its children now, what they share counted once; none where Linux does not tell.
pub fn memory_of_family(parent: u32) -> Option<u64> {
    let share = |id: u32| kilobytes(&fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?, "Pss:");
    let own = share(parent)?;
    Some(own + children(parent).ok()?.into_iter().filter_map(share).sum::<u64>())
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// What the figures were measured on.
pub fn machine() -> String {
    let line = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        value.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = line("/proc/meminfo", "MemTotal");
    // Others at work make every time worthless, and even processor time a little longer.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!("{}, {cores} cores, {memory} of memory; load {load} before", line("/proc/cpuinfo", "model name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_in_proc() {
        let id = std::process::id();
        assert!(cpu(id).unwrap() >= 0.0);
        assert!(cpu_of_family(id).unwrap() >= cpu(id).unwrap());
        assert!(peak_memory(id).unwrap() > 100_000);
    }
}
