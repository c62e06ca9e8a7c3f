//! An activity as the engine sees it: by name, with its types erased.

use std::time::Duration;

use super::{Activity, ActivityContext, ActivityMeta, AttemptFuture, MissingState, States, Verdict};
use crate::{
    codec::{Codec, DecodeError, EncodeError, Encoded, Persist, TypeOf},
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
    /// The type of the arguments.
    pub args: &'static TypeOf,
    /// The type of the output.
    pub output: &'static TypeOf,
}

impl ActivityEntry {
    /// The entry of an activity.
    pub const fn of<A: Activity>() -> Self {
        ActivityEntry {
            meta: A::META,
            run: run::<A>,
            missing_state: A::missing_state,
            exhausted: exhausted::<A>,
            args: TypeOf::of::<A::Args>(),
            output: TypeOf::of::<A::Output>(),
        }
    }
}

fn run<A: Activity>(args: Encoded, context: ActivityContext) -> AttemptFuture<AttemptOutcome> {
    attempt(args, context, begin::<A>, A::verdict)
}

fn begin<A: Activity>(args: &Encoded, context: &ActivityContext) -> Begun<A::Output> {
    match read(args, context) {
        Ok(args) => match A::run(args, context) {
            Ok(running) => Ok(running),
            Err(missing) => Err(AttemptOutcome::MissingState(missing)),
        },
        Err(outcome) => Err(outcome),
    }
}

fn exhausted<A: Activity>(error: CallError, codec: &Codec) -> Option<Result<Encoded, EncodeError>> {
    write_some(A::from_call_error(error), codec)
}

// What names a type but not the activity is a function of its own, which is compiled once per type; see `popular`.

type Begun<O> = Result<AttemptFuture<O>, AttemptOutcome>;
type Begin<O> = fn(&Encoded, &ActivityContext) -> Begun<O>;

#[inline(never)]
fn read<T: Persist>(args: &Encoded, context: &ActivityContext) -> Result<T, AttemptOutcome> {
    context.codec().decode(args.layout, &args.bytes).map_err(AttemptOutcome::BadArgs)
}

/// An output as it is stored.
#[inline(never)]
pub(crate) fn write_some<O: Persist>(
    output: Option<O>,
    codec: &Codec,
) -> Option<Result<Encoded, EncodeError>> {
    output.map(|output| codec.encode(&output))
}

/// Nothing runs before it is polled: decoding the arguments is the user's code too.
#[inline(never)]
fn attempt<O: Persist + Send>(
    args: Encoded,
    context: ActivityContext,
    begin: Begin<O>,
    verdict: fn(&O) -> Verdict,
) -> AttemptFuture<AttemptOutcome> {
    Box::pin(async move {
        let running = match begin(&args, &context) {
            Ok(running) => running,
            Err(outcome) => return outcome,
        };
        // The function has them by value; it may run for hours.
        drop(args);
        let output = running.await;
        let value = match context.codec().encode(&output) {
            Ok(value) => value,
            Err(error) => return AttemptOutcome::BadOutput(error),
        };
        match verdict(&output) {
            Verdict::Done => AttemptOutcome::Completed(value),
            Verdict::Failed { message, retryable, retry_after } => {
                AttemptOutcome::Failed { value, message, retryable, retry_after }
            }
        }
    })
}

type Read<T> = fn(&Encoded, &ActivityContext) -> Result<T, AttemptOutcome>;
type WriteSome<O> = fn(Option<O>, &Codec) -> Option<Result<Encoded, EncodeError>>;
type Attempt<O> = fn(Encoded, ActivityContext, Begin<O>, fn(&O) -> Verdict) -> AttemptFuture<AttemptOutcome>;

/// What an activity with such arguments, or such an output, needs; see [`popular`](crate::popular).
#[allow(dead_code)]
pub(crate) struct Popular<T>(Read<T>, WriteSome<T>, Attempt<T>);

impl<T: Persist + Send> Popular<T> {
    pub(crate) const fn new() -> Self {
        Popular(read::<T>, write_some::<T>, attempt::<T>)
    }
}
