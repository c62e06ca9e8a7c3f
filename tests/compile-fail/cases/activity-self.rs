//! A method as an activity.
use durable::prelude::*;
use shop::*;

struct Shop;

impl Shop {
    #[activity]
    async fn look_up(&self, sku: &str) -> u64 {
    //~ error at `&self`: an activity has no `self`: what it is called with is stored
    //~ help: leave `self` out, and take a dependency as `State<T>`
    //~ see docs/errors/activity-function.md
        sku.len() as u64
    }
}
