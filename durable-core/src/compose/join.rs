//! All of several operations: `join`, and `try_join`, which the first error ends.
//!
//! A branch that only waits (an activity, a timer, a message: `quiet`) is not polled before all of these are done, so that a join of
//! thousands costs one step, and no message is taken that does not complete it. A branch that acts (a called workflow) is polled
//! whenever something happens.

use std::{collections::BTreeMap, task::Poll};

use serde::{Deserialize, Serialize};

use super::{
    awaited_as_is,
    branch::{AnyBranch, Branch, Branches, Trying, Waiting},
};
use crate::{
    codec::Persist,
    context::{Context, Ending, ScopeId, Wait},
    future::{DurableFuture, IntoDurableFuture},
};

/// Waits for all of several operations: `(a, b, c).join().await`, `vec.join().await`.
///
/// ```
/// # use durable_core::*;
/// # use std::time::Duration;
/// # fn in_a_workflow() { let _ =
/// (sleep(Duration::from_secs(1)), sleep(Duration::from_secs(2))).join(); // `.await` it
/// # let _ =
/// vec![sleep(Duration::from_secs(1)); 400].join().limit(10); // ten at a time
/// # }
/// ```
///
/// A vector of strings keeps its own `join(", ")`. Where the compiler does not know yet what a vector holds, because it is filled further
/// down, it takes this one: write its type, `let mut names: Vec<String> = Vec::new();`.
pub trait JoinExt {
    /// The branches.
    type Branches: JoinBranches;

    /// Starts all of them, and gives what they gave, in their order, when the last is done. A join of up to 100,000 activities is one
    /// write when it begins and one when it ends.
    fn join(self) -> Join<Self::Branches>;
}

/// Waits for all of several operations, or for the first error: `(a, b, c).try_join().await`, `vec.try_join().await`.
pub trait TryJoinExt {
    /// The branches.
    type Branches: TryJoinBranches;

    /// Starts all of them. `Ok` with what they gave, in their order, when the last is done; the first `Err` at once, and then the
    /// others are cancelled.
    fn try_join(self) -> TryJoin<Self::Branches>;
}

/// The branches of a [`Join`].
pub trait JoinBranches: Branches + Persist {
    /// What they give together.
    type Output;
    /// All are done: their values.
    fn values(&mut self) -> Self::Output;
    /// Moves them out; what is left is done and gone.
    #[must_use]
    fn take(&mut self) -> Self;
}

/// The branches of a [`TryJoin`].
pub trait TryJoinBranches: Branches + Persist {
    /// What they give together.
    type Output;
    /// What any of them fails with.
    type Error;
    /// All are done and none has failed: their values.
    fn values(&mut self) -> Self::Output;
    /// This one has failed: its error.
    fn error(&mut self, at: usize) -> Self::Error;
    /// Moves them out; what is left is done and gone.
    #[must_use]
    fn take(&mut self) -> Self;
}

/// A join that is awaited. See [`JoinExt::join`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "B: Persist")]
#[must_use = "a join does nothing until it is awaited"]
pub struct Join<B> {
    branches: B,
    joining: Joining,
}

/// A join that an error ends. See [`TryJoinExt::try_join`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "B: Persist")]
#[must_use = "a join does nothing until it is awaited"]
pub struct TryJoin<B> {
    branches: B,
    joining: Joining,
}

impl<B> Join<B> {
    pub(super) fn new(branches: B) -> Self {
        Join { branches, joining: Joining::default() }
    }

    /// Starts at most so many at a time (0 counts as 1), in their order. Each that ends is a step then, with a snapshot of all of
    /// them; where a bound per activity is meant, `#[activity(limit = ..)]` costs less.
    pub fn limit(mut self, most: usize) -> Self {
        self.joining.limit = Some(most.max(1) as u64);
        self
    }
}

impl<B> TryJoin<B> {
    pub(super) fn new(branches: B) -> Self {
        TryJoin { branches, joining: Joining::default() }
    }

    /// Starts at most so many at a time, as [`Join::limit`].
    pub fn limit(mut self, most: usize) -> Self {
        self.joining.limit = Some(most.max(1) as u64);
        self
    }
}

impl<B: JoinBranches> Join<B> {
    /// Moves it out of its place, for a `select!` to which it is lent.
    pub(super) fn take(&mut self) -> Self {
        Join { branches: self.branches.take(), joining: std::mem::take(&mut self.joining) }
    }
}

impl<B: TryJoinBranches> TryJoin<B> {
    /// Moves it out of its place, for a `select!` to which it is lent.
    pub(super) fn take(&mut self) -> Self {
        TryJoin { branches: self.branches.take(), joining: std::mem::take(&mut self.joining) }
    }
}

impl<B: JoinBranches> DurableFuture for Join<B> {
    type Output = B::Output;

    fn inspect(&mut self, cx: &mut Context<'_>) {
        super::branch::inspect(&mut self.branches, cx);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<B::Output> {
        match self.joining.poll(&mut self.branches, cx) {
            Joined::All => Poll::Ready(self.branches.values()),
            Joined::Failed(_) | Joined::Pending => Poll::Pending,
        }
    }

    fn quiet(&self) -> Option<Wait> {
        self.joining.quiet(&self.branches).map(Wait::All)
    }
}

impl<B: TryJoinBranches> DurableFuture for TryJoin<B> {
    type Output = Result<B::Output, B::Error>;

    fn inspect(&mut self, cx: &mut Context<'_>) {
        super::branch::inspect(&mut self.branches, cx);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.joining.try_poll(&mut self.branches, cx) {
            Joined::All => Poll::Ready(Ok(self.branches.values())),
            Joined::Failed(at) => Poll::Ready(Err(self.branches.error(at))),
            Joined::Pending => Poll::Pending,
        }
    }

    // Never quiet: an error cancels the others at once, however long whoever waits for all of it has to wait.
}

awaited_as_is! {
    [B: JoinBranches] Join<B>;
    [B: TryJoinBranches] TryJoin<B>;
}

/// The state of a join, whatever its branches.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Joining {
    /// So many may be under way at once.
    limit: Option<u64>,
    /// In which the branches are polled, if an error ends them.
    scope: Option<ScopeId>,
}

/// How far a join has come.
enum Joined {
    Pending,
    All,
    /// This branch has failed.
    Failed(usize),
}

/// What a pass over the branches has found.
#[derive(Default)]
struct Found {
    /// They are polled once in a pass: a race in one would see at once what was there before it began, and take it by its place.
    acting: BTreeMap<usize, Wait>,
    quiet: Vec<(usize, Wait)>,
    /// Some have not begun, because of the limit.
    more: bool,
}

impl Joining {
    fn poll(&self, branches: &mut dyn Branches, cx: &mut Context<'_>) -> Joined {
        let joined = self.pass(branches, Wait::All, cx);
        if matches!(joined, Joined::All) {
            give(branches, cx);
        }
        joined
    }

    fn try_poll(&mut self, branches: &mut dyn Branches, cx: &mut Context<'_>) -> Joined {
        let (scope, joined) = if let Some(scope) = self.scope {
            (scope, cx.in_scope(scope, |cx| self.pass(branches, Wait::FirstErr, cx)))
        } else {
            let scope = *self.scope.insert(cx.open_scope());
            let pass = |cx: &mut Context<'_>| cx.blind(|cx| self.pass(branches, Wait::FirstErr, cx));
            (scope, cx.in_scope(scope, pass))
        };
        match joined {
            Joined::Pending => {}
            Joined::All => {
                give(branches, cx);
                cx.end_scopes(&[scope], Ending::Adopt);
            }
            Joined::Failed(at) => {
                // What it took led to its error. What the others have taken waits again.
                cx.give(branches.get(at).held());
                cx.end_scopes(&[scope], Ending::Cancel);
            }
        }
        joined
    }

    /// Polls what may move.
    fn pass(
        &self,
        branches: &mut dyn Branches,
        together: fn(Vec<Wait>) -> Wait,
        cx: &mut Context<'_>,
    ) -> Joined {
        let mut acting = BTreeMap::new();
        loop {
            let mut found = Found { acting, ..Found::default() };
            if let Some(joined) = self.begin(branches, &mut found, cx) {
                return joined;
            }
            if found.acting.is_empty() && found.quiet.is_empty() {
                return Joined::All;
            }
            let (at, waits): (Vec<_>, Vec<_>) = found.quiet.into_iter().unzip();
            let moved = if found.more {
                // Another one may begin for each that is done.
                at.iter().zip(&waits).filter(|(_, wait)| cx.is_met(wait)).map(|(at, _)| *at).collect()
            } else if !at.is_empty() && cx.is_met(&together(waits.clone())) {
                at
            } else {
                Vec::new()
            };
            let mut ended = false;
            for at in moved {
                ended |= branches.at(at).poll(cx).is_none();
                if cx.has_failed() {
                    return Joined::Pending;
                }
                if branches.get(at).failed() {
                    return Joined::Failed(at);
                }
            }
            if ended {
                acting = found.acting;
                continue;
            }
            let mut parts: Vec<_> = found.acting.into_values().collect();
            if found.more {
                parts.extend(waits);
            } else if parts.is_empty() {
                cx.wait(together(waits));
                return Joined::Pending;
            } else if !waits.is_empty() {
                parts.push(together(waits));
            }
            cx.wait(Wait::Any(parts));
            return Joined::Pending;
        }
    }

    /// Polls what acts, and begins what the limit lets begin. Gives something if that ends the pass.
    fn begin(&self, branches: &mut dyn Branches, found: &mut Found, cx: &mut Context<'_>) -> Option<Joined> {
        let limit = self.limit.unwrap_or(u64::MAX);
        for at in 0..branches.len() {
            if cx.has_failed() {
                return Some(Joined::Pending);
            }
            let branch = branches.at(at);
            if !branch.is_pending() || found.acting.contains_key(&at) {
                continue;
            }
            if (found.acting.len() + found.quiet.len()) as u64 >= limit {
                found.more = true;
                break;
            }
            let waiting = match branch.quiet() {
                Some(wait) => Some(Waiting::Quiet(wait)),
                None => branch.poll(cx),
            };
            match waiting {
                Some(Waiting::Quiet(wait)) => found.quiet.push((at, wait)),
                Some(Waiting::Acting(wait)) => drop(found.acting.insert(at, wait)),
                None if branch.failed() => return Some(Joined::Failed(at)),
                None => {}
            }
        }
        // The last one may have failed the step.
        cx.has_failed().then_some(Joined::Pending)
    }

    /// What all pending branches wait for, if none of them acts.
    fn quiet(&self, branches: &dyn Branches) -> Option<Vec<Wait>> {
        if self.limit.is_some() {
            return None;
        }
        let pending = (0..branches.len()).map(|at| branches.get(at)).filter(|branch| branch.is_pending());
        pending.map(super::branch::AnyBranch::quiet).collect()
    }
}

/// What the branches have taken belongs to whoever polls the join.
fn give(branches: &dyn Branches, cx: &mut Context<'_>) {
    let held: Vec<_> = (0..branches.len()).flat_map(|at| branches.get(at).held()).copied().collect();
    if !held.is_empty() {
        cx.give(&held);
    }
}

impl<F: DurableFuture<Output = T>, T: Persist> Branches for Vec<Branch<F, T>> {
    fn len(&self) -> usize {
        self.len()
    }

    fn at(&mut self, at: usize) -> &mut dyn AnyBranch {
        &mut self[at]
    }

    fn get(&self, at: usize) -> &dyn AnyBranch {
        &self[at]
    }
}

impl<F: DurableFuture<Output = T>, T: Persist> JoinBranches for Vec<Branch<F, T>> {
    type Output = Vec<T>;

    fn values(&mut self) -> Vec<T> {
        self.iter_mut().map(Branch::value).collect()
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

/// The branches of an array.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent, bound = "B: Persist")]
pub struct Fixed<B, const N: usize>(B);

impl<B: Branches, const N: usize> Branches for Fixed<B, N> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn at(&mut self, at: usize) -> &mut dyn AnyBranch {
        self.0.at(at)
    }

    fn get(&self, at: usize) -> &dyn AnyBranch {
        self.0.get(at)
    }
}

impl<B: JoinBranches<Output = Vec<T>>, T, const N: usize> JoinBranches for Fixed<B, N> {
    type Output = [T; N];

    fn values(&mut self) -> [T; N] {
        array(self.0.values())
    }

    fn take(&mut self) -> Self {
        Fixed(self.0.take())
    }
}

fn array<T, const N: usize>(values: Vec<T>) -> [T; N] {
    values.try_into().unwrap_or_else(|_| unreachable!("it was made of an array of this length"))
}

/// The branches of a vector that an error ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent, bound = "F: DurableFuture<Output = Result<T, E>>, T: Persist, E: Persist")]
pub struct TryVec<F, T, E>(Vec<Trying<F, T, E>>);

impl<F: DurableFuture<Output = Result<T, E>>, T: Persist, E: Persist> Branches for TryVec<F, T, E> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn at(&mut self, at: usize) -> &mut dyn AnyBranch {
        &mut self.0[at]
    }

    fn get(&self, at: usize) -> &dyn AnyBranch {
        &self.0[at]
    }
}

impl<F: DurableFuture<Output = Result<T, E>>, T: Persist, E: Persist> TryJoinBranches for TryVec<F, T, E> {
    type Output = Vec<T>;
    type Error = E;

    fn values(&mut self) -> Vec<T> {
        self.0.iter_mut().map(Trying::value).collect()
    }

    fn error(&mut self, at: usize) -> E {
        self.0[at].error()
    }

    fn take(&mut self) -> Self {
        TryVec(std::mem::take(&mut self.0))
    }
}

impl<B: TryJoinBranches<Output = Vec<T>>, T, const N: usize> TryJoinBranches for Fixed<B, N> {
    type Output = [T; N];
    type Error = B::Error;

    fn values(&mut self) -> [T; N] {
        array(self.0.values())
    }

    fn error(&mut self, at: usize) -> B::Error {
        self.0.error(at)
    }

    fn take(&mut self) -> Self {
        Fixed(self.0.take())
    }
}

impl<F, T, E> Trying<F, T, E> {
    /// Its value, when none has failed.
    pub(super) fn value(&mut self) -> T {
        match self.0.value() {
            Ok(value) => value,
            Err(_) => unreachable!("a join that has failed is over"),
        }
    }

    /// Its error, when it has failed.
    pub(super) fn error(&mut self) -> E {
        match self.0.value() {
            Err(error) => error,
            Ok(_) => unreachable!("it has failed"),
        }
    }
}

impl<F: IntoDurableFuture<Output: Persist>> JoinExt for Vec<F> {
    type Branches = Vec<Branch<F::IntoFuture, F::Output>>;

    fn join(self) -> Join<Self::Branches> {
        Join::new(self.into_iter().map(|future| Branch::Pending(future.into_durable())).collect())
    }
}

impl<F: IntoDurableFuture<Output: Persist>, const N: usize> JoinExt for [F; N] {
    type Branches = Fixed<Vec<Branch<F::IntoFuture, F::Output>>, N>;

    fn join(self) -> Join<Self::Branches> {
        Join::new(Fixed(self.into_iter().map(|future| Branch::Pending(future.into_durable())).collect()))
    }
}

impl<F: IntoDurableFuture<Output = Result<T, E>>, T: Persist, E: Persist> TryJoinExt for Vec<F> {
    type Branches = TryVec<F::IntoFuture, T, E>;

    fn try_join(self) -> TryJoin<Self::Branches> {
        TryJoin::new(TryVec(self.into_iter().map(|future| Trying::new(future.into_durable())).collect()))
    }
}

impl<F: IntoDurableFuture<Output = Result<T, E>>, T: Persist, E: Persist, const N: usize> TryJoinExt
    for [F; N]
{
    type Branches = Fixed<TryVec<F::IntoFuture, T, E>, N>;

    fn try_join(self) -> TryJoin<Self::Branches> {
        let branches = self.into_iter().map(|future| Trying::new(future.into_durable())).collect();
        TryJoin::new(Fixed(TryVec(branches)))
    }
}

impl<F, T, E> Trying<F, T, E> {
    pub(super) fn new(future: F) -> Self {
        Trying(Branch::Pending(future))
    }
}
