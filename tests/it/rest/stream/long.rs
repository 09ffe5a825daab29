//! A million rows as a stream, and readers who take their time. Only with `PROXBOX_TEST_LONG=1`; prints its figures.
use super::{CSV, NDJSON, SEEDS, insert};
use crate::cli::{Program, Running, seed_file};
use crate::rest::STORAGES;
use crate::service;
use crate::support::{ADMIN, TestDb, both};
use proxbox_graphql::db::Db;
use proxbox_graphql::entity::{netbox_cluster, storage};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const FEW: usize = 50_000;
const MANY: usize = 1_000_000;
/// Clusters that they belong to, 250 to each in the end.
const CLUSTERS: usize = 4_000;
/// Bytes by which the server may grow between few rows and many.
const GROWTH: u64 = 64 << 20;

fn is_long() -> bool {
    std::env::var_os("PROXBOX_TEST_LONG").is_some()
}

/// The seed, and clusters for many storages.
async fn seeded(program: &Program, db: &TestDb) -> Db {
    program.ok(&["load", &seed_file(&program.folder)]);
    // Making rows takes longer than requests may.
    let mut options = db.options.clone();
    options.statement_timeout = Duration::from_secs(600);
    let db = Db::connect(&options).await.unwrap();
    let columns = |column: &str| match column {
        "id" => "1000 + n".to_owned(),
        "name" | "display" => "'cluster-' || n".to_owned(),
        other => format!("s.{other}"),
    };
    insert::<netbox_cluster::Column>(&db, "netbox_cluster", CLUSTERS, columns, "s.id = 1").await;
    db
}

/// More storages, of the ids behind `from`.
async fn add(db: &Db, from: usize, count: usize) {
    let columns = |column: &str| match column {
        "id" => format!("1000 + {from} + n"),
        "cluster_id" => format!("1001 + n % {CLUSTERS}"),
        "name" => format!("'storage-' || ({from} + n)"),
        other => format!("s.{other}"),
    };
    insert::<storage::Column>(db, "proxmox_storage", count, columns, &format!("s.id = n % {} + 1", SEEDS - 1)).await;
    // What `load` and autovacuum do.
    service::execute(db, "ANALYZE").await;
}

/// A stream that is being read.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn begin(server: &Running, accept: &str) -> Self {
        let mut stream = server.connect();
        let request = format!(
            "GET {STORAGES} HTTP/1.1\r\nhost: proxbox.example.com\r\nauthorization: Token {ADMIN}\r\naccept: {accept}\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::with_capacity(64 << 10, stream);
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0 && line.starts_with("HTTP/1.1 200"), "{line}");
        while line != "\r\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0);
        }
        Self(reader)
    }

    /// Reads one of HTTP's chunks; how many lines end in it, none behind the last one.
    fn chunk(&mut self) -> Option<usize> {
        let mut size = String::new();
        assert!(self.0.read_line(&mut size).unwrap() > 0, "it was cut off");
        let mut left = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let (last, mut lines) = (left == 0, 0);
        while left > 0 {
            let bytes = self.0.fill_buf().unwrap();
            assert!(!bytes.is_empty(), "it was cut off");
            let part = &bytes[..left.min(bytes.len())];
            lines += part.iter().filter(|byte| **byte == b'\n').count();
            let taken = part.len();
            self.0.consume(taken);
            left -= taken;
        }
        self.0.read_exact(&mut [0; 2]).unwrap();
        (!last).then_some(lines)
    }
}

/// The most memory that the server ever had, in bytes.
fn peak(server: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

async fn memory_does_not_grow_with_rows(db: TestDb) {
    if !is_long() {
        return;
    }
    let program = Program::new(&db);
    let connection = seeded(&program, &db).await;
    let mut peaks = Vec::new();
    for (there, count) in [(0, FEW), (FEW, MANY)] {
        add(&connection, there, count - there).await;
        for (accept, head) in [(NDJSON, 0), (CSV, 1)] {
            // Each has a server of its own, since a peak is for ever.
            let server = program.serve(&[]);
            let begun = Instant::now();
            let mut stream = Stream::begin(&server, accept);
            let lines = std::iter::from_fn(|| stream.chunk()).sum::<usize>();
            let took = begun.elapsed().as_secs_f64();
            assert_eq!(lines, count + SEEDS + head);
            peaks.push(peak(&server));
            println!(
                "{:?}, {accept}: {count} rows in {took:.1} s, {:.0} rows/s, peak {} MiB",
                db.backend,
                count as f64 / took,
                peak(&server) >> 20
            );
        }
    }
    for (few, many) in [(peaks[0], peaks[2]), (peaks[1], peaks[3])] {
        assert!(many < few + GROWTH, "{few} bytes became {many}");
    }
    connection.close().await.unwrap();
}

/// Thirty readers who take a little now and then, and a writer among them.
async fn slow_readers_are_no_burden(db: TestDb) {
    const READERS: usize = 30;
    const LASTING: Duration = Duration::from_secs(60);
    if !is_long() {
        return;
    }
    let mut program = Program::new(&db);
    program.set("PROXBOX_WRITE_IDLE", "10").set("PROXBOX_REQUEST_TIMEOUT", "20");
    let connection = seeded(&program, &db).await;
    add(&connection, 0, 3 * FEW).await;
    let server = program.serve(&[]);
    let (over, begun) = (AtomicBool::new(false), Instant::now());
    let (taken, waits) = std::thread::scope(|scope| {
        let read = |number: usize| {
            let (server, over) = (&server, &over);
            let mut stream = Stream::begin(server, if number.is_multiple_of(2) { NDJSON } else { CSV });
            let mut space = vec![0; 32 << 10];
            let mut taken = 0;
            while !over.load(Ordering::Relaxed) {
                stream.0.read_exact(&mut space).expect("nobody who takes something is cut off");
                taken += space.len();
                std::thread::sleep(Duration::from_millis(500));
            }
            taken
        };
        let readers = (0..READERS).map(|number| scope.spawn(move || read(number))).collect::<Vec<_>>();
        let mut waits = Vec::new();
        while begun.elapsed() < LASTING {
            waits.push(write(&server, waits.len()));
            std::thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
        (readers.into_iter().map(|reader| reader.join().unwrap()).sum::<usize>(), waits)
    });
    let longest = waits.iter().max().unwrap();
    println!(
        "{:?}: {READERS} slow readers took {} MiB in {LASTING:?}; {} writes meanwhile, the longest {longest:?}; peak {} MiB",
        db.backend,
        taken >> 20,
        waits.len(),
        peak(&server) >> 20
    );
    // That every write was answered says that nobody blocks it; how long one takes depends on the machine.
    assert!(peak(&server) < 512 << 20);
    connection.close().await.unwrap();
}

/// Changes a row; how long that took.
fn write(server: &Running, number: usize) -> Duration {
    let begun = Instant::now();
    let body = format!("{{\"path\": \"/srv/{number}\"}}");
    let answer = server.request(&format!(
        "PATCH {STORAGES}1/ HTTP/1.1\r\nhost: x\r\nauthorization: Token {ADMIN}\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    begun.elapsed()
}

both!(memory_does_not_grow_with_rows, slow_readers_are_no_burden);
