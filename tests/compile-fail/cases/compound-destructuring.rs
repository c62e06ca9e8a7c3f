//! A place that is awaited in a destructuring assignment.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(mut sums: Vec<u64>) -> u64 {
    let rest;
    (sums[price("a").await as usize], rest) = (1, 2);
    //~ error at `(sums[price("a").await as usize], rest)`: an await inside the left side of a destructuring assignment is evaluated in another order than written
    //~ help: await the index before the assignment
    //~ see docs/errors/compound-assignment.md
    sums[0] + rest
}
