//! An answer is given, not awaited.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Update)]
#[update(output = u64)]
pub struct Add(u64);

#[workflow]
async fn wrong() -> u64 {
    let request = recv_update::<Add>().await;
    request.reply(5).await;
    //~ error[E0277] at `request.reply(5)`: `()` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
    5
}
