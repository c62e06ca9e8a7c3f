//! A compensation that has run already.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(cents: u64) -> Result<u64, Error> {
    let paid = charge(cents).await?;
    compensate(charge(cents).await);
    Ok(paid)
}
