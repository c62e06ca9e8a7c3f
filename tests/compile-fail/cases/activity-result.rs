//! A result that can't be stored.
use durable::prelude::*;
use shop::*;

#[activity]
async fn connect(host: &str) -> Client {
//~ error[E0277] at `Client`: `shop::Client` can't be the result of an activity, because it can't be stored
//~ see docs/errors/activity-result.md
    let _ = host;
    Client::default()
}
