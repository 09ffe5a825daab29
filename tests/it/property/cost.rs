//! The cost that is counted before a query runs: never below the rows of connections that it returns.
use super::data::{Seen, world};
use super::{Verdict, cases, hold, one, same};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use proxbox_graphql::entity::Kind;
use proxbox_graphql::graphql::limits::Limits;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

const SDL: &str = include_str!("../../../schema.graphql");

/// The object and interface types of the schema, each with its fields that have fields, and what may stand for it.
struct Schema {
    fields: BTreeMap<String, Vec<FieldDefinition>>,
    possible: BTreeMap<String, Vec<String>>,
}

fn named(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(item) => (named(item).0, true),
    }
}

impl Schema {
    fn read() -> Self {
        let (mut fields, mut possible) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for definition in parse_schema(SDL).unwrap().definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.to_string();
            let own = match ty.node.kind {
                TypeKind::Object(object) => {
                    for interface in object.implements {
                        possible.entry(interface.to_string()).or_default().push(name.clone());
                    }
                    object.fields
                }
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            fields.insert(name, own.into_iter().map(|field| field.node).collect::<Vec<_>>());
        }
        let composite = fields.keys().cloned().collect::<BTreeSet<_>>();
        for own in fields.values_mut() {
            own.retain(|field| composite.contains(named(&field.ty.node).0));
        }
        Self { fields, possible }
    }

    /// Whether one can get from this type to a connection.
    fn leads_to_connections(&self, ty: &str) -> bool {
        let (mut seen, mut left) = (BTreeSet::new(), vec![ty]);
        while let Some(ty) = left.pop() {
            if ty.ends_with("Connection") {
                return true;
            }
            if seen.insert(ty) {
                left.extend(self.fields[ty].iter().map(|field| named(&field.ty.node).0));
                left.extend(self.possible.get(ty).into_iter().flatten().map(String::as_str));
            }
        }
        false
    }
}

/// Writes a query as the bytes decide; with none left everything is as small as can be.
struct Writer<'a> {
    schema: &'a Schema,
    ids: &'a [String],
    choices: std::slice::Iter<'a, u8>,
    fragments: Vec<String>,
    names: usize,
}

impl Writer<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.choices.next().map_or(0, |byte| usize::from(*byte) % n)
    }

    fn query(mut self) -> String {
        let set = self.set("Query", 11);
        let fragments = self.fragments.join(" ");
        format!("query($n: Int = 2) {{ zero: tags(first: $n) {{ nodes {{ id }} }} ... {set} }} {fragments}")
    }

    fn set(&mut self, ty: &str, depth: usize) -> String {
        let schema = self.schema;
        let mut parts = vec!["__typename".to_owned()];
        let (fields, possible) = (&schema.fields[ty], schema.possible.get(ty));
        for _ in 0..=self.below(3) {
            if let Some(possible) = possible {
                let one = &possible[self.below(possible.len())];
                let inside = self.set(one, depth);
                parts.push(format!("... on {one} {inside}"));
            } else if depth > 0 && self.choices.len() > 0 && !fields.is_empty() {
                let field = &fields[self.below(fields.len())];
                parts.extend(self.field(field, depth - 1));
            }
        }
        let set = format!("{{ {} }}", parts.join(" "));
        if self.below(5) != 1 {
            return set;
        }
        self.names += 1;
        self.fragments.push(format!("fragment F{} on {ty} {set}", self.names));
        format!("{{ ...F{0} ...F{0} }}", self.names)
    }

    /// A field, unless it wants something that one cannot think of.
    fn field(&mut self, field: &FieldDefinition, depth: usize) -> Option<String> {
        let (name, ty) = (field.name.node.as_str(), named(&field.ty.node).0);
        let argument = |name: &str| field.arguments.iter().any(|argument| argument.node.name.node == name);
        let arguments = match name {
            "nodes" if argument("ids") => {
                let ids = (0..self.below(4)).map(|_| self.ids[self.below(self.ids.len())].clone()).collect::<Vec<_>>();
                format!("(ids: [{}])", ids.join(", "))
            }
            _ if argument("id") => {
                let own = self.ids.iter().filter(|id| ty == "Node" || id.contains(ty)).collect::<Vec<_>>();
                format!("(id: {})", own.get(self.below(own.len().max(1)))?)
            }
            "search" => "(q: \"e\", first: 3)".to_owned(),
            _ if field.arguments.iter().any(|argument| !argument.node.ty.node.nullable) => return None,
            _ => {
                let size = match self.below(10) {
                    8 => "$n".to_owned(),
                    9 => "50".to_owned(),
                    size => size.to_string(),
                };
                let which = ["first", "last", "limit"].into_iter().filter(|name| argument(name)).collect::<Vec<_>>();
                let which = which.get(self.below(3)).copied();
                which.map(|which| format!("({which}: {size})")).unwrap_or_default()
            }
        };
        self.names += 1;
        // Only those two keep a name by which their rows are found.
        let alias = match name {
            "nodes" | "edges" => format!("{name}_{}", self.names),
            _ => format!("x{}", self.names),
        };
        let inside = self.set(ty, depth);
        Some(format!("{alias}: {name}{arguments} {inside}"))
    }
}

/// The rows of all connections in an answer.
fn rows(answer: &Value) -> u64 {
    match answer {
        Value::Array(items) => items.iter().map(rows).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let is_rows = name.starts_with("nodes") || name.starts_with("edges");
                rows(value) + if is_rows { value.as_array().map_or(0, |rows| rows.len() as u64) } else { 0 }
            })
            .sum(),
        _ => 0,
    }
}

async fn ask(server: &Server, query: &str, n: usize) -> Value {
    let request = Request::builder().method(Method::POST).uri("/graphql").header("prefer", "cost");
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    let body = json!({"query": query, "variables": if n > 9 { json!({}) } else { json!({"n": n}) }});
    server.send(request.body(Body::from(body.to_string())).unwrap()).await.json()
}

async fn the_cost_is_never_below_the_rows_returned(db: TestDb) {
    let (app, world) = (db.open().await, one(world()));
    fill(&app, &world.file(&Seen::most_of(&world))).await;
    // Wide enough for every question but those that would take too long.
    let limits =
        Limits { cost: 50_000, aliases: 5_000, root_fields: 5_000, depth: 50, repeats: 5_000, ..Limits::default() };
    let server = Server::limited(app, Limits { selections: 1 << 20, text_bytes: 1 << 20, tokens: 1 << 20, ..limits });
    let schema = Schema::read();
    let ids = Kind::ALL
        .into_iter()
        .flat_map(|kind| world.rows(kind).iter().map(move |row| format!("\"{}:{}\"", kind.type_name(), row["id"])));
    let ids = ids.collect::<Vec<_>>();
    let (answered, returned) = (Cell::new(0), Cell::new(0));
    let cases = cases(150);
    hold(cases, (vec(any::<u8>(), 0..120), 0..12usize), async |(bytes, n)| -> Verdict {
        let writer = Writer { schema: &schema, ids: &ids, choices: bytes.iter(), fragments: Vec::new(), names: 0 };
        let query = writer.query();
        let answer = ask(&server, &query, n).await;
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        let requested = answer["extensions"]["cost"]["requested"].as_u64();
        if code.is_some_and(|code| ["QUERY_TOO_COMPLEX", "TIMEOUT"].contains(&code)) {
            return Ok(());
        }
        same(&query, code, None)?;
        let (requested, rows) = (requested.unwrap(), rows(&answer["data"]));
        answered.set(answered.get() + 1);
        returned.set(returned.get() + rows);
        if requested < rows {
            return Err(TestCaseError::fail(format!("cost {requested}, but {rows} rows\n{query}")));
        }
        Ok(())
    });
    assert!(answered.get() > cases / 2 && returned.get() > u64::from(cases) * 5, "{answered:?} {returned:?}");
}

/// A list without a page counts for a fixed number of elements. That must be enough where they lead to connections.
#[test]
fn lists_without_a_page_do_not_multiply_connections_unseen() {
    let schema = Schema::read();
    let mut found = BTreeSet::new();
    for (ty, fields) in schema.fields.iter().filter(|(ty, _)| !ty.ends_with("Connection")) {
        for field in fields {
            let (target, is_list) = named(&field.ty.node);
            let sizes = ["ids", "first", "last", "limit"];
            let has_size = field.arguments.iter().any(|argument| sizes.contains(&argument.node.name.node.as_str()));
            if is_list && !has_size && schema.leads_to_connections(target) {
                found.insert(format!("{ty}.{}", field.name.node));
            }
        }
    }
    // Those of bulk mutations have a size: the number of the items given. The others are counted at their longest.
    let bulk =
        ["ProxmoxClusterBulkPayload.results", "ProxmoxNodeBulkPayload.results", "ProxmoxStorageBulkPayload.results"];
    let longest = ["LinkSuggestion.candidates", "SyncAllPayload.syncRuns"];
    assert_eq!(found, bulk.into_iter().chain(longest).map(str::to_owned).collect());
}

both!(the_cost_is_never_below_the_rows_returned);
