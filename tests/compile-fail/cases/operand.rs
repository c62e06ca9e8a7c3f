//! What was evaluated before an await in the same expression.
use durable::prelude::*;
use shop::*;

fn client() -> Client {
    Client::default()
}

fn total(client: Client, price: u64) -> u64 {
    client.calls + price
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    total(client(), price(&sku).await)
    //~ error[E0277] at `client`: `shop::Client` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
}
