//! Durable execution for Rust: async functions that survive crashes, by snapshot and not by replay.
//!
//! Annotate an async function with [`#[workflow]`](macro@workflow) and what it does to the world with
//! [`#[activity]`](macro@activity). The macro compiles the workflow into an explicit, serializable state machine; after
//! every activity its *full state* is committed to an embedded database file. After a crash the
//! engine loads the snapshot and goes on from there: nothing is replayed, so recovery costs the
//! same after ten steps or a million, and workflow code need not be deterministic.
//!
//! ```
//! use durable::prelude::*;
//!
//! #[activity]
//! async fn greet(name: &str) -> String {
//!     format!("hello, {name}")
//! }
//!
//! #[workflow]
//! async fn welcome(name: String) -> String {
//!     let greeting = greet(&name).await;
//!     sleep(std::time::Duration::from_secs(86_400)).await; // a day, across restarts
//!     format!("{greeting}, and welcome back")
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = durable::testing::engine().open().await; // in memory, with a clock that skips; or Engine::open(path)
//! let handle = engine.start("ann", welcome("ann".into())).await?;
//! assert_eq!(handle.result().await?, "hello, ann, and welcome back");
//! # Ok(()) }
//! ```
//!
//! The book is in `docs/`: concepts, guarantees, the language.

pub use durable_core::*;
pub use durable_macros::{Publish, Signal, Update, activity, select, workflow};

/// What programs need: `use durable::prelude::*`.
pub mod prelude {
    pub use durable_core::{
        ActivityContext, CallError, Elapsed, Engine, Error, ErrorContext, Filter, Handle, JoinExt as _,
        JoinSet, OnClose, OnExisting, Publish, RaceExt as _, Reply, Request, Retry, RetryHint, RunError,
        Signal, SignalError, StartError, State, Status, TimeoutExt as _, TryJoinExt as _, Update,
        UpdateError, WorkflowHandle, bail, cancelled, child, compensate, compensate_now, ensure, external,
        finally, publish, recv, recv_update, sleep, sleep_until, spawn, try_recv, try_recv_update,
    };
    pub use durable_macros::{Publish, Signal, Update, activity, select, workflow};
}
