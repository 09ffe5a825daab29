//! A server that is killed in the middle of writing: what it acknowledged is there, nothing is there by half, and the
//! change log tells the same as the rows.
//!
//! One short round in a usual run, twenty with `PROXBOX_TEST_LONG=1`; those print their figures.
use crate::cli::{Program, graphql, seed_file};
use crate::support::{ADMIN, Backend, TestDb, both};
use proxbox_graphql::db::Db;
use proxbox_graphql::entity::{Action, change, storage};
use proxbox_graphql::service::change::document;
use rand::random_range;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

both!(a_killed_server_keeps_what_it_acknowledged);

const CLIENTS: usize = 16;
/// Rows that a client may have at most.
const NAMES: usize = 30;

/// What a write makes of rows: their marks, none where a row goes. All of it or nothing.
type Effects = BTreeMap<String, Option<u64>>;

/// Somebody who keeps writing rows of their own, one request after the other.
#[derive(Debug, Default)]
struct Client {
    number: usize,
    /// The rows that were acknowledged: id and mark.
    rows: BTreeMap<String, (i64, u64)>,
    /// What the last request asks for, as long as nobody answered.
    pending: Effects,
    marks: u64,
    acknowledged: usize,
    unanswered: usize,
}

/// A write: the field with its arguments, what to select, its effects, and the rows in the order of the answer.
struct Request {
    field: &'static str,
    input: String,
    effects: Effects,
    rows: Vec<String>,
}

impl Client {
    /// Writes until nobody answers.
    fn write_on(&mut self, address: SocketAddr, answers: &AtomicUsize) {
        loop {
            let request = self.request();
            self.pending = request.effects.clone();
            let Some(answer) = send(address, &request.document()) else {
                self.unanswered += 1;
                return;
            };
            self.acknowledge(&request, &answer);
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes what an answer promises.
    fn acknowledge(&mut self, request: &Request, answer: &Value) {
        assert!(answer.get("errors").is_none(), "{answer}\n{}", request.input);
        let answer = &answer["data"][request.field];
        let one = [answer.clone()];
        let results = answer["results"].as_array().map_or(&one[..], Vec::as_slice);
        for (name, result) in request.rows.iter().zip(results) {
            match request.effects.get(name) {
                Some(Some(mark)) => {
                    assert_eq!(result["userErrors"], json!([]), "{}", request.input);
                    let id = result["proxmoxStorage"]["databaseId"].as_i64().unwrap();
                    self.rows.insert(name.clone(), (id, *mark));
                }
                Some(None) => {
                    assert_eq!(result["userErrors"], json!([]), "{}", request.input);
                    self.rows.remove(name).unwrap();
                }
                // It was wrong, or went down with one that was.
                None => assert!(result["proxmoxStorage"].is_null(), "{result}"),
            }
        }
        self.pending.clear();
        self.acknowledged += 1;
    }

    fn request(&mut self) -> Request {
        let known = self.rows.len();
        match random_range(0..9) {
            0 if known < NAMES => self.give("createProxmoxStorage", 1, true),
            1 => self.give("upsertProxmoxStorage", 1, false),
            2 | 3 if known > 0 => self.update("updateProxmoxStorage", 1),
            4 if known > 0 => self.delete("deleteProxmoxStorage", 1),
            5 if known + 6 < NAMES => self.give("createProxmoxStorages", 6, true),
            6 if known > 5 => self.update("updateProxmoxStorages", 5),
            7 if known > 5 => self.delete("deleteProxmoxStorages", 4),
            _ => self.give("upsertProxmoxStorages", 6, false),
        }
    }

    /// Names of so many rows, each once, in any order.
    fn names(&self, count: usize, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let all = (0..NAMES).map(|row| format!("storm-{}-{row}", self.number));
        let mut names = all.filter(|name| wanted(name)).collect::<Vec<_>>();
        while names.len() > count {
            names.swap_remove(random_range(0..names.len()));
        }
        names
    }

    fn mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    /// Makes rows, or updates those that are there. Some requests of several hold an item that cannot be done, which
    /// takes the others along or leaves them alone.
    fn give(&mut self, field: &'static str, count: usize, new: bool) -> Request {
        let mut rows = self.names(count, |name| !new || !self.rows.contains_key(name));
        let (mut items, mut effects) = (Vec::new(), Effects::new());
        for name in &rows {
            let mark = self.mark();
            items.push(format!(
                "{{cluster: {}, name: \"{name}\", customFields: {{mark: {mark}}}}}",
                self.number % 3 + 1
            ));
            effects.insert(name.clone(), Some(mark));
        }
        let mut mode = "ALL_OR_NOTHING";
        if count > 1 && random_range(0..4) == 0 {
            items.push("{cluster: 999999, name: \"nowhere\"}".to_owned());
            rows.push("nowhere".to_owned());
            match random_range(0..2) {
                0 => effects.clear(),
                _ => mode = "BEST_EFFORT",
            }
        }
        Request { field, input: input(count, &items, mode), effects, rows }
    }

    fn update(&mut self, field: &'static str, count: usize) -> Request {
        let rows = self.names(count, |name| self.rows.contains_key(name));
        let (mut items, mut effects) = (Vec::new(), Effects::new());
        for name in &rows {
            let (mark, id) = (self.mark(), self.rows[name].0);
            items.push(format!("{{id: {id}, customFields: {{mark: {mark}}}}}"));
            effects.insert(name.clone(), Some(mark));
        }
        Request { field, input: input(count, &items, "ALL_OR_NOTHING"), effects, rows }
    }

    fn delete(&self, field: &'static str, count: usize) -> Request {
        let rows = self.names(count, |name| self.rows.contains_key(name));
        let ids = rows.iter().map(|name| self.rows[name].0.to_string()).collect::<Vec<_>>();
        let input = if count == 1 { format!("id: {}", ids[0]) } else { format!("ids: [{}]", ids.join(", ")) };
        let effects = rows.iter().map(|name| (name.clone(), None)).collect();
        Request { field, input: format!("{{{input}}}"), effects, rows }
    }

    /// Holds the rows that are there against what was acknowledged; what nobody answered is there as a whole or not
    /// at all.
    fn check(&mut self, found: BTreeMap<String, (i64, u64)>) {
        let mut done = self.rows.iter().map(|(name, (_, mark))| (name.clone(), *mark)).collect::<BTreeMap<_, _>>();
        let lost = done.clone();
        for (name, mark) in std::mem::take(&mut self.pending) {
            match mark {
                Some(mark) => drop(done.insert(name, mark)),
                None => drop(done.remove(&name)),
            }
        }
        let marks = found.iter().map(|(name, (_, mark))| (name.clone(), *mark)).collect::<BTreeMap<_, _>>();
        assert!(
            marks == done || marks == lost,
            "client {}: {marks:?}\nwith the last {done:?}\nor {lost:?}",
            self.number
        );
        for (name, (id, mark)) in &self.rows {
            let now = found.get(name).filter(|now| now.1 == *mark);
            assert!(now.is_none_or(|now| now.0 == *id), "{name} is another row");
        }
        self.rows = found;
    }
}

fn input(count: usize, items: &[String], mode: &str) -> String {
    if count == 1 { items[0].clone() } else { format!("{{mode: {mode}, items: [{}]}}", items.join(", ")) }
}

impl Request {
    fn document(&self) -> String {
        let one = match self.field {
            field if field.starts_with("delete") => "userErrors { code }",
            _ => "proxmoxStorage { databaseId } userErrors { code }",
        };
        let selection = if self.field.ends_with('s') { format!("results {{ {one} }}") } else { one.to_owned() };
        format!("mutation {{ {}(input: {}) {{ {selection} }} }}", self.field, self.input)
    }
}

/// The answer to a request; none when the server is gone before it came as a whole.
fn send(address: SocketAddr, document: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    stream.write_all(graphql(ADMIN, document, "connection: close\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// Waits until the database has done what the killed server had sent it.
async fn settled(db: &TestDb, own: &Db) {
    if db.backend == Backend::Postgres {
        let others = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'";
        while crate::service::number(own, others).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The rows of the storm; checks that the log tells the same.
async fn rows_and_log(db: &Db, seed: &BTreeSet<i32>) -> (Vec<storage::Model>, i64) {
    let log = change::Entity::find().order_by_asc(change::Column::Revision).order_by_asc(change::Column::Ordinal);
    let (mut newest, mut last) = (BTreeMap::new(), (0, 0));
    for change in log.all(&db.read).await.unwrap() {
        let next = (change.revision, i64::from(change.ordinal));
        assert!(next == (last.0, last.1 + 1) || next == (last.0 + 1, 0), "{next:?} follows {last:?}");
        last = next;
        if change.object_type.as_deref() == Some("proxmox_storage") {
            newest.insert(change.object_id.unwrap(), change);
        }
    }
    assert_eq!(crate::service::number(db, "SELECT value FROM revision").await, last.0);
    let rows = storage::Entity::find().all(&db.read).await.unwrap();
    let rows = rows.into_iter().filter(|row| !seed.contains(&row.id)).collect::<Vec<_>>();
    for row in &rows {
        let newest = newest.remove(&row.id).unwrap_or_else(|| panic!("no change tells of storage {}", row.id));
        assert_eq!(newest.after.map(|after| after.0), Some(document(row, &[])), "{} {:?}", row.name, newest.action);
    }
    for (id, change) in newest {
        assert_eq!(change.action, Action::Deleted, "storage {id} is gone, and no change tells it");
    }
    (rows, last.0)
}

async fn a_killed_server_keeps_what_it_acknowledged(db: TestDb) {
    let long = std::env::var_os("PROXBOX_TEST_LONG").is_some();
    let rounds = if long { 20 } else { 1 };
    let program = Program::new(&db);
    program.ok(&["load", &seed_file(&program.folder)]);
    let onlooker = Db::connect(&db.options).await.unwrap();
    let seed = storage::Entity::find().all(&onlooker.read).await.unwrap().iter().map(|row| row.id).collect();
    let mut clients = (0..CLIENTS).map(|number| Client { number, ..Client::default() }).collect::<Vec<_>>();
    let mut server = program.serve(&[]);
    let mut revisions = 0;
    for _ in 0..rounds {
        let (address, answers) = (server.address, &AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let writers = clients.iter_mut().map(|client| scope.spawn(move || client.write_on(address, answers)));
            let writers = writers.collect::<Vec<_>>();
            // Not before it is under way.
            while answers.load(Ordering::Relaxed) < CLIENTS && !writers.iter().any(|writer| writer.is_finished()) {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(random_range(50..=800)));
            server.signal("KILL");
        });
        assert_eq!(server.end(), None);
        settled(&db, &onlooker).await;
        server = program.serve(&[]);
        let (rows, newest) = rows_and_log(&onlooker, &seed).await;
        assert!(newest >= revisions);
        revisions = newest;
        let mut found = vec![BTreeMap::new(); CLIENTS];
        for row in rows {
            let mark = row.custom_fields.0["mark"].as_u64().unwrap();
            let client = row.name.split('-').nth(1).unwrap().parse::<usize>().unwrap();
            found[client].insert(row.name, (i64::from(row.id), mark));
        }
        for (client, found) in clients.iter_mut().zip(found) {
            client.check(found);
        }
    }
    let sum = |of: fn(&Client) -> usize| clients.iter().map(of).sum::<usize>();
    let (acknowledged, unanswered) = (sum(|client| client.acknowledged), sum(|client| client.unanswered));
    println!(
        "{:?}: killed {rounds} times, {acknowledged} writes acknowledged, {unanswered} unanswered, {} rows stand, {revisions} revisions",
        db.backend,
        sum(|client| client.rows.len()),
    );
    assert!(acknowledged >= rounds * CLIENTS, "{acknowledged} writes are no storm");
    onlooker.close().await.unwrap();
}
