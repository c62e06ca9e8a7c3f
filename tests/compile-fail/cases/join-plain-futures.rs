//! A join of plain futures.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong() -> usize {
    let (one, two) = (fetch("one"), fetch("two")).join().await;
    one.len() + two.len()
}
