//! An argument without a named type.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: impl AsRef<str>) -> u64 {
//~ error at `impl AsRef<str>`: an activity's parameter has a type with a name, because it is stored
//~ help: name it in place of `impl Trait`
//~ see docs/errors/activity-argument.md
    sku.as_ref().len() as u64
}
