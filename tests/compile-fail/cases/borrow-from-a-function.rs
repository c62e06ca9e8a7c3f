//! A reference that a function returns.
use durable::prelude::*;
use shop::*;

fn longest<'a>(a: &'a String, b: &'a String) -> &'a String {
    if a.len() > b.len() { a } else { b }
}

#[workflow]
async fn wrong(a: String, b: String) -> u64 {
    let longest = longest(&a, &b);
    //~ error[E0277] at `longest`: `&String` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    let price = price(&a).await;
    price + longest.len() as u64
}
