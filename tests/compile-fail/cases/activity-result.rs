//! A result that can't be stored.
use durable::prelude::*;
use shop::*;

#[activity]
async fn connect(host: &str) -> Client {
//~ error[E0277] at `Client`
//~ error[E0277] at `Client`
    let _ = host;
    Client::default()
}
