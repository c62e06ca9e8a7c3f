//! A loop over an iterator of ones own.
use durable::prelude::*;
use shop::*;

struct Halves(u64);

impl Iterator for Halves {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 /= 2;
        (self.0 > 0).then_some(self.0)
    }
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sum = 0;
    for half in Halves(9) {
    //~ error[E0277] at `Halves(9)`: a `for` loop that awaits can't go over `Halves`
    //~ see docs/errors/for-loop.md
        sum += price(&sku).await / half;
    }
    sum
}
