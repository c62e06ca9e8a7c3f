//! A call of an activity, and the durable future that it becomes.

use std::{fmt, marker::PhantomData, task::Poll, time::Duration};

use serde::{Deserialize, Serialize, Serializer};

use super::{Activity, Retry, millis};
use crate::{
    codec::{self, EncodeError, Encoded},
    context::{Completion, Context, NewOperation, OperationId, StepFailure, Wait},
    error::CallError,
    future::{DurableFuture, IntoDurableFuture},
};

/// What a call sets differently from its activity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallOptions {
    /// Longest attempt, in milliseconds.
    pub start_to_close_ms: Option<u64>,
    /// Longest time over all attempts, in milliseconds.
    pub schedule_to_close_ms: Option<u64>,
    /// Longest silence of an attempt, in milliseconds.
    pub heartbeat_ms: Option<u64>,
    /// The retry policy.
    pub retry: Option<Retry>,
}

/// A call of an activity that has not begun: await it in a workflow. Its arguments are stored.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "an activity does nothing until its call is awaited in a workflow"]
pub struct ActivityCall<A: Activity> {
    args: CallArgs,
    options: CallOptions,
    #[serde(skip)]
    activity: PhantomData<fn() -> A>,
}

#[derive(Serialize, Deserialize)]
enum CallArgs {
    Encoded(Encoded),
    // The call has no way to report it: the step that polls or stores it does.
    #[serde(skip_deserializing, serialize_with = "refuse")]
    Refused(EncodeError),
}

fn refuse<S: Serializer>(error: &EncodeError, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom(error))
}

impl<A: Activity> ActivityCall<A> {
    /// Encodes the arguments, which are the parameters as the caller gave them.
    #[doc(hidden)]
    pub fn new<P: Serialize>(params: P) -> Self {
        let args = codec::current(|codec| codec.encode_borrowed::<P, A::Args>(&params));
        ActivityCall {
            args: args.map_or_else(CallArgs::Refused, CallArgs::Encoded),
            options: CallOptions::default(),
            activity: PhantomData,
        }
    }

    /// Sets the retry policy of this call; what it leaves out is the activity's.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// Sets the longest time of one attempt.
    pub fn start_to_close(mut self, timeout: Duration) -> Self {
        self.options.start_to_close_ms = Some(millis(timeout));
        self
    }

    /// Sets the longest time over all attempts.
    pub fn schedule_to_close(mut self, timeout: Duration) -> Self {
        self.options.schedule_to_close_ms = Some(millis(timeout));
        self
    }

    /// Sets the longest silence of an attempt.
    pub fn heartbeat(mut self, timeout: Duration) -> Self {
        self.options.heartbeat_ms = Some(millis(timeout));
        self
    }

    pub(crate) fn into_args(self) -> Result<Encoded, EncodeError> {
        match self.args {
            CallArgs::Encoded(args) => Ok(args),
            CallArgs::Refused(error) => Err(error),
        }
    }
}

impl<A: Activity> fmt::Debug for ActivityCall<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(..)", A::META.name)
    }
}

impl<A: Activity> IntoDurableFuture for ActivityCall<A> {
    type Output = A::Output;
    type IntoFuture = ActivityFuture<A>;

    fn into_durable(self) -> ActivityFuture<A> {
        ActivityFuture {
            state: CallState::Unstarted(self),
        }
    }
}

/// An awaited call.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", transparent)]
pub struct ActivityFuture<A: Activity> {
    state: CallState<A>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "", rename = "Activity")]
enum CallState<A: Activity> {
    Unstarted(ActivityCall<A>),
    Started(OperationId),
    Ended,
}

impl<A: Activity> ActivityFuture<A> {
    /// The operation that stands for the call, once it was started.
    pub fn operation(&self) -> Option<OperationId> {
        match self.state {
            CallState::Started(id) => Some(id),
            CallState::Unstarted(_) | CallState::Ended => None,
        }
    }

    /// Starts the operation, if it is not.
    fn start(&mut self, cx: &mut Context<'_>) -> Option<OperationId> {
        let call = match std::mem::replace(&mut self.state, CallState::Ended) {
            CallState::Unstarted(call) => call,
            CallState::Started(id) => {
                self.state = CallState::Started(id);
                return Some(id);
            }
            CallState::Ended => panic!(
                "the call of activity `{}` was polled after it ended",
                A::META.name
            ),
        };
        let options = call.options.clone();
        match call.into_args() {
            Ok(args) => {
                let name = A::META.name.to_owned();
                let id = cx.start(NewOperation::Activity {
                    name,
                    args,
                    options,
                });
                self.state = CallState::Started(id);
                Some(id)
            }
            Err(error) => {
                cx.fail(StepFailure::Encode {
                    what: format!("the arguments of `{}`", A::META.name),
                    error,
                });
                None
            }
        }
    }

    /// The output that a completion stands for.
    fn finish(completion: Completion, cx: &mut Context<'_>) -> Option<A::Output> {
        let error = match completion {
            Completion::Value(value) => match cx.codec().decode(value.layout, &value.bytes) {
                Ok(output) => return Some(output),
                Err(error) => {
                    cx.fail(StepFailure::Decode {
                        what: format!("the result of `{}`", A::META.name),
                        error,
                    });
                    return None;
                }
            },
            Completion::Error(error) => error,
            // Only a timer fires.
            Completion::Fired => CallError::Panicked {
                message: "an activity ended as a timer".to_owned(),
            },
        };
        let reason = error.to_string();
        let output = A::from_call_error(error);
        if output.is_none() {
            cx.fail(StepFailure::Incompatible {
                reason: format!(
                    "activity `{}` {reason}, but this build declares it as one that can't fail: return a `Result`",
                    A::META.name
                ),
            });
        }
        output
    }
}

impl<A: Activity> DurableFuture for ActivityFuture<A> {
    type Output = A::Output;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<A::Output> {
        let Some(id) = self.start(cx) else {
            return Poll::Pending;
        };
        let Some(completion) = cx.take(id) else {
            cx.wait(Wait::Op(id));
            return Poll::Pending;
        };
        match Self::finish(completion, cx) {
            Some(output) => {
                self.state = CallState::Ended;
                Poll::Ready(output)
            }
            None => Poll::Pending,
        }
    }
}
