//! Whether the engine's invariants hold, in the store and in memory. Each that does not is a sentence.
//!
//! In the store, after every commit: an unfinished instance is ready, waits or is parked; whoever waits has the entry that will wake it; no timer,
//! operation or mail belongs to nobody; what is stored decodes and encodes again to the same bytes; its status and its mark say what its record says.
//!
//! In memory, after every move: what the store says is to be done is about to be done. An instance in a worker's hands is left out.

use std::collections::{BTreeMap, BTreeSet};

use durable_store::{Instance, Mailbox, Slot, Timer};

use super::{PAGE, Simulated, waits};
use crate::{
    context::OperationId,
    engine::{
        attempt::Attempt,
        inner::{Inner, Live, Shared},
        mail::CONTROL,
        state::{Address, Loaded, Operation, OperationKind},
        worker::Turn,
    },
    frame::FrameImage,
    registry::Machine,
};

/// So many slots behind the last one in use are looked at for what was left in them.
const BEHIND: u64 = 4;

/// What an audit has seen, for the next one.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// What was wrong.
    pub wrong: Vec<String>,
    /// The runs that have ended, with the bytes of their ends.
    pub ended: BTreeMap<u64, Vec<u8>>,
}

/// An instance as the store has it.
pub(super) struct Stored {
    slot: Slot,
    loaded: Loaded,
    mailbox: Mailbox,
}

/// What the store held when it was read last.
pub(super) struct Seen {
    stamp: usize,
    stored: Vec<Stored>,
    ended: BTreeMap<u64, Vec<u8>>,
}

impl Simulated {
    /// Checks every invariant. The store is read again if the stamp is another one than at the last time: it is to change whenever the store does.
    ///
    /// # Errors
    /// Why the store can't be read: then nothing was checked.
    pub fn audit(&self, stamp: usize) -> Result<Audit, String> {
        let inner = &*self.engine.inner;
        let mut audit = Audit::default();
        if self.is_broken() {
            return Err("the store failed".into());
        }
        let mut seen = self.seen.borrow_mut();
        if seen.as_ref().is_none_or(|seen| seen.stamp != stamp) {
            let stored = audit.store(inner).map_err(|error| error.to_string())?;
            *seen = Some(Seen { stamp, stored, ended: std::mem::take(&mut audit.ended) });
        }
        let Some(seen) = &*seen else { return Ok(audit) };
        audit.ended.clone_from(&seen.ended);
        // What was committed and is not concluded is in nobody's inbox yet.
        if self.recovered && !self.turns.iter().any(Turn::is_written) {
            let shared = inner.lock();
            seen.stored.iter().for_each(|stored| audit.memory(&shared, stored));
            audit.nothing_left_over(&shared);
        }
        Ok(audit)
    }
}

impl Audit {
    fn wrong(&mut self, stored: &Stored, what: &str) {
        self.wrong.push(format!("instance `{}`: {what}", stored.loaded.id));
    }

    fn store(&mut self, inner: &Inner) -> Result<Vec<Stored>, durable_store::Error> {
        let store = &*inner.store;
        let mut all = Vec::new();
        let mut timers: BTreeSet<Timer> = store.timers(None, u64::MAX, PAGE)?.into_iter().collect();
        let mut active: BTreeSet<Slot> = store.active(None, PAGE)?.into_iter().collect();
        let mut mailboxes: BTreeMap<Slot, Mailbox> = store.mailboxes(None, PAGE)?.into_iter().collect();
        for (slot, instance) in store.scan(None, PAGE)? {
            let mailbox = mailboxes.remove(&slot).unwrap_or_default();
            let Some(stored) = self.read(inner, slot, &instance, mailbox) else { continue };
            if active.remove(&slot) != instance.active {
                self.wrong(&stored, "the index of active instances says otherwise");
            }
            for timer in stored.loaded.state.timers(slot) {
                if !timers.remove(&timer) {
                    self.wrong(&stored, &format!("the store has no entry for {timer:?}"));
                }
            }
            self.waits(inner, &stored);
            all.push(stored);
        }
        self.wrong.extend(timers.iter().map(|timer| format!("{timer:?} belongs to nobody")));
        self.wrong.extend(active.iter().map(|slot| format!("{slot:?} is active and empty")));
        self.wrong.extend(mailboxes.keys().map(|slot| format!("{slot:?} has mail and is empty")));
        let last = all.last().map_or(0, |stored| stored.slot.0);
        let taken: BTreeSet<_> = all.iter().map(|stored| stored.slot).collect();
        for slot in (0..last + BEHIND).map(Slot).filter(|slot| !taken.contains(slot)) {
            if !store.operations(slot)?.is_empty() {
                self.wrong.push(format!("{slot:?} has operations and is empty"));
            }
        }
        for closed in store.scan_closed(None, PAGE)? {
            self.ended.insert(closed.number.0, postcard::to_stdvec(&closed).unwrap_or_default());
        }
        Ok(all)
    }

    /// Reads a record, and writes it again.
    fn read(&mut self, inner: &Inner, slot: Slot, instance: &Instance, mailbox: Mailbox) -> Option<Stored> {
        let loaded = match inner.load(slot, instance.clone()) {
            Ok(loaded) => loaded,
            Err(reason) => {
                self.wrong.push(reason);
                return None;
            }
        };
        let mut stored = Stored { slot, loaded, mailbox };
        let again = stored.loaded.record();
        if again != *instance {
            self.wrong(&stored, &format!("its record says {again:?}, the store {instance:?}"));
        }
        for row in inner.store.operations(slot).unwrap_or_default() {
            let again = postcard::from_bytes::<Operation>(&row.bytes).ok();
            let again = again.and_then(|operation| postcard::to_stdvec(&operation).ok());
            if again.as_ref() != Some(&row.bytes) {
                self.wrong(
                    &stored,
                    &format!("operation {} is another one when it is written again", row.operation),
                );
            }
        }
        let tasks = stored.loaded.state.operations.iter().filter_map(|operation| match &operation.kind {
            OperationKind::Task(task) => Some(&task.machine),
            _ => None,
        });
        let images: Vec<FrameImage> = std::iter::once(&stored.loaded.state.machine)
            .chain(tasks)
            .filter_map(|machine| match machine {
                Machine::At(image) => Some(image.clone()),
                Machine::Start(_) => None,
            })
            .collect();
        for image in images {
            if let Err(reason) = crate::frame::reads_and_writes(&inner.frames, &inner.codec, &image) {
                self.wrong(&stored, &reason);
            }
        }
        Some(stored)
    }

    /// Ready, waiting or parked; and what will wake it.
    fn waits(&mut self, inner: &Inner, stored: &Stored) {
        let Stored { slot, loaded, mailbox } = stored;
        let state = &loaded.state;
        if state.parked.is_some() {
            return;
        }
        for operation in state.operations.iter() {
            if let Some(why) = waits::never_ends(inner, *slot, loaded, mailbox, operation) {
                self.wrong(stored, &format!("operation {} would never end: {why}", operation.id));
            }
        }
        let mut missing = Vec::new();
        for (machine, wait) in state.machines() {
            let Some(wait) = wait else {
                // Not begun: it is ready.
                continue;
            };
            let mut named = Vec::new();
            waits::operations(wait, &mut named);
            let gone = named.into_iter().filter(|id| state.operations.get(*id).is_none());
            missing.extend(
                gone.map(|id| format!("machine {machine} waits for operation {id}, which is not there")),
            );
        }
        for what in missing {
            self.wrong(stored, &what);
        }
        if state.is_ready() && !loaded.stored_active {
            self.wrong(stored, "it is ready, and no opening would look at it");
        }
    }

    /// What is to be done is about to be done.
    fn memory(&mut self, shared: &Shared, stored: &Stored) {
        let Stored { slot, loaded, mailbox } = stored;
        let live = shared.live.get(slot).filter(|live| live.number == loaded.number);
        if live.is_some_and(|live| live.busy) {
            return;
        }
        let is_told = live.is_some_and(|live| live.queued && !live.inbox.is_empty());
        let state = &loaded.state;
        if is_told || state.parked.is_some() {
            return;
        }
        if loaded.state.can_move() && (state.is_ready() || is_met_by_mail(loaded, mailbox)) {
            self.wrong(stored, "it is ready, and nobody will step it");
        }
        if mailbox.queue(CONTROL).is_some() {
            self.wrong(stored, "it has mail of the engine's own, and nobody will step it");
        }
        for timer in state.timers(*slot) {
            if !shared.timers.know(timer) {
                self.wrong(stored, &format!("{timer:?} was forgotten"));
            }
        }
        for operation in state.operations.iter() {
            let attempt = live.and_then(|live| live.attempt(operation.id));
            let lost = match &operation.kind {
                OperationKind::Activity(_) if state.paused_ms.is_none() || operation.stopped => {
                    !is_coming(shared, stored, operation.id, attempt)
                }
                OperationKind::Start(new) => !is_being_started(shared, stored, operation.id, &new.id),
                OperationKind::Child { child, address: None } => {
                    !is_being_started(shared, stored, operation.id, &child.id)
                }
                _ => false,
            };
            if lost {
                let what = format!("operation {} is pending, and nobody is at it: {attempt:?}", operation.id);
                self.wrong(stored, &what);
            }
        }
    }

    /// What is in memory is there for somebody.
    fn nothing_left_over(&mut self, shared: &Shared) {
        for (slot, live) in &shared.live {
            let Live { inbox, queued, busy, attempts, .. } = live;
            if !busy && !queued && inbox.is_empty() && attempts.is_empty() {
                self.wrong.push(format!("{slot:?} is in memory for nothing"));
            }
            if *queued != shared.ready.contains(slot) {
                self.wrong.push(format!("{slot:?} is queued: {queued}, and the queue says otherwise"));
            }
        }
        for (at_ms, slot, number, operation) in &shared.backoffs {
            let live = shared.live.get(slot).filter(|live| live.number == *number);
            let attempt = live.and_then(|live| live.attempt(*operation));
            if !matches!(attempt, Some(Attempt::BackingOff { at_ms: at }) if at == at_ms) {
                self.wrong.push(format!("operation {operation} of {slot:?} backs off, and is {attempt:?}"));
            }
        }
    }
}

/// Whether a message that is there lets a machine move.
fn is_met_by_mail(loaded: &Loaded, mailbox: &Mailbox) -> bool {
    let state = &loaded.state;
    state.machines().any(|(_, wait)| {
        let mut readiness = state.readiness(wait);
        let queues: Vec<_> = readiness.queues().map(|(queue, _)| queue).collect();
        for queue in queues {
            let held = state.held.iter().filter(|held| held.queue == queue).count();
            let there = mailbox.queue(queue).map_or(0, |queue| queue.count as usize);
            (held..there).for_each(|_| readiness.message(queue, u64::MAX));
        }
        readiness.met().is_some()
    })
}

fn is_coming(shared: &Shared, stored: &Stored, operation: OperationId, attempt: Option<&Attempt>) -> bool {
    let me = (stored.slot, stored.loaded.number, operation);
    match attempt {
        None => false,
        // What ended is in the inbox, or in a worker's hands.
        Some(Attempt::Ended) => false,
        Some(Attempt::Running(_)) => true,
        Some(Attempt::BackingOff { at_ms }) => shared.backoffs.contains(&(*at_ms, me.0, me.1, me.2)),
        Some(Attempt::Queued) => {
            let limited = shared.limited.values().flat_map(|limited| &limited.waiting);
            shared
                .queue
                .iter()
                .chain(limited)
                .any(|queued| (queued.slot, queued.number, queued.operation) == me)
        }
    }
}

fn is_being_started(shared: &Shared, stored: &Stored, operation: OperationId, id: &str) -> bool {
    let me = Address { slot: stored.slot, number: stored.loaded.number, operation };
    shared.starting.contains_key(id)
        || shared.starts.iter().any(|request| request.is_by(me))
        // It was created, and its mail says so.
        || stored.mailbox.queue(CONTROL).is_some()
}
