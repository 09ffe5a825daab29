//! The filter language: a database finds the rows that its evaluation in memory finds.
use super::data::{self, Seen, world};
use super::memory::{Memory, asked};
use super::questions::piece;
use super::{Verdict, cases, hold, one, same};
use crate::support::{TestDb, both, fill};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{Kind, Scalar};
use proxbox_graphql::filter::{Compare, Field, Filter, Lookup, Row, Text, Type, View, fields, search, test};
use std::collections::HashMap;

both!(each_lookup_of_each_field, filters_of_every_shape, filters_in_a_restricted_view);

type Filters = BoxedStrategy<Filter>;

/// A database with random rows, and the same rows in memory.
pub async fn place(db: &TestDb) -> (App, Memory) {
    let world = one(world());
    let app = db.open().await;
    fill(&app, &world.file(&Seen::most_of(&world))).await;
    let memory = Memory::of(&app, &world).await;
    (app, memory)
}

/// The database and the memory find the same rows.
pub async fn agree(app: &App, memory: &Memory, kind: Kind, filter: &Filter, view: &View) -> Verdict {
    let found = asked(&app.db, kind, filter, view).await;
    let found = found.map_err(|error| TestCaseError::fail(format!("{error}\n{kind}: {filter:#?}")))?;
    same(&format!("{kind}: {filter:#?}"), found, memory.matching(kind, filter, view))
}

/// The values that the rows have for a field.
fn known(memory: &Memory, kind: Kind, field: &Field) -> Vec<Scalar> {
    let value = |row: Row<'_>| match (field.ty, row) {
        (Type::MemoryPercent, Row::Node(node)) => node.memory_usage_percent().map(Scalar::Float),
        _ => row.value(field.column),
    };
    memory.rows(kind).into_iter().filter_map(value).collect()
}

/// Values to compare a field with: some that rows have, others near by and far off.
fn operands(memory: &Memory, kind: Kind, field: &Field) -> Option<BoxedStrategy<Scalar>> {
    let known = known(memory, kind, field);
    let other = match field.ty {
        Type::Text | Type::Address => {
            let address = data::address().prop_map(|address| address.to_uppercase());
            let text = if field.ty == Type::Address { address.boxed() } else { pieces(&known) };
            text.prop_map(Scalar::Text).boxed()
        }
        Type::Id | Type::Int => {
            prop_oneof![data::int().prop_map(i64::from), data::bytes(), any::<i64>()].prop_map(Scalar::Int).boxed()
        }
        Type::Float | Type::MemoryPercent => {
            let any = any::<f64>().prop_filter("finite", |value| value.is_finite());
            prop_oneof![data::float(), any].prop_map(Scalar::Float).boxed()
        }
        Type::Bool => any::<bool>().prop_map(Scalar::Bool).boxed(),
        Type::Time => data::time().prop_map(|text| Scalar::Time(moment(&text))).boxed(),
        Type::Mode => {
            select(vec!["undefined", "standalone", "cluster"]).prop_map(|text| Scalar::Text(text.into())).boxed()
        }
        Type::Origin => select(vec!["netbox", "manual", "local"]).prop_map(|text| Scalar::Text(text.into())).boxed(),
        Type::One(_) | Type::ClusterNodes | Type::Tags => return None,
    };
    if known.is_empty() {
        return Some(other);
    }
    let near = (select(known), 0..3i64).prop_map(|(value, step)| match value {
        Scalar::Int(value) => Scalar::Int(value.saturating_add(step - 1)),
        Scalar::Time(value) => Scalar::Time(value - TimeDelta::microseconds(step / 2)),
        value => value,
    });
    let near = near.prop_filter("a time that parsers let through", |value| match value {
        Scalar::Time(value) => (1..=9999).contains(&value.year()),
        _ => true,
    });
    Some(prop_oneof![2 => near, 1 => other].boxed())
}

pub fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn pieces(known: &[Scalar]) -> BoxedStrategy<String> {
    let texts = known.iter().filter_map(|value| match value {
        Scalar::Text(text) => Some(text.clone()),
        _ => None,
    });
    piece(texts.chain([String::new()]).collect())
}

/// Regular expressions of the syntax that is everywhere the same.
pub fn pattern() -> BoxedStrategy<String> {
    let letter = select(data::ALPHABET.to_vec()).prop_map(regex::escape);
    let class = select(vec![".", "[ab1]", "[^aé]", "[Üß-]", "(a|é|pve)", "(VE|_)", "[a-z]", "[0-9]"]);
    let atom = prop_oneof![2 => letter, 1 => class.prop_map(str::to_owned)];
    let piece = (atom, select(vec!["", "", "", "*", "+", "?", "{1,2}"])).prop_map(|(atom, often)| atom + often);
    let ends = (select(vec!["", "", "^"]), select(vec!["", "", "$"]));
    (ends, vec(piece, 0..4)).prop_map(|((start, end), pieces)| format!("{start}{}{end}", pieces.concat())).boxed()
}

/// Every way to look at a field that it takes, by its name.
fn lookups(memory: &Memory, kind: Kind, field: &'static Field) -> Vec<(&'static str, BoxedStrategy<Lookup>)> {
    let text = |fold| move |value| Text { value, fold };
    let pieces = pieces(&known(memory, kind, field));
    let mut all: Vec<(&'static str, BoxedStrategy<Lookup>)> = vec![
        ("null", Just(Lookup::Null).boxed()),
        ("empty", Just(Lookup::Empty).boxed()),
        ("no parts", Just(Lookup::NoParts).boxed()),
        (
            "has part",
            select(vec!["images", "backup", "pve", "pve-1", "é", "mages"])
                .prop_map(|part| Lookup::HasPart(part.into()))
                .boxed(),
        ),
        ("in folded", vec(pieces.clone(), 0..4).prop_map(Lookup::InFolded).boxed()),
        ("regex", pattern().prop_map(text(false)).prop_map(Lookup::Regex).boxed()),
        ("regex folded", pattern().prop_map(text(true)).prop_map(Lookup::Regex).boxed()),
        ("contains", pieces.clone().prop_map(text(false)).prop_map(Lookup::Contains).boxed()),
        ("contains folded", pieces.clone().prop_map(text(true)).prop_map(Lookup::Contains).boxed()),
        ("starts with", pieces.clone().prop_map(text(false)).prop_map(Lookup::StartsWith).boxed()),
        ("starts with folded", pieces.clone().prop_map(text(true)).prop_map(Lookup::StartsWith).boxed()),
        ("ends with", pieces.clone().prop_map(text(false)).prop_map(Lookup::EndsWith).boxed()),
        ("ends with folded", pieces.clone().prop_map(text(true)).prop_map(Lookup::EndsWith).boxed()),
        ("tagged", Just(Lookup::Tagged).boxed()),
        (
            "tagged any",
            vec(select(vec!["prod", "PROD", "lab", "é", "none"]), 0..3)
                .prop_map(|slugs| Lookup::TaggedAny(slugs.into_iter().map(str::to_owned).collect()))
                .boxed(),
        ),
    ];
    for how in [Compare::Lt, Compare::Lte, Compare::Gt, Compare::Gte] {
        all.push(("compare folded", pieces.clone().prop_map(move |text| Lookup::CompareFolded(how, text)).boxed()));
        if let Some(operands) = operands(memory, kind, field) {
            all.push(("compare", operands.prop_map(move |operand| Lookup::Compare(how, operand)).boxed()));
        }
    }
    if let Some(operands) = operands(memory, kind, field) {
        all.push(("in", vec(operands, 0..4).prop_map(Lookup::In).boxed()));
    }
    // What does not fit together is refused for every operand.
    all.retain(|(_, lookups)| test(field, one(lookups.clone())).is_ok());
    all
}

/// Tests of each field in each way, but for those over relations.
fn tests(memory: &Memory, kind: Kind) -> Vec<(String, Filters)> {
    let mut all = Vec::new();
    for field in fields(kind) {
        for (name, lookups) in lookups(memory, kind, field) {
            let tests = lookups.prop_map(move |lookup| test(field, lookup).unwrap()).boxed();
            all.push((format!("{kind}: {} {name}", field.name), tests));
        }
    }
    all
}

/// Filters of every kind, nested no deeper than this.
fn filters(memory: &Memory, depth: usize) -> HashMap<Kind, Filters> {
    let plain = |kind| {
        let tests = Union::new(tests(memory, kind).into_iter().map(|(_, tests)| tests));
        let names =
            fields(kind).iter().find(|field| field.name == "name").map_or(Vec::new(), |name| known(memory, kind, name));
        let searches = pieces(&names).prop_map(|text| search(&text).unwrap());
        (kind, prop_oneof![9 => tests, 1 => searches].boxed())
    };
    let mut level = Kind::ALL.map(plain).into_iter().collect::<HashMap<_, _>>();
    for _ in 0..depth {
        level = Kind::ALL.map(|kind| (kind, deeper(kind, &level))).into_iter().collect();
    }
    level
}

fn deeper(kind: Kind, inner: &HashMap<Kind, Filters>) -> Filters {
    let own = &inner[&kind];
    let mut all = vec![
        own.clone(),
        vec(own.clone(), 0..4).prop_map(Filter::All).boxed(),
        vec(own.clone(), 0..4).prop_map(Filter::Any).boxed(),
        own.clone().prop_map(Filter::negated).boxed(),
    ];
    for field in fields(kind) {
        let is = move |inner: Filter| test(field, Lookup::Is(Box::new(inner))).unwrap();
        match field.ty {
            Type::One(target) => all.push(inner[&target].clone().prop_map(is).boxed()),
            Type::ClusterNodes => {
                let nodes = &inner[&Kind::Node];
                all.push(nodes.clone().prop_map(is).boxed());
                all.push(nodes.clone().prop_map(move |inner| is(inner).negated()).boxed());
                all.push(nodes.clone().prop_map(move |inner| is(inner.negated()).negated()).boxed());
            }
            _ => (),
        }
    }
    Union::new(all).boxed()
}

fn of_any_kind(filters: HashMap<Kind, Filters>) -> BoxedStrategy<(Kind, Filter)> {
    let one = Kind::ALL.map(|kind| filters[&kind].clone().prop_map(move |filter| (kind, filter)).boxed());
    Union::new(one).boxed()
}

async fn each_lookup_of_each_field(db: TestDb) {
    let (app, memory) = place(&db).await;
    let all = Kind::ALL.into_iter().flat_map(|kind| tests(&memory, kind).into_iter().map(move |test| (kind, test)));
    let all = all.collect::<Vec<_>>();
    assert!(all.len() > 400, "the pairs of field and lookup: {}", all.len());
    let mut rows = 0;
    for (kind, (name, tests)) in all {
        let each = cases(100).div_ceil(100);
        println!("{name}");
        hold(each, tests.clone(), async |filter| agree(&app, &memory, kind, &filter, &View::everything()).await);
        rows += memory.matching(kind, &one(tests), &View::everything()).len();
    }
    assert!(rows > 1_000, "filters that find something: {rows}");
}

async fn filters_of_every_shape(db: TestDb) {
    let (app, memory) = place(&db).await;
    let asked = of_any_kind(filters(&memory, 3));
    hold(cases(200), asked, async |(kind, filter)| agree(&app, &memory, kind, &filter, &View::everything()).await);
}

async fn filters_in_a_restricted_view(db: TestDb) {
    let (app, memory) = place(&db).await;
    let level = filters(&memory, 2);
    let scopes = filters(&memory, 1);
    let scopes = Kind::ALL.map(|kind| {
        let broad = scopes[&kind].clone().prop_map(Filter::negated);
        prop_oneof![2 => Just(Filter::everything()), 2 => broad, 1 => scopes[&kind].clone()].boxed()
    });
    let asked = (of_any_kind(level), scopes.to_vec());
    hold(cases(150), asked, async |((kind, filter), scopes)| {
        let view = View::of(|kind| scopes[kind as usize].clone());
        agree(&app, &memory, kind, &filter, &view).await
    });
}
