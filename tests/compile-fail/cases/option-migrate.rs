//! A function that migrates and takes something else.
use durable::prelude::*;
use shop::*;

fn older(sku: String) -> String {
    sku
}

#[workflow(migrate = older)]
//~ error[E0277] at `older`: `fn(String) -> String {older}` can't migrate snapshots
//~ see docs/errors/migrate.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
