//! An `else` in front of other branches.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String, patient: bool) -> u64 {
    select! {
        else => 0,
        cents = price(&sku), if patient => cents,
        //~ error at `cents`: `else` is the last branch of a `select!`
        //~ help: move it to the end
        //~ see docs/errors/select.md
    }
}
