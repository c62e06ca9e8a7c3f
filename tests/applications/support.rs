//! What the programs share: lengths of time, and a journal of what was done to the world.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use durable::{IdempotencyKey, prelude::*};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// What was done to the world, once per idempotency key: an attempt that is repeated after a crash
/// finds its line there. That is how an activity becomes one that takes effect once.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<Vec<(IdempotencyKey, String)>>,
}

impl Journal {
    /// Writes a line unless this call wrote it before, and returns its number.
    pub(crate) fn note(&self, context: &ActivityContext, text: impl Into<String>) -> usize {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let key = context.idempotency_key();
        if let Some(at) = entries.iter().position(|(known, _)| *known == key) {
            return at;
        }
        entries.push((key, text.into()));
        entries.len() - 1
    }

    /// All lines, in the order of their effects.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(_, text)| text.clone())
            .collect()
    }
}
