//! What stops a store after an error that leaves the outcome of a commit unknown, until it is opened again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Why nothing is answered any more.
#[derive(Default)]
pub(super) struct Poison {
    /// Whether there is a reason: looked at on every call, without the lock.
    set: AtomicBool,
    reason: Mutex<Option<String>>,
}

impl Poison {
    pub(super) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first error stays the reason: the later ones follow from it.
    pub(super) fn set(&self, error: &Error) {
        self.set_reason(error.to_string());
    }

    /// Of several reasons the first is kept.
    pub(super) fn set_reason(&self, first: String) {
        self.lock().get_or_insert(first);
        self.set.store(true, Ordering::Release);
    }

    pub(super) fn clear(&self) {
        *self.lock() = None;
        self.set.store(false, Ordering::Release);
    }

    pub(super) fn reason(&self) -> String {
        self.lock().clone().unwrap_or_default()
    }
}
