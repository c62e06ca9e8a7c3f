//! Only an instance is attached to.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(id: String) -> u64 {
    attach(id, notify).await.map_or(0, |()| 1)
    //~ error[E0277] at `notify`: `fn(&str) -> ActivityCall<...> {notify}` is not a workflow
    //~ see docs/errors/not-annotated.md
}
