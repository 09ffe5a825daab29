//! Cursors: what is read back is what was written, and feeds refuse what they did not give.
use super::{Verdict, alone, attack};
use crate::property::same;
use crate::support::{ADMIN, TestDb, both};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::TestCaseError;
use proxbox_graphql::error::Error;
use proxbox_graphql::page::{Key, KeyType, Page, PageArgs, Position, Signature, signature};
use sea_orm::sea_query::Expr;
use serde_json::json;

both!(feeds_refuse_what_they_did_not_give);

fn keys() -> Vec<Key> {
    let key = |ty, nullable| Key { expr: Expr::val(1), ty, nullable, descending: false, nulls_first: false };
    let types = [KeyType::Text, KeyType::Bool, KeyType::Float, KeyType::Time, KeyType::Text];
    types.into_iter().map(|ty| key(ty, true)).chain([key(KeyType::Int, false)]).collect()
}

fn position(cursor: String, signature: Signature) -> Result<Position, Error> {
    let args = PageArgs { after: Some(cursor), ..PageArgs::default() };
    Page::new(&args, signature, &keys()).map(|page| page.after.unwrap())
}

fn read(bytes: &[u8]) -> Verdict {
    let signature = signature("an ordering");
    for cursor in [
        BASE64_URL_SAFE_NO_PAD.encode([&signature[..], bytes].concat()),
        String::from_utf8_lossy(bytes).into_owned(),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
    ] {
        match position(cursor, signature) {
            Err(Error::Cursor(_)) => {}
            Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
            Ok(read) => {
                let written = read.cursor(signature);
                same("read back", position(written.clone(), signature).unwrap().cursor(signature), written)?;
            }
        }
    }
    Ok(())
}

#[test]
fn cursors_are_read_back_as_they_were_written() {
    alone(async { attack("cursor", 5_000, async |bytes| read(&bytes)) });
}

async fn feeds_refuse_what_they_did_not_give(db: TestDb) {
    let server = db.server().await;
    attack("feed", 100, async |bytes| {
        let cursor = String::from_utf8_lossy(&bytes);
        let query = "query($a: String!) { changes(after: $a) { nodes { position } } \
                     syncRuns(after: $a) { nodes { id } } linkSuggestions(after: $a) { nodes { type } } }";
        let answer = server.ask_as(ADMIN, query, json!({"a": cursor})).await.json();
        let codes = answer["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]);
        let known = ["INVALID_CURSOR", "BAD_USER_INPUT", "RESUME_EXPIRED"];
        let odd = codes.filter(|code| !known.contains(&code.as_str().unwrap_or_default())).collect::<Vec<_>>();
        same(&format!("{answer}"), odd, Vec::new())
    });
}
