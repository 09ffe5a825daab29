//! Loading runs of sync, their changes, and how it stands with endpoints.
use super::{Loaded, Source, answer, grouped};
use crate::entity::{sync_change, sync_run, sync_state};
use crate::service::read::sync::{self, RunFilter, Start, Stride};
use dataloader::BatchFn;
use std::collections::HashMap;
use std::sync::Arc;

/// A stretch of the changes of one run of sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StrideKey {
    pub run: i32,
    pub stretch: sync::Stretch,
}

/// How many changes a run of sync has, up to one of them or in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountKey {
    pub run: i32,
    pub upto: Option<i32>,
}

pub(super) struct StateBatch(pub Source);

impl BatchFn<i32, Loaded<Option<Arc<sync_state::Model>>>> for StateBatch {
    async fn load(&mut self, keys: &[i32]) -> HashMap<i32, Loaded<Option<Arc<sync_state::Model>>>> {
        let found = sync::states(&self.0.app.db, keys).await;
        answer(keys, found, |found, id| found.remove(id).map(Arc::new))
    }
}

pub(super) struct RunBatch(pub Source);

impl BatchFn<i32, Loaded<Option<Arc<sync_run::Model>>>> for RunBatch {
    async fn load(&mut self, keys: &[i32]) -> HashMap<i32, Loaded<Option<Arc<sync_run::Model>>>> {
        let filter = RunFilter { ids: Some(keys.to_vec()), ..RunFilter::default() };
        let (db, view) = (&self.0.app.db, self.0.principal.view());
        let found = sync::runs(db, view, &filter, Start::Offset(0), keys.len() as u64).await;
        let found = found.map(|found| found.rows.into_iter().map(|row| (row.id, Arc::new(row))).collect());
        answer(keys, found, |found: &mut HashMap<i32, _>, id| found.get(id).cloned())
    }
}

pub(super) struct RunChangeBatch(pub Source);

impl BatchFn<StrideKey, Loaded<Arc<Stride<sync_change::Model>>>> for RunChangeBatch {
    async fn load(&mut self, keys: &[StrideKey]) -> HashMap<StrideKey, Loaded<Arc<Stride<sync_change::Model>>>> {
        let (db, view) = (&self.0.app.db, self.0.principal.view());
        let mut answers = HashMap::new();
        for (stretch, keys) in grouped(keys, |key| key.stretch) {
            let runs = keys.iter().map(|key| key.run).collect::<Vec<_>>();
            let found = sync::changes(db, view, &runs, stretch).await;
            answers.extend(answer(&keys, found, |found, key| Arc::new(found.remove(&key.run).unwrap_or_default())));
        }
        answers
    }
}

pub(super) struct RunChangeCountBatch(pub Source);

impl BatchFn<CountKey, Loaded<i64>> for RunChangeCountBatch {
    async fn load(&mut self, keys: &[CountKey]) -> HashMap<CountKey, Loaded<i64>> {
        let (db, view) = (&self.0.app.db, self.0.principal.view());
        let mut answers = HashMap::new();
        for (upto, keys) in grouped(keys, |key| key.upto) {
            let runs = keys.iter().map(|key| key.run).collect::<Vec<_>>();
            let found = sync::count_changes(db, view, &runs, upto).await;
            answers.extend(answer(&keys, found, |found, key| found.get(&key.run).copied().unwrap_or(0)));
        }
        answers
    }
}
