//! A compensation that is no call.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(cents: u64) -> Result<u64, Error> {
    let paid = charge(cents).await?;
    compensate(|| refund(paid));
    notify("paid").await;
    Ok(paid)
}

fn refund(_: u64) {}
