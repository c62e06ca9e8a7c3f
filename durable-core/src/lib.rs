//! The engine of [Durable](https://docs.rs/durable). Programs depend on the crate `durable`, which
//! re-exports what they need.

// Functions that name an item (`of(fulfil)`, `mock(charge)`) take it by value and never look at it.
#![allow(clippy::needless_pass_by_value)]
// The public face is async also where today's store answers at once.
#![allow(clippy::unused_async)]

#[macro_use]
mod arity;
mod build;
mod clock;
mod compose;
mod context;
mod engine;
mod frame;
mod future;
mod graph;
mod instance;
mod message;
mod meta;
mod popular;
mod program;
mod random;
mod registry;
mod steps;
mod time;
mod workflow;

pub mod activity;
pub mod codec;
pub mod error;
pub mod testing;

#[doc(hidden)]
pub mod private;
/// The same under the name that generated code uses.
#[doc(hidden)]
pub use private as __private;

pub use activity::{ActivityCall, ActivityContext, IdempotencyKey, Retry, RetryHint, State};
pub use codec::{DecodeError, EncodeError, Persist};
pub use context::{
    Completion, Context, FrameId, MAX_DEPTH, MAX_OPERATIONS, MAX_SNAPSHOT_BYTES, NewInstance, NewOperation,
    OnClose, OperationId, Outgoing, Refused, ScopeId, Sent, Step, StepFailure, Wait,
};
pub use durable_store as store;
pub use engine::{
    Description, Engine, EngineBuilder, EngineError, Filter, FrameView, HistoryEvent, HistoryKind,
    MAX_ID_BYTES, MAX_TAG_BYTES, MAX_TAGS, OnExisting, OpenError, ParkReason, PendingActivity, RunError,
    Start, StartError, Status, StatusKind, Summary, Waiting, WorkflowFn, WorkflowHandle,
};
pub use error::{CallError, Error, ErrorContext, Result, Timeout};
pub use future::{DurableFuture, IntoDurableFuture};
pub use graph::{Graph, ResumePoint, graph};
pub use instance::{InstanceInfo, instance};
pub use message::{Publish, Signal, Update};
pub use time::{Sleep, now, sleep, sleep_until};
pub use workflow::{Inline, RootWorkflow, Workflow, WorkflowCall};
