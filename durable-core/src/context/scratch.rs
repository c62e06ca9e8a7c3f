//! What one run of a machine sees and leaves behind.
//!
//! It is shared between the [`Step`](super::Step), with which futures are polled, and the thread (`ambient`), for durable calls that are
//! no futures: `spawn`, `publish`, `try_recv`. Everything in it is a wish until the engine has applied it; a run that fails leaves the
//! instance's record as it was.
//!
//! What it does with messages and with compensations stands in modules of their own.
//!
//! Invariant: what a future sees is what came up to the cutoff (`visible`), so that a race sees one new thing at a time.

mod compensations;
mod messages;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use durable_store::{Number, Slot};
use smallvec::SmallVec;

use super::{
    Completion, Ending, FrameId, Limits, Migrated, NewOperation, OperationId, Present, ScopeId, Scopes,
    Started, StepFailure, Undo, gone::Gone,
};
use crate::{
    codec::Encoded,
    engine::{
        mail::MailView,
        state::{Address, Held, OperationKind, Operations, Stop},
    },
    frame::Frames,
    instance::InstanceInfo,
    random::Random,
    seldom::{Empty, Seldom},
};

/// What one run of a machine sees and leaves behind.
#[derive(Debug)]
pub(crate) struct Scratch {
    // What it sees.
    /// As they were before the run.
    pub(crate) operations: Operations,
    pub(crate) mail: MailView,
    pub(crate) held: Vec<Held>,
    pub(crate) stop: Option<Stop>,
    pub(crate) info: Arc<InstanceInfo>,
    /// Where the instance is found; the operation in it means nothing.
    pub(crate) address: Address,
    /// What stored values are read with; none outside of any engine.
    pub(crate) frames: Option<Arc<Frames>>,
    pub(crate) random: Arc<Random>,
    pub(crate) limits: Limits,
    /// What futures see has at most this number.
    pub(crate) visible: u64,
    /// Futures see nothing: a composition is polled for the first time, and decides nothing yet.
    pub(crate) blind: bool,

    // Where it is.
    pub(crate) scope: ScopeId,
    pub(crate) frame: FrameId,
    pub(crate) scopes: Scopes,
    pub(crate) next_operation: OperationId,

    // What it leaves.
    pub(crate) started: Vec<Started>,
    /// Operations whose completion it has taken, in order of their ids. Nearly always there is one.
    pub(crate) taken: SmallVec<[OperationId; 2]>,
    pub(crate) rare: Seldom<Rare>,
}

/// What few runs leave.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    /// What is held, taken or consumed; none as long as nobody has asked.
    pub(super) gone: Option<Gone>,
    /// Operations that nobody waits for any more.
    pub(crate) cancelled: BTreeSet<OperationId>,
    /// Operations that are told to end and whose last word is waited for.
    pub(crate) stopped: Vec<OperationId>,
    /// Operations that stand in another scope now.
    pub(crate) rescoped: BTreeMap<OperationId, ScopeId>,
    /// Frames whose compensations are those of their callers now.
    pub(crate) handed: Vec<(FrameId, FrameId)>,
    /// Operations whose end nobody waits for.
    pub(crate) detached: Vec<OperationId>,
    /// Messages that a future has taken and that the user's code does not have yet.
    pub(crate) messages: Vec<Held>,
    /// Messages that the user's code has.
    pub(crate) consumed: Vec<(u64, u64)>,
    /// Answers to updates, by the number of each as a message.
    pub(crate) replies: Vec<(u64, Result<Encoded, String>)>,
    pub(crate) published: Vec<(String, Encoded)>,
    /// It asked for a message and there was none.
    pub(crate) asked: bool,
    /// The workflow deals with its cancellation.
    pub(crate) stop_handled: bool,
    /// Frames that were migrated.
    pub(crate) migrated: Vec<Migrated>,
    pub(crate) failure: Option<StepFailure>,
}

impl Empty for Rare {
    const EMPTY: &'static Self = &Rare {
        gone: None,
        cancelled: BTreeSet::new(),
        stopped: Vec::new(),
        rescoped: BTreeMap::new(),
        handed: Vec::new(),
        detached: Vec::new(),
        messages: Vec::new(),
        consumed: Vec::new(),
        replies: Vec::new(),
        published: Vec::new(),
        asked: false,
        stop_handled: false,
        migrated: Vec::new(),
        failure: None,
    };
}

impl Scratch {
    /// What a run outside of any engine sees: completions, and nothing else. They come in this order.
    #[cfg(test)]
    pub(crate) fn of_completions(next_operation: OperationId, done: Vec<(OperationId, Completion)>) -> Self {
        use crate::engine::state::{Done, Operation};
        let mut operations = Operations::default();
        for (seq, (id, completion)) in (1..).zip(done) {
            let failed = matches!(completion, Completion::Error(_));
            let kind = OperationKind::Done(Done { seq, failed, completion });
            operations.insert(Operation::new(id, 0, kind));
        }
        Scratch {
            operations,
            visible: u64::MAX,
            next_operation,
            ..Scratch::new(Arc::new(InstanceInfo::nowhere()), Arc::new(Random::seeded(0)))
        }
    }

    /// Nothing to see.
    pub(crate) fn new(info: Arc<InstanceInfo>, random: Arc<Random>) -> Self {
        Scratch {
            operations: Operations::default(),
            mail: MailView::default(),
            held: Vec::new(),
            stop: None,
            info,
            address: Address { slot: Slot(0), number: Number(0), operation: 0 },
            frames: None,
            random,
            limits: Limits::default(),
            visible: 0,
            blind: false,
            scope: 0,
            frame: 0,
            scopes: Scopes::default(),
            next_operation: 1,
            started: Vec::new(),
            taken: SmallVec::new(),
            rare: Seldom::default(),
        }
    }

    /// Whether the run has changed nothing but where the machine stands.
    pub(crate) fn leaves_nothing(&self) -> bool {
        let Rare {
            cancelled,
            stopped,
            rescoped,
            handed,
            detached,
            consumed,
            replies,
            published,
            stop_handled,
            migrated,
            // What it has seen and not taken, and why it has failed, is no change.
            gone: _,
            messages: _,
            asked: _,
            failure: _,
        } = &*self.rare;
        self.started.is_empty()
            && self.taken.is_empty()
            && cancelled.is_empty()
            && stopped.is_empty()
            && rescoped.is_empty()
            && handed.is_empty()
            && detached.is_empty()
            && consumed.is_empty()
            && replies.is_empty()
            && published.is_empty()
            && !stop_handled
            && migrated.is_empty()
    }

    fn next_id(&mut self) -> u64 {
        let id = self.next_operation;
        self.next_operation += 1;
        id
    }

    /// Starts an operation in the current scope.
    pub(crate) fn start(&mut self, operation: NewOperation) -> OperationId {
        self.start_in(self.scope, operation)
    }

    fn start_in(&mut self, scope: ScopeId, operation: NewOperation) -> OperationId {
        let id = self.next_id();
        let most = self.limits.operations;
        if self.operations.len() + self.started.len() >= most {
            self.rare.failure.get_or_insert(StepFailure::TooManyOperations { most });
        }
        let frame = self.frame;
        if self.started.is_empty() {
            // Nearly always there is one.
            self.started.reserve_exact(1);
        }
        self.started.push(Started { id, scope, frame, operation });
        id
    }

    fn has_taken(&self, id: OperationId) -> bool {
        self.taken.binary_search(&id).is_ok()
    }

    /// Whether an operation is done as far as a future may see, and if so whether it failed.
    pub(crate) fn is_done(&self, id: OperationId) -> Option<bool> {
        if self.blind || self.has_taken(id) || self.rare.cancelled.contains(&id) {
            return None;
        }
        let done = self.operations.get(id)?.done()?;
        (done.seq <= self.visible).then_some(done.failed)
    }

    /// The completion of an operation; consumes it.
    pub(crate) fn take(&mut self, id: OperationId) -> Option<Completion> {
        self.is_done(id)?;
        let completion = self.operations.get(id)?.done()?.completion.clone();
        if let Err(at) = self.taken.binary_search(&id) {
            self.taken.insert(at, id);
        }
        Some(completion)
    }

    /// Whether an operation is there whose completion was not taken.
    pub(crate) fn exists(&self, id: OperationId) -> bool {
        let gone = self.has_taken(id) || self.rare.cancelled.contains(&id);
        !gone && (self.operations.get(id).is_some() || self.started_at(id).is_some())
    }

    /// Where in `started` an operation stands, which is in the order of the numbers.
    fn started_at(&self, id: OperationId) -> Option<usize> {
        self.started.binary_search_by_key(&id, |started| started.id).ok()
    }

    /// The one of these that was done first, as far as a future may see.
    pub(crate) fn first_done(&self, of: &[OperationId]) -> Option<OperationId> {
        let done = of.iter().filter(|id| self.is_done(**id).is_some());
        let seq = |id: &&OperationId| self.operations.get(**id)?.done().map(|done| done.seq);
        done.min_by_key(seq).copied()
    }

    /// An operation belongs to the current scope from now on.
    pub(crate) fn claim(&mut self, id: OperationId) {
        let scope = self.scope;
        if let Some(at) = self.started_at(id) {
            self.started[at].scope = scope;
        } else if let Some(operation) = self.operations.get(id)
            && self.scope_of(id, operation.scope) != scope
        {
            self.rare.rescoped.insert(id, scope);
            // A spawned workflow is a scope of its own.
            self.scopes.move_into(id, scope);
        }
    }

    /// Tells an operation to end. Its last word arrives as its completion.
    pub(crate) fn stop(&mut self, id: OperationId) {
        self.rare.stopped.push(id);
    }

    /// Opens a scope in the current one.
    pub(crate) fn open_scope(&mut self) -> ScopeId {
        let scope = self.next_id();
        self.scopes.open(scope, self.scope);
        scope
    }

    /// Ends scopes that are open, all of them in the same one.
    pub(crate) fn end_scopes(&mut self, scopes: &[ScopeId], ending: Ending) {
        let Some(around) = scopes.first().and_then(|scope| self.scopes.around(*scope)) else { return };
        match ending {
            Ending::Adopt => self.adopt(scopes, around),
            Ending::Cancel => self.cancel(scopes, around),
        }
    }

    fn adopt(&mut self, scopes: &[ScopeId], around: ScopeId) {
        self.scopes.adopt(scopes, around);
        self.scopes.close(scopes);
        let operations = self.operations.iter().filter(|op| scopes.contains(&self.scope_of(op.id, op.scope)));
        let moved: Vec<_> = operations.map(|op| (op.id, around)).collect();
        self.rare.rescoped.extend(moved);
        for started in self.started.iter_mut().filter(|started| scopes.contains(&started.scope)) {
            started.scope = around;
        }
        let messages = self.rare.touched().map(|rare| &mut rare.messages);
        for held in self.held.iter_mut().chain(messages.into_iter().flatten()) {
            if scopes.contains(&held.scope) {
                held.scope = around;
            }
        }
    }

    /// The scope of an operation, which this run may have moved to another one.
    fn scope_of(&self, id: OperationId, before: ScopeId) -> ScopeId {
        self.rare.rescoped.get(&id).copied().unwrap_or(before)
    }

    fn cancel(&mut self, scopes: &[ScopeId], around: ScopeId) {
        // A spawned workflow is a scope of its own, open or not.
        let mut within: HashSet<_> = self.scopes.within(scopes).into_iter().collect();
        let tasks = self.started.iter().filter(|started| {
            within.contains(&started.scope) && matches!(started.operation, NewOperation::Task { .. })
        });
        let tasks: Vec<_> = tasks.map(|started| started.id).collect();
        within.extend(tasks);
        self.scopes.close_all(&within);
        let mut frames = BTreeSet::new();
        let mut moved = Vec::new();
        for op in self.operations.iter() {
            if !within.contains(&self.scope_of(op.id, op.scope)) || self.rare.cancelled.contains(&op.id) {
                continue;
            }
            match &op.kind {
                // Compensations outlive what pushed them: they are what makes up for it.
                OperationKind::Compensation(entry) => {
                    moved.push((op.id, around));
                    frames.insert(self.frame_of(entry.frame));
                }
                _ => {
                    self.rare.cancelled.insert(op.id);
                }
            }
        }
        self.rare.rescoped.extend(moved);
        self.started.retain_mut(|started| {
            if !within.contains(&started.scope) {
                return true;
            }
            let NewOperation::Compensation { frame, .. } = started.operation else { return false };
            frames.insert(frame);
            started.scope = around;
            true
        });
        self.wait_again(&within);
        // What the frame that goes on has taken over is not for a branch to undo.
        frames.remove(&self.frame);
        if !frames.is_empty() {
            let frames = frames.into_iter().collect();
            self.start_in(around, NewOperation::Unwind { frames, which: Undo::All, awaited: false });
        }
    }

    /// The reason of a cancellation that nobody has taken as his own affair, as far as a future may see; takes it.
    pub(crate) fn take_cancellation(&mut self) -> Option<String> {
        if !self.sees_cancellation() {
            return None;
        }
        let Some(Stop { cause: crate::engine::state::Cause::Cancel { why }, .. }) = &self.stop else {
            return None;
        };
        self.rare.stop_handled = true;
        Some(why.clone())
    }

    fn sees_cancellation(&self) -> bool {
        let seen = |stop: &Stop| stop.is_to_be_handled() && stop.seq <= self.visible;
        !self.blind && !self.rare.stop_handled && self.stop.as_ref().is_some_and(seen)
    }

    /// Whether a wait is met by what futures may see.
    pub(crate) fn is_met(&mut self, wait: &super::Wait) -> bool {
        let mut queues = std::collections::HashMap::new();
        if !self.blind {
            for (queue, most) in crate::engine::ready::Readiness::of(Some(wait)).queues() {
                let visible = self.visible;
                let there = self.free(queue, most).into_iter().filter(|seq| *seq <= visible).count();
                queues.insert(queue, there);
            }
        }
        wait.is_met(&Seen { scratch: self, queues })
    }
}

/// What futures may see.
struct Seen<'a> {
    scratch: &'a Scratch,
    queues: std::collections::HashMap<u64, usize>,
}

impl Present for Seen<'_> {
    fn done(&self, id: OperationId) -> Option<bool> {
        self.scratch.is_done(id)
    }

    fn messages(&self, queue: u64) -> usize {
        self.queues.get(&queue).copied().unwrap_or_default()
    }

    fn cancelled(&self) -> bool {
        self.scratch.sees_cancellation()
    }
}
