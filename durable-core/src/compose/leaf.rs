//! An operation that is awaited, without the type of what it gives: what every durable future of one operation is made of.
//!
//! It is kept as bytes, and compiled once: generic code here is compile time in every user's crate.

use serde::{Deserialize, Serialize};

use crate::context::{Completion, Context, NewOperation, OperationId, StepFailure, Wait};

/// An operation that is awaited. On disk: append only.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Leaf {
    Unstarted(Box<NewOperation>),
    Started(OperationId),
    Ended,
    /// It was started elsewhere; whoever polls it first has it from then on, and it ends with his branch.
    Handed(OperationId),
}

impl Leaf {
    pub(crate) fn new(operation: NewOperation) -> Self {
        Leaf::Unstarted(Box::new(operation))
    }

    /// Starts the operation if it is not, and gives its completion once it is there. Without one it has said what it waits for.
    ///
    /// # Panics
    /// If it has ended; `what` it is says whose mistake that was.
    pub(crate) fn poll(&mut self, what: &str, cx: &mut Context<'_>) -> Option<Completion> {
        let id = match std::mem::replace(self, Leaf::Ended) {
            Leaf::Unstarted(operation) => cx.start(*operation),
            Leaf::Started(id) => id,
            Leaf::Handed(id) => {
                cx.claim(id);
                id
            }
            Leaf::Ended => panic!("{what} was polled after it ended"),
        };
        let completion = cx.take(id);
        if completion.is_none() {
            if !cx.exists(id) {
                let reason = format!("{what} is awaited again, and what it gave was given before");
                cx.fail(StepFailure::Incompatible { reason });
            }
            *self = Leaf::Started(id);
            cx.wait(Wait::Op(id));
        }
        completion
    }

    /// See [`DurableFuture::quiet`](crate::DurableFuture::quiet).
    pub(crate) fn quiet(&self) -> Option<Wait> {
        self.operation().map(Wait::Op)
    }

    /// The operation, once it was polled.
    pub(crate) fn operation(&self) -> Option<OperationId> {
        match self {
            Leaf::Started(id) => Some(*id),
            Leaf::Unstarted(_) | Leaf::Ended | Leaf::Handed(_) => None,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("the engine's own records always encode")
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        postcard::from_bytes(bytes).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        codec::Codec,
        context::{Scratch, Step},
        frame::Frames,
    };

    fn step(done: Vec<(OperationId, Completion)>) -> Step {
        let frames = Arc::new(Frames::new(Box::new(|_| None), Vec::new()));
        Step::new(Arc::<Codec>::default(), frames, 0, Scratch::of_completions(7, done))
    }

    #[test]
    fn it_is_started_once_and_waits_for_its_completion_over_a_restore() {
        let mut leaf = Leaf::new(NewOperation::Timer { deadline_ms: 5 });
        let mut first = step(Vec::new());
        assert_eq!(leaf.poll("a timer", &mut Context { step: (&mut first).into() }), None);
        assert_eq!((first.wait, first.scratch.borrow().started.len()), (Some(Wait::Op(7)), 1));
        let mut leaf = Leaf::from_bytes(&leaf.to_bytes()).unwrap();
        assert_eq!(leaf.quiet(), Some(Wait::Op(7)));
        let mut second = step(vec![(7, Completion::Fired)]);
        assert_eq!(
            leaf.poll("a timer", &mut Context { step: (&mut second).into() }),
            Some(Completion::Fired)
        );
        assert!(second.scratch.borrow().started.is_empty(), "it was started before");
        assert!(leaf.quiet().is_none());
    }
}
