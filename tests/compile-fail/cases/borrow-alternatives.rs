//! Alternatives of a pattern that borrow from different places.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(pair: (u64, u64)) -> u64 {
    match &pair {
    //~ error at `&pair`: `&pair` is still needed after the await of `price` in line 10, and can't be made again there: several alternatives of the pattern bind it; give each alternative an arm of its own
        (0, size) | (size, _) => price("a").await + size,
    }
}
