//! Beginning the attempts that have got their turn.
//!
//! An attempt is polled for the first time by a *runner*, a task of the user's runtime that takes one attempt after the other. One that
//! ends at once never is a task of its own, which would cost more than all the rest of it; one that waits for something becomes one.
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
    task::{Context, Poll},
    time::Duration,
};

use super::{
    Launched,
    running::{Begun, Prepared},
    turn::{Place, Turn},
};
use crate::{clock::Patience, engine::inner::Inner};

/// A runner takes no further attempt after this time, nor after this many: that is the share of a thread that others can count on.
pub(crate) const SLICE: Duration = Duration::from_micros(100);
const SLICE_ATTEMPTS: usize = 64;

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
    pub(super) fn add(&mut self, launch: Launch) {
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
        let batch = Arc::new(Batch {
            inner: inner.clone(),
            attempts: Mutex::new(self.0),
            unstarted: AtomicUsize::new(0),
        });
        for _ in 0..runners {
            batch.spawn_runner();
        }
    }
}

/// Attempts that wait for a runner.
struct Batch {
    inner: Arc<Inner>,
    attempts: Mutex<VecDeque<Launch>>,
    /// Runners that stand in the runtime's queue.
    unstarted: AtomicUsize,
}

impl Batch {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Launch>> {
        self.attempts.lock().expect("no code panics while it holds this lock")
    }

    fn take(&self) -> Option<Launch> {
        self.lock().pop_front()
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

    /// There may be nobody behind this runner if it does not give its thread back.
    fn spawn_successor(self: &Arc<Self>) {
        if self.unstarted.load(Ordering::Relaxed) == 0 && !self.lock().is_empty() {
            self.spawn_runner();
        }
    }

    fn run(self: &Arc<Self>, cx: &mut Context<'_>) {
        let Some(mut next) = self.take() else { return };
        self.spawn_successor();
        let patience = Patience::of(self.inner.slice);
        for left in (0..SLICE_ATTEMPTS).rev() {
            begin(&self.inner, next, cx);
            if left == 0 || patience.is_over() {
                break;
            }
            match self.take() {
                Some(launch) => next = launch,
                None => break,
            }
        }
        if let Some(Launches(mut launches)) = self.inner.refill() {
            self.lock().append(&mut launches);
            self.spawn_successor();
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

/// Polls an attempt once. One that goes on becomes a task.
fn begin(inner: &Arc<Inner>, launch: Launch, cx: &mut Context<'_>) {
    let Launch { place, prepared, launched } = launch;
    let turn = Turn::new(inner, place);
    if launched.is_aborted() {
        return;
    }
    let ended = match inner.begin(turn.place(), prepared, &launched) {
        Begun::Over(ended) => ended,
        Begun::Running(mut running) => match running.poll(cx) {
            Poll::Ready(outcome) => Some(inner.ended(outcome, &running)),
            Poll::Pending => {
                let turn = turn.owned();
                let task = inner.runtime.spawn(async move {
                    let ended = turn.inner().watch(running).await;
                    let inner = turn.inner().clone();
                    turn.end(Some(ended));
                    if let Some(launches) = inner.refill() {
                        launches.launch(&inner);
                    }
                });
                return launched.set_task(task.abort_handle());
            }
        },
    };
    launched.over.store(true, Ordering::Relaxed);
    turn.end(ended);
}
