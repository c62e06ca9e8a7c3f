//! The first of several operations.
//!
//! Each branch has a scope of its own, so that those of the losers can be cancelled. A step sees one new thing at a time (`engine/ready`),
//! so what was committed first wins, whatever else is there by the time the workflow runs; in the first poll nobody sees anything.

use std::task::Poll;

use serde::{Deserialize, Serialize};

use super::awaited_as_is;
use crate::{
    codec::Persist,
    context::{Context, Ending, ScopeId, Wait},
    future::{DurableFuture, IntoDurableFuture},
};

/// Waits for the first of several operations of one output type: `(a, b).race().await`, `vec.race().await`.
pub trait RaceExt {
    /// The branches.
    type Branches: RaceBranches;

    /// Starts all of them, and gives what the first gave. What was committed first wins, then what stands first. The others are
    /// cancelled: activities that run are told, timers are cleared, and messages that were not given to the workflow stay.
    fn race(self) -> Race<Self::Branches>;
}

/// The branches of a [`Race`].
pub trait RaceBranches: Persist {
    /// What each of them gives.
    type Output;
    /// How many.
    fn count(&self) -> usize;
    /// Polls one of them.
    fn poll(&mut self, at: usize, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

/// A race that is awaited. See [`RaceExt::race`]. One without any branches waits for ever.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "B: Persist")]
#[must_use = "a race does nothing until it is awaited"]
pub struct Race<B> {
    branches: B,
    racing: Racing,
}

impl<B> Race<B> {
    pub(super) fn new(branches: B) -> Self {
        Race { branches, racing: Racing::default() }
    }
}

impl<B: RaceBranches> DurableFuture for Race<B> {
    type Output = B::Output;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<B::Output> {
        let Race { branches, racing } = self;
        let count = branches.count();
        let mut value = None;
        let won = racing.decide(count, cx, &mut |at, cx| match branches.poll(at, cx) {
            Poll::Ready(ready) => {
                value = Some(ready);
                true
            }
            Poll::Pending => false,
        });
        match value {
            Some(value) if won => Poll::Ready(value),
            _ => Poll::Pending,
        }
    }
}

awaited_as_is! { [B: RaceBranches] Race<B>; }

/// How a branch takes part in a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It is cancelled if it loses.
    Own,
    /// It is left as it is if it loses.
    Lent,
    /// It does not.
    Off,
}

/// The state of a race, whatever its branches.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Racing {
    /// The scope of the first branch; the others follow.
    first: Option<ScopeId>,
}

impl Racing {
    /// Polls all branches, and ends the race if one is ready. Gives whether it has ended.
    pub(super) fn decide(
        &mut self,
        count: usize,
        cx: &mut Context<'_>,
        poll: &mut dyn FnMut(usize, &mut Context<'_>) -> bool,
    ) -> bool {
        let Some(winner) = self.poll(count, true, &|_| Part::Own, cx, poll) else { return false };
        let losers: Vec<_> = (0..count).filter(|at| *at != winner).filter_map(|at| self.scope(at)).collect();
        cx.end_scopes(&losers, Ending::Cancel);
        self.adopt(winner, cx);
        true
    }

    /// Polls the branches that take part, each in its scope. Gives the first that is ready; without one it has said what it waits for.
    /// `fair`: what was there before the first poll does not win by its place.
    pub(super) fn poll(
        &mut self,
        count: usize,
        fair: bool,
        part: &dyn Fn(usize) -> Part,
        cx: &mut Context<'_>,
        poll: &mut dyn FnMut(usize, &mut Context<'_>) -> bool,
    ) -> Option<usize> {
        let blind = fair && self.first.is_none();
        if self.first.is_none() {
            let scopes: Vec<_> = (0..count).map(|_| cx.open_scope()).collect();
            self.first = Some(scopes.first().copied().unwrap_or_default());
        }
        let mut waits = Vec::new();
        for at in 0..count {
            if cx.has_failed() {
                return None;
            }
            let mut seen =
                |cx: &mut Context<'_>| if blind { cx.blind(|cx| poll(at, cx)) } else { poll(at, cx) };
            let ready = match (part(at), self.scope(at)) {
                (Part::Off, _) | (_, None) => continue,
                (Part::Own, Some(scope)) => cx.in_scope(scope, seen),
                (Part::Lent, Some(_)) => seen(cx),
            };
            if ready {
                return Some(at);
            }
            waits.push(cx.take_wait());
        }
        cx.wait(Wait::Any(waits));
        None
    }

    /// What the winner has started and is still there goes on.
    pub(super) fn adopt(&self, winner: usize, cx: &mut Context<'_>) {
        if let Some(scope) = self.scope(winner) {
            cx.end_scopes(&[scope], Ending::Adopt);
        }
    }

    /// The scope of a branch, once it was polled.
    pub(super) fn scope(&self, at: usize) -> Option<ScopeId> {
        self.first.map(|first| first + at as u64)
    }
}

impl<F: DurableFuture> RaceBranches for Vec<F> {
    type Output = F::Output;

    fn count(&self) -> usize {
        self.len()
    }

    fn poll(&mut self, at: usize, cx: &mut Context<'_>) -> Poll<F::Output> {
        self[at].poll(cx)
    }
}

impl<F: IntoDurableFuture> RaceExt for Vec<F> {
    type Branches = Vec<F::IntoFuture>;

    fn race(self) -> Race<Self::Branches> {
        Race::new(self.into_iter().map(F::into_durable).collect())
    }
}

impl<F: IntoDurableFuture, const N: usize> RaceExt for [F; N] {
    type Branches = Vec<F::IntoFuture>;

    fn race(self) -> Race<Self::Branches> {
        Race::new(self.into_iter().map(F::into_durable).collect())
    }
}
