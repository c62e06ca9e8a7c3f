//! A generic activity.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity]
async fn look_up<T: ToString>(thing: T) -> u64 {
//~ error at `T: ToString`: an activity can't be generic, because the engine finds it by its name: write one activity for each type, which call a generic function
    thing.to_string().len() as u64
}
