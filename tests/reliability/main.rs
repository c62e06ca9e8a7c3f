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
mod resume_cost;
mod second_process;
mod simulation;
mod timers;
mod watched;
mod workload;

/// The seed of a random test, printed so that a failure can be replayed.
fn seed() -> u64 {
    let seed =
        std::env::var("DURABLE_SEED").ok().map_or(1, |seed| seed.parse().expect("DURABLE_SEED is a number"));
    println!("DURABLE_SEED={seed}");
    seed
}

/// How often something is done that is done `everyday` times every day.
fn times(everyday: u64) -> u64 {
    let scale = std::env::var("DURABLE_SCALE").ok();
    everyday * scale.map_or(1, |scale| scale.parse().expect("DURABLE_SCALE is a number"))
}

/// A runtime as a program has it, on which a test runs.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
        .block_on(work)
}
