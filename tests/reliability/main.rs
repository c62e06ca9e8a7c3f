//! The promises that are kept when everything goes wrong, shown on the whole engine through its
//! public face.
//!
//! One module per way to go wrong: [`kill`] (the process dies), [`power_loss`] and [`every_crash`] (the machine does), [`io_error`] and [`every_failure`]
//! (the disk does), [`full_disk`], [`damage`] (the file), [`hostile`] (what is in it), [`second_process`] (somebody else has it), [`poison`] (a workflow's own code). [`simulation`] is everything at
//! once, in an order that a seed decides, with the engine's invariants asserted all the while. [`families`] has instances that talk to each other over a
//! store that fails. [`commits`] and [`resume_cost`] count what a step costs, and what going on does; [`many`] has many instances; [`messages`] and [`timers`]
//! say what becomes of those whatever dies. Those that run the [`workload`] write down every attempt of every activity, and the same [`journal`] judges what
//! was written down; those that lose power compare with the same [`contents`]. Each has a negative control: the same test over something that breaks the
//! promise must notice it.
//!
//! Random tests print their seed, and `DURABLE_SEED` replays one. Sizes are for every day; `DURABLE_SCALE=50` makes them fifty times as large. The
//! commands for the long sizes are in `docs/testing.md`.

mod child;
mod commits;
mod contents;
mod damage;
mod every_crash;
mod every_failure;
mod families;
mod full_disk;
mod hostile;
mod io_error;
mod journal;
mod kill;
mod many;
mod messages;
mod poison;
mod power_loss;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/random.rs"]
mod random;
mod resume_cost;
mod second_process;
mod simulation;
#[path = "../common/sizes.rs"]
mod sizes;
mod timers;
mod watched;
mod workload;

use process::block_on;
use random::seed;
use sizes::times;
