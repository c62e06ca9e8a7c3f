//! An activity that is awaited in a plain function.
use durable::prelude::*;
//~ warning[unused_imports] at `durable::prelude::*`
use shop::*;

async fn main() {
    let price = price("a").await;
    //~ error[E0277] at `await`
}
