//! A result without a named type.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: &str) -> impl Copy {
//~ error at `impl Copy`: an activity returns a type with a name, because the result is stored
//~ help: name it in place of `impl Trait`
//~ see docs/errors/activity-result.md
    sku.len() as u64
}
