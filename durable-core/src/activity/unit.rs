//! An activity's function in a unit test: without an engine, a store or a retry.

use std::{
    future::IntoFuture,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Activity, ActivityCall, AttemptFuture, AttemptInfo, AttemptState, IdempotencyKey, States, millis,
};
use crate::codec::{self, Codec, Encoded, Persist};

/// Runs the function of an activity itself, once, with the arguments of the call as the engine
/// would decode them.
///
/// # Panics
///
/// Awaiting it panics if an argument can't be stored, or if the function takes a `State<T>` that
/// was not given.
pub fn call<A: Activity>(call: ActivityCall<A>) -> UnitCall<A> {
    UnitCall {
        call,
        codec: Arc::default(),
        states: States::default(),
        attempt: 1,
        last_heartbeat: None,
        cancelled: false,
    }
}

/// A call in a unit test, made by [`call`]: await it.
#[derive(Debug)]
#[must_use = "the function runs when this is awaited"]
pub struct UnitCall<A: Activity> {
    call: ActivityCall<A>,
    codec: Arc<Codec>,
    states: States,
    attempt: u32,
    last_heartbeat: Option<Encoded>,
    cancelled: bool,
}

impl<A: Activity> UnitCall<A> {
    /// Gives a dependency.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Gives a dependency that is already shared, or a trait object.
    pub fn state_arc<T: ?Sized + Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        self.states.insert_arc(state);
        self
    }

    /// Which attempt the function believes this to be. Default: 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// What an earlier attempt reported last. Default: nothing.
    ///
    /// # Panics
    ///
    /// If it can't be stored.
    pub fn last_heartbeat<P: Persist>(mut self, progress: &P) -> Self {
        let encoded = self.codec.encode(progress);
        self.last_heartbeat = Some(encoded.unwrap_or_else(|error| panic!("{error}")));
        self
    }

    /// Makes it a call that was already cancelled. Default: it is not.
    pub fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }
}

impl<A: Activity> IntoFuture for UnitCall<A> {
    type Output = A::Output;
    type IntoFuture = AttemptFuture<A::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let name = A::META.name;
        let args = self.call.into_args().unwrap_or_else(|error| panic!("activity `{name}`: {error}"));
        // By the codec that wrote them: it knows their layout.
        let args: A::Args = codec::current(|codec| codec.decode(args.layout, &args.bytes))
            .unwrap_or_else(|error| panic!("activity `{name}`: {error}"));
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        let info = AttemptInfo {
            instance_id: "unit-test".to_owned(),
            key: IdempotencyKey::from_bits(0),
            attempt: self.attempt,
            deadline_ms: None,
            last_heartbeat: self.last_heartbeat,
            states: Arc::new(self.states),
            codec: self.codec,
            clock: Arc::new(clock),
        };
        let state = AttemptState::new(info, clock());
        if self.cancelled {
            state.cancel();
        }
        A::run(args, &state.context()).unwrap_or_else(|missing| {
            panic!(
                "activity `{name}` needs `State<{}>`: give it to the call with `.state(..)`",
                missing.type_name
            )
        })
    }
}
