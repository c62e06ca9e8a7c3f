//! A number that is compared, changed through a reference on the other side.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(mut total: u64) -> bool {
    let sum = &mut total;
    *sum < {
        *sum += 1;
        //~ error[E0506] at `*sum += 1`
        price("a").await
    }
}
