//! A function that is no workflow, where one is asked for.
use durable::prelude::*;
use shop::*;

async fn quote(sku: String) -> u64 {
    sku.len() as u64
}

fn ask(handle: durable::WorkflowHandle<()>) {
    let _ = handle.of(quote);
    //~ error[E0277] at `quote`: `fn(String) -> impl Future<Output = u64> {quote}` is not a workflow
    //~ see docs/errors/not-annotated.md
}
