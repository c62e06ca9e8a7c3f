//! A generic workflow that is started.
use durable::prelude::*;
use shop::*;

use serde::{Serialize, de::DeserializeOwned};

#[workflow]
async fn echo<T: Serialize + DeserializeOwned + 'static>(thing: T) -> T {
    notify("echo").await;
    thing
}

async fn run(engine: Engine) {
    let _ = engine.start("one", echo(1u64)).await;
    //~ error[E0277] at `echo(1u64)`: a generic workflow may be called from another workflow, but not started
    //~ see docs/errors/workflow-function.md
}
