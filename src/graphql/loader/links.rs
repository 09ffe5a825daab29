//! Suggestions of links: all at once, since they follow from all rows.
use super::{Loaded, Source, answer};
use crate::service::link::{self, Suggestion};
use dataloader::BatchFn;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) struct SuggestionBatch(pub Source);

impl BatchFn<(), Loaded<Arc<[Suggestion]>>> for SuggestionBatch {
    async fn load(&mut self, keys: &[()]) -> HashMap<(), Loaded<Arc<[Suggestion]>>> {
        let found = link::suggestions(&self.0.app.db, self.0.principal.view()).await;
        answer(keys, found.map(Arc::from), |found: &mut Arc<[Suggestion]>, ()| found.clone())
    }
}
