//! Compositions: durable futures made of others.
//!
//! The rule of the game: a composition polls its branches one after the other and asks after each pending one what it waits for
//! ([`poll_branch`]); it opens a scope for what it may have to cancel, and ends that scope when it does; the first time it decides between
//! branches it polls them *blind*, so that what was done before it does not win by its place in the source. After a failure
//! (`Context::has_failed`) it gives `Pending` at once.
#![allow(dead_code, reason = "the compositions follow")]

pub(crate) mod leaf;

use serde::{Deserialize, Serialize};

use crate::{
    codec::Persist,
    context::{Context, Wait},
    future::DurableFuture,
};

/// One of the futures that a composition is made of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "Branch", bound = "F: DurableFuture<Output = T>, T: Persist")]
pub(crate) enum Branch<F, T> {
    /// It was not ready when it was polled last, or was not polled.
    Pending(F),
    /// It is, and waits for the others.
    Done {
        /// What it gave.
        value: T,
        /// The messages that it took for that, by queue and number: they wait again if the composition is cancelled.
        held: Vec<(u64, u64)>,
    },
    /// It was cancelled, or its value was taken.
    Gone,
}

impl<F, T> Branch<F, T> {
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self, Branch::Pending(_))
    }

    /// Its value and the messages that go with it, once it is done.
    pub(crate) fn take(&mut self) -> Option<(T, Vec<(u64, u64)>)> {
        match std::mem::replace(self, Branch::Gone) {
            Branch::Done { value, held } => Some((value, held)),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// Polls a branch that is pending. Gives what it waits for if it still is; the messages that a branch took which is done are held for it.
pub(crate) fn poll_branch<F: DurableFuture>(
    branch: &mut Branch<F, F::Output>,
    cx: &mut Context<'_>,
) -> Option<Wait> {
    let Branch::Pending(future) = branch else { return None };
    let mark = cx.mark();
    match future.poll(cx) {
        std::task::Poll::Ready(value) => {
            *branch = Branch::Done { value, held: cx.hold_since(mark) };
            None
        }
        std::task::Poll::Pending => {
            let wait = cx.take_wait();
            // What acts when this is there does not end with it: an error of an operation in it is not the branch's.
            Some(if future.quiet().is_some() { wait } else { Wait::Any(vec![wait]) })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        codec::Codec,
        context::{Completion, Ending, OperationId, Scratch, Step},
        frame::Frames,
        time::{Sleep, sleep},
    };

    type Timer = Branch<Sleep, ()>;

    fn step(next: OperationId, done: Vec<OperationId>) -> Step {
        let frames = Arc::new(Frames::new(Box::new(|_| None)));
        let done = done.into_iter().map(|id| (id, Completion::Fired)).collect();
        Step::new(Arc::<Codec>::default(), frames, 0, Scratch::of_completions(next, done))
    }

    fn timer() -> Timer {
        Branch::Pending(sleep(std::time::Duration::from_secs(1)))
    }

    #[test]
    fn a_branch_says_what_it_waits_for_and_keeps_its_value_over_a_restore() {
        let mut branch = timer();
        let mut first = step(7, Vec::new());
        assert_eq!(poll_branch(&mut branch, &mut Context { step: &mut first }), Some(Wait::Op(7)));
        let codec = Codec::new();
        let stored = codec.encode(&branch).unwrap();
        let mut branch: Timer = codec.decode(stored.layout, &stored.bytes).unwrap();
        let mut second = step(8, vec![7]);
        assert_eq!(poll_branch(&mut branch, &mut Context { step: &mut second }), None);
        let stored = codec.encode(&branch).unwrap();
        let mut branch: Timer = codec.decode(stored.layout, &stored.bytes).unwrap();
        assert_eq!(branch.take(), Some(((), Vec::new())));
        assert!(branch.take().is_none(), "it was taken");
    }

    #[test]
    fn a_blind_branch_starts_and_sees_nothing() {
        let mut branch = Branch::Pending(Sleep::Set(3));
        let mut step = step(7, vec![3]);
        let mut cx = Context { step: &mut step };
        assert_eq!(cx.blind(|cx| poll_branch(&mut branch, cx)), Some(Wait::Op(3)));
        assert_eq!(poll_branch(&mut branch, &mut cx), None);
    }

    #[test]
    fn what_was_started_in_a_scope_that_is_cancelled_is_not_started_and_what_is_adopted_is() {
        let mut step = step(7, Vec::new());
        let mut cx = Context { step: &mut step };
        let (lost, won) = (cx.open_scope(), cx.open_scope());
        let (mut a, mut b) = (timer(), timer());
        cx.in_scope(lost, |cx| poll_branch(&mut a, cx));
        cx.in_scope(won, |cx| {
            let inner = cx.open_scope();
            cx.in_scope(inner, |cx| poll_branch(&mut b, cx));
        });
        cx.end_scopes(&[lost], Ending::Cancel);
        cx.end_scopes(&[won], Ending::Adopt);
        let scratch = step.scratch.borrow();
        let started: Vec<_> = scratch.started.iter().map(|started| started.id).collect();
        assert_eq!(started, [11], "only the winner's");
        assert_eq!(scratch.scopes.around(10), Some(0), "what was in the winner's scope is in the one around");
        assert_eq!(scratch.scopes.around(lost), None);
    }
}
