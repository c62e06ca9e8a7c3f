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
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String) -> u64 {
    total(client(), price(&sku).await)
}
