//! What a durable future sees while it is polled, and what a step leaves behind.
//!
//! A [`Step`] is pure: it takes completed operations and gives the operations to start. Nothing in
//! here touches the store or begins an effect; the engine does both after the step was committed.

mod failure;
mod operation;
mod wait;

use std::sync::Arc;

pub use failure::StepFailure;
pub use operation::{Completion, NewOperation};
pub use wait::Wait;

use crate::{
    codec::{Codec, DecodeError, LayoutId, Slot, TypeOf},
    frame::Frames,
};

/// Names an operation within its instance.
pub type OperationId = u64;

/// The most inline workflow calls that may be nested in one another.
pub const MAX_DEPTH: u32 = 64;

/// The most bytes that the snapshot of one workflow function may have.
pub const MAX_SNAPSHOT_BYTES: usize = 512 << 20;

/// One step of one instance: what goes in and what comes out.
#[derive(Debug)]
pub struct Step {
    pub(crate) codec: Arc<Codec>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) now_ms: u64,
    pub(crate) next_operation: OperationId,
    pub(crate) done: Vec<(OperationId, Completion)>,
    pub(crate) started: Vec<(OperationId, NewOperation)>,
    pub(crate) wait: Option<Wait>,
    pub(crate) failure: Option<StepFailure>,
    pub(crate) depth: u32,
}

impl Step {
    pub(crate) fn new(
        codec: Arc<Codec>,
        frames: Arc<Frames>,
        now_ms: u64,
        next_operation: OperationId,
        done: Vec<(OperationId, Completion)>,
    ) -> Self {
        Step {
            codec,
            frames,
            now_ms,
            next_operation,
            done,
            started: Vec::new(),
            wait: None,
            failure: None,
            depth: 0,
        }
    }
}

/// What a durable future is polled with.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) step: &'a mut Step,
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
        let id = self.step.next_operation;
        self.step.next_operation += 1;
        self.step.started.push((id, operation));
        id
    }

    /// The completion of an operation that has ended; consumes it.
    pub fn take(&mut self, id: OperationId) -> Option<Completion> {
        let at = self.step.done.iter().position(|(done, _)| *done == id)?;
        Some(self.step.done.swap_remove(at).1)
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
