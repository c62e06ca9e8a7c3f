//! A set of spawned operations of one output type, awaited as they are done.

use std::{fmt, marker::PhantomData, task::Poll};

use serde::{Deserialize, Serialize};

use super::{Branch, Handle, Join, Spawn, awaited_as_is, spawn};
use crate::{
    codec::{Persist, TypeOf},
    context::{Context, OperationId, Wait, ambient},
    future::DurableFuture,
};

/// A set of spawned operations of one output type. It can be stored.
///
/// ```
/// # use durable_core::*;
/// # use std::time::Duration;
/// # fn in_a_workflow() {
/// let mut timers = JoinSet::new();
/// for hours in 1..=3 {
///     timers.spawn(sleep(Duration::from_secs(hours * 3600)));
/// }
/// # let _ =
/// timers.join_next(); // `.await` it: `Some(())`, and `None` once it is empty
/// # }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct JoinSet<T> {
    members: Vec<OperationId>,
    #[serde(skip)]
    output: PhantomData<fn() -> T>,
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet { members: Vec::new(), output: PhantomData }
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinSet").field(&self.members).finish()
    }
}

impl<T> JoinSet<T> {
    /// An empty one.
    pub fn new() -> Self {
        JoinSet::default()
    }

    /// Starts an operation as [`spawn`](super::spawn()) does.
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn spawn<S: Spawn<Output = T>>(&mut self, operation: S) {
        self.members.push(spawn(operation).id());
    }

    /// How many were not awaited yet, done or not.
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn len(&self) -> usize {
        self.left().len()
    }

    /// Whether all were awaited.
    ///
    /// # Panics
    /// Outside of a workflow.
    pub fn is_empty(&self) -> bool {
        self.left().is_empty()
    }

    /// Waits for the next one that is done: in the order in which they were committed. `None` at once if the set is empty.
    pub fn join_next(&mut self) -> JoinNext<T> {
        self.members = self.left();
        JoinNext { members: self.members.clone(), output: PhantomData }
    }

    /// Tells all to end, and waits until they have; what they gave is dropped. The set is empty.
    pub fn cancel_all(&mut self) -> CancelAll {
        let members = self.left();
        self.members.clear();
        CancelAll { members, asked: false }
    }

    /// Those whose result nobody has yet: an awaited one is gone from the instance, and the set need not be told.
    fn left(&self) -> Vec<OperationId> {
        if self.members.is_empty() {
            return Vec::new();
        }
        let left = |id: &&OperationId| ambient::with("JoinSet", |scratch| scratch.exists(**id));
        self.members.iter().filter(left).copied().collect()
    }
}

impl<T: Persist> JoinSet<T> {
    /// Waits for all of them: what they gave, in the order in which they were spawned.
    pub fn collect(self) -> Collect<T> {
        let handles = self.left().into_iter().map(|id| Branch::Pending(Handle::new(id)));
        Join::new(handles.collect())
    }
}

/// All of a [`JoinSet`]. See [`JoinSet::collect`].
pub type Collect<T> = Join<Vec<Branch<Handle<T>, T>>>;

/// The next of a [`JoinSet`]. See [`JoinSet::join_next`].
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
#[must_use = "it does nothing until it is awaited"]
pub struct JoinNext<T> {
    members: Vec<OperationId>,
    #[serde(skip)]
    output: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for JoinNext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinNext").field(&self.members).finish()
    }
}

impl<T> JoinNext<T> {
    /// The same once more, for a `select!` to which it is lent.
    pub(super) fn copy(&self) -> Self {
        JoinNext { members: self.members.clone(), output: PhantomData }
    }
}

impl<T: Persist> DurableFuture for JoinNext<T> {
    type Output = Option<T>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.members.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(id) = cx.first_done(&self.members) {
            Handle::new(id).poll_unclaimed(cx).map(Some)
        } else {
            cx.wait(any(&self.members));
            Poll::Pending
        }
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        for id in &self.members {
            cx.inspect(Some(*id), TypeOf::of::<T>(), super::handle::SPAWNED);
        }
    }

    fn quiet(&self) -> Option<Wait> {
        (!self.members.is_empty()).then(|| any(&self.members))
    }
}

fn any(members: &[OperationId]) -> Wait {
    Wait::Any(members.iter().copied().map(Wait::Op).collect())
}

/// A [`JoinSet`] whose members were told to end. See [`JoinSet::cancel_all`].
#[derive(Debug, Serialize, Deserialize)]
#[must_use = "nothing is told before this is awaited"]
pub struct CancelAll {
    members: Vec<OperationId>,
    asked: bool,
}

impl DurableFuture for CancelAll {
    type Output = ();

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.asked {
            self.asked = true;
            self.members.iter().for_each(|id| cx.stop(*id));
        }
        let wait = self.wait();
        if !cx.is_met(&wait) {
            cx.wait(wait);
            return Poll::Pending;
        }
        for id in &self.members {
            cx.take(*id);
        }
        Poll::Ready(())
    }

    fn quiet(&self) -> Option<Wait> {
        self.asked.then(|| self.wait())
    }
}

impl CancelAll {
    fn wait(&self) -> Wait {
        Wait::All(self.members.iter().copied().map(Wait::Op).collect())
    }
}

awaited_as_is! {
    [T: Persist] JoinNext<T>;
    [] CancelAll;
}
