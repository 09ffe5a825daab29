//! Paging: the pages of any ordering add up to the whole list, from either end, and tell honestly what lies around them.
use super::data::World;
use super::graphql::{Place, asked, ids};
use super::oracle::{LISTS, List, SortKey, default_order};
use super::questions::{order_by, orderings};
use super::{Verdict, cases, hold, same};
use crate::support::{TestDb, both};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::collections::HashMap;

both!(pages_add_up_at_the_root, pages_add_up_below_parents);

const SELECTION: &str = "totalCount edges { cursor node { databaseId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
const VARIABLES: &str = "$o: [OrderInput!], $first: Int, $after: String, $last: Int, $before: String, $offset: Int";
const ARGUMENTS: &str = "orderBy: $o, first: $first, after: $after, last: $last, before: $before, offset: $offset";

/// What is asked: a list, its filter and ordering, by whom.
#[derive(Clone, Debug)]
struct Question {
    view: usize,
    list: List,
    filter: Value,
    keys: Vec<SortKey>,
}

/// A page of a list.
#[derive(Debug, PartialEq)]
struct Page {
    ids: Vec<i64>,
    next: bool,
    previous: bool,
}

/// Which page; rows are told by their ids.
#[derive(Clone, Debug, Default)]
struct Bounds {
    size: usize,
    backward: bool,
    offset: Option<usize>,
    after: Option<i64>,
    before: Option<i64>,
}

fn questions(world: &World, lists: &[List]) -> BoxedStrategy<Question> {
    let filtered = (0..2usize, asked(world, lists, 1), 0..3u8);
    filtered
        .prop_flat_map(|(view, (list, filter), all)| {
            let filter = if all == 0 { filter } else { json!({}) };
            orderings(list.kind).prop_map(move |keys| Question { view, list, filter: filter.clone(), keys })
        })
        .boxed()
}

impl Question {
    fn world<'a>(&self, place: &'a Place) -> &'a World {
        &place.views[self.view].1
    }

    fn order(&self, world: &World, a: &Value, b: &Value) -> Ordering {
        if self.keys.is_empty() {
            world.order(self.list.kind, &default_order(self.list.kind), a, b)
        } else {
            world.order(self.list.kind, &self.keys, a, b)
        }
    }

    /// The whole list of a parent, in its order.
    fn sorted<'a>(&self, world: &'a World, parent: Option<&Value>) -> Vec<&'a Value> {
        let mut rows = world.matching(&self.list, &self.filter, parent);
        rows.sort_by(|a, b| self.order(world, a, b));
        rows
    }

    /// The page of a parent as plain code has it.
    fn page(&self, world: &World, parent: Option<&Value>, bounds: &Bounds) -> Page {
        let all = self.sorted(world, parent);
        let row = |id: Option<i64>| id.map(|id| world.row(self.list.kind, &json!(id)).unwrap());
        let behind =
            |row: &Value, bound: Option<&Value>| bound.is_none_or(|bound| self.order(world, row, bound).is_gt());
        let ahead =
            |row: &Value, bound: Option<&Value>| bound.is_none_or(|bound| self.order(world, row, bound).is_lt());
        let (after, before) = (row(bounds.after), row(bounds.before));
        let inside = all.iter().filter(|row| behind(row, after) && ahead(row, before)).copied().collect::<Vec<_>>();
        let outside_start = all.iter().any(|row| !behind(row, after));
        let outside_end = all.iter().any(|row| !ahead(row, before));
        let offset = bounds.offset.unwrap_or(0).min(inside.len());
        let rest = inside.len() - offset;
        let size = bounds.size.min(rest);
        if bounds.backward {
            let ids = ids(inside[rest - size..].iter().copied());
            return Page { ids, next: outside_end, previous: rest > size || outside_start };
        }
        let ids = ids(inside[offset..offset + size].iter().copied());
        Page { ids, next: rest > size || outside_end, previous: offset > 0 || outside_start }
    }

    /// The pages of all parents, and the cursors of their rows.
    async fn ask(&self, place: &Place, bounds: &Bounds, cursors: &HashMap<i64, String>) -> Vec<Value> {
        let variables = VARIABLES.replace("OrderInput", &format!("{}Order", self.list.kind.type_name()));
        let query = self.list.query(&variables, ARGUMENTS, SELECTION);
        let mut values =
            Map::from_iter([("f".to_owned(), self.filter.clone()), ("o".to_owned(), order_by(&self.keys))]);
        values.insert(if bounds.backward { "last" } else { "first" }.into(), json!(bounds.size));
        for (name, id) in [("after", bounds.after), ("before", bounds.before)] {
            if let Some(id) = id {
                values.insert(name.into(), json!(cursors[&id]));
            }
        }
        if let Some(offset) = bounds.offset {
            values.insert("offset".into(), json!(offset));
        }
        let data = place.ask(self.view, &query, Value::Object(values)).await;
        self.list.answers(self.world(place), &data).into_iter().map(|(_, list)| list.clone()).collect()
    }

    /// The parents, in the order of the answers.
    async fn parents<'a>(&self, place: &'a Place) -> Vec<Option<&'a Value>> {
        let world = self.world(place);
        let Some((field, kind)) = self.list.below else { return vec![None] };
        let data =
            place.ask(self.view, &format!("{{ {field}(first: 1000) {{ nodes {{ databaseId }} }} }}"), json!({})).await;
        let nodes = data[field]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| Some(world.row(kind, &node["databaseId"]).unwrap())).collect()
    }

    /// Asks for a page of every parent, and compares each.
    async fn check(
        &self,
        place: &Place,
        bounds: &Bounds,
        cursors: &HashMap<i64, String>,
    ) -> Result<Vec<Value>, TestCaseError> {
        let lists = self.ask(place, bounds, cursors).await;
        for (parent, list) in self.parents(place).await.into_iter().zip(&lists) {
            let wanted = self.page(self.world(place), parent, bounds);
            same(&format!("{self:?}, parent {parent:?}: {bounds:?}"), page(list), wanted)?;
            let total = self.sorted(self.world(place), parent).len();
            same("totalCount", list["totalCount"].as_u64(), Some(total as u64))?;
            let edges = list["edges"].as_array().unwrap();
            let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
            same("startCursor", list["pageInfo"]["startCursor"].clone(), cursor(edges.first()))?;
            same("endCursor", list["pageInfo"]["endCursor"].clone(), cursor(edges.last()))?;
        }
        Ok(lists)
    }
}

fn page(list: &Value) -> Page {
    let edges = list["edges"].as_array().unwrap().iter();
    Page {
        ids: edges.map(|edge| edge["node"]["databaseId"].as_i64().unwrap()).collect(),
        next: list["pageInfo"]["hasNextPage"].as_bool().unwrap(),
        previous: list["pageInfo"]["hasPreviousPage"].as_bool().unwrap(),
    }
}

/// The whole list of every parent, and every row's cursor.
async fn whole(place: &Place, question: &Question) -> Result<(Vec<Value>, HashMap<i64, String>), TestCaseError> {
    let lists = question.check(place, &Bounds { size: 1000, ..Bounds::default() }, &HashMap::new()).await?;
    let edges = lists.iter().flat_map(|list| list["edges"].as_array().unwrap());
    let cursor =
        |edge: &Value| (edge["node"]["databaseId"].as_i64().unwrap(), edge["cursor"].as_str().unwrap().to_owned());
    let cursors = edges.map(cursor).collect();
    Ok((lists, cursors))
}

/// Windows between two rows of any list, of every parent.
async fn windows(
    place: &Place,
    question: &Question,
    cursors: &HashMap<i64, String>,
    picks: &[(Index, u8, usize)],
) -> Verdict {
    let mut ids = cursors.keys().copied().collect::<Vec<_>>();
    ids.sort_unstable();
    if ids.is_empty() {
        return Ok(());
    }
    for pair in picks.chunks(2) {
        let [(one, how, size), (other, ..)] = pair else { continue };
        let (one, other) = (Some(*one.get(&ids)), Some(*other.get(&ids)));
        let (after, before, offset) = match how % 5 {
            0 => (one, None, None),
            1 => (None, other, None),
            2 | 3 => (one, other, None),
            _ => (None, None, Some(*size * 2)),
        };
        let backward = offset.is_none() && how % 2 == 0;
        question.check(place, &Bounds { size: *size, backward, offset, after, before }, cursors).await?;
    }
    Ok(())
}

/// Goes through a list of the root page by page.
async fn walk(
    place: &Place,
    question: &Question,
    cursors: &HashMap<i64, String>,
    bounds: Bounds,
    whole: &[i64],
) -> Verdict {
    let mut seen: Vec<i64> = Vec::new();
    let mut bounds = bounds;
    loop {
        let list = question.check(place, &bounds, cursors).await?.remove(0);
        let page = page(&list);
        let more = if bounds.backward { page.previous } else { page.next };
        match (bounds.backward, bounds.offset) {
            (true, _) => {
                bounds.before = page.ids.first().copied();
                seen.splice(0..0, page.ids);
            }
            (false, Some(offset)) => {
                bounds.offset = Some(offset + bounds.size);
                seen.extend(page.ids);
            }
            (false, None) => {
                bounds.after = page.ids.last().copied();
                seen.extend(page.ids);
            }
        }
        if !more {
            return same(&format!("{question:?} in pages: {bounds:?}"), seen, whole.to_vec());
        }
        if seen.len() > whole.len() {
            return same(&format!("{question:?} never ends: {bounds:?}"), seen, whole.to_vec());
        }
    }
}

async fn pages_add_up_at_the_root(db: TestDb) {
    let place = Place::new(&db).await;
    let picks = proptest::collection::vec((any::<Index>(), any::<u8>(), 0..8usize), 4);
    let asked = (questions(&place.views[0].1, &LISTS[..3]), 1..=7usize, 0..3u8, picks);
    hold(cases(15), asked, async |(question, size, how, picks)| {
        let (lists, cursors) = whole(&place, &question).await?;
        let all = page(&lists[0]).ids;
        // Small pages of long lists would only be slow.
        let size = size.max(all.len() / 8);
        let bounds = match how {
            0 => Bounds { size, ..Bounds::default() },
            1 => Bounds { size, backward: true, ..Bounds::default() },
            _ => Bounds { size, offset: Some(0), ..Bounds::default() },
        };
        walk(&place, &question, &cursors, bounds, &all).await?;
        windows(&place, &question, &cursors, &picks).await
    });
}

async fn pages_add_up_below_parents(db: TestDb) {
    let place = Place::new(&db).await;
    let picks = proptest::collection::vec((any::<Index>(), any::<u8>(), 0..8usize), 8);
    let asked = (questions(&place.views[0].1, &LISTS[3..]), picks);
    hold(cases(15), asked, async |(question, picks)| {
        let (_, cursors) = whole(&place, &question).await?;
        windows(&place, &question, &cursors, &picks).await
    });
}
