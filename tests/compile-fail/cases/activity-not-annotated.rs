//! A function that is no activity, where one is asked for.
use durable::prelude::*;
use shop::*;

async fn quote(sku: String) -> u64 {
    sku.len() as u64
}

fn ask(builder: durable::EngineBuilder) {
    let _ = builder.register_activity(quote);
    //~ error[E0277] at `quote`: `fn(String) -> impl Future<Output = u64> {quote}` is not an activity
    //~ see docs/errors/not-annotated.md
}
