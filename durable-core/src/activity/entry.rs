//! An activity as the engine sees it: by name, with its types erased.

use std::time::Duration;

use super::{Activity, ActivityContext, ActivityMeta, AttemptFuture, MissingState, States, Verdict};
use crate::{
    codec::{Codec, DecodeError, EncodeError, Encoded},
    error::CallError,
};

/// How an attempt ended that was not cut off. A panic is the engine's to catch.
#[derive(Debug)]
pub enum AttemptOutcome {
    /// With a value.
    Completed(Encoded),
    /// With an error of the function.
    Failed {
        /// What the function returned: the output of the call if this was the last attempt.
        value: Encoded,
        /// For people.
        message: String,
        /// Whether another attempt makes sense.
        retryable: bool,
        /// The delay before the next attempt, in place of the policy's.
        retry_after: Option<Duration>,
    },
    /// It did not run: this build can't read the arguments. Another attempt would not either.
    BadArgs(DecodeError),
    /// It did not run: a dependency is missing.
    MissingState(MissingState),
    /// It ran, and what it returned can't be stored. Another attempt would have its effect again.
    BadOutput(EncodeError),
}

/// An activity that this build can run.
#[derive(Clone, Copy, Debug)]
pub struct ActivityEntry {
    /// Its name, place and policy.
    pub meta: &'static ActivityMeta,
    /// Runs one attempt. That of a blocking activity blocks while it is polled.
    pub run: fn(Encoded, ActivityContext) -> AttemptFuture<AttemptOutcome>,
    /// The first dependency it needs that is not there.
    pub missing_state: fn(&States) -> Option<MissingState>,
    /// The encoded output of a call that ended without one; `None` for one that can't fail.
    pub exhausted: fn(CallError, &Codec) -> Option<Result<Encoded, EncodeError>>,
    /// The Rust type of the arguments.
    pub args_type: fn() -> &'static str,
    /// The Rust type of the output.
    pub output_type: fn() -> &'static str,
}

impl ActivityEntry {
    /// The entry of an activity.
    pub const fn of<A: Activity>() -> Self {
        ActivityEntry {
            meta: A::META,
            run: |args, context| Box::pin(attempt::<A>(args, context)),
            missing_state: A::missing_state,
            exhausted: |error, codec| A::from_call_error(error).map(|output| codec.encode(&output)),
            args_type: std::any::type_name::<A::Args>,
            output_type: std::any::type_name::<A::Output>,
        }
    }
}

async fn attempt<A: Activity>(args: Encoded, context: ActivityContext) -> AttemptOutcome {
    let args: A::Args = match context.codec().decode(args.layout, &args.bytes) {
        Ok(args) => args,
        Err(error) => return AttemptOutcome::BadArgs(error),
    };
    let output = match A::run(args, context.clone()) {
        Ok(running) => running.await,
        Err(missing) => return AttemptOutcome::MissingState(missing),
    };
    let value = match context.codec().encode(&output) {
        Ok(value) => value,
        Err(error) => return AttemptOutcome::BadOutput(error),
    };
    match A::verdict(&output) {
        Verdict::Done => AttemptOutcome::Completed(value),
        Verdict::Failed { message, retryable, retry_after } => {
            AttemptOutcome::Failed { value, message, retryable, retry_after }
        }
    }
}
