//! What is to be done in the end, as a block.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(cents: u64) -> Result<u64, Error> {
    finally(fetch("bye"));
    charge(cents).await
}
