//! What grows: states, stores, the number of closed instances. What a step, an opening and the file cost then.
//!
//! One module per thing that grows: [`large`] states, the instances of a store at [`startup`], and what is closed on [`disk`]. What is
//! asserted is counted (bytes, calls, lengths of files), or has room for any machine; times are printed. Sizes are for every day;
//! `DURABLE_SCALE` multiplies them:
//!
//! ```text
//! DURABLE_SCALE=20  cargo test --release --test scale large:: -- --nocapture    # 1,000 steps to 10 MB
//! DURABLE_SCALE=100 cargo test --release --test scale startup:: -- --nocapture  # 1,000,000 waiting instances
//! DURABLE_SCALE=540 cargo test --release --test scale disk:: -- --nocapture     # 1,000,000 instances come and go
//! ```

mod child;
mod disk;
mod large;
mod startup;

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
