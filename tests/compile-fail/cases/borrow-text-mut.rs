//! A text that is chosen again.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut size = "small";
    //~ error at `"small"`: `"small"` is still needed after the await of `price` in line 11, and can't be made again there: `size` is a `&'static str` and may have been assigned another text
    //~ help: use a `String`: `let mut size = "small".to_string();`
    //~ see docs/errors/borrow.md
    if price(&sku).await > 3 {
        size = "large";
    }
    price(size).await
}
