//! durare over its `SQLite` provider.
//!
//! Modes: `normal`, as it comes; `full`, the same pool but `synchronous = FULL`, which is what syncs at each commit.

use std::{str::FromStr, sync::Arc, time::Duration};

use durare::{DurableContext, DurableEngine, Result, SqliteProvider, WorkflowHandle, WorkflowOptions};
use protocol::{Contender, GATED, Job};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

const LONG: Duration = Duration::from_secs(3_600);

#[durare::step]
async fn tick(ctx: &DurableContext, n: u64) -> Result<u64> {
    Ok(protocol::tick(n))
}

async fn ticks(ctx: &DurableContext, steps: u64) -> Result<u64> {
    let mut total = 0;
    for n in 0..steps {
        total += tick(ctx, n).await? - n;
    }
    Ok(total)
}

#[durare::workflow]
async fn count(ctx: DurableContext, steps: u64) -> Result<u64> {
    ticks(&ctx, steps).await
}

#[durare::workflow]
async fn gated(ctx: DurableContext, steps: u64) -> Result<u64> {
    let total = ticks(&ctx, steps).await?;
    ctx.recv::<bool>("go", LONG).await?;
    Ok(total + tick(&ctx, steps).await? - steps)
}

struct Durare(DurableEngine);

impl Contender for Durare {
    async fn connect(job: &Job) -> Self {
        let synchronous =
            if job.mode == "full" { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
        // What `SqliteProvider::connect` does, but for the one option.
        let options =
            SqliteConnectOptions::from_str(&format!("sqlite://{}", job.dir.join("store.db").display()))
                .expect("a path")
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(5).connect_with(options).await;
        let provider = SqliteProvider::from_pool(pool.expect("the store opens"));
        Durare(DurableEngine::new(Arc::new(provider)).await.expect("the engine opens"))
    }

    async fn launch(&mut self) {
        self.0.recover().await.expect("it resumes what was left");
    }

    async fn count(&self, id: String, steps: u64) -> u64 {
        let started = self.0.start_with(Count, steps, WorkflowOptions::with_id(id)).await;
        started.expect("it starts").await.expect("it ends")
    }

    async fn begin_gated(&self, steps: u64) {
        self.0.start_with(Gated, steps, WorkflowOptions::with_id(GATED)).await.expect("it starts");
    }

    async fn open_gate(&self) {
        self.0.send(GATED, true, "go").await.expect("it takes the message");
    }

    async fn gated(&self) -> u64 {
        let handle: WorkflowHandle<u64> = self.0.retrieve_workflow(GATED).await.expect("it is there");
        handle.await.expect("it ends")
    }
}

fn main() {
    protocol::main::<Durare>();
}
