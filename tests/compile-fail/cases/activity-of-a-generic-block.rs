//! An activity in a generic `impl` block.
use durable::prelude::*;
use shop::*;

struct Shop<T>(T);

#[workflow]
impl<T: 'static> Shop<T> {
//~ error at `T: 'static`: an activity can't be generic, because the engine finds it by its name
//~ help: move it out of this `impl` block
//~ see docs/errors/activity-function.md
    #[activity]
    async fn look_up(sku: &str) -> u64 {
        sku.len() as u64
    }
}
