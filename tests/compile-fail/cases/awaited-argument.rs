//! The value of an await is the wrong argument: of a bound, of a type.
use durable::prelude::*;
use shop::*;

fn shown<T: Into<String>>(text: T) -> String {
    text.into()
}

#[workflow]
async fn wrong(sku: String) -> String {
    shown(price(&sku).await)
    //~ error[E0277] at `await`
}
