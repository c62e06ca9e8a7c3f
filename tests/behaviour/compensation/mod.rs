//! What a workflow has pushed is run in reverse when it fails, and by nothing else.

mod ends;
mod frames;
mod parked;
mod random;
mod trip;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use durable::prelude::*;

/// What the outside world was asked to do, in this order.
#[derive(Default)]
struct Log(Mutex<(Vec<String>, HashSet<String>)>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().0.push(line.into());
    }

    /// The same call again is no other one: its key says so.
    fn add_once(&self, context: &ActivityContext, line: impl Into<String>) {
        let mut log = self.0.lock().unwrap();
        if log.1.insert(context.idempotency_key().to_string()) {
            log.0.push(line.into());
        }
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().0.clone()
    }
}

fn shared() -> Arc<Log> {
    Arc::default()
}

#[activity]
async fn does(State(log): State<Log>, context: ActivityContext, what: &str) -> Result<(), Error> {
    log.add_once(&context, what);
    Ok(())
}

#[activity]
async fn undoes(State(log): State<Log>, context: ActivityContext, what: &str) -> Result<(), Error> {
    log.add_once(&context, format!("-{what}"));
    Ok(())
}

/// What can't be undone, until it is mended.
#[activity(retry(max_attempts = 2, initial = "1s", jitter = 0))]
async fn gets_stuck(State(log): State<Log>, what: &str) -> Result<(), Error> {
    log.add(format!("?{what}"));
    Err(Error::msg(format!("{what} is stuck")))
}

/// Does something that is undone if what follows fails.
#[workflow]
async fn step(what: String) -> Result<(), Error> {
    does(&what).await?;
    compensate(undoes(&what));
    Ok(())
}
