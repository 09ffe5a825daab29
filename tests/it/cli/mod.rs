//! The program as people and service managers run it: a process with a clean environment in a folder of its own.
mod checks;
mod data;
mod endpoints;
mod netbox;
mod options;
mod secrets;
mod serving;
mod sync;
mod tokens;

use crate::support::{Backend, TestDb};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const KEY: &str = "canary-key-of-the-program, and long enough";

/// The program with a database of its own.
pub struct Program {
    pub folder: PathBuf,
    pub env: Vec<(String, String)>,
}

pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new(db: &TestDb) -> Self {
        let mut program = Self::bare(db.folder.path());
        program.set("PROXBOX_DATABASE_URL", &db.options.url);
        program.set("PROXBOX_SECRET_KEY", KEY).set("PROXBOX_LISTEN", "127.0.0.1:0");
        // The seed's endpoints are made up, and nobody's to ask.
        program.set("PROXBOX_SYNC_INTERVAL", "0");
        program
    }

    /// Without a single variable.
    pub fn bare(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), env: Vec::new() }
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.unset(name);
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxbox-graphql"));
        command.args(arguments).current_dir(&self.folder).env_clear().envs(self.env.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // Who does not read it closes it.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        let output = child.wait_with_output().unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must succeed; its answer.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.ok_with(arguments, "")
    }

    #[track_caller]
    pub fn ok_with(&self, arguments: &[&str], stdin: &str) -> String {
        let output = self.run_with(arguments, stdin);
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.stderr);
        output.stdout
    }

    /// Runs a command that must fail; what it says on stderr.
    #[track_caller]
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        self.fails_with(code, arguments, "")
    }

    #[track_caller]
    pub fn fails_with(&self, code: i32, arguments: &[&str], stdin: &str) -> String {
        let output = self.run_with(arguments, stdin);
        assert_eq!(output.code, Some(code), "{arguments:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
        output.stderr
    }

    /// Starts `serve`, which must be told of a free port, and waits until it listens.
    pub fn serve(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(&[&["serve"], arguments].concat()).spawn().unwrap();
        let (stdout, stderr) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
        let begun = Instant::now();
        let address = loop {
            let log = format!("{}{}", stdout.lock().unwrap(), stderr.lock().unwrap());
            let found = log.split_once("http://").map(|(_, rest)| rest.split('/').next().unwrap().to_owned());
            if let Some(address) = found.filter(|_| log.contains("/graphiql") || log.contains("/api/docs")) {
                break address.parse().unwrap();
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended: {log}");
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not listen: {log}");
            std::thread::sleep(Duration::from_millis(5));
        };
        Running { child, address, stdout, stderr }
    }
}

/// What a process writes, as far as it came.
fn collect(from: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let writer = text.clone();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(from);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|count| count > 0) {
            writer.lock().unwrap().push_str(&std::mem::take(&mut line));
        }
    });
    text
}

/// A server that runs, and is killed with the test at the latest.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    pub stdout: Arc<Mutex<String>>,
    pub stderr: Arc<Mutex<String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// The whole answer to a request, headers included.
    pub fn request(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address))
    }

    pub fn graphql(&self, token: &str, query: &str) -> String {
        self.request(&graphql(token, query, "connection: close\r\n"))
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("/bin/sh").args(["-c", "kill -s $0 $1", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end; the exit code, none when a signal killed it.
    pub fn end(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }
}

pub fn graphql(token: &str, query: &str, headers: &str) -> String {
    let body = serde_json::json!({"query": query}).to_string();
    let keyword = if token.starts_with("nbt_") { "Bearer" } else { "Token" };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: proxbox.example.com\r\ncontent-type: application/json\r\n\
         authorization: {keyword} {token}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn seed_file(folder: &Path) -> String {
    let path = folder.join("seed.json");
    std::fs::write(&path, crate::support::SEED).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Takes all tables away from a PostgreSQL database; SQLite's file is not there yet.
pub async fn without_tables(db: &TestDb) {
    use sea_orm::ConnectionTrait;
    if db.backend == Backend::Postgres {
        let connection = proxbox_graphql::db::Db::connect(&db.options).await.unwrap();
        connection.write.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        connection.close().await.unwrap();
    }
}
