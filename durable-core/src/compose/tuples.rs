//! Compositions of operations of different types: tuples of up to eight. More are a vector's, or tuples in tuples.

use std::task::Poll;

use super::{
    branch::{AnyBranch, Branch, Branches, Trying},
    join::{Join, JoinBranches, JoinExt, TryJoin, TryJoinBranches, TryJoinExt},
    race::{Race, RaceBranches, RaceExt},
};
use crate::{
    codec::Persist,
    context::Context,
    future::{DurableFuture, IntoDurableFuture},
};

/// What makes a tuple the branches of a composition, whatever they are.
macro_rules! branches {
    ($count:literal: $($at:tt),+) => {
        fn len(&self) -> usize {
            $count
        }

        fn at(&mut self, at: usize) -> &mut dyn AnyBranch {
            match at {
                $($at => &mut self.$at,)+
                _ => unreachable!("it is in the tuple"),
            }
        }

        fn get(&self, at: usize) -> &dyn AnyBranch {
            match at {
                $($at => &self.$at,)+
                _ => unreachable!("it is in the tuple"),
            }
        }
    };
}

macro_rules! tuple {
    ($count:literal: $($F:ident $T:ident $at:tt),+) => {
        impl<$($F: DurableFuture<Output = $T>, $T: Persist),+> Branches for ($(Branch<$F, $T>,)+) {
            branches!($count: $($at),+);
        }

        impl<$($F: DurableFuture<Output = $T>, $T: Persist),+> JoinBranches for ($(Branch<$F, $T>,)+) {
            type Output = ($($T,)+);

            fn values(&mut self) -> Self::Output {
                ($(self.$at.value(),)+)
            }

            fn take(&mut self) -> Self {
                ($(std::mem::replace(&mut self.$at, Branch::Gone),)+)
            }
        }

        impl<$($F: IntoDurableFuture<Output = $T>, $T: Persist),+> JoinExt for ($($F,)+) {
            type Branches = ($(Branch<$F::IntoFuture, $T>,)+);

            fn join(self) -> Join<Self::Branches> {
                Join::new(($(Branch::Pending(self.$at.into_durable()),)+))
            }
        }

        impl<Er: Persist, $($F: DurableFuture<Output = Result<$T, Er>>, $T: Persist),+> Branches
            for ($(Trying<$F, $T, Er>,)+)
        {
            branches!($count: $($at),+);
        }

        impl<Er: Persist, $($F: DurableFuture<Output = Result<$T, Er>>, $T: Persist),+> TryJoinBranches
            for ($(Trying<$F, $T, Er>,)+)
        {
            type Output = ($($T,)+);
            type Error = Er;

            fn values(&mut self) -> Self::Output {
                ($(self.$at.value(),)+)
            }

            fn error(&mut self, at: usize) -> Er {
                match at {
                    $($at => self.$at.error(),)+
                    _ => unreachable!("it is in the tuple"),
                }
            }

            fn take(&mut self) -> Self {
                ($(Trying(std::mem::replace(&mut self.$at.0, Branch::Gone)),)+)
            }
        }

        impl<Er: Persist, $($F: IntoDurableFuture<Output = Result<$T, Er>>, $T: Persist),+> TryJoinExt
            for ($($F,)+)
        {
            type Branches = ($(Trying<$F::IntoFuture, $T, Er>,)+);

            fn try_join(self) -> TryJoin<Self::Branches> {
                TryJoin::new(($(Trying::new(self.$at.into_durable()),)+))
            }
        }

        impl<Out, $($F: DurableFuture<Output = Out>),+> RaceBranches for ($($F,)+) {
            type Output = Out;

            fn count(&self) -> usize {
                $count
            }

            fn poll(&mut self, at: usize, cx: &mut Context<'_>) -> Poll<Out> {
                match at {
                    $($at => self.$at.poll(cx),)+
                    _ => unreachable!("it is in the tuple"),
                }
            }

            fn inspect(&mut self, at: usize, cx: &mut Context<'_>) {
                match at {
                    $($at => self.$at.inspect(cx),)+
                    _ => unreachable!("it is in the tuple"),
                }
            }
        }

        impl<Out, $($F: IntoDurableFuture<Output = Out>),+> RaceExt for ($($F,)+) {
            type Branches = ($($F::IntoFuture,)+);

            fn race(self) -> Race<Self::Branches> {
                Race::new(($(self.$at.into_durable(),)+))
            }
        }
    };
}

tuple!(1: F1 T1 0);
tuple!(2: F1 T1 0, F2 T2 1);
tuple!(3: F1 T1 0, F2 T2 1, F3 T3 2);
tuple!(4: F1 T1 0, F2 T2 1, F3 T3 2, F4 T4 3);
tuple!(5: F1 T1 0, F2 T2 1, F3 T3 2, F4 T4 3, F5 T5 4);
tuple!(6: F1 T1 0, F2 T2 1, F3 T3 2, F4 T4 3, F5 T5 4, F6 T6 5);
tuple!(7: F1 T1 0, F2 T2 1, F3 T3 2, F4 T4 3, F5 T5 4, F6 T6 5, F7 T7 6);
tuple!(8: F1 T1 0, F2 T2 1, F3 T3 2, F4 T4 3, F5 T5 4, F6 T6 5, F7 T7 6, F8 T8 7);
