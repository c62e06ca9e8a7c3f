//! An operation against the clock.

use std::{task::Poll, time::Duration};

use serde::{Deserialize, Serialize};

use super::{awaited_as_is, race::Racing};
use crate::{
    context::Context,
    future::{DurableFuture, IntoDurableFuture},
    time::{Sleep, sleep},
};

/// Gives an operation a limited time: `op.timeout(d).await`.
pub trait TimeoutExt: IntoDurableFuture + Sized {
    /// `Ok` with what it gave, or [`Elapsed`] once `duration` has passed since it was awaited: then it is cancelled. If it was done
    /// before the timer, it counts, whenever the workflow gets to see it.
    fn timeout(self, duration: Duration) -> Timed<Self::IntoFuture> {
        Timed { future: self.into_durable(), timer: sleep(duration), racing: Racing::default() }
    }
}

impl<F: IntoDurableFuture> TimeoutExt for F {}

/// An operation's time has passed before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[error("its time has passed before it was done")]
pub struct Elapsed;

/// An operation with a limited time. See [`TimeoutExt::timeout`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "F: DurableFuture")]
#[must_use = "it does nothing until it is awaited"]
pub struct Timed<F> {
    future: F,
    timer: Sleep,
    racing: Racing,
}

impl<F: DurableFuture> DurableFuture for Timed<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Timed { future, timer, racing } = self;
        let mut value = None;
        let ended = racing.decide(2, cx, &mut |at, cx| {
            if at == 1 {
                return timer.poll(cx).is_ready();
            }
            match future.poll(cx) {
                Poll::Ready(ready) => {
                    value = Some(ready);
                    true
                }
                Poll::Pending => false,
            }
        });
        if ended { Poll::Ready(value.ok_or(Elapsed)) } else { Poll::Pending }
    }
}

awaited_as_is! { [F: DurableFuture] Timed<F>; }
