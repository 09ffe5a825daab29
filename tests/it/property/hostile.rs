//! Rows and questions full of texts that break things elsewhere: through either door the rows are found for which plain
//! code says yes, and nothing fails.
use super::{cases, hold, one, same};
use crate::support::{ADMIN, Backend, Server, TestDb, both, fill};
use axum::body::Body;
use axum::http::{Request, header};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

both!(rest_filters_find_what_memory_finds, graphql_filters_find_what_memory_finds);

/// Metacharacters of SQL, of LIKE, of regular expressions and of JSON, quotes, marks that change the direction or join
/// the letter before, escapes as of surrogates, blanks of all kinds, and letters that fold in odd ways.
const PIECES: [&str; 78] = [
    "'",
    "''",
    "\"",
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "' OR '1'='1",
    "'; DROP TABLE setting; --",
    ") OR (1=1",
    "$1",
    "?1",
    ":a",
    "@a",
    "||",
    "0x27",
    "%",
    "_",
    "%%",
    "\\%",
    "\\_",
    "\\",
    "\\\\",
    "\\'",
    ".",
    ".*",
    "^",
    "$",
    "[",
    "]",
    "[[:alpha:]]",
    "(",
    ")",
    "(?i)",
    "(?:",
    "***=",
    "{2}",
    "a+",
    "\\d",
    "\\x41",
    "\\u0041",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\0",
    "{\"a\":1}",
    "[null]",
    "null",
    "true",
    "&amp;",
    "<b>",
    "%27",
    "%00",
    "+",
    "&",
    "#",
    "=",
    "e\u{301}",
    "é",
    "\u{301}",
    "\u{202e}",
    "\u{200f}",
    "\u{200d}",
    "\u{feff}",
    "\u{ffff}",
    "\u{10ffff}",
    "👩\u{200d}💻",
    "\u{a0}",
    "\u{2003}",
    "\t",
    "\n",
    "\r",
    "\u{85}",
    " ",
    "a",
    "A",
    "z",
    "Z",
];
const FOLDING: [&str; 19] =
    ["ß", "ẞ", "ss", "SS", "İ", "i\u{307}", "ı", "I", "i", "ς", "σ", "Σ", "ſ", "s", "S", "\u{212a}", "k", "K", "ǅ"];
/// The characters that the columns hold, and those of a text to look for as a part without regard to case.
const LONGEST: usize = 255;
const LONGEST_PATTERN: usize = 1_000;

fn text() -> BoxedStrategy<String> {
    let piece = prop_oneof![4 => select(PIECES.to_vec()), 2 => select(FOLDING.to_vec())];
    let long = (piece.clone(), select(vec![254usize, 255, 256, 999, 1_000, 1_001, 9_000]));
    prop_oneof![
        8 => vec(piece, 0..5).prop_map(|pieces| pieces.concat()),
        1 => long.prop_map(|(piece, times)| piece.repeat(times)),
        1 => any::<String>(),
    ]
    .boxed()
}

/// A row, as far as it is asked for.
#[derive(Clone, Debug)]
struct Row {
    id: i64,
    path: Option<String>,
    server: Option<String>,
}

impl Row {
    fn value(&self, field: &str) -> Option<&str> {
        if field == "path" { self.path.as_deref() } else { self.server.as_deref() }
    }
}

/// Rows in which each piece stands alone, and others of several.
fn rows() -> Vec<Row> {
    let stored = |text: &str| text.chars().filter(|c| *c != '\0').take(LONGEST).collect::<String>();
    let mut texts = PIECES.iter().chain(&FOLDING).map(|text| (*text).to_owned()).collect::<Vec<_>>();
    texts.extend(one(vec(text(), 60)).iter().map(|text| stored(text)));
    texts.push(String::new());
    let others = texts.iter().rev().cloned().collect::<Vec<_>>();
    let none = |i: usize, text: String| (i % 7 != 3).then_some(text);
    let row = |(i, (path, server))| Row { id: i as i64 + 1, path: none(i, path), server: none(i + 2, server) };
    texts.into_iter().zip(others).enumerate().map(row).collect()
}

struct Place {
    backend: Backend,
    server: Server,
    rows: Vec<Row>,
}

/// One question: does a field of a row stand in this relation to a text?
#[derive(Clone, Debug)]
struct Question {
    field: &'static str,
    how: How,
    fold: bool,
    negated: bool,
    operand: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Equal,
    Contains,
    StartsWith,
    EndsWith,
    Less,
    AtLeast,
}

/// Every character becomes its first lower-case one, as docs/filters.md says.
fn fold(text: &str) -> String {
    text.chars().map(|c| c.to_lowercase().next().unwrap()).collect()
}

impl Question {
    fn holds(&self, row: &Row) -> bool {
        let form = |text: &str| if self.fold { fold(text) } else { text.to_owned() };
        let operand = form(&self.operand);
        let holds = row.value(self.field).map(form).is_some_and(|own| match self.how {
            How::Equal => own == operand,
            How::Contains => own.contains(&operand),
            How::StartsWith => own.starts_with(&operand),
            How::EndsWith => own.ends_with(&operand),
            How::Less => own.as_bytes() < operand.as_bytes(),
            How::AtLeast => own.as_bytes() >= operand.as_bytes(),
        });
        holds != self.negated
    }

    fn is_refused(&self) -> bool {
        let part = [How::Contains, How::StartsWith, How::EndsWith].contains(&self.how);
        self.operand.contains('\0') || part && self.fold && self.operand.chars().count() > LONGEST_PATTERN
    }

    /// PostgreSQL folds these two in its own way, as docs/filters.md says.
    fn may_differ(&self, place: &Place) -> bool {
        place.backend == Backend::Postgres && self.fold && self.operand.contains(['İ', 'Σ'])
    }
}

impl Place {
    async fn new(db: &TestDb) -> Self {
        let mut rows = rows();
        if db.backend == Backend::Postgres {
            for row in &mut rows {
                for text in [&mut row.path, &mut row.server].into_iter().flatten() {
                    text.retain(|c| !['İ', 'Σ'].contains(&c));
                }
            }
        }
        let storage = |row: &Row| json!({"id": row.id, "cluster": 1, "name": format!("s{}", row.id), "path": row.path, "server": row.server});
        let token = json!({"name": "admin", "value": ADMIN, "permissions":
            [{"models": ["*"], "actions": ["view"], "constraints": null}]});
        let file = json!({
            "netbox_clusters": [{"id": 1, "name": "c", "display": "c"}],
            "proxmox_storages": rows.iter().map(storage).collect::<Vec<_>>(),
            "tokens": [token],
        });
        let app = db.open().await;
        fill(&app, &file.to_string()).await;
        Self { backend: db.backend, server: Server::new(app), rows }
    }

    /// Questions in these relations, about texts of the rows, parts of them in any case, and others.
    fn questions(&self, hows: &[How]) -> BoxedStrategy<Question> {
        let known = self.rows.iter().flat_map(|row| [row.path.clone(), row.server.clone()]).flatten();
        let part = (select(known.collect::<Vec<_>>()), any::<Index>(), 0..6usize, 0..4u8);
        let part = part.prop_map(|(text, from, length, case)| {
            let chars = text.chars().collect::<Vec<_>>();
            let from = from.index(chars.len() + 1);
            let part = if length == 0 { text } else { chars[from..].iter().take(length).collect() };
            [part.to_uppercase(), part.to_lowercase(), part.clone(), part][usize::from(case)].clone()
        });
        let nul = text().prop_map(|text| format!("{text}\0"));
        let operand = prop_oneof![8 => part, 6 => text(), 1 => nul];
        (select(vec!["path", "server"]), select(hows.to_vec()), any::<bool>(), any::<bool>(), operand)
            .prop_map(|(field, how, fold, negated, operand)| Question { field, how, fold, negated, operand })
            .boxed()
    }

    fn wanted(&self, holds: impl Fn(&Row) -> bool) -> Vec<i64> {
        self.rows.iter().filter(|row| holds(row)).map(|row| row.id).collect()
    }

    async fn rest(&self, name: &str, value: &str) -> (u16, Value) {
        let pairs = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let uri = format!("/api/plugins/proxbox/storage/?limit=1000&ordering=id&fields=id&{pairs}");
        let request =
            Request::get(uri).header(header::HOST, "x").header(header::AUTHORIZATION, format!("Token {ADMIN}"));
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        (answer.status.as_u16(), answer.json())
    }
}

fn ids(rows: &Value, name: &str) -> Vec<i64> {
    let mut ids = rows.as_array().unwrap().iter().map(|row| row[name].as_i64().unwrap()).collect::<Vec<_>>();
    ids.sort_unstable();
    ids
}

/// REST's names: blanks around a value do not count, and a value that is nothing then asks nothing.
async fn rest_filters_find_what_memory_finds(db: TestDb) {
    let place = Place::new(&db).await;
    let asked = place.questions(&[How::Equal, How::Contains, How::StartsWith, How::EndsWith]);
    hold(cases(300), (asked, any::<bool>()), async |(mut question, regex)| {
        let value = question.operand.clone();
        question.operand = value.trim().to_owned();
        let suffix = match (question.how, question.fold) {
            (How::Equal, false) => "",
            (How::Equal, true) => "ie",
            (How::Contains, _) => "ic",
            (How::StartsWith, _) => "isw",
            _ => "iew",
        };
        question.fold |= question.how != How::Equal;
        let mut name = format!("{}__{}{suffix}", question.field, if question.negated { "n" } else { "" });
        let mut value = value;
        if regex {
            // The same as a regular expression, which does not fold here.
            (question.how, question.fold, question.negated) = (How::Contains, false, false);
            (name, value) = (format!("{}__regex", question.field), regex::escape(&question.operand));
        }
        let name = name.trim_end_matches('_');
        let (status, body) = place.rest(name, &value).await;
        let told = format!("{name}={value:?}: {status} {body}");
        let null = question.how == How::Equal && !question.fold && question.operand == "null";
        let refused = question.is_refused() || regex && value.chars().count() > LONGEST_PATTERN;
        if question.operand.is_empty() {
            return same(&told, ids(&body["results"], "id"), place.wanted(|_| true));
        }
        if refused {
            return same(&told, (status, body[name].is_array()), (400, true));
        }
        if question.may_differ(&place) {
            return same(&told, status, 200);
        }
        let holds = |row: &Row| {
            if null { row.value(question.field).is_none() != question.negated } else { question.holds(row) }
        };
        same(&told, status, 200)?;
        same(&told, ids(&body["results"], "id"), place.wanted(holds))
    });
}

async fn graphql_filters_find_what_memory_finds(db: TestDb) {
    let place = Place::new(&db).await;
    let hows = [How::Equal, How::Contains, How::StartsWith, How::EndsWith, How::Less, How::AtLeast];
    hold(cases(300), (place.questions(&hows), any::<bool>()), async |(question, listed)| {
        let how = match question.how {
            How::Equal if listed => "in",
            How::Equal => "eq",
            How::Contains => "contains",
            How::StartsWith => "startsWith",
            How::EndsWith => "endsWith",
            How::Less => "lt",
            How::AtLeast => "gte",
        };
        let operand = if how == "in" { json!([question.operand, question.operand]) } else { json!(question.operand) };
        let mut filter = json!({question.field: {how: operand, "ignoreCase": question.fold}});
        if question.negated {
            filter = json!({"not": filter});
        }
        let query =
            "query($f: ProxmoxStorageFilter) { proxmoxStorages(filter: $f, first: 1000) { nodes { databaseId } } }";
        let answer = place.server.ask_as(ADMIN, query, json!({"f": filter})).await.json();
        let told = format!("{filter}: {answer}");
        if question.is_refused() {
            return same(&told, answer["errors"][0]["extensions"]["code"].as_str(), Some("BAD_USER_INPUT"));
        }
        same(&told, answer["errors"].is_null(), true)?;
        if question.may_differ(&place) {
            return Ok(());
        }
        let found = ids(&answer["data"]["proxmoxStorages"]["nodes"], "databaseId");
        same(&told, found, place.wanted(|row| question.holds(row)))
    });
}
