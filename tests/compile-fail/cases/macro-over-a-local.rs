//! A macro that mentions a variable.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let tax = 3;
    macro_rules! with_tax {
        ($price:expr) => {
            $price + tax
            //~ error at `tax`: a macro that mentions a local variable of the workflow hides where the variable is needed
            //~ help: give the variable as an argument of the macro
            //~ see docs/errors/unsupported-position.md
        };
    }
    let price = price(&sku).await;
    with_tax!(price)
}
