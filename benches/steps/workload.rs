//! What the engine is made to do.

use durable::{activity, workflow};

/// An activity that does nothing.
#[activity]
pub(crate) async fn tick(n: u64) -> u64 {
    n + 1
}

/// So many activities, one after the other.
#[workflow]
pub(crate) async fn count(steps: u64) -> u64 {
    let mut total = 0;
    for n in 0..steps {
        let next = tick(n).await;
        total += next - n;
    }
    total
}
