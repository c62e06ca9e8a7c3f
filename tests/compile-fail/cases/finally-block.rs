//! What is to be done in the end, as a block.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(cents: u64) -> Result<u64, Error> {
    finally(fetch("bye"));
    //~ error[E0277] at `fetch("bye")`: `impl Future<Output = String>` can't be pushed to be run later
    //~ see docs/errors/compensate.md
    charge(cents).await
}
