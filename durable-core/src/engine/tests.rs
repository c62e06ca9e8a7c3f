//! Messages, spawned workflows and peers through the engine, with the least futures that use them.

use std::task::Poll;

use durable_macros::workflow;
use durable_store::{Found, MemoryImage};
use serde::{Deserialize, Serialize};

use super::{
    Engine, EngineError,
    advance::Event,
    mail::{Body, Message, MessageKind, Sender, queue},
    state::ReplyTo,
};
use crate::{
    codec::Encoded,
    compose::leaf::Leaf,
    context::{Completion, Context, NewOperation, OperationId, Outgoing, Refused, Sent, Wait, ambient},
    future::{DurableFuture, IntoDurableFuture},
    testing,
};

/// The next number that was sent.
#[derive(Serialize, Deserialize)]
struct Next;

impl DurableFuture for Next {
    type Output = u64;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        let queue = queue(MessageKind::Signal, "n");
        let Some((_, message)) = cx.take_message(queue) else {
            cx.wait(Wait::Message(queue));
            return Poll::Pending;
        };
        let Body::Signal(value) = &message.body else { unreachable!("only signals are in a signal's queue") };
        Poll::Ready(cx.codec().decode(value.layout, &value.bytes).expect("a number"))
    }
}

/// An operation, and how it ended.
#[derive(Serialize, Deserialize)]
struct Ended(Leaf);

impl DurableFuture for Ended {
    type Output = Completion;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Completion> {
        self.0.poll("an operation", cx).map_or(Poll::Pending, Poll::Ready)
    }
}

macro_rules! durable {
    ($($future:ident)*) => {$(
        impl IntoDurableFuture for $future {
            type Output = <$future as DurableFuture>::Output;
            type IntoFuture = Self;
            fn into_durable(self) -> Self {
                self
            }
        }
    )*};
}
durable! { Next Ended }

fn encoded<T: Serialize + serde::de::DeserializeOwned + 'static>(value: &T) -> Encoded {
    crate::codec::current(|codec| codec.encode(value).expect("it is stored"))
}

fn spawn(workflow: &str, args: Encoded) -> OperationId {
    let task = NewOperation::Task { workflow: workflow.into(), args };
    ambient::with("spawn", |scratch| scratch.start(task))
}

#[workflow(crate = crate)]
async fn receives(count: u64) -> Vec<u64> {
    let mut received = Vec::new();
    for _ in 0..count {
        received.push(Next.await);
    }
    received
}

#[workflow(crate = crate)]
async fn sends(to: String, n: u64) -> Completion {
    let value = encoded(&n);
    let what = Sent::Signal { name: "n".into(), value };
    let sent = Ended(Leaf::new(NewOperation::Send(Outgoing { to, what }))).await;
    sent
}

#[workflow(crate = crate)]
async fn spawns(count: u64) -> Vec<u64> {
    let mut spawned = Vec::new();
    for _ in 0..count {
        spawned.push(spawn("receives", encoded(&(2u64,))));
    }
    let mut received = Vec::new();
    for id in spawned {
        let completion = Ended(Leaf::Started(id)).await;
        let Completion::Value(value) = completion else { panic!("{completion:?}") };
        let values: Vec<u64> =
            crate::codec::current(|codec| codec.decode(value.layout, &value.bytes).expect("numbers"));
        received.extend(values);
    }
    received
}

/// Sends a number to an instance; gives what its sender is told.
async fn send(engine: &Engine, id: &str, n: u64) -> Result<(), EngineError> {
    let inner = &engine.inner;
    let Some(Found::Live(slot)) = inner.store.find(id).expect("it reads") else {
        panic!("`{id}` is not live")
    };
    let number = inner.store.owner(slot).expect("it reads").expect("it is live");
    let value = inner.codec.encode(&n).expect("it is stored");
    let body = Body::Signal(value);
    let message = Box::new(Message { name: "n".into(), body, reply: ReplyTo::Nobody, key: None, sent_ms: 0 });
    let (sender, receipt) = Sender::new(id);
    let event = Event::Mail { message, sender: Some(sender) };
    inner.post(&mut inner.lock(), slot, number, event);
    receipt.await.expect("it is answered").map(|_| ())
}

#[tokio::test]
async fn messages_are_received_in_order_once_and_over_crashes() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", receives(40)).await.expect("it starts");
    for n in 0..30 {
        send(&engine, "a", n).await.expect("it is received");
    }
    engine.crash_and_reopen().await;
    for n in 30..40 {
        send(&engine, "a", n).await.expect("it is received");
    }
    let received = engine.handle("a").of(receives).result().await.expect("it ends");
    assert_eq!(received, (0..40).collect::<Vec<_>>());
    drop(handle);
}

#[tokio::test]
async fn a_message_that_nobody_waits_for_is_there_when_somebody_does() {
    let image = MemoryImage::new();
    let engine = testing::engine().image(&image).open().await;
    engine.start("late", waits_and_receives(3)).await.expect("it starts");
    for n in 0..3 {
        send(&engine, "late", n).await.expect("it is received");
    }
    engine.crash_and_reopen().await;
    send(&engine, "late", 3).await.expect("it is received");
    engine.advance(std::time::Duration::from_secs(3600)).await;
    let received = engine.handle("late").of(waits_and_receives).result().await.expect("it ends");
    assert_eq!(received, [0, 1, 2]);
}

#[workflow(crate = crate)]
async fn waits_and_receives(count: u64) -> Vec<u64> {
    crate::sleep(std::time::Duration::from_secs(3600)).await;
    receives(count).await
}

#[tokio::test]
async fn what_one_instance_sends_another_receives_and_none_that_is_not_there() {
    let engine = testing::engine().open().await;
    engine.start("a", receives(3)).await.expect("it starts");
    for n in 0..3 {
        let sent = engine.run(sends("a".into(), n)).await.expect("it ends");
        assert_eq!(sent, Completion::Done);
    }
    let received = engine.handle("a").of(receives).result().await.expect("it ends");
    assert_eq!(received, [0, 1, 2]);
    let closed = engine.run(sends("a".into(), 4)).await.expect("it ends");
    assert_eq!(closed, Completion::Refused(Refused::Closed));
    let nobody = engine.run(sends("b".into(), 4)).await.expect("it ends");
    assert_eq!(nobody, Completion::Refused(Refused::NotFound));
}

#[tokio::test]
async fn spawned_workflows_run_beside_one_another_over_a_crash() {
    let engine = testing::engine().open().await;
    engine.start("a", spawns(20)).await.expect("it starts");
    for n in 0..20 {
        send(&engine, "a", n).await.expect("it is received");
    }
    engine.crash_and_reopen().await;
    for n in 20..40 {
        send(&engine, "a", n).await.expect("it is received");
    }
    let mut received = engine.handle("a").of(spawns).result().await.expect("it ends");
    received.sort_unstable();
    assert_eq!(received, (0..40).collect::<Vec<_>>());
}
