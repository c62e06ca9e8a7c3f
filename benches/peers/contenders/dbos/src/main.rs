//! DBOS's own SDK for Rust over `PostgreSQL`, as both come: synced at each commit, by the server.
//!
//! Each directory is a schema of its own in the database that is named on the command line. What the server
//! writes is not in this process's figures.

use std::time::Duration;

use dbos::{Client, ClientConfig, Config, DBOS, Error, RunOptions, StartOptions, WorkflowRef, step};
use protocol::{Contender, GATED, Job};

const LONG: Duration = Duration::from_secs(3_600);

async fn tick(n: u64) -> dbos::Result<u64> {
    step("tick", || async move { Ok(protocol::tick(n)) }).await
}

async fn count(steps: u64) -> dbos::Result<u64> {
    let mut total = 0;
    for n in 0..steps {
        total += tick(n).await? - n;
    }
    Ok(total)
}

async fn gated(steps: u64) -> dbos::Result<u64> {
    let total = count(steps).await?;
    let _: Option<bool> = dbos::recv(None, LONG).await?;
    Ok(total + tick(steps).await? - steps)
}

struct Dbos {
    engine: DBOS,
    client: ClientConfig,
    count: WorkflowRef<u64, u64, dbos::EngineOnly>,
    gated: WorkflowRef<u64, u64, dbos::EngineOnly>,
}

impl Contender for Dbos {
    async fn connect(job: &Job) -> Self {
        let url = job.postgres.clone().expect("the address of a PostgreSQL database");
        let name = job.dir.file_name().and_then(|name| name.to_str()).expect("a directory's name");
        let schema = format!("peers_{}", name.replace('-', "_"));
        let config = Config {
            app_version: Some("1".into()),
            schema: schema.clone(),
            ..Config::new("peers", url.clone())
        };
        let client = ClientConfig { app_name: Some("peers".into()), schema, ..ClientConfig::new(url) };
        let engine = DBOS::new(config);
        let count = engine.register_workflow("count", count).expect("a new name");
        let gated = engine.register_workflow("gated", gated).expect("a new name");
        Dbos { engine, client, count, gated }
    }

    async fn launch(&mut self) {
        self.engine.launch().await.expect("the engine starts");
    }

    async fn count(&self, id: String, steps: u64) -> u64 {
        let options = RunOptions { workflow_id: Some(&id), ..RunOptions::default() };
        self.count.run_with(steps, options).await.expect("it ends")
    }

    async fn begin_gated(&self, steps: u64) {
        let options = StartOptions { workflow_id: Some(GATED), ..StartOptions::default() };
        self.gated.start_with(steps, options).await.expect("it starts");
    }

    async fn open_gate(&self) {
        let client = Client::connect(self.client.clone()).await.expect("the database answers");
        client.send(GATED, &true).await.expect("it takes the message");
    }

    async fn gated(&self) -> u64 {
        let handle = self.engine.retrieve_workflow::<u64, dbos::EngineOnly>(GATED).expect("it is launched");
        handle.result().await.map_err(|error: Error| error).expect("it ends")
    }
}

fn main() {
    protocol::main::<Dbos>();
}
