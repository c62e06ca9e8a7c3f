//! What surrounds a body: functions of `impl` blocks, type parameters, parameters of every form, recursion, results, and functions
//! that a macro writes; and some of the programs of `examples/`. Each workflow runs in peace and with a crash at every suspension.

mod blocks;
mod examples;
mod generics;
mod parameters;
mod recursion;
mod results;
mod written_by_macros;

use durable::prelude::*;
use durable::testing;

/// An activity that gives back what it gets.
#[activity]
async fn echo(value: u64) -> u64 {
    value
}

#[activity]
async fn echo_text(value: &str) -> String {
    value.to_owned()
}

/// The outcome of a workflow on an engine of its own.
async fn outcome<W>(call: durable::WorkflowCall<W>) -> W::Output
where
    W: durable::RootWorkflow,
{
    let engine = testing::engine().open().await;
    let handle = engine.start("test", call).await.expect("it starts");
    handle.result().await.expect("it ends")
}

/// Runs a workflow in peace and with a crash at every suspension, and gives its outcome.
macro_rules! run {
    ($call:expr) => {{
        let report = durable::testing::crash_at_every_step(move || $call).await;
        assert!(report.crashes > 0);
        crate::outcome($call).await
    }};
}
use run;
