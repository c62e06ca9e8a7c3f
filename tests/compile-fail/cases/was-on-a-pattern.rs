//! An old name that is given to no variable, or is none.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    #[was("pair")]
    //~ error at `#`: `#[was]` gives the name that one variable had before
    //~ help: write `#[was("old_name")]` at a `let` or a parameter that binds a single name
    //~ see docs/errors/renamed-variable.md
    let (a, b) = (price(&sku).await, 1);
    a + b
}

#[activity]
async fn wrong_too(
    sku: String,
    #[was("shop")]
    //~ error at `#`: `#[was]` gives the name that one variable had before
    //~ help: write `#[was("old_name")]` at a `let` or a parameter that binds a single name
    //~ see docs/errors/renamed-variable.md
    (a, b): (u8, u8),
) -> usize {
    sku.len() + usize::from(a + b)
}
