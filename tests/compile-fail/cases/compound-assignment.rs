//! A compound assignment whose left side has effects.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sums = vec![0];
    *sums.iter_mut().next().unwrap() += price(&sku).await;
    //~ error at `*`: the left side of this assignment has effects of its own, and would be evaluated in another order than written
    //~ help: await first: `let value = ....await;`, and assign `value`
    //~ see docs/errors/compound-assignment.md
    sums[0]
}
