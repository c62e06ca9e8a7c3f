//! What stops a store after an error that leaves the outcome of a commit unknown, until it is opened again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Why nothing is answered any more.
#[derive(Default)]
pub(super) struct Poison {
    /// Whether there is a reason: looked at on every call, without the lock.
    set: AtomicBool,
    reason: Mutex<Option<Reason>>,
}

struct Reason {
    text: String,
    /// It only says that there was another error, which somebody else is about to report.
    follows: bool,
}

impl Poison {
    pub(super) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reason>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first error stays the reason: the later ones follow from it.
    pub(super) fn set(&self, error: &Error) {
        self.add(Reason { text: error.to_string(), follows: matches!(error, Error::Poisoned { .. }) });
    }

    /// Of several reasons the first is kept.
    pub(super) fn set_reason(&self, text: String) {
        self.add(Reason { text, follows: false });
    }

    fn add(&self, reason: Reason) {
        let mut kept = self.lock();
        if kept.as_ref().is_none_or(|kept| kept.follows && !reason.follows) {
            *kept = Some(reason);
        }
        self.set.store(true, Ordering::Release);
    }

    pub(super) fn clear(&self) {
        *self.lock() = None;
        self.set.store(false, Ordering::Release);
    }

    pub(super) fn reason(&self) -> String {
        self.lock().as_ref().map(|reason| reason.text.clone()).unwrap_or_default()
    }
}
