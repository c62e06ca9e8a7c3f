//! A method as an activity.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

struct Shop;

impl Shop {
    #[activity]
    async fn look_up(&self, sku: &str) -> u64 {
    //~ error at `&self`: an activity has no `self`: what it is called with is stored, and a dependency is taken as `State<T>`
        sku.len() as u64
    }
}
