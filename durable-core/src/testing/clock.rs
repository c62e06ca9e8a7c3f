//! A clock that only a test moves.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::clock::Clock;

#[derive(Debug, Default)]
struct State {
    now_ms: u64,
    /// Where the test has moved the clock to; it gets there once what is due before has happened.
    target_ms: u64,
    next: u64,
    sleepers: BTreeMap<(u64, u64), Sleeper>,
    /// Attempts whose only wait is for this clock.
    asleep: usize,
    /// Woken and not seen to move yet.
    waking: usize,
}

#[derive(Debug)]
struct Sleeper {
    waker: Waker,
    mock: bool,
}

/// The clock of a test's engine.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    state: Mutex<State>,
}

impl VirtualClock {
    pub(crate) fn new(now_ms: u64) -> Self {
        VirtualClock { state: Mutex::new(State { now_ms, target_ms: now_ms, ..State::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    pub(crate) fn now(&self) -> u64 {
        self.lock().now_ms
    }

    pub(crate) fn target(&self) -> u64 {
        self.lock().target_ms
    }

    /// Moves the time to get to.
    pub(crate) fn aim(&self, by: Duration) {
        let mut state = self.lock();
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        state.target_ms = state.target_ms.saturating_add(by);
    }

    /// Moves the time to get to a deadline.
    pub(crate) fn skip_to(&self, time_ms: u64) {
        let mut state = self.lock();
        state.target_ms = state.target_ms.max(time_ms);
    }

    pub(crate) fn next_sleeper(&self) -> Option<u64> {
        self.lock().sleepers.first_key_value().map(|((deadline_ms, _), _)| *deadline_ms)
    }

    /// Gets on to a time and wakes whoever is due.
    pub(crate) fn set(&self, now_ms: u64) {
        self.change(now_ms, |state| state.now_ms = state.now_ms.max(now_ms));
    }

    /// Shows another time from now on, later or earlier, with nothing between.
    pub(crate) fn jump(&self, now_ms: u64) {
        self.change(now_ms, |state| (state.now_ms, state.target_ms) = (now_ms, now_ms));
    }

    fn change(&self, now_ms: u64, change: impl FnOnce(&mut State)) {
        let mut wake = Vec::new();
        {
            let mut state = self.lock();
            change(&mut state);
            while let Some(entry) = state.sleepers.first_entry() {
                if entry.key().0 > now_ms {
                    break;
                }
                let sleeper = entry.remove();
                state.asleep -= usize::from(sleeper.mock);
                state.waking += 1;
                wake.push(sleeper.waker);
            }
        }
        wake.into_iter().for_each(Waker::wake);
    }

    /// A sleep that counts as doing nothing: the clock may skip over it.
    pub(crate) fn sleep_as_mock(&self, deadline_ms: u64) -> Sleep<'_> {
        Sleep { clock: self, deadline_ms, key: None, mock: true }
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> u64 {
        self.now()
    }

    fn sleep_until(&self, deadline_ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Sleep { clock: self, deadline_ms, key: None, mock: false })
    }

    fn asleep(&self) -> usize {
        self.lock().asleep
    }

    fn is_waking(&self) -> bool {
        self.lock().waking > 0
    }
}

/// A wait for the clock.
pub(crate) struct Sleep<'a> {
    clock: &'a VirtualClock,
    deadline_ms: u64,
    key: Option<(u64, u64)>,
    mock: bool,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock;
        let mut state = clock.lock();
        if let Some(key) = self.key {
            return match state.sleepers.get_mut(&key) {
                Some(sleeper) => {
                    sleeper.waker.clone_from(cx.waker());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            };
        }
        if state.now_ms >= self.deadline_ms {
            return Poll::Ready(());
        }
        state.next += 1;
        let key = (self.deadline_ms, state.next);
        state.sleepers.insert(key, Sleeper { waker: cx.waker().clone(), mock: self.mock });
        state.asleep += usize::from(self.mock);
        drop(state);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = self.clock.lock();
        match state.sleepers.remove(&key) {
            Some(sleeper) => state.asleep -= usize::from(sleeper.mock),
            None => state.waking -= 1,
        }
    }
}
