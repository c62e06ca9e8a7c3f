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
        was: &[],
        args: &[],
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
    let frames = Arc::new(Frames::new(Box::new(|_| None), Vec::new()));
    Step::new(Arc::clone(codec), frames, 0, Scratch::of_completions(7, done))
}

fn poll(step: &mut Step, future: &mut ActivityFuture<Charge>) -> Poll<Result<u32, CallError>> {
    future.poll(&mut Context { step: step.into() })
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
    assert_eq!((&**name, &options.retry), ("charge", &Some(Retry::attempts(3))));
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

#[test]
fn a_started_call_is_written_without_a_look_at_its_layout_as_it_is_with_one() {
    let codec = Codec::new();
    for (id, activity) in [(0, 0), (1, 127), (128, u32::MAX), (u64::MAX, 1 << 20)] {
        let state = State(CallState::Started { id, activity });
        let walked = codec.encode_as(TypeOf::of::<State>(), &state).expect("it is written");
        let mut written = Vec::new();
        assert!(write_state(&state, &mut written));
        assert_eq!(written, *walked.bytes);
        let mut back: Option<State> = None;
        assert!(read_state(&mut back, &written));
        let Some(State(CallState::Started { id: was, activity: of })) = back else {
            panic!("it was started")
        };
        assert_eq!((was, of), (id, activity));
        written.push(0);
        assert!(!read_state(&mut back, &written), "a byte is left over");
    }
    assert!(!write_state(&State(CallState::Ended), &mut Vec::new()), "that is left to the walk");
}
