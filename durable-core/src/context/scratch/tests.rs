use super::*;
use crate::{
    codec::LayoutId,
    context::Wait,
    engine::{
        mail::{Body, Message},
        state::{Cause, Phase, ReplyTo},
    },
};

/// With the messages 1, 2 and 5 in queue 7, and a cutoff at 3.
fn scratch() -> Scratch {
    let mut scratch = Scratch::of_completions(20, Vec::new());
    scratch.visible = 3;
    for seq in [1, 2, 5] {
        let body = Body::Signal(Encoded { layout: LayoutId(0), bytes: Vec::new().into() });
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
    assert!(!scratch.rare.asked);
    assert!(scratch.try_message(7).is_none() && scratch.rare.asked);
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
    assert_eq!((scratch.rare.consumed.as_slice(), scratch.held.as_slice()), (&[(7, 2)][..], &[][..]));
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
    let [(id, 0, NewOperation::Compensation { .. }), (_, 0, NewOperation::Unwind { frames, .. })] = &left[..]
    else {
        panic!("{left:?}");
    };
    assert_eq!((*id, frames.as_slice()), (pushed, &[30][..]));
}

#[test]
fn a_frame_that_ends_well_hands_its_compensations_on_and_a_dismissed_one_is_none() {
    let mut scratch = scratch();
    let call = || Box::new(NewOperation::Timer { deadline_ms: 1 });
    let push = |frame, finally| NewOperation::Compensation { frame, finally, call: call() };
    let NewOperation::Compensation { call: stored, .. } = push(30, false) else { unreachable!() };
    let entry = crate::engine::state::Compensation {
        frame: 30,
        finally: false,
        call: *stored,
        phase: Phase::Armed,
        error: None,
    };
    let kind = OperationKind::Compensation(Box::new(entry));
    scratch.operations.insert(crate::engine::state::Operation::new(5, 0, kind));
    let started = scratch.start(push(31, true));
    assert!(scratch.has_compensations(30, Undo::All) && !scratch.has_compensations(30, Undo::Finally));
    assert!(scratch.has_compensations(31, Undo::Finally) && !scratch.has_compensations(0, Undo::All));
    scratch.hand_over(31, 30);
    scratch.hand_over(30, 0);
    scratch.hand_over(40, 0);
    assert!(scratch.has_compensations(0, Undo::Finally), "of this step");
    assert!(scratch.has_compensations(0, Undo::Compensations), "of a step before");
    assert!(!scratch.has_compensations(30, Undo::All) && !scratch.has_compensations(31, Undo::All));
    assert_eq!(scratch.rare.handed, [(30, 0)]);
    scratch.dismiss(started);
    scratch.dismiss(5);
    scratch.dismiss(6);
    assert!(!scratch.has_compensations(0, Undo::All) && scratch.started.is_empty());
    assert_eq!(scratch.rare.cancelled.iter().copied().collect::<Vec<_>>(), [5]);
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
