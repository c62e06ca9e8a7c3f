//! The promises that are kept when everything goes wrong, shown on the whole engine through its
//! public face.
//!
//! One module per way to go wrong: [`kill`] (the process dies), [`power_loss`] (the machine does),
//! [`io_error`] (the disk does), [`second_process`] (somebody else has the file), [`poison`] (a workflow's own code does). [`families`] has instances that talk to each other over a store
//! that fails. [`commits`] counts what a step costs; [`messages`] and [`timers`] say what becomes of those whatever dies. The first ones all run the same [`workload`], which writes down every attempt of every
//! activity, and the same [`journal`] judges what was written down. Each has a negative control: the
//! same test over something that breaks the promise must notice it.
//!
//! Random tests print their seed, and `DURABLE_SEED` replays one. Sizes are for every day;
//! `DURABLE_SCALE=50` makes them fifty times as large:
//!
//! ```text
//! DURABLE_SCALE=50  cargo test --release --test reliability kill::        # 10,000 kills
//! DURABLE_SCALE=200 cargo test --release --test reliability power_loss::  # 1,000,000 images
//! DURABLE_SCALE=100 cargo test --release --test reliability commits::     # 1,000,000 steps
//! DURABLE_SCALE=50  cargo test --release --test reliability io_error::    # 2,000 failures
//! DURABLE_SCALE=60  cargo test --release --test reliability families::    # 4,500 failures
//! DURABLE_SCALE=100 cargo test --release --test reliability messages::    # 1,000,000 signals
//! DURABLE_SCALE=10  cargo test --release --test reliability timers::      # 100,000 timers
//! ```

mod child;
mod commits;
mod families;
mod io_error;
mod journal;
mod kill;
mod messages;
mod poison;
mod power_loss;
mod second_process;
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
