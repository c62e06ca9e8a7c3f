//! A reference that a function returns.
use durable::prelude::*;
use shop::*;

fn longest<'a>(a: &'a String, b: &'a String) -> &'a String {
    if a.len() > b.len() { a } else { b }
}

#[workflow]
async fn wrong(a: String, b: String) -> u64 {
    let longest = longest(&a, &b);
    //~ error[E0277] at `longest`
    let price = price(&a).await;
    price + longest.len() as u64
}
