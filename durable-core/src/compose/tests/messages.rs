//! Messages in compositions: none is lost to a branch that loses, and none is taken that completes nothing.

use std::{rc::Rc, sync::Arc, task::Poll};

use serde::{Deserialize, Serialize};

use super::super::*;
use crate::{
    codec::{Codec, Encoded, LayoutId},
    context::{Context, Scopes, Scratch, Step, Wait},
    engine::{
        mail::{Body, Message},
        state::{Held, ReplyTo},
    },
    frame::Frames,
    future::DurableFuture,
};

const A: u64 = 11;
const B: u64 = 12;
const C: u64 = 13;

/// The next message of a queue: its number.
#[derive(Serialize, Deserialize)]
struct Next(u64);

awaited_as_is! {
    [] Next;
    [] Acting;
}

impl DurableFuture for Next {
    type Output = u64;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        if let Some((seq, _)) = cx.take_message(self.0) {
            return Poll::Ready(seq);
        }
        cx.wait(Wait::Message(self.0));
        Poll::Pending
    }

    fn quiet(&self) -> Option<Wait> {
        Some(Wait::Message(self.0))
    }
}

/// The same, as a called workflow would wait for it.
#[derive(Serialize, Deserialize)]
struct Acting(u64);

impl DurableFuture for Acting {
    type Output = u64;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        Next(self.0).poll(cx)
    }
}

/// What is kept of an instance between two polls.
#[derive(Default)]
struct Kept {
    held: Vec<Held>,
    scopes: Scopes,
    next: u64,
}

impl Kept {
    /// Polls with these messages in the mailbox. Gives those that are the user's if it is ready.
    fn poll<F: DurableFuture>(
        &mut self,
        future: &mut F,
        messages: &[(u64, u64)],
    ) -> (Poll<F::Output>, Vec<(u64, u64)>) {
        let mut scratch = Scratch {
            held: std::mem::take(&mut self.held),
            scopes: std::mem::take(&mut self.scopes),
            ..Scratch::of_completions(self.next + 1, Vec::new())
        };
        for (queue, seq) in messages {
            let body = Body::Signal(Encoded { layout: LayoutId(0), bytes: Vec::new().into() });
            let message = Message { name: "m".into(), body, reply: ReplyTo::Nobody, key: None, sent_ms: 0 };
            scratch.mail.arrived(*queue, *seq, message);
        }
        let frames = Arc::new(Frames::new(Box::new(|_| None), Vec::new()));
        let mut step = Step::new(Arc::<Codec>::default(), frames, 0, scratch);
        let polled = future.poll(&mut Context { step: (&mut step).into() });
        let shared = step.scratch.clone();
        drop(step);
        let scratch = Rc::into_inner(shared).expect("it is nobody's").into_inner();
        *self = Kept { held: scratch.held, scopes: scratch.scopes, next: scratch.next_operation };
        (polled, scratch.rare.messages.iter().map(|message| (message.queue, message.seq)).collect())
    }
}

#[test]
fn a_race_of_joins_takes_the_messages_of_the_one_that_wins_and_no_others() {
    let both = |a, b| (Next(a), Next(b)).join();
    let mut race = (both(A, B), both(A, C)).race();
    let mut kept = Kept::default();
    assert!(kept.poll(&mut race, &[(A, 1)]).0.is_pending(), "the first poll sees nothing");
    let (polled, taken) = kept.poll(&mut race, &[(A, 1)]);
    assert!(polled.is_pending() && taken.is_empty() && kept.held.is_empty(), "one of two completes nothing");
    let (polled, taken) = kept.poll(&mut race, &[(A, 1), (C, 2)]);
    assert_eq!(polled, Poll::Ready((1, 2)));
    assert_eq!(taken, [(A, 1), (C, 2)]);
    assert!(kept.held.is_empty());
}

#[test]
fn a_join_takes_messages_of_one_queue_in_their_order() {
    let mut join = vec![Next(A), Next(B), Next(A)].join();
    let messages = [(A, 1), (B, 2), (A, 3)];
    let mut kept = Kept::default();
    assert!(kept.poll(&mut join, &messages[..2]).0.is_pending());
    let (polled, taken) = kept.poll(&mut join, &messages);
    assert_eq!(polled, Poll::Ready(vec![1, 2, 3]));
    assert_eq!(taken.len(), 3);
}

#[test]
fn what_a_join_holds_waits_again_when_the_join_loses() {
    let half_done = (Acting(A), Acting(B)).join();
    let mut race = (half_done, (Acting(C), Acting(C)).join()).race();
    let mut kept = Kept::default();
    assert!(kept.poll(&mut race, &[]).0.is_pending());
    let (polled, taken) = kept.poll(&mut race, &[(A, 1)]);
    assert!(polled.is_pending() && taken.is_empty());
    assert_eq!(kept.held.len(), 1, "the first join has it");
    let (polled, taken) = kept.poll(&mut race, &[(A, 1), (C, 2), (C, 3)]);
    assert_eq!(polled, Poll::Ready((2, 3)));
    assert_eq!((taken.len(), kept.held.len()), (2, 0), "the one of the first join waits again");
}
