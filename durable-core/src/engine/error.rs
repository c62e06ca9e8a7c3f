//! Why the engine refused: one enum per operation.

use durable_store::Error as StoreError;

use crate::codec::{DecodeError, EncodeError};

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two workflows or two activities have one name.
    #[error(
        "two items are named `{name}`: {first}, and {second}; rename one, or give it another stored name with `name = \"..\"`"
    )]
    Duplicate {
        /// The name.
        name: &'static str,
        /// One place.
        first: String,
        /// The other place.
        second: String,
    },
    /// The store could not be copied, to be checked.
    #[error("can't copy the store {} to check it: {source}", path.display())]
    Copy {
        /// The store.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No consistent copy could be made.
    #[error(
        "the store {} is written to all the time, so that no copy of one moment could be made to check it: check it when there is less to do, or check a backup (`Engine::backup`)",
        path.display()
    )]
    Busy {
        /// The store.
        path: std::path::PathBuf,
    },
    /// The builder was not told where the store is.
    #[error("no store: call `.path(..)` on the builder")]
    NoStore,
    /// There is no async runtime here.
    #[error("no tokio runtime here: open the engine inside one, for instance in `#[tokio::main]`")]
    NoRuntime,
    /// The executable can't be read, to tell this build from others.
    #[error("can't read this program's executable, to tell its build from others: {0}")]
    Build(#[source] std::io::Error),
    /// A thread could not be started.
    #[error("can't start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

/// Why the engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine is shutting down or has been.
    #[error("the engine has been shut down")]
    Stopped,
    /// The store failed; the engine tries to open it again. What was acknowledged before is safe;
    /// ask again for what was not.
    #[error(
        "the store failed ({reason}); the engine reopens it and goes on from what is durable: ask again for what was not acknowledged"
    )]
    Broken {
        /// The store's error.
        reason: String,
    },
    /// There is no instance with this id.
    #[error("there is no instance `{id}`")]
    NotFound {
        /// The id.
        id: String,
    },
    /// The instance has ended.
    #[error("instance `{id}` has ended")]
    Closed {
        /// The id.
        id: String,
    },
    /// A record can't be read.
    #[error("the record of instance `{id}` can't be read: {reason}")]
    Unreadable {
        /// The id.
        id: String,
        /// Why not.
        reason: String,
    },
    /// The engine has stopped, and a step of these instances has not ended: a loop without an await, or something that blocks.
    #[error(
        "the engine has stopped, but {} still makes a step that does not end; it goes on from its last snapshot when the process is started again",
        quoted(ids)
    )]
    StillStepping {
        /// Their ids.
        ids: Vec<String>,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn quoted(ids: &[String]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("instance `{id}`")).collect();
    ids.join(" and ")
}

/// Why a variable was not edited. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The instance has no such variable, or it is none that can be edited.
    #[error("instance `{id}` has no variable {variable} that can be edited; it has {has}")]
    NoVariable {
        /// The id.
        id: String,
        /// What was asked for.
        variable: String,
        /// The variables that it has, by frames.
        has: String,
    },
    /// Several frames have a variable of this name.
    #[error(
        "instance `{id}` has a variable `{variable}` in several frames, {}: say which is meant, `.in_frame(\"{}\")`",
        frames.join(" and "),
        frames.last().map_or("", String::as_str)
    )]
    Ambiguous {
        /// The id.
        id: String,
        /// The variable.
        variable: String,
        /// The frames, the outermost first.
        frames: Vec<String>,
    },
    /// The value is not one of the variable's type, or the workflow can't go on with it.
    #[error("instance `{id}` is not edited: {reason}")]
    Unfit {
        /// The id.
        id: String,
        /// The variable.
        variable: String,
        /// Why not.
        reason: String,
    },
    /// This build can't read the instance's snapshot as it is.
    #[error(
        "instance `{id}` can't be edited, because this build can't take its snapshot on as it is: {reason}"
    )]
    Unreadable {
        /// The id.
        id: String,
        /// Why not.
        reason: String,
    },
    /// The instance has no variables, or does not need them any more.
    #[error("instance `{id}` can't be edited: {reason}")]
    NotNow {
        /// The id.
        id: String,
        /// Why not.
        reason: &'static str,
    },
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why an instance was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The id is empty or longer than 200 bytes.
    #[error("an id has 1 to {max} bytes, and this one has {len}", max = super::MAX_ID_BYTES)]
    BadId {
        /// How long it is.
        len: usize,
    },
    /// There are too many tags, or one is too long.
    #[error(
        "an instance has up to {} tags of up to {} bytes, and `{tag}` is one too many or too long",
        super::MAX_TAGS,
        super::MAX_TAG_BYTES
    )]
    BadTag {
        /// The tag's key.
        tag: String,
    },
    /// The arguments can't be stored.
    #[error("the arguments of workflow `{workflow}` can't be stored: {error}")]
    Args {
        /// The workflow.
        workflow: &'static str,
        /// Why not.
        #[source]
        error: EncodeError,
    },
    /// An instance of another workflow has this id.
    #[error("instance `{id}` runs workflow `{found}`, not `{wanted}`: choose another id")]
    OtherWorkflow {
        /// The id.
        id: String,
        /// What runs under it.
        found: String,
        /// What was to be started.
        wanted: &'static str,
    },
    /// An instance with this id exists and `OnExisting::Fail` was asked for.
    #[error("instance `{id}` exists already")]
    Exists {
        /// The id.
        id: String,
    },
    /// The instance is there, and a signal that it was to get with its start is not.
    #[error(transparent)]
    Signal(#[from] crate::message::SignalError),
    /// The workflow is not known to this engine.
    #[error("workflow `{workflow}` is not registered with this engine")]
    NotRegistered {
        /// The workflow.
        workflow: &'static str,
    },
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why an operation was not completed from outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompleteError {
    /// It was completed before, or the workflow does not wait for it any more.
    #[error("this token was used before, or nobody waits for it any more")]
    Used,
    /// No operation has this token: it is forged, or of another store, or its instance has ended so long ago that it is forgotten.
    #[error("no operation has this token")]
    Unknown,
    /// The instance has ended.
    #[error("instance `{id}`, which this token is for, has ended")]
    Closed {
        /// The id.
        id: String,
    },
    /// The value can't be stored.
    #[error("the value for this token can't be stored: {0}")]
    Encode(#[from] EncodeError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why an instance has no result to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It was terminated.
    #[error("instance `{id}` was terminated: {why}")]
    Terminated {
        /// The id.
        id: String,
        /// The reason given.
        why: String,
    },
    /// It was cancelled.
    #[error("instance `{id}` was cancelled: {why}")]
    Cancelled {
        /// The id.
        id: String,
        /// The reason given.
        why: String,
    },
    /// It had not ended when its deadline passed.
    #[error("instance `{id}` had not ended when its deadline passed")]
    DeadlineExceeded {
        /// The id.
        id: String,
    },
    /// The stored result is not of the type asked for.
    #[error("the result of instance `{id}` can't be read as asked: {error}")]
    Result {
        /// The id.
        id: String,
        /// Why not.
        #[source]
        error: DecodeError,
    },
    /// The instance is parked; only a test's engine says so instead of waiting.
    #[error("instance `{id}` is parked: {reason}")]
    Parked {
        /// The id.
        id: String,
        /// Why.
        reason: String,
    },
    /// Nothing will ever move the instance; only a test's engine says so instead of waiting.
    #[error("instance `{id}` can't move: {reason}")]
    Stuck {
        /// The id.
        id: String,
        /// What it waits for.
        reason: String,
    },
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
