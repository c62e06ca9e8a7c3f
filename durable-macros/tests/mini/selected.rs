//! What stands behind a written out `select!`: the branches are polled in their order, once per step.

use super::__private::{DurableFuture, IntoDurableFuture};
use super::{PLAIN, Persist, log};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An operation that is done at its n-th poll, in plain code and in a compiled workflow. Dropped unfinished it tells nobody.
#[derive(Serialize, Deserialize)]
pub struct Ticks<T> {
    what: String,
    total: u32,
    left: u32,
    lent: bool,
    result: Vec<u8>,
    _type: PhantomData<fn() -> T>,
}

/// Done at poll number `after`.
pub fn ticks<T: Persist>(after: u32, result: T) -> Ticks<T> {
    let result = postcard::to_stdvec(&result).expect("a test's value is serializable");
    Ticks {
        what: format!("{result:?} after {after}"),
        total: after,
        left: after,
        lent: false,
        result,
        _type: PhantomData,
    }
}

impl<T: Persist> Ticks<T> {
    fn tick(&mut self) -> Poll<T> {
        assert!(!self.lent, "what is lent is polled where it was lent to");
        assert!(self.left > 0, "polled again after it was done");
        if self.left == self.total {
            log(&format!("began {}", self.what));
        }
        self.left -= 1;
        if self.left > 0 {
            return Poll::Pending;
        }
        log(&format!("done {}", self.what));
        Poll::Ready(postcard::from_bytes(&self.result).expect("it was encoded as this type"))
    }
}

impl<T: Persist> Future for Ticks<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        assert!(PLAIN.with_borrow(|plain| *plain), "an await was left in a compiled workflow");
        self.tick()
    }
}

impl<T: Persist> DurableFuture for Ticks<T> {
    type Output = T;

    fn poll(&mut self) -> Poll<T> {
        assert!(!PLAIN.with_borrow(|plain| *plain), "a durable poll in plain code");
        self.tick()
    }
}

/// What may stand behind `&mut` in a branch.
pub trait Lend {
    type Lent: DurableFuture;
    fn lend(&mut self) -> Self::Lent;
    fn give_back(&mut self, lent: Self::Lent);
}

impl<T: Persist> Lend for Ticks<T> {
    type Lent = Self;

    fn lend(&mut self) -> Self {
        assert!(!self.lent, "it is lent once at a time");
        let hollow = Self {
            what: String::new(),
            total: 0,
            left: 0,
            lent: true,
            result: Vec::new(),
            _type: PhantomData,
        };
        std::mem::replace(self, hollow)
    }

    fn give_back(&mut self, lent: Self) {
        assert!(self.lent, "only what is lent is given back");
        *self = lent;
    }
}

/// The operation of a branch.
#[derive(Serialize, Deserialize)]
pub struct Arm<F>(F);

/// The branch's own.
pub fn own<F: IntoDurableFuture<IntoFuture = D>, D>(operation: F) -> Arm<D> {
    Arm(operation.into_durable())
}

/// One that goes on if it does not win.
pub fn lend<L: Lend>(place: &mut L) -> Arm<L::Lent> {
    Arm(place.lend())
}

pub fn give_back<L: Lend>(place: &mut L, lent: L::Lent) {
    place.give_back(lent);
}

/// A `select!` of any number of branches.
pub trait Select: DurableFuture {
    /// Turns the branch off that won, if one has.
    fn disable_winner(&mut self);
}

pub fn select_again<S: Select>(mut select: S) -> S {
    select.disable_winner();
    select
}

macro_rules! arity {
    ($Select:ident $Won:ident $select:ident $end:ident $count:literal: $($F:ident $variant:ident $at:tt),+) => {
        #[derive(Serialize, Deserialize)]
        pub struct $Select<$($F),+> {
            arms: Option<($(Arm<$F>,)+)>,
            enabled: [bool; $count],
            won: Option<usize>,
            /// Where a poll goes on whose winner's pattern did not match.
            from: usize,
        }

        #[derive(Serialize, Deserialize)]
        pub enum $Won<$($variant),+> {
            $($variant($variant),)+
            Disabled,
        }

        pub fn $select<$($F: DurableFuture),+>(
            _biased: bool,
            enabled: [bool; $count],
            arms: ($(Arm<$F>,)+),
        ) -> $Select<$($F),+> {
            $Select { arms: Some(arms), enabled, won: None, from: 0 }
        }

        pub fn $end<$($F: DurableFuture),+>(
            (won, select): ($Won<$($F::Output),+>, $Select<$($F),+>),
        ) -> ($Won<$($F::Output),+>, ($($F,)+)) {
            let arms = select.arms.expect("it has given them with the winner");
            (won, ($(arms.$at.0,)+))
        }

        impl<$($F: DurableFuture),+> Select for $Select<$($F),+> {
            fn disable_winner(&mut self) {
                if let Some(won) = self.won.take() {
                    self.enabled[won] = false;
                    self.from = won;
                }
            }
        }

        impl<$($F: DurableFuture),+> DurableFuture for $Select<$($F),+> {
            type Output = ($Won<$($F::Output),+>, Self);

            fn poll(&mut self) -> Poll<Self::Output> {
                let mut arms = self.arms.take().expect("it is polled to its end once");
                let (enabled, from) = (self.enabled, std::mem::take(&mut self.from));
                let rest = |arms, won| Self { arms: Some(arms), enabled, won, from: 0 };
                $(if enabled[$at] && $at >= from {
                    if let Poll::Ready(value) = arms.$at.0.poll() {
                        return Poll::Ready(($Won::$variant(value), rest(arms, Some($at))));
                    }
                })+
                if enabled == [false; $count] {
                    return Poll::Ready(($Won::Disabled, rest(arms, None)));
                }
                self.arms = Some(arms);
                Poll::Pending
            }
        }
    };
}

arity!(Select1 Won1 select1 end1 1: F1 A 0);
arity!(Select2 Won2 select2 end2 2: F1 A 0, F2 B 1);
arity!(Select3 Won3 select3 end3 3: F1 A 0, F2 B 1, F3 C 2);
arity!(Select4 Won4 select4 end4 4: F1 A 0, F2 B 1, F3 C 2, F4 D 3);
arity!(Select8 Won8 select8 end8 8: F1 A 0, F2 B 1, F3 C 2, F4 D 3, F5 E 4, F6 F 5, F7 G 6, F8 H 7);
