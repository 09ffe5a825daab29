//! Filters through GraphQL: the rows for which plain code says yes, for those who see everything and for others.
use super::data::{SOME, Seen, World, world};
use super::oracle::{LISTS, List};
use super::questions::questions;
use super::{Verdict, cases, hold, one, same};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use proptest::prelude::*;
use proxbox_graphql::entity::Kind;
use proxbox_graphql::graphql::limits::Limits;
use serde_json::{Value, json};

both!(filters_find_the_rows_for_which_they_hold, nothing_everything_and_missing_values);

/// A server on random rows, and who sees what of them.
pub struct Place {
    pub server: Server,
    /// The token that sees everything, and the one that sees some rows, each with what it sees.
    pub views: [(&'static str, World); 2],
}

impl Place {
    pub async fn new(db: &TestDb) -> Self {
        let world = one(world());
        let seen = Seen::most_of(&world);
        let app = db.open().await;
        fill(&app, &world.file(&seen)).await;
        let limits = Limits { cost: u64::MAX, ..Limits::default() };
        let some = world.seen(&seen);
        Self { server: Server::limited(app, limits), views: [(ADMIN, world), (SOME, some)] }
    }

    /// Asks a list with these variables.
    pub async fn ask(&self, view: usize, query: &str, variables: Value) -> Value {
        let ask = || async { self.server.ask_as(self.views[view].0, query, variables.clone()).await.json() };
        let mut body = ask().await;
        // On a busy machine any question may take too long; that is no answer yet.
        for _ in 0..3 {
            if body["errors"][0]["extensions"]["code"] == "TIMEOUT" {
                body = ask().await;
            }
        }
        assert!(body.get("errors").is_none(), "{body:#}");
        body["data"].take()
    }
}

/// A list of one of these kinds and a filter for it.
pub fn asked(world: &World, lists: &[List], depth: usize) -> BoxedStrategy<(List, Value)> {
    let questions = questions(world, depth);
    let one = lists.iter().map(|list| {
        let list = *list;
        questions[&list.kind].clone().prop_map(move |filter| (list, filter)).boxed()
    });
    proptest::strategy::Union::new(one.collect::<Vec<_>>()).boxed()
}

/// The ids of some rows, in their order.
pub fn ids<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Vec<i64> {
    rows.into_iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

fn found(list: &Value) -> Vec<i64> {
    let mut ids =
        list["nodes"].as_array().unwrap().iter().map(|row| row["databaseId"].as_i64().unwrap()).collect::<Vec<_>>();
    ids.sort_unstable();
    ids
}

async fn check(place: &Place, view: usize, list: &List, filter: &Value) -> Verdict {
    let world = &place.views[view].1;
    let query = list.query("", "first: 1000", "totalCount nodes { databaseId }");
    let data = place.ask(view, &query, json!({"f": filter})).await;
    for (parent, answer) in list.answers(world, &data) {
        let wanted = ids(world.matching(list, filter, parent));
        same("the count", answer["totalCount"].as_u64(), Some(wanted.len() as u64))?;
        same(&format!("view {view}, parent {parent:?}, filter {filter:#}"), found(answer), wanted)?;
    }
    Ok(())
}

async fn filters_find_the_rows_for_which_they_hold(db: TestDb) {
    let place = Place::new(&db).await;
    let asked = (0..2usize, asked(&place.views[0].1, &LISTS, 2));
    hold(cases(120), asked, async |(view, (list, filter))| check(&place, view, &list, &filter).await);
}

async fn nothing_everything_and_missing_values(db: TestDb) {
    let place = Place::new(&db).await;
    let world = &place.views[0].1;
    let list = LISTS[2];
    assert_eq!(list.kind, Kind::Storage);
    let all = world.rows(Kind::Storage).len();
    let of = async |filter: Value| {
        check(&place, 0, &list, &filter).await.unwrap();
        world.matching(&list, &filter, None).len()
    };
    let without = of(json!({"server": {"isNull": true}})).await;
    assert!(without > 0 && without < all);
    assert_eq!(of(json!({})).await, all);
    assert_eq!(of(json!({"and": []})).await, all);
    assert_eq!(of(json!({"or": []})).await, 0);
    assert_eq!(of(json!({"not": {}})).await, 0);
    assert_eq!(of(json!({"not": {"or": []}})).await, all);
    assert_eq!(of(json!({"server": {}})).await, all);
    assert_eq!(of(json!({"server": {"in": []}})).await, 0);
    assert_eq!(of(json!({"server": {"notIn": []}})).await, all);
    let eq = of(json!({"server": {"eq": "pve"}})).await;
    assert!(eq > 0);
    assert_eq!(of(json!({"server": {"ne": "pve"}})).await, all - eq);
    assert_eq!(of(json!({"not": {"server": {"eq": "pve"}}})).await, all - eq);
    assert_eq!(of(json!({"server": {"notIn": ["pve", "x"]}})).await, all - eq);
    let at_least = of(json!({"server": {"gte": ""}})).await;
    assert_eq!(at_least, all - without);
    assert_eq!(of(json!({"not": {"server": {"gte": ""}}})).await, without);
}
