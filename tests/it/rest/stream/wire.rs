//! Streams over real connections: readers that stall, dawdle or go away, and a database that fails in the middle.
use super::{CSV, NDJSON, SEEDS, insert};
use crate::cli::{Program, Running, seed_file};
use crate::rest::STORAGES;
use crate::service;
use crate::support::{ADMIN, Backend, TestDb, both};
use proxbox_graphql::db::Db;
use proxbox_graphql::entity::storage;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Rows of these tests; with what is long in each of them they are many times what sockets take unread.
const ROWS: usize = 6_000;
const LONG: usize = 3_000;

/// A database of long rows, and the program on it.
struct Scene {
    program: Program,
    db: Db,
}

impl Scene {
    async fn new(db: &TestDb) -> Self {
        let mut program = Program::new(db);
        program.set("PROXBOX_LOG", "info,sqlx=debug");
        program.ok(&["load", &seed_file(&program.folder)]);
        let connection = Db::connect(&db.options).await.unwrap();
        let columns = |column: &str| match column {
            "id" => "1000 + n".to_owned(),
            "name" => "'long-' || n".to_owned(),
            "raw_config" => format!("'{{\"long\": \"{}\"}}'", "x".repeat(LONG)),
            other => format!("s.{other}"),
        };
        insert::<storage::Column>(&connection, "proxmox_storage", ROWS, columns, "s.id = 1").await;
        Self { program, db: connection }
    }
}

/// Statements that read pages of storages, as the log tells.
fn pages(server: &Running) -> usize {
    let log = server.log();
    log.lines().filter(|line| line.contains("sqlx::query") && line.contains("raw_config")).count()
}

/// Somebody who reads a stream at their own pace.
struct Reader {
    stream: TcpStream,
    /// What came, as it came.
    bytes: Vec<u8>,
}

impl Reader {
    /// Asks, and takes nothing yet. The system keeps little for them.
    async fn ask(server: &Running, target: &str, accept: &str) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(128 << 10).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let request = format!(
            "GET {target} HTTP/1.1\r\nhost: proxbox.example.com\r\nauthorization: Token {ADMIN}\r\naccept: {accept}\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self { stream, bytes: Vec::new() }
    }

    /// Takes at most so many bytes; whether there is more to come.
    fn take(&mut self, most: usize) -> bool {
        let mut space = vec![0; most];
        match self.stream.read(&mut space) {
            Ok(0) => false,
            Ok(count) => {
                self.bytes.extend(&space[..count]);
                true
            }
            // The other side went away with something still to be sent.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Takes the first rows, until the head and some of the body are there.
    fn begin(&mut self) {
        while self.bytes.len() < 32 << 10 {
            assert!(self.take(8 << 10));
        }
        assert!(self.bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }

    /// Takes all that is left: the body, and whether it came to its end mark.
    fn finish(mut self) -> (String, bool) {
        while self.take(1 << 20) {}
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let (head, body) = self.bytes.split_at(end + 4);
        let head = String::from_utf8(head.to_vec()).unwrap().to_ascii_lowercase();
        assert!(head.contains("\r\ntransfer-encoding: chunked\r\n") && !head.contains("content-length"), "{head}");
        unchunked(body)
    }
}

/// The body in HTTP's chunks, as far as it came, and whether the last chunk is there.
fn unchunked(mut chunks: &[u8]) -> (String, bool) {
    let (mut body, mut whole) = (Vec::new(), false);
    while let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        let rest = &chunks[end + 2..];
        if length == 0 {
            assert_eq!(rest, b"\r\n", "nothing follows the end");
            whole = true;
            break;
        }
        body.extend(&rest[..length.min(rest.len())]);
        chunks = rest.get(length + 2..).unwrap_or_default();
    }
    (String::from_utf8(body).unwrap(), whole)
}

/// Waits until the server does nothing more for anybody; how many pages it has read.
fn settled(server: &Running) -> usize {
    let mut last = pages(server);
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = pages(server);
        if now == last {
            return now;
        }
        last = now;
    }
}

fn assert_healthy(server: &Running) {
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
}

async fn nobody_waits_for_a_reader_that_stalls(db: TestDb) {
    let scene = Scene::new(&db).await;
    let server = scene.program.serve(&[]);
    let mut reader = Reader::ask(&server, STORAGES, NDJSON).await;
    reader.begin();
    let read = settled(&server);
    assert!((1..=4).contains(&read), "{read} pages were read for somebody who took a few rows");
    let open = match db.backend {
        // Emptying the log needs that nobody reads.
        Backend::Sqlite => {
            let emptied = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
            scene.db.write.query_one_raw(emptied).await.unwrap().unwrap().try_get_by_index(0).unwrap()
        }
        Backend::Postgres => {
            let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND application_name = 'proxbox-graphql' AND pid <> pg_backend_pid() AND state <> 'idle'";
            service::number(&scene.db, open).await
        }
    };
    assert_eq!(open, 0, "no transaction is open between two pages");
    let begun = Instant::now();
    let body = "{\"content\": \"changed\"}";
    let answer = server.request(&format!(
        "PATCH {STORAGES}1/ HTTP/1.1\r\nhost: x\r\nauthorization: Token {ADMIN}\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"content\":\"changed\""), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let (body, whole) = reader.finish();
    assert!(whole);
    assert_eq!(body.lines().count(), ROWS + SEEDS);
    assert!(body.lines().all(|line| line.starts_with("{\"id\":") && line.ends_with('}')));
}

async fn who_hangs_up_stops_it(db: TestDb) {
    let scene = Scene::new(&db).await;
    let server = scene.program.serve(&[]);
    for accept in [NDJSON, CSV] {
        let mut reader = Reader::ask(&server, STORAGES, accept).await;
        reader.begin();
        let read = settled(&server);
        drop(reader);
        let after = settled(&server);
        // What was on its way to the client may have been taken for sent.
        assert!(after - read <= 1, "{} pages were read for nobody", after - read);
    }
    let read = settled(&server);
    assert!(read < ROWS / 1_000, "{read} pages are no part of two streams");
    assert_healthy(&server);
    let (body, whole) = Reader::ask(&server, &format!("{STORAGES}?fields=id"), NDJSON).await.finish();
    assert!(whole);
    assert_eq!(body.lines().count(), ROWS + SEEDS);
}

async fn who_takes_nothing_is_cut_off(db: TestDb) {
    let mut scene = Scene::new(&db).await;
    scene.program.set("PROXBOX_WRITE_IDLE", "1");
    let server = scene.program.serve(&[]);
    for accept in [NDJSON, CSV] {
        let mut reader = Reader::ask(&server, STORAGES, accept).await;
        reader.begin();
        let read = settled(&server);
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(pages(&server), read);
        let (body, whole) = reader.finish();
        assert!(!whole && body.lines().count() < ROWS, "{} rows", body.lines().count());
        assert_eq!(pages(&server), read, "it reads on for nobody");
    }
    assert_healthy(&server);
}

async fn who_takes_little_has_all_the_time(db: TestDb) {
    let mut scene = Scene::new(&db).await;
    scene.program.set("PROXBOX_WRITE_IDLE", "2").set("PROXBOX_REQUEST_TIMEOUT", "1");
    let server = scene.program.serve(&[]);
    let mut reader = Reader::ask(&server, STORAGES, NDJSON).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        assert!(reader.take(64 << 10), "it was cut off after {:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    let taken = reader.bytes.len();
    assert!(taken < ROWS * LONG, "{taken} bytes are all there is: this was not slow enough");
    let (body, whole) = reader.finish();
    assert!(whole);
    assert_eq!(body.lines().count(), ROWS + SEEDS);
}

async fn a_stream_that_breaks_is_visibly_broken(db: TestDb) {
    let scene = Scene::new(&db).await;
    let server = scene.program.serve(&[]);
    for accept in [NDJSON, CSV] {
        let mut reader = Reader::ask(&server, STORAGES, accept).await;
        reader.begin();
        settled(&server);
        service::execute(&scene.db, "ALTER TABLE proxmox_storage RENAME TO gone").await;
        let (body, whole) = reader.finish();
        assert!(!whole && body.lines().count() < ROWS, "{} rows", body.lines().count());
        // The line may be written a moment after the client saw the end.
        let soon = Instant::now() + Duration::from_secs(10);
        while !server.log().contains("a stream was cut") {
            assert!(Instant::now() < soon, "{}", server.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut broken = Reader::ask(&server, STORAGES, accept).await;
        while broken.take(1 << 10) {}
        assert!(broken.bytes.starts_with(b"HTTP/1.1 500 "), "what fails before the first row is an error");
        service::execute(&scene.db, "ALTER TABLE gone RENAME TO proxmox_storage").await;
    }
    assert_healthy(&server);
    let (body, whole) = Reader::ask(&server, &format!("{STORAGES}?fields=id"), NDJSON).await.finish();
    assert!(whole);
    assert_eq!(body.lines().count(), ROWS + SEEDS);
}

both!(
    nobody_waits_for_a_reader_that_stalls,
    who_hangs_up_stops_it,
    who_takes_nothing_is_cut_off,
    who_takes_little_has_all_the_time,
    a_stream_that_breaks_is_visibly_broken,
);
