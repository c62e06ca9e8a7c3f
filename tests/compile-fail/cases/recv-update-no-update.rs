//! A signal that is received as an update.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Signal)]
pub struct Approve;

#[workflow]
async fn wrong() -> u64 {
    let _request = recv_update::<Approve>().await;
    //~ error[E0277] at `Approve`: `Approve` is not an update
    //~ see docs/errors/message.md
    5
}
