//! The handle of something that was spawned.

use std::{fmt, marker::PhantomData, task::Poll};

use serde::{Deserialize, Serialize};

use super::awaited_as_is;
use crate::{
    codec::{Persist, Slot, TypeOf},
    context::{Completion, Context, OperationId, StepFailure, Wait, ambient},
    error::CallError,
    future::{DurableFuture, IntoDurableFuture},
};

/// Something that [`spawn`](super::spawn()) has started; await it for what it gives. It can be stored and collected: a
/// `Vec<Handle<T>>` is joined as any operations are.
///
/// In a race or a `select!` it is cancelled if it loses; `&mut handle` in a `select!` leaves it as it is.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "what was spawned runs; await the handle, or `detach` it if nobody waits for the result"]
pub struct Handle<T> {
    id: OperationId,
    /// Whoever awaits it has polled it once.
    awaited: bool,
    #[serde(skip)]
    output: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.id).finish()
    }
}

impl<T> Handle<T> {
    pub(crate) fn new(id: OperationId) -> Self {
        Handle { id, awaited: false, output: PhantomData }
    }

    pub(super) fn id(&self) -> OperationId {
        self.id
    }

    /// The same once more, for a `select!` to which it is lent.
    pub(super) fn copy(&self) -> Self {
        Handle { id: self.id, awaited: self.awaited, output: PhantomData }
    }

    /// Tells it to end, and waits for its last word: `Ok` with what it gave, which may be its own error that says that it was
    /// cancelled, or `Err` if it was ended without a value. A timer and a workflow end at once; a running activity is told and
    /// decides itself.
    pub fn cancel(self) -> Cancelling<T> {
        Cancelling { handle: self, asked: false }
    }

    /// Nobody waits for its result: it is forgotten when it is there.
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn detach(self) {
        ambient::with("Handle::detach", |scratch| scratch.rare.detached.push(self.id));
    }
}

pub(super) const SPAWNED: &str = "the result of what was spawned";

/// What a poll has come to.
enum Polled {
    Pending,
    /// The output is in its slot.
    Ready,
    /// It ended without one.
    Failed(CallError),
}

/// For handles of any type.
fn poll(id: OperationId, of: &TypeOf, output: &mut dyn Slot, cx: &mut Context<'_>) -> Polled {
    let Some(completion) = cx.take_spawned(id) else { return Polled::Pending };
    let decoded = match completion {
        Completion::Value(value) => cx.decode_as(of, value.layout, &value.bytes, output),
        Completion::Error(error) => return Polled::Failed(error),
        Completion::Refused(refused) => {
            return Polled::Failed(CallError::Cancelled { reason: format!("it was refused: {refused:?}") });
        }
        Completion::Fired | Completion::Done => {
            let unit = cx.codec().encode(&()).expect("nothing can always be written");
            cx.decode_as(of, unit.layout, &unit.bytes, output)
        }
    };
    match decoded {
        Ok(()) => Polled::Ready,
        Err(error) => {
            cx.fail(StepFailure::Decode { what: SPAWNED.to_owned(), error });
            Polled::Pending
        }
    }
}

impl Context<'_> {
    /// The completion of something that was spawned. Without one it has said what it waits for, or that it waits in vain.
    fn take_spawned(&mut self, id: OperationId) -> Option<Completion> {
        let completion = self.take(id);
        if completion.is_none() {
            if !self.exists(id) {
                let reason = "what was spawned is awaited again, and its result was given before: a handle gives it once";
                self.fail(StepFailure::Incompatible { reason: reason.to_owned() });
            }
            self.wait(Wait::Op(id));
        }
        completion
    }
}

impl<T: Persist> Handle<T> {
    /// Polls it where whoever waits does not own it.
    pub(super) fn poll_unclaimed(&self, cx: &mut Context<'_>) -> Poll<T> {
        let mut output = None;
        if let Polled::Failed(error) = poll(self.id, TypeOf::of::<T>(), &mut output, cx) {
            cx.fail(StepFailure::Incompatible {
                reason: format!(
                    "what was spawned {error}, and its type has no error for that: return a `Result` whose error is `From<durable::CallError>`, or await `.cancel()`"
                ),
            });
        }
        output.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T: Persist> DurableFuture for Handle<T> {
    type Output = T;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        // Whoever waits for it in a branch owns it: it ends with the branch.
        if !self.awaited {
            self.awaited = true;
            cx.claim(self.id);
        }
        self.poll_unclaimed(cx)
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        cx.inspect(Some(self.id), TypeOf::of::<T>(), SPAWNED);
    }

    fn quiet(&self) -> Option<Wait> {
        self.awaited.then_some(Wait::Op(self.id))
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl<T: Persist> IntoDurableFuture for Handle<T> {
    type Output = T;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        Handle::new(self.id)
    }
}

/// Something spawned that was told to end. See [`Handle::cancel`].
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "nothing is told before this is awaited"]
pub struct Cancelling<T> {
    handle: Handle<T>,
    asked: bool,
}

impl<T> fmt::Debug for Cancelling<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelling").field(&self.handle.id).finish()
    }
}

impl<T> Cancelling<T> {
    /// The same once more, for a `select!` to which it is lent.
    pub(super) fn copy(&self) -> Self {
        Cancelling { handle: self.handle.copy(), asked: self.asked }
    }
}

impl<T: Persist> DurableFuture for Cancelling<T> {
    type Output = Result<T, CallError>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.asked {
            self.asked = true;
            cx.stop(self.handle.id);
        }
        let mut output = None;
        let polled = poll(self.handle.id, TypeOf::of::<T>(), &mut output, cx);
        match (polled, output) {
            (Polled::Ready, Some(output)) => Poll::Ready(Ok(output)),
            (Polled::Failed(error), _) => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        }
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        self.handle.inspect(cx);
    }

    fn quiet(&self) -> Option<Wait> {
        self.asked.then_some(Wait::Op(self.handle.id))
    }
}

awaited_as_is! { [T: Persist] Cancelling<T>; }
