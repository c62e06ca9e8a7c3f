//! The jobs of the comparison, the same for every contender.
//!
//! A contender is an executable that does one job in a process of its own and prints what it
//! measured as lines of `name value`. What it does is checked here: the results, and how often
//! the activity really ran, so that a contender that does nothing, or does it twice, can't win.
//!
//! The workflows, which each contender writes in its own way:
//!
//! - `count(steps)`: calls the activity [`tick`] with 0, 1, .. one after the other, and returns how
//!   many there were, counted from the results;
//! - `gated(steps)`: the same, then waits for a message and calls `tick` once more.
//!
//! Deliberately absent: anything that favours one way of storing, such as payloads of a certain
//! size or activities that take time.

mod job;
mod process;
mod run;
mod ticks;

pub use job::{Job, Kind};
pub use run::{Contender, GATED, main};
pub use ticks::tick;
