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
#[path = "../common/process.rs"]
mod process;
#[path = "../common/sizes.rs"]
mod sizes;
mod startup;

use process::block_on;
use sizes::times;
