//! Only an instance is attached to.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(id: String) -> u64 {
    attach(id, notify).await.map_or(0, |()| 1)
}
