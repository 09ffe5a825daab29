//! Lists as NDJSON and CSV: the same rows as in JSON, over many pages, and what that costs.
mod long;
mod wire;

use super::{Call, LISTS, STORAGES, get, text_of};
use crate::support::{Server, TestDb, both, limits};
use proxbox_graphql::db::Db;
use proxbox_graphql::entity::storage;
use proxbox_graphql::rest::PageSizes;
use proxbox_graphql::server::RequestLimits;
use sea_orm::{IdenStatic, Iterable};
use serde_json::Value;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// The token of the seed that sees the storages of one cluster only.
const CONSTRAINED: &str = "8888888888888888888888888888888888888888";

/// Rows of the seed that `multiply` repeats.
const SEEDS: usize = 25;

/// Repeats the seed's storages under other names, below its clusters; some are tagged, some hold what is harmful in
/// tables. By one statement, since loading as many takes a hundred times as long.
async fn multiply(db: &Db, count: usize) {
    let columns = |column: &str| {
        match column {
        "id" => "1000 + n".to_owned(),
        "name" => "s.name || '-' || n".to_owned(),
        "content" => {
            "CASE n % 8 WHEN 0 THEN '=1+1' WHEN 1 THEN '-x' WHEN 2 THEN '+49' WHEN 3 THEN '@x' WHEN 4 THEN 'a,\"b\"\nc' \
             WHEN 5 THEN NULL ELSE s.content END"
                .to_owned()
        }
        other => format!("s.{other}"),
    }
    };
    insert::<storage::Column>(db, "proxmox_storage", count, columns, &format!("s.id = n % {SEEDS} + 1")).await;
    let tagging = "INSERT INTO tag_assignment (tag_id, object_type, object_id) \
         SELECT t.id, 'proxmox_storage', s.id FROM proxmox_storage s, tag t WHERE s.id > 1000 AND s.id % (t.id + 1) = 0";
    crate::service::execute(db, tagging).await;
}

/// As many rows as are wanted, made of those that are there: `n` counts them, `s` is the row that is repeated.
async fn insert<C: Iterable + IdenStatic>(
    db: &Db,
    table: &str,
    count: usize,
    columns: impl Fn(&str) -> String,
    repeated: &str,
) {
    let names = C::iter().map(|column| column.as_str().to_owned()).collect::<Vec<_>>();
    let values = names.iter().map(|name| columns(name)).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT INTO {table} ({}) WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count}) \
         SELECT {values} FROM series, {table} s WHERE {repeated}",
        names.join(", ")
    );
    crate::service::execute(db, &sql).await;
}

/// A server on the seed and as many storages more.
async fn server_of(db: &TestDb, more: usize) -> Server {
    let app = db.seeded().await;
    multiply(&app.db, more).await;
    Server::new(app)
}

/// A question with one more parameter.
fn and(question: &str, parameter: &str) -> String {
    let sign = if question.contains('?') { '&' } else { '?' };
    format!("{question}{sign}{parameter}")
}

/// All rows of a question in JSON: page after page, as `next` leads.
async fn by_pages(server: &Server, call: impl Fn(&str) -> Call, question: &str) -> Vec<Value> {
    let mut next = and(question, "limit=1000");
    let mut rows = Vec::new();
    loop {
        let page = call(&next).json_of(server, 200).await;
        rows.extend(page["results"].as_array().unwrap().iter().cloned());
        let Some(link) = page["next"].as_str() else { return rows };
        next = link.strip_prefix("http://proxbox.example.com").unwrap().to_owned();
    }
}

/// The answer to a question in another form.
async fn streamed(server: &Server, call: Call, accept: &str) -> String {
    let answer = call.with("accept", accept).send(server).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    assert!(text_of(&answer, "content-type").starts_with(accept));
    String::from_utf8(answer.bytes).unwrap()
}

/// Holds a stream of lines against rows, down to the order of keys.
fn assert_lines(text: &str, rows: &[Value], question: &str) {
    assert!(text.is_empty() || text.ends_with('\n'), "{question}");
    let lines = text.lines().collect::<Vec<_>>();
    assert_eq!(lines.len(), rows.len(), "{question}");
    for (line, row) in lines.iter().zip(rows) {
        assert_eq!(*line, row.to_string(), "{question}");
    }
}

/// Holds a table against rows.
fn assert_table(text: &str, rows: &[Value], question: &str) {
    let mut table = csv::ReaderBuilder::new().terminator(csv::Terminator::CRLF).from_reader(text.as_bytes());
    let head = table.headers().unwrap().clone();
    if let Some(row) = rows.first() {
        assert_eq!(head.iter().collect::<Vec<_>>(), row.as_object().unwrap().keys().collect::<Vec<_>>(), "{question}");
    }
    let records = table.records().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(records.len(), rows.len(), "{question}");
    for (record, row) in records.iter().zip(rows) {
        let cells = row.as_object().unwrap().values().map(cell).collect::<Vec<_>>();
        assert_eq!(record.iter().collect::<Vec<_>>(), cells, "{question}");
    }
}

/// What a table shows of a value, as docs/rest-compatibility.md has it.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(nested) if nested.contains_key("url") => nested["display"].as_str().unwrap().to_owned(),
        Value::Object(choice) if choice.contains_key("label") => choice["value"].as_str().unwrap().to_owned(),
        Value::Array(tags) if tags.iter().all(|tag| tag.get("slug").is_some()) => {
            tags.iter().map(|tag| tag["slug"].as_str().unwrap()).collect::<Vec<_>>().join(",")
        }
        other => return other.to_string(),
    };
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

async fn a_stream_is_all_pages_in_the_same_order(db: TestDb) {
    let server = server_of(&db, 1_300).await;
    let questions = [
        "",
        "?ordering=-name",
        "?ordering=storage_type,-id",
        "?ordering=-content",
        "?ordering=-cluster,shared",
        "?enabled=true&ordering=-id",
        "?name__isw=local&name__n=local",
        "?tag=prod",
        "?fields=name,tags,id",
        "?omit=raw_config,custom_fields,cluster&ordering=cluster",
        "?brief=true",
        "?offset=300",
        "?offset=24&ordering=-id&shared=true",
        "?offset=90000",
        "?start=1200",
    ];
    for question in questions {
        let question = format!("{STORAGES}{question}");
        let rows = by_pages(&server, get, &question).await;
        assert_lines(&streamed(&server, get(&question), NDJSON).await, &rows, &question);
        assert_table(&streamed(&server, get(&question), CSV).await, &rows, &question);
    }
    assert_eq!(by_pages(&server, get, STORAGES).await.len(), 1_300 + SEEDS);
}

async fn a_stream_holds_what_one_may_view(db: TestDb) {
    let server = server_of(&db, 3_400).await;
    let call = |target: &str| get(target).by(CONSTRAINED);
    for question in [STORAGES.to_owned(), format!("{STORAGES}?ordering=-name&offset=10&fields=id,name,cluster")] {
        let rows = by_pages(&server, call, &question).await;
        assert!(rows.len() > 1_000 && rows.len() < 2_000, "{} are more than a page, and not all", rows.len());
        assert!(rows.iter().all(|row| row["cluster"]["name"] == "prod-cluster"));
        assert_lines(&streamed(&server, call(&question), NDJSON).await, &rows, &question);
        assert_table(&streamed(&server, call(&question), CSV).await, &rows, &question);
    }
    for accept in [NDJSON, CSV] {
        let refused = get(STORAGES).by("2222222222222222222222222222222222222222").with("accept", accept);
        assert_eq!(refused.json_of(&server, 403).await["detail"], "You do not have permission to perform this action.");
    }
}

async fn every_list_streams(db: TestDb) {
    let server = db.server().await;
    for list in LISTS {
        let rows = by_pages(&server, get, list).await;
        assert!(!rows.is_empty());
        assert_lines(&streamed(&server, get(list), NDJSON).await, &rows, list);
        assert_table(&streamed(&server, get(list), CSV).await, &rows, list);
        let nothing = format!("{list}?id=0");
        assert_eq!(streamed(&server, get(&nothing), NDJSON).await, "");
        let table = streamed(&server, get(&nothing), CSV).await;
        assert_eq!(table.matches("\r\n").count(), 1, "only its head: {table}");
        let head = rows[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",");
        assert_eq!(table, format!("{head}\r\n"));
    }
}

async fn limits_hold_for_streams(db: TestDb) {
    let app = db.seeded().await;
    multiply(&app.db, 2_500).await;
    let mut uncapped = limits();
    uncapped.rest.pages = PageSizes { default: 50, largest: 0 };
    let (capped, uncapped) = (Server::new(app.clone()), Server::within(app, RequestLimits { ..uncapped }));
    let all = by_pages(&capped, get, STORAGES).await;
    for (server, limit, expected) in [
        (&capped, 1, 1),
        (&capped, 999, 999),
        (&capped, 1_000, 1_000),
        (&capped, 5_000, 1_000),
        (&capped, 0, 1_000),
        (&uncapped, 1_001, 1_001),
        (&uncapped, 2_000, 2_000),
        (&uncapped, 90_000, all.len()),
        (&uncapped, 0, all.len()),
    ] {
        let question = format!("{STORAGES}?limit={limit}");
        assert_lines(&streamed(server, get(&question), NDJSON).await, &all[..expected], &question);
    }
    let question = format!("{STORAGES}?limit=1500&offset=200");
    assert_table(&streamed(&uncapped, get(&question), CSV).await, &all[200..1_700], &question);
    assert_lines(&streamed(&uncapped, get(&question), NDJSON).await, &all[200..1_700], &question);
}

async fn tables_are_harmless_files(db: TestDb) {
    let server = server_of(&db, 50).await;
    let answer = get(&format!("{STORAGES}?ordering=id&fields=id,cluster,content,tags,port&start=1001"));
    let answer = answer.with("accept", "text/csv").send(&server).await;
    // `start` orders by id itself.
    assert_eq!(answer.status, 400);
    let question = format!("{STORAGES}?fields=id,cluster,content,tags,port&start=1001&limit=8");
    let answer = get(&question).with("accept", "text/csv").send(&server).await;
    assert_eq!(text_of(&answer, "content-type"), "text/csv; charset=utf-8");
    assert_eq!(text_of(&answer, "content-disposition"), "attachment; filename=\"storage.csv\"");
    assert_eq!(text_of(&answer, "x-content-type-options"), "nosniff");
    let expected = [
        "id,cluster,content,port,tags",
        "1001,prod-cluster,'-x,,",
        "1002,prod-cluster,'+49,2049,\"test-env,prod\"",
        "1003,prod-cluster,'@x,445,",
        "1004,prod-cluster,\"a,\"\"b\"\"\nc\",,\"prod,unicode\"",
        "1005,prod-cluster,,,test-env",
        "1006,prod-cluster,backup,8007,prod",
        "1007,prod-cluster,,8007,",
        "1008,lab-cluster,'=1+1,,\"test-env,prod,unicode\"",
        "",
    ];
    assert_eq!(String::from_utf8(answer.bytes).unwrap(), expected.join("\r\n"));
}

async fn statements_grow_with_pages_only(db: TestDb) {
    let app = db.seeded().await;
    multiply(&app.db, 3_500).await;
    let mut limits = limits();
    limits.rest.pages.largest = 0;
    let server = Server::within(app, limits);
    streamed(&server, get(STORAGES), NDJSON).await;
    for accept in [NDJSON, CSV] {
        let count = async |limit: usize| {
            let question = get(&format!("{STORAGES}?limit={limit}"));
            server.statements_of(async || drop(streamed(&server, question, accept).await)).await
        };
        let one = count(1_000).await;
        assert_eq!(count(100).await, one, "rows of a page cost no statement");
        let more = count(2_000).await - one;
        assert!(more <= 3, "{more} statements a page: its rows, their clusters, their tags");
        assert_eq!(count(3_000).await, one + 2 * more);
        assert_eq!(count(0).await, one + 3 * more);
    }
}

both!(
    a_stream_is_all_pages_in_the_same_order,
    a_stream_holds_what_one_may_view,
    every_list_streams,
    limits_hold_for_streams,
    tables_are_harmless_files,
    statements_grow_with_pages_only,
);
