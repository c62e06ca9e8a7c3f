//! What a call of an activity sets differently from its activity.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Retry;

/// What a call sets differently from its activity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallOptions {
    /// Longest attempt, in milliseconds.
    pub start_to_close_ms: Option<u64>,
    /// Longest time over all attempts, in milliseconds.
    pub schedule_to_close_ms: Option<u64>,
    /// Longest silence of an attempt, in milliseconds.
    pub heartbeat_ms: Option<u64>,
    /// The retry policy.
    pub retry: Option<Retry>,
}

/// The options of a call, of which nearly every call has none: then they take up a word.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnOptions(Option<Box<CallOptions>>);

impl OwnOptions {
    /// To be set.
    pub(super) fn set(&mut self) -> &mut CallOptions {
        self.0.get_or_insert_default()
    }
}

impl Deref for OwnOptions {
    type Target = CallOptions;

    fn deref(&self) -> &CallOptions {
        const NONE: &CallOptions = &CallOptions {
            start_to_close_ms: None,
            schedule_to_close_ms: None,
            heartbeat_ms: None,
            retry: None,
        };
        self.0.as_deref().unwrap_or(NONE)
    }
}

impl From<CallOptions> for OwnOptions {
    fn from(options: CallOptions) -> Self {
        OwnOptions((options != CallOptions::default()).then(|| Box::new(options)))
    }
}

impl Serialize for OwnOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CallOptions::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for OwnOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CallOptions::deserialize(deserializer).map(OwnOptions::from)
    }
}
