//! Several operations at once: `join`, `try_join`, `race`, `timeout`, `select!`, `spawn` and `JoinSet`.

mod described;
mod joins;
mod races;
mod selects;
mod spawned;

use std::sync::Arc;

use durable::{
    EngineBuilder,
    prelude::*,
    store::{MemoryImage, RedbStore},
};

/// An engine in memory on the real clock: a virtual one waits for activities that wait to be told.
async fn real_engine(setup: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Engine {
    let store = RedbStore::open_image(&MemoryImage::new()).expect("an empty image becomes a store");
    setup(Engine::builder().store(Arc::new(store))).open().await.expect("it opens")
}
