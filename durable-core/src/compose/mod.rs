//! Compositions: durable futures made of others.
//!
//! The rules of the game: a composition polls its branches one after the other and asks after each pending one what it waits for; it
//! opens a scope for what it may have to cancel, and ends that scope when it does; the first time it decides between branches it polls
//! them *blind*, so that what was done before it does not win by its place in the source. After a failure (`Context::has_failed`) it
//! gives `Pending` at once.
//!
//! What a composition does is written once, over branches without their types ([`Branches`], [`race::Racing`]); a user's crate compiles
//! little more than what picks a branch by its number.

mod branch;
mod handle;
mod join;
mod join_set;
pub(crate) mod leaf;
mod race;
mod select;
mod spawn;
#[cfg(test)]
mod tests;
mod timeout;
mod tuples;

pub use branch::{AnyBranch, Branch, Branches, Trying};
pub use handle::{Cancelling, Handle};
pub use join::{Fixed, Join, JoinBranches, JoinExt, TryJoin, TryJoinBranches, TryJoinExt, TryVec};
pub use join_set::{CancelAll, Collect, JoinNext, JoinSet};
pub use race::{Race, RaceBranches, RaceExt};
pub use select::{
    Arm, Lend, Selection, Won1, Won2, Won3, Won4, Won5, Won6, Won7, Won8, end1, end2, end3, end4, end5, end6,
    end7, end8, give_back, lend, own, select_again, select1, select2, select3, select4, select5, select6,
    select7, select8,
};
pub use spawn::{Spawn, spawn};
pub use timeout::{Elapsed, Timed, TimeoutExt};

/// Compositions are awaited as they are.
macro_rules! awaited_as_is {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        // Listing what can be awaited helps nobody who awaits something else.
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::future::IntoDurableFuture for $ty {
            type Output = <$ty as $crate::future::DurableFuture>::Output;
            type IntoFuture = Self;

            fn into_durable(self) -> Self {
                self
            }
        }
    )*};
}
pub(crate) use awaited_as_is;
