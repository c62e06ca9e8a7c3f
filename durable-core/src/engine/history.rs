//! History: for people, never needed to resume.
//!
//! Events are appended to a short tail inside the instance's record, so that a step still writes one
//! row; a full tail is moved out as a chunk. Only the newest chunks are kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::encode::append;

/// A tail of this many bytes becomes a chunk.
const CHUNK_BYTES: usize = 512;
/// So many chunks are kept of an instance: some ten thousand events.
const CHUNKS_KEPT: u32 = 400;

/// Messages are stored up to this length: a record is for people to read, and an event's length has
/// three bytes.
const MESSAGE_BYTES: usize = 4096;

/// The beginning of a message that is too long to be stored.
pub(crate) fn clip(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES {
        let left = message.len();
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
        let left = left - message.len();
        message = format!("{message}.. ({left} bytes more)");
    }
    message
}

/// The events not moved out yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tail {
    /// The number that the tail will get as a chunk.
    pub(crate) chunk: u32,
    #[serde(with = "durable_store::bytes")]
    pub(crate) bytes: Vec<u8>,
}

/// Chunks that a transition moves out, and from which number on chunks are kept.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub(crate) chunks: Vec<(u32, Vec<u8>)>,
    pub(crate) keep_from: u32,
}

impl Tail {
    pub(crate) fn push(&mut self, event: &HistoryEvent) {
        let start = self.bytes.len() + 3;
        self.bytes.reserve(64);
        self.bytes.extend_from_slice(&[0; 3]);
        append(event, &mut self.bytes);
        let len = ((self.bytes.len() - start) as u32).to_le_bytes();
        self.bytes[start - 3..start].copy_from_slice(&len[..3]);
    }

    /// Takes the tail out as a chunk if it is full, or in any case at the end of an instance.
    pub(crate) fn take_chunk(&mut self, closing: bool) -> Moved {
        let mut moved = Moved::default();
        if self.bytes.len() >= CHUNK_BYTES || (closing && !self.bytes.is_empty()) {
            moved.chunks.push((self.chunk, std::mem::take(&mut self.bytes)));
            self.chunk += 1;
            moved.keep_from = self.chunk.saturating_sub(CHUNKS_KEPT);
        }
        moved
    }
}

/// Reads a chunk; events that this build does not know are left out.
pub(crate) fn read_chunk(mut bytes: &[u8], out: &mut Vec<HistoryEvent>) {
    while bytes.len() > 3 {
        let len = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) as usize;
        let Some(event) = bytes.get(3..3 + len) else { return };
        out.extend(postcard::from_bytes::<HistoryEvent>(event));
        bytes = &bytes[3 + len..];
    }
}

/// Something that happened to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// When it was committed, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// How many steps had been committed before it.
    pub step: u64,
    /// What happened.
    pub kind: HistoryKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HistoryKind {
    /// The instance was started.
    Started,
    /// An activity gave its result; an error that the workflow sees is a result.
    ActivityCompleted {
        /// The activity's name.
        activity: String,
        /// The attempt that gave it, from 1.
        attempt: u32,
        /// How long the call took in all, in milliseconds.
        took_ms: u64,
        /// The error, if the result is one.
        error: Option<String>,
    },
    /// An attempt failed and another one follows.
    AttemptFailed {
        /// The activity's name.
        activity: String,
        /// Which attempt, from 1.
        attempt: u32,
        /// Its error.
        error: String,
        /// When the next one is due, in milliseconds since the Unix epoch.
        next_ms: u64,
    },
    /// A timer fired.
    TimerFired {
        /// When it was due, in milliseconds since the Unix epoch.
        due_ms: u64,
    },
    /// The instance was parked.
    Parked {
        /// Why.
        reason: String,
    },
    /// A parked instance was taken up again.
    Unparked {
        /// By whom: a new build or a person.
        by: String,
    },
    /// A person asked for the next attempt now.
    RetriedByHand,
    /// The workflow returned.
    Completed,
    /// The workflow returned an error.
    Failed,
    /// The instance was terminated.
    Terminated {
        /// The reason given.
        why: String,
    },
    /// The workflow received a signal.
    SignalReceived {
        /// The signal's name.
        name: String,
    },
    /// The workflow received an update.
    UpdateReceived {
        /// The update's name.
        name: String,
    },
    /// Somebody asked the instance to end.
    CancelRequested {
        /// The reason given.
        why: String,
    },
    /// The instance's deadline passed.
    DeadlinePassed,
    /// The instance was cancelled.
    Cancelled {
        /// The reason given.
        why: String,
    },
    /// The instance is held back by hand.
    Paused,
    /// It is held back no longer.
    Resumed,
    /// An operation was completed from outside.
    ExternalCompleted,
    /// An instance was started from this one.
    ChildStarted {
        /// Its id.
        id: String,
    },
    /// An instance that was started from this one has ended.
    ChildEnded {
        /// Its id.
        id: String,
        /// Whether it ended in an error, of whatever kind.
        failed: bool,
    },
    /// A compensation has run.
    Compensated {
        /// The name of what it called.
        name: String,
        /// Its error, if it failed for good.
        error: Option<String>,
    },
    /// It began where another instance stood.
    Forked {
        /// That one's id.
        from: String,
        /// After which step it stood there.
        step: u64,
    },
    /// Another instance began where this one stood.
    ForkedAs {
        /// That one's id.
        id: String,
        /// After which step it stood there.
        step: u64,
    },
    /// It went back to where it stood before.
    Rewound {
        /// After which step it stood there.
        to: u64,
    },
    /// It was exported and has gone on here.
    Imported {
        /// The id that it had.
        from: String,
        /// After which step it stood when it was exported.
        step: u64,
    },
    /// The workflow's `migrate` made of another build's snapshot what it goes on from.
    Migrated {
        /// The workflow.
        workflow: String,
        /// The resume point at which it stood.
        from: String,
        /// The one at which it goes on; none: it begins again.
        to: Option<String>,
    },
    /// A variable was given another value by hand.
    Edited {
        /// The workflow of its frame.
        workflow: String,
        /// Its name.
        variable: String,
        /// Its value before, as JSON. A long one is cut off.
        before: String,
        /// The value that it was given.
        after: String,
    },
}

impl fmt::Display for HistoryEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: ", self.step)?;
        match &self.kind {
            HistoryKind::Started => f.write_str("started"),
            HistoryKind::ActivityCompleted { activity, attempt, took_ms, error: None } => {
                write!(f, "activity `{activity}` completed at attempt {attempt} after {took_ms} ms")
            }
            HistoryKind::ActivityCompleted { activity, attempt, took_ms, error: Some(error) } => {
                write!(f, "activity `{activity}` failed at attempt {attempt} after {took_ms} ms: {error}")
            }
            HistoryKind::AttemptFailed { activity, attempt, error, .. } => {
                write!(f, "attempt {attempt} of activity `{activity}` failed: {error}")
            }
            HistoryKind::TimerFired { .. } => f.write_str("timer fired"),
            HistoryKind::Parked { reason } => write!(f, "parked: {reason}"),
            HistoryKind::Unparked { by } => write!(f, "taken up again by {by}"),
            HistoryKind::RetriedByHand => f.write_str("retried by hand"),
            HistoryKind::Completed => f.write_str("completed"),
            HistoryKind::Failed => f.write_str("failed"),
            HistoryKind::Terminated { why } => write!(f, "terminated: {why}"),
            HistoryKind::SignalReceived { name } => write!(f, "signal `{name}` received"),
            HistoryKind::UpdateReceived { name } => write!(f, "update `{name}` received"),
            HistoryKind::CancelRequested { why } => write!(f, "asked to end: {why}"),
            HistoryKind::DeadlinePassed => f.write_str("its deadline passed"),
            HistoryKind::Cancelled { why } => write!(f, "cancelled: {why}"),
            HistoryKind::Paused => f.write_str("paused"),
            HistoryKind::Resumed => f.write_str("resumed"),
            HistoryKind::ExternalCompleted => f.write_str("completed from outside"),
            HistoryKind::ChildStarted { id } => write!(f, "started instance `{id}`"),
            HistoryKind::ChildEnded { id, failed: false } => write!(f, "instance `{id}` completed"),
            HistoryKind::ChildEnded { id, failed: true } => write!(f, "instance `{id}` failed"),
            HistoryKind::Compensated { name, error: None } => write!(f, "compensation `{name}` completed"),
            HistoryKind::Forked { from, step } => write!(f, "forked from `{from}` after its step {step}"),
            HistoryKind::ForkedAs { id, step } => write!(f, "forked after step {step} as `{id}`"),
            HistoryKind::Rewound { to } => write!(f, "rewound to step {to}"),
            HistoryKind::Imported { from, step } => {
                write!(f, "imported from an export of `{from}` after its step {step}")
            }
            HistoryKind::Compensated { name, error: Some(error) } => {
                write!(f, "compensation `{name}` failed: {error}")
            }
            HistoryKind::Migrated { workflow, from, to: Some(to) } => {
                write!(f, "`{workflow}` migrated from `{from}` to `{to}`")
            }
            HistoryKind::Migrated { workflow, from, to: None } => {
                write!(f, "`{workflow}` migrated from `{from}`, to begin again")
            }
            HistoryKind::Edited { workflow, variable, before, after } => {
                write!(f, "variable `{variable}` of `{workflow}` edited from {before} to {after}")
            }
        }
    }
}
