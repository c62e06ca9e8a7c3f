//! What is outside of a simulated engine: attempts that stand still until the simulation lets them go on, and the values that they give.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use durable::prelude::*;
use tokio::sync::oneshot;

/// The world of one engine.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<Attempts>>);

#[derive(Default)]
struct Attempts {
    waiting: Vec<(u64, oneshot::Sender<Option<u64>>)>,
}

/// The values that were given, of all engines: each to one attempt, of which call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(pub(crate) BTreeMap<u64, u64>);

impl World {
    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.0.lock().expect("no holder panics")
    }

    /// One attempt of a call.
    pub(crate) async fn attempt(&self, call: u64) -> Result<u64, Error> {
        let (go_on, told) = oneshot::channel();
        self.attempts().waiting.push((call, go_on));
        match told.await {
            Ok(Some(value)) => Ok(value),
            _ => bail!("call {call} fails on purpose"),
        }
    }

    /// How many attempts stand still.
    pub(crate) fn waiting(&self) -> usize {
        self.attempts().waiting.len()
    }

    /// The call of the one that has stood still the longest.
    pub(crate) fn first(&self) -> u64 {
        self.attempts().waiting[0].0
    }

    /// Lets one of them end, with a value or without; gives the number of its call.
    pub(crate) fn release(&self, which: usize, value: Option<u64>) -> u64 {
        let (call, go_on) = self.attempts().waiting.remove(which);
        // It may have been cut off.
        let _ = go_on.send(value);
        call
    }
}

impl Values {
    /// A value that no other attempt has.
    pub(crate) fn next(&self) -> u64 {
        self.0.len() as u64 + 1
    }
}
