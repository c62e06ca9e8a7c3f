//! A glob import in a block that awaits.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    {
        use std::cmp::*;
        //~ error at `*`: a glob import in an inner block that awaits would be seen by the whole function, and could hide other names there
        //~ help: import what you use by name, or move it to the top of the function
        //~ see docs/errors/unsupported-position.md
        notify(&sku).await;
    }
    price(&sku).await
}
