//! A reference inside of a stored type.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity]
async fn look_up(sku: Option<&str>) -> u64 {
//~ error at `&str`: a reference inside of a stored type can't be read back: take `Option<String>`
    sku.map_or(0, |sku| sku.len() as u64)
}
