//! A question mark on a call that was not awaited.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Result<u64, Error> {
    let paid = charge(1)?;
    //~ error[E0277] at `charge(1)?`
    Ok(paid)
}
