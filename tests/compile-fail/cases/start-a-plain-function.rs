//! A plain async function that is started.
use durable::prelude::*;
use shop::*;

async fn run(engine: Engine) {
    let handle = engine.start("one", fetch("a")).await;
    //~ error[E0308] at `fetch("a")`
}
