//! A call of an activity, and the durable future that it becomes.

use std::{fmt, marker::PhantomData, task::Poll, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Activity, ActivityMeta, Retry, millis};
use crate::{
    codec::{self, Emit, EncodeError, Encoded, Persist, Slot, TypeOf},
    context::{Completion, Context, NewOperation, OperationId, StepFailure, Wait},
    error::CallError,
    frame::Frame,
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
#[must_use = "an activity does nothing until its call is awaited in a workflow"]
pub struct ActivityCall<A: Activity> {
    call: Call,
    activity: PhantomData<fn() -> A>,
}

/// The same for any activity.
#[derive(Serialize, Deserialize)]
struct Call {
    args: CallArgs,
    options: CallOptions,
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
    Refused(EncodeError),
}

fn refuse<S: Serializer>(error: &EncodeError, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom(error))
}

impl<A: Activity> ActivityCall<A> {
    /// Encodes the arguments, which are the parameters as the caller gave them.
    #[doc(hidden)]
    pub fn new<P: Serialize>(params: P) -> Self {
        ActivityCall { call: call::<A::Args, P>(&params), activity: PhantomData }
    }

    /// Sets the retry policy of this call; what it leaves out is the activity's.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.call.options.retry = Some(retry);
        self
    }

    /// Sets the longest time of one attempt.
    pub fn start_to_close(mut self, timeout: Duration) -> Self {
        self.call.options.start_to_close_ms = Some(millis(timeout));
        self
    }

    /// Sets the longest time over all attempts.
    pub fn schedule_to_close(mut self, timeout: Duration) -> Self {
        self.call.options.schedule_to_close_ms = Some(millis(timeout));
        self
    }

    /// Sets the longest silence of an attempt.
    pub fn heartbeat(mut self, timeout: Duration) -> Self {
        self.call.options.heartbeat_ms = Some(millis(timeout));
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
        let lent = Call { args: CallArgs::Lent, options: CallOptions::default() };
        let call = std::mem::replace(&mut self.call, lent);
        ActivityFuture { state: State(call.into_state()), activity: PhantomData }
    }

    /// What was lent is back, started or not.
    pub(crate) fn put_future(&mut self, future: ActivityFuture<A>) {
        self.call = match future.state.0 {
            CallState::Unstarted(call) => call,
            CallState::Started(id) => Call { args: CallArgs::Started(id), options: CallOptions::default() },
            CallState::Ended => Call { args: CallArgs::Lent, options: CallOptions::default() },
        };
    }
}

#[inline(never)]
fn call<A: Persist, P: Serialize>(params: &P) -> Call {
    Call::new(const { TypeOf::of::<A>() }, params)
}

impl Call {
    fn into_state(self) -> CallState {
        match self.args {
            CallArgs::Started(id) => CallState::Started(id),
            CallArgs::Lent => CallState::Ended,
            CallArgs::Encoded(_) | CallArgs::Refused(_) => CallState::Unstarted(self),
        }
    }

    fn into_operation(self, meta: &ActivityMeta) -> Result<NewOperation, StepFailure> {
        let name = meta.name.to_owned();
        let options = self.options;
        match self.args {
            CallArgs::Encoded(args) => Ok(NewOperation::Activity { name, args, options }),
            CallArgs::Refused(error) => {
                Err(StepFailure::Encode { what: format!("the arguments of `{name}`"), error })
            }
            CallArgs::Started(_) | CallArgs::Lent => Err(StepFailure::Incompatible {
                reason: format!("the call of `{name}` was begun by a `select!`: await it instead"),
            }),
        }
    }

    fn new(of: &TypeOf, params: &dyn Emit) -> Self {
        let args = codec::current(|codec| codec.encode_as(of, params));
        Call { args: args.map_or_else(CallArgs::Refused, CallArgs::Encoded), options: CallOptions::default() }
    }

    fn into_args(self) -> Result<Encoded, EncodeError> {
        match self.args {
            CallArgs::Encoded(args) => Ok(args),
            CallArgs::Refused(error) => Err(error),
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

impl State {
    fn keep(&self, frame: &mut Frame<'_>) {
        frame.keep(const { TypeOf::of::<State>() }, self);
    }

    fn restore(frame: &mut Frame<'_>) -> Option<Self> {
        frame.restore()
    }
}

/// On disk: append only.
#[derive(Serialize, Deserialize)]
enum CallState {
    Unstarted(Call),
    Started(OperationId),
    Ended,
}

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
        match self {
            CallState::Unstarted(Call { args: CallArgs::Refused(error), .. }) => Err(error.to_string()),
            _ => postcard::to_stdvec(self).map_err(|error| error.to_string()),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        postcard::from_bytes(bytes).map_err(|error| error.to_string())
    }

    fn poll(
        &mut self,
        meta: &ActivityMeta,
        of: &TypeOf,
        output: &mut dyn Slot,
        cx: &mut Context<'_>,
    ) -> Polled {
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

    /// Starts the operation, if it is not.
    fn start(&mut self, meta: &ActivityMeta, cx: &mut Context<'_>) -> Option<OperationId> {
        let call = match std::mem::replace(self, CallState::Ended) {
            CallState::Unstarted(call) => call,
            CallState::Started(id) => {
                *self = CallState::Started(id);
                return Some(id);
            }
            CallState::Ended => panic!("the call of activity `{}` was polled after it ended", meta.name),
        };
        match call.into_operation(meta) {
            Ok(operation) => {
                let id = cx.start(operation);
                *self = CallState::Started(id);
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
            CallState::Started(id) => Some(id),
            CallState::Unstarted(_) | CallState::Ended => None,
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
        match self.0.to_bytes() {
            Ok(bytes) => serializer.serialize_bytes(&bytes),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = durable_store::bytes::deserialize(deserializer)?;
        match CallState::from_bytes(&bytes) {
            Ok(state) => Ok(State(state)),
            Err(error) => Err(serde::de::Error::custom(error)),
        }
    }
}

impl<A: Activity> DurableFuture for ActivityFuture<A> {
    type Output = A::Output;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<A::Output> {
        poll(&mut self.state.0, A::META, A::from_call_error, cx)
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
pub(crate) struct Popular<T>(fn(&T) -> Call, PollFor<T>);

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        activity::{ActivityContext, ActivityMeta, AttemptFuture, MissingState, RetryMeta, States, Verdict},
        codec::Codec,
        context::{Scratch, Started, Step},
        frame::Frames,
    };

    struct Charge;

    impl Activity for Charge {
        type Args = (String,);
        type Output = Result<u32, CallError>;
        const META: &'static ActivityMeta = &ActivityMeta {
            name: "charge",
            function: "charge",
            file: "",
            line: 1,
            start_to_close_ms: None,
            schedule_to_close_ms: None,
            heartbeat_ms: None,
            retry: RetryMeta {
                initial_ms: None,
                backoff: None,
                max_interval_ms: None,
                max_attempts: None,
                jitter: None,
            },
            park_when_exhausted: false,
            limit: None,
            blocking: true,
        };
        fn missing_state(_: &States) -> Option<MissingState> {
            None
        }
        fn run(args: Self::Args, _: &ActivityContext) -> Result<AttemptFuture<Self::Output>, MissingState> {
            Ok(Box::pin(async move { Ok(args.0.len() as u32) }))
        }
        fn verdict(_: &Self::Output) -> Verdict {
            Verdict::Done
        }
        fn from_call_error(error: CallError) -> Option<Self::Output> {
            Some(Err(error))
        }
    }

    fn step(codec: &Arc<Codec>, done: Vec<(OperationId, Completion)>) -> Step {
        let frames = Arc::new(Frames::new(Box::new(|_| None)));
        Step::new(Arc::clone(codec), frames, 0, Scratch::of_completions(7, done))
    }

    fn poll(step: &mut Step, future: &mut ActivityFuture<Charge>) -> Poll<Result<u32, CallError>> {
        future.poll(&mut Context { step })
    }

    /// A call that was started as operation 7, as the next step finds it.
    fn started(codec: &Arc<Codec>) -> ActivityFuture<Charge> {
        let call = codec::with_current(codec, || ActivityCall::<Charge>::new(("abc",)));
        let mut future = call.retry(Retry::attempts(3)).into_durable();
        assert_eq!(future.operation(), None);
        let mut first = step(codec, Vec::new());
        assert!(poll(&mut first, &mut future).is_pending());
        let scratch = first.scratch.borrow();
        let [Started { id: 7, operation: NewOperation::Activity { name, args, options }, .. }] =
            &scratch.started[..]
        else {
            panic!("{:?}", scratch.started);
        };
        assert_eq!((name.as_str(), &options.retry), ("charge", &Some(Retry::attempts(3))));
        let args: (String,) = codec.decode(args.layout, &args.bytes).unwrap();
        assert_eq!(args.0, "abc");
        assert_eq!(first.wait, Some(Wait::Op(7)));
        stored(codec, &future)
    }

    fn stored(codec: &Codec, future: &ActivityFuture<Charge>) -> ActivityFuture<Charge> {
        let bytes = codec.encode(future).unwrap();
        codec.decode(bytes.layout, &bytes.bytes).unwrap()
    }

    #[test]
    fn a_call_is_started_once_and_gives_what_the_activity_gave() {
        let codec = Arc::<Codec>::default();
        let mut future = started(&codec);
        let mut second = step(&codec, Vec::new());
        assert!(poll(&mut second, &mut future).is_pending());
        assert!(second.scratch.borrow().started.is_empty(), "it was started before");

        let value = codec.encode(&Ok::<u32, CallError>(3)).unwrap();
        let mut third = step(&codec, vec![(7, Completion::Value(value))]);
        assert_eq!(poll(&mut third, &mut stored(&codec, &future)), Poll::Ready(Ok(3)));
    }

    #[test]
    fn a_call_that_ended_without_a_value_is_an_error_of_the_activity() {
        let codec = Arc::<Codec>::default();
        let error = CallError::Panicked { message: "boom".into() };
        let mut step = step(&codec, vec![(7, Completion::Error(error.clone()))]);
        assert_eq!(poll(&mut step, &mut started(&codec)), Poll::Ready(Err(error)));
        assert!(step.failure.is_none());
    }

    #[test]
    fn a_result_that_this_build_can_not_read_fails_the_step_and_names_the_activity() {
        let codec = Arc::<Codec>::default();
        let value = codec.encode(&"text".to_owned()).unwrap();
        let mut step = step(&codec, vec![(7, Completion::Value(value))]);
        assert!(poll(&mut step, &mut started(&codec)).is_pending());
        let failure = step.failure.expect("the step fails").to_string();
        assert!(failure.starts_with("the result of `charge`: "), "{failure}");
    }

    #[test]
    fn arguments_that_can_not_be_stored_fail_the_step_that_needs_them() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("out of ink"))
            }
        }
        let codec = Arc::<Codec>::default();
        let call = || ActivityCall::<Charge>::new((Refuses,));
        let mut step = step(&codec, Vec::new());
        assert!(poll(&mut step, &mut call().into_durable()).is_pending());
        assert!(step.scratch.borrow().started.is_empty());
        let failure = step.failure.expect("the step fails").to_string();
        assert!(
            failure.starts_with("the arguments of `charge`: ") && failure.contains("out of ink"),
            "{failure}"
        );
        // Kept in a variable over a resume point, it is the snapshot that can't be written.
        let error = codec.encode(&call()).unwrap_err().to_string();
        assert!(error.contains("out of ink"), "{error}");
    }

    #[test]
    fn a_call_that_was_not_awaited_yet_can_be_stored() {
        let codec = Arc::<Codec>::default();
        let call = codec::with_current(&codec, || ActivityCall::<Charge>::new(("abc",)));
        let bytes = codec.encode(&call).unwrap();
        let call: ActivityCall<Charge> = codec.decode(bytes.layout, &bytes.bytes).unwrap();
        assert_eq!(call.into_args(), codec.encode(&("abc".to_owned(),)));
    }
}
