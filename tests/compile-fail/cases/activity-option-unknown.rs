//! A misspelt option.
use durable::prelude::*;
use shop::*;

#[activity(start_to_clse = "30s")]
//~ error at `start_to_clse`: unknown option `start_to_clse`; did you mean `start_to_close`?
//~ help: the options are `name`, `was`, `start_to_close`, `schedule_to_close`, `heartbeat`, `retry`, `no_retry`, `park_when_exhausted`, `limit`, `crate`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
