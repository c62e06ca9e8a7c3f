//! Beginning the attempts that have got their turn.
//!
//! An attempt is polled for the first time by a *runner*, a task of the user's runtime that takes one attempt after the other. One that
//! ends at once never is a task of its own, which would cost more than all the rest of it; one that waits for something becomes one.
//!
//! A worker that has committed is a runner too, for attempts of activities whose last attempt ended at once: no thread has to be woken for
//! them, and what they give is there when the worker looks for work.
//!
//! Invariants:
//! - An attempt that keeps its thread delays no other one longer than it would as a task: before a runner polls anything, another runner
//!   stands in the runtime's queue, for any thread that is free.
//! - A runner gives its thread back after a moment, so that attempts by the thousand do not keep the user's other tasks waiting.
//! - What has ended is handed over at once, whatever the runner meets next.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    Launched,
    running::{Begun, Prepared},
    turn::{Place, Turn},
};
use crate::{
    clock::{Laps, Patience},
    engine::{inner::Inner, worker::Lane},
};

/// A runner takes no further attempt after this time, nor after this many: that is the share of a thread that others can count on.
pub(crate) const SLICE: Duration = Duration::from_micros(100);
const SLICE_ATTEMPTS: usize = 64;
/// An attempt that ends within this time, at its first poll, makes its activity one that workers poll. Unoptimised code takes longer for the same.
pub(crate) const QUICK: Duration = Duration::from_micros(if cfg!(debug_assertions) { 1_000 } else { 50 });

/// Memory for more attempts is made as they come.
const MOST_RESERVED: usize = 1_024;

/// An attempt that has got its turn.
pub(super) struct Launch {
    pub(super) place: Place,
    pub(super) prepared: Option<Prepared>,
    pub(super) launched: Arc<Launched>,
}

/// Attempts that have got their turn.
#[derive(Default)]
pub(crate) struct Launches(VecDeque<Launch>);

impl Launches {
    /// One of which about so many follow.
    pub(super) fn add(&mut self, launch: Launch, others: usize) {
        if self.0.is_empty() {
            self.0.reserve(others.min(MOST_RESERVED) + 1);
        }
        self.0.push_back(launch);
    }

    /// Begins them, in the runtime.
    pub(crate) fn launch(self, inner: &Arc<Inner>) {
        let runners = match self.0.len() {
            0 => return,
            1 => 1,
            // They see to the others.
            _ => 2,
        };
        let batch = Batch::new(inner, self.0);
        for _ in 0..runners {
            batch.spawn_runner();
        }
    }

    /// The same from a worker, which then is to see to what it is given, as soon as it has nothing better to do.
    pub(crate) fn launch_beside(self, inner: &Arc<Inner>) -> Option<Here> {
        let is_quick = self.0.front().is_some_and(Launch::is_quick);
        if !is_quick {
            self.launch(inner);
            return None;
        }
        let batch = Batch::new(inner, self.0);
        batch.spawn_successor(1);
        Some(Here(batch))
    }
}

impl Launch {
    fn is_quick(&self) -> bool {
        self.prepared.as_ref().is_some_and(Prepared::is_quick)
    }
}

/// Attempts that will end at once, as far as one can tell, and that a worker polls.
#[must_use = "nobody else may poll them"]
pub(crate) struct Here(Arc<Batch>);

impl Here {
    /// Polls attempts for a moment. What they give lies ready for whoever looks for work next.
    ///
    /// `lane`: where the watchdog sees that one does not come back.
    pub(crate) fn run(self, lane: Option<&Lane>) {
        let Here(batch) = self;
        let _runtime = batch.inner.runtime.enter();
        // One that waits for something becomes a task, and is polled again by that.
        let mut cx = Context::from_waker(Waker::noop());
        if batch.lock().len() == 1 {
            let launch = batch.take_if(Launch::is_quick);
            launch.into_iter().for_each(|launch| {
                batch.begin(launch, &mut Laps::begin(), &mut cx, By { lane, tell: Tell::Nobody });
            });
        } else {
            batch.run_while(&mut cx, usize::MAX, Launch::is_quick, By { lane, tell: Tell::Worker });
        }
        batch.spawn_successor(0);
    }
}

/// Who polls.
#[derive(Clone, Copy)]
struct By<'a> {
    /// A worker, whose lane this is.
    lane: Option<&'a Lane>,
    tell: Tell,
}

/// Attempts that wait for a runner.
struct Batch {
    inner: Arc<Inner>,
    attempts: Mutex<VecDeque<Launch>>,
    /// Runners that stand in the runtime's queue.
    unstarted: AtomicUsize,
}

impl Batch {
    fn new(inner: &Arc<Inner>, attempts: VecDeque<Launch>) -> Arc<Self> {
        let (attempts, unstarted) = (Mutex::new(attempts), AtomicUsize::new(0));
        Arc::new(Batch { inner: inner.clone(), attempts, unstarted })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Launch>> {
        self.attempts.lock().expect("no code panics while it holds this lock")
    }

    fn take_if(&self, is_wanted: fn(&Launch) -> bool) -> Option<Launch> {
        let mut attempts = self.lock();
        attempts.front().is_some_and(is_wanted).then(|| attempts.pop_front())?
    }

    fn spawn_runner(self: &Arc<Self>) {
        self.unstarted.fetch_add(1, Ordering::Relaxed);
        let batch = self.clone();
        drop(self.inner.runtime.spawn(async move {
            batch.unstarted.fetch_sub(1, Ordering::Relaxed);
            poll_fn(|cx| {
                batch.run(cx);
                Poll::Ready(())
            })
            .await;
        }));
    }

    /// There may be nobody behind this runner if it does not give its thread back: somebody else sees to what it does not take itself.
    fn spawn_successor(self: &Arc<Self>, own: usize) -> bool {
        let is_needed = self.unstarted.load(Ordering::Relaxed) == 0 && self.lock().len() > own;
        if is_needed {
            self.spawn_runner();
        }
        is_needed
    }

    fn run(self: &Arc<Self>, cx: &mut Context<'_>) {
        if self.spawn_successor(1) {
            // The task that a thread of tokio's has spawned last is for that thread alone. This one is nobody's, so that the runner is anybody's.
            drop(self.inner.runtime.spawn(async {}));
        }
        self.run_while(cx, SLICE_ATTEMPTS, |_| true, By { lane: None, tell: Tell::Worker });
        if let Some(Launches(mut launches)) = self.inner.refill() {
            self.lock().append(&mut launches);
        }
        self.spawn_successor(0);
    }

    fn run_while(&self, cx: &mut Context<'_>, most: usize, is_wanted: fn(&Launch) -> bool, by: By<'_>) {
        let (patience, mut laps) = (Patience::of(self.inner.slice), Laps::begin());
        for _ in 0..most {
            let Some(launch) = self.take_if(is_wanted) else { return };
            self.begin(launch, &mut laps, cx, by);
            if patience.is_over() || by.lane.is_some_and(Lane::is_left) {
                return;
            }
        }
    }

    /// Polls an attempt once, and notes whether it was quick.
    fn begin(&self, launch: Launch, laps: &mut Laps, cx: &mut Context<'_>, by: By<'_>) {
        let place = launch.place;
        let begin = || begin(&self.inner, launch, cx, laps, by.tell);
        match by.lane {
            Some(lane) => lane.attempt(place.slot, place.number, begin),
            None => begin(),
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // The runtime is going: their places are given back.
        for launch in self.lock().drain(..) {
            drop(Turn::new(&self.inner, launch.place));
        }
    }
}

/// Who is woken when an attempt has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Worker,
    /// A worker polls it, and looks for work next.
    Nobody,
}

/// Polls an attempt once. One that goes on becomes a task.
fn begin(inner: &Arc<Inner>, launch: Launch, cx: &mut Context<'_>, laps: &mut Laps, tell: Tell) {
    let Launch { place, prepared, launched } = launch;
    let turn = Turn::new(inner, place);
    if launched.is_aborted() {
        return;
    }
    let ended = match inner.begin(turn.place(), prepared, &launched) {
        Begun::Over(ended) => ended,
        Begun::Running(mut running) => match running.poll(cx) {
            Poll::Ready(outcome) => {
                running.note_quickness(laps.lap() < inner.quick);
                Some(inner.ended(outcome, &running))
            }
            Poll::Pending => {
                laps.lap();
                running.note_quickness(false);
                let turn = turn.owned();
                let task = inner.runtime.spawn(async move {
                    let ended = turn.inner().watch(running).await;
                    let inner = turn.inner().clone();
                    turn.end(Some(ended), Tell::Worker);
                    if let Some(launches) = inner.refill() {
                        launches.launch(&inner);
                    }
                });
                launched.set_task(task.abort_handle());
                return;
            }
        },
    };
    launched.over.store(true, Ordering::Relaxed);
    turn.end(ended, tell);
}
