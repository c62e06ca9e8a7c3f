//! What a durable future sees while it is polled, and what a step leaves behind.
//!
//! A [`Step`] is pure: it takes completed operations and gives the operations to start. Nothing in
//! here touches the store or begins an effect; the engine does both after the step was committed.

pub(crate) mod ambient;
mod depth;
mod failure;
mod gone;
mod lent;
mod limits;
mod operation;
mod scopes;
mod scratch;
mod wait;

use std::{cell::RefCell, rc::Rc, sync::Arc};

pub(crate) use depth::bounded_depth;
pub(crate) use failure::LET_IT_READ;
pub use failure::StepFailure;
pub(crate) use lent::Lent;
pub(crate) use limits::{Limits, MOST_BYTES};
pub use limits::{MAX_DEPTH, MAX_OPERATIONS, MAX_SNAPSHOT_BYTES};
pub(crate) use operation::Started;
pub use operation::{Completion, NewInstance, NewOperation, OnClose, Outgoing, Refused, Sent, Undo};
pub use scopes::ScopeId;
pub(crate) use scopes::{Ending, Scopes};
pub(crate) use scratch::{Rare, Scratch};
pub use wait::Wait;
pub(crate) use wait::{Present, Spoken, needed};

use crate::{
    codec::{Codec, DecodeError, LayoutId, Slot, TypeOf},
    frame::{
        Editing, Frames, KnownLayout,
        witnesses::{Callee, Learning},
    },
};

/// Names an operation within its instance.
pub type OperationId = u64;

/// Names a frame within its instance, for the compensations that it pushes. 0 is the frame of the instance's own workflow.
pub type FrameId = u64;

/// One step of one instance: what goes in and what comes out.
#[derive(Debug)]
pub struct Step {
    pub(crate) codec: Arc<Codec>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) now_ms: u64,
    pub(crate) scratch: Rc<RefCell<Scratch>>,
    /// What the future that was polled last waits for.
    pub(crate) wait: Option<Wait>,
    pub(crate) failure: Option<StepFailure>,
    /// The frame that could not be resumed, if that is why.
    pub(crate) stuck: Option<Arc<KnownLayout>>,
    pub(crate) depth: u32,
    /// The machine is only loaded: what it awaits is looked at and not polled.
    pub(crate) dry: Option<Inspection>,
    /// There is no machine: its types are learnt.
    pub(crate) learning: Option<Box<Learning>>,
}

/// What was found while a machine was only loaded.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    /// Variables whose stored type differs from today's: `total`, of which workflow.
    pub(crate) converted: Vec<String>,
    /// Frames for which their workflow's `migrate` made what they go on with.
    pub(crate) migrated: Vec<Migrated>,
    /// What failed is a called workflow's affair, and not its caller's.
    pub(crate) nested: bool,
    /// What is changed by hand, if that is why the machine is loaded.
    pub(crate) editing: Option<Editing>,
}

/// A frame that goes on with what its workflow's `migrate` made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Migrated {
    pub(crate) workflow: &'static str,
    /// Where it stood, as the function was told.
    pub(crate) from: String,
    /// Where it goes on; from the start if there is none.
    pub(crate) to: Option<String>,
}

impl Step {
    pub(crate) fn new(codec: Arc<Codec>, frames: Arc<Frames>, now_ms: u64, scratch: Scratch) -> Self {
        let scratch = Rc::new(RefCell::new(scratch));
        Step {
            codec,
            frames,
            now_ms,
            scratch,
            wait: None,
            failure: None,
            stuck: None,
            depth: 0,
            dry: None,
            learning: None,
        }
    }
}

/// What a durable future is polled with.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) step: Lent<'a>,
}

impl Context<'_> {
    /// The engine's codec.
    pub fn codec(&self) -> &Codec {
        &self.step.codec
    }

    /// Decodes a stored value. Its layout may be known to the store alone: another process wrote it.
    pub(crate) fn decode_as(
        &self,
        of: &TypeOf,
        layout: LayoutId,
        bytes: &[u8],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        self.step.frames.decode_as(&self.step.codec, of, layout, bytes, slot)
    }

    /// The engine's clock, in milliseconds since the Unix epoch: the time of this step.
    pub fn now_ms(&self) -> u64 {
        self.step.now_ms
    }

    /// Starts an operation. It is committed with this step and begins after that.
    pub fn start(&mut self, operation: NewOperation) -> OperationId {
        self.step.scratch.borrow_mut().start(operation)
    }

    /// The completion of an operation that has ended; consumes it.
    pub fn take(&mut self, id: OperationId) -> Option<Completion> {
        self.step.scratch.borrow_mut().take(id)
    }

    /// Says what would let the future move. To be called before every `Poll::Pending`.
    pub fn wait(&mut self, wait: Wait) {
        self.step.wait = Some(wait);
    }

    /// Says that this step can't go on: the instance parks. To be followed by `Poll::Pending`.
    /// Of several failures the first counts.
    pub fn fail(&mut self, failure: StepFailure) {
        self.step.failure.get_or_insert(failure);
    }
}

/// For compositions.
impl Context<'_> {
    /// Notes who is called, where a workflow's types are learnt.
    pub(crate) fn learn(&mut self, callee: impl FnOnce() -> Callee) {
        if let Some(learning) = &mut self.step.learning {
            learning.calls.push(callee());
        }
    }

    /// Whether the step has failed: a composition gives `Pending` at once, without a wait.
    pub(crate) fn has_failed(&self) -> bool {
        self.step.failure.is_some() || self.step.scratch.borrow().rare.failure.is_some()
    }

    /// What the future that was polled last waits for. To be asked after each one that is pending, or the last one's counts for all.
    pub(crate) fn take_wait(&mut self) -> Wait {
        let wait = self.step.wait.take();
        debug_assert!(
            wait.is_some() || self.has_failed(),
            "a future is pending and said not what it waits for"
        );
        wait.unwrap_or(Wait::Any(Vec::new()))
    }

    /// Whether a wait is met by what futures may see in this step.
    pub(crate) fn is_met(&self, wait: &Wait) -> bool {
        self.step.scratch.borrow_mut().is_met(wait)
    }

    /// Opens a scope in the current one.
    pub(crate) fn open_scope(&mut self) -> ScopeId {
        self.step.scratch.borrow_mut().open_scope()
    }

    /// Runs `poll` in a scope: what it starts belongs there.
    pub(crate) fn in_scope<R>(&mut self, scope: ScopeId, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let before = std::mem::replace(&mut self.step.scratch.borrow_mut().scope, scope);
        let polled = poll(&mut Context { step: self.step.again() });
        self.step.scratch.borrow_mut().scope = before;
        polled
    }

    /// Runs `poll` so that it sees nothing that is done: it only starts its operations and says what it waits for.
    pub(crate) fn blind<R>(&mut self, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let before = std::mem::replace(&mut self.step.scratch.borrow_mut().blind, true);
        let polled = poll(&mut Context { step: self.step.again() });
        self.step.scratch.borrow_mut().blind = before;
        polled
    }

    /// Runs `poll` so that it sees all that is there, not only what lets the machine move.
    pub(crate) fn all_seeing<R>(&mut self, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let before = std::mem::replace(&mut self.step.scratch.borrow_mut().visible, u64::MAX);
        let polled = poll(&mut Context { step: self.step.again() });
        self.step.scratch.borrow_mut().visible = before;
        polled
    }

    /// While a machine is only looked at: whether what an operation gave can be read, if it has ended.
    pub(crate) fn inspect(&mut self, id: Option<OperationId>, of: &TypeOf, what: &str) {
        let done = |id| {
            let scratch = self.step.scratch.borrow();
            Some(scratch.operations.get(id)?.done()?.completion.clone())
        };
        if let Some(Completion::Value(value)) = id.and_then(done)
            && let Err(error) = self.step.frames.try_read(&self.step.codec, of, &value)
        {
            self.fail(StepFailure::Decode { what: what.to_owned(), error });
        }
    }

    /// Whether an operation is there whose completion was not taken.
    pub(crate) fn exists(&self, id: OperationId) -> bool {
        self.step.scratch.borrow().exists(id)
    }

    /// The one of these that was done first.
    pub(crate) fn first_done(&self, of: &[OperationId]) -> Option<OperationId> {
        self.step.scratch.borrow().first_done(of)
    }

    /// An operation belongs to the current scope, and is cancelled with it.
    pub(crate) fn claim(&mut self, id: OperationId) {
        self.step.scratch.borrow_mut().claim(id);
    }

    /// Tells an operation to end. Its last word arrives as its completion.
    pub(crate) fn stop(&mut self, id: OperationId) {
        self.step.scratch.borrow_mut().stop(id);
    }

    /// Ends scopes that were opened in the same one.
    pub(crate) fn end_scopes(&mut self, scopes: &[ScopeId], ending: Ending) {
        self.step.scratch.borrow_mut().end_scopes(scopes, ending);
    }

    /// The reason of a cancellation that nobody has taken as his own affair; takes it.
    pub(crate) fn take_cancellation(&mut self) -> Option<String> {
        self.step.scratch.borrow_mut().take_cancellation()
    }

    /// The next message of a queue with its number, kept from others until it is consumed or given back.
    pub(crate) fn take_message(&mut self, queue: u64) -> Option<(u64, Arc<crate::engine::mail::Message>)> {
        self.step.scratch.borrow_mut().take_message(queue)
    }

    /// How many messages futures have taken by now.
    pub(crate) fn mark(&self) -> usize {
        self.step.scratch.borrow().mark()
    }

    /// Keeps what was taken since a mark from others, until [`give`](Self::give), or until their scope is cancelled.
    pub(crate) fn hold_since(&mut self, mark: usize) -> Vec<(u64, u64)> {
        self.step.scratch.borrow_mut().hold_since(mark)
    }

    /// What a composition has held belongs to whoever polls it.
    pub(crate) fn give(&mut self, held: &[(u64, u64)]) {
        self.step.scratch.borrow_mut().give(held);
    }
}
