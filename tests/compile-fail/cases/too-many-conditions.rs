//! More `#[cfg(..)]`s than combinations can be compiled.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn caller() -> u64 {
    wrong("a".to_owned()).await
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    #[cfg(unix)]
    notify("unix").await;
    #[cfg(windows)]
    notify("windows").await;
    #[cfg(target_pointer_width = "64")]
    notify("64").await;
    #[cfg(test)]
    notify("test").await;
    #[cfg(debug_assertions)]
    //~ error at `#`: a workflow is compiled once per combination of its `#[cfg(..)]`s, and this is one condition more than 4
    //~ help: move the code under it to a function of its own
    //~ see docs/errors/unsupported-position.md
    notify("debug").await;
    price(&sku).await
}
