//! Kept snapshots, for people.

use std::{fmt, time::SystemTime};

use super::{Inner, Kept};
use crate::{
    clock::from_ms,
    engine::{
        describe::FrameView, error::EngineError, handle::WorkflowHandle, stack::waits_on, state::Loaded,
    },
};

/// Where an instance stood after one of its steps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeptSnapshot {
    /// The step, as [`fork_at`](WorkflowHandle::fork_at) and [`rewind_to`](WorkflowHandle::rewind_to) take it. 0 is the start.
    pub step: u64,
    /// When the step was made.
    pub at: SystemTime,
    /// What the instance waited on after it.
    pub waits_on: String,
    /// The frames with the values of their locals, as in a [`Description`](crate::Description).
    pub frames: Vec<FrameView>,
}

impl fmt::Display for KeptSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: waits on {}", self.step, self.waits_on)?;
        for frame in &self.frames {
            write!(f, "\n  at {} ({}:{})", frame.workflow, frame.file, frame.line)?;
            for (name, value) in &frame.locals {
                write!(f, "\n      {name} = {value}")?;
            }
        }
        Ok(())
    }
}

impl<T> WorkflowHandle<T> {
    /// The snapshots that are kept of the instance, the oldest first, also after its end: where it can be
    /// [forked](WorkflowHandle::fork_at) and [rewound](WorkflowHandle::rewind_to) to, with the value of every local there. How many are kept
    /// is [`EngineBuilder::keep_snapshots`](crate::EngineBuilder::keep_snapshots).
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), durable_core::EngineError> {
    /// for snapshot in engine.handle("order-1042").snapshots().await? {
    ///     println!("{snapshot}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such instance.
    pub async fn snapshots(&self) -> Result<Vec<KeptSnapshot>, EngineError> {
        let inner = &self.engine().inner;
        let source = self.source()?;
        let kept = inner.kept(source.number)?;
        Ok(kept.into_iter().map(|(_, kept)| inner.show(&source.id, &source.workflow, kept)).collect())
    }
}

impl Inner {
    fn show(&self, id: &str, workflow: &str, kept: Kept) -> KeptSnapshot {
        let (step, at_ms) = (kept.step, kept.at_ms);
        let number = durable_store::Number(0);
        let loaded = Loaded::first(id.into(), number, workflow, at_ms, kept.into_state());
        let frames = self.stack(&loaded);
        KeptSnapshot { step, at: from_ms(at_ms), waits_on: waits_on(&frames), frames }
    }
}

/// An instance whose earlier snapshots are asked for.
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) workflow: String,
    pub(crate) started_ms: u64,
    pub(crate) number: durable_store::Number,
    /// Where it lives, if it does.
    pub(crate) slot: Option<durable_store::Slot>,
}
