//! What a store must hold after the commits that were acknowledged: the oracle of whoever loses power.

use durable::store::{Batch, Store};
use durable_store::testing::Model;

/// What the store must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    model: Model,
}

impl Contents {
    /// The same after one more commit.
    #[must_use]
    pub(crate) fn after(&self, batch: &Batch) -> Self {
        let mut next = self.clone();
        next.model.apply(batch);
        next
    }

    /// What a store holds that is otherwise.
    pub(crate) fn difference(&self, store: &dyn Store) -> Option<String> {
        let verdict = self.model.judge(store);
        (!verdict.is_right()).then(|| format!("{verdict:?}"))
    }
}
