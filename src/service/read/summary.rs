//! Counts, aggregates and groups: over all rows that match, never over a page; one statement for all parents.
use super::{Parents, ROOT, matching, scalar};
use crate::db::Db;
use crate::entity::{Kind, Scalar};
use crate::error::Result;
use crate::filter::{Filter, View, compile, sql};
use crate::page::KeyType;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, OverStatement, Query, SelectStatement, WindowStatement};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};
use std::collections::HashMap;

/// How many rows match, by parent; a parent without rows is missing.
pub async fn counts(
    db: &Db,
    view: &View,
    kind: Kind,
    filter: &Filter,
    parents: Parents<'_>,
) -> Result<HashMap<i32, i64>> {
    let mut found = HashMap::new();
    for parents in parents.chunks() {
        let (mut query, parent) = matching(db.backend(), view, kind, filter, parents);
        query.expr_as(Expr::cust("COUNT(*)"), Alias::new("count"));
        by_parent(&mut query, parent);
        for result in db.read.query_all(&query).await? {
            found.insert(parent_of(&result)?, result.try_get("", "count")?);
        }
    }
    Ok(found)
}

fn by_parent(query: &mut SelectStatement, parent: Option<Expr>) {
    match parent {
        None => query.expr_as(Expr::cust("CAST(NULL AS INTEGER)"), Alias::new("parent_id")),
        Some(parent) => query.expr_as(parent.clone(), Alias::new("parent_id")).add_group_by([parent]),
    };
}

fn parent_of(result: &QueryResult) -> Result<i32> {
    Ok(result.try_get::<Option<i32>>("", "parent_id")?.unwrap_or(ROOT))
}

/// What an aggregate of a kind measures.
#[derive(Debug)]
pub struct Measures {
    /// Columns of truth: how many rows have it.
    pub flags: &'static [&'static str],
    /// Columns of numbers, and whether they are whole.
    pub numbers: &'static [(&'static str, bool)],
    /// A share in percent: the sums of two columns over the rows that have both.
    pub share: Option<(&'static str, &'static str)>,
}

impl Measures {
    /// The measures of a kind; none for kinds without aggregates.
    pub fn of(kind: Kind) -> &'static Self {
        match kind {
            Kind::Cluster => &Self { flags: &["quorate"], numbers: &[("nodes_count", true)], share: None },
            Kind::Node => &Self {
                flags: &["online"],
                numbers: &[("cpu_usage", false), ("max_cpu", true), ("memory_usage", true), ("max_memory", true)],
                share: Some(("memory_usage", "max_memory")),
            },
            Kind::Storage => &Self { flags: &["enabled", "shared"], numbers: &[], share: None },
            _ => &Self { flags: &[], numbers: &[], share: None },
        }
    }
}

/// The figures of a set of rows; its parts in the order of [`Measures`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    pub count: i64,
    pub flags: Vec<i64>,
    pub numbers: Vec<Stats>,
    pub share: Option<f64>,
}

/// Figures of one column over the rows that have a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    pub min: Option<Scalar>,
    pub max: Option<Scalar>,
    pub avg: Option<f64>,
    pub sum: Option<f64>,
}

/// Something to group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    pub column: &'static str,
    /// The kind referred to, for a reference; one outside the view counts as none.
    pub target: Option<Kind>,
    pub ty: KeyType,
}

/// The rows that share the values of the keys.
#[derive(Clone, Debug)]
pub struct Group {
    pub key: Vec<Option<Scalar>>,
    pub summary: Summary,
}

/// The figures of each parent; a parent without rows is missing.
pub async fn summaries(
    db: &Db,
    view: &View,
    kind: Kind,
    filter: &Filter,
    parents: Parents<'_>,
) -> Result<HashMap<i32, Summary>> {
    let mut found = HashMap::new();
    for parents in parents.chunks() {
        let query = grouped(db.backend(), view, kind, filter, parents, &[]);
        for result in db.read.query_all(&query).await? {
            found.insert(parent_of(&result)?, summary(&result, kind)?);
        }
    }
    Ok(found)
}

/// The groups of each parent, the largest first and then by key; `limit` of them a parent.
pub async fn groups(
    db: &Db,
    view: &View,
    kind: Kind,
    filter: &Filter,
    keys: &[GroupKey],
    limit: u64,
    parents: Parents<'_>,
) -> Result<HashMap<i32, Vec<Group>>> {
    let mut found: HashMap<i32, Vec<Group>> = HashMap::new();
    for parents in parents.chunks() {
        let groups = grouped(db.backend(), view, kind, filter, parents, keys);
        for result in db.read.query_all(&largest(groups, keys, limit)).await? {
            let key = keys.iter().enumerate().map(|(i, key)| scalar(&result, &group(i), key.ty));
            let group = Group { key: key.collect::<Result<_>>()?, summary: summary(&result, kind)? };
            found.entry(parent_of(&result)?).or_default().push(group);
        }
    }
    Ok(found)
}

fn group(i: usize) -> String {
    format!("group_{i}")
}

fn named(name: impl Into<String>) -> Expr {
    Expr::col(Alias::new(name))
}

/// One row a parent and group. Keys are computed in an inner query: PostgreSQL does not see that two expressions with
/// bound values are the same, and so would refuse to group by them.
fn grouped(
    backend: DbBackend,
    view: &View,
    kind: Kind,
    filter: &Filter,
    parents: Parents<'_>,
    keys: &[GroupKey],
) -> SelectStatement {
    let measures = Measures::of(kind);
    let column = |name: &'static str| (Alias::new(kind.table()), Alias::new(name));
    let (mut rows, parent) = matching(backend, view, kind, filter, parents);
    let parent = parent.unwrap_or_else(|| Expr::cust("CAST(NULL AS INTEGER)"));
    rows.expr_as(parent, Alias::new("parent_id"));
    for (i, key) in keys.iter().enumerate() {
        let value = Expr::col(column(key.column));
        let value = match key.target.and_then(|target| Some((target, view.scope(target)?))) {
            None => value,
            Some((target, scope)) => {
                let seen = Query::select()
                    .column((Alias::new(target.table()), Alias::new("id")))
                    .from(Alias::new(target.table()))
                    .and_where(compile(scope, target, backend, &View::everything()))
                    .take();
                sql(backend, "CASE WHEN ? THEN ? END", [value.clone().in_subquery(seen), value])
            }
        };
        rows.expr_as(value, Alias::new(group(i)));
    }
    for name in measures.flags.iter().chain(measures.numbers.iter().map(|(name, _)| name)) {
        rows.column(column(name));
    }
    let mut query = Query::select();
    query.from_subquery(rows, Alias::new("matching")).expr(named("parent_id"));
    query.expr_as(Expr::cust("COUNT(*)"), Alias::new("count"));
    for (i, _) in keys.iter().enumerate() {
        query.expr(named(group(i))).add_group_by([named(group(i))]);
    }
    measure(&mut query, measures, backend);
    query.add_group_by([named("parent_id")]);
    query
}

fn measure(query: &mut SelectStatement, measures: &Measures, backend: DbBackend) {
    for name in measures.flags {
        query.expr_as(
            cast(format!("SUM(CASE WHEN {name} THEN 1 ELSE 0 END)"), "BIGINT"),
            Alias::new(format!("{name}_n")),
        );
    }
    for (name, whole) in measures.numbers {
        let exact = if *whole { "BIGINT" } else { "DOUBLE PRECISION" };
        for (figure, expr, ty) in [
            ("min", format!("MIN({name})"), exact),
            ("max", format!("MAX({name})"), exact),
            ("avg", format!("AVG({name})"), "DOUBLE PRECISION"),
            ("sum", sum(name, backend), "DOUBLE PRECISION"),
        ] {
            query.expr_as(cast(expr, ty), Alias::new(format!("{name}_{figure}")));
        }
    }
    if let Some((part, whole)) = measures.share {
        let of = |value: &str, other: &str| sum(&format!("CASE WHEN {other} IS NOT NULL THEN {value} END"), backend);
        for (name, expr) in [("share_part", of(part, whole)), ("share_whole", of(whole, part))] {
            query.expr_as(cast(expr, "DOUBLE PRECISION"), Alias::new(name));
        }
    }
}

fn cast(expr: String, ty: &str) -> Expr {
    Expr::cust(format!("CAST({expr} AS {ty})"))
}

/// SQLite's `SUM` of whole numbers fails when it overflows; its `TOTAL` does not, but is 0 over nothing.
fn sum(value: &str, backend: DbBackend) -> String {
    match backend {
        DbBackend::Postgres => format!("SUM({value})"),
        _ => format!("CASE WHEN COUNT({value}) > 0 THEN TOTAL({value}) END"),
    }
}

/// The first groups of each parent.
fn largest(groups: SelectStatement, keys: &[GroupKey], limit: u64) -> SelectStatement {
    let mut window = WindowStatement::new();
    window.add_partition_by(named("parent_id")).order_by_expr(named("count"), Order::Desc);
    for i in 0..keys.len() {
        window.order_by_expr_with_nulls(named(group(i)), Order::Asc, sea_orm::sea_query::NullOrdering::Last);
    }
    let ranked = Query::select()
        .expr(Expr::cust("*"))
        .expr_window_as(Func::cust(Alias::new("ROW_NUMBER")), window, Alias::new("number"))
        .from_subquery(groups, Alias::new("groups"))
        .take();
    Query::select()
        .expr(Expr::cust("*"))
        .from_subquery(ranked, Alias::new("ranked"))
        .and_where(named("number").lte(limit))
        .order_by(Alias::new("parent_id"), Order::Asc)
        .order_by(Alias::new("number"), Order::Asc)
        .take()
}

fn summary(result: &QueryResult, kind: Kind) -> Result<Summary> {
    let measures = Measures::of(kind);
    let float = |name: String| result.try_get::<Option<f64>>("", &name);
    let flags =
        measures.flags.iter().map(|name| Ok(result.try_get::<Option<i64>>("", &format!("{name}_n"))?.unwrap_or(0)));
    let numbers = measures.numbers.iter().map(|(name, whole)| {
        let ty = if *whole { KeyType::Int } else { KeyType::Float };
        Ok(Stats {
            min: scalar(result, &format!("{name}_min"), ty)?,
            max: scalar(result, &format!("{name}_max"), ty)?,
            avg: float(format!("{name}_avg"))?,
            sum: float(format!("{name}_sum"))?,
        })
    });
    let share = match measures.share {
        None => None,
        Some(_) => float("share_part".into())?.zip(float("share_whole".into())?.filter(|whole| *whole != 0.0)),
    };
    Ok(Summary {
        count: result.try_get("", "count")?,
        flags: flags.collect::<Result<_>>()?,
        numbers: numbers.collect::<Result<_>>()?,
        share: share.map(|(part, whole)| part / whole * 100.0),
    })
}
