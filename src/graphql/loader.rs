//! The loaders of one request: every reference and every nested list is asked for together with its siblings.
//!
//! They are made per request, since what they answer depends on who asks, and is old after a mutation.
mod links;
mod runs;

pub use runs::{CountKey, StrideKey};

use super::connection::Question;
use super::error::Result;
use super::gate::Gate;
use crate::app::App;
use crate::entity::{
    Kind, Resource, cluster, endpoint, netbox_cluster, netbox_device, node, storage, sync_change, sync_run, sync_state,
    tag,
};
use crate::error::Error;
use crate::principal::Principal;
use crate::service::link::Suggestion;
use crate::service::read::log::{self, Changes, Stretch};
use crate::service::read::sync::Stride;
use crate::service::read::{self, Group, GroupKey, Parents, ROOT, Rows, Side, Summary};
use dataloader::{BatchFn, cached};
use links::SuggestionBatch;
use runs::{RunBatch, RunChangeBatch, RunChangeCountBatch, StateBatch};
use sea_orm::{EntityTrait, FromQueryResult};
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

/// Answers are shared between the fields that asked, errors too.
type Loaded<T> = std::result::Result<T, Arc<Error>>;

/// A loader of the crate, behind the gate of the request.
struct Loader<K, V, B>
where
    K: Eq + Hash + Clone,
    V: Clone,
    B: BatchFn<K, Loaded<V>>,
{
    gate: Arc<Gate>,
    batches: cached::Loader<K, Loaded<V>, B>,
}

/// How often a loader lets others run before it asks the database: once, since all who ask passed the gate together.
const YIELDS: usize = 1;

/// Whose rights and which database the batches use.
#[derive(Clone, Debug)]
struct Source {
    app: App,
    principal: Principal,
    gate: Arc<Gate>,
}

/// All loaders of a request.
pub struct Loaders {
    pub endpoints: KindLoaders<endpoint::Entity>,
    pub clusters: KindLoaders<cluster::Entity>,
    pub nodes: KindLoaders<node::Entity>,
    pub storages: KindLoaders<storage::Entity>,
    pub netbox_clusters: KindLoaders<netbox_cluster::Entity>,
    pub netbox_devices: KindLoaders<netbox_device::Entity>,
    pub tags: KindLoaders<tag::Entity>,
    tags_of: Loader<(Kind, i32), Vec<Arc<tag::Model>>, TagBatch>,
    counts: Loader<ListKey, i64, CountBatch>,
    outside: Loader<(Side, ListKey), bool, OutsideBatch>,
    summaries: Loader<ListKey, Summary, SummaryBatch>,
    groups: Loader<GroupsKey, Vec<Group>, GroupBatch>,
    seen_tags: Loader<String, bool, SlugBatch>,
    histories: Loader<HistoryKey, Arc<Changes>, HistoryBatch>,
    before_histories: Loader<HistoryKey, bool, BeforeHistoryBatch>,
    sync_states: Loader<i32, Option<Arc<sync_state::Model>>, StateBatch>,
    runs: Loader<i32, Option<Arc<sync_run::Model>>, RunBatch>,
    run_changes: Loader<StrideKey, Arc<Stride<sync_change::Model>>, RunChangeBatch>,
    run_change_counts: Loader<CountKey, i64, RunChangeCountBatch>,
    suggestions: Loader<(), Arc<[Suggestion]>, SuggestionBatch>,
}

/// The loaders of one kind.
pub struct KindLoaders<E>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    rows: Loader<i32, Option<Arc<E::Model>>, RowBatch<E>>,
    pages: Loader<ListKey, Arc<Rows<E::Model>>, PageBatch<E>>,
}

/// The list that a field asks for, of one parent.
#[derive(Clone, Debug)]
pub struct ListKey {
    pub question: Arc<Question>,
    pub parent: i32,
}

impl PartialEq for ListKey {
    fn eq(&self, other: &Self) -> bool {
        self.parent == other.parent && self.question.identity == other.question.identity
    }
}

impl Eq for ListKey {}

impl Hash for ListKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.parent, &self.question.identity).hash(state);
    }
}

/// The groups that a field asks for, of one parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupsKey {
    pub list: ListKey,
    pub by: Vec<GroupKey>,
    pub limit: u64,
}

/// A stretch of the history of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryKey {
    pub kind: Kind,
    pub id: i32,
    pub stretch: Stretch,
}

impl Loaders {
    /// Loaders that see what this principal may view. Somebody must drive the gate.
    pub fn new(app: App, principal: Principal, gate: Arc<Gate>) -> Self {
        let source = Source { app, principal, gate };
        Self {
            endpoints: KindLoaders::new(&source),
            clusters: KindLoaders::new(&source),
            nodes: KindLoaders::new(&source),
            storages: KindLoaders::new(&source),
            netbox_clusters: KindLoaders::new(&source),
            netbox_devices: KindLoaders::new(&source),
            tags: KindLoaders::new(&source),
            tags_of: Loader::new(&source, TagBatch(source.clone())),
            counts: Loader::new(&source, CountBatch(source.clone())),
            outside: Loader::new(&source, OutsideBatch(source.clone())),
            summaries: Loader::new(&source, SummaryBatch(source.clone())),
            groups: Loader::new(&source, GroupBatch(source.clone())),
            seen_tags: Loader::new(&source, SlugBatch(source.clone())),
            histories: Loader::new(&source, HistoryBatch(source.clone())),
            before_histories: Loader::new(&source, BeforeHistoryBatch(source.clone())),
            sync_states: Loader::new(&source, StateBatch(source.clone())),
            runs: Loader::new(&source, RunBatch(source.clone())),
            run_changes: Loader::new(&source, RunChangeBatch(source.clone())),
            run_change_counts: Loader::new(&source, RunChangeCountBatch(source.clone())),
            suggestions: Loader::new(&source, SuggestionBatch(source.clone())),
        }
    }

    /// The tags of an object, by name.
    pub async fn tags_of(&self, kind: Kind, id: i32) -> Result<Vec<Arc<tag::Model>>> {
        self.tags_of.load((kind, id)).await
    }

    /// How many rows a list has in all.
    pub async fn count(&self, list: ListKey) -> Result<i64> {
        self.counts.load(list).await
    }

    /// Whether rows of a list lie beyond an end of its page.
    pub async fn outside(&self, side: Side, list: ListKey) -> Result<bool> {
        self.outside.load((side, list)).await
    }

    /// The figures of a list.
    pub async fn summary(&self, list: ListKey) -> Result<Summary> {
        self.summaries.load(list).await
    }

    /// Whether there is a tag of this slug that may be viewed.
    pub async fn sees_tag(&self, slug: &str) -> Result<bool> {
        self.seen_tags.load(slug.to_owned()).await
    }

    /// A stretch of an object's history.
    pub async fn history(&self, key: HistoryKey) -> Result<Arc<Changes>> {
        self.histories.load(key).await
    }

    /// Whether an object has changes up to where its history was asked from.
    pub async fn before_history(&self, key: HistoryKey) -> Result<bool> {
        self.before_histories.load(key).await
    }

    /// How it stands with syncing an endpoint; none before its first run.
    pub async fn sync_state(&self, endpoint: i32) -> Result<Option<Arc<sync_state::Model>>> {
        self.sync_states.load(endpoint).await
    }

    /// The run of sync with this id, if its endpoint may be viewed.
    pub async fn run(&self, id: i32) -> Result<Option<Arc<sync_run::Model>>> {
        self.runs.load(id).await
    }

    /// A stretch of the changes of a run of sync.
    pub async fn run_changes(&self, key: StrideKey) -> Result<Arc<Stride<sync_change::Model>>> {
        self.run_changes.load(key).await
    }

    /// How many changes a run of sync has.
    pub async fn count_run_changes(&self, key: CountKey) -> Result<i64> {
        self.run_change_counts.load(key).await
    }

    /// All suggestions of links, read once however many fields ask.
    pub async fn suggestions(&self) -> Result<Arc<[Suggestion]>> {
        self.suggestions.load(()).await
    }

    /// The groups of a list.
    pub async fn groups(&self, key: GroupsKey) -> Result<Vec<Group>> {
        self.groups.load(key).await
    }
}

impl<E> KindLoaders<E>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    fn new(source: &Source) -> Self {
        Self {
            rows: Loader::new(source, RowBatch(source.clone(), PhantomData)),
            pages: Loader::new(source, PageBatch(source.clone(), PhantomData)),
        }
    }

    /// The row with this id, if it may be viewed.
    pub async fn row(&self, id: i32) -> Result<Option<Arc<E::Model>>> {
        self.rows.load(id).await
    }

    /// One page of a list.
    pub async fn page(&self, list: ListKey) -> Result<Arc<Rows<E::Model>>> {
        self.pages.load(list).await
    }
}

impl<K, V, B> Loader<K, V, B>
where
    K: Eq + Hash + Clone + std::fmt::Debug,
    V: Clone,
    B: BatchFn<K, Loaded<V>>,
{
    fn new(source: &Source, batch: B) -> Self {
        // The batches chunk by themselves, so one batch a level it is.
        let batches = cached::Loader::new(batch).with_yield_count(YIELDS).with_max_batch_size(usize::MAX);
        Self { gate: source.gate.clone(), batches }
    }

    async fn load(&self, key: K) -> Result<V> {
        let _journey = self.gate.pass().await;
        match self.batches.try_load(key).await {
            Ok(loaded) => Ok(loaded?),
            Err(error) => Err(Error::Internal(format!("a loader gave no answer: {error}")).into()),
        }
    }
}

/// Gives every key its answer, or all of them the error.
fn answer<K, A, V>(
    keys: &[K],
    found: crate::error::Result<A>,
    mut of: impl FnMut(&mut A, &K) -> V,
) -> HashMap<K, Loaded<V>>
where
    K: Eq + Hash + Clone,
{
    match found {
        Ok(mut found) => keys.iter().map(|key| (key.clone(), Ok(of(&mut found, key)))).collect(),
        Err(error) => {
            let error = Arc::new(error);
            keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect()
        }
    }
}

struct RowBatch<E>(Source, PhantomData<fn() -> E>);

impl<E> BatchFn<i32, Loaded<Option<Arc<E::Model>>>> for RowBatch<E>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    async fn load(&mut self, keys: &[i32]) -> HashMap<i32, Loaded<Option<Arc<E::Model>>>> {
        let found = read::by_ids::<E>(&self.0.app.db, self.0.principal.view(), keys).await;
        answer(keys, found, |found, id| found.get(id).cloned())
    }
}

struct TagBatch(Source);

impl BatchFn<(Kind, i32), Loaded<Vec<Arc<tag::Model>>>> for TagBatch {
    async fn load(&mut self, keys: &[(Kind, i32)]) -> HashMap<(Kind, i32), Loaded<Vec<Arc<tag::Model>>>> {
        let mut answers = HashMap::new();
        for kind in Kind::ALL {
            let of_kind = keys.iter().filter(|key| key.0 == kind).copied().collect::<Vec<_>>();
            if of_kind.is_empty() {
                continue;
            }
            let ids = of_kind.iter().map(|key| key.1).collect::<Vec<_>>();
            let found = read::tags_of(&self.0.app.db, self.0.principal.view(), kind, &ids).await;
            answers.extend(answer(&of_kind, found, |found, key| found.get(&key.1).cloned().unwrap_or_default()));
        }
        answers
    }
}

/// Asks once for each question, whatever the number of parents. `list` finds the list in a key.
async fn by_question<K, A, V, F>(
    keys: &[K],
    list: impl Fn(&K) -> &ListKey,
    ask: impl Fn(K, Vec<i32>) -> F,
    of: impl Fn(&mut A, i32) -> V,
    same: impl Fn(&K, &K) -> bool,
) -> HashMap<K, Loaded<V>>
where
    K: Eq + Hash + Clone,
    F: Future<Output = crate::error::Result<A>>,
{
    let mut questions: Vec<Vec<K>> = Vec::new();
    for key in keys {
        match questions.iter_mut().find(|group| same(&group[0], key)) {
            Some(group) => group.push(key.clone()),
            None => questions.push(vec![key.clone()]),
        }
    }
    let mut answers = HashMap::new();
    for group in questions {
        let parents = group.iter().map(|key| list(key).parent).collect::<Vec<_>>();
        let found = ask(group[0].clone(), parents).await;
        answers.extend(answer(&group, found, |found, key| of(found, list(key).parent)));
    }
    answers
}

/// Whether two lists differ in the parent only.
fn same_question(a: &ListKey, b: &ListKey) -> bool {
    a.question.identity == b.question.identity
}

fn parents<'a>(question: &Question, ids: &'a [i32]) -> Parents<'a> {
    match question.relation {
        None => Parents::Root,
        Some(relation) => Parents::Of(relation, ids),
    }
}

struct PageBatch<E>(Source, PhantomData<fn() -> E>);

impl<E> BatchFn<ListKey, Loaded<Arc<Rows<E::Model>>>> for PageBatch<E>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    async fn load(&mut self, keys: &[ListKey]) -> HashMap<ListKey, Loaded<Arc<Rows<E::Model>>>> {
        let source = &self.0;
        let ask = |list: ListKey, ids: Vec<i32>| async move {
            let parents = parents(&list.question, &ids);
            read::pages::<E>(&source.app.db, source.principal.view(), &list.question.listing, parents).await
        };
        let none = || Rows { rows: Vec::new(), more: false };
        let of =
            |found: &mut HashMap<i32, Rows<E::Model>>, parent| Arc::new(found.remove(&parent).unwrap_or_else(none));
        by_question(keys, |key| key, ask, of, same_question).await
    }
}

struct CountBatch(Source);

impl BatchFn<ListKey, Loaded<i64>> for CountBatch {
    async fn load(&mut self, keys: &[ListKey]) -> HashMap<ListKey, Loaded<i64>> {
        let source = &self.0;
        let ask = |list: ListKey, ids: Vec<i32>| async move {
            let Question { kind, listing, .. } = &*list.question;
            let parents = parents(&list.question, &ids);
            read::counts(&source.app.db, source.principal.view(), *kind, &listing.filter, parents).await
        };
        let of = |found: &mut HashMap<i32, i64>, parent| found.get(&parent).copied().unwrap_or(0);
        by_question(keys, |key| key, ask, of, same_question).await
    }
}

struct OutsideBatch(Source);

impl BatchFn<(Side, ListKey), Loaded<bool>> for OutsideBatch {
    async fn load(&mut self, keys: &[(Side, ListKey)]) -> HashMap<(Side, ListKey), Loaded<bool>> {
        let source = &self.0;
        let ask = |(side, list): (Side, ListKey), ids: Vec<i32>| async move {
            let Question { kind, listing, .. } = &*list.question;
            let parents = parents(&list.question, &ids);
            read::outside(&source.app.db, source.principal.view(), *kind, listing, side, parents).await
        };
        let of = |found: &mut std::collections::HashSet<i32>, parent| found.contains(&parent);
        by_question(keys, |key| &key.1, ask, of, |a, b| a.0 == b.0 && same_question(&a.1, &b.1)).await
    }
}

struct SummaryBatch(Source);

impl BatchFn<ListKey, Loaded<Summary>> for SummaryBatch {
    async fn load(&mut self, keys: &[ListKey]) -> HashMap<ListKey, Loaded<Summary>> {
        let source = &self.0;
        let ask = |list: ListKey, ids: Vec<i32>| async move {
            let Question { kind, listing, .. } = &*list.question;
            let parents = parents(&list.question, &ids);
            read::summaries(&source.app.db, source.principal.view(), *kind, &listing.filter, parents).await
        };
        let of = |found: &mut HashMap<i32, Summary>, parent| found.remove(&parent).unwrap_or_default();
        by_question(keys, |key| key, ask, of, same_question).await
    }
}

struct GroupBatch(Source);

impl BatchFn<GroupsKey, Loaded<Vec<Group>>> for GroupBatch {
    async fn load(&mut self, keys: &[GroupsKey]) -> HashMap<GroupsKey, Loaded<Vec<Group>>> {
        let source = &self.0;
        let ask = |key: GroupsKey, ids: Vec<i32>| async move {
            let Question { kind, listing, .. } = &*key.list.question;
            let parents = parents(&key.list.question, &ids);
            let view = source.principal.view();
            read::groups(&source.app.db, view, *kind, &listing.filter, &key.by, key.limit, parents).await
        };
        let of = |found: &mut HashMap<i32, Vec<Group>>, parent| found.remove(&parent).unwrap_or_default();
        let same = |a: &GroupsKey, b: &GroupsKey| same_question(&a.list, &b.list) && a.by == b.by && a.limit == b.limit;
        by_question(keys, |key| &key.list, ask, of, same).await
    }
}

struct SlugBatch(Source);

impl BatchFn<String, Loaded<bool>> for SlugBatch {
    async fn load(&mut self, keys: &[String]) -> HashMap<String, Loaded<bool>> {
        let seen = read::seen_tags(&self.0.app.db, self.0.principal.view(), keys).await;
        answer(keys, seen, |seen, slug| seen.contains(slug))
    }
}

/// The objects of keys that ask for the same stretch of objects of the same kind.
fn by_stretch(keys: &[HistoryKey]) -> HashMap<(Kind, Stretch), Vec<HistoryKey>> {
    grouped(keys, |key| (key.kind, key.stretch))
}

struct HistoryBatch(Source);

impl BatchFn<HistoryKey, Loaded<Arc<Changes>>> for HistoryBatch {
    async fn load(&mut self, keys: &[HistoryKey]) -> HashMap<HistoryKey, Loaded<Arc<Changes>>> {
        let (db, view) = (&self.0.app.db, self.0.principal.view());
        let mut answers = HashMap::new();
        for ((kind, stretch), keys) in by_stretch(keys) {
            let ids = keys.iter().map(|key| key.id).collect::<Vec<_>>();
            let found = log::histories(db, view, kind, &ids, stretch).await;
            answers.extend(answer(&keys, found, |found, key| Arc::new(found.remove(&key.id).unwrap_or_default())));
        }
        answers
    }
}

struct BeforeHistoryBatch(Source);

impl BatchFn<HistoryKey, Loaded<bool>> for BeforeHistoryBatch {
    async fn load(&mut self, keys: &[HistoryKey]) -> HashMap<HistoryKey, Loaded<bool>> {
        let (db, view) = (&self.0.app.db, self.0.principal.view());
        let mut answers = HashMap::new();
        for ((kind, stretch), keys) in by_stretch(keys) {
            let ids = keys.iter().map(|key| key.id).collect::<Vec<_>>();
            let found = match stretch.after {
                Some(position) => log::histories_before(db, view, kind, &ids, position).await,
                None => Ok(Vec::new()),
            };
            answers.extend(answer(&keys, found, |found, key| found.contains(&key.id)));
        }
        answers
    }
}

/// Keys in groups that one statement can answer.
fn grouped<K: Copy, G: Eq + Hash>(keys: &[K], group: impl Fn(&K) -> G) -> HashMap<G, Vec<K>> {
    let mut groups: HashMap<G, Vec<K>> = HashMap::new();
    for key in keys {
        groups.entry(group(key)).or_default().push(*key);
    }
    groups
}

/// The parent under which the root's lists stand.
pub const NO_PARENT: i32 = ROOT;
