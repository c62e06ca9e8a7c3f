//! An update that a workflow has received, and the right to answer it.

use std::{fmt, marker::PhantomData, ops::Deref};

use serde::{Deserialize, Serialize};

use super::Update;
use crate::{
    codec::{self, Emit, Persist, TypeOf},
    context::{StepFailure, ambient},
};

/// An update that was received, to be answered with [`reply`](Request::reply) or [`reject`](Request::reject), now or many steps later:
/// it can be kept over an await. It is the message by `Deref`.
///
/// Whoever sent it waits meanwhile. If the instance ends without an answer he gets
/// [`UpdateError::Unanswered`](super::UpdateError::Unanswered).
#[derive(Serialize, Deserialize)]
#[serde(rename = "Request", bound = "U: Persist")]
#[must_use = "whoever sent the update waits for its answer"]
pub struct Request<U> {
    message: U,
    reply: Reply<U>,
}

/// The right to answer an update, without its message.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Reply", bound = "")]
#[must_use = "whoever sent the update waits for its answer"]
pub struct Reply<U> {
    /// The update's number as a message.
    seq: u64,
    update: PhantomData<fn() -> U>,
}

impl<U> Request<U> {
    pub(super) fn new(message: U, seq: u64) -> Self {
        Request { message, reply: Reply { seq, update: PhantomData } }
    }

    /// The message and the right to answer it.
    pub fn into_parts(self) -> (U, Reply<U>) {
        (self.message, self.reply)
    }
}

impl<U: Update> Request<U> {
    /// Answers. The answer is committed with this step, and the sender gets it after that.
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn reply(self, answer: U::Output) {
        self.reply.reply(answer);
    }

    /// Refuses the update: its sender gets [`UpdateError::Rejected`](super::UpdateError::Rejected). Rejected in the step that received
    /// it, it leaves no trace in the instance's history.
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn reject(self, why: impl fmt::Display) {
        self.reply.reject(why);
    }
}

impl<U: Update> Reply<U> {
    /// Answers; see [`Request::reply`].
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn reply(self, answer: U::Output) {
        answer_with(self.seq, U::NAME, TypeOf::of::<U::Output>(), &answer);
    }

    /// Refuses the update; see [`Request::reject`].
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn reject(self, why: impl fmt::Display) {
        let why = crate::engine::clip(why.to_string());
        ambient::with("reject", |scratch| scratch.rare.replies.push((self.seq, Err(why))));
    }
}

fn answer_with(seq: u64, name: &str, of: &TypeOf, answer: &dyn Emit) {
    // The user's `Serialize` runs before the step is borrowed.
    let encoded = codec::current(|codec| codec.encode_as(of, answer));
    ambient::with("reply", |scratch| match encoded {
        Ok(value) if value.bytes.len() <= scratch.limits.message_bytes => {
            scratch.rare.replies.push((seq, Ok(value)));
        }
        Ok(value) => {
            let (what, bytes) = (format!("the answer to an update `{name}`"), value.bytes.len());
            let most = scratch.limits.message_bytes;
            scratch.rare.failure.get_or_insert(StepFailure::ValueTooLarge { what, bytes, most });
        }
        Err(error) => {
            let what = format!("the answer to an update `{name}`");
            scratch.rare.failure.get_or_insert(StepFailure::Encode { what, error });
        }
    });
}

impl<U> Deref for Request<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.message
    }
}

impl<U: fmt::Debug> fmt::Debug for Request<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.message).finish()
    }
}

impl<U> fmt::Debug for Reply<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}
