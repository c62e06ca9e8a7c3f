//! What can be lent to a `select!` with `&mut`: anything that can be awaited and stands in a place with a name.
//!
//! It is moved out of its place while the `select!` is awaited, and back in every branch. The place is alive meanwhile, so it holds
//! something that can be stored: what is left behind when the operation is taken out. Nobody polls that.

use super::{
    Cancelling, Handle, Join, JoinBranches, JoinNext, Race, RaceBranches, Timed, TryJoin, TryJoinBranches,
};
use crate::{
    activity::{Activity, ActivityCall, ActivityFuture},
    cancel::{Cancelled, cancelled},
    child::{ChildCall, ChildFuture, ChildHandle, ChildOutcome, ChildOutput, ChildStart, StartedInstance},
    codec::Persist,
    compensate::CompensateNow,
    external::External,
    future::DurableFuture,
    message::{Attach, Recv, RecvUpdate, SendPeer, Update, UpdatePeer},
    time::Sleep,
    workflow::{Inline, RootWorkflow, Workflow, WorkflowCall},
};

/// An operation that can be lent to a `select!` with `&mut`.
#[diagnostic::on_unimplemented(
    message = "`&mut {Self}` can't be a branch of a `select!`",
    label = "only an operation that can be awaited can be lent",
    note = "write `&mut` in front of a handle, or of a variable that holds a call, a timer, a child, a `join` or a `timeout`: `let mut call = charge(5);`",
    note = "see docs/errors/select.md"
)]
pub trait Lend {
    /// What is polled meanwhile.
    type Lent: DurableFuture;
    /// Takes it out of its place.
    fn lend(&mut self) -> Self::Lent;
    /// Puts it back.
    fn give_back(&mut self, lent: Self::Lent);
}

/// Those that are polled as what they are. The expression is what is polled; the place keeps what it leaves.
macro_rules! lent_as_is {
    ($([$($generics:tt)*] $ty:ty => |$place:ident| $lent:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Lend for $ty {
            type Lent = Self;

            fn lend(&mut self) -> Self {
                let $place = self;
                $lent
            }

            fn give_back(&mut self, lent: Self) {
                *self = lent;
            }
        }
    )*};
}

lent_as_is! {
    // Copies: of a number, or of nothing.
    [] Sleep => |place| place.clone();
    [] Cancelled => |_place| cancelled();
    [] CompensateNow => |place| place.copy();
    [S: Persist] Recv<S> => |place| place.copy();
    [U: Persist] RecvUpdate<U> => |place| place.copy();
    [T: Persist] Handle<T> => |place| place.copy();
    [T: Persist] Cancelling<T> => |place| place.copy();
    [T: Persist] JoinNext<T> => |place| place.copy();
    [T: Persist] External<T> => |place| place.copy();
    // What is left behind has ended.
    [T: Persist] ChildOutcome<T> => |place| place.take();
    [T: Persist] ChildStart<T> => |place| place.take();
    [] StartedInstance => |place| place.take();
    [] SendPeer => |place| place.take();
    [U: Update] UpdatePeer<U> => |place| place.take();
    [T: Persist] Attach<T> => |place| place.take();
    [B: JoinBranches] Join<B> => |place| place.take();
    [B: TryJoinBranches] TryJoin<B> => |place| place.take();
    [B: RaceBranches] Race<B> => |place| place.take();
    [F: DurableFuture] Timed<F> => |place| place.take();
}

/// Those that become a future when they are awaited: the place keeps how far it has come.
macro_rules! lent_as_future {
    ($([$($generics:tt)*] $ty:ty => $future:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Lend for $ty {
            type Lent = $future;

            fn lend(&mut self) -> $future {
                self.take_future()
            }

            fn give_back(&mut self, lent: $future) {
                self.put_future(lent);
            }
        }
    )*};
}

lent_as_future! {
    [A: Activity] ActivityCall<A> => ActivityFuture<A>;
    [W: Workflow] WorkflowCall<W> => Inline<W>;
    [W: RootWorkflow<Output: ChildOutput>] ChildCall<W> => ChildFuture<W::Output>;
}

#[diagnostic::do_not_recommend]
impl<T: ChildOutput> Lend for ChildHandle<T> {
    type Lent = ChildFuture<T>;

    fn lend(&mut self) -> ChildFuture<T> {
        self.take_future()
    }

    // A handle has no state.
    fn give_back(&mut self, _: ChildFuture<T>) {}
}
