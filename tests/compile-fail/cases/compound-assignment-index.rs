//! A compound assignment whose right side changes the index of its left side.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(mut sums: Vec<u64>, mut at: usize) -> u64 {
    sums[at] += {
    //~ error at `sums`: the left side of this assignment has effects of its own, and would be evaluated in another order than written
    //~ help: await first: `let value = ....await;`, and assign `value`
    //~ see docs/errors/compound-assignment.md
        at += 1;
        price("a").await
    };
    sums[at]
}
