//! Several operations that are spawned as one.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let both = spawn((price(&sku), price("all")).join());
    //~ error[E0277] at `(price(&sku), price("all")).join()`: `Join<(Branch<ActivityFuture<...>, u64>, ...)>` can't be spawned
    //~ see docs/errors/spawn.md
    let (one, all) = both.await;
    one + all
}
