//! The shop's process: runs [`shop`](super::super::shop) and tells the parent what happens.
//!
//! It runs on one thread, so that it can stand still at the moment the parent waits for: a demo has to
//! be killed at the same places every time. `kill -9` at random moments is what `tests/` does.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use durable::{Description, Engine, EngineError, WorkflowHandle};
use tokio::sync::Notify;

use super::{
    event::{Event, Kind, Moment, Standing, epoch_ms},
    world::{Service, World},
};

/// The first argument of the shop's process.
pub(crate) const ROLE: &str = "shop";
/// How often the order is looked at, for back-offs and sleeps.
const LOOK: Duration = Duration::from_millis(5);

/// What one process of the shop shows.
#[derive(Debug)]
pub(crate) struct Demo {
    dir: PathBuf,
    stage: Stage,
}

/// Where the process says what happens, and where it stands still.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    begun: Instant,
    stop_at: Option<Moment>,
    reserved: Arc<Notify>,
}

/// Runs the shop until the order is complete or the process is killed.
pub(crate) fn run(dir: &Path, stop_at: &str) -> ExitCode {
    let stop_at = Moment::ALL.into_iter().find(|moment| format!("{moment:?}") == stop_at);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime of one thread can be had wherever a process can");
    let stage = Stage { begun: Instant::now(), stop_at, reserved: Arc::default() };
    let demo = Demo { dir: dir.into(), stage };
    match runtime.block_on(super::super::shop(&demo)) {
        Ok(receipt) => {
            let super::super::Receipt { charge, label, total_cents } = receipt;
            demo.stage.say(Kind::Returned { charge, label, total_cents });
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the shop's process failed: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Demo {
    /// The file with the order's state.
    pub(crate) fn store(&self) -> PathBuf {
        self.dir.join(STORE)
    }

    /// The services outside.
    pub(crate) fn world(&self) -> World {
        World::new(self.dir.join(LEDGER), self.stage.clone())
    }

    /// Tells the parent what the store knows of the order, and then how it goes.
    pub(crate) async fn watch(&self, engine: &Engine, id: &str) -> Result<(), EngineError> {
        let opened_us = self.stage.now_us();
        let order = engine.handle(id);
        let found = match order.describe().await {
            Ok(description) => Some(Standing::of(&description)),
            Err(EngineError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        self.stage.say(Kind::Opened { opened_us, found });
        tokio::spawn(watch_between(order.clone(), self.stage.clone()));
        tokio::spawn(watch_waits(order, self.stage.clone()));
        Ok(())
    }
}

/// The store's file and the services' file.
pub(crate) const STORE: &str = "orders.redb";
pub(crate) const LEDGER: &str = "services.jsonl";

impl Stage {
    /// Tells the parent.
    pub(crate) fn say(&self, kind: Kind) {
        let event = Event { at_us: self.now_us(), clock_ms: epoch_ms(SystemTime::now()), kind };
        let line = serde_json::to_string(&event).expect("strings, numbers and JSON are JSON");
        let mut out = std::io::stdout().lock();
        // A parent that is gone hears nothing; the order goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// An activity stands still if the process is to be killed here.
    pub(crate) async fn pause_at(&self, moment: Moment) {
        if self.stop_at == Some(moment) {
            self.say(Kind::Moment { moment, standing: Standing::default() });
            std::future::pending::<()>().await;
        }
    }

    /// The inventory has answered: from here on the next activity is to be watched for.
    pub(crate) fn reserved(&self) {
        self.reserved.notify_one();
    }

    fn now_us(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }
}

/// Stands still once the result of the first activity is committed. The engine steps and commits on
/// threads of its own, but attempts run on this one: while it is held, the second does not begin.
async fn watch_between(order: WorkflowHandle, stage: Stage) {
    if stage.stop_at != Some(Moment::BetweenActivities) {
        return;
    }
    stage.reserved.notified().await;
    loop {
        let Ok(description) = order.describe().await else { return };
        let next = Service::CardGateway.activity();
        if description.activities.iter().any(|pending| pending.activity == next) {
            let standing = Standing::of(&description);
            stage.say(Kind::Moment { moment: Moment::BetweenActivities, standing });
            loop {
                std::thread::park();
            }
        }
    }
}

/// Reports back-offs and sleeps, each once.
async fn watch_waits(order: WorkflowHandle, stage: Stage) {
    let mut last = None;
    loop {
        if let Ok(description) = order.describe().await
            && let Some(moment) = waits(&description)
        {
            let standing = Standing::of(&description);
            if last != standing.due_ms {
                last = standing.due_ms;
                stage.say(Kind::Moment { moment, standing });
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn waits(description: &Description) -> Option<Moment> {
    if description.activities.iter().any(|activity| activity.next_try.is_some()) {
        Some(Moment::InBackOff)
    } else if description.timers.is_empty() {
        None
    } else {
        Some(Moment::InSleep)
    }
}
