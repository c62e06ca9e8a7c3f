//! When a failed attempt is made again.
//!
//! A [`Retry`] is what the user wrote, with holes; a [`Policy`] has every hole filled; and
//! [`next_delay`] is a pure function of it: the engine brings the attempt and the random number.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RetryMeta;

const INITIAL: Duration = Duration::from_secs(1);
const BACKOFF: f64 = 2.0;
const JITTER: f64 = 0.1;
/// The longest delay, as a multiple of the first.
const MAX_INTERVAL_FACTOR: u32 = 100;

/// What a call sets differently from the retry policy of its activity; what it does not name stays.
///
/// ```
/// use durable_core::Retry;
/// use std::time::Duration;
///
/// let policy = Retry::attempts(3).initial(Duration::from_millis(200)).jitter(0.0);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use = "a policy does nothing until it is given to a call"]
pub struct Retry {
    max_attempts: Option<Attempts>,
    initial_ms: Option<u64>,
    backoff: Option<f64>,
    max_interval_ms: Option<u64>,
    jitter: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Attempts {
    AtMost(u32),
    Unlimited,
}

impl Retry {
    /// At most so many attempts, the first one included; 0 is taken as 1.
    pub fn attempts(most: u32) -> Self {
        Retry { max_attempts: Some(Attempts::AtMost(most.max(1))), ..Retry::default() }
    }

    /// As often as it takes, even if the activity has a `max_attempts`.
    pub fn forever() -> Self {
        Retry { max_attempts: Some(Attempts::Unlimited), ..Retry::default() }
    }

    /// One attempt and no other.
    pub fn none() -> Self {
        Retry::attempts(1)
    }

    /// The delay after the first attempt. Default: 1 s.
    pub fn initial(mut self, delay: Duration) -> Self {
        self.initial_ms = Some(super::millis(delay));
        self
    }

    /// By what each delay is longer than the one before. Default: 2; less than 1 is taken as 1.
    pub fn backoff(mut self, factor: f64) -> Self {
        self.backoff = Some(factor);
        self
    }

    /// The longest delay. Default: 100 times the first.
    pub fn max_interval(mut self, delay: Duration) -> Self {
        self.max_interval_ms = Some(super::millis(delay));
        self
    }

    /// How far each delay is moved either way at random, as a part of it. Default: 0.1; 0 switches it off.
    pub fn jitter(mut self, part: f64) -> Self {
        self.jitter = Some(part);
        self
    }
}

/// A retry policy in which nothing is left open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The delay after the first attempt.
    pub initial: Duration,
    /// By what each delay is longer than the one before; at least 1.
    pub backoff: f64,
    /// The longest delay, before it is moved.
    pub max_interval: Duration,
    /// The most attempts.
    pub max_attempts: Option<u32>,
    /// How far a delay is moved either way, as a part of it; 0 to 1.
    pub jitter: f64,
}

impl Policy {
    /// What the call names, else what the activity names, else the defaults.
    pub fn new(activity: &RetryMeta, call: Option<&Retry>) -> Self {
        let open = Retry::default();
        let call = call.unwrap_or(&open);
        let initial = call.initial_ms.or(activity.initial_ms).map_or(INITIAL, Duration::from_millis);
        let max_interval = call.max_interval_ms.or(activity.max_interval_ms).map(Duration::from_millis);
        let backoff = call.backoff.or(activity.backoff).unwrap_or(BACKOFF);
        let jitter = call.jitter.or(activity.jitter).unwrap_or(JITTER);
        Policy {
            initial,
            backoff: if backoff >= 1.0 { backoff } else { 1.0 }, // NaN too
            max_interval: max_interval.unwrap_or(initial.saturating_mul(MAX_INTERVAL_FACTOR)),
            max_attempts: match call.max_attempts {
                Some(Attempts::AtMost(most)) => Some(most),
                Some(Attempts::Unlimited) => None,
                None => activity.max_attempts,
            },
            jitter: if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) },
        }
    }
}

/// How long to wait after `attempt` (the first is 1) failed, or `None` if it was the last one.
///
/// `unit_random` lies in `0.0..=1.0` and moves the delay within the jitter; 0.5 does not move it.
pub fn next_delay(policy: &Policy, attempt: u32, unit_random: f64) -> Option<Duration> {
    if policy.max_attempts.is_some_and(|most| attempt >= most) {
        return None;
    }
    let made = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    // A power that overflows is infinite, and the cap is below that; but 0 * infinity is no number.
    let grown = match policy.initial.as_secs_f64() {
        0.0 => 0.0,
        initial => initial * policy.backoff.powi(made),
    };
    let capped = grown.min(policy.max_interval.as_secs_f64());
    let moved = capped * (1.0 + policy.jitter * (2.0 * unit_random - 1.0));
    Some(Duration::try_from_secs_f64(moved).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(retry: Retry) -> Policy {
        Policy::new(&RetryMeta::default(), Some(&retry.jitter(0.0)))
    }

    fn delays(policy: &Policy, attempts: std::ops::RangeInclusive<u32>) -> Vec<Option<u64>> {
        attempts.map(|n| next_delay(policy, n, 0.5).map(|delay| delay.as_secs())).collect()
    }

    #[test]
    fn by_default_it_doubles_from_one_second_up_to_a_hundred_for_ever() {
        let policy = plain(Retry::default());
        let first = [1, 2, 4, 8, 16, 32, 64, 100, 100].map(Some);
        assert_eq!(delays(&policy, 1..=9), first);
        assert_eq!(delays(&policy, u32::MAX..=u32::MAX), [Some(100)]);
    }

    #[test]
    fn the_cap_follows_the_first_delay() {
        let policy = plain(Retry::default().initial(Duration::from_millis(10)));
        assert_eq!(next_delay(&policy, 50, 0.5), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_last_attempt_has_no_next_one() {
        assert_eq!(delays(&plain(Retry::attempts(3)), 1..=4), [Some(1), Some(2), None, None]);
        assert_eq!(delays(&plain(Retry::none()), 1..=1), [None]);
        assert_eq!(delays(&plain(Retry::attempts(0)), 1..=1), [None]);
    }

    #[test]
    fn jitter_moves_a_delay_by_at_most_ten_percent_either_way() {
        let policy = Policy::new(&RetryMeta::default(), None);
        let at = |random| next_delay(&policy, 1, random).unwrap().as_secs_f64();
        assert!((at(0.0) - 0.9).abs() < 1e-9 && (at(1.0) - 1.1).abs() < 1e-9);
        assert!((at(0.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_call_overrides_only_what_it_names() {
        let activity = RetryMeta {
            initial_ms: Some(200),
            backoff: Some(3.0),
            max_interval_ms: Some(900),
            max_attempts: Some(5),
            jitter: Some(0.0),
        };
        let policy = Policy::new(&activity, Some(&Retry::attempts(2)));
        assert_eq!((policy.max_attempts, policy.initial), (Some(2), Duration::from_millis(200)));
        assert_eq!(next_delay(&policy, 1, 0.0), Some(Duration::from_millis(200)));
        assert_eq!(Policy::new(&activity, Some(&Retry::forever())).max_attempts, None);
        assert_eq!(Policy::new(&activity, None).max_attempts, Some(5));
    }

    #[test]
    fn nonsense_and_overflow_never_panic() {
        for backoff in [f64::NAN, f64::INFINITY, -3.0, 0.0, 1e300] {
            for initial in [Duration::ZERO, Duration::from_millis(1), Duration::MAX] {
                let mut policy = plain(Retry::forever().initial(initial).backoff(backoff));
                for jitter in [0.0, 1.0] {
                    policy.jitter = jitter;
                    for attempt in [0, 1, 2, 5000, u32::MAX] {
                        let delay = next_delay(&policy, attempt, 1.0).unwrap();
                        assert!(initial != Duration::ZERO || delay == Duration::ZERO);
                    }
                }
            }
        }
        let policy = Policy::new(&RetryMeta::default(), Some(&Retry::default().jitter(7.0).backoff(0.1)));
        assert_eq!((policy.jitter, policy.backoff), (1.0, 1.0));
    }

    #[test]
    fn a_delay_below_a_millisecond_is_not_none() {
        let policy = plain(Retry::default().initial(Duration::from_nanos(1)));
        assert_eq!(policy.initial, Duration::from_millis(1));
    }

    #[test]
    fn it_is_stored_in_a_few_bytes() {
        let bytes = postcard::to_stdvec(&Retry::attempts(3)).unwrap();
        assert!(bytes.len() <= 8, "{bytes:?}");
        assert_eq!(postcard::from_bytes::<Retry>(&bytes).unwrap(), Retry::attempts(3));
    }
}
