//! Durable, in a redb file, as it comes: synced at each commit.

use durable::{Engine, Signal, activity, recv, workflow};
use protocol::{Contender, GATED, Job};
use serde::{Deserialize, Serialize};

#[activity]
async fn tick(n: u64) -> u64 {
    protocol::tick(n)
}

#[workflow]
async fn count(steps: u64) -> u64 {
    let mut total = 0;
    for n in 0..steps {
        total += tick(n).await - n;
    }
    total
}

#[derive(Serialize, Deserialize, Signal)]
struct Go;

#[workflow]
async fn gated(steps: u64) -> u64 {
    let total = count(steps).await;
    recv::<Go>().await;
    total + tick(steps).await - steps
}

struct Durable(Engine);

impl Contender for Durable {
    async fn connect(job: &Job) -> Self {
        Durable(Engine::open(job.dir.join("store.redb")).await.expect("the engine opens"))
    }

    async fn launch(&mut self) {}

    async fn count(&self, id: String, steps: u64) -> u64 {
        let handle = self.0.start(id, count(steps)).await.expect("it starts");
        handle.result().await.expect("it ends")
    }

    async fn begin_gated(&self, steps: u64) {
        self.0.start(GATED, gated(steps)).await.expect("it starts");
    }

    async fn open_gate(&self) {
        self.0.signal(GATED, Go).await.expect("it takes the message");
    }

    async fn gated(&self) -> u64 {
        self.0.handle(GATED).of(gated).result().await.expect("it ends")
    }
}

fn main() {
    protocol::main::<Durable>();
}
