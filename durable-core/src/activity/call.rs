//! A call of an activity, and the durable future that it becomes.

#[cfg(test)]
mod tests;

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    fmt,
    marker::PhantomData,
    task::Poll,
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Activity, ActivityMeta, OwnOptions, Retry, millis};
use crate::{
    codec::{
        self, DecodeError, Emit, EncodeError, Encoded, Persist, Plain, Slot, TypeOf, put_number, take_bytes,
        take_varint,
    },
    context::{Completion, Context, NewOperation, OperationId, StepFailure, Wait},
    error::CallError,
    frame::{Frame, witnesses::Callee},
    future::{DurableFuture, IntoDurableFuture},
};

/// A call of an activity that has not begun: await it in a workflow. Its arguments are stored.
#[must_use = "an activity does nothing until its call is awaited in a workflow"]
pub struct ActivityCall<A: Activity> {
    call: Call,
    activity: PhantomData<fn() -> A>,
}

/// The same for any activity.
#[derive(Serialize, Deserialize)]
struct Call {
    /// Of which activity; see [`ActivityMeta::tag`].
    activity: u32,
    args: CallArgs,
    options: OwnOptions,
}

/// On disk: append only.
#[derive(Serialize, Deserialize)]
enum CallArgs {
    Encoded(Encoded),
    /// It was lent to a `select!` that has begun it.
    Started(OperationId),
    /// It is lent to one, or has ended there.
    Lent,
    // The call has no way to report it: the step that polls or stores it does. Last, because it is never read.
    #[serde(skip_deserializing, serialize_with = "refuse")]
    Refused(Box<EncodeError>),
}

fn refuse<S: Serializer>(error: &EncodeError, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom(error))
}

impl<A: Activity> ActivityCall<A> {
    /// Encodes the arguments, which are the parameters as the caller gave them.
    #[doc(hidden)]
    pub fn new<P: Serialize>(params: P) -> Self {
        ActivityCall { call: call::<A::Args, P>(A::META.tag(), &params), activity: PhantomData }
    }

    /// Sets the retry policy of this call; what it leaves out is the activity's.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.call.options.set().retry = Some(retry);
        self
    }

    /// Sets the longest time of one attempt.
    pub fn start_to_close(mut self, timeout: Duration) -> Self {
        self.call.options.set().start_to_close_ms = Some(millis(timeout));
        self
    }

    /// Sets the longest time over all attempts.
    pub fn schedule_to_close(mut self, timeout: Duration) -> Self {
        self.call.options.set().schedule_to_close_ms = Some(millis(timeout));
        self
    }

    /// Sets the longest silence of an attempt.
    pub fn heartbeat(mut self, timeout: Duration) -> Self {
        self.call.options.set().heartbeat_ms = Some(millis(timeout));
        self
    }

    pub(crate) fn into_args(self) -> Result<Encoded, EncodeError> {
        self.call.into_args()
    }

    /// The operation that stands for it, for `spawn`.
    pub(crate) fn into_operation(self) -> Result<NewOperation, StepFailure> {
        self.call.into_operation(A::META)
    }

    /// Its future, for a `select!` to which it is lent. It has to be put back.
    pub(crate) fn take_future(&mut self) -> ActivityFuture<A> {
        let lent = Call::lent(self.call.activity, CallArgs::Lent);
        let call = std::mem::replace(&mut self.call, lent);
        ActivityFuture { state: State(call.into_state()), activity: PhantomData }
    }

    /// What was lent is back, started or not.
    pub(crate) fn put_future(&mut self, future: ActivityFuture<A>) {
        self.call = match future.state.0 {
            CallState::Unstarted(call) => call,
            CallState::Started { id, activity } => Call::lent(activity, CallArgs::Started(id)),
            CallState::Ended | CallState::Given(_) => Call::lent(A::META.tag(), CallArgs::Lent),
        };
    }
}

#[inline(never)]
fn call<A: Persist, P: Serialize>(activity: u32, params: &P) -> Call {
    Call::new(activity, const { TypeOf::of::<A>() }, params)
}

/// The stored call is not of the activity that this build has there.
fn other_activity(meta: &ActivityMeta) -> StepFailure {
    StepFailure::Incompatible { reason: other_activity_reason(meta) }
}

pub(crate) fn other_activity_reason(meta: &ActivityMeta) -> String {
    format!(
        "the snapshot holds a call of another activity where this build awaits `{}` ({}:{}): a build that calls what it called \
         goes on with it; one that was renamed says so, `#[activity(was = \"..\")]`",
        meta.name, meta.file, meta.line
    )
}

/// Whether a future is the call of an activity.
pub(crate) fn is_call(of: &TypeOf) -> bool {
    (of.id)() == TypeId::of::<State>()
}

/// A migration gave what this build's activity does not.
fn ungiven(meta: &ActivityMeta, error: DecodeError) -> StepFailure {
    StepFailure::Decode { what: format!("what was given as the result of `{}`", meta.name), error }
}

impl Call {
    fn lent(activity: u32, args: CallArgs) -> Self {
        Call { activity, args, options: OwnOptions::default() }
    }

    fn into_state(self) -> CallState {
        match self.args {
            CallArgs::Started(id) => CallState::Started { id, activity: self.activity },
            CallArgs::Lent => CallState::Ended,
            CallArgs::Encoded(_) | CallArgs::Refused(_) => CallState::Unstarted(self),
        }
    }

    fn into_operation(self, meta: &ActivityMeta) -> Result<NewOperation, StepFailure> {
        if !meta.is(self.activity) {
            return Err(other_activity(meta));
        }
        let (name, options) = (Cow::Borrowed(meta.name), self.options);
        match self.args {
            CallArgs::Encoded(args) => Ok(NewOperation::Activity { name, args, options }),
            CallArgs::Refused(error) => {
                Err(StepFailure::Encode { what: format!("the arguments of `{name}`"), error: *error })
            }
            CallArgs::Started(_) | CallArgs::Lent => Err(StepFailure::Incompatible {
                reason: format!("the call of `{name}` was begun by a `select!`: await it instead"),
            }),
        }
    }

    fn new(activity: u32, of: &TypeOf, params: &dyn Emit) -> Self {
        let args = codec::current(|codec| codec.encode_as(of, params));
        Call {
            activity,
            args: args.map_or_else(|error| CallArgs::Refused(Box::new(error)), CallArgs::Encoded),
            options: OwnOptions::default(),
        }
    }

    fn into_args(self) -> Result<Encoded, EncodeError> {
        match self.args {
            CallArgs::Encoded(args) => Ok(args),
            CallArgs::Refused(error) => Err(*error),
            CallArgs::Started(_) | CallArgs::Lent => panic!("the call was begun by a `select!`"),
        }
    }
}

impl<A: Activity> Serialize for ActivityCall<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.call.serialize(serializer)
    }
}

impl<'de, A: Activity> Deserialize<'de> for ActivityCall<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let call = Call::deserialize(deserializer)?;
        Ok(ActivityCall { call, activity: PhantomData })
    }
}

impl<A: Activity> fmt::Debug for ActivityCall<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(..)", A::META.name)
    }
}

// Listing what can be awaited helps nobody who awaits something else.
#[diagnostic::do_not_recommend]
impl<A: Activity> IntoDurableFuture for ActivityCall<A> {
    type Output = A::Output;
    type IntoFuture = ActivityFuture<A>;

    fn into_durable(self) -> ActivityFuture<A> {
        ActivityFuture { state: State(self.call.into_state()), activity: PhantomData }
    }
}

/// An awaited call.
pub struct ActivityFuture<A: Activity> {
    state: State,
    activity: PhantomData<fn() -> A>,
}

/// The state of any activity's call, as it is stored: so that an activity costs a user's crate no code for that.
struct State(CallState);

/// Nearly every step reads one and writes one.
const STATE: TypeOf = TypeOf::of::<State>().with_plain(Plain { read: read_state, write: write_state });

/// As the two calls of serde below do it, for a call that has been started.
fn write_state(state: &dyn Any, out: &mut Vec<u8>) -> bool {
    let Some(State(CallState::Started { id, activity })) = state.downcast_ref() else { return false };
    let start = out.len();
    out.extend([0, STARTED]);
    put_number(*id, out);
    put_number((*activity).into(), out);
    // It is one byte: there are at most sixteen behind it.
    out[start] = (out.len() - start - 1) as u8;
    true
}

fn read_state(slot: &mut dyn Any, mut bytes: &[u8]) -> bool {
    let Some(slot) = slot.downcast_mut::<Option<State>>() else { return false };
    let state = take_bytes(&mut bytes).filter(|_| bytes.is_empty());
    *slot = state.and_then(|state| CallState::from_bytes(state).ok()).map(State);
    slot.is_some()
}

impl State {
    fn keep(&self, frame: &mut Frame<'_>) {
        frame.keep_awaited(&STATE, self);
    }

    fn restore(frame: &mut Frame<'_>) -> Option<Self> {
        match frame.take_result() {
            Some(result) => Some(State(CallState::Given(result))),
            None => frame.restore_as(&STATE),
        }
    }
}

/// On disk: append only.
#[derive(Serialize, Deserialize)]
enum CallState {
    Unstarted(Call),
    Started {
        id: OperationId,
        /// Of which activity.
        activity: u32,
    },
    Ended,
    /// A migration says what it gives.
    Given(Encoded),
}

/// The number of `CallState::Started`.
const STARTED: u8 = 1;

/// What a poll has come to.
enum Polled {
    Pending,
    /// The output is in its slot.
    Ready,
    /// The call ended without an output of its own; the text says how.
    Failed(CallError, String),
}

impl CallState {
    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let refused = match self {
            CallState::Unstarted(call) => match &call.args {
                CallArgs::Refused(error) => Some(error),
                _ => None,
            },
            _ => None,
        };
        match refused {
            Some(error) => Err(error.to_string()),
            None => postcard::to_stdvec(self).map_err(|error| error.to_string()),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        if let [STARTED, rest @ ..] = bytes
            && let mut rest = rest
            && let (Some(id), Some(activity)) = (take_varint::<64>(&mut rest), take_varint::<32>(&mut rest))
        {
            return Ok(CallState::Started { id, activity: activity as u32 });
        }
        postcard::from_bytes(bytes).map_err(|error| error.to_string())
    }

    fn poll(
        &mut self,
        meta: &ActivityMeta,
        of: &TypeOf,
        output: &mut dyn Slot,
        cx: &mut Context<'_>,
    ) -> Polled {
        if let CallState::Given(value) = &*self {
            let read = cx.decode_as(of, value.layout, &value.bytes, output);
            *self = CallState::Ended;
            return match read {
                Ok(()) => Polled::Ready,
                Err(error) => {
                    cx.fail(ungiven(meta, error));
                    Polled::Pending
                }
            };
        }
        let Some(id) = self.start(meta, cx) else {
            return Polled::Pending;
        };
        let Some(completion) = cx.take(id) else {
            cx.wait(Wait::Op(id));
            return Polled::Pending;
        };
        *self = CallState::Ended;
        let error = match completion {
            Completion::Value(value) => match cx.decode_as(of, value.layout, &value.bytes, output) {
                Ok(()) => return Polled::Ready,
                Err(error) => {
                    let what = format!("the result of `{}`", meta.name);
                    cx.fail(StepFailure::Decode { what, error });
                    return Polled::Pending;
                }
            },
            Completion::Error(error) => error,
            // Only a timer fires, and only what has no value is done without one.
            Completion::Fired | Completion::Done | Completion::Refused(_) => {
                CallError::Panicked { message: "an activity ended as something else".to_owned() }
            }
        };
        let reason = error.to_string();
        Polled::Failed(error, reason)
    }

    /// See [`DurableFuture::inspect`]: whether it is a call of this activity, and whether its result can be read, if it is there.
    fn inspect(&self, meta: &ActivityMeta, of: &TypeOf, cx: &mut Context<'_>) {
        if cx.step.learning.is_some() {
            return cx.learn(|| Callee::Activity(meta.name.to_owned()));
        }
        let (activity, started) = match self {
            CallState::Unstarted(call) => (call.activity, None),
            CallState::Started { id, activity } => (*activity, Some(*id)),
            CallState::Ended => return,
            CallState::Given(value) => {
                if let Err(error) = cx.step.frames.try_read(&cx.step.codec, of, value) {
                    cx.fail(ungiven(meta, error));
                }
                return;
            }
        };
        if meta.is(activity) {
            cx.inspect(started, of, &format!("the result of `{}`", meta.name));
        } else {
            cx.fail(other_activity(meta));
        }
    }

    /// Starts the operation, if it is not.
    fn start(&mut self, meta: &ActivityMeta, cx: &mut Context<'_>) -> Option<OperationId> {
        let call = match std::mem::replace(self, CallState::Ended) {
            CallState::Unstarted(call) => call,
            CallState::Started { id, activity } => {
                *self = CallState::Started { id, activity };
                if !meta.is(activity) {
                    cx.fail(other_activity(meta));
                    return None;
                }
                return Some(id);
            }
            CallState::Ended | CallState::Given(_) => {
                panic!("the call of activity `{}` was polled after it ended", meta.name)
            }
        };
        match call.into_operation(meta) {
            Ok(operation) => {
                let id = cx.start(operation);
                *self = CallState::Started { id, activity: meta.tag() };
                Some(id)
            }
            Err(failure) => {
                cx.fail(failure);
                None
            }
        }
    }
}

impl<A: Activity> ActivityFuture<A> {
    /// The operation that stands for the call, once it was started.
    pub fn operation(&self) -> Option<OperationId> {
        match self.state.0 {
            CallState::Started { id, .. } => Some(id),
            CallState::Unstarted(_) | CallState::Ended | CallState::Given(_) => None,
        }
    }
}

impl<A: Activity> Serialize for ActivityFuture<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.state.serialize(serializer)
    }
}

impl<'de, A: Activity> Deserialize<'de> for ActivityFuture<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match State::deserialize(deserializer) {
            Ok(state) => Ok(ActivityFuture { state, activity: PhantomData }),
            Err(error) => Err(error),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !matches!(self.0, CallState::Unstarted(_) | CallState::Given(_)) {
            // What is written at nearly every step.
            let mut few = [0; 16];
            if let Ok(bytes) = postcard::to_slice(&self.0, &mut few) {
                return serializer.serialize_bytes(bytes);
            }
        }
        match self.0.to_bytes() {
            Ok(bytes) => serializer.serialize_bytes(&bytes),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = State;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of a call")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<State, E> {
                CallState::from_bytes(bytes).map(State).map_err(E::custom)
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

impl<A: Activity> DurableFuture for ActivityFuture<A> {
    type Output = A::Output;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<A::Output> {
        poll(&mut self.state.0, A::META, A::from_call_error, cx)
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        self.state.0.inspect(A::META, const { TypeOf::of::<A::Output>() }, cx);
    }

    fn quiet(&self) -> Option<Wait> {
        self.operation().map(Wait::Op)
    }

    fn keep(&self, frame: &mut Frame<'_>) {
        self.state.keep(frame);
    }

    fn restore(frame: &mut Frame<'_>) -> Option<Self> {
        match State::restore(frame) {
            Some(state) => Some(ActivityFuture { state, activity: PhantomData }),
            None => None,
        }
    }
}

#[inline(never)]
fn poll<O: Persist>(
    state: &mut CallState,
    meta: &ActivityMeta,
    from_call_error: fn(CallError) -> Option<O>,
    cx: &mut Context<'_>,
) -> Poll<O> {
    let mut output = None;
    if let Polled::Failed(error, reason) = state.poll(meta, const { TypeOf::of::<O>() }, &mut output, cx) {
        output = from_call_error(error);
        if output.is_none() {
            can_fail(meta, &reason, cx);
        }
    }
    match output {
        Some(output) => Poll::Ready(output),
        None => Poll::Pending,
    }
}

type PollFor<T> = fn(&mut CallState, &ActivityMeta, fn(CallError) -> Option<T>, &mut Context<'_>) -> Poll<T>;

/// What calls with such arguments, or such an output, need; see [`popular`](crate::popular).
#[allow(dead_code)]
pub(crate) struct Popular<T>(fn(u32, &T) -> Call, PollFor<T>);

impl<T: Persist> Popular<T> {
    pub(crate) const fn new() -> Self {
        Popular(call::<T, T>, poll::<T>)
    }
}

/// The store has an error for an activity that today's build declares as one that has none.
fn can_fail(meta: &ActivityMeta, reason: &str, cx: &mut Context<'_>) {
    cx.fail(StepFailure::Incompatible {
        reason: format!(
            "activity `{}` {reason}, but this build declares it as one that can't fail: return a `Result`",
            meta.name
        ),
    });
}
