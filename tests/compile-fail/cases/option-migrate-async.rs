//! A function that migrates and awaits.
use durable::prelude::*;
use shop::*;

async fn older(snapshot: durable::Snapshot) -> durable::Result<durable::Snapshot> {
    Ok(snapshot)
}

#[workflow(migrate = older)]
//~ error[E0277] at `older`: this can't migrate snapshots
//~ see docs/errors/migrate.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
