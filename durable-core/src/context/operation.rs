//! What a step starts, and how it ends.

use serde::{Deserialize, Serialize};

use crate::{activity::CallOptions, codec::Encoded, error::CallError};

/// An operation that a step starts.
#[derive(Debug)]
pub enum NewOperation {
    /// An activity call.
    Activity {
        /// The stored name of the activity.
        name: String,
        /// The encoded arguments.
        args: Encoded,
        /// What this call sets differently from the activity's own policy.
        options: CallOptions,
    },
    /// A timer.
    Timer {
        /// When it fires, in milliseconds since the Unix epoch.
        deadline_ms: u64,
    },
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Completion {
    /// With a value.
    Value(Encoded),
    /// The timer's deadline has passed.
    Fired,
    /// Without a value of its own.
    Error(CallError),
}
