//! The engine of [Durable](https://docs.rs/durable). Programs depend on the crate `durable`, which
//! re-exports what they need.

// Functions that name an item (`of(fulfil)`, `mock(charge)`) take it by value and never look at it.
#![allow(clippy::needless_pass_by_value)]
// The public face is async also where today's store answers at once.
#![allow(clippy::unused_async)]

#[macro_use]
mod arity;
mod build;
mod cancel;
mod child;
mod clock;
mod compensate;
mod compose;
mod context;
mod engine;
mod evolve;
mod external;
mod frame;
mod future;
mod graph;
mod hashing;
mod instance;
pub mod lock;
mod message;
mod meta;
mod popular;
mod program;
mod random;
mod registry;
mod seldom;
mod steps;
mod time;
mod workflow;

pub mod activity;
pub mod codec;
pub mod error;
pub mod testing;

#[doc(hidden)]
pub mod private;
/// An engine whose every move is somebody else's decision.
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use engine::simulation;
/// The same under the name that generated code uses.
#[doc(hidden)]
pub use private as __private;

pub use activity::{ActivityCall, ActivityContext, IdempotencyKey, Retry, RetryHint, State};
pub use cancel::{Cancelled, cancelled};
pub use child::{
    ChildCall, ChildFuture, ChildHandle, ChildOutcome, ChildOutput, ChildStart, StartedInstance, child, start,
};
pub use codec::{DecodeError, EncodeError, Persist};
pub use compensate::{Compensate, CompensateNow, Compensation, compensate, compensate_now, finally};
pub use compose::{
    CancelAll, Cancelling, Collect, Elapsed, Handle, Join, JoinExt, JoinNext, JoinSet, Race, RaceExt, Spawn,
    Timed, TimeoutExt, TryJoin, TryJoinExt, spawn,
};
pub use context::{
    Completion, Context, FrameId, MAX_DEPTH, MAX_OPERATIONS, MAX_SNAPSHOT_BYTES, NewInstance, NewOperation,
    OnClose, OperationId, Outgoing, Refused, ScopeId, Sent, Step, StepFailure, Undo, Wait,
};
pub use durable_store as store;
pub use engine::{
    CheckGroup, CheckOutcome, CheckReport, CompensationState, CompensationView, CompleteError, Description,
    Edit, EditError, Engine, EngineBuilder, EngineError, ExportError, Exported, Filter, ForkError, FrameView,
    HistoryEvent, HistoryKind, Import, ImportError, KeptSnapshot, MAX_EXPORT_BYTES, MAX_ID_BYTES,
    MAX_KEPT_SNAPSHOTS, MAX_TAG_BYTES, MAX_TAGS, NotKept, OnExisting, OpenError, ParkReason, PendingActivity,
    RewindError, RunError, Start, StartError, Status, StatusKind, Summary, Waiting, WorkflowFn,
    WorkflowHandle,
};
pub use error::{CallError, Error, ErrorContext, Result, Timeout};
pub use external::{External, Token, TokenError, external};
pub use frame::Snapshot;
pub use future::{DurableFuture, IntoDurableFuture};
pub use graph::{Graph, ResumePoint, graph};
pub use instance::{InstanceInfo, instance};
pub use message::{
    Attach, MAX_MESSAGE_BYTES, MAX_MESSAGES, Publish, Recv, RecvUpdate, Reply, Request, SendPeer, Signal,
    SignalCall, SignalError, StartUpdate, StartUpdateError, Update, UpdateCall, UpdateError, UpdatePeer,
    attach, cancel, publish, recv, recv_update, signal, try_recv, try_recv_update, update,
};
pub use time::{Sleep, now, sleep, sleep_until};
pub use workflow::{Inline, RootWorkflow, Workflow, WorkflowCall};
