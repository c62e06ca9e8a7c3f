//! A poison workflow stays alone: whatever its code does, it is parked or reported, others go on, and the result that set it off is kept.
//!
//! [`deadly`] takes the process with it, in children; [`stuck`] never comes back from a step; [`unkept`] can't be stored, or panics.

mod deadly;
mod stuck;
mod unkept;

use std::path::Path;
use std::time::{Duration, Instant};

use durable::prelude::*;

/// Longer than anything here takes that is not stuck.
const LONG: Duration = Duration::from_secs(60);

/// What the others do meanwhile.
#[activity]
async fn serve(step: u32) -> u32 {
    step + 1
}

#[workflow]
async fn neighbour(steps: u32) -> u32 {
    let mut step = 0;
    while step < steps {
        step = serve(step).await;
    }
    step
}

/// Starts neighbours and waits until all of them are done.
async fn neighbours_go_on(engine: &Engine, prefix: &str) {
    let mut going = Vec::new();
    for number in 0..20 {
        let started = engine.start(format!("{prefix}-{number}"), neighbour(5)).await;
        going.push(started.expect("a neighbour starts"));
    }
    for neighbour in going {
        let ended = tokio::time::timeout(LONG, neighbour.result()).await.expect("a neighbour goes on");
        assert_eq!(ended.expect("it ends well"), 5);
    }
}

/// Waits until an instance is parked, and gives the reason.
async fn parked(engine: &Engine, id: &str) -> durable::ParkReason {
    let began = Instant::now();
    loop {
        let description = engine.handle(id).describe().await.expect("it can be described");
        if let Some(reason) = description.parked() {
            return reason.clone();
        }
        assert!(began.elapsed() < LONG, "{description}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn open(file: &Path) -> Engine {
    Engine::open(file).await.expect("the engine opens")
}
