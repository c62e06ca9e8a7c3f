//! What the shop's process tells its parent: one line of JSON each.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use durable::Description;
use serde::{Deserialize, Serialize};

/// A moment at which the parent kills the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Moment {
    BetweenActivities,
    InActivity,
    InBackOff,
    InSleep,
}

impl Moment {
    pub(crate) const ALL: [Moment; 4] =
        [Moment::BetweenActivities, Moment::InActivity, Moment::InBackOff, Moment::InSleep];
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Moment::BetweenActivities => "between two activities",
            Moment::InActivity => "in the middle of an activity",
            Moment::InBackOff => "in a back-off",
            Moment::InSleep => "in a sleep",
        })
    }
}

/// Something that happened, so many microseconds after the process began to open the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) at_us: u64,
    /// The same moment, in milliseconds since the Unix epoch.
    pub(crate) clock_ms: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// The store is open; this is what `describe()` says of the order, if it is there.
    Opened { opened_us: u64, found: Option<Standing> },
    /// An activity runs.
    Attempt { activity: String, attempt: u32, key: String },
    /// It got an answer from its service.
    Answer { activity: String, answer: String, repeated: bool },
    /// It got none.
    Refused { activity: String, error: String },
    /// One of the moments that the parent waits for.
    Moment { moment: Moment, standing: Standing },
    /// The workflow has returned.
    Returned { charge: String, label: String, total_cents: u64 },
}

/// Where the order stands, taken from [`Description`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) steps: u64,
    pub(crate) workflow: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) awaits: String,
    pub(crate) locals: Vec<(String, serde_json::Value)>,
    pub(crate) last_error: Option<String>,
    pub(crate) attempt: Option<u32>,
    /// When the next attempt or the timer is due, in milliseconds since the Unix epoch.
    pub(crate) due_ms: Option<u64>,
}

impl Standing {
    pub(crate) fn of(description: &Description) -> Self {
        let frame = description.frames.first();
        let activity = description.activities.first();
        let next_try = activity.and_then(|activity| activity.next_try);
        Standing {
            steps: description.steps,
            workflow: frame.map_or_else(String::new, |frame| frame.workflow.clone()),
            file: frame.map_or_else(String::new, |frame| frame.file.clone()),
            line: frame.map_or(0, |frame| frame.line),
            awaits: frame.map_or_else(String::new, |frame| frame.awaits.clone()),
            locals: frame.map_or_else(Vec::new, |frame| frame.locals.clone()),
            last_error: activity.and_then(|activity| activity.last_error.clone()),
            attempt: activity.map(|activity| activity.attempt),
            due_ms: next_try.or_else(|| description.timers.first().copied()).map(epoch_ms),
        }
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    // A clock before 1970 makes the show odd, and nothing worse.
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
