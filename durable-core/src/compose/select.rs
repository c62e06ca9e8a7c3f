//! The runtime half of `select!`: what the macro is written out as (`durable-macros/src/select.rs`).
//!
//! A select is a race whose branches have types of their own, whose winner's value may be refused by a pattern, and in which an
//! operation may be lent: it is polled in the scope around, so that it goes on when it loses.

use std::task::Poll;

use serde::{Deserialize, Serialize};

use super::{
    Handle,
    race::{Part, Racing},
};
use crate::{
    activity::{Activity, ActivityCall, ActivityFuture},
    codec::Persist,
    context::{Context, Ending, ambient},
    future::{DurableFuture, IntoDurableFuture},
    message::{Recv, RecvUpdate, Signal, Update, recv, recv_update},
    time::Sleep,
};

/// The operation of a branch.
#[derive(Debug)]
pub struct Arm<F> {
    future: F,
    lent: bool,
}

/// The branch's own: it is cancelled if it loses.
pub fn own<F: IntoDurableFuture<IntoFuture = D>, D>(operation: F) -> Arm<D> {
    Arm { future: operation.into_durable(), lent: false }
}

/// One that stays where it is: it goes on if it loses.
pub fn lend<L: Lend>(place: &mut L) -> Arm<L::Lent> {
    Arm { future: place.lend(), lent: true }
}

/// What was lent stands in its place again.
pub fn give_back<L: Lend>(place: &mut L, lent: L::Lent) {
    place.give_back(lent);
}

/// An operation that can be lent to a `select!` with `&mut`.
#[diagnostic::on_unimplemented(
    message = "`&mut {Self}` can't be a branch of a `select!`",
    label = "only a handle, or an operation that was not started elsewhere, can be lent",
    note = "`spawn` it, and write `&mut` in front of its handle",
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

impl Lend for Sleep {
    type Lent = Sleep;

    fn lend(&mut self) -> Sleep {
        self.clone()
    }

    fn give_back(&mut self, lent: Sleep) {
        *self = lent;
    }
}

// A message that is waited for has no state.
impl<S: Signal> Lend for Recv<S> {
    type Lent = Self;

    fn lend(&mut self) -> Self {
        recv()
    }

    fn give_back(&mut self, _: Self) {}
}

impl<U: Update> Lend for RecvUpdate<U> {
    type Lent = Self;

    fn lend(&mut self) -> Self {
        recv_update()
    }

    fn give_back(&mut self, _: Self) {}
}

impl<T: Persist> Lend for Handle<T> {
    type Lent = Self;

    fn lend(&mut self) -> Self {
        self.copy()
    }

    fn give_back(&mut self, lent: Self) {
        *self = lent;
    }
}

impl<A: Activity> Lend for ActivityCall<A> {
    type Lent = ActivityFuture<A>;

    fn lend(&mut self) -> ActivityFuture<A> {
        self.take_future()
    }

    fn give_back(&mut self, lent: ActivityFuture<A>) {
        self.put_future(lent);
    }
}

/// A `select!` of any number of operations.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "Select", bound = "A: Persist")]
pub struct Selection<A> {
    /// None while they are with the winner's value.
    arms: Option<A>,
    selecting: Selecting,
}

/// Goes on without the branch that won, whose value did not match its pattern.
pub fn select_again<A>(mut select: Selection<A>) -> Selection<A> {
    select.selecting.disable_winner();
    select
}

#[diagnostic::do_not_recommend]
impl<A> IntoDurableFuture for Selection<A>
where
    Selection<A>: DurableFuture,
{
    type Output = <Self as DurableFuture>::Output;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        self
    }
}

/// The state of a select, whatever its branches. The sets of branches are bits.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Selecting {
    biased: bool,
    enabled: u8,
    lent: u8,
    won: Option<u8>,
    /// Its scope has ended: it won, and what it gave was refused.
    ended: u8,
    racing: Racing,
}

enum Selected {
    Pending,
    Won,
    Disabled,
}

fn bits(flags: &[bool]) -> u8 {
    flags.iter().enumerate().fold(0, |bits, (at, flag)| bits | (u8::from(*flag) << at))
}

fn holds(bits: u8, at: usize) -> bool {
    (bits >> at) & 1 == 1
}

impl Selecting {
    fn new(biased: bool, enabled: &[bool], lent: &[bool]) -> Self {
        Selecting { biased, enabled: bits(enabled), lent: bits(lent), ..Selecting::default() }
    }

    fn poll(
        &mut self,
        count: usize,
        cx: &mut Context<'_>,
        poll: &mut dyn FnMut(usize, &mut Context<'_>) -> bool,
    ) -> Selected {
        if self.enabled == 0 {
            return Selected::Disabled;
        }
        let (enabled, lent) = (self.enabled, self.lent);
        let part = |at| match (holds(enabled, at), holds(lent, at)) {
            (false, _) => Part::Off,
            (true, true) => Part::Lent,
            (true, false) => Part::Own,
        };
        let won = if self.biased {
            cx.all_seeing(|cx| self.racing.poll(count, false, &part, cx, poll))
        } else {
            self.racing.poll(count, true, &part, cx, poll)
        };
        let Some(won) = won else { return Selected::Pending };
        self.racing.adopt(won, cx);
        self.ended |= 1 << won;
        self.won = Some(won as u8);
        Selected::Won
    }

    fn disable_winner(&mut self) {
        if let Some(won) = self.won.take() {
            self.enabled &= !(1 << won);
        }
    }

    /// Cancels what has not won.
    fn end(&self, count: usize) {
        let losers = (0..count).filter(|at| !holds(self.ended, *at));
        let scopes: Vec<_> = losers.filter_map(|at| self.racing.scope(at)).collect();
        if !scopes.is_empty() {
            ambient::with("select!", |scratch| scratch.end_scopes(&scopes, Ending::Cancel));
        }
    }
}

macro_rules! select {
    ($count:literal $Select:ident $Won:ident $select:ident $end:ident: $($F:ident $Variant:ident $at:tt),+) => {
        /// What a `select!` waits for.
        type $Select<$($F),+> = Selection<($($F,)+)>;

        /// Which branch has won, with what it gave.
        #[derive(Debug)]
        pub enum $Won<$($Variant),+> {
            $(#[doc = "This one."] $Variant($Variant),)+
            /// None: all are off.
            Disabled,
        }

        /// Makes the future of a `select!`.
        pub fn $select<$($F: DurableFuture),+>(
            biased: bool,
            enabled: [bool; $count],
            arms: ($(Arm<$F>,)+),
        ) -> $Select<$($F),+> {
            let selecting = Selecting::new(biased, &enabled, &[$(arms.$at.lent),+]);
            Selection { arms: Some(($(arms.$at.future,)+)), selecting }
        }

        /// Ends a `select!`: the losers are cancelled. Gives the operations, for those that were lent.
        #[allow(clippy::type_complexity, reason = "it is written out by a macro")]
        pub fn $end<$($F: DurableFuture),+>(
            (won, select): ($Won<$($F::Output),+>, $Select<$($F),+>),
        ) -> ($Won<$($F::Output),+>, ($($F,)+)) {
            select.selecting.end($count);
            (won, select.arms.expect("they come with the winner"))
        }

        impl<$($F: DurableFuture),+> DurableFuture for $Select<$($F),+> {
            type Output = ($Won<$($F::Output),+>, Self);

            fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut arms = self.arms.take().expect("it is polled to its end once");
                let mut won = $Won::Disabled;
                let selected = self.selecting.poll($count, cx, &mut |at, cx| match at {
                    $($at => match arms.$at.poll(cx) {
                        Poll::Ready(value) => {
                            won = $Won::$Variant(value);
                            true
                        }
                        Poll::Pending => false,
                    },)+
                    _ => false,
                });
                if let Selected::Pending = selected {
                    self.arms = Some(arms);
                    return Poll::Pending;
                }
                let selecting = std::mem::take(&mut self.selecting);
                Poll::Ready((won, Selection { arms: Some(arms), selecting }))
            }
        }

    };
}

select!(1 Select1 Won1 select1 end1: F1 A 0);
select!(2 Select2 Won2 select2 end2: F1 A 0, F2 B 1);
select!(3 Select3 Won3 select3 end3: F1 A 0, F2 B 1, F3 C 2);
select!(4 Select4 Won4 select4 end4: F1 A 0, F2 B 1, F3 C 2, F4 D 3);
select!(5 Select5 Won5 select5 end5: F1 A 0, F2 B 1, F3 C 2, F4 D 3, F5 E 4);
select!(6 Select6 Won6 select6 end6: F1 A 0, F2 B 1, F3 C 2, F4 D 3, F5 E 4, F6 F 5);
select!(7 Select7 Won7 select7 end7: F1 A 0, F2 B 1, F3 C 2, F4 D 3, F5 E 4, F6 F 5, F7 G 6);
select!(8 Select8 Won8 select8 end8: F1 A 0, F2 B 1, F3 C 2, F4 D 3, F5 E 4, F6 F 5, F7 G 6, F8 H 7);
