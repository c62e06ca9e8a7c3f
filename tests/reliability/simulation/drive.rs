//! A simulated engine without any choice: it does the next thing that there is to do until everything has ended. For harnesses that try every place for
//! one thing to go wrong, each with the same course of events before it.

use std::{collections::BTreeSet, future::IntoFuture};

use durable::Status;
use durable_core::simulation::{Move, SimulatedClock};

use super::{
    life::{Life, Told},
    script::{Ask, Ping},
    world::Values,
};

/// More moves than this before everything has ended is a hang.
const PATIENCE: u32 = 3_000;

/// What goes on from one engine to the next.
pub(crate) struct Driver {
    pub(crate) clock: SimulatedClock,
    pub(crate) values: Values,
    pub(crate) pings: u64,
    /// Whether the invariants are checked after every move. That reads much, which a disk that counts its readings would notice.
    pub(crate) audits: bool,
    /// Calls whose first attempt has failed.
    failed: BTreeSet<u64>,
}

impl Driver {
    pub(crate) fn new(clock: SimulatedClock) -> Self {
        Driver { clock, values: Values::default(), pings: 0, audits: true, failed: BTreeSet::new() }
    }

    /// Makes moves until everything has ended; what is wrong, if something is. A broken store is left to the caller.
    pub(crate) fn drive(&mut self, life: &mut Life) -> Result<(), String> {
        // Whoever has just called is heard first.
        life.let_move();
        for _ in 0..PATIENCE {
            if life.simulated.is_broken() {
                return Ok(());
            }
            if !self.step(life)? {
                return Ok(());
            }
            life.let_move();
            if life.simulated.is_broken() {
                return Ok(());
            }
            if !self.audits {
                continue;
            }
            let wrong = life.simulated.audit(life.disk_calls())?.wrong;
            if !wrong.is_empty() {
                return Err(wrong.join("; "));
            }
        }
        Err(format!("it does not come to an end: {:?}", life.simulated.open_instances()))
    }

    /// The next thing to do, if there is one.
    fn step(&mut self, life: &mut Life) -> Result<bool, String> {
        let moves = life.simulated.moves();
        let next = match moves.first() {
            Some(next @ (Move::Recover | Move::Reopen)) => Some(*next),
            _ => moves.last().copied(),
        };
        if let Some(next) = next {
            life.simulated.make(next);
            return Ok(true);
        }
        if life.world.waiting() > 0 {
            self.release(life);
            return Ok(true);
        }
        let next = life.simulated.next_deadline().into_iter().chain(life.simulated.next_sleeper()).min();
        if let Some(next) = next {
            self.clock.set(next.max(self.clock.now_ms()));
            life.simulated.fire();
            return Ok(true);
        }
        if life.simulated.is_broken() {
            return Ok(true);
        }
        let open = match life.simulated.open_instances() {
            Ok(open) => open,
            Err(reason) => {
                // Whoever asks the store meets the same error, and the engine with them.
                life.simulated.settle();
                return if life.simulated.is_broken() { Ok(true) } else { Err(reason) };
            }
        };
        if let Some((id, status)) = open.iter().find(|(_, status)| *status != Status::Waiting) {
            return Err(format!("`{id}` is {status:?}, and nothing moves it"));
        }
        for (id, _) in &open {
            self.pings += 1;
            let handle = life.simulated.engine().handle(id);
            let (signalled, asked) =
                (handle.signal(Ping(self.pings)).into_future(), handle.update(Ask(1)).into_future());
            let told = Told::Signalled(id.clone(), self.pings);
            life.call(async move { signalled.await.ok().map(|()| told) });
            life.call(async move { asked.await.ok().map(|_| Told::Else) });
        }
        Ok(!open.is_empty())
    }

    /// The oldest attempt ends. Of every third call the first one fails.
    fn release(&mut self, life: &Life) {
        let call = life.world.first();
        let fails = call.is_multiple_of(3) && self.failed.insert(call);
        let value = (!fails).then(|| self.values.next());
        life.world.release(0, value);
        if let Some(value) = value {
            self.values.0.insert(value, call);
        }
    }
}
