//! What a random test is told by its environment.

/// The seed, printed so that a failure can be replayed: `DURABLE_SEED`, or 1.
pub(crate) fn seed() -> u64 {
    let seed =
        std::env::var("DURABLE_SEED").ok().map_or(1, |seed| seed.parse().expect("DURABLE_SEED is a number"));
    println!("DURABLE_SEED={seed}");
    seed
}
