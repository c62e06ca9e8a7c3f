//! A function that a trait declares.
use durable::prelude::*;
use shop::*;

trait Prices {
    #[activity]
    async fn look_up(sku: &str) -> u64;
    //~ error at `async`: an activity has a body: it can't be a function that a trait declares
    //~ help: write a function, or one of an `impl` block of the type's own
    //~ see docs/errors/activity-function.md
}
