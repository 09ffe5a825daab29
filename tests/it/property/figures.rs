//! Aggregates and groups: the figures that plain code computes over the rows that match, whatever the page.
use super::data::World;
use super::graphql::{Place, asked};
use super::oracle::LISTS;
use super::{Verdict, cases, hold, same};
use crate::support::{TestDb, both};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proxbox_graphql::entity::Kind;
use serde_json::{Value, json};

both!(aggregates_are_computed_over_the_rows, groups_are_counted_and_in_order, sums_pass_64_bits);

/// Flags and numbers of an aggregate: how GraphQL calls them, and the row.
type Names = &'static [(&'static str, &'static str)];

fn measures(kind: Kind) -> (Names, Names) {
    match kind {
        Kind::Cluster => (&[("quorate", "quorate")], &[("nodesCount", "nodes_count")]),
        Kind::Node => (
            &[("online", "online")],
            &[
                ("cpuUsagePercent", "cpu_usage"),
                ("maxCpu", "max_cpu"),
                ("memoryUsage", "memory_usage"),
                ("maxMemory", "max_memory"),
            ],
        ),
        _ => (&[("enabled", "enabled"), ("shared", "shared")], &[]),
    }
}

fn selection(kind: Kind) -> String {
    let (flags, numbers) = measures(kind);
    let flags = flags.iter().map(|(name, _)| (*name).to_owned());
    let numbers = numbers.iter().map(|(name, _)| format!("{name} {{ min max avg sum }}"));
    let share = (kind == Kind::Node).then(|| "memoryUsagePercent".to_owned());
    format!("count {}", flags.chain(numbers).chain(share).collect::<Vec<_>>().join(" "))
}

/// Two floats that differ by no more than what adding up such values in any order may lose.
fn close(what: &str, found: &Value, wanted: Option<f64>, size: f64) -> Verdict {
    let near = match (found.as_f64(), wanted) {
        (Some(found), Some(wanted)) => (found - wanted).abs() <= 1e-12 * size,
        (found, wanted) => found == wanted,
    };
    if near { Ok(()) } else { Err(TestCaseError::fail(format!("{what}: found {found}, wanted {wanted:?}"))) }
}

fn exact(values: &[&Value], sum: bool) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let total = match values.iter().map(|value| value.as_i64()).collect::<Option<Vec<_>>>() {
        Some(whole) => whole.into_iter().map(i128::from).sum::<i128>() as f64,
        None => values.iter().filter_map(|value| value.as_f64()).sum(),
    };
    Some(if sum { total } else { total / values.len() as f64 })
}

fn size(values: &[&Value]) -> f64 {
    values.iter().filter_map(|value| value.as_f64()).map(f64::abs).sum()
}

/// The smallest, in the order of the type.
fn least<'a>(values: &[&'a Value], largest: bool) -> Value {
    let order = |a: &&Value, b: &&Value| match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap(),
    };
    let values = values.iter().copied();
    let found: Option<&'a Value> = if largest { values.max_by(order) } else { values.min_by(order) };
    found.cloned().unwrap_or(Value::Null)
}

fn check(kind: Kind, found: &Value, rows: &[&Value]) -> Verdict {
    same("count", found["count"].as_u64(), Some(rows.len() as u64))?;
    let (flags, numbers) = measures(kind);
    for (name, field) in flags {
        let wanted = rows.iter().filter(|row| row[*field] == true).count();
        same(name, found[*name].as_u64(), Some(wanted as u64))?;
    }
    for (name, field) in numbers {
        let values = rows.iter().map(|row| &row[*field]).filter(|value| !value.is_null()).collect::<Vec<_>>();
        let stats = &found[*name];
        same(&format!("{name} min"), stats["min"].clone(), least(&values, false))?;
        same(&format!("{name} max"), stats["max"].clone(), least(&values, true))?;
        close(&format!("{name} sum"), &stats["sum"], exact(&values, true), size(&values))?;
        close(&format!("{name} avg"), &stats["avg"], exact(&values, false), size(&values))?;
    }
    if kind != Kind::Node {
        return Ok(());
    }
    let with_both = rows.iter().filter(|row| !row["memory_usage"].is_null() && !row["max_memory"].is_null());
    let (used, all): (Vec<_>, Vec<_>) = with_both.map(|row| (&row["memory_usage"], &row["max_memory"])).unzip();
    let whole = exact(&all, true).unwrap_or(0.0);
    if whole == 0.0 && size(&all) == 0.0 {
        return same("memoryUsagePercent", found["memoryUsagePercent"].clone(), Value::Null);
    }
    // Where large numbers of either sign cancel each other out, the quotient means nothing.
    if whole.abs() > 1e-3 * size(&all) {
        let wanted = exact(&used, true).map(|used| used / whole * 100.0);
        close("memoryUsagePercent", &found["memoryUsagePercent"], wanted, size(&used) / whole.abs() * 1e6)?;
    }
    Ok(())
}

async fn aggregates_are_computed_over_the_rows(db: TestDb) {
    let place = Place::new(&db).await;
    let asked = (0..2usize, asked(&place.views[0].1, &LISTS, 1), 0..3u8);
    hold(cases(50), asked, async |(view, (list, filter), first)| {
        let world = &place.views[view].1;
        let aggregate = format!("totalCount aggregate {{ {} }}", selection(list.kind));
        let query = list.query("", &format!("first: {first}"), &aggregate);
        let data = place.ask(view, &query, json!({"f": filter})).await;
        for (parent, found) in list.answers(world, &data) {
            let rows = world.matching(&list, &filter, parent);
            let told =
                |error| TestCaseError::fail(format!("{error}\nview {view}, {list:?}, {filter:#}, parent {parent:?}"));
            check(list.kind, &found["aggregate"], &rows).map_err(told)?;
        }
        Ok(())
    });
}

/// What a kind can be grouped by: GraphQL's name, the name in the key, the row's field, and the kind it refers to.
fn group_keys(kind: Kind) -> Vec<(&'static str, &'static str, &'static str)> {
    match kind {
        Kind::Cluster => {
            vec![("ENDPOINT", "endpoint", "endpoint"), ("MODE", "mode", "mode"), ("QUORATE", "quorate", "quorate")]
        }
        Kind::Node => vec![
            ("ENDPOINT", "endpoint", "endpoint"),
            ("PROXMOX_CLUSTER", "proxmoxCluster", "proxmox_cluster"),
            ("ONLINE", "online", "online"),
            ("SUPPORT_LEVEL", "supportLevel", "support_level"),
        ],
        _ => vec![
            ("CLUSTER", "cluster", "cluster"),
            ("STORAGE_TYPE", "storageType", "storage_type"),
            ("SHARED", "shared", "shared"),
            ("ENABLED", "enabled", "enabled"),
        ],
    }
}

/// Sorts as values do, null behind all.
fn rank(value: &Value) -> (bool, i64, Vec<u8>) {
    match value {
        Value::Null => (true, 0, Vec::new()),
        Value::Bool(value) => (false, i64::from(*value), Vec::new()),
        Value::Number(value) => (false, value.as_i64().unwrap(), Vec::new()),
        value => (false, 0, value.as_str().unwrap().as_bytes().to_vec()),
    }
}

/// The groups in their order: each key and its rows.
fn groups<'a>(rows: &[&'a Value], fields: &[&str]) -> Vec<(Vec<Value>, Vec<&'a Value>)> {
    let mut groups: Vec<(Vec<Value>, Vec<&Value>)> = Vec::new();
    for row in rows {
        let key = fields.iter().map(|field| row[*field].clone()).collect::<Vec<_>>();
        match groups.iter_mut().find(|(own, _)| *own == key) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    groups.sort_by_key(|(key, rows)| (std::cmp::Reverse(rows.len()), key.iter().map(rank).collect::<Vec<_>>()));
    groups
}

async fn groups_are_counted_and_in_order(db: TestDb) {
    let place = Place::new(&db).await;
    let questions = asked(&place.views[0].1, &LISTS, 1).prop_flat_map(|(list, filter)| {
        let keys = group_keys(list.kind);
        let most = keys.len();
        (Just(list), Just(filter), subsequence(keys, 1..=most).prop_shuffle())
    });
    let size = prop_oneof![3 => Just(1000usize), 1 => 0..4usize];
    hold(cases(50), (0..2usize, questions, size), async |(view, (list, filter, keys), size)| {
        let world: &World = &place.views[view].1;
        let kind = list.kind.type_name();
        let by = keys.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
        let groups_of = format!("groups(by: $by, first: {size}) {{ key aggregate {{ {} }} }}", selection(list.kind));
        let query = list.query(&format!("$by: [{kind}GroupKey!]!"), "first: 1", &groups_of);
        let data = place.ask(view, &query, json!({"f": filter, "by": by})).await;
        for (parent, found) in list.answers(world, &data) {
            let rows = world.matching(&list, &filter, parent);
            let wanted = groups(&rows, &keys.iter().map(|(.., field)| *field).collect::<Vec<_>>());
            let wanted = &wanted[..wanted.len().min(size)];
            let shown = |key: &[Value]| {
                let value = |(name, value): (&(&str, &str, &str), &Value)| match value {
                    Value::String(text) if name.1 == "mode" => (name.1.to_owned(), json!(text.to_uppercase())),
                    value => (name.1.to_owned(), value.clone()),
                };
                keys.iter().zip(key).map(value).collect::<Value>()
            };
            let what = format!("view {view}, {list:?} by {by:?}, {filter:#}, parent {parent:?}");
            let found = found["groups"].as_array().unwrap();
            let found_keys = found.iter().map(|group| group["key"].clone()).collect::<Vec<_>>();
            same(&what, found_keys, wanted.iter().map(|(key, _)| shown(key)).collect())?;
            for (group, (_, rows)) in found.iter().zip(wanted) {
                check(list.kind, &group["aggregate"], rows)
                    .map_err(|error| TestCaseError::fail(format!("{error}\n{what}")))?;
            }
        }
        Ok(())
    });
}

async fn sums_pass_64_bits(db: TestDb) {
    let place = Place::new(&db).await;
    let world = &place.views[0].1;
    let large = json!({"maxMemory": {"gte": (i64::MAX - 1).to_string()}});
    let rows = world.matching(&LISTS[1], &large, None);
    assert!(rows.len() >= 3, "rows with the largest numbers: {}", rows.len());
    let query = LISTS[1].query("", "", &format!("aggregate {{ {} }}", selection(Kind::Node)));
    let data = place.ask(0, &query, json!({"f": large})).await;
    assert!(data["list"]["aggregate"]["maxMemory"]["sum"].as_f64().unwrap() > 1.8e19);
    check(Kind::Node, &data["list"]["aggregate"], &rows).unwrap();
}
