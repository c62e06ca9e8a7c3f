//! An `Rc` of what can't be stored.
use durable::prelude::*;
use shop::*;
use std::rc::Rc;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Rc::new(Client::default());
    //~ error[E0277] at `client`
    let price = price(&sku).await;
    price + client.calls
}
