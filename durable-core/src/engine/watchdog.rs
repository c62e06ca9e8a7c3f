//! The workers' threads, and the watchdog over them.
//!
//! A step can't be interrupted: a loop without an await ends with the process. So the watchdog looks at each worker now and then, and when it finds one
//! at the same step for longer than the engine's `step_timeout`, it says whose step that is and has another thread take all the rest of that
//! worker's work (`worker/desk`). The instance stays busy: no second step of it begins, what happens to it waits, and if the step ends its transition is
//! committed like any other.
//!
//! A stop does the same, but sooner, and leaves threads behind that do not come back.
//!
//! Deliberately absent: time-outs of activities (`attempt/running`), which are told to end.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
    time::Duration,
};

use durable_store::Number;

use super::{
    inner::Inner,
    suspects::REGIONS,
    worker::{self, Current, Lane},
};

/// A step that takes longer is reported, unless the engine's builder says otherwise.
pub(super) const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// A step is looked at so often until it is found to take too long.
const LOOKS: u32 = 4;
/// While an engine stops it looks at its workers at this pace, and waits so often for the same step.
const PACE: Duration = Duration::from_millis(20);
const LAST_LOOKS: u32 = 50;

/// The workers.
pub(crate) struct Lanes {
    step_timeout: Duration,
    state: Mutex<State>,
    /// A worker has ended, or all are to.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    hired: Vec<Option<Hired>>,
    closing: bool,
}

struct Hired {
    lane: Arc<Lane>,
    thread: Option<JoinHandle<()>>,
    ended: bool,
}

impl Lanes {
    pub(super) fn new(step_timeout: Duration) -> Self {
        Lanes { step_timeout, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Starts a worker: in the place of one that is stuck in a step, or one more.
    pub(super) fn hire(&self, inner: &Arc<Inner>, stuck: Option<(Arc<Lane>, u64)>) -> io::Result<()> {
        let mut state = self.lock();
        let free = state.hired.iter().position(|hired| hired.as_ref().is_none_or(|hired| hired.ended));
        let at = free.unwrap_or(state.hired.len());
        if at >= REGIONS {
            return Err(io::Error::other(format!("{REGIONS} threads are there already")));
        }
        let lane = Lane::new(at);
        let (engine, own) = (inner.clone(), lane.clone());
        let run = move || {
            let _ended = Ended { inner: &engine, at };
            let Some((stuck, step)) = stuck else { return worker::run(&engine, &own, None) };
            // It may have come back meanwhile.
            if let Some((current, rest)) = stuck.leave(step) {
                if let Some(who) = current.who() {
                    engine.suspects.give_up(stuck.region(), who);
                }
                worker::run(&engine, &own, Some(rest));
            }
        };
        let thread = std::thread::Builder::new().name("durable-worker".into()).spawn(run)?;
        let hired = Hired { lane, thread: Some(thread), ended: false };
        if at == state.hired.len() {
            state.hired.push(Some(hired));
        } else {
            state.hired[at] = Some(hired);
        }
        Ok(())
    }

    /// Since when a step of an instance has been made, if it takes long.
    pub(super) fn stepping_since(&self, number: Number) -> Option<u64> {
        self.working().iter().find_map(|(_, lane)| lane.stepping_since(number))
    }

    /// Waits for the end of all workers but those that are stuck. Gives the ids of the instances whose steps they make.
    pub(super) fn close(&self, inner: &Arc<Inner>) -> Vec<String> {
        let mut seen = HashMap::new();
        self.lock().closing = true;
        self.changed.notify_all();
        loop {
            let waited_for: Vec<_> = self.working().into_iter().filter(|(_, lane)| !lane.is_left()).collect();
            if waited_for.is_empty() {
                break;
            }
            for (at, lane) in waited_for {
                let Some(step) = lane.step() else { continue };
                let (same, times) = seen.entry(at).or_insert((step, 0));
                (*same, *times) = if *same == step { (step, *times + 1) } else { (step, 1) };
                // What lies before it can be committed by another one, if there is a place for it.
                if *times == LAST_LOOKS && self.hire(inner, Some((lane.clone(), step))).is_err() {
                    lane.leave(step);
                }
            }
            let state = self.lock();
            drop(self.changed.wait_timeout(state, PACE).expect(LOCK));
        }
        // An attempt was told to end, and is left behind wherever it runs.
        let is_step = |current: &Current| !matches!(current, Current::Attempt { .. });
        let stuck = self.working().into_iter().filter_map(|(_, lane)| lane.current().filter(is_step));
        let stuck: Vec<_> = stuck.map(|current| current.id(inner)).collect();
        let ended: Vec<_> = self
            .lock()
            .hired
            .iter_mut()
            .flatten()
            .filter(|hired| hired.ended)
            .map(|hired| hired.thread.take())
            .collect();
        for thread in ended.into_iter().flatten() {
            if thread.thread().id() != std::thread::current().id() {
                // One that panicked has nothing left to wait for.
                let _ = thread.join();
            }
        }
        stuck
    }

    /// The workers that have not ended; not the one that asks.
    fn working(&self) -> Vec<(usize, Arc<Lane>)> {
        let me = std::thread::current().id();
        let state = self.lock();
        let hired = state.hired.iter().enumerate().filter_map(|(at, hired)| Some((at, hired.as_ref()?)));
        let others = hired.filter(|(_, hired)| {
            !hired.ended && hired.thread.as_ref().is_none_or(|thread| thread.thread().id() != me)
        });
        others.map(|(at, hired)| (at, hired.lane.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(LOCK)
    }
}

const LOCK: &str = "no code panics while it holds this lock";

/// Says that a worker has ended, however it did.
struct Ended<'a> {
    inner: &'a Inner,
    at: usize,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let lanes = &self.inner.lanes;
        if let Some(Some(hired)) = lanes.lock().hired.get_mut(self.at) {
            hired.ended = true;
        }
        lanes.changed.notify_all();
    }
}

/// Looks after the workers until the engine stops.
pub(super) fn run(inner: &Arc<Inner>) {
    let lanes = &inner.lanes;
    let pause = lanes.step_timeout / LOOKS;
    loop {
        let mut state = lanes.lock();
        // A worker that ends meanwhile makes no look come earlier.
        let mut is_time = false;
        while !is_time {
            if state.closing {
                return;
            }
            let (guard, waited) = lanes.changed.wait_timeout(state, pause).expect(LOCK);
            (state, is_time) = (guard, waited.timed_out());
        }
        drop(state);
        for (_, lane) in lanes.working() {
            look(inner, &lane);
        }
    }
}

fn look(inner: &Arc<Inner>, lane: &Arc<Lane>) {
    let Some(seen) = lane.look(inner.clock.now_ms()) else { return };
    // Seen once more than that, it has taken at least the whole time.
    if seen.times != LOOKS + 1 || lane.is_left() {
        return;
    }
    let (id, longest) = (seen.current.id(inner), inner.lanes.step_timeout);
    let what = match seen.current {
        Current::Attempt { .. } => "an attempt of an activity",
        _ => "a step",
    };
    inner.report(&format!(
        "{what} of instance `{id}` has taken more than {longest:?}: a loop without an await, or something that blocks; others go on without this thread"
    ));
    if let Err(error) = inner.lanes.hire(inner, Some((lane.clone(), seen.step))) {
        inner.report(&format!("no thread can take the place of the one that steps instance `{id}`: {error}"));
    }
}
