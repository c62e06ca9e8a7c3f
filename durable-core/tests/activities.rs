//! `#[activity]` as a user writes it, run through its entry as the engine runs it.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use durable_core::{
    __private::{
        Activity, ActivityEntry, ActivityFn, AttemptInfo, AttemptOutcome, AttemptState, CallOptions,
        IdempotencyKey, MissingState, Registration, States, call, inventory,
    },
    ActivityContext, CallError, Error, ErrorContext as _, Retry, RetryHint, State,
    codec::{Codec, Encoded, Persist},
};
use durable_macros::activity;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OrderId(u32);

#[derive(Debug, Default)]
struct Gateway {
    charged: AtomicU64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum PaymentError {
    #[error("declined: {code}")]
    Declined { code: u32 },
    #[error("fraud")]
    Fraud,
    #[error("offline")]
    Offline,
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Charges a card.
#[activity(
    crate = durable_core,
    name = "charge-card",
    start_to_close = "30s",
    schedule_to_close = "1h",
    heartbeat = "250ms",
    retry(initial = "1s", backoff = 2.0, max_interval = "100s", max_attempts = 5, jitter = 0),
    no_retry(PaymentError::Fraud | PaymentError::Declined { code: 10.. }),
    park_when_exhausted,
    limit = 10,
)]
async fn charge(
    State(gateway): State<Gateway>,
    order: &OrderId,
    #[was("amount")] cents: u64,
) -> Result<String, PaymentError> {
    match cents {
        0 => Err(PaymentError::Offline),
        1 => Err(PaymentError::Declined { code: 10 }),
        2 => Err(PaymentError::Declined { code: 9 }),
        3 => Err(PaymentError::Fraud),
        _ => {
            let total = gateway.charged.fetch_add(cents, Ordering::Relaxed) + cents;
            Ok(format!("{}:{total}", order.0))
        }
    }
}

/// Every kind of reference, and a plain function.
#[activity(crate = durable_core)]
fn describe(name: &str, parts: &[u32], place: &Path, order: &OrderId, (a, b): (u8, u8), _: u8) -> String {
    let sum: u32 = parts.iter().sum();
    format!("{name} {sum} {} {} {}", place.display(), order.0, a + b)
}

#[activity(crate = durable_core)]
async fn report(context: &ActivityContext, State(prefix): &State<String>, mut pages: u32) -> (u32, String) {
    pages += context.last_heartbeat::<u32>().unwrap_or_default();
    context.heartbeat(&pages);
    (context.attempt(), format!("{prefix}{pages} {}", context.idempotency_key()))
}

type Outcome<T> = Result<T, Error>;

#[activity(crate = durable_core)]
async fn through_an_alias(fail: bool) -> Outcome<()> {
    if fail {
        let parsed: u32 = "x".parse().context("reading the count")?;
        durable_core::ensure!(parsed == 0, "can't be");
    }
    Err(Error::msg("later").non_retryable().retry_after(Duration::from_secs(7)))
}

#[derive(Serialize, Deserialize)]
struct Mute(bool);

impl From<CallError> for Mute {
    fn from(_: CallError) -> Self {
        Mute(true)
    }
}

impl RetryHint for Mute {
    fn is_retryable(&self) -> bool {
        self.0
    }
}

/// An error with a hint and nothing to show.
#[activity(crate = durable_core)]
async fn mute(retryable: bool) -> Result<(), Mute> {
    Err(Mute(retryable))
}

#[activity(crate = durable_core)]
fn nothing() {}

/// Makes what is in its place a namespace.
struct Shop;

impl Shop {
    /// An associated function.
    #[activity(crate = durable_core, name = "shop-open")]
    pub(crate) async fn open(at: u32) -> u32 {
        at + 1
    }
}

/// A module in which nothing means what it usually does.
mod hostile {
    #![allow(dead_code, non_camel_case_types)]

    struct Option;
    struct Vec;
    struct String;
    struct Box;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Result;
    struct Future;
    struct Send;
    struct Clone;
    struct Infallible;
    struct Activity;
    struct ActivityCall;
    struct Verdict;
    mod std {}
    mod core {}
    mod durable {}

    #[durable_macros::activity(crate = ::durable_core, no_retry(durable_core::Error { .. }))]
    pub(super) async fn length(
        durable_core::State(prefix): durable_core::State<u32>,
        text: &str,
        args: &[u32],
        context: u32,
    ) -> ::core::result::Result<u32, durable_core::Error> {
        ::core::result::Result::Ok(*prefix + u32::try_from(text.len() + args.len()).unwrap_or(0) + context)
    }
}

fn entry_of<P, F: ActivityFn<P>>(_: F) -> ActivityEntry {
    ActivityEntry::of::<F::Activity>()
}

struct Engine {
    codec: Arc<Codec>,
    states: Arc<States>,
    last_heartbeat: Option<Encoded>,
}

impl Engine {
    fn new(states: States) -> Self {
        Engine { codec: Arc::default(), states: Arc::new(states), last_heartbeat: None }
    }

    fn attempt(&self) -> Arc<AttemptState> {
        AttemptState::new(
            AttemptInfo {
                instance_id: "order-7".into(),
                key: IdempotencyKey::from_bits(0xfe),
                attempt: 3,
                deadline_ms: None,
                last_heartbeat: self.last_heartbeat.clone(),
                states: Arc::clone(&self.states),
                codec: Arc::clone(&self.codec),
                clock: Arc::new(|| 0),
            },
            0,
        )
    }

    async fn run<P, F: ActivityFn<P>>(&self, function: F, args: impl Persist) -> AttemptOutcome {
        let args = self.codec.encode(&args).expect("it can be stored");
        (entry_of(function).run)(args, self.attempt().context()).await
    }

    fn read<T: Persist>(&self, value: &Encoded) -> T {
        self.codec.decode(value.layout, &value.bytes).expect("it was just written")
    }
}

fn with_gateway() -> Engine {
    let mut states = States::default();
    states.insert(Gateway::default());
    Engine::new(states)
}

#[tokio::test]
async fn an_attempt_decodes_runs_and_encodes() {
    let engine = with_gateway();
    let AttemptOutcome::Completed(value) = engine.run(charge, (OrderId(7), 500_u64)).await else {
        panic!("it succeeds");
    };
    assert_eq!(engine.read::<Result<String, PaymentError>>(&value), Ok("7:500".to_owned()));
}

#[tokio::test]
async fn no_retry_matches_the_error_by_pattern() {
    let engine = with_gateway();
    for (cents, expected, text) in
        [(0, true, "offline"), (1, false, "declined: 10"), (2, true, "declined: 9"), (3, false, "fraud")]
    {
        let outcome = engine.run(charge, (OrderId(7), cents)).await;
        let AttemptOutcome::Failed { value, message, retryable, retry_after } = outcome else {
            panic!("it fails");
        };
        assert_eq!((retryable, message.as_str(), retry_after), (expected, text, None));
        engine.read::<Result<String, PaymentError>>(&value).unwrap_err();
    }
}

#[tokio::test]
async fn an_aliased_result_is_a_result_and_says_what_its_error_says() {
    let engine = Engine::new(States::default());
    let AttemptOutcome::Failed { message, retryable, retry_after, .. } =
        engine.run(through_an_alias, (false,)).await
    else {
        panic!("it fails");
    };
    assert_eq!((message.as_str(), retryable, retry_after), ("later", false, Some(Duration::from_secs(7))));
    let AttemptOutcome::Failed { message, retryable, .. } = engine.run(through_an_alias, (true,)).await
    else {
        panic!("it fails");
    };
    assert_eq!((message.as_str(), retryable), ("reading the count: invalid digit found in string", true));
    for hint in [true, false] {
        let AttemptOutcome::Failed { message, retryable, .. } = engine.run(mute, (hint,)).await else {
            panic!("it fails");
        };
        assert_eq!((message.as_str(), retryable), ("activities::Mute", hint));
    }
}

#[tokio::test]
async fn a_missing_state_is_named_and_never_a_panic() {
    let engine = Engine::new(States::default());
    let missing = MissingState { type_name: "activities::Gateway" };
    assert_eq!((entry_of(charge).missing_state)(&engine.states), Some(missing));
    assert_eq!((entry_of(describe).missing_state)(&engine.states), None);
    let outcome = engine.run(charge, (OrderId(7), 500_u64)).await;
    assert!(matches!(outcome, AttemptOutcome::MissingState(found) if found == missing));
}

#[tokio::test]
async fn arguments_that_are_something_else_are_refused_before_the_function_runs() {
    let engine = with_gateway();
    let outcome = engine.run(charge, ("seven".to_owned(),)).await;
    assert!(matches!(outcome, AttemptOutcome::BadArgs(_)), "{outcome:?}");
    let gateway = engine.states.get::<Gateway>().expect("it was given");
    assert_eq!(gateway.charged.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn progress_reaches_the_next_attempt() {
    let mut states = States::default();
    states.insert("p".to_owned());
    let mut engine = Engine::new(states);
    engine.last_heartbeat = Some(engine.codec.encode(&40_u32).expect("it can be stored"));
    let AttemptOutcome::Completed(value) = engine.run(report, (2_u32,)).await else {
        panic!("it succeeds");
    };
    let expected = (3, "p42 000000000000000000000000000000fe".to_owned());
    assert_eq!(engine.read::<(u32, String)>(&value), expected);
}

#[tokio::test]
async fn a_call_in_a_unit_test_runs_the_function_itself() {
    let id = OrderId(7);
    assert_eq!(call(charge(&id, 5)).state(Gateway::default()).await, Ok("7:5".to_owned()));
    let text = call(describe("a", &[1, 2], Path::new("/x"), &id, (3, 4), 0)).await;
    assert_eq!(text, "a 3 /x 7 7");
    let (attempt, text) = call(report(1)).state("q".to_owned()).attempt(2).last_heartbeat(&9_u32).await;
    assert_eq!((attempt, text.split(' ').next()), (2, Some("q10")));
    assert_eq!(call(Shop::open(1)).await, 2);
    call(nothing()).await;
    assert_eq!(call(hostile::length("ab", &[1], 10)).state(100_u32).await.unwrap(), 113);
}

#[tokio::test]
#[should_panic(expected = "activity `charge-card` needs `State<activities::Gateway>`")]
async fn a_unit_test_without_a_state_says_which() {
    let _ = call(charge(&OrderId(7), 5)).await;
}

#[test]
fn the_call_that_never_ran_becomes_an_error_of_the_functions_own_type() {
    let codec = Codec::default();
    let lost = CallError::Cancelled { reason: "enough".into() };
    let value =
        (entry_of(charge).exhausted)(lost.clone(), &codec).expect("it can fail").expect("it is stored");
    let value: Result<String, PaymentError> = codec.decode(value.layout, &value.bytes).expect("just written");
    assert_eq!(value, Err(PaymentError::Call(lost.clone())));
    let value = (entry_of(through_an_alias).exhausted)(lost.clone(), &codec).expect("it can fail");
    let value = value.expect("it is stored");
    let value: Result<(), Error> = codec.decode(value.layout, &value.bytes).expect("just written");
    assert_eq!(value.unwrap_err().call_error(), Some(&lost));
    assert!((entry_of(describe).exhausted)(lost, &codec).is_none());
}

#[test]
fn the_declaration_says_what_was_written() {
    let meta = entry_of(charge).meta;
    assert_eq!((meta.name, meta.function), ("charge-card", "activities::charge"));
    assert!(meta.file.ends_with("activities.rs"));
    let line = include_str!("activities.rs").lines().position(|line| line.starts_with("async fn charge("));
    assert_eq!(Some(meta.line as usize), line.map(|line| line + 1));
    assert_eq!(meta.start_to_close_ms, Some(30_000));
    assert_eq!(meta.schedule_to_close_ms, Some(3_600_000));
    assert_eq!(meta.heartbeat_ms, Some(250));
    assert_eq!((meta.retry.initial_ms, meta.retry.max_interval_ms), (Some(1000), Some(100_000)));
    assert_eq!(
        (meta.retry.backoff, meta.retry.max_attempts, meta.retry.jitter),
        (Some(2.0), Some(5), Some(0.0))
    );
    assert_eq!((meta.park_when_exhausted, meta.limit, meta.blocking), (true, Some(10), false));
    assert_eq!(meta.args, [&["order"][..], &["cents", "amount"]], "with the names that they had before");
    let plain = entry_of(describe).meta;
    assert!(plain.blocking && plain.start_to_close_ms.is_none() && plain.limit.is_none());
    assert_eq!(plain.name, "describe");
}

#[test]
fn every_activity_of_the_program_is_registered() {
    let mut names: Vec<&str> = inventory::iter::<Registration>()
        .filter_map(|registration| match registration {
            Registration::Activity(entry) => Some(entry.meta.name),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    let expected =
        ["charge-card", "describe", "length", "mute", "nothing", "report", "shop-open", "through_an_alias"];
    assert_eq!(names, expected);
}

#[test]
fn options_of_a_call_travel_with_it() {
    fn stored<A: Activity>(call: &durable_core::ActivityCall<A>) -> CallOptions {
        let codec = Codec::default();
        let call = codec.encode(call).expect("it can be stored");
        let view = codec.view(call.layout, &call.bytes).expect("just written").to_json();
        serde_json::from_value(view["options"].clone()).expect("the options")
    }
    let call = charge(&OrderId(1), 5)
        .retry(Retry::attempts(3))
        .start_to_close(Duration::from_secs(2))
        .schedule_to_close(Duration::from_secs(3))
        .heartbeat(Duration::from_millis(4));
    let expected = CallOptions {
        start_to_close_ms: Some(2000),
        schedule_to_close_ms: Some(3000),
        heartbeat_ms: Some(4),
        retry: Some(Retry::attempts(3)),
    };
    assert_eq!(stored(&call), expected);
    assert_eq!(stored(&charge(&OrderId(1), 5)), CallOptions::default());
}
