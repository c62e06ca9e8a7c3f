//! A deferred `let` whose type can not be taken apart.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    type Pair = (u64, u64);
    let (first, second): Pair;
    //~ error at `(first, second)`: a deferred `let` of this pattern with a type can't be taken apart
    //~ help: declare each variable by itself: `let a: A; let b: B;`
    //~ see docs/errors/unsupported-position.md
    (first, second) = (price(&sku).await, 2);
    first + price("b").await + second
}
