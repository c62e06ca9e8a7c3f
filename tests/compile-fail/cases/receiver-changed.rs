//! A receiver by value, changed by a method in an operand that awaits: what it was before is not known to be needed.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(mut left: Option<u64>) -> u64 {
    left.unwrap_or({
        left.take();
        //~ error[E0502] at `left.take()`
        price("a").await
    })
}
