//! Lists: connections with paging, totals, aggregates and groups, and the same rows as plain lists.
use super::error::{Failure, Result};
use super::loader::{CountKey, GroupsKey, HistoryKey, KindLoaders, ListKey, Loaders, NO_PARENT};
use super::order::OrderInput;
use super::scalar::BigInt;
use super::{Session, filter::FilterInput, session};
use crate::entity::change::Position;
use crate::entity::{Kind, Resource, Scalar};
use crate::filter::Filter;
use crate::page::{Page, PageArgs, Signature, size};
use crate::service::read::log::{self, LogFilter};
use crate::service::read::sync::{self, RunFilter};
use crate::service::read::{Group, GroupKey, Keyed, Listing, Ordering, Relation, Rows, Side, Stats, Summary};
use async_graphql::{Context, InputType, Lookahead, Object, OutputType, Pos, SimpleObject, TypeName};
use sea_orm::{EntityTrait, FromQueryResult};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// A GraphQL object that stands for a row and appears in lists.
pub trait Item: OutputType + Sized {
    type Entity: EntityTrait<Model = Self::Model>;
    type Model: Resource + FromQueryResult;
    type Filter: FilterInput;
    type Order: OrderInput;

    /// Whether its connections are [`MeasuredConnection`]s.
    const MEASURED: bool = false;

    /// The object of a row.
    fn new(row: Arc<Self::Model>) -> Self;

    /// Where its rows are loaded.
    fn loaders(loaders: &Loaders) -> &KindLoaders<Self::Entity>;

    /// The object with this id, if it may be viewed.
    fn by_id(session: &Session, id: i32) -> impl Future<Output = Result<Option<Self>>> + Send {
        async move { Ok(Self::loaders(&session.loaders()).row(id).await?.map(Self::new)) }
    }
}

/// What a list field asks, apart from the parent.
#[derive(Debug)]
pub struct Question {
    pub kind: Kind,
    pub relation: Option<Relation>,
    pub listing: Listing,
    pub identity: Identity,
    signature: Signature,
}

/// A field of the document and the relation it stands for: within one request these decide all arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    line: usize,
    column: usize,
    relation: Option<Relation>,
}

impl Identity {
    fn new(pos: Pos, relation: Option<Relation>) -> Self {
        Self { line: pos.line, column: pos.column, relation }
    }
}

/// The filter of a list field; none, null and `{}` match every row.
fn filter_of<F: FilterInput>(filter: Option<F>) -> Result<Filter> {
    let filter = filter.map_or(Ok(Filter::everything()), F::into_filter).map_err(|error| error.within("filter"))?;
    filter.check_size().map_err(|error| error.within("filter"))?;
    Ok(filter)
}

fn ordering_of<O: OrderInput>(kind: Kind, order: Option<Vec<O>>) -> Result<Ordering> {
    let sorts = order.into_iter().flatten().map(O::into_sort).collect::<Result<_, _>>()?;
    Ok(Ordering::new(kind, sorts))
}

/// The connection that a field asks for.
pub fn connection<T: Item>(
    ctx: &Context<'_>,
    relation: Option<(Relation, i32)>,
    filter: Option<T::Filter>,
    order: Option<Vec<T::Order>>,
    page: PageArgs,
) -> Result<Connection<T>> {
    let kind = T::Model::KIND;
    let (filter, ordering) = (filter_of(filter)?, ordering_of(kind, order)?);
    let signature = ordering.signature();
    let session = session(ctx);
    let page = Page::new(&page, signature, &ordering.keys(session.app.db.backend(), session.principal.view()))?;
    let (relation, parent) = match relation {
        None => (None, NO_PARENT),
        Some((relation, parent)) => (Some(relation), parent),
    };
    let identity = Identity::new(ctx.item.pos, relation);
    let selected = ctx.look_ahead();
    let rows = [selected.field("nodes"), selected.field("edges").field("node")];
    let listing = Listing { filter, ordering, page, unread: unread(&rows) };
    let question = Question { kind, relation, listing, identity, signature };
    Ok(Connection { list: ListKey { question: Arc::new(question), parent }, item: PhantomData })
}

/// The JSON columns that none of these selections of rows names.
fn unread(rows: &[Lookahead<'_>]) -> Vec<&'static str> {
    const DOCUMENTS: [(&str, &str); 2] = [("raw_config", "rawConfig"), ("custom_fields", "customFields")];
    let read = |field| rows.iter().any(|row| row.field(field).exists());
    DOCUMENTS.into_iter().filter(|(_, field)| !read(field)).map(|(column, _)| column).collect()
}

/// The rows of a plain list.
pub async fn plain_list<T: Item>(
    ctx: &Context<'_>,
    filter: Option<T::Filter>,
    order: Option<Vec<T::Order>>,
    limit: Option<i64>,
    offset: Option<i64>,
) -> Result<Vec<T>> {
    let page = Page::plain(limit, offset)?;
    let mut connection = connection::<T>(ctx, None, filter, order, PageArgs::default())?;
    if let Some(question) = Arc::get_mut(&mut connection.list.question) {
        question.listing.page = page;
        question.listing.unread = unread(&[ctx.look_ahead()]);
    }
    Ok(connection.page(ctx).await?.rows.iter().map(|keyed| T::new(keyed.row.clone())).collect())
}

/// One page of a list, and what can be said of the whole list.
#[derive(Debug)]
pub struct Connection<T> {
    list: ListKey,
    item: PhantomData<fn() -> T>,
}

impl<T> Clone for Connection<T> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone(), item: PhantomData }
    }
}

impl<T: Item> Connection<T> {
    async fn page(&self, ctx: &Context<'_>) -> Result<Arc<Rows<T::Model>>> {
        T::loaders(&session(ctx).loaders()).page(self.list.clone()).await
    }
}

impl<T: Item> TypeName for Connection<T> {
    /// Inside a [`MeasuredConnection`] it is flattened, and its own type, of another name, is nowhere in the schema.
    fn type_name() -> Cow<'static, str> {
        format!("{}{}", T::type_name(), if T::MEASURED { "Page" } else { "Connection" }).into()
    }
}

/// One page of a list, and what can be said of the whole list.
#[Object(name_type)]
impl<T: Item> Connection<T> {
    /// The rows of this page, each with its cursor.
    async fn edges(&self, ctx: &Context<'_>) -> Result<Vec<Edge<T>>> {
        let signature = self.list.question.signature;
        let page = self.page(ctx).await?;
        Ok((0..page.rows.len()).map(|index| Edge { page: page.clone(), index, signature }).collect())
    }

    /// The rows of this page: `edges { node }`, shorter.
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Vec<T>> {
        Ok(self.page(ctx).await?.rows.iter().map(|keyed| T::new(keyed.row.clone())).collect())
    }

    /// Where this page lies in the list.
    async fn page_info(&self, ctx: &Context<'_>) -> Result<PageInfo> {
        let answer = self.page(ctx).await?;
        let Rows { rows, more } = &*answer;
        let page = &self.list.question.listing.page;
        let outside = |side, asked: bool| {
            if asked { Flag::Outside(side, self.list.clone()) } else { Flag::Known(false) }
        };
        let next = match !page.backward && *more {
            true => Flag::Known(true),
            false => outside(Side::End, page.before.is_some()),
        };
        let previous = match page.backward && *more || page.offset > 0 && !rows.is_empty() {
            true => Flag::Known(true),
            false => outside(Side::Start, page.after.is_some() || page.offset > 0),
        };
        let cursor = |keyed: &Keyed<T::Model>| keyed.position.cursor(self.list.question.signature);
        Ok(PageInfo { next, previous, start_cursor: rows.first().map(cursor), end_cursor: rows.last().map(cursor) })
    }

    /// Rows that match `filter` on all pages; counted only when selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(int(session(ctx).loaders().count(self.list.clone()).await?))
    }
}

/// A count as GraphQL's 32-bit `Int`; ids have 32 bits too, so no count is larger.
pub fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A row of a page and its cursor.
#[derive(Debug)]
pub struct Edge<T: Item> {
    page: Arc<Rows<T::Model>>,
    index: usize,
    signature: Signature,
}

impl<T: Item> Edge<T> {
    fn keyed(&self) -> &Keyed<T::Model> {
        &self.page.rows[self.index]
    }
}

impl<T: Item> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A row of a page and its cursor.
#[Object(name_type)]
impl<T: Item> Edge<T> {
    /// Where the row stands in this ordering; give it back as `after` or `before`.
    async fn cursor(&self) -> String {
        self.keyed().position.cursor(self.signature)
    }

    /// The row.
    async fn node(&self) -> T {
        T::new(self.keyed().row.clone())
    }
}

/// Where a page lies in its list.
#[derive(Clone, Debug)]
pub struct PageInfo {
    pub next: Flag,
    pub previous: Flag,
    pub start_cursor: Option<String>,
    pub end_cursor: Option<String>,
}

/// Whether there is more beyond an end of a page: known, or asked for only when selected.
#[derive(Clone, Debug)]
pub enum Flag {
    Known(bool),
    /// Beyond this end of a list.
    Outside(Side, ListKey),
    /// Changes up to a position of the log.
    BeforeFeed(Arc<LogFilter>, Position),
    /// Changes of one object up to where its history was asked from.
    BeforeHistory(HistoryKey),
    /// Runs of sync as new as this one, or newer.
    BeforeRuns(Arc<RunFilter>, i32),
    /// Changes of a run up to one of them.
    BeforeRunChanges(CountKey),
}

impl Flag {
    async fn ask(&self, ctx: &Context<'_>) -> Result<bool> {
        let session = session(ctx);
        match self {
            Self::Known(flag) => Ok(*flag),
            Self::Outside(side, list) => session.loaders().outside(*side, list.clone()).await,
            Self::BeforeFeed(filter, position) => {
                let (db, view) = (&session.app.db, session.principal.view());
                Ok(log::feed_before(db, view, filter, *position).await?)
            }
            Self::BeforeHistory(key) => session.loaders().before_history(*key).await,
            Self::BeforeRuns(filter, id) => {
                let (db, view) = (&session.app.db, session.principal.view());
                Ok(sync::runs_before(db, view, filter, *id).await?)
            }
            Self::BeforeRunChanges(key) => Ok(session.loaders().count_run_changes(*key).await? > 0),
        }
    }
}

/// Where a page lies in its list.
#[Object]
impl PageInfo {
    /// Whether rows follow behind this page.
    async fn has_next_page(&self, ctx: &Context<'_>) -> Result<bool> {
        self.next.ask(ctx).await
    }

    /// Whether rows lie before this page.
    async fn has_previous_page(&self, ctx: &Context<'_>) -> Result<bool> {
        self.previous.ask(ctx).await
    }

    /// Cursor of the first row; null on an empty page.
    async fn start_cursor(&self) -> Option<&str> {
        self.start_cursor.as_deref()
    }

    /// Cursor of the last row; null on an empty page.
    async fn end_cursor(&self) -> Option<&str> {
        self.end_cursor.as_deref()
    }
}

/// An object whose lists can be aggregated and grouped.
pub trait Measured: Item {
    type Aggregate: OutputType + From<Summary>;
    type GroupBy: InputType + Copy + Into<GroupKey>;
    type Group: OutputType + From<GroupRow<Self::GroupBy>>;
}

/// A group with what it was grouped by.
#[derive(Clone, Debug)]
pub struct GroupRow<K> {
    pub by: Vec<K>,
    pub group: Group,
}

/// A connection whose rows can be aggregated and grouped.
#[derive(Debug)]
pub struct MeasuredConnection<T>(Connection<T>);

impl<T> From<Connection<T>> for MeasuredConnection<T> {
    fn from(connection: Connection<T>) -> Self {
        Self(connection)
    }
}

impl<T: Measured> TypeName for MeasuredConnection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// One page of a list, and what can be said of the whole list.
#[Object(name_type)]
impl<T: Measured> MeasuredConnection<T> {
    #[graphql(flatten)]
    async fn connection(&self) -> Connection<T> {
        self.0.clone()
    }

    /// Figures over all rows that match `filter`, never only this page.
    async fn aggregate(&self, ctx: &Context<'_>) -> Result<T::Aggregate> {
        Ok(session(ctx).loaders().summary(self.0.list.clone()).await?.into())
    }

    /// The rows that match `filter` in groups, the largest group first.
    async fn groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the rows of a group have in common; at least one, each once.")] by: Vec<T::GroupBy>,
        #[graphql(desc = "At most so many groups: 0–1000, 50 by default.")] first: Option<i64>,
    ) -> Result<Vec<T::Group>> {
        let keys = by.iter().map(|key| (*key).into()).collect::<Vec<GroupKey>>();
        if keys.is_empty() || keys.iter().enumerate().any(|(i, key)| keys[..i].contains(key)) {
            return Err(Failure::input("by: name at least one key, and each only once"));
        }
        let key = GroupsKey { list: self.0.list.clone(), by: keys, limit: size("first", first)? };
        let groups = session(ctx).loaders().groups(key).await?.into_iter();
        Ok(groups.map(|group| GroupRow { by: by.clone(), group }.into()).collect())
    }
}

/// Figures of numbers with a fraction, over the rows that have a value.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct FloatStats {
    /// The smallest value; null without any.
    min: Option<f64>,
    /// The largest value; null without any.
    max: Option<f64>,
    /// The mean; null without any value.
    avg: Option<f64>,
    /// The sum; null without any value.
    sum: Option<f64>,
}

/// Figures of whole numbers, over the rows that have a value.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct BigIntStats {
    /// The smallest value; null without any.
    min: Option<BigInt>,
    /// The largest value; null without any.
    max: Option<BigInt>,
    /// The mean; null without any value.
    avg: Option<f64>,
    /// The sum, which may pass 64 bits and so is a float; null without any value.
    sum: Option<f64>,
}

impl From<Stats> for FloatStats {
    fn from(stats: Stats) -> Self {
        let float = |value| match value {
            Some(Scalar::Float(value)) => Some(value),
            _ => None,
        };
        Self { min: float(stats.min), max: float(stats.max), avg: stats.avg, sum: stats.sum }
    }
}

impl From<Stats> for BigIntStats {
    fn from(stats: Stats) -> Self {
        let whole = |value| match value {
            Some(Scalar::Int(value)) => Some(BigInt(value)),
            _ => None,
        };
        Self { min: whole(stats.min), max: whole(stats.max), avg: stats.avg, sum: stats.sum }
    }
}

/// The fields of a holder that are connections below one parent, or at the root.
macro_rules! connections {
    (
        $(#[$holder_attribute:meta])*
        $holder:ident($($parent:ty)?) {
            $( $(#[$attribute:meta])* $field:ident: $connection:ident<$item:ident> $(= $relation:expr)?; )*
        }
    ) => {
        $(#[$holder_attribute])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $holder($(pub $parent)?);

        $(#[$holder_attribute])*
        #[async_graphql::Object]
        impl $holder {
            $(
                $(#[$attribute])*
                #[allow(clippy::too_many_arguments)]
                async fn $field(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    #[graphql(desc = "Only rows for which this holds; none, null and {} match every row.")]
                    filter: Option<<$item as $crate::graphql::connection::Item>::Filter>,
                    #[graphql(desc = "The keys to sort by, the first one first; the id breaks ties.")]
                    order_by: Option<Vec<<$item as $crate::graphql::connection::Item>::Order>>,
                    #[graphql(desc = "So many rows from the start, or behind `after`: 0–1000, 50 by default.")]
                    first: Option<i64>,
                    #[graphql(desc = "Only rows behind this cursor.")] after: Option<String>,
                    #[graphql(desc = "So many rows from the end, or before `before`: 0–1000; not with `first`.")]
                    last: Option<i64>,
                    #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
                    #[graphql(desc = "Leave out so many rows at the start; not with a cursor or `last`.")]
                    offset: Option<i64>,
                ) -> $crate::graphql::error::Result<$crate::graphql::connection::$connection<$item>> {
                    let page = $crate::page::PageArgs { first, after, last, before, offset };
                    #[allow(unused_mut, unused_assignments)]
                    let mut relation = None;
                    $( relation = Some(($relation, self.0)); )?
                    let list = $crate::graphql::connection::connection::<$item>(ctx, relation, filter, order_by, page)?;
                    Ok(list.into())
                }
            )*
        }
    };
}

pub(crate) use connections;
