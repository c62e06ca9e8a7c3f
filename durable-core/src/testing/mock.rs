//! Mocks: scripts in the place of activities.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    marker::PhantomData,
    ops::Deref,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::clock::VirtualClock;
use crate::{
    activity::{Activity, ActivityEntry, ActivityFn, AttemptOutcome, AttemptState, Verdict},
    codec::Encoded,
    engine::{Caught, Running, inner::Inner},
    error::CallError,
};

/// One call of an activity that is attempted this often is a hang.
const ATTEMPTS_ENOUGH: u32 = 1_000;

/// A mock of an activity: `mock(charge).fails(3).delay(d).then(|order, cents| ..)`.
///
/// Without `then` or `returns` the activity itself runs once the failures are used up.
#[must_use = "a mock does nothing until it is given to the builder"]
pub struct Mock<A, P> {
    fails: u32,
    delay: Duration,
    then: Option<Script>,
    activity: PhantomData<fn() -> (A, P)>,
}

impl<A, P> std::fmt::Debug for Mock<A, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mock").field("fails", &self.fails).field("delay", &self.delay).finish_non_exhaustive()
    }
}

/// What a mock does in place of the activity.
type Script = Arc<Mutex<dyn FnMut(&Inner, &Encoded) -> AttemptOutcome + Send>>;

/// A mock of `activity`.
pub fn mock<P, F: ActivityFn<P>>(activity: F) -> Mock<F::Activity, <F::Activity as Activity>::Args> {
    let _ = activity;
    Mock { fails: 0, delay: Duration::ZERO, then: None, activity: PhantomData }
}

impl<A: Activity, P> Mock<A, P> {
    /// The first `count` attempts fail, over all calls.
    pub fn fails(mut self, count: u32) -> Self {
        self.fails = count;
        self
    }

    /// Every attempt takes this long, on the virtual clock.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Every attempt gives this value.
    pub fn returns(self, value: A::Output) -> Self
    where
        A::Output: Clone,
    {
        self.script(move |_| value.clone())
    }

    fn script(mut self, mut script: impl FnMut(A::Args) -> A::Output + Send + 'static) -> Self {
        self.then = Some(Arc::new(Mutex::new(move |inner: &Inner, args: &Encoded| {
            let args = match inner.frames.decode::<A::Args>(&inner.codec, args.layout, &args.bytes) {
                Ok(args) => args,
                Err(error) => return AttemptOutcome::BadArgs(error),
            };
            let output = script(args);
            let value = match inner.codec.encode(&output) {
                Ok(value) => value,
                Err(error) => return AttemptOutcome::BadOutput(error),
            };
            match A::verdict(&output) {
                Verdict::Done => AttemptOutcome::Completed(value),
                Verdict::Failed { message, retryable, retry_after } => {
                    AttemptOutcome::Failed { value, message, retryable, retry_after }
                }
            }
        })));
        self
    }
}

macro_rules! then {
    ($($param:ident)*) => {
        impl<Act, $($param,)*> Mock<Act, ($($param,)*)>
        where
            Act: Activity<Args = ($($param,)*)>,
        {
            /// What an attempt gives, from the arguments as they were stored.
            #[allow(non_snake_case)]
            pub fn then(self, mut script: impl FnMut($($param),*) -> Act::Output + Send + 'static) -> Self {
                self.script(move |($($param,)*)| script($($param),*))
            }
        }
    };
}
for_each_arity!(then);

/// The attempts made of an activity. Compares with a number, and is a slice of the arguments.
#[derive(Clone, Debug)]
pub struct Calls<Args>(Vec<Args>);

impl<Args> Deref for Calls<Args> {
    type Target = [Args];

    fn deref(&self) -> &[Args] {
        &self.0
    }
}

impl<Args> PartialEq<usize> for Calls<Args> {
    fn eq(&self, count: &usize) -> bool {
        self.0.len() == *count
    }
}

impl<Args> PartialOrd<usize> for Calls<Args> {
    fn partial_cmp(&self, count: &usize) -> Option<std::cmp::Ordering> {
        self.0.len().partial_cmp(count)
    }
}

/// The mocks of a test's engine; an engine outside of tests has none.
#[derive(Clone, Default)]
pub(crate) struct Mocks(Option<Arc<Table>>);

struct Table {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clock: Option<Arc<VirtualClock>>,
    scripts: HashMap<&'static str, Scripted>,
    calls: HashMap<&'static str, Vec<Encoded>>,
    exceeded: Option<String>,
}

struct Scripted {
    fails: u32,
    failed: u32,
    delay: Duration,
    then: Option<Script>,
}

impl Mocks {
    pub(crate) fn testing() -> Self {
        Mocks(Some(Arc::new(Table { state: Mutex::default() })))
    }

    pub(crate) fn is_testing(&self) -> bool {
        self.0.is_some()
    }

    fn lock(&self) -> Option<MutexGuard<'_, State>> {
        Some(self.0.as_ref()?.state.lock().expect("no code panics while it holds this lock"))
    }

    pub(crate) fn set_clock(&self, clock: &Arc<VirtualClock>) {
        if let Some(mut state) = self.lock() {
            state.clock = Some(clock.clone());
        }
    }

    pub(crate) fn clock(&self) -> Option<Arc<VirtualClock>> {
        self.lock()?.clock.clone()
    }

    pub(crate) fn add<A: Activity, P>(&self, mock: Mock<A, P>) {
        if let Some(mut state) = self.lock() {
            let scripted = Scripted { fails: mock.fails, failed: 0, delay: mock.delay, then: mock.then };
            state.scripts.insert(A::META.name, scripted);
        }
    }

    /// Why the test should not go on, if a call was attempted too often.
    pub(crate) fn exceeded(&self) -> Option<String> {
        self.lock()?.exceeded.clone()
    }

    pub(crate) fn calls<A: Activity>(&self, inner: &Inner) -> Calls<A::Args> {
        let calls = self.lock().and_then(|state| state.calls.get(A::META.name).cloned()).unwrap_or_default();
        let decode = |args: Encoded| {
            inner
                .frames
                .decode(&inner.codec, args.layout, &args.bytes)
                .unwrap_or_else(|error| panic!("the arguments of a call of `{}`: {error}", A::META.name))
        };
        Calls(calls.into_iter().map(decode).collect())
    }

    /// An attempt by script; none if the activity itself is to run.
    pub(crate) fn run(
        &self,
        inner: &Arc<Inner>,
        entry: &ActivityEntry,
        args: &Encoded,
        attempt: &AttemptState,
    ) -> Option<Running> {
        let name = entry.meta.name;
        let mut state = self.lock()?;
        state.calls.entry(name).or_default().push(args.clone());
        if attempt.info().attempt >= ATTEMPTS_ENOUGH {
            let instance = &attempt.info().instance_id;
            state.exceeded =
                Some(format!("{ATTEMPTS_ENOUGH} attempts of one call of `{name}` by `{instance}`"));
        }
        let clock = state.clock.clone()?;
        let scripted = state.scripts.get_mut(name)?;
        let failure = (scripted.failed < scripted.fails).then(|| {
            scripted.failed += 1;
            format!("mocked failure {} of {}", scripted.failed, scripted.fails)
        });
        if failure.is_none() && scripted.then.is_none() {
            return None;
        }
        let (delay, then) = (scripted.delay, scripted.then.clone());
        let (inner, args, exhausted) = (inner.clone(), args.clone(), entry.exhausted);
        let until_ms = clock.now().saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        Some(Running::Other(Box::pin(async move {
            sleep(&inner, &clock, until_ms).await;
            if let Some(message) = failure {
                return crate::engine::catch(|| fail(&inner, message, exhausted)).and_then(|ended| ended);
            }
            let script = then.expect("there is a script where there is no failure");
            crate::engine::catch(|| {
                let mut script = script.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                script(&inner, &args)
            })
        })))
    }
}

/// A mock's delay. Once it sleeps the engine may be idle, and nobody else would notice.
async fn sleep(inner: &Inner, clock: &VirtualClock, until_ms: u64) {
    let mut sleeping = pin!(clock.sleep_as_mock(until_ms));
    poll_fn(|cx| {
        let polled = sleeping.as_mut().poll(cx);
        if polled.is_pending() {
            inner.tell_idle(&inner.lock());
        }
        polled
    })
    .await;
}

type Exhausted = fn(CallError, &crate::codec::Codec) -> Option<Result<Encoded, crate::codec::EncodeError>>;

fn fail(inner: &Inner, message: String, exhausted: Exhausted) -> Result<AttemptOutcome, Caught> {
    let error = CallError::Panicked { message: message.clone() };
    match exhausted(error, &inner.codec) {
        Some(Ok(value)) => Ok(AttemptOutcome::Failed { value, message, retryable: true, retry_after: None }),
        Some(Err(error)) => Ok(AttemptOutcome::BadOutput(error)),
        None => Err(Caught { message, place: String::new() }),
    }
}
