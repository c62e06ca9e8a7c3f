//! A misspelt option.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity(start_to_clse = "30s")]
//~ error at `start_to_clse`: unknown option `start_to_clse`; did you mean `start_to_close`? The options are `name`, `start_to_close`, `schedule_to_close`, `heartbeat`, `retry`, `no_retry`, `park_when_exhausted`, `limit`, `crate`
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
