//! An activity is no instance.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    child("price", price(&sku)).outcome().await.unwrap_or(0)
    //~ error[E0308] at `price(&sku)`
}
