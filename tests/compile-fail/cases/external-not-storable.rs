//! What is given from outside is stored.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong() -> u64 {
    let client = external::<Client>().await;
    client.calls
}
