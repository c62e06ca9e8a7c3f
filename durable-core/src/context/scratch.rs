//! What one run of a machine sees and leaves behind.
//!
//! It is shared between the [`Step`](super::Step), with which futures are polled, and the thread (`ambient`), for durable calls that are
//! no futures: `spawn`, `publish`, `try_recv`. Everything in it is a wish until the engine has applied it; a run that fails leaves the
//! instance's record as it was.
//!
//! Invariant: what a future sees is what came up to the cutoff (`visible`), so that a race sees one new thing at a time.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Completion, Ending, FrameId, NewOperation, OperationId, Present, ScopeId, Scopes, Started, StepFailure,
};
use crate::{
    codec::Encoded,
    engine::{
        mail::{MailView, Message},
        state::{Compensation, Held, OperationKind, Operations, Phase, Stop},
    },
    instance::InstanceInfo,
    random::Random,
};

/// The most operations that an instance may have open at once.
pub const MAX_OPERATIONS: usize = 100_000;

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
    #[allow(dead_code, reason = "tokens follow")]
    pub(crate) random: Arc<Random>,
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
    /// Operations whose completion it has taken.
    pub(crate) taken: BTreeSet<OperationId>,
    /// Operations that nobody waits for any more.
    pub(crate) cancelled: BTreeSet<OperationId>,
    /// Operations that are told to end and whose last word is waited for.
    pub(crate) stopped: Vec<OperationId>,
    /// Operations that stand in another scope now.
    pub(crate) rescoped: Vec<(OperationId, ScopeId)>,
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
    pub(crate) failure: Option<StepFailure>,
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
            random,
            visible: 0,
            blind: false,
            scope: 0,
            frame: 0,
            scopes: Scopes::default(),
            next_operation: 1,
            started: Vec::new(),
            taken: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            stopped: Vec::new(),
            rescoped: Vec::new(),
            messages: Vec::new(),
            consumed: Vec::new(),
            replies: Vec::new(),
            published: Vec::new(),
            asked: false,
            stop_handled: false,
            failure: None,
        }
    }

    /// Whether the run has changed nothing but where the machine stands.
    pub(crate) fn leaves_nothing(&self) -> bool {
        self.started.is_empty()
            && self.taken.is_empty()
            && self.cancelled.is_empty()
            && self.stopped.is_empty()
            && self.rescoped.is_empty()
            && self.consumed.is_empty()
            && self.replies.is_empty()
            && self.published.is_empty()
            && !self.stop_handled
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
        if self.operations.len() + self.started.len() >= MAX_OPERATIONS {
            self.failure.get_or_insert(StepFailure::TooManyOperations);
        }
        self.started.push(Started { id, scope, operation });
        id
    }

    /// Whether an operation is done as far as a future may see, and if so whether it failed.
    pub(crate) fn is_done(&self, id: OperationId) -> Option<bool> {
        if self.blind || self.taken.contains(&id) || self.cancelled.contains(&id) {
            return None;
        }
        let done = self.operations.get(id)?.done()?;
        (done.seq <= self.visible).then_some(done.failed)
    }

    /// The completion of an operation; consumes it.
    pub(crate) fn take(&mut self, id: OperationId) -> Option<Completion> {
        self.is_done(id)?;
        let completion = self.operations.get(id)?.done()?.completion.clone();
        self.taken.insert(id);
        Some(completion)
    }

    /// Tells an operation to end. Its last word arrives as its completion.
    #[allow(dead_code, reason = "handles follow")]
    pub(crate) fn stop(&mut self, id: OperationId) {
        self.stopped.push(id);
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
        self.rescoped.extend(moved);
        for started in self.started.iter_mut().filter(|started| scopes.contains(&started.scope)) {
            started.scope = around;
        }
        for held in self.held.iter_mut().chain(&mut self.messages) {
            if scopes.contains(&held.scope) {
                held.scope = around;
            }
        }
    }

    /// The scope of an operation, which this run may have moved to another one.
    fn scope_of(&self, id: OperationId, before: ScopeId) -> ScopeId {
        self.rescoped.iter().rev().find(|(moved, _)| *moved == id).map_or(before, |(_, scope)| *scope)
    }

    fn cancel(&mut self, scopes: &[ScopeId], around: ScopeId) {
        // A spawned workflow is a scope of its own, open or not.
        let mut within = self.scopes.within(scopes);
        let tasks = self.started.iter().filter(|started| {
            within.contains(&started.scope) && matches!(started.operation, NewOperation::Task { .. })
        });
        let tasks: Vec<_> = tasks.map(|started| started.id).collect();
        within.extend(tasks);
        self.scopes.close(&within);
        let mut frames = BTreeSet::new();
        let mut moved = Vec::new();
        for op in self.operations.iter() {
            if !within.contains(&self.scope_of(op.id, op.scope)) {
                continue;
            }
            match &op.kind {
                // Compensations outlive what pushed them: they are what makes up for it.
                OperationKind::Compensation(entry) => {
                    let Compensation { frame, phase, .. } = &**entry;
                    moved.push((op.id, around));
                    if *phase == Phase::Armed {
                        frames.insert(*frame);
                    }
                }
                OperationKind::Unwind { .. } => moved.push((op.id, around)),
                _ => {
                    self.cancelled.insert(op.id);
                }
            }
        }
        self.rescoped.extend(moved);
        self.started.retain_mut(|started| {
            if !within.contains(&started.scope) {
                return true;
            }
            if let NewOperation::Compensation { frame, .. } = started.operation {
                frames.insert(frame);
            }
            started.scope = around;
            matches!(started.operation, NewOperation::Compensation { .. } | NewOperation::Unwind { .. })
        });
        self.held.retain(|held| !within.contains(&held.scope));
        self.messages.retain(|held| !within.contains(&held.scope));
        // What the instance's own frame pushed is not for a branch to undo.
        frames.remove(&self.frame);
        for frame in frames {
            self.start_in(around, NewOperation::Unwind { frame, finally_only: false });
        }
    }

    /// The numbers of the first messages of a queue that are there for the taking.
    fn free(&mut self, queue: u64, most: usize) -> Vec<u64> {
        let (held, messages, consumed) = (&self.held, &self.messages, &self.consumed);
        let gone = |seq: u64| {
            let is = |held: &Held| held.queue == queue && held.seq == seq;
            held.iter().any(is) || messages.iter().any(is) || consumed.contains(&(queue, seq))
        };
        match self.mail.first(queue, most, &gone) {
            Ok(first) => first,
            Err(reason) => {
                self.failure.get_or_insert(StepFailure::Incompatible { reason });
                Vec::new()
            }
        }
    }

    /// The next message of a queue, as far as a future may see; it is kept from others until it is consumed or given back.
    pub(crate) fn take_message(&mut self, queue: u64) -> Option<(u64, Arc<Message>)> {
        if self.blind {
            return None;
        }
        let visible = self.visible;
        let seq = self.free(queue, 1).into_iter().find(|seq| *seq <= visible)?;
        let message = self.mail.get(queue, seq)?.clone();
        self.messages.push(Held { queue, seq, scope: self.scope });
        Some((seq, message))
    }

    /// The next message of a queue, whenever it came. It is the user's at once.
    #[allow(dead_code, reason = "messages follow")]
    pub(crate) fn try_message(&mut self, queue: u64) -> Option<(u64, Arc<Message>)> {
        let Some(seq) = self.free(queue, 1).pop() else {
            self.asked = true;
            return None;
        };
        let message = self.mail.get(queue, seq)?.clone();
        self.consumed.push((queue, seq));
        Some((seq, message))
    }

    /// How many messages futures have taken by now.
    pub(crate) fn mark(&self) -> usize {
        self.messages.len()
    }

    /// What was taken since a mark is the user's.
    pub(crate) fn consume_since(&mut self, mark: usize) {
        let taken = self.messages.drain(mark.min(self.messages.len())..);
        self.consumed.extend(taken.map(|held| (held.queue, held.seq)));
    }

    /// What was taken since a mark is kept by a composition that is not complete, until it is given back by
    /// [`give`](Self::give) or its scope is cancelled.
    pub(crate) fn hold_since(&mut self, mark: usize) -> Vec<(u64, u64)> {
        let taken: Vec<_> = self.messages.drain(mark.min(self.messages.len())..).collect();
        self.held.extend(&taken);
        taken.into_iter().map(|held| (held.queue, held.seq)).collect()
    }

    /// What a composition has held belongs to whoever polls it.
    pub(crate) fn give(&mut self, held: &[(u64, u64)]) {
        self.held.retain(|known| !held.contains(&(known.queue, known.seq)));
        let scope = self.scope;
        self.messages.extend(held.iter().map(|&(queue, seq)| Held { queue, seq, scope }));
    }

    /// What a composition has held waits again.
    pub(crate) fn give_back(&mut self, held: &[(u64, u64)]) {
        self.held.retain(|known| !held.contains(&(known.queue, known.seq)));
    }

    /// The reason of a cancellation that nobody has taken as his own affair, as far as a future may see; takes it.
    #[allow(dead_code, reason = "cancellation follows")]
    pub(crate) fn take_cancellation(&mut self) -> Option<String> {
        if !self.sees_cancellation() {
            return None;
        }
        let Some(Stop { cause: crate::engine::state::Cause::Cancel { why }, .. }) = &self.stop else {
            return None;
        };
        self.stop_handled = true;
        Some(why.clone())
    }

    fn sees_cancellation(&self) -> bool {
        let seen = |stop: &Stop| stop.is_to_be_handled() && stop.seq <= self.visible;
        !self.blind && !self.stop_handled && self.stop.as_ref().is_some_and(seen)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::LayoutId,
        context::Wait,
        engine::{
            mail::Body,
            state::{Cause, ReplyTo},
        },
    };

    /// With the messages 1, 2 and 5 in queue 7, and a cutoff at 3.
    fn scratch() -> Scratch {
        let mut scratch = Scratch::of_completions(20, Vec::new());
        scratch.visible = 3;
        for seq in [1, 2, 5] {
            let body = Body::Signal(Encoded { layout: LayoutId(0), bytes: Vec::new() });
            let message = Message { name: "m".into(), body, reply: ReplyTo::Nobody, key: None, sent_ms: 0 };
            scratch.mail.arrived(7, seq, message);
        }
        scratch
    }

    fn take(scratch: &mut Scratch) -> Option<u64> {
        scratch.take_message(7).map(|(seq, _)| seq)
    }

    #[test]
    fn futures_take_messages_up_to_the_cutoff_and_asking_takes_any() {
        let mut scratch = scratch();
        assert!(scratch.is_met(&Wait::All(vec![Wait::Message(7), Wait::Message(7)])));
        assert!(!scratch.is_met(&Wait::All(vec![Wait::Message(7); 3])));
        assert_eq!((take(&mut scratch), take(&mut scratch), take(&mut scratch)), (Some(1), Some(2), None));
        assert!(!scratch.is_met(&Wait::Message(7)), "they are taken");
        assert_eq!(scratch.try_message(7).map(|(seq, _)| seq), Some(5));
        assert!(!scratch.asked);
        assert!(scratch.try_message(7).is_none() && scratch.asked);
    }

    #[test]
    fn a_held_message_waits_again_if_its_scope_is_cancelled_and_is_the_users_if_it_is_given() {
        let mut scratch = scratch();
        let (lost, won) = (scratch.open_scope(), scratch.open_scope());
        scratch.scope = lost;
        let mark = scratch.mark();
        assert_eq!(take(&mut scratch), Some(1));
        scratch.hold_since(mark);
        scratch.scope = won;
        let mark = scratch.mark();
        assert_eq!(take(&mut scratch), Some(2));
        let held = scratch.hold_since(mark);
        scratch.scope = 0;
        scratch.end_scopes(&[lost], Ending::Cancel);
        scratch.end_scopes(&[won], Ending::Adopt);
        assert_eq!(scratch.held, [Held { queue: 7, seq: 2, scope: 0 }]);
        let mark = scratch.mark();
        scratch.give(&held);
        scratch.consume_since(mark);
        assert_eq!((scratch.consumed.as_slice(), scratch.held.as_slice()), (&[(7, 2)][..], &[][..]));
        assert_eq!(take(&mut scratch), Some(1), "it waits again");
    }

    #[test]
    fn compensations_of_a_branch_that_lost_are_run_and_its_operations_are_not() {
        let mut scratch = scratch();
        let lost = scratch.open_scope();
        (scratch.scope, scratch.frame) = (lost, 30);
        let call = Box::new(NewOperation::Timer { deadline_ms: 1 });
        let pushed = scratch.start(NewOperation::Compensation { frame: 30, finally: false, call });
        scratch.start(NewOperation::Timer { deadline_ms: 2 });
        (scratch.scope, scratch.frame) = (0, 0);
        scratch.end_scopes(&[lost], Ending::Cancel);
        let left: Vec<_> = scratch.started.iter().map(|op| (op.id, op.scope, &op.operation)).collect();
        let [(id, 0, NewOperation::Compensation { .. }), (_, 0, NewOperation::Unwind { frame: 30, .. })] =
            left[..]
        else {
            panic!("{left:?}");
        };
        assert_eq!(id, pushed);
    }

    #[test]
    fn a_cancellation_is_taken_once() {
        let mut scratch = scratch();
        let cause = Cause::Cancel { why: "enough".into() };
        scratch.stop = Some(Stop { seq: 3, cause, handled: false, at_ms: 0 });
        assert!(scratch.is_met(&Wait::Cancelled));
        assert_eq!(scratch.take_cancellation().as_deref(), Some("enough"));
        assert!(scratch.take_cancellation().is_none() && !scratch.is_met(&Wait::Cancelled));
    }
}
