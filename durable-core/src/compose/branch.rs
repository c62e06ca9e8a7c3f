//! One of the futures that a join is made of, with its value once it is there.

use std::task::Poll;

use serde::{Deserialize, Serialize};

use crate::{
    codec::Persist,
    context::{Context, Wait},
    future::DurableFuture,
};

/// One of the futures that a join is made of. On disk: append only.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "Branch", bound = "F: DurableFuture<Output = T>, T: Persist")]
pub enum Branch<F, T> {
    /// It was not ready when it was polled last, or was not polled.
    Pending(F),
    /// It is, and waits for the others.
    Done {
        /// What it gave.
        value: T,
        /// The messages that it took for that, by queue and number: they wait again if the composition is cancelled.
        held: Vec<(u64, u64)>,
    },
    /// Its value was taken.
    Gone,
}

/// What a pending branch waits for.
#[derive(Debug)]
pub enum Waiting {
    /// Polling it before this is there changes nothing.
    Quiet(Wait),
    /// It acts when this is there.
    Acting(Wait),
}

/// A branch without its types.
pub trait AnyBranch {
    /// Polls it if it is pending; gives what it waits for if it still is.
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<Waiting>;
    /// See [`DurableFuture::quiet`]; none if it is not pending.
    fn quiet(&self) -> Option<Wait>;
    /// Whether it has no value yet.
    fn is_pending(&self) -> bool;
    /// Whether its value ends the composition.
    fn failed(&self) -> bool;
    /// The messages that it holds.
    fn held(&self) -> &[(u64, u64)];
}

/// The branches of a composition, without their types.
#[allow(clippy::len_without_is_empty, reason = "only a composition asks, and a vector may be empty")]
pub trait Branches {
    /// How many.
    fn len(&self) -> usize;
    /// One of them.
    fn at(&mut self, at: usize) -> &mut dyn AnyBranch;
    /// The same to look at.
    fn get(&self, at: usize) -> &dyn AnyBranch;
}

impl<F, T> Branch<F, T> {
    /// Its value, once it is done.
    pub(crate) fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Branch::Gone) {
            Branch::Done { value, .. } => Some(value),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Its value, when its composition is ready.
    pub(crate) fn value(&mut self) -> T {
        self.take().expect("a join is ready when all its branches are")
    }
}

impl<F: DurableFuture<Output = T>, T: Persist> AnyBranch for Branch<F, T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<Waiting> {
        let Branch::Pending(future) = self else { return None };
        let mark = cx.mark();
        match future.poll(cx) {
            Poll::Ready(value) => {
                *self = Branch::Done { value, held: cx.hold_since(mark) };
                None
            }
            Poll::Pending => Some(cx.waiting(future.quiet())),
        }
    }

    fn quiet(&self) -> Option<Wait> {
        match self {
            Branch::Pending(future) => future.quiet(),
            Branch::Done { .. } | Branch::Gone => None,
        }
    }

    fn is_pending(&self) -> bool {
        matches!(self, Branch::Pending(_))
    }

    fn failed(&self) -> bool {
        false
    }

    fn held(&self) -> &[(u64, u64)] {
        match self {
            Branch::Done { held, .. } => held,
            Branch::Pending(_) | Branch::Gone => &[],
        }
    }
}

impl Context<'_> {
    /// What a branch that is pending waits for.
    fn waiting(&mut self, quiet: Option<Wait>) -> Waiting {
        let wait = self.take_wait();
        match quiet {
            Some(quiet) => Waiting::Quiet(quiet),
            // What acts when this is there does not end with it: an error of an operation in it is not the branch's.
            None => Waiting::Acting(Wait::Any(vec![wait])),
        }
    }
}

/// A branch whose error ends the composition.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent, bound = "F: DurableFuture<Output = Result<T, E>>, T: Persist, E: Persist")]
pub struct Trying<F, T, E>(pub(crate) Branch<F, Result<T, E>>);

impl<F: DurableFuture<Output = Result<T, E>>, T: Persist, E: Persist> AnyBranch for Trying<F, T, E> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<Waiting> {
        self.0.poll(cx)
    }

    fn quiet(&self) -> Option<Wait> {
        self.0.quiet()
    }

    fn is_pending(&self) -> bool {
        self.0.is_pending()
    }

    fn failed(&self) -> bool {
        matches!(&self.0, Branch::Done { value: Err(_), .. })
    }

    fn held(&self) -> &[(u64, u64)] {
        self.0.held()
    }
}
