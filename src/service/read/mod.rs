//! Reading: one way for every list, whether at the root or below a parent, and for every reference.
//! The number of statements never depends on the number of rows.
pub mod log;
mod order;
mod relation;
mod summary;
pub mod sync;

pub use order::{Ordering, Sort, SortField, sort_field, sort_fields};
pub use relation::Relation;
pub use summary::{Group, GroupKey, Measures, Stats, Summary, counts, groups, summaries};

use crate::db::Db;
use crate::entity::{Kind, Resource, Scalar, revision, tag};
use crate::error::Result;
use crate::filter::{Filter, View, compile, not, sql};
use crate::page::{self, Key, KeyType, Page, Position};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, OverStatement, Query, SelectStatement, WindowStatement};
use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait, QueryResult,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Keys asked for in one statement at most; larger sets are asked in parts.
const CHUNK: usize = 10_000;

/// Is one of these ids. They are bound as one text, so that the statement reads the same for any number of them: it is
/// prepared once, and does not grow.
fn one_of(column: Expr, ids: &[i32], backend: DbBackend) -> Expr {
    let list = ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    match backend {
        DbBackend::Postgres => sql(backend, "? = ANY (string_to_array(?, ',')::int4[])", [column, Expr::val(list)]),
        _ => sql(backend, "? IN (SELECT value FROM json_each(?))", [column, Expr::val(format!("[{list}]"))]),
    }
}

/// The question that a list answers.
#[derive(Clone, Debug)]
pub struct Listing {
    pub filter: Filter,
    pub ordering: Ordering,
    pub page: Page,
    /// Columns that nobody looks at: JSON documents, which are long to read. Their place holds `{}`.
    pub unread: Vec<&'static str>,
}

/// One page of rows in the order of the list.
#[derive(Clone, Debug)]
pub struct Rows<M> {
    pub rows: Vec<Keyed<M>>,
    /// Whether there are more in the direction of paging.
    pub more: bool,
}

/// A row and where it stands in the ordering.
#[derive(Clone, Debug)]
pub struct Keyed<M> {
    pub row: Arc<M>,
    pub position: Position,
}

/// Whose list it is: everybody's, or that of some parents.
#[derive(Clone, Copy, Debug)]
pub enum Parents<'a> {
    Root,
    Of(Relation, &'a [i32]),
}

/// The id under which the root's answer stands, where answers are kept by parent.
pub const ROOT: i32 = 0;

/// The page of each parent; a parent without rows is missing.
pub async fn pages<E>(
    db: &Db,
    view: &View,
    listing: &Listing,
    parents: Parents<'_>,
) -> Result<HashMap<i32, Rows<E::Model>>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let backend = db.backend();
    let keys = listing.ordering.keys(backend, view);
    let mut found: HashMap<i32, Rows<E::Model>> = HashMap::new();
    for parents in parents.chunks() {
        let query = page_query::<E>(backend, view, listing, &keys, parents);
        for result in db.read.query_all(&query).await? {
            let parent = result.try_get::<Option<i32>>("", "parent_id")?.unwrap_or(ROOT);
            let row =
                Keyed { row: Arc::new(E::Model::from_query_result(&result, "")?), position: position(&result, &keys)? };
            found.entry(parent).or_insert_with(|| Rows { rows: Vec::new(), more: false }).rows.push(row);
        }
    }
    for rows in found.values_mut() {
        rows.more = rows.rows.len() as u64 > listing.page.limit;
        rows.rows.truncate(listing.page.limit as usize);
        if listing.page.backward {
            rows.rows.reverse();
        }
    }
    Ok(found)
}

impl<'a> Parents<'a> {
    fn chunks(self) -> Vec<Self> {
        match self {
            Self::Root => vec![Self::Root],
            Self::Of(relation, ids) => ids.chunks(CHUNK).map(|ids| Self::Of(relation, ids)).collect(),
        }
    }

    /// Narrows the query, and returns the parent's id as an expression.
    fn narrow(self, query: &mut SelectStatement, backend: DbBackend, view: &View) -> Option<Expr> {
        match self {
            Self::Root => None,
            Self::Of(relation, ids) => Some(relation.narrow(query, ids, backend, view)),
        }
    }
}

/// The rows of a kind that match and may be viewed, of these parents; also the parent's id as an expression.
fn matching(
    backend: DbBackend,
    view: &View,
    kind: Kind,
    filter: &Filter,
    parents: Parents<'_>,
) -> (SelectStatement, Option<Expr>) {
    let mut query = Query::select();
    query.from(Alias::new(kind.table()));
    let parent = parents.narrow(&mut query, backend, view);
    if let Some(scope) = view.scope(kind) {
        query.and_where(compile(scope, kind, backend, &View::everything()));
    }
    if !filter.is_everything() {
        query.and_where(compile(filter, kind, backend, view));
    }
    (query, parent)
}

fn page_query<E: EntityTrait>(
    backend: DbBackend,
    view: &View,
    listing: &Listing,
    keys: &[Key],
    parents: Parents<'_>,
) -> SelectStatement
where
    E::Model: Resource,
{
    let kind = E::Model::KIND;
    let Listing { filter, ordering, page, .. } = listing;
    let (mut query, parent) = matching(backend, view, kind, filter, parents);
    ordering.join(&mut query, backend, view);
    for (i, key) in keys.iter().enumerate() {
        query.expr_as(key.expr.clone(), key_name(i));
    }
    if let Some(position) = &page.after {
        query.and_where(page::after(keys, position));
    }
    if let Some(position) = &page.before {
        query.and_where(page::before(keys, position));
    }
    match parent {
        None => {
            query.expr_as(Expr::cust("CAST(NULL AS INTEGER)"), Alias::new("parent_id"));
            sort(&mut query, keys, page, |i| keys[i].expr.clone());
            query.limit(page.limit + 1).offset(page.offset);
            if page.offset == 0 {
                columns::<E>(&mut query, &listing.unread);
                return query;
            }
            let mut wide = widened::<E>(query, listing, keys.len());
            sort(&mut wide, keys, page, |i| Expr::col((Alias::new(PAGE), key_name(i))));
            wide
        }
        Some(parent) => {
            number(&mut query, parent, keys, page);
            let number = || (Alias::new(PAGE), Alias::new("number"));
            let mut wide = widened::<E>(query, listing, keys.len());
            wide.and_where(Expr::col(number()).gt(page.offset))
                .and_where(Expr::col(number()).lte(page.offset + page.limit + 1))
                .order_by((Alias::new(PAGE), Alias::new("parent_id")), Order::Asc)
                .order_by(number(), Order::Asc);
            wide
        }
    }
}

/// The name of a subquery that picks the rows of a page.
const PAGE: &str = "page";

fn key_name(i: usize) -> Alias {
    Alias::new(format!("key_{i}"))
}

fn sort(query: &mut SelectStatement, keys: &[Key], page: &Page, expr: impl Fn(usize) -> Expr) {
    for (i, key) in keys.iter().enumerate() {
        match key.order(page.backward) {
            (order, None) => query.order_by_expr(expr(i), order),
            (order, Some(nulls)) => query.order_by_expr_with_nulls(expr(i), order, nulls),
        };
    }
}

/// A page for each parent in one statement: rows are numbered within their parent.
fn number(query: &mut SelectStatement, parent: Expr, keys: &[Key], page: &Page) {
    let mut window = WindowStatement::new();
    window.add_partition_by(parent.clone());
    for key in keys {
        match key.order(page.backward) {
            (order, None) => window.order_by_expr(key.expr.clone(), order),
            (order, Some(nulls)) => window.order_by_expr_with_nulls(key.expr.clone(), order, nulls),
        };
    }
    query.expr_as(parent, Alias::new("parent_id"));
    query.expr_window_as(Func::cust(Alias::new("ROW_NUMBER")), window, Alias::new("number"));
}

/// The rows that a query picks by keys alone: whole rows are ten times as wide, and would be sorted with them.
fn widened<E: EntityTrait>(mut picking: SelectStatement, listing: &Listing, keys: usize) -> SelectStatement
where
    E::Model: Resource,
{
    let table = Alias::new(E::Model::KIND.table());
    picking.expr_as(Expr::col((table.clone(), Alias::new("id"))), Alias::new("row_id"));
    let mut wide = Query::select();
    columns::<E>(&mut wide, &listing.unread);
    for i in 0..keys {
        wide.column((Alias::new(PAGE), key_name(i)));
    }
    let same = Expr::col((table.clone(), Alias::new("id"))).equals((Alias::new(PAGE), Alias::new("row_id")));
    wide.column((Alias::new(PAGE), Alias::new("parent_id")))
        .from_subquery(picking, Alias::new(PAGE))
        .inner_join(table, same);
    wide
}

/// The columns of a row, but for those that nobody looks at.
fn columns<E: EntityTrait>(query: &mut SelectStatement, unread: &[&str])
where
    E::Model: Resource,
{
    for column in E::Column::iter() {
        if unread.contains(&column.as_str()) {
            query.expr_as(Expr::cust("'{}'"), Alias::new(column.as_str()));
        } else {
            query.column((Alias::new(E::Model::KIND.table()), column));
        }
    }
}

fn position(result: &QueryResult, keys: &[Key]) -> Result<Position> {
    let values = keys.iter().enumerate().map(|(i, key)| scalar(result, &format!("key_{i}"), key.ty));
    Ok(Position(values.collect::<Result<_>>()?))
}

/// A value of a result, whose column is typed only by the key that it belongs to.
fn scalar(result: &QueryResult, name: &str, ty: KeyType) -> Result<Option<Scalar>> {
    Ok(match ty {
        KeyType::Bool => result.try_get::<Option<bool>>("", name)?.map(Scalar::Bool),
        KeyType::Float => result.try_get::<Option<f64>>("", name)?.map(Scalar::Float),
        KeyType::Text => result.try_get::<Option<String>>("", name)?.map(Scalar::Text),
        KeyType::Time => result.try_get::<Option<chrono::DateTime<chrono::Utc>>>("", name)?.map(Scalar::Time),
        // PostgreSQL's 4-byte integers do not read as 8-byte ones; most keys are ids, which have 4.
        KeyType::Int => match result.try_get::<Option<i32>>("", name) {
            Ok(value) => value.map(|value| Scalar::Int(value.into())),
            Err(_) => result.try_get::<Option<i64>>("", name)?.map(Scalar::Int),
        },
    })
}

/// Which parents have rows that match but lie outside the page's bound on one side: at or before its `after`, or at or
/// behind its `before`. This is what makes the far flag of a page honest.
pub async fn outside(
    db: &Db,
    view: &View,
    kind: Kind,
    listing: &Listing,
    side: Side,
    parents: Parents<'_>,
) -> Result<HashSet<i32>> {
    let backend = db.backend();
    let keys = listing.ordering.keys(backend, view);
    let bound = match side {
        Side::Start => listing.page.after.as_ref().map(|position| page::after(&keys, position)),
        Side::End => listing.page.before.as_ref().map(|position| page::before(&keys, position)),
    };
    let mut found = HashSet::new();
    for parents in parents.chunks() {
        let (mut query, parent) = matching(backend, view, kind, &listing.filter, parents);
        listing.ordering.join(&mut query, backend, view);
        if let Some(bound) = &bound {
            query.and_where(not(bound.clone()));
        }
        match parent {
            None => query.expr_as(Expr::cust("CAST(NULL AS INTEGER)"), Alias::new("parent_id")).limit(1),
            Some(parent) => query.expr_as(parent, Alias::new("parent_id")).distinct(),
        };
        for result in db.read.query_all(&query).await? {
            found.insert(result.try_get::<Option<i32>>("", "parent_id")?.unwrap_or(ROOT));
        }
    }
    Ok(found)
}

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Start,
    End,
}

/// The viewable rows with these ids.
pub async fn by_ids<E>(db: &Db, view: &View, ids: &[i32]) -> Result<HashMap<i32, Arc<E::Model>>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let kind = E::Model::KIND;
    let mut found = HashMap::new();
    for ids in ids.chunks(CHUNK) {
        let (mut query, _) = matching(db.backend(), view, kind, &Filter::everything(), Parents::Root);
        let id = Expr::col((Alias::new(kind.table()), Alias::new("id")));
        query.and_where(one_of(id, ids, db.backend()));
        for row in select::<E>(db, query, &[]).await? {
            found.insert(row.id(), Arc::new(row));
        }
    }
    Ok(found)
}

/// The ids of the viewable rows that match, at most so many.
pub async fn ids(db: &Db, view: &View, kind: Kind, filter: &Filter, limit: u64) -> Result<Vec<i32>> {
    let (mut query, _) = matching(db.backend(), view, kind, filter, Parents::Root);
    let id = (Alias::new(kind.table()), Alias::new("id"));
    query.column(id.clone()).order_by(id, Order::Asc).limit(limit);
    let rows = db.read.query_all(&query).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}

/// The revision that the database is at.
pub async fn revision(db: &Db) -> Result<i64> {
    Ok(revision::Entity::find_by_id(1).one(&db.read).await?.map_or(0, |row| row.value))
}

/// The viewable row that matches; natural keys match one at most.
pub async fn find<E>(db: &Db, view: &View, filter: &Filter) -> Result<Option<Arc<E::Model>>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let (mut query, _) = matching(db.backend(), view, E::Model::KIND, filter, Parents::Root);
    query.limit(1);
    Ok(select::<E>(db, query, &[]).await?.pop().map(Arc::new))
}

/// All viewable rows of a kind, in no order, but for columns that nobody looks at, as in [`Listing::unread`].
pub async fn all<E>(db: &Db, view: &View, unread: &[&str]) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let (query, _) = matching(db.backend(), view, E::Model::KIND, &Filter::everything(), Parents::Root);
    select::<E>(db, query, unread).await
}

async fn select<E>(db: &Db, mut query: SelectStatement, unread: &[&str]) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    columns::<E>(&mut query, unread);
    let rows = db.read.query_all(&query).await?;
    Ok(rows.iter().map(|row| E::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// The viewable tags of these objects, by name.
pub async fn tags_of(db: &Db, view: &View, kind: Kind, ids: &[i32]) -> Result<HashMap<i32, Vec<Arc<tag::Model>>>> {
    let assignment = |name: &'static str| (Alias::new("tag_assignment"), Alias::new(name));
    let tag = |name: &'static str| (Alias::new("tag"), Alias::new(name));
    let mut found: HashMap<i32, Vec<_>> = HashMap::new();
    for ids in ids.chunks(CHUNK) {
        let (mut query, _) = matching(db.backend(), view, Kind::Tag, &Filter::everything(), Parents::Root);
        let same = Expr::col(tag("id")).equals(assignment("tag_id"));
        query
            .inner_join(Alias::new("tag_assignment"), same)
            .columns(tag::Column::iter().map(|column| (Alias::new("tag"), column)))
            .column(assignment("object_id"))
            .and_where(Expr::col(assignment("object_type")).eq(kind.table()))
            .and_where(one_of(Expr::col(assignment("object_id")), ids, db.backend()))
            .order_by(tag("name"), Order::Asc);
        for result in db.read.query_all(&query).await? {
            let row = Arc::new(tag::Model::from_query_result(&result, "")?);
            found.entry(result.try_get("", "object_id")?).or_default().push(row);
        }
    }
    Ok(found)
}

/// Which of these slugs are those of viewable tags.
pub async fn seen_tags(db: &Db, view: &View, slugs: &[String]) -> Result<HashSet<String>> {
    let slug = (Alias::new(Kind::Tag.table()), tag::Column::Slug);
    // PostgreSQL cannot even be asked for a text with NUL, which no tag has.
    let slugs = slugs.iter().filter(|slug| !slug.contains('\0')).map(String::as_str).collect::<Vec<_>>();
    let mut found = HashSet::new();
    for slugs in slugs.chunks(CHUNK) {
        let (mut query, _) = matching(db.backend(), view, Kind::Tag, &Filter::everything(), Parents::Root);
        query.column(slug.clone()).and_where(Expr::col(slug.clone()).is_in(slugs.iter().copied()));
        for row in db.read.query_all(&query).await? {
            found.insert(row.try_get("", "slug")?);
        }
    }
    Ok(found)
}

/// The entity of a row, for the functions above.
pub type EntityOf<M> = <M as ModelTrait>::Entity;
