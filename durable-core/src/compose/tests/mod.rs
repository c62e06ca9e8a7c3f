//! Compositions by themselves: polled, stored and restored, without an engine.

mod messages;
mod plain;
mod trees;

use std::{sync::Arc, time::Duration};

use super::{branch::Waiting, *};
use crate::{
    codec::Codec,
    context::{Completion, Context, Ending, OperationId, Scratch, Step, Wait},
    frame::Frames,
    time::{Sleep, sleep},
};

type Timer = Branch<Sleep, ()>;

fn step(next: OperationId, done: Vec<OperationId>) -> Step {
    let frames = Arc::new(Frames::new(Box::new(|_| None), Vec::new()));
    let done = done.into_iter().map(|id| (id, Completion::Fired)).collect();
    Step::new(Arc::<Codec>::default(), frames, 0, Scratch::of_completions(next, done))
}

fn timer() -> Timer {
    Branch::Pending(sleep(Duration::from_secs(1)))
}

fn poll(branch: &mut Timer, cx: &mut Context<'_>) -> Option<Wait> {
    match branch.poll(cx)? {
        Waiting::Quiet(wait) | Waiting::Acting(wait) => Some(wait),
    }
}

#[test]
fn a_branch_says_what_it_waits_for_and_keeps_its_value_over_a_restore() {
    let mut branch = timer();
    let mut first = step(7, Vec::new());
    assert_eq!(poll(&mut branch, &mut Context { step: (&mut first).into() }), Some(Wait::Op(7)));
    let codec = Codec::new();
    let stored = codec.encode(&branch).unwrap();
    let mut branch: Timer = codec.decode(stored.layout, &stored.bytes).unwrap();
    let mut second = step(8, vec![7]);
    assert_eq!(poll(&mut branch, &mut Context { step: (&mut second).into() }), None);
    let stored = codec.encode(&branch).unwrap();
    let mut branch: Timer = codec.decode(stored.layout, &stored.bytes).unwrap();
    assert_eq!(branch.take(), Some(()));
    assert!(branch.take().is_none(), "it was taken");
}

#[test]
fn a_blind_branch_starts_and_sees_nothing() {
    let mut branch = Branch::Pending(Sleep::Set(3));
    let mut step = step(7, vec![3]);
    let mut cx = Context { step: (&mut step).into() };
    assert_eq!(cx.blind(|cx| poll(&mut branch, cx)), Some(Wait::Op(3)));
    assert_eq!(poll(&mut branch, &mut cx), None);
}

#[test]
fn what_was_started_in_a_scope_that_is_cancelled_is_not_started_and_what_is_adopted_is() {
    let mut step = step(7, Vec::new());
    let mut cx = Context { step: (&mut step).into() };
    let (lost, won) = (cx.open_scope(), cx.open_scope());
    let (mut a, mut b) = (timer(), timer());
    cx.in_scope(lost, |cx| poll(&mut a, cx));
    cx.in_scope(won, |cx| {
        let inner = cx.open_scope();
        cx.in_scope(inner, |cx| poll(&mut b, cx));
    });
    cx.end_scopes(&[lost], Ending::Cancel);
    cx.end_scopes(&[won], Ending::Adopt);
    let scratch = step.scratch.borrow();
    let started: Vec<_> = scratch.started.iter().map(|started| started.id).collect();
    assert_eq!(started, [11], "only the winner's");
    assert_eq!(scratch.scopes.around(10), Some(0), "what was in the winner's scope is in the one around");
    assert_eq!(scratch.scopes.around(lost), None);
}
