//! What `#[activity]` says about a function: constant data, emitted beside it.

use std::time::Duration;

use super::CallOptions;

/// How long an attempt may take that has neither a `start_to_close` nor a `heartbeat`.
pub const DEFAULT_START_TO_CLOSE: Duration = Duration::from_secs(5 * 60);

/// A declared activity.
#[derive(Debug)]
pub struct ActivityMeta {
    /// The stored name.
    pub name: &'static str,
    /// The names that it was stored under before.
    pub was: &'static [&'static str],
    /// The stored parameters: the name of each, and the names that it had before.
    pub args: &'static [&'static [&'static str]],
    /// Module path and function name.
    pub function: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line of the function's name.
    pub line: u32,
    /// Longest attempt.
    pub start_to_close_ms: Option<u64>,
    /// Longest time over all attempts.
    pub schedule_to_close_ms: Option<u64>,
    /// Longest silence of an attempt.
    pub heartbeat_ms: Option<u64>,
    /// What the retry policy sets; what it leaves out has the stated default.
    pub retry: RetryMeta,
    /// Whether an exhausted call parks its instance in place of returning the last error.
    pub park_when_exhausted: bool,
    /// The most attempts at once in one engine.
    pub limit: Option<u32>,
    /// A plain function: it runs on the blocking pool.
    pub blocking: bool,
}

/// The `retry(..)` of an activity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryMeta {
    /// Delay after the first attempt.
    pub initial_ms: Option<u64>,
    /// By what the delay grows.
    pub backoff: Option<f64>,
    /// The longest delay.
    pub max_interval_ms: Option<u64>,
    /// The most attempts.
    pub max_attempts: Option<u32>,
    /// How far a delay is moved, as a part of it.
    pub jitter: Option<f64>,
}

/// The time-outs of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Longest attempt.
    pub start_to_close: Option<Duration>,
    /// Longest time over all attempts, from when the call was committed.
    pub schedule_to_close: Option<Duration>,
    /// Longest silence of an attempt.
    pub heartbeat: Option<Duration>,
}

fn tag(name: &str) -> u32 {
    xxhash_rust::xxh3::xxh3_64(name.as_bytes()) as u32
}

impl ActivityMeta {
    /// What tells a stored call of this activity from one of another: a hash of its name.
    pub(crate) fn tag(&self) -> u32 {
        tag(self.name)
    }

    /// Whether a stored call is of this activity, under its name or one that it had.
    pub(crate) fn is(&self, tag: u32) -> bool {
        tag == self.tag() || self.was.iter().any(|was| tag == self::tag(was))
    }

    /// The time-outs of a call: its own, else the activity's, else the defaults.
    pub fn timeouts(&self, call: &CallOptions) -> Timeouts {
        let pick = |call: Option<u64>, own: Option<u64>| call.or(own).map(Duration::from_millis);
        let heartbeat = pick(call.heartbeat_ms, self.heartbeat_ms);
        let start_to_close = pick(call.start_to_close_ms, self.start_to_close_ms);
        Timeouts {
            // An attempt that must heartbeat may take as long as it shows that it lives.
            start_to_close: start_to_close.or(heartbeat.is_none().then_some(DEFAULT_START_TO_CLOSE)),
            schedule_to_close: pick(call.schedule_to_close_ms, self.schedule_to_close_ms),
            heartbeat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_five_minutes_is_for_attempts_without_a_heartbeat() {
        let mut meta = ActivityMeta {
            was: &[],
            args: &[],
            name: "charge",
            function: "shop::charge",
            file: "shop.rs",
            line: 1,
            start_to_close_ms: None,
            schedule_to_close_ms: None,
            heartbeat_ms: None,
            retry: RetryMeta::default(),
            park_when_exhausted: false,
            limit: None,
            blocking: false,
        };
        let mut call = CallOptions::default();
        assert_eq!(meta.timeouts(&call).start_to_close, Some(Duration::from_secs(300)));
        meta.heartbeat_ms = Some(10_000);
        assert_eq!(meta.timeouts(&call).start_to_close, None);
        meta.start_to_close_ms = Some(7);
        assert_eq!(meta.timeouts(&call).start_to_close, Some(Duration::from_millis(7)));
        call.start_to_close_ms = Some(8);
        call.heartbeat_ms = Some(9);
        let timeouts = meta.timeouts(&call);
        assert_eq!(timeouts.start_to_close, Some(Duration::from_millis(8)));
        assert_eq!(timeouts.heartbeat, Some(Duration::from_millis(9)));
        assert_eq!(timeouts.schedule_to_close, None);
    }
}
