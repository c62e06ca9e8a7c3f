//! One transition of one instance: events in, the new record and the effects out.
//!
//! Pure but for the clock and the random source that it is handed: nothing is written and nothing
//! begins here. What has come in is kept even when the step that it causes fails: then the instance
//! parks, and the completion is committed with that.

mod attempts;
mod begin;
mod events;
mod finish;
mod step;

use durable_store::{Slot, Timer, TimerChange, Transition};
use tokio::sync::oneshot;

pub(crate) use attempts::Attempted;
pub(crate) use events::{Command, Event};

use super::{
    error::EngineError,
    inner::Inner,
    state::{End, Loaded, ParkReason},
};
use crate::context::OperationId;

/// A transition with what is to begin once it is committed.
#[derive(Debug)]
pub(crate) struct Advanced {
    pub(crate) transition: Transition,
    /// The instance as committed; none if it has closed.
    pub(crate) loaded: Option<Box<Loaded>>,
    pub(crate) effects: Effects,
}

/// What begins after the commit.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Attempts due now.
    pub(crate) dispatch: Vec<OperationId>,
    /// Attempts due later.
    pub(crate) backoff: Vec<(u64, OperationId)>,
    /// Operations whose attempts are over.
    pub(crate) ended: Vec<OperationId>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) replies: Vec<oneshot::Sender<Result<(), EngineError>>>,
    pub(crate) parked: Option<ParkReason>,
    pub(crate) closed: bool,
    /// It can move at once.
    pub(crate) again: bool,
}

/// An instance on its way from one record to the next.
struct Advance<'a> {
    engine: &'a Inner,
    slot: Slot,
    loaded: Box<Loaded>,
    now_ms: u64,
    timers: Vec<TimerChange>,
    effects: Effects,
    end: Option<End>,
    /// The machine is to be tried even though it is parked or waits.
    step: bool,
}

/// Applies `events` to an instance and steps it if they let it move.
pub(crate) fn advance(
    engine: &Inner,
    slot: Slot,
    loaded: Box<Loaded>,
    events: Vec<Event>,
    create: bool,
) -> Advanced {
    let now_ms = engine.clock.now_ms();
    let mut advance = Advance {
        engine,
        slot,
        loaded,
        now_ms,
        timers: Vec::new(),
        effects: Effects::default(),
        end: None,
        step: false,
    };
    for event in events {
        advance.apply(event);
    }
    let before = create.then(|| advance.loaded.clone());
    if advance.end.is_none() && (advance.step || advance.loaded.state.is_ready()) {
        advance.step();
    }
    if let Some(before) = before.filter(|_| advance.end.is_some()) {
        // A store holds an instance before it holds its end: the step is made once more after the commit.
        advance =
            Advance { loaded: before, timers: Vec::new(), effects: Effects::default(), end: None, ..advance };
        advance.effects.again = true;
    }
    advance.finish(create)
}
