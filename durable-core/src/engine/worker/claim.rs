//! Taking what is ready.

use std::sync::atomic::Ordering;

use durable_store::{Number, Slot};
use smallvec::SmallVec;

use super::{Event, Inner, LARGEST_CLAIM, Loaded, Shared, StartRequest, broken, reopened};
use crate::engine::{error::EngineError, suspects::Suspect};

/// An instance taken from the ready queue, with what happened to it.
pub(super) struct Claim {
    pub(super) slot: Slot,
    /// Which run it is, as long as it is busy.
    pub(super) number: Number,
    pub(super) loaded: Option<Box<Loaded>>,
    pub(super) events: SmallVec<[Event; 1]>,
}

impl Claim {
    pub(super) fn who(&self) -> Suspect {
        Suspect::Instance { slot: self.slot, number: self.number }
    }
}

/// Takes what is ready. Taken instances are busy until their transition is committed.
pub(super) fn claim(inner: &Inner, shared: &mut Shared) -> (Vec<Claim>, Vec<StartRequest>) {
    let mut claims = Vec::with_capacity(shared.ready.len().min(LARGEST_CLAIM));
    while claims.len() < LARGEST_CLAIM
        && let Some(slot) = shared.ready.pop_front()
    {
        let Some(live) = shared.live.get_mut(&slot) else { continue };
        live.queued = false;
        live.busy = true;
        shared.busy += 1;
        let loaded = live.cached.take();
        let (number, events) = (live.number, std::mem::take(&mut live.inbox));
        shared.cached.without(loaded.as_deref());
        claims.push(Claim { slot, number, loaded, events });
    }
    let mut starts = Vec::new();
    while starts.len() < LARGEST_CLAIM
        && let Some(request) = shared.starts.pop_front()
    {
        if let Some(waiting) = shared.starting.get_mut(&request.id) {
            waiting.push(request);
        } else {
            shared.starting.insert(request.id.clone(), Vec::new());
            shared.busy += 1;
            starts.push(request);
        }
    }
    inner.has_work.store(!shared.ready.is_empty() || !shared.starts.is_empty(), Ordering::Relaxed);
    (claims, starts)
}

/// Puts back what there was no room for in memory: it is first in line.
pub(super) fn give_back(inner: &Inner, generation: u64, claims: Vec<Claim>) {
    let mut shared = inner.lock();
    let shared = &mut *shared;
    let is_current = shared.generation == generation;
    for Claim { slot, number, events, .. } in claims.into_iter().rev() {
        let live = shared.live.get_mut(&slot).filter(|live| is_current && live.number == number);
        let Some(live) = live else {
            // As for any claim of before a failure, or of a run that has ended.
            for event in events {
                event.refuse(if is_current {
                    EngineError::NotFound { id: String::new() }
                } else {
                    broken(&reopened(shared))
                });
            }
            continue;
        };
        live.busy = false;
        live.queued = true;
        let since = std::mem::replace(&mut live.inbox, events);
        live.inbox.extend(since);
        shared.busy -= 1;
        shared.ready.push_front(slot);
    }
    inner.wake_worker(shared);
}
