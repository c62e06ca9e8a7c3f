//! Alternatives of a pattern that borrow from different places.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(pair: (u64, u64)) -> u64 {
    match &pair {
    //~ error at `&pair`: `&pair` is still needed after the await of `price` in line 11, and can't be made again there: several alternatives of the pattern bind it
    //~ help: give each alternative an arm of its own
    //~ see docs/errors/borrow.md
        (0, size) | (size, _) => price("a").await + size,
    }
}
