//! What a random test is told by its environment.

/// The seed, printed so that a failure can be replayed: `DURABLE_SEED`, or 1.
pub(crate) fn seed() -> u64 {
    let seed =
        std::env::var("DURABLE_SEED").ok().map_or(1, |seed| seed.parse().expect("DURABLE_SEED is a number"));
    println!("DURABLE_SEED={seed}");
    seed
}

/// How many times its everyday size a test has: `DURABLE_SCALE`, or 1.
pub(crate) fn scale() -> u64 {
    std::env::var("DURABLE_SCALE").ok().map_or(1, |scale| scale.parse().expect("DURABLE_SCALE is a number"))
}
