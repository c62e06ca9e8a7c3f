//! duroxide over its `SQLite` provider.
//!
//! Modes: `default`; `fast`, with a poll interval of 1 ms instead of 100 ms; `full`, the same and `SQLite` syncs
//! at each commit. The provider sets `synchronous` to a word that `SQLite` does not know, which leaves it at
//! NORMAL, and has no option for it: `full` sets it on each connection of the pool.

use std::{sync::Arc, time::Duration};

use duroxide::{
    ActivityContext, Client, OrchestrationContext, OrchestrationRegistry, OrchestrationStatus,
    providers::sqlite::SqliteProvider,
    runtime::{Runtime, RuntimeOptions, registry::ActivityRegistry},
};
use protocol::{Contender, GATED, Job};

/// Of its pool.
const CONNECTIONS: usize = 5;
const LONG: Duration = Duration::from_secs(3_600);

struct Duroxide {
    store: Arc<SqliteProvider>,
    client: Client,
    options: RuntimeOptions,
    runtime: Option<Arc<Runtime>>,
}

async fn count(ctx: &OrchestrationContext, steps: u64) -> Result<u64, String> {
    let mut total = 0;
    for n in 0..steps {
        total += ctx.schedule_activity_typed::<u64, u64>("tick", &n).await? - n;
    }
    Ok(total)
}

async fn sync_at_each_commit(store: &SqliteProvider) {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        // All are held at once, so that each is another one.
        let mut connection = store.get_pool().acquire().await.expect("a connection");
        sqlx::query("PRAGMA synchronous = FULL").execute(&mut *connection).await.expect("it syncs");
        connections.push(connection);
    }
}

impl Contender for Duroxide {
    async fn connect(job: &Job) -> Self {
        let path = job.dir.join("store.db");
        std::fs::OpenOptions::new().create(true).append(true).open(&path).expect("the file is there");
        let url = format!("sqlite:{}", path.display());
        let store = Arc::new(SqliteProvider::new(&url, None).await.expect("the store opens"));
        let mut options = RuntimeOptions::default();
        if job.mode != "default" {
            options.dispatcher_min_poll_interval = Duration::from_millis(1);
        }
        if job.mode == "full" {
            sync_at_each_commit(&store).await;
        }
        let client = Client::new(store.clone());
        Duroxide { store, client, options, runtime: None }
    }

    async fn launch(&mut self) {
        let activities = ActivityRegistry::builder()
            .register_typed("tick", |_: ActivityContext, n: u64| async move { Ok(protocol::tick(n)) })
            .build();
        let orchestrations = OrchestrationRegistry::builder()
            .register_typed("count", |ctx: OrchestrationContext, steps: u64| async move {
                count(&ctx, steps).await
            })
            .register_typed("gated", |ctx: OrchestrationContext, steps: u64| async move {
                let total = count(&ctx, steps).await?;
                ctx.schedule_wait("go").await;
                Ok(total + ctx.schedule_activity_typed::<u64, u64>("tick", &steps).await? - steps)
            })
            .build();
        let options = self.options.clone();
        let runtime =
            Runtime::start_with_options(self.store.clone(), activities, orchestrations, options).await;
        self.runtime = Some(runtime);
    }

    async fn count(&self, id: String, steps: u64) -> u64 {
        self.client.start_orchestration_typed(&id, "count", steps).await.expect("it starts");
        self.result(&id).await
    }

    async fn begin_gated(&self, steps: u64) {
        self.client.start_orchestration_typed(GATED, "gated", steps).await.expect("it starts");
    }

    async fn open_gate(&self) {
        self.client.raise_event(GATED, "go", "").await.expect("it takes the message");
    }

    async fn gated(&self) -> u64 {
        self.result(GATED).await
    }
}

impl Duroxide {
    async fn result(&self, id: &str) -> u64 {
        match self.client.wait_for_orchestration(id, LONG).await.expect("it is there") {
            OrchestrationStatus::Completed { output, .. } => output.parse().expect("a number"),
            other => panic!("{id}: {other:?}"),
        }
    }
}

fn main() {
    protocol::main::<Duroxide>();
}
