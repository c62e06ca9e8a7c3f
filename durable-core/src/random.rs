//! The one place that draws random numbers: idempotency keys, fresh ids and jitter.

use std::sync::Mutex;

/// Random numbers from the operating system, or from a seed so that a simulation repeats.
pub(crate) enum Random {
    /// From the operating system, fetched a page at a time.
    System(Box<Mutex<Pool>>),
    /// From a seed.
    Seeded(Mutex<fastrand::Rng>),
}

/// Random bytes not used yet.
pub(crate) struct Pool {
    bytes: [u8; 1024],
    used: usize,
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What it will draw is nobody's business.
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

const LOCK: &str = "drawing does not panic";

impl Random {
    pub(crate) fn system() -> Self {
        Random::System(Box::new(Mutex::new(Pool { bytes: [0; 1024], used: 1024 })))
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Random::Seeded(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// 128 random bits.
    pub(crate) fn bits(&self) -> u128 {
        match self {
            Random::System(pool) => {
                let mut pool = pool.lock().expect(LOCK);
                if pool.used + 16 > pool.bytes.len() {
                    getrandom::fill(&mut pool.bytes).expect("the operating system has random numbers");
                    pool.used = 0;
                }
                let at = pool.used;
                pool.used += 16;
                u128::from_le_bytes(pool.bytes[at..at + 16].try_into().expect("sixteen bytes"))
            }
            Random::Seeded(rng) => rng.lock().expect(LOCK).u128(..),
        }
    }

    /// A number from 0 up to and without 1.
    pub(crate) fn unit(&self) -> f64 {
        (self.bits() >> 75) as f64 / (1u64 << 53) as f64
    }
}
