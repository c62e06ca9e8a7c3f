//! What a store promises, shown on the embedded one.
//!
//! The random tests print their seed; `DURABLE_SEED` replays one. Their sizes are for every day;
//! `DURABLE_SCALE=1000` makes them a thousand times as large.

mod backup;
mod conformance;
mod damage;
mod failure;
mod large;
mod opening;
mod power_loss;

use durable_store::{Error, MemoryImage, Options, RedbStore};

/// The seed of a random test, printed so that a failure can be replayed.
fn seed() -> u64 {
    let seed =
        std::env::var("DURABLE_SEED").ok().map_or(1, |seed| seed.parse().expect("DURABLE_SEED is a number"));
    println!("DURABLE_SEED={seed}");
    seed
}

/// How often something is tried that is tried `everyday` times every day.
fn times(everyday: u64) -> u64 {
    let scale = std::env::var("DURABLE_SCALE").ok();
    everyday * scale.map_or(1, |scale| scale.parse().expect("DURABLE_SCALE is a number"))
}

/// Opens what a test has left in memory.
fn open(bytes: &[u8], options: &Options) -> (MemoryImage, Result<RedbStore, Error>) {
    let image = MemoryImage::from_bytes(bytes.to_vec());
    let store = RedbStore::open_image_with(&image, options.clone());
    (image, store)
}
