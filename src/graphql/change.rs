//! The change log: the feed for front ends that cache, and the history of an object.
use super::connection::{Flag, PageInfo};
use super::error::{Failure, Result};
use super::filter::given;
use super::identity::{InventoryType, RestResource, resource};
use super::loader::HistoryKey;
use super::scalar::{Json, Time, global_id, parse_global_id};
use super::session;
use crate::entity::change::{Model, Position};
use crate::entity::{Action, Kind};
use crate::error::Error;
use crate::page::size;
use crate::service::change::references;
use crate::service::read::log::{self, Changes, LogFilter, Stretch};
use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object};
use futures_util::future::try_join_all;
use serde_json::Value;
use std::sync::Arc;

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Action")]
pub enum ChangeKind {
    /// The object is new.
    Created,
    /// The object changed.
    Updated,
    /// The object is gone.
    Deleted,
    /// Volatile figures (CPU, memory) of many nodes were read anew.
    Metrics,
    /// A whole file was loaded: read everything anew.
    Loaded,
}

/// Which changes. All parts must hold.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeFilter {
    /// Of objects of one of these types; an empty list matches nothing.
    types: MaybeUndefined<Vec<InventoryType>>,
    /// Of one of these kinds; an empty list matches nothing.
    kinds: MaybeUndefined<Vec<ChangeKind>>,
    /// Of one of these objects, by global id; at most 1000. An empty list matches nothing.
    ids: MaybeUndefined<Vec<ID>>,
    /// By this actor exactly, e.g. `token:grafana` or `cli`.
    actor: MaybeUndefined<String>,
    /// From this time on.
    since: MaybeUndefined<Time>,
    /// Before this time.
    until: MaybeUndefined<Time>,
}

/// Objects that one filter may name.
const MOST_IDS: usize = 1_000;

impl ChangeFilter {
    fn read(self) -> crate::error::Result<LogFilter> {
        let ids = given("ids", self.ids)?;
        if let Some(ids) = ids.as_ref().filter(|ids| ids.len() > MOST_IDS) {
            let message = format!("{} are too many; at most {MOST_IDS} are allowed", ids.len());
            return Err(Error::input(message).within("ids"));
        }
        let global = |ids: Vec<ID>| ids.iter().map(parse_global_id).collect::<crate::error::Result<Vec<_>>>();
        Ok(LogFilter {
            kinds: given("types", self.types)?.map(|types| types.into_iter().map(Kind::from).collect()),
            actions: given("kinds", self.kinds)?.map(|kinds| kinds.into_iter().map(Action::from).collect()),
            ids: ids.map(global).transpose().map_err(|error| error.within("ids"))?,
            actor: given("actor", self.actor)?,
            since: given("since", self.since)?.map(|time| time.0),
            until: given("until", self.until)?.map(|time| time.0),
        })
    }
}

/// One change of one object, or of many at once.
#[derive(Clone, Debug)]
pub struct Change(Arc<Model>);

/// One change of one object, or of many at once.
#[Object]
impl Change {
    /// Position in the log: `revision.ordinal`. Give it back as `after` to go on from there.
    async fn position(&self) -> String {
        self.0.position().to_string()
    }

    /// When it was made.
    async fn at(&self) -> Time {
        Time(self.0.at)
    }

    /// Who made it: `token:NAME`, `cli`, `load` …
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The `X-Request-Id` of the request that it came with, if it came with one.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What it did.
    async fn kind(&self) -> ChangeKind {
        self.0.action.into()
    }

    /// The object's type. Null, like `id` and `databaseId`, for METRICS and LOADED, which concern many rows.
    async fn r#type(&self) -> Option<InventoryType> {
        self.object().map(|(kind, _)| kind.into())
    }

    /// The object's global id, also when it is gone.
    async fn id(&self) -> Option<ID> {
        self.object().map(|(kind, id)| global_id(kind, id))
    }

    /// The object's REST id, also when it is gone.
    async fn database_id(&self) -> Option<i32> {
        self.0.object_id
    }

    /// Names of the fields that changed, as REST has them; a secret that was replaced is named too.
    async fn changed(&self) -> Vec<&str> {
        self.0.changed.0.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The object before, under REST's names, references as ids and tags as slugs; null when it was created. It never
    /// holds a secret, and no reference to what you may not view.
    async fn before(&self, ctx: &Context<'_>) -> Result<Option<Json>> {
        self.document(ctx, self.0.before.as_ref().map(|json| &json.0)).await
    }

    /// The object after, in the same form; null when it was deleted. Of LOADED how many rows there were of each sort,
    /// for those who may view all.
    async fn after(&self, ctx: &Context<'_>) -> Result<Option<Json>> {
        self.document(ctx, self.0.after.as_ref().map(|json| &json.0)).await
    }

    /// The object as it is now; null once it is deleted.
    async fn record(&self, ctx: &Context<'_>) -> Result<Option<RestResource>> {
        match self.object() {
            Some((kind, id)) => resource(session(ctx), kind, id).await,
            None => Ok(None),
        }
    }
}

impl Change {
    fn object(&self) -> Option<(Kind, i32)> {
        let table = self.0.object_type.as_deref()?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.table() == table)?;
        Some((kind, self.0.object_id?))
    }

    /// The document as who asks may see it: what they may not view does not exist for them.
    async fn document(&self, ctx: &Context<'_>, document: Option<&Value>) -> Result<Option<Json>> {
        let Some(document) = document else { return Ok(None) };
        let session = session(ctx);
        let hidden = |kind: &Kind| session.principal.view().scope(*kind).is_some();
        let Some((kind, _)) = self.object() else {
            let everything = !Kind::ALL.iter().any(hidden);
            return Ok(everything.then(|| Json(document.clone())));
        };
        let mut document = document.clone();
        for (name, target) in references(kind).filter(|(_, target)| hidden(target)) {
            let Some(id) = document[name].as_i64().and_then(|id| i32::try_from(id).ok()) else { continue };
            if resource(session, target, id).await?.is_none() {
                document[name] = Value::Null;
            }
        }
        if hidden(&Kind::Tag)
            && let Some(slugs) = document.get("tags").and_then(Value::as_array)
        {
            let loaders = session.loaders();
            let seen = slugs.iter().filter_map(Value::as_str).map(|slug| loaders.sees_tag(slug));
            let seen = try_join_all(seen).await?;
            let left = slugs.iter().zip(seen).filter(|(_, seen)| *seen).map(|(slug, _)| slug.clone());
            document["tags"] = left.collect();
        }
        Ok(Some(Json(document)))
    }
}

/// A change and its cursor.
#[derive(Clone, Debug)]
pub struct ChangeEdge(Change);

/// A change and its cursor.
#[Object]
impl ChangeEdge {
    /// The change's position.
    async fn cursor(&self) -> String {
        self.0.0.position().to_string()
    }

    /// The change.
    async fn node(&self) -> Change {
        self.0.clone()
    }
}

/// A stretch of the change log, the oldest change first.
#[derive(Clone, Debug)]
pub struct ChangeConnection {
    changes: Vec<Change>,
    more: bool,
    before: Flag,
}

impl ChangeConnection {
    fn new(changes: Changes, before: Flag) -> Self {
        let rows = changes.rows.into_iter().map(|row| Change(Arc::new(row)));
        Self { changes: rows.collect(), more: changes.more, before }
    }
}

/// A stretch of the change log, the oldest change first.
#[Object]
impl ChangeConnection {
    /// The changes, each with its cursor.
    async fn edges(&self) -> Vec<ChangeEdge> {
        self.changes.iter().cloned().map(ChangeEdge).collect()
    }

    /// The changes: `edges { node }`, shorter.
    async fn nodes(&self) -> &[Change] {
        &self.changes
    }

    /// Where this stretch lies in the log. Go on from `endCursor`, or from your own position when it is null.
    async fn page_info(&self) -> PageInfo {
        let cursor = |change: &Change| change.0.position().to_string();
        PageInfo {
            next: Flag::Known(self.more),
            previous: self.before.clone(),
            start_cursor: self.changes.first().map(cursor),
            end_cursor: self.changes.last().map(cursor),
        }
    }
}

fn stretch(first: Option<i64>, after: Option<String>) -> Result<Stretch> {
    let wrong = Error::Cursor("`after` is not a position such as 17.0");
    let after = after.map(|text| text.parse::<Position>().map_err(|()| wrong)).transpose()?;
    Ok(Stretch { after, limit: size("first", first)? })
}

/// The history of one object.
pub async fn history(
    ctx: &Context<'_>,
    kind: Kind,
    id: i32,
    first: Option<i64>,
    after: Option<String>,
) -> Result<ChangeConnection> {
    let (session, stretch) = (session(ctx), stretch(first, after)?);
    if !session.principal.reads_changes() {
        return Ok(ChangeConnection::new(Changes::default(), Flag::Known(false)));
    }
    let key = HistoryKey { kind, id, stretch };
    let changes = session.loaders().history(key).await?;
    let before = if stretch.after.is_some() { Flag::BeforeHistory(key) } else { Flag::Known(false) };
    Ok(ChangeConnection::new((*changes).clone(), before))
}

/// The change log.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangeQuery;

/// The change log.
#[Object]
impl ChangeQuery {
    /// Everything that changed behind a position, deletions included, the oldest first: for front ends that cache, and
    /// for audits. Empty without the permission to view changes. Fails with RESUME_EXPIRED when what follows the position
    /// is no longer kept; then read everything anew. A tag that gets another slug is a change of the tag alone, not of
    /// the objects that carry it.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only changes for which this holds; none, null and {} match every change.")] filter: Option<
            ChangeFilter,
        >,
        #[graphql(desc = "So many changes: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only changes behind this position; from the beginning without it.")] after: Option<String>,
    ) -> Result<ChangeConnection> {
        let (session, stretch) = (session(ctx), stretch(first, after)?);
        let filter = filter.map_or(Ok(LogFilter::default()), ChangeFilter::read);
        let filter = filter.map_err(|error| Failure::from(error.within("filter")))?;
        if !session.principal.reads_changes() {
            return Ok(ChangeConnection::new(Changes::default(), Flag::Known(false)));
        }
        let (db, view) = (&session.app.db, session.principal.view());
        let changes = log::feed(db, view, &filter, stretch).await?;
        let before = match stretch.after {
            Some(position) => Flag::BeforeFeed(Arc::new(filter), position),
            None => Flag::Known(false),
        };
        Ok(ChangeConnection::new(changes, before))
    }
}
