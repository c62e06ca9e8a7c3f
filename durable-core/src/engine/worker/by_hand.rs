//! A worker's turn in its parts, for a simulation that decides what comes between them (feature `simulation`).
//!
//! The parts are those of `run`, and the same code: what is ready is taken and stepped; while somebody else has the disk, more of it; the
//! batch is committed; effects begin. Between any two of them another worker may do any of its own.

use std::sync::Arc;

use super::{Inner, Work, claim, commit, conclude, has_work, prepare};

/// What a worker has in its hands.
pub(in crate::engine) struct Turn {
    work: Work,
    written: bool,
}

impl Turn {
    /// Takes what is ready and steps it. Nothing if nothing is, or if the store failed.
    pub(in crate::engine) fn take(inner: &Arc<Inner>) -> Option<Turn> {
        let mut shared = inner.lock();
        if shared.broken.is_some() || !has_work(inner, &mut shared) {
            return None;
        }
        let work = Work { generation: shared.generation, ..Work::default() };
        drop(shared);
        Turn { work, written: false }.gather(inner)
    }

    /// Takes more of what is ready: what a worker does that waits for the disk.
    pub(in crate::engine) fn gather(mut self, inner: &Arc<Inner>) -> Option<Turn> {
        let mut shared = inner.lock();
        if shared.generation != self.work.generation {
            drop(shared);
            return Some(self);
        }
        let (claims, starts) = claim::claim(inner, &mut shared);
        drop(shared);
        match prepare::prepare(inner, &mut self.work, claims, starts) {
            Ok(()) => Some(self),
            Err(error) => {
                commit::fail(inner, self.work, &error);
                None
            }
        }
    }

    /// Commits, or if that was done, begins the effects. Nothing if it is over.
    pub(in crate::engine) fn go_on(mut self, inner: &Arc<Inner>) -> Option<Turn> {
        if self.written {
            conclude::conclude(inner, &mut self.work);
            return None;
        }
        let unsaved = inner.commit.lock().expect("no code panics while it commits");
        let work = commit::write(inner, self.work, unsaved)?;
        Some(Turn { work, written: true })
    }

    pub(in crate::engine) fn is_written(&self) -> bool {
        self.written
    }
}
