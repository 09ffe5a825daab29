//! GraphQL texts against the limits: what they let through is parsed and counted in bounded time, and the door agrees.
use super::{alone, attack};
use crate::property::same;
use crate::support::{ADMIN, TestDb, both};
use async_graphql::Variables;
use async_graphql::parser::parse_query;
use proptest::prelude::TestCaseError;
use proxbox_graphql::graphql::limits::{Limits, SchemaShape, measure, scan};
use proxbox_graphql::graphql::{schema, sdl};
use serde_json::{Value, json};

both!(documents_at_the_door);

/// What the limits say of a text, or why it cannot be read.
fn judged(text: &str, shape: &SchemaShape) -> String {
    let limits = Limits::default();
    if let Err(refusal) = scan(text, &limits) {
        return format!("scan: {refusal}");
    }
    match parse_query(text) {
        Err(_) => "parse".into(),
        Ok(document) => {
            let measured = measure(&document, &Variables::default(), shape, &limits);
            measured
                .and_then(|measured| measured.check(&limits))
                .map_or_else(|refusal| refusal.to_string(), |()| "good".into())
        }
    }
}

#[test]
fn documents_are_judged_alike_each_time() {
    let shape = SchemaShape::from_sdl(&sdl(&schema())).unwrap();
    alone(async {
        attack("graphql", 3_000, async |bytes| {
            let text = String::from_utf8_lossy(&bytes);
            same("judged again", judged(&text, &shape), judged(&text, &shape))
        });
    });
}

async fn documents_at_the_door(db: TestDb) {
    let server = db.server().await;
    let shape = SchemaShape::from_sdl(&sdl(&schema())).unwrap();
    attack("graphql", 150, async |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let answer = server.ask_as(ADMIN, &text, json!({})).await;
        let told = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.bytes));
        let body = serde_json::from_slice::<Value>(&answer.bytes);
        let Ok(body) = body else { return Err(TestCaseError::fail(told)) };
        let codes = body["errors"].as_array().into_iter().flatten().map(|error| error["extensions"]["code"].as_str());
        let codes = codes.map(Option::unwrap_or_default).collect::<Vec<_>>();
        let internal = codes.iter().any(|code| code.contains("INTERNAL") || code.is_empty());
        same(&told, (answer.status.as_u16() < 500, internal), (true, false))?;
        // What the limits refuse, no statement is sent for.
        let refused = judged(&text, &shape) != "good";
        same(&told, refused && !body["data"].is_null(), false)
    });
}
